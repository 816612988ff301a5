"""Texts in, the same texts without secrets out; pure.

What looks like a key in the environment, what a `.env` file holds, and what has the
shape of a well-known token is replaced wherever it stands in what is sent.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

MARK = "[redacted]"
_LEAST = 8
"""Shorter values are too likely to be ordinary words."""

_NAMES = re.compile(
    r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|COOKIE|DSN"
    r"|(^|_)(AUTH|PASS|PWD|SAS)(_|$)",
    re.IGNORECASE,
)
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
_ORDINARY = re.compile(r"[A-Za-z][a-z_. -]*|[\d.,]+|(?i:true|false|none|null)")
_FILES = (".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.keystore")
_FILE_NAMES = frozenset(
    {".netrc", ".pypirc", ".npmrc", ".htpasswd", "id_rsa", "id_ed25519", "id_ecdsa"}
)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes the given values, and all that has a token's shape, out of texts."""

    values: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        """The text with `MARK` in place of every secret."""
        for value in self.values:
            text = text.replace(value, MARK)
        return _SHAPES.sub(MARK, text)


def redactor(environment: Mapping[str, str], dotenv: Iterable[str] = ()) -> Redactor:
    """A redactor for the secrets of an environment and of `.env` files' texts."""
    found = {
        value
        for name, value in environment.items()
        if _NAMES.search(name) and _is_secret(value)
    }
    for text in dotenv:
        found.update(_dotenv_values(text))
    # Longest first: a secret may contain another.
    return Redactor(tuple(sorted(found, key=len, reverse=True)))


def is_secret_file(path: str) -> bool:
    """Whether a file's name says that it holds secrets; it is then never sent."""
    name = PurePosixPath(path).name.lower()
    if name.endswith((".example", ".sample", ".template")):
        return False
    return name in _FILE_NAMES or any(fnmatch.fnmatch(name, glob) for glob in _FILES)


def excluded(path: str, globs: Sequence[str]) -> bool:
    """Whether the user's settings keep the file from being sent."""
    pure = PurePosixPath(path)
    return any(fnmatch.fnmatchcase(path, glob) or pure.match(glob) for glob in globs)


def _is_secret(value: str) -> bool:
    # A path to a socket or key file is a place, not a secret.
    return len(value) >= _LEAST and not value.startswith(("/", "~"))


def _dotenv_values(text: str) -> Iterable[str]:
    for line in text.splitlines():
        name, equals, rest = line.strip().removeprefix("export ").partition("=")
        value = rest.strip().strip("'\"")
        if not equals or name.startswith("#") or len(value) < _LEAST:
            continue
        if _NAMES.search(name) or not _ORDINARY.fullmatch(value):
            yield value
