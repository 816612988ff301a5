"""An asserted condition in, the changes that make it false out; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bonafix.judge.altering.values import Wrong, changed, is_approx
from bonafix.judge.reading.folding import fold, known
from bonafix.syntax import Function, Node, scope_of, walk

_RAISES = re.compile(r"(^|\.)(raises|assertRaises(Regex)?)$")
_WARNS = re.compile(r"(^|\.)(warns|assertWarns(Regex)?)$")
# What escapes from a block must be reported as the test's failure, so nothing that
# ends the session; and nobody derives an exception of his own from these.
_UNRELATED = ("GeneratorExit", "StopAsyncIteration")
_ENDS_SESSION = re.compile(r"KeyboardInterrupt|\bExit\b|\bexit\b")

_EQUAL = re.compile(
    r"assert(Equals?|(List|Tuple|Dict|Set|MultiLine|Sequence|Count)Equal)$"
)
_OPPOSITE = {
    "assertTrue": "assertFalse",
    "assertIs": "assertIsNot",
    "assertIn": "assertNotIn",
    "assertIsNone": "assertIsNotNone",
    "assertIsInstance": "assertNotIsInstance",
    "assertRegex": "assertNotRegex",
    "assertAlmostEqual": "assertNotAlmostEqual",
    "assertEqual": "assertNotEqual",
    "assertLess": "assertGreaterEqual",
    "assertGreater": "assertLessEqual",
}
_OPPOSITES = {**_OPPOSITE, **{new: old for old, new in _OPPOSITE.items()}}
_SPLATS = {"list_splat", "dictionary_splat"}


@dataclass(frozen=True, slots=True)
class Change:
    """Replace the node by `new`; what kind of change that is."""

    kind: Literal["value", "exception", "negated"]
    node: Node
    new: str


def asserted(
    node: Node, function: Function, wrong: Wrong, *, negate: bool = True
) -> Iterator[Change]:
    """The ways to make the condition `node` false, the most telling first."""
    if node.kind == "parenthesized_expression" and len(node.named) == 1:
        yield from asserted(node.named[0], function, wrong, negate=negate)
        return
    found = list(_by_value(node, function, wrong))
    yield from found
    if not found and negate and not known(fold(node)):
        yield Change("negated", node, f"not ({node.text})")


def _by_value(node: Node, function: Function, wrong: Wrong) -> Iterator[Change]:
    if node.kind == "boolean_operator" and _sign(node) == "and":
        for part in node.named:
            yield from asserted(part, function, wrong, negate=False)
    elif node.kind == "comparison_operator" and len(node.named) == 2:  # noqa: PLR2004  # not a chain
        left, right = node.named
        sign = _sign(node)
        if sign == "==":
            yield from pair(left, right, function, wrong)
        elif sign == "is" and right.kind in {"true", "false"}:
            new = "False" if right.kind == "true" else "True"
            yield Change("value", right, new)


def _sign(node: Node) -> str:
    """The operator's token; of two words ("is not") both."""
    return " ".join(c.text for c in node.children if not c.is_named)


def pair(
    left: Node, right: Node, function: Function, wrong: Wrong, *, far: bool = False
) -> Iterator[Change]:
    """The ways to make two equal sides unequal, the expected side first."""
    sides = sorted([right, left], key=lambda side: _own_work(side, function))
    first, second = (_own_work(side, function) for side in sides)
    if second == _CONSTANT:
        return
    # Where it cannot be told which of them the code under test makes: both in turn.
    for side in sides if first and first == second else sides[:1]:
        other = sides[1 - sides.index(side)]
        if edit := _change(side, other, wrong, far=far):
            yield Change("value", *edit)


def _change(
    side: Node, other: Node, wrong: Wrong, *, far: bool
) -> tuple[Node, str] | None:
    if any(n.text == "ANY" for n in walk(other) if n.kind == "identifier"):
        return None
    if is_approx(other):
        given = other.child("arguments")
        if given is None or len(given.named) != 1:
            return None
        far = True
    return changed(side, wrong, far=far)


_CONSTANT = 0
_NAMED = 1
_MADE = 2


def _own_work(side: Node, function: Function) -> int:
    """How far a side is from what the test's author wrote down himself."""
    given = side.child("arguments") if is_approx(side) else None
    if given is not None and given.named:
        return _own_work(given.named[0], function)
    if known(fold(side)):
        return _CONSTANT
    every = list(walk(side))
    calls = any(n.kind in {"call", "await"} for n in every)
    if not calls and side.kind in {"list", "tuple", "dictionary", "set"}:
        return _NAMED
    return _MADE if calls or _from_call(side, function) else _NAMED


def _from_call(side: Node, function: Function) -> bool:
    """Whether a name in it was bound by the test to what a call returned."""
    scope = scope_of(function.node.child("body") or function.node)
    used = {n.text for n in walk(side) if n.kind == "identifier"}
    return any(name in used for name in scope.local)


# ------------------------------------------------------------ calls that assert


def method_call(call: Node, function: Function, wrong: Wrong) -> Iterator[Change]:
    """The ways to make `self.assertSomething(...)` fail."""
    callee = call.child("function") if call.kind == "call" else None
    given = call.child("arguments") if callee is not None else None
    name = callee.child("attribute") if callee is not None else None
    if given is None or name is None or given.kind != "argument_list":
        return
    plain = [a for a in given.named if a.kind not in {"keyword_argument", *_SPLATS}]
    found = list(_arguments(name.text, plain, given.named, function, wrong))
    yield from found
    if not found and name.text in _OPPOSITES and plain:
        yield Change("negated", name, _OPPOSITES[name.text])


def _arguments(
    name: str, plain: list[Node], every: list[Node], function: Function, wrong: Wrong
) -> Iterator[Change]:
    if _EQUAL.match(name) and len(plain) > 1:
        yield from pair(plain[0], plain[1], function, wrong)
    elif name == "assertAlmostEqual" and len(plain) == len(every) == 2:  # noqa: PLR2004  # no tolerance given
        yield from pair(plain[0], plain[1], function, wrong, far=True)
    elif name == "assertTrue" and plain:
        yield from asserted(plain[0], function, wrong, negate=False)


def expected_exceptions(statement: Node) -> Iterator[Change]:
    """The exceptions and warnings that a statement expects, exchanged."""
    body = statement.child("body")
    end = body.start if body is not None else statement.end
    for node in walk(statement):
        if node.start >= end:
            return
        if node.kind != "call":
            continue
        callee = node.child("function")
        if callee is None:
            continue
        if _RAISES.search(callee.text):
            yield from _exchanged(node, _unrelated(node))
        elif _WARNS.search(callee.text):
            yield from _exchanged(node, "BytesWarning")


def _unrelated(call: Node) -> str:
    return next((n for n in _UNRELATED if n not in call.text), "")


def _exchanged(call: Node, new: str) -> Iterator[Change]:
    given = call.child("arguments")
    if given is None or given.kind != "argument_list" or not given.named:
        return
    first = given.named[0]
    if first.kind == "keyword_argument":
        name, value = first.child("name"), first.child("value")
        if name is None or value is None or not name.text.startswith("expected_"):
            return
        first = value
    if first.kind in _SPLATS or not new or new in first.text:
        return
    if not _ENDS_SESSION.search(first.text):
        yield Change("exception", first, new)
