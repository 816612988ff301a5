"""Secrets out of what is written down; pure."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence

from bonafix.deliver.codec import Json

MARK = "[redacted]"
SHORTEST = 8  # a shorter value stands in too many honest places

_TELLING = re.compile(
    r"SECRET|(?:^|_)(?:\w*KEY|TOKEN|PASS|PASSWORD|PASSWD|CREDENTIALS?|COOKIE)S?$",
    re.IGNORECASE,
)


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values of the variables whose names say that they are secret.

    A path to where a secret lies is none.
    """
    return tuple(
        value
        for name, value in environment.items()
        if _TELLING.search(name)
        and len(value) >= SHORTEST
        and not value.startswith("/")
    )


def redact(text: str, secrets: Sequence[str]) -> str:
    """`text` with a mark for every secret, in any form that it is likely to take."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MARK)
    return text


def redacted(value: Json, secrets: Sequence[str]) -> Json:
    """The same JSON value with every string in it redacted, keys included."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, list):
        return [redacted(item, secrets) for item in value]
    if isinstance(value, dict):
        return {
            redact(key, secrets): redacted(item, secrets) for key, item in value.items()
        }
    return value


def _forms(secret: str) -> tuple[str, ...]:
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
