"""Which credentials for the API are there; their kind, never their value.

The order is the SDK's own, read without importing it, so that a missing or spoilt key
is said before any work is done: once it stands in a header, the error quotes it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bonafix.errors import ServiceError
from bonafix.propose.claude import clouds
from bonafix.propose.claude.clouds import SERVICE

KEY, TOKEN = "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"
HEADERS = "ANTHROPIC_CUSTOM_HEADERS"
NONE = (
    f"no credentials for Claude were found: set {KEY}, or use "
    "the search engine alone (--engine search), which needs none"
)
_VARIABLES = ((KEY, "API key"), (TOKEN, "access token"))
_FEDERATION = ("ANTHROPIC_FEDERATION_RULE_ID", "ANTHROPIC_ORGANIZATION_ID")
_IDENTITY = ("ANTHROPIC_IDENTITY_TOKEN", "ANTHROPIC_IDENTITY_TOKEN_FILE")
_CLOUD_SECRETS = (
    *("ANTHROPIC_FOUNDRY_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"),
    *("ANTHROPIC_AWS_API_KEY",),
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
)
_AUTHORISING = frozenset({"authorization", "x-api-key"})

_LEAST_SECRET = 8
"""Shorter pieces are too likely to be ordinary words."""
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")


@dataclass(frozen=True, slots=True)
class Credential:
    """A kind of credential and where it was found."""

    kind: str
    source: str


def find(environment: Mapping[str, str]) -> Credential | None:
    """The credential that the SDK would use, if there is one."""
    if clouds.is_cloud(environment):
        cloud = clouds.cloud_of(environment)
        names = () if cloud is None else (cloud.secret, *cloud.keys)
        key = next((name for name in names if environment.get(name)), SERVICE)
        return Credential(f"account of {environment[SERVICE]}", key)
    for variable, kind in _VARIABLES:
        if environment.get(variable):
            return Credential(kind, variable)
    if environment.get("ANTHROPIC_PROFILE"):
        return Credential("profile", "ANTHROPIC_PROFILE")
    identity = next((name for name in _IDENTITY if environment.get(name)), None)
    if identity and all(environment.get(name) for name in _FEDERATION):
        return Credential("workload identity", identity)
    if any(name.lower() in _AUTHORISING for name, _ in headers(environment)):
        return Credential("header", HEADERS)
    profile = _active_profile(_config_dir(environment))
    return Credential("profile", str(profile)) if profile else None


def require(environment: Mapping[str, str], base_url: str = "") -> Credential:
    """The credential, or a clear word before any work.

    Raises:
        ServiceError: there is none, or it cannot be one.
    """
    found = find(environment)
    if found is None:
        raise ServiceError(NONE)
    if wrong := problem(environment, base_url):
        raise ServiceError(wrong)
    return found


def static(environment: Mapping[str, str]) -> tuple[str, str]:
    """Name and value of the key or token that goes into a header, "" without one.

    The line break that a file or a secret store puts behind a key is none of it.
    """
    for variable, _ in _VARIABLES:
        if value := environment.get(variable):
            return variable, value.strip()
    return "", ""


def _sent(environment: Mapping[str, str]) -> tuple[str, str]:
    """What goes into a header, whoever it is for."""
    cloud = clouds.cloud_of(environment)
    if cloud is None:
        return static(environment)
    names = (cloud.secret, *cloud.keys)
    name = next((one for one in names if environment.get(one)), "")
    return name, environment.get(name, "")


def headers(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """The user's own headers, one a line, as the SDK reads them."""
    pairs = (line.partition(":") for line in environment.get(HEADERS, "").split("\n"))
    return [(name.strip(), value.strip()) for name, colon, value in pairs if colon]


def problem(environment: Mapping[str, str], base_url: str = "") -> str:
    """Why what is set cannot be sent, without a word of it; "" where it can."""
    if missing := clouds.lacking(environment, base_url):
        return missing
    name, value = _sent(environment)
    if name and (wrong := _flaw(value)):
        return f"{name} cannot be used: it {wrong}. Copy the value once more"
    for number, (header, content) in enumerate(headers(environment), 1):
        if not _HEADER_NAME.fullmatch(header):
            return f"{HEADERS}: the name of header {number} is none; write NAME: VALUE"
        if not _HEADER_VALUE.fullmatch(content):
            return (
                f"{HEADERS}: the value of {header} has a character that no header has"
            )
    return ""


def _flaw(value: str) -> str:
    if not value:
        return "is blank"
    if value[0] in "\"'":
        return "begins with a quotation mark"
    if not value.isascii():
        return "has a character outside ASCII"
    if _UNPRINTABLE.search(value):
        return "has a space, a line break or a control character in it"
    return ""


def secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """All that must not be shown of keys, tokens and headers; longest first.

    Pieces, too: an error that quotes a spoilt key escapes what spoils it.
    """
    found = {
        text
        for value in _secret_values(environment)
        for text in (value, value.strip(), *_UNPRINTABLE.split(value))
        if len(text) >= _LEAST_SECRET
    }
    return tuple(sorted(found, key=len, reverse=True))


def _secret_values(environment: Mapping[str, str]) -> Iterator[str]:
    for name in (KEY, TOKEN, _IDENTITY[0], *_CLOUD_SECRETS):
        yield environment.get(name, "")
    for _, value in headers(environment):
        yield value


def _config_dir(environment: Mapping[str, str]) -> Path:
    if given := environment.get("ANTHROPIC_CONFIG_DIR"):
        return Path(given)
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "win32":
        return Path(environment.get("APPDATA", home)) / "Anthropic"
    return home / ".config" / "anthropic"


def _active_profile(folder: Path) -> Path | None:
    """The profile's file on disk, where there is one."""
    try:
        name = (folder / "active_config").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        name = ""
    path = folder / "configs" / f"{name or 'default'}.json"
    return path if path.is_file() else None
