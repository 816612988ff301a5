"""The part of a request that the next one must begin with, as the bytes that were sent.

Thinking signatures and the prompt cache are bound to tools, system and messages, in
that order. Parsing them and writing them out anew would hide what the service sees: an
other order of keys, an other escape, an other number of spaces. So the spans of the
body are compared as they came, with one exception: `cache_control` marks are cut out
where the API knows them (blocks of the system prompt, tools, content blocks and the
blocks of a tool's result). A mark says where a cache may end and is no part of what is
cached or signed, and it wanders to the newest block as a conversation grows. The same
word in a tool call's input or in a schema is content, and stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MARK = "cache_control"
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """Tools, system and messages of a request; `messages` lacks the closing bracket.

    `ends` are the offsets in `messages` at which each message ends.
    """

    tools: bytes
    system: bytes
    messages: bytes
    ends: tuple[int, ...]

    @property
    def whole(self) -> bytes:
        """All of it, in the order in which it is cached."""
        return b"\n".join((self.tools, self.system, self.messages))


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object: offsets of its key, of its value and of their end."""

    key: str
    begin: int
    value: int
    end: int


def prefix(body: bytes) -> Prefix:
    """The prefix of a request's body, which must be a JSON object."""
    text = body.decode()
    found = {member.key: member for member in _members(text, _skip(text, 0))}
    messages, ends = _messages(text, found.get("messages"))
    return Prefix(
        tools=_unmarked(text, found.get("tools")).encode(),
        system=_unmarked(text, found.get("system")).encode(),
        messages=messages,
        ends=ends,
    )


def difference(earlier: Prefix, later: Prefix) -> str:
    """Why the later request does not continue the earlier one; empty where it does.

    It does where it is the same again or has up to one exchange more. As messages end
    with their brackets, none of them can have grown.
    """
    for name in ("tools", "system"):
        if getattr(earlier, name) != getattr(later, name):
            at = _common(getattr(earlier, name), getattr(later, name))
            return f"{name} changed at byte {at}"
    old, new = earlier.messages, later.messages
    if not new.startswith(old):
        at = _common(old, new)
        number = sum(end <= at for end in earlier.ends)
        return f"messages changed at byte {at}, in message {number}"
    grown = len(later.ends) - len(earlier.ends)
    return "" if grown <= 2 else f"{grown} messages were added at once"


def shared(earlier: Prefix, later: Prefix) -> int:
    """Bytes that both begin with: what a cache of the earlier one could serve."""
    return _common(earlier.whole, later.whole)


def _common(one: bytes, other: bytes) -> int:
    if other.startswith(one):
        return len(one)
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


# ------------------------------------------------------------------- spans of JSON


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _members(text: str, at: int) -> Iterator[_Member]:
    """The members of the object that begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        begin = at
        key, at = _DECODER.raw_decode(text, begin)
        value = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield _Member(key, begin, value, end)
        at = _next(text, end)


def _items(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Where each item of the array that begins at `at` begins and ends."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _next(text, end)


def _next(text: str, end: int) -> int:
    """Where the next member or item begins, or the closing bracket is."""
    at = _skip(text, end)
    return _skip(text, at + 1) if text[at] == "," else at


# ------------------------------------------------------------------ without the marks


def _messages(text: str, member: _Member | None) -> tuple[bytes, tuple[int, ...]]:
    if member is None or text[member.value] != "[":
        return _unmarked(text, member).encode(), ()
    parts: list[bytes] = []
    ends: list[int] = []
    at = member.value
    for begin, end in _items(text, member.value):
        parts.append(_cut(text, at, end, [*_marks(text, begin)]).encode())
        ends.append(sum(map(len, parts)))
        at = end
    return b"".join(parts), tuple(ends)


def _unmarked(text: str, member: _Member | None) -> str:
    if member is None:
        return ""
    marks = _marks(text, member.value)
    return _cut(text, member.value, member.end, [*marks])


def _marks(text: str, at: int) -> Iterator[tuple[int, int]]:
    """The spans of the marks in a block, or in a message's or a list's blocks."""
    if text[at] == "[":
        for begin, _ in _items(text, at):
            yield from _marks(text, begin)
    elif text[at] == "{":
        members = [*_members(text, at)]
        for place, member in enumerate(members):
            if member.key == _MARK:
                yield _with_comma(members, place)
            elif member.key == "content":
                yield from _marks(text, member.value)


def _with_comma(members: Sequence[_Member], place: int) -> tuple[int, int]:
    """A member with the comma that would be left over."""
    if place:
        return members[place - 1].end, members[place].end
    after = members[1].begin if len(members) > 1 else members[0].end
    return members[0].begin, after


def _cut(text: str, begin: int, end: int, holes: Sequence[tuple[int, int]]) -> str:
    kept: list[str] = []
    for hole, after in holes:
        kept.append(text[begin:hole])
        begin = after
    return "".join([*kept, text[begin:end]])
