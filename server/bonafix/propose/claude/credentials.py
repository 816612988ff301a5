"""Which credentials for the API are there; their kind, never their value.

The order is the SDK's own, read without importing it, so that a missing key is said
before any work is done.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bonafix.errors import ServiceError

_VARIABLES = (
    ("ANTHROPIC_API_KEY", "API key"),
    ("ANTHROPIC_AUTH_TOKEN", "access token"),
)
_FEDERATION = ("ANTHROPIC_FEDERATION_RULE_ID", "ANTHROPIC_ORGANIZATION_ID")
_IDENTITY = ("ANTHROPIC_IDENTITY_TOKEN", "ANTHROPIC_IDENTITY_TOKEN_FILE")


@dataclass(frozen=True, slots=True)
class Credential:
    """A kind of credential and where it was found."""

    kind: str
    source: str


def find(environment: Mapping[str, str]) -> Credential | None:
    """The credential that the SDK would use, if there is one."""
    for variable, kind in _VARIABLES:
        if environment.get(variable):
            return Credential(kind, variable)
    if environment.get("ANTHROPIC_PROFILE"):
        return Credential("profile", "ANTHROPIC_PROFILE")
    identity = next((name for name in _IDENTITY if environment.get(name)), None)
    if identity and all(environment.get(name) for name in _FEDERATION):
        return Credential("workload identity", identity)
    profile = _active_profile(_config_dir(environment))
    return Credential("profile", str(profile)) if profile else None


def require(environment: Mapping[str, str]) -> Credential:
    """The credential, or a clear word before any work.

    Raises:
        ServiceError: there is none.
    """
    found = find(environment)
    if found is None:
        raise ServiceError(
            "no credentials for Claude were found: set ANTHROPIC_API_KEY, or use "
            "the search engine alone (--engine search), which needs none"
        )
    return found


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
