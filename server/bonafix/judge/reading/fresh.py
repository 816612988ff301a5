"""A changed module before and after in, what is new in it out; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bonafix.domain import Patch, Verdict
from bonafix.judge.reading.folding import Names, constant_names, fold, known
from bonafix.syntax import Function, Module, Node, functions, parse, scope_of, walk
from bonafix.text import TextError, decode

Grade = Literal["proof", "strong", "weak"]

# A text of these is spoken to people, and decides nothing.
_SPOKEN = {"raise_statement", "assert_statement"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a patch adds and that cheats are made of.

    `structural`: it makes code behave otherwise for few inputs or occasions, which
    the stages that execute neighbours of the tests want to know.
    """

    kind: str
    grade: Grade
    path: str
    line: int
    text: str
    verdict: Verdict | None = None  # what it proves, where it is proof
    test_literal: str = ""
    test_id: str = ""
    structural: bool = True
    hiding: bool = False  # what it looks for cannot be read there


@dataclass(frozen=True)
class Area:
    """An outermost function, or all of a module outside of them, and its past."""

    path: str
    name: str  # qualified; "" is the module's own level
    nodes: tuple[Node, ...]  # with all that is in them, in order of the text
    function: Function | None
    past: tuple[Node, ...]  # of the same function, else of the whole old module
    moved: bool  # there was no such function
    outer: Names  # the module's constants
    helpers: Mapping[str, frozenset[str]]  # new functions, and what each of them calls

    @cached_property
    def names(self) -> Names:
        """The constants that can be called by name here."""
        if self.function is None:
            return self.outer
        return constant_names(self.function.node, self.outer)

    @cached_property
    def variable(self) -> frozenset[str]:
        """The names whose values depend on the input, parameters first of all."""
        if self.function is None:
            return frozenset()
        every = [self.function.node, *self._inner]
        scopes = [scope_of(f.child("body") or f) for f in every]
        bound = {n for s in scopes for n in (*s.parameters, *s.local)}
        return frozenset(bound - set(self.names))

    @property
    def _inner(self) -> Iterator[Node]:
        return (n for n in self.nodes if n.kind in {"function_definition", "lambda"})

    def new(self, *kinds: str) -> list[Node]:
        """The nodes of some kinds that there are more of than before."""
        before = Counter(shape(n) for n in self.past if n.kind in kinds)
        mine = (n for n in self.nodes if n.kind in kinds)
        return [n for n in mine if not _counted_off(before, shape(n))]

    def constants(self) -> list[tuple[Node, object]]:
        """The new constants, folded, each as large as it can be."""
        before = {repr(v) for _, v in folded(self.past, self.names)}
        every = folded(self.nodes, self.names)
        return [(n, v) for n, v in every if repr(v) not in before and not spoken(n)]

    def old_values(self) -> set[str]:
        """The reprs of all constants of the past, folded."""
        return {repr(v) for _, v in folded(self.past, self.outer)}

    def independent(self, node: Node) -> bool:
        """Whether an expression has the same value whatever the input."""
        if known(fold(node, self.names)):
            return True
        used = {n.text for n in walk(node) if n.kind == "identifier"}
        return not used & self.variable and not _calls(node)


def _calls(node: Node) -> bool:
    return any(n.kind in {"call", "await", "yield"} for n in walk(node))


def _counted_off(before: Counter[str], text: str) -> bool:
    if before[text] > 0:
        before[text] -= 1
        return True
    return False


def shape(node: Node) -> str:
    """The node's tokens: the same for two spellings of one thing."""
    if node.kind == "string" or not node.raw.child_count:
        return node.text
    return " ".join(shape(c) for c in node.children if c.kind != "comment")


def first_line_of(node: Node) -> str:
    """The node's first line, for a person, capped."""
    text = node.text.splitlines()[0].strip() if node.text else ""
    return text[:120]


def folded(nodes: Sequence[Node], names: Names) -> Iterator[tuple[Node, object]]:
    """The constants among nodes in text order, outermost first, no part twice."""
    end = -1
    for node in nodes:
        if node.start < end or not node.is_named or _documentation(node):
            continue
        value = fold(node, names) if node.kind != "identifier" else fold(node)
        if known(value):
            end = node.end
            yield node, value


def _documentation(node: Node) -> bool:
    around = node.parent
    return around is not None and around.kind == "expression_statement"


def spoken(node: Node) -> bool:
    """Whether a text is a message to people: raised, asserted, logged or printed."""
    for around in node.ancestors():
        if around.kind in _SPOKEN:
            return True
        function = around.child("function") if around.kind == "call" else None
        if function is not None and _logs(function.text):
            return True
    return False


def _logs(name: str) -> bool:
    owner, _, method = name.rpartition(".")
    told = {"debug", "info", "warning", "error", "exception", "critical", "warn", "log"}
    return name == "print" or (method in told and bool(owner))


@dataclass(frozen=True, slots=True)
class File:
    """One changed Python file of a patch."""

    path: str
    before: Module
    after: Module
    areas: tuple[Area, ...]


def changed_files(patch: Patch) -> list[File]:
    """The Python files that the patch leaves behind, before and after."""
    found = []
    for change in patch.changes:
        if change.after is None or not change.path.endswith(".py"):
            continue
        try:
            after = parse(decode(change.after))
            before = parse(decode(change.before or b""))
        except TextError:
            continue  # the policy stage has refused what cannot be read
        areas = tuple(_areas(change.path, before, after))
        found.append(File(change.path, before, after, areas))
    return found


def _areas(path: str, before: Module, after: Module) -> Iterator[Area]:
    outer = constant_names(after.root)
    old = {f.qualified: f for f in _outermost(before)}
    whole = tuple(walk(before.root))
    helpers = _helpers(after, frozenset(old))
    spans = []
    for function in _outermost(after):
        spans.append((function.node.start, function.node.end))
        was = old.get(function.qualified)
        yield Area(
            path=path,
            name=function.qualified,
            nodes=tuple(walk(function.node)),
            function=function,
            past=tuple(walk(was.node)) if was else whole,
            moved=was is None,
            outer={n: v for n, v in outer.items() if n in _module_names(after)},
            helpers=helpers,
        )
    own = [n for n in walk(after.root) if not _within(n, spans)]
    yield Area(
        path=path,
        name="",
        nodes=tuple(own),
        function=None,
        past=whole,
        moved=False,
        outer=outer,
        helpers=helpers,
    )


def _helpers(module: Module, old: frozenset[str]) -> dict[str, frozenset[str]]:
    fresh = [f for f in _outermost(module) if f.qualified not in old]
    return {f.name: frozenset(called(f.node)) for f in fresh}


def called(node: Node) -> set[str]:
    """The functions that are called in it, by last name."""
    found = set()
    for inner in walk(node):
        if inner.kind == "call" and (callee := inner.child("function")) is not None:
            found.add(callee.text.rpartition(".")[2])
        if inner.kind == "identifier" and _handed(inner):
            found.add(inner.text)
        if inner.kind == "attribute" and inner.text.endswith(".__class__"):
            found.add("__class__")
    return found


def _handed(node: Node) -> bool:
    """Whether `map` or `filter` is to call it."""
    around = node.parent
    call = around.parent if around is not None else None
    callee = call.child("function") if call is not None else None
    return callee is not None and callee.text in {"map", "filter"} and callee != node


def _module_names(module: Module) -> set[str]:
    """The names that are bound at the module's own level by plain assignments."""
    found = set()
    for statement in module.root.named:
        inner = statement.named[0] if statement.named else statement
        left = inner.child("left") if inner.kind == "assignment" else None
        if left is not None and left.kind == "identifier":
            found.add(left.text)
    return found


def _outermost(module: Module) -> list[Function]:
    return [f for f in functions(module) if "<locals>" not in f.qualified]


def _within(node: Node, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= node.start and node.end <= end for start, end in spans)
