r"""File names as diffs write them: prefixes, quotes, time stamps; pure.

A name is text in which bytes that are not UTF-8 are lone surrogates
(`surrogateescape`), as everywhere in Python's own handling of paths.
"""

from __future__ import annotations

import posixpath
import re

NULL = "/dev/null"

_ESCAPES = {
    "a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92,
}  # fmt: skip
_LETTERS = {code: letter for letter, code in _ESCAPES.items()}
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
_STAMP = re.compile(r"\s+\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?.*\Z", re.DOTALL)
_PREFIX = re.compile(r"(?:[abciow]|[12])/")  # git's, plain and mnemonic


def read_name(text: str) -> str:
    """The name after `--- ` or `+++ `; `text` is Latin-1 for the bytes it was.

    A quoted name is C-escaped; any other ends at a tab. Some tools put spaces
    before the time stamp; git, whose names may hold spaces, then puts a tab.
    """
    name, tab, _ = text.rstrip("\r\n").partition("\t")
    return read_bare(text if tab else _STAMP.sub("", name))


def read_bare(text: str) -> str:
    """A name where no time stamp can follow it, as after `rename from `."""
    if found := _QUOTED.match(text):
        return _from_bytes(_unescaped(found[1]))
    return _from_bytes(text.rstrip("\r\n").split("\t", 1)[0].encode("latin-1"))


def read_pair(text: str) -> tuple[str, str] | None:
    """The two names after `diff --git `; `None` where they cannot be told apart."""
    text = text.rstrip("\r\n")
    cuts = [at for at, letter in enumerate(text) if letter == " "]
    if '"' in text:
        cuts = [at for at in cuts if _whole(text[:at]) and _whole(text[at + 1 :])]
    pairs = [(text[:at], text[at + 1 :]) for at in cuts]
    same = [pair for pair in pairs if _tail(pair[0]) == _tail(pair[1])]
    fitting = same or pairs
    if len(fitting) != 1:
        return None
    old, new = fitting[0]
    return read_bare(old), read_bare(new)


def _whole(text: str) -> bool:
    return bool(_QUOTED.fullmatch(text)) or '"' not in text


def _tail(text: str) -> str:
    name = read_bare(text)
    return name[2:] if _PREFIX.match(name) else name


def write_name(name: str) -> bytes:
    """A name as git writes it: quoted and escaped only where it has to be."""
    raw = name.encode("utf-8", "surrogateescape")
    escaped = "".join(_escaped(code) for code in raw)
    if escaped.encode("latin-1") == raw:
        return raw
    return b'"' + escaped.encode("latin-1") + b'"'


def stripped(name: str, level: int) -> str | None:
    """The name without its first `level` folders, normalised; `None` if too short.

    Folders that point upwards survive normalising: what leaves the tree must be
    seen to leave it.
    """
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    parts = name.split("/", level)
    if len(parts) <= level or not parts[-1]:
        return None
    rest = posixpath.normpath(parts[-1])
    return "/" + rest.lstrip("/") if rest.startswith("//") else rest


def has_prefix(old: str | None, new: str | None) -> bool:
    """Whether a pair of names carries git's prefixes (a/ and b/, or the like).

    Equal names carry none: `b/x.py` on both sides is a file in a folder b.
    """
    given = [name for name in (old, new) if name is not None]
    if len(given) == 2 and old == new:  # noqa: PLR2004 - a pair
        return False
    return all(_PREFIX.match(name) for name in given)


def _from_bytes(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _unescaped(text: str) -> bytes:
    def replaced(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "01234567":
            return chr(int(code, 8) & 0xFF)
        return chr(_ESCAPES[code]) if code in _ESCAPES else code

    return _ESCAPE.sub(replaced, text).encode("latin-1")


def _escaped(code: int) -> str:
    if code in _LETTERS:
        return "\\" + _LETTERS[code]
    control = code < 0x20 or code == 0x7F  # noqa: PLR2004 - ASCII's own limits
    return f"\\{code:03o}" if control else chr(code)
