"""JSON as it is read off the wire: its types, canonical text and small readers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = (
    "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
)
Record: TypeAlias = "Mapping[str, Json]"


class ApiError(Exception):
    """An answer that is an error: HTTP status, Anthropic's error type, message."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message

    def body(self) -> bytes:
        """The error as the API words it on the wire."""
        error = {"type": self.kind, "message": self.message}
        return dumps({"type": "error", "error": error, "request_id": "req_loopback"})


def invalid(message: str) -> ApiError:
    """The 400 that the API answers to a request it cannot take."""
    return ApiError(400, "invalid_request_error", message)


def dumps(value: Json | Record) -> bytes:
    """Canonical bytes of a JSON value; the order of keys is kept on purpose."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def records(value: Json) -> list[Record]:
    """The objects in a JSON array; everything else counts as no object."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def blocks(message: Record) -> list[Record]:
    """The content blocks of a message; a bare string is one text block."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return records(content)


def without_cache_marks(value: Json) -> Json:
    """The value without `cache_control`, which no check of a prefix looks at."""
    if isinstance(value, Mapping):
        return {
            key: without_cache_marks(item)
            for key, item in value.items()
            if key != "cache_control"
        }
    if isinstance(value, str) or not isinstance(value, Sequence):
        return value
    return [without_cache_marks(item) for item in value]


def tokens(value: Json | Record) -> int:
    """A plausible token count: a quarter of the bytes."""
    return max(1, len(dumps(value)) // 4)
