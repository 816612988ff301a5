"""A test's source in, what it claims that one call of the product gives out; pure.

Only tests are read whose first act is that call, with constants, and nothing before
or around them could change a state: no fixtures, no set-up, no other decorators.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from bonafix.calls import FunctionRef
from bonafix.domain import Place, TestResult
from bonafix.judge.reading.folding import Names, constant_names, fold, known
from bonafix.judge.suspicion.claims import Claim, claim_of
from bonafix.judge.suspicion.columns import base_of, columns_of
from bonafix.judge.suspicion.imported import (
    Code,
    Imported,
    imported_by,
    imports,
)
from bonafix.syntax import Function, Module, Node, functions, walk

_SET_UP = re.compile(
    r"^(set_?up|tear_?down)(_?(module|class|method|function))?$", re.IGNORECASE
)
_STYLES = {"function", "method", "unittest"}
_BASES = {"TestCase", "unittest.TestCase", "object"}
# What in a conftest reaches tests that did not ask for it.
_UNASKED = re.compile(rb"autouse|def pytest_(runtest|pyfunc|fixture|generate_tests)")
_TOP = {
    *("import_statement", "import_from_statement", "future_import_statement"),
    *("function_definition", "class_definition", "decorated_definition"),
}
_IMMUTABLE = (str, bytes, int, float, complex, tuple, frozenset, type(None))
_PAIR = 2


@dataclass(frozen=True, slots=True)
class _File:
    """What all tests of one file have in common."""

    functions: Mapping[str, tuple[Function, ...]]  # by qualified name
    quiet: bool  # nothing in it, or in a conftest, sets anything up
    bound: Mapping[str, Imported]
    constants: Names


@dataclass(frozen=True, slots=True)
class Tests:
    """The project's test files, each read once."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    code: Code
    _files: dict[str, _File | None] = field(default_factory=dict)

    def file(self, path: str) -> _File | None:
        """What is known of a file; `None` where it cannot be read."""
        if path not in self._files:
            module = self.code.module(path)
            self._files[path] = _file(path, module, self.code) if module else None
        return self._files[path]


def _file(path: str, module: Module, code: Code) -> _File:
    named: dict[str, tuple[Function, ...]] = {}
    for one in functions(module):
        named[one.qualified] = (*named.get(one.qualified, ()), one)
    unasked = any(_UNASKED.search(text) for text in _conftests(path, code))
    quiet = not unasked and all(_quiet(one) for one in module.root.named)
    constants = constant_names(module.root)
    steady = {name: v for name, v in constants.items() if isinstance(v, _IMMUTABLE)}
    return _File(named, quiet, imports(module), steady)


def claims(
    result: TestResult, siblings: Sequence[str], tests: Tests, about: str = ""
) -> list[Claim]:
    """What the test claims of one function, in order, until it does anything else.

    `siblings` are the ids of its function's rows, in the order of collecting. With
    `about` only tests are read in which that name occurs.
    """
    path = file_of(result)
    file = tests.file(path)
    qualified = ".".join(base_of(result.id).split("::")[1:])
    named = file.functions.get(qualified, ()) if file else ()
    if file is None or len(named) != 1 or about not in named[0].node.text:
        return []
    row = columns_of(named[0], result.id, siblings)
    if row is None or not _undisturbed(result, named[0], file):
        return []
    names = {**constant_names(named[0].node, file.constants), **row}
    reading = _Reading(path, tests.code, file.bound, names)
    made = (replace(claim, test=result.id) for claim in reading.of(named[0]))
    return list(_of_one_function(made))


def file_of(result: TestResult) -> str:
    """Where the test is defined."""
    place = result.definition
    return place.path if place else result.id.partition("::")[0]


def _of_one_function(made: Iterator[Claim]) -> Iterator[Claim]:
    first: FunctionRef | None = None
    for claim in made:
        first = first or claim.function
        if claim.function != first:
            return
        yield claim


# --------------------------------------------------------------- what is around it


def _undisturbed(result: TestResult, function: Function, file: _File) -> bool:
    """Whether only its own statements decide what the test does."""
    waits = any(child.kind == "async" for child in function.node.children)
    plain = result.style in _STYLES and not waits and file.quiet
    return plain and all(map(_quiet_class, _classes(function.node)))


def _quiet(statement: Node) -> bool:
    """Whether a statement at the top of a test file does nothing to the tests."""
    inner = statement.child("definition") or statement
    name = inner.child("name")
    if name is not None and (_SET_UP.match(name.text) or name.text == "load_tests"):
        return False
    if statement.kind in _TOP:
        return "autouse" not in statement.text.partition("def ")[0]
    if statement.kind == "if_statement":
        return "__main__" in statement.text.partition("\n")[0]
    held = statement.named[0] if statement.named else statement
    if held.kind == "assignment":
        left, right = held.child("left"), held.child("right")
        plain = left is not None and left.kind == "identifier"
        return plain and left is not None and not _special(left.text, right)
    return held.kind == "string"


def _special(name: str, value: Node | None) -> bool:
    calls = value is not None and any(n.kind == "call" for n in walk(value))
    return calls or name in {"pytestmark", "pytest_plugins"}


def _classes(node: Node) -> Iterator[Node]:
    yield from (n for n in node.ancestors() if n.kind == "class_definition")


def _quiet_class(node: Node) -> bool:
    around, body, bases = node.parent, node.child("body"), node.child("superclasses")
    decorated = around is not None and around.kind == "decorated_definition"
    known_bases = bases is None or all(b.text in _BASES for b in bases.named)
    return (
        not decorated
        and known_bases
        and body is not None
        and all(_quiet(statement) for statement in body.named)
    )


def _conftests(path: str, code: Code) -> Iterator[bytes]:
    for folder in PurePosixPath(path).parents:
        yield code.sources.get(str(folder / "conftest.py"), b"")


# ------------------------------------------------------------------- what it claims


@dataclass(frozen=True, slots=True)
class _Reading:
    """The statements of one test."""

    path: str
    code: Code
    bound: Mapping[str, Imported]
    names: Names

    def of(self, function: Function) -> Iterator[Claim]:
        """The claims, up to the first statement that is none."""
        bound = dict(self.bound)
        body = function.node.child("body")
        held: dict[str, Node] = {}
        for statement in body.named if body is not None else ():
            bound |= imported_by(statement)
            if self._harmless(statement):
                continue
            if not held and (given := _given(statement)):
                held |= given
                continue
            claim = self._claim(statement, held, bound)
            held = {}
            if claim is None:
                return
            yield claim

    def _harmless(self, statement: Node) -> bool:
        if statement.kind in {"import_statement", "import_from_statement"}:
            return True
        inner = statement.named[0] if statement.named else statement
        if inner.kind == "string" and statement.kind == "expression_statement":
            return True
        left, right = inner.child("left"), inner.child("right")
        if inner.kind != "assignment" or left is None or right is None:
            return False
        return left.kind == "identifier" and known(fold(right, self.names))

    def _claim(
        self, statement: Node, held: Mapping[str, Node], bound: Mapping[str, Imported]
    ) -> Claim | None:
        sides = _sides(statement)
        if sides is None or (held and sides.call.text not in held):
            return None  # it claims nothing, or another call came before this one
        call = held.get(sides.call.text, sides.call)
        expected = sides.truth
        if sides.other is not None:
            value = fold(sides.other, self.names)
            if not known(value) or (sides.identity and not _alone(value)):
                return None
            expected = value
        made = claim_of(call, self.code, bound, self.names)
        if made is None:
            return None
        return replace(
            made,
            expected=expected,
            loose=sides.other is None,
            place=Place(self.path, statement.first_line),
            last_line=statement.last_line,
        )


def _alone(value: object) -> bool:
    """Whether it is the only object of its value, so that `is` means `==`."""
    return value is None or isinstance(value, bool)


def _given(statement: Node) -> dict[str, Node]:
    """`name = f(...)`: the call by its name."""
    inner = statement.named[0] if statement.named else statement
    left, right = inner.child("left"), inner.child("right")
    if inner.kind != "assignment" or left is None or right is None:
        return {}
    plain = left.kind == "identifier" and right.kind == "call"
    return {left.text: right} if plain else {}


@dataclass(frozen=True, slots=True)
class _Sides:
    """A call, and what it is compared with; without that its mere truth."""

    call: Node
    other: Node | None = None
    truth: object = None
    identity: bool = False


def _sides(statement: Node) -> _Sides | None:
    if statement.kind == "assert_statement":
        return _asserted(_bare(statement.named[0]))
    call = statement.named[0] if statement.named else statement
    callee, given = call.child("function"), call.child("arguments")
    if call.kind != "call" or callee is None or given is None:
        return None
    plain = [a for a in given.named if a.kind != "keyword_argument"]
    if callee.text == "self.assertEqual" and len(plain) >= _PAIR:
        return _ordered(plain[0], plain[1])
    truth = {"self.assertTrue": True, "self.assertFalse": False}.get(callee.text)
    return _Sides(plain[0], truth=truth) if truth is not None and plain else None


def _bare(node: Node) -> Node:
    while node.kind == "parenthesized_expression" and len(node.named) == 1:
        node = node.named[0]
    return node


def _asserted(node: Node) -> _Sides | None:
    argument = node.child("argument")
    if node.kind == "not_operator" and argument is not None:
        return _Sides(_bare(argument), truth=False)
    if node.kind in {"call", "identifier"}:
        return _Sides(node, truth=True)
    if node.kind != "comparison_operator" or len(node.named) != _PAIR:
        return None
    sign = " ".join(c.text for c in node.children if not c.is_named)
    if sign not in {"==", "is"}:
        return None
    left, right = map(_bare, node.named)
    return replace(_ordered(left, right), identity=sign == "is")


def _ordered(left: Node, right: Node) -> _Sides:
    """The side that may be the call first."""
    swapped = left.kind not in {"call", "identifier"}
    return _Sides(right, left) if swapped else _Sides(left, right)
