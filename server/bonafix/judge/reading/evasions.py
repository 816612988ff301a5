"""New code in, ways to seem right without being it out; pure.

Objects that claim equality, errors that are swallowed, checks that are gone, answers
that depend on how often one asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.judge.reading.folding import fold, known
from bonafix.judge.reading.fresh import Area, File, Finding, Grade, shape
from bonafix.judge.reading.tricks import finding
from bonafix.syntax import Module, Node, walk

_EQUALITY = {"__eq__", "__ne__"}
_PRETENCES = {
    *("__hash__", "__bool__", "__instancecheck__", "__subclasscheck__", "__lt__"),
    *("__le__", "__gt__", "__ge__", "__contains__", "__class__"),
}
_BUILT_IN = {
    *("int", "float", "str", "bytes", "list", "tuple", "dict", "set", "frozenset"),
    *("complex", "bool", "type"),
}
_BROAD = {"Exception", "BaseException"}
_FUNCTION = {"function_definition", "lambda"}


def evasions(file: File) -> Iterator[Finding]:
    """Every evasion of a changed file, with how sure it is one."""
    for area in file.areas:
        yield from _dunders(area)
        yield from _swallowed(area)
        yield from _counters(area)
        if area.function is not None and not area.moved:
            yield from _removed(area, file)


# --------------------------------------------------------------- pretending objects


def _dunders(area: Area) -> Iterator[Finding]:
    for node in area.new("function_definition"):
        name = node.child("name")
        if name is None:
            continue
        if name.text in _EQUALITY | _PRETENCES:
            yield from _pretence(area, node, name.text)
        elif name.text == "__getattr__" and _had(area, "__getattr__") is None:
            constant = any(map(_ignores, _results(node)))
            grade: Grade = "strong" if constant or _returns_function(node) else "weak"
            yield finding(area, node, "catch-all", grade)
    yield from _named_pretences(area)


def _pretence(area: Area, node: Node, name: str) -> Iterator[Finding]:
    results = _results(node)
    agreeable = bool(results) and all(map(_always, results))
    if name in {"__eq__", "__instancecheck__", "__subclasscheck__"} and agreeable:
        yield finding(area, node, "always-equal", "proof")
    elif _had(area, name) is None:
        dressed = _bases(node) & _BUILT_IN and name in _EQUALITY
        yield finding(
            area, node, "comparison", "strong" if dressed else "weak",
            structural=bool(dressed),
        )  # fmt: skip


def _named_pretences(area: Area) -> Iterator[Finding]:
    """`type("R", (int,), {"__eq__": lambda s, o: True})`, `R.__eq__ = ...`."""
    for node in area.new("pair", "assignment", "keyword_argument"):
        key = node.child("key") or node.child("left") or node.child("name")
        value = node.child("value") or node.child("right")
        if key is None or value is None:
            continue
        folded = fold(key)
        name = folded if isinstance(folded, str) else key.text.rpartition(".")[2]
        if name not in {"__eq__", "__instancecheck__"} or node.kind == "pattern":
            continue
        always = value.kind == "lambda" and all(map(_always, _results(value)))
        yield finding(area, node, "always-equal", "proof" if always else "strong")


def _results(function: Node) -> list[Node]:
    """What a function or lambda returns."""
    body = function.child("body")
    if function.kind == "lambda":
        return [body] if body is not None else []
    every = walk(body) if body is not None else iter(())
    return [n.named[0] for n in every if n.kind == "return_statement" and n.named]


def _always(result: Node) -> bool:
    """Whether an expression is true, whatever is compared."""
    value = fold(result)
    if known(value):
        return bool(value)
    if result.kind == "parenthesized_expression" and len(result.named) == 1:
        return _always(result.named[0])
    if result.kind == "boolean_operator" and len(result.named) > 1:
        parts = [_always(part) for part in result.named]
        return any(parts) if " or " in f" {shape(result)} " else all(parts)
    if result.kind == "comparison_operator" and len(result.named) == 2:  # noqa: PLR2004  # not a chain
        left, right = map(shape, result.named)
        signs = {c.text for c in result.children if not c.is_named}
        return left == right and signs <= {"==", "is", "<=", ">="}
    return False


def _ignores(result: Node) -> bool:
    return known(fold(result))


def _returns_function(function: Node) -> bool:
    return any(result.kind == "lambda" for result in _results(function))


def _bases(method: Node) -> set[str]:
    for around in method.ancestors():
        if around.kind == "class_definition":
            bases = around.child("superclasses")
            return {base.text for base in bases.named} if bases is not None else set()
    return set()


def _had(area: Area, name: str) -> Node | None:
    """The definition of that name in the past, if there was one."""
    for node in area.past:
        named = node.child("name") if node.kind == "function_definition" else None
        if named is not None and named.text == name:
            return node
    return None


# ------------------------------------------------------------------ errors and checks


def _swallowed(area: Area) -> Iterator[Finding]:
    """New handlers of everything that go on as if nothing had happened."""
    if (
        any(_broad(n) for n in area.past if n.kind == "except_clause")
        and not area.moved
    ):
        return
    for node in area.new("except_clause"):
        if not _broad(node):
            continue
        inside = list(walk(node))
        if any(n.kind == "raise_statement" for n in inside):
            continue
        grade: Grade = "weak" if any(map(_reports, inside)) else "strong"
        yield finding(area, node, "broad-except", grade)


def _broad(clause: Node) -> bool:
    caught = [c for c in clause.named if c.kind != "block"]
    if not caught:
        return True
    names = {n.text for c in caught for n in walk(c) if n.kind == "identifier"}
    return bool(names & _BROAD)


def _reports(node: Node) -> bool:
    function = node.child("function") if node.kind == "call" else None
    return function is not None and function.text.endswith((".exception", ".error"))


def _removed(area: Area, file: File) -> Iterator[Finding]:
    """Checks that the old function had, and now nothing in the file has."""
    assert area.function is not None
    for kind in ("raise_statement", "assert_statement"):
        before = [n for n in area.past if n.kind == kind]
        after = [n for n in area.nodes if n.kind == kind]
        moved = _count(file.after, kind) >= _count(file.before, kind)
        if len(after) < len(before) and not moved:
            yield finding(area, area.function.node, "check-removed", "strong")
            return
    body = area.function.node.child("body")
    old = next((n for n in area.past if n.kind == "function_definition"), None)
    held = old.child("body") if old is not None else None
    if body is None or held is None:
        return
    if len(_work(held)) > 1 and len(_work(body)) == 1 and _empty(_work(body)[0]):
        yield finding(area, body, "emptied", "strong")


def _count(module: Module, kind: str) -> int:
    return sum(node.kind == kind for node in walk(module.root))


def _work(body: Node) -> list[Node]:
    """The statements of a block without its docstring."""
    return [s for s in body.named if not (s.named and s.named[0].kind == "string")]


def _empty(statement: Node) -> bool:
    if statement.kind == "pass_statement":
        return True
    returned = statement.kind == "return_statement"
    return returned and (not statement.named or known(fold(statement.named[0])))


# ------------------------------------------------------------------------- counters


def _counters(area: Area) -> Iterator[Finding]:
    """State that outlives a call and changes what the next one answers."""
    shared = {
        name.text
        for node in area.nodes
        if node.kind == "global_statement"
        for name in node.named
    }
    old = {n.text for p in area.past if p.kind == "global_statement" for n in p.named}
    own = area.function.name if area.function is not None else ""
    for node in area.new("augmented_assignment", "assignment"):
        left = node.child("left")
        if left is None or area.function is None:
            continue
        if left.kind == "identifier" and left.text in shared - old:
            if _counts(node, left.text):
                yield finding(area, node, "call-counter", "strong")
        elif left.kind == "attribute" and left.named[0].text == own:
            yield finding(area, node, "call-counter", "strong")
    for node in area.new("call"):
        yield from _ticks(area, node)


def _counts(node: Node, name: str) -> bool:
    right = node.child("right")
    if node.kind == "augmented_assignment":
        return True
    return right is not None and any(n.text == name for n in walk(right))


def _ticks(area: Area, call: Node) -> Iterator[Finding]:
    """`next(_calls)` on something that the module made."""
    function, given = call.child("function"), call.child("arguments")
    if function is None or given is None or function.text != "next" or not given.named:
        return
    held = given.named[0]
    if held.kind == "identifier" and area.function is not None:
        local = held.text in area.variable
        if not local and known(area.names.get(held.text, None)):
            yield finding(area, call, "call-counter", "strong")
