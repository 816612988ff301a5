"""The text of one literal in, its value out; pure."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(
    r"\\(\r\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}"
    r"|N\{[^}]*\}|.)",
    re.DOTALL,
)
_SIMPLE = {
    "\n": "",
    "\r": "",
    "\r\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


def integer(text: str) -> int | complex:
    """The value of an integer as written, of an imaginary one too."""
    plain = text.replace("_", "").lower()
    if plain.endswith("j"):
        return complex(0, float(plain[:-1]))
    # "010" is no Python 3, but a run of zeros is.
    return int(plain, 0) if plain.strip("0") else 0


def floating(text: str) -> float | complex:
    """The value of a floating-point number as written."""
    plain = text.replace("_", "").lower()
    return complex(0, float(plain[:-1])) if plain.endswith("j") else float(plain)


def prefix(text: str) -> str:
    """The letters before the quote of a string, in lower case."""
    return text[: len(text) - len(text.lstrip("rRbBuUfFtT"))].lower()


def plain_string(text: str) -> str | bytes:
    """The value of a string that is no template."""
    kind = prefix(text)
    quote = 3 if text[len(kind) :][:3] in {"'''", '"""'} else 1
    body = text[len(kind) + quote : -quote]
    if "b" in kind:
        return (body if "r" in kind else _ESCAPE.sub(_byte_escape, body)).encode(
            "latin-1"
        )
    return body if "r" in kind else unescaped(body)


def unescaped(body: str) -> str:
    """A string's content with its escapes resolved."""
    return _ESCAPE.sub(_escape, body)


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] == "N" and len(code) > 1:
        return unicodedata.lookup(code[2:-1])
    return _byte_escape(match)


def _byte_escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _SIMPLE.get(code, match[0])
