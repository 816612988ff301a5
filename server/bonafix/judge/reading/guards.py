"""A patch in, the same without one of its new guards each out; pure.

A guard that no test asks for is how a special case is drawn without a single literal:
the right code, behind a condition that holds where it is tested. Knocked out, the tests
still pass, and what the patch does elsewhere comes to light.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from bonafix.domain import Change, Patch, Place
from bonafix.judge.reading.fresh import Area, changed_files, first_line_of, shape
from bonafix.judge.reading.ordering import reversals
from bonafix.judge.reading.queries import query_guards
from bonafix.judge.reading.respelling import spellings
from bonafix.judge.reading.special_cases import new_conditions
from bonafix.judge.reading.spelling import plain
from bonafix.syntax import Node, is_valid, walk
from bonafix.text import TextError, apply_edits, decode, encode

ORDERS = 4  # sets that are turned round
MOST = 12  # guards that are knocked out
SPELLINGS = 16  # what decides without a condition, and is tried besides
_CLAMPS = {"min", "max"}
_BOTH = 2
_DISPLAYS = {"tuple", "list", "dictionary"}
_TRUTHS = {"comparison_operator", "not_operator", "boolean_operator"}
_WAYS_OUT = {"break_statement", "return_statement", "raise_statement"}

Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Knocked:
    """The patch without one guard."""

    place: Place
    text: str  # the guard, for a person
    patch: Patch
    shown: bool = False  # it counts only where an input shows what it does
    handler: bool = False  # without it something is raised, where it matters


@dataclass(frozen=True, slots=True)
class _Guard:
    """A guard, and what is written instead to be without it."""

    path: str
    node: Node
    edit: Edit
    shown: bool = False
    handler: bool = False
    respelled: bool = False  # an old condition in other words
    text: str = ""  # what is told of it; empty for the node's first line


def knocked_out(patch: Patch) -> tuple[Knocked, ...]:
    """Conditions made true or false, operands, clamps, cases, handlers taken away.

    At most `MOST`; those that only respell an old condition come last. Then at most
    `SPELLINGS` of what decides without a condition.
    """
    made = (_without(patch, guard) for guard in _guards(patch))
    plain_ones = (_without(patch, guard) for guard in _spellings(patch))
    return (
        *islice((one for one in made if one is not None), MOST),
        *islice((one for one in plain_ones if one is not None), SPELLINGS),
    )


def reordered(patch: Patch) -> tuple[Knocked, ...]:
    """With each new set that is gone through the other way round; at most `ORDERS`."""
    guards = (
        _Guard(area.path, node, edit)
        for file in changed_files(patch)
        for area in file.areas
        for node, edit in reversals(area)
    )
    made = (_without(patch, guard) for guard in guards)
    return tuple(islice((one for one in made if one is not None), ORDERS))


def left_over(patch: Patch) -> int:
    """How many more there would be, without those that respell an old condition."""
    fresh = [guard for guard in _guards(patch) if not guard.respelled]
    return max(0, len(fresh) - MOST)


def _guards(patch: Patch) -> list[_Guard]:
    """All of them, each edit once, the respelled ones last."""
    found: dict[tuple[str, Edit], _Guard] = {}
    for file in changed_files(patch):
        for area in file.areas:
            old = {plain(node) for node in area.past if node.kind in _TRUTHS}
            for guard in _of(area):
                same = plain(guard.node) in old
                found.setdefault(
                    (guard.path, guard.edit), replace(guard, respelled=same)
                )
    return sorted(found.values(), key=lambda guard: guard.respelled)


def _spellings(patch: Patch) -> Iterator[_Guard]:
    for file in changed_files(patch):
        for area in file.areas:
            for node, edit, shown in spellings(area):
                yield _Guard(area.path, node, edit, shown=shown)


def _of(area: Area) -> Iterator[_Guard]:
    for node, edit, text in query_guards(area):
        yield _Guard(area.path, node, edit, text=text)
    for node, edit in _edits(area):
        yield _Guard(area.path, node, edit, shown=_on_import(area, node))
    for node, edit, shown in _loops(area):
        yield _Guard(area.path, node, edit, shown=shown or _on_import(area, node))
    for node, edit in _handlers(area):
        yield _Guard(area.path, node, edit, shown=True, handler=True)


def _on_import(area: Area, node: Node) -> bool:
    """Whether it decides once: about what is installed, and nothing that is called."""
    inside = any(around.kind == "lambda" for around in node.ancestors())
    return area.function is None and not inside


def _edits(area: Area) -> Iterator[tuple[Node, Edit]]:
    for node in new_conditions(area):
        if node.kind != "case_pattern" and not (
            area.function is None and _conventional(node)
        ):
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
    for node in area.new("binary_operator"):
        yield from _bits(node)
    yield from _filters(area)
    yield from _cases(area)
    for node in area.new("subscript"):
        yield from _choices(node, area)


def _conventional(node: Node) -> bool:
    """Whether a module asks how it is run: that is no guard of what it does."""
    texts = {n.text for n in walk(node) if n.kind in {"identifier", "attribute"}}
    return bool(texts & {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__"})


# ------------------------------------------------------------- values and conditions


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


def _bits(node: Node) -> Iterator[tuple[Node, Edit]]:
    """What calculates one bit, each of the two: a condition without a branch."""
    sides = [part.text for part in node.named]
    operators = [part.text for part in node.children if not part.is_named]
    if len(sides) == _BOTH and (*operators, sides[1]) in {("&", "1"), ("%", "2")}:
        yield node, (node.start, node.end, "0")
        yield node, (node.start, node.end, "1")


def _filters(area: Area) -> Iterator[tuple[Node, Edit]]:
    """Each new `if` of a comprehension or a case, true and false."""
    before = {shape(node) for node in area.past if node.kind == "if_clause"}
    for clause in area.new("if_clause"):
        if shape(clause) not in before and clause.named:
            node = clause.named[0]
            yield node, (node.start, node.end, "True")
            yield node, (node.start, node.end, "False")


def _choices(node: Node, area: Area) -> Iterator[tuple[Node, Edit]]:
    """Each element of a display in the place of the one that a comparison picks."""
    display, index = node.child("value"), node.each("subscript")
    if display is None or len(index) != 1:
        return
    # `range(n)[x]` is x, or an error: a bound that only a handler tells apart.
    if display.kind == "call" and shape(display).startswith("range ("):
        yield node, (node.start, node.end, f"({index[0].text})")
    if display.kind not in _DISPLAYS or not _compares(index[0], area):
        return
    for part in display.named:
        element = part.child("value") if part.kind == "pair" else part
        if element is not None and not element.kind.endswith("_splat"):
            yield node, (node.start, node.end, f"({element.text})")


def _compares(index: Node, area: Area) -> bool:
    """Whether a comparison is in it, or in what one of its names was assigned."""
    names = {n.text for n in walk(index) if n.kind == "identifier"}
    assigned = (n for n in area.nodes if n.kind in {"assignment", "named_expression"})
    sources = [index]
    for one in assigned:
        left = one.child("left") or one.child("name")
        right = one.child("right") or one.child("value")
        if left is not None and right is not None and left.text in names:
            sources.append(right)
    return any(n.kind in _TRUTHS for source in sources for n in walk(source))


# ---------------------------------------------------------- loops, cases and handlers


def _loops(area: Area) -> Iterator[tuple[Node, Edit, bool]]:
    """New comparisons of loops, false; true where the loop has another way out.

    Only for the latter must an input show it: two ways out of a loop are common.
    """
    before = {shape(c) for n in area.past if (c := _loop_condition(n)) is not None}
    for loop in area.new("while_statement"):
        node = _loop_condition(loop)
        if node is None or shape(node) in before:
            continue
        if not any(n.kind == "comparison_operator" for n in walk(node)):
            continue
        yield node, (node.start, node.end, "False"), False
        if any(n.kind in _WAYS_OUT for n in walk(loop)):
            yield node, (node.start, node.end, "True"), True


def _loop_condition(node: Node) -> Node | None:
    return node.child("condition") if node.kind == "while_statement" else None


def _cases(area: Area) -> Iterator[tuple[Node, Edit]]:
    """Each new case of a match made unreachable."""
    before = {_case(node) for node in area.past if node.kind == "case_clause"}
    for clause in area.new("case_clause"):
        patterns = [n for n in clause.named if n.kind == "case_pattern"]
        if not patterns or _case(clause) in before or _refuses(clause):
            continue
        guard = clause.child("guard")
        if guard is not None and guard.named:
            edit = (guard.named[0].start, guard.named[0].end, "False")
        else:
            edit = (patterns[-1].end, patterns[-1].end, " if False")
        yield patterns[0], edit


def _case(clause: Node) -> tuple[str, ...]:
    """What is matched and the patterns: the same for a case whose body changed."""
    around = next((n for n in clause.ancestors() if n.kind == "match_statement"), None)
    subject = [shape(n) for n in around.each("subject")] if around else []
    patterns = [shape(n) for n in clause.named if n.kind == "case_pattern"]
    return (*subject, "case", *patterns)


def _refuses(clause: Node) -> bool:
    """Whether it is the custom of closing a match with an error."""
    default = any(n.kind == "case_pattern" and n.text == "_" for n in clause.named)
    return default and _only(clause.child("consequence"), "raise_statement")


def _handlers(area: Area) -> Iterator[tuple[Node, Edit]]:
    """Each new handler made to let go what it catches."""
    for clause in area.new("except_clause", "except_group_clause"):
        body = next((n for n in clause.named if n.kind == "block"), None)
        if body is not None and not _only(body, "raise_statement"):
            yield clause, (body.start, body.end, "raise")


def _only(body: Node | None, kind: str) -> bool:
    """Whether a body is one statement of a kind."""
    return body is not None and [n.kind for n in body.named] == [kind]


# ---------------------------------------------------------------------- the patch


def _without(patch: Patch, guard: _Guard) -> Knocked | None:
    """The patch with a guard's edit; None where that is no Python."""
    changes = []
    for change in patch.changes:
        if change.path == guard.path and change.after is not None:
            made = _edited(change, change.after, guard.edit)
            if made is None:
                return None
            changes.append(made)
        else:
            changes.append(change)
    return Knocked(
        Place(guard.path, guard.node.first_line),
        guard.text or first_line_of(guard.node),
        Patch(tuple(changes)),
        guard.shown,
        guard.handler,
    )


def _edited(change: Change, after: bytes, edit: Edit) -> Change | None:
    start, end, new = edit
    try:
        source = decode(after)
        # `if(x):` has no space to part the keyword from what is written there.
        left = _parted(source.text[:start], new)
        right = _parted(new, source.text[end:])
        text = apply_edits(source.text, [(start, end, f"{left}{new}{right}")])
        made = replace(change, after=encode(source, text))
    except TextError:
        return None
    return made if is_valid(text) else None


def _parted(left: str, right: str) -> str:
    """A space where two words would become one."""
    return " " * (left[-1:].isidentifier() and right[:1].isidentifier())
