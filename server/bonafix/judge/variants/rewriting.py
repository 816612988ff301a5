"""A test and other literals in, a file with such variants of the test out; pure.

A variant is the test's own text with other literals, under a name next to its own.
Its assertions do not decide (see `noting`), and of a table it keeps one row.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonafix.domain import TestResult
from bonafix.judge.altering.flips import test_function
from bonafix.judge.calls.preconditions import Point
from bonafix.judge.hiding.rows import Chosen, chosen, decorators, tables
from bonafix.judge.variants.arranging import Slot, slots
from bonafix.judge.variants.company import Extra
from bonafix.judge.variants.noting import NAME, Edit, entry, notes_of, preamble
from bonafix.judge.variants.writing import written
from bonafix.syntax import Function, Module, Node, functions, is_valid
from bonafix.text import apply_edits

_OTHERWISE = re.compile(r"xfail|expectedFailure|\bskip|\bgiven\b|hypothesis|repeat")
_AGAIN = re.compile(r"flaky|rerun|benchmark|mark\.order|dependency")
_OPERATORS = {"binary_operator", "unary_operator", "attribute", "subscript", "await"}
_BRIEF, _AROUND = 40, 8  # characters of a literal that are shown
_OTHERS = 60  # further rows of a table that are read


@dataclass(frozen=True, slots=True)
class Subject:
    """One target with what can be varied in it."""

    target: TestResult
    path: str
    function: Function
    slots: tuple[Slot, ...]
    rows: tuple[Chosen, ...] = ()
    tested: tuple[Point, ...] = ()  # its own literals, then those of other rows

    @property
    def point(self) -> Point:
        """The literals as they are."""
        return tuple(slot.value for slot in self.slots)


@dataclass(frozen=True, slots=True)
class Variant:
    """One target with other literals, and what it is called."""

    subject: Subject
    point: Point
    name: str
    more: Extra | None = None

    @property
    def id(self) -> str:
        """Its node id."""
        head, sign, bracket = self.subject.target.id.partition("[")
        if self.subject.rows:
            bracket = "-".join("0" for _ in self.subject.rows) + "]"
        return f"{head.rpartition('::')[0]}::{self.name}{sign}{bracket}"

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """What is different: what it is called, and `1000 -> 999`."""
        if self.more is not None:
            return (("with", self.more.label),)
        pairs = zip(self.subject.slots, self.point, strict=True)
        return tuple(
            (slot.label, _change(written(slot.value), written(value)))
            for slot, value in pairs
            if value != slot.value
        )


def _change(old: str, new: str) -> str:
    """`old -> new`; of long texts what lies around the first difference."""
    alike = len(_common(old, new))
    start = max(alike - _AROUND, 0) if max(len(old), len(new)) > _BRIEF else 0
    lead = "…" if start else ""
    return " -> ".join(lead + _brief(text[start:]) for text in (old, new))


def _common(one: str, two: str) -> str:
    pairs = zip(one, two, strict=False)
    return "".join(a for a, _ in itertools.takewhile(lambda p: p[0] == p[1], pairs))


def _brief(text: str, width: int = _BRIEF) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def subject(module: Module, path: str, target: TestResult) -> Subject | str:
    """What can be varied in a target; or why nothing can."""
    function = test_function(module, target)
    if function is None or target.style in {"doctest", "other"}:
        return "its function cannot be told"
    head = " ".join(node.text for node in decorators(function))
    if _OTHERWISE.search(head):
        return "it is not run like other tests"
    own, _, bracket = target.id.partition("[")
    read = tables(function) if bracket else []
    rows = (chosen(read, bracket.removesuffix("]")) if read else ()) or ()
    found = slots(function, _given(rows))
    if not found:
        return f"{own.rpartition('::')[2]} arranges no literals"
    mine = tuple(slot.value for slot in found)
    others = _others(function, rows, found)
    return Subject(target, path, function, tuple(found), rows, (mine, *others))


def _given(rows: Sequence[Chosen]) -> list[tuple[str, Node]]:
    return [pair for one in rows for pair in zip(one.table.names, one.row, strict=True)]


def _others(
    function: Function, rows: Sequence[Chosen], found: Sequence[Slot]
) -> Iterator[Point]:
    """The same literals in the other rows of the table."""
    if len(rows) != 1:
        return
    table, labels = rows[0].table, [slot.label for slot in found]
    for number in range(min(len(table.rows), _OTHERS)):
        if number == rows[0].number:
            continue
        there = slots(function, _given([Chosen(table, number)]))
        if [slot.label for slot in there] == labels:
            yield tuple(slot.value for slot in there)


# ------------------------------------------------------------------------- the file


def named(
    subjects: Sequence[Subject], points: Mapping[int, Sequence[Point]]
) -> list[Variant]:
    """Variants of the subjects (by number), with names that are free."""
    found: list[Variant] = []
    taken: dict[str, set[str]] = {}
    for number, one in enumerate(subjects):
        used = taken.setdefault(one.path, _words(one.function.node.module))
        names = (f"{one.function.name}_{n}" for n in itertools.count(1))
        free = (name for name in names if name not in used)
        for point in points.get(number, ()):
            name = next(free)
            used.add(name)
            found.append(Variant(one, point, name))
    return found


def _words(module: Module) -> set[str]:
    return set(re.findall(r"\w+", module.text))


def rewritten(
    module: Module,
    variants: Sequence[Variant],
    *,
    cpu: float = 1.0,
    wall: float = 2.0,
    total: float = 10.0,
) -> str:
    """The file with its variants; other tests stay as they are.

    `cpu` and `wall` bound one variant, `total` all of one test's, in seconds.

    Raises:
        ValueError: the edits do not fit together.
    """
    name = _free(NAME, module)
    start = preamble(name, cpu=cpu, wall=wall, total=total)
    at = entry(module.root)
    edits: list[Edit] = [(at, at, ("\n\n" if at else "") + start + "\n")]
    for function in _helpers(module):
        edits += notes_of(function.node, name)
    for variant in variants:
        end = _line_end(module.text, variant.subject.function.node.end)
        edits.append((end, end, "\n\n" + text_of(variant, name)))
    return apply_edits(module.text, edits)


def fitting(variant: Variant) -> bool:
    """Whether a variant's text is Python."""
    try:
        text = text_of(variant)
    except ValueError:
        return False
    return is_valid("if 1:\n" + text if text[:1].isspace() else text)


def text_of(variant: Variant, name: str = NAME) -> str:
    """One variant's source, decorators and all, indented like the test."""
    function = variant.subject.function
    node, module = function.node, function.node.module
    whole = node.parent if decorators(function) else node
    assert whole is not None
    begin = module.text.rfind("\n", 0, whole.start) + 1
    indent = module.text[begin : whole.start]
    word = node.child("name")
    assert word is not None
    edits = [
        (word.start, word.end, variant.name),
        (node.start, node.start, f"@{name}.kept\n{indent}"),
        *_decorated(variant),
        *notes_of(node, name),
        *_replaced(variant, (node.start, node.end)),
        *_added(variant.more),
    ]
    return indent + _with(module, whole.start, whole.end, edits)


def _with(module: Module, start: int, end: int, edits: Iterable[Edit]) -> str:
    """A part of the text with the edits that lie in it."""
    inner = [(a - start, b - start, new) for a, b, new in edits]
    return apply_edits(module.text[start:end], inner)


def _added(more: Extra | None) -> Iterator[Edit]:
    if more is not None:
        yield more.at, more.at, more.text
        if more.cut is not None:
            yield (*more.cut, "")


def _replaced(variant: Variant, span: tuple[int, int]) -> Iterator[Edit]:
    for slot, value in zip(variant.subject.slots, variant.point, strict=True):
        for node in slot.nodes if value != slot.value else ():
            if span[0] <= node.start and node.end <= span[1]:
                yield node.start, node.end, _safe(written(value), node)


def _safe(text: str, node: Node) -> str:
    """A negative number next to an operator is put into brackets."""
    around = node.parent
    close = around is not None and around.kind in _OPERATORS
    return f"({text})" if close and text.startswith("-") else text


def _decorated(variant: Variant) -> Iterator[Edit]:
    for decorator in decorators(variant.subject.function):
        if _AGAIN.search(decorator.text):
            end = _line_end(decorator.module.text, decorator.end) + 1
            begin = decorator.module.text.rfind("\n", 0, decorator.start) + 1
            indent = decorator.start - begin
            yield decorator.start, end + indent, ""
    for one in variant.subject.rows:
        yield from _one_row(variant, one)


def _one_row(variant: Variant, one: Chosen) -> Iterator[Edit]:
    """The table's rows give way to the chosen one, varied."""
    parts = []
    for node in one.row:
        edits = _replaced(variant, (node.start, node.end))
        parts.append(_with(node.module, node.start, node.end, edits))
    row = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
    values = one.table.values
    given = values.parent
    yield values.start, values.end, f"[{row}]"
    for option in given.named if given is not None else ():
        name, ids = option.child("name"), option.child("value")
        if option.kind != "keyword_argument" or name is None or ids is None:
            continue
        if name.text == "ids":
            yield ids.start, ids.end, '["0"]'
            return
    yield values.end, values.end, ', ids=["0"]'


def _helpers(module: Module) -> Iterator[Function]:
    """The outermost functions that are no tests."""
    for function in functions(module):
        parts = function.qualified.split(".")
        test = any(part.lower().startswith("test") for part in parts[-1:])
        if "<locals>" not in parts and not test:
            yield function


def _free(name: str, module: Module) -> str:
    used = _words(module)
    names = (name + "_" * n for n in itertools.count())
    return next(one for one in names if one not in used)


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found
