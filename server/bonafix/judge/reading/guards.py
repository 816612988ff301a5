"""A patch in, the same without one of its new guards each out; pure.

A guard that no test asks for is how a special case is drawn without a single literal:
the right code, behind a condition that holds where it is tested. Knocked out, the tests
still pass, and what the patch does elsewhere comes to light.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bonafix.domain import Patch, Place
from bonafix.judge.reading.fresh import Area, changed_files, first_line_of, shape
from bonafix.judge.reading.special_cases import new_conditions
from bonafix.syntax import Node, is_valid
from bonafix.text import TextError, apply_edits, decode, encode

MOST = 8  # guards that are knocked out
_CLAMPS = {"min", "max"}
_BOTH = 2

Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Knocked:
    """The patch without one guard."""

    place: Place
    text: str  # the guard, for a person
    patch: Patch


def knocked_out(patch: Patch) -> tuple[Knocked, ...]:
    """Each new condition made true or false, operand dropped, bound taken away."""
    found: dict[tuple[str, str], Knocked] = {}
    for file in changed_files(patch):
        for area in file.areas:
            for node, edit in _edits(area) if area.function else ():
                made = _without(patch, area.path, node, edit)
                if made is not None:
                    found.setdefault((area.path, str(edit)), made)
    return tuple(found.values())[:MOST]


def _edits(area: Area) -> Iterator[tuple[Node, Edit]]:
    for node in new_conditions(area):
        if node.kind != "case_pattern":
            yield node, (node.start, node.end, "False")
            yield node, (node.start, node.end, "True")
    before = {shape(node) for node in area.past}
    for node in area.new("boolean_operator"):
        yield from _operands(node, before)
    for node in area.new("call"):
        yield from _clamps(node)
    for node in area.new("slice"):
        if node.text != ":":
            yield node, (node.start, node.end, ":")


def _operands(node: Node, before: set[str]) -> Iterator[tuple[Node, Edit]]:
    """Each of two operands left out, if it is new."""
    if len(node.named) != _BOTH:
        return
    for dropped, kept in (node.named, node.named[::-1]):
        if shape(dropped) not in before:
            yield node, (node.start, node.end, f"({kept.text})")


def _clamps(node: Node) -> Iterator[tuple[Node, Edit]]:
    """Each of two sides of a clamp in its place."""
    function, given = node.child("function"), node.child("arguments")
    if function is None or given is None or function.text not in _CLAMPS:
        return
    if given.kind == "argument_list" and len(given.named) == _BOTH:
        for side in given.named:
            if side.kind not in {"keyword_argument", "list_splat"}:
                yield node, (node.start, node.end, f"({side.text})")


def _without(patch: Patch, path: str, node: Node, edit: Edit) -> Knocked | None:
    changes = []
    for change in patch.changes:
        if change.path == path and change.after is not None:
            try:
                source = decode(change.after)
                text = apply_edits(source.text, [edit])
                change = replace(change, after=encode(source, text))  # noqa: PLW2901
            except TextError:
                return None
            if not is_valid(text):
                return None
        changes.append(change)
    return Knocked(
        Place(path, node.first_line), first_line_of(node), Patch(tuple(changes))
    )
