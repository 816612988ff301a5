"""What is JSON already and sent as it is: the protocol's types cost seven times that.

Of very many values some are turned into text at a time: others are answered meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

SLICE = 50
"""Values at a time: less than a millisecond's work."""

Wire = dict[str, object]


class Json(list[Wire]):
    """An answer that is JSON but for edits, which are of the protocol's types."""


class Text(str):
    """A message's `result` or `params` as the text that is sent."""

    __slots__ = ()


def slices(values: Iterable[Wire]) -> Iterator[str]:
    """The items of a JSON array, without its brackets, some in each piece."""
    rest = iter(values)
    while some := list(islice(rest, SLICE)):
        yield json.dumps(some)[1:-1]


def array(pieces: Iterable[str]) -> Text:
    """The pieces of `slices` as one array."""
    return Text(f"[{', '.join(pieces)}]")


async def gently(values: Iterable[Wire]) -> Text:
    """All values as an array; after each slice it is somebody else's turn."""
    pieces = []
    for piece in slices(values):
        pieces.append(piece)
        await asyncio.sleep(0)
    return array(pieces)


def holding(values: Mapping[str, object], name: str, inner: Text) -> Text:
    """An object of `values` and, under `name`, what is text already."""
    head = json.dumps(values)[1:-1]
    between = ", " if head else ""
    return Text(f"{{{head}{between}{json.dumps(name)}: {inner}}}")
