"""What the server saw, and the check that a conversation only ever grew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.messages_api.prefix import Prefix, difference, prefix, shared
from tests.messages_api.values import (
    Json,
    Record,
    dumps,
    records,
    tokens,
    without_cache_marks,
)

_LEAST_CACHED = 512
"""The smallest prompt that the newer models cache, in tokens."""


class PrefixChangedError(AssertionError):
    """A request is no continuation of any earlier one in its conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as it arrived, and what was answered."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    conversation: int | None = None
    position: int | None = None
    status: int = 200
    problem: str = ""

    @property
    def json(self) -> Record:
        """The body, parsed anew at every call."""
        value: Record = json.loads(self.body)
        return value


def _segments(request: Record) -> list[bytes]:
    """System, tools, then each message: the units in which prefixes are compared."""
    head: list[Json] = [request.get("system"), request.get("tools")]
    parts = [*head, *records(request.get("messages"))]
    return [dumps(without_cache_marks(part)) for part in parts]


def conversations(requests: Sequence[Recorded]) -> list[list[Recorded]]:
    """The requests by conversation, each in the order in which it grew.

    Nothing on the wire names a conversation, so one begins with each request of a
    single message, and a later request belongs to the one that it continues; of
    several, to the longest. How a request continues another is in `prefix`.

    Raises:
        PrefixChangedError: a request continues none; says from which byte on.
    """
    grown: list[list[Recorded]] = []
    heads: list[Prefix] = []
    for number, recorded in enumerate(requests):
        mine = prefix(recorded.body)
        place = _continued(recorded, mine, grown, heads)
        if len(mine.ends) == 1:  # one more, or the first one sent again
            grown.append([recorded])
            heads.append(mine)
        elif place is None:
            raise PrefixChangedError(_complaint(number, recorded, mine, heads))
        else:
            grown[place].append(recorded)
            heads[place] = mine
    return grown


def _continued(
    recorded: Recorded,
    mine: Prefix,
    grown: Sequence[Sequence[Recorded]],
    heads: Sequence[Prefix],
) -> int | None:
    """The conversation that the request continues: the longest, or none."""
    fitting = [
        place
        for place, head in enumerate(heads)
        if grown[place][-1].conversation == recorded.conversation
        and not difference(head, mine)
    ]
    return max(fitting, key=lambda place: len(heads[place].messages), default=None)


def _complaint(
    number: int, recorded: Recorded, mine: Prefix, heads: Sequence[Prefix]
) -> str:
    """What differs from the conversation that is nearest."""
    text = f"request {number} ({recorded.path}) continues no earlier request"
    nearest = max(heads, key=lambda head: shared(head, mine), default=None)
    return f"{text}: {difference(nearest, mine)}" if nearest else text


def check_append_only(requests: Sequence[Recorded]) -> None:
    """Raise PrefixChangedError unless each request begins, repeats or continues one.

    System, tools and messages are compared as the bytes that were sent, but for
    `cache_control` marks.
    """
    conversations(requests)


def _marked(value: Json) -> bool:
    """Whether the value holds a cache mark anywhere."""
    if isinstance(value, Mapping):
        marked = value.get("cache_control") is not None
        return marked or any(_marked(item) for item in value.values())
    if isinstance(value, str) or not isinstance(value, Sequence):
        return False
    return any(_marked(item) for item in value)


class Cache:
    """The prompt cache: prefixes of earlier requests with a cache mark."""

    def __init__(self) -> None:
        self._known: list[tuple[str, list[bytes]]] = []

    def usage(self, request: Record) -> dict[str, Json]:
        """Input counts for the request, which is remembered if it asks for that."""
        total = input_tokens(request)
        if not _marked(request) or total < _LEAST_CACHED:
            return {"input_tokens": total, **_cached(read=0, written=0)}
        # A change of model or effort starts a new cache, as it does at Anthropic's.
        key = dumps([request.get("model"), request.get("output_config")]).decode()
        parts = _segments(request)
        read = min(total - 1, self._shared(key, parts) // 4)
        self._known.append((key, parts))
        return {"input_tokens": 1, **_cached(read=read, written=total - 1 - read)}

    def _shared(self, key: str, parts: Sequence[bytes]) -> int:
        """Bytes of the longest prefix shared with a remembered request."""
        best = 0
        for other_key, other in self._known:
            if other_key != key:
                continue
            common = 0
            for mine, theirs in zip(parts, other, strict=False):
                if mine != theirs:
                    break
                common += len(mine)
            best = max(best, common)
        return best


def _cached(*, read: int, written: int) -> dict[str, Json]:
    return {
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written,
            "ephemeral_1h_input_tokens": 0,
        },
    }


def input_tokens(request: Record) -> int:
    """Tokens of system, tools and messages."""
    return sum(map(len, _segments(request))) // 4 or tokens("")
