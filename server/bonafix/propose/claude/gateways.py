"""The API's own error, where a gateway has wrapped it into words of its own; pure.

LiteLLM, for one, answers an overload with a 500 whose message is the name of an
exception, the API's error as JSON, and an account of its routing. What the API said is
what a person can act on, and what a request can be corrected by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

_DECODER = json.JSONDecoder()
_LONGEST = 20_000
"""Characters of a message that are looked through."""
_PLACES = 10
"""Braces at which an error may begin; words of a gateway have few."""


@dataclass(frozen=True, slots=True)
class PassedOn:
    """An error of the API within a gateway's: the API's type of it, and its words."""

    kind: str
    words: str


ADVICE: Mapping[str, str] = {
    "authentication_error": "the gateway itself was not let in: who runs it must check "
    "the key that it uses",
    "billing_error": "the gateway's account has no credit, or its billing needs "
    "attention",
    "permission_error": "the gateway's account may not use this model: choose another "
    "one with --model, or ask who runs the gateway",
}
"""What to do where the trouble is behind the gateway: the user's own key is fine."""

NO_KEYS = "no_db_connection"
"""How LiteLLM without a database calls a key that is not its master key: a 400."""
STRANGER = (
    "the gateway does not know the key: check ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN"
)


def passed_on(text: str) -> PassedOn | None:
    """The innermost error of the API that is quoted in a message, if there is one."""
    text, at = text[:_LONGEST], -1
    for _ in range(_PLACES):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        if found := _error(text, at):
            # Behind a gateway there may be another one; its words are shorter.
            return passed_on(found.words) or found
    return None


def _error(text: str, at: int) -> PassedOn | None:
    """The error whose JSON begins there."""
    try:
        value, _ = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    error = value.get("error") if isinstance(value, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    kind, words = error.get("type"), error.get("message")
    if isinstance(kind, str) and isinstance(words, str):
        return PassedOn(kind, words)
    return None
