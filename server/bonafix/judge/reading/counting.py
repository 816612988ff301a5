"""Where a new number says how many there may be: of matches, parts or items; pure.

`sub(..., count=4)`, `deque(maxlen=3)` and `zip("abc", found)` do what is wanted to as
many as a test has, and nothing to the next one. Digits, widths and steps count nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.judge.reading.folding import fold, known
from bonafix.judge.reading.fresh import Area
from bonafix.syntax import Node

_ANY = 99
# Calls by last name -> the positions that a number of items can be given at.
_POSITIONS = {
    **dict.fromkeys(["sub", "subn"], range(2, _ANY)),
    **dict.fromkeys(["split", "rsplit", "deque", "islice", "repeat"], range(1, _ANY)),
    "replace": range(2, 3),
    **dict.fromkeys(["nlargest", "nsmallest", "most_common"], range(1)),
    **dict.fromkeys(["fetchmany", "head", "tail"], range(1)),
}
_NAMES = {"count", "maxlen", "maxsplit", "limit"}
_OWN_NAMES = {
    **dict.fromkeys(["nlargest", "nsmallest", "most_common", "head", "tail"], "n"),
    "fetchmany": "size",
    "repeat": "times",
}
_SOME = 2  # a single one is what a first match or part is


def counts(node: Node, value: object, area: Area) -> bool:
    """Whether a constant is a number of items, there or by the name it is given."""
    if not isinstance(value, int) or isinstance(value, bool) or value < _SOME:
        return False
    if _limit(node):
        return True
    around = node.parent
    name = around.child("left") if around is not None else None
    if around is None or around.kind != "assignment" or name is None:
        return False
    used = (n for n in area.nodes if n.kind == "identifier" and n.text == name.text)
    return any(_limit(one) for one in used)


def _limit(node: Node) -> bool:
    """Whether a call takes this argument as the most that there may be."""
    word = ""
    around = node.parent
    if around is not None and around.kind == "keyword_argument":
        name = around.child("name")
        if name is None or name == node:
            return False
        word, node, around = name.text, around, around.parent
    call = around.parent if around is not None else None
    if around is None or around.kind != "argument_list" or call is None:
        return False
    callee = _last_name(call)
    if word:
        return word in _NAMES or word == _OWN_NAMES.get(callee)
    given = [one.start for one in around.named if one.kind != "comment"]
    place = given.index(node.start) if node.start in given else -1
    return place in _POSITIONS.get(callee, ())


def _last_name(call: Node) -> str:
    function = call.child("function") if call.kind == "call" else None
    return function.text.rpartition(".")[2] if function is not None else ""


def paired(area: Area, old: set[str]) -> Iterator[Node]:
    """The calls of `zip` that end with a constant of several items.

    `old` has the reprs of what the file had; a strict `zip` lets nothing go silently.
    """
    for call in area.new("call"):
        given = call.child("arguments")
        if _last_name(call) != "zip" or given is None:
            continue
        items = [
            n for n in given.named if n.kind not in {"comment", "keyword_argument"}
        ]
        values = [fold(one, area.names) for one in items]
        strict = any(n.text.endswith("True") for n in given.named if n not in items)
        new = any(_several(value) and repr(value) not in old for value in values)
        if new and not strict and not all(map(known, values)):
            yield call


def _several(value: object) -> bool:
    kinds = (str, bytes, list, tuple, set, frozenset, dict, range)
    return isinstance(value, kinds) and len(value) >= _SOME
