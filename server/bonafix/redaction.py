"""Texts in, the same texts without secrets out; pure.

One set of rules for what is sent to a model and for what is written down: what has a
secret's name in the environment, what a `.env` file holds, and what has the shape of
a well-known token is replaced wherever it stands.
"""

from __future__ import annotations

import base64
import fnmatch
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath
from typing import TypeVar

MARK = "[redacted]"
SHORTEST = 8
"""Characters; a shorter value stands in too many honest places."""
_LINE = 24
"""Characters of a line of a longer secret that is a secret by itself."""
_PATH = 60

_ENDINGS = (
    *("KEY", "KEYS", "TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "PASSWORDS"),
    *("PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "COOKIE", "COOKIES", "DSN"),
)
_WORDS = frozenset({"AUTH", "PASS", "PRIVATE", "PWD", "SAS"})
_HEADERS = "ANTHROPIC_CUSTOM_HEADERS"  # `NAME: VALUE` lines
_FOLDERS = frozenset({"PWD", "OLDPWD"})  # the shell's, not a password's

_PEM = "-----{} [A-Z ]*PRIVATE KEY-----"
_SHAPES = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_[A-Za-z0-9_]{20,}"
    r"|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|AIza[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    rf"|{_PEM.format('BEGIN')}[\s\S]*?{_PEM.format('END')}"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"
)
# Words, numbers and plain paths below the project: settings, not secrets.
_ORDINARY = re.compile(
    r"[A-Za-z][a-z_. -]*|[\d.,]+|(?i:true|false|none|null)|[a-z\d_.-]*(?:/[a-z\d_.-]*)+"
)
_ASSIGNED = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[^\s=\#]+)[ \t]*=[ \t]*
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>[^\n]*))""",
    re.MULTILINE | re.VERBOSE,
)
_SPOKEN = re.compile(r"^.*?\bpassword[ \t]+(\S+)", re.MULTILINE)  # as in .netrc
_KEY_LINE = re.compile(r"^[A-Za-z0-9+/=]{40,}$", re.MULTILINE)
_FILES = (".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.keystore")
_FILE_NAMES = frozenset(
    {".netrc", ".pypirc", ".npmrc", ".htpasswd", "id_rsa", "id_ed25519", "id_ecdsa"}
)
_EXAMPLES = (".example", ".sample", ".template")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes the given values, and all that has a token's shape, out of texts.

    Without `shapes` the values alone: for a patch, which is the user's own code.
    """

    values: tuple[str, ...] = ()
    shapes: bool = True

    def __call__(self, text: str) -> str:
        """The text with `MARK` in place of every secret."""
        for form in _forms(self.values):
            if form in text:
                text = text.replace(form, MARK)
        return _SHAPES.sub(MARK, text) if self.shapes else text

    def json(self, value: _T) -> _T:
        """The same JSON value with every string in it redacted, keys included.

        Under the key `patch` only known values are.
        """
        return _redacted(value, self)  # type: ignore[return-value]  # kinds are kept

    def joined(self, other: Redactor) -> Redactor:
        """One that knows the values of both."""
        return replace(self, values=_ordered({*self.values, *other.values}))


NOTHING = Redactor(shapes=False)
"""Takes nothing out."""


def redactor(
    environment: Mapping[str, str], files: Mapping[str, str] | None = None
) -> Redactor:
    """A redactor for the secrets of an environment and of secret files' texts."""
    found = {
        value
        for name, value in environment.items()
        if is_telling(name) and _is_secret(value)
    }
    for line in environment.get(_HEADERS, "").splitlines():
        if _is_secret(value := line.partition(":")[2].strip()):
            found.add(value)
    for path, text in (files or {}).items():
        found.update(_values(path, text))
    return Redactor(_ordered(found))


def is_telling(name: str) -> bool:
    """Whether a variable's name says that its value is secret."""
    upper = name.upper()
    if upper in _FOLDERS:
        return False
    words = re.split(r"[^A-Z0-9]+", upper)
    return any(word in _WORDS or word.endswith(_ENDINGS) for word in words)


def is_secret_file(path: str) -> bool:
    """Whether a file's name says that it holds secrets; it is then never sent."""
    name = PurePosixPath(path).name.lower()
    if name.endswith(_EXAMPLES):
        return False
    return name in _FILE_NAMES or any(fnmatch.fnmatch(name, glob) for glob in _FILES)


def _ordered(values: set[str]) -> tuple[str, ...]:
    # Longest first: a secret may contain another.
    return tuple(sorted(values, key=lambda value: (-len(value), value)))


def _is_secret(value: str) -> bool:
    # A path to a socket or key file is a place, not a secret.
    return len(value) >= SHORTEST and not value.startswith(("/", "~"))


def _values(path: str, text: str) -> Iterator[str]:
    """What is secret in a file that holds secrets."""
    for match in _ASSIGNED.finditer(text):
        name, value = match["name"], _value(match)
        if not _is_secret(value):
            continue
        if is_telling(name) or not _is_ordinary(value):
            yield value
            yield from (line for line in value.splitlines() if len(line) >= _LINE)
    if "env" not in PurePosixPath(path).name:
        yield from (word for word in _SPOKEN.findall(text) if len(word) >= SHORTEST)
        yield from _KEY_LINE.findall(text)


def _value(match: re.Match[str]) -> str:
    double, single, bare = match["double"], match["single"], match["bare"]
    if double is not None:
        return re.sub(r"\\([nrt\"\\$])", _unescaped, double)
    if single is not None:
        return single
    return re.sub(r"(^|[ \t]+)#.*$", "", bare or "").strip().strip("'\"")


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t"}.get(match[1], match[1])


def _is_ordinary(value: str) -> bool:
    return len(value) <= _PATH and _ORDINARY.fullmatch(value) is not None


@cache
def _forms(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each value as it is and in the forms that it is likely to take, longest first."""
    return _ordered({form for value in values for form in _forms_of(value)})


def _forms_of(secret: str) -> tuple[str, ...]:
    """As it is, in a URL, as a literal's inside, and in base64 (headers)."""
    if len(secret) < SHORTEST:
        return ()
    raw = secret.encode("utf-8", "surrogateescape")
    return (
        secret,
        urllib.parse.quote(raw, safe=""),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        base64.b64encode(raw).decode().rstrip("="),
    )


def _redacted(value: object, redact: Redactor) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(item, redact) for item in value]
    if isinstance(value, dict):
        exact = replace(redact, shapes=False)
        return {
            redact(key): _redacted(item, exact if key == "patch" else redact)
            for key, item in value.items()
        }
    return value
