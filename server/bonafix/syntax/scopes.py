"""Functions with their qualified names, and the names that a place can see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bonafix.syntax.tree import Module, Node, walk

_DEFINITIONS = {"function_definition", "class_definition"}
_COMPREHENSIONS = {
    *("list_comprehension", "set_comprehension"),
    *("dictionary_comprehension", "generator_expression"),
}
_OPAQUE = _DEFINITIONS | _COMPREHENSIONS | {"lambda"}
_PATTERNS = {"case_pattern", "keyword_pattern", "splat_pattern"}
_TARGETS = {  # node kind -> the field that it binds
    "assignment": "left",
    "augmented_assignment": "left",
    "for_statement": "left",
    "for_in_clause": "left",
    "named_expression": "name",
    "function_definition": "name",
    "class_definition": "name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function or method; the qualified name is Python's `__qualname__`."""

    name: str
    qualified: str
    first_line: int  # of the first decorator, if there is one
    last_line: int
    node: Node  # the function_definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Names that a place can see, each tuple in the order of first binding."""

    parameters: tuple[str, ...] = ()
    local: tuple[str, ...] = ()  # comprehension and lambda variables included
    enclosing: tuple[str, ...] = ()
    module: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, nearest first, each once."""
        every = (*self.local, *self.parameters, *self.enclosing, *self.module)
        return tuple(dict.fromkeys(every))


def functions(module: Module) -> list[Function]:
    """All functions of a module, in the order of the text."""
    found: list[Function] = []
    stack: list[tuple[Node, str]] = [(module.root, "")]
    while stack:
        node, prefix = stack.pop()
        inner = prefix
        if node.kind in _DEFINITIONS:
            name = _field_text(node, "name")
            inner = f"{prefix}{name}."
            if node.kind == "function_definition":
                found.append(_function(node, name, prefix))
                inner += "<locals>."
        stack.extend((child, inner) for child in reversed(node.children))
    return found


def function_at(module: Module, line: int) -> Function | None:
    """The innermost function whose lines, decorators included, contain a line."""
    spans = [f for f in functions(module) if f.first_line <= line <= f.last_line]
    return spans[-1] if spans else None


def names_at_line(module: Module, line: int) -> Scope:
    """The names that a statement on the line can see; built-ins are left out."""
    function = function_at(module, line)
    if function is None:
        return Scope(module=assigned_names(module.root))
    body = function.node.child("body")
    return scope_of(body if body is not None else function.node)


def scope_of(node: Node) -> Scope:
    """The names that a node can see, after Python's scope rules."""
    local: list[str] = []
    parameters: tuple[str, ...] = ()
    enclosing: list[str] = []
    functions_seen = 0
    for around in (node, *node.ancestors()):
        if around.kind in _COMPREHENSIONS and not functions_seen:
            local += _bound(around)
        elif around.kind == "lambda" and not functions_seen:
            local += _parameters(around)
        elif around.kind == "function_definition" and _inside(node, around):
            if functions_seen:
                enclosing += (*_parameters(around), *assigned_names(around))
            else:
                parameters = _parameters(around)
                local += assigned_names(around)
            functions_seen += 1
        elif around.kind == "class_definition" and not functions_seen:
            local += assigned_names(around)
    unbound = [name for name in local if name not in parameters]
    return Scope(
        parameters=parameters,
        local=tuple(dict.fromkeys(unbound)),
        enclosing=tuple(dict.fromkeys(enclosing)),
        module=assigned_names(node.module.root),
    )


def assigned_names(scope: Node) -> tuple[str, ...]:
    """The names that a function, class or module binds itself (no parameters)."""
    body = scope.child("body") or scope
    outer: set[str] = set()
    bound: list[str] = []
    for node in _own(body):
        if node.kind in {"global_statement", "nonlocal_statement"}:
            outer |= {name.text for name in node.named}
        bound += _bindings(node)
    return tuple(dict.fromkeys(name for name in bound if name not in outer))


def _function(node: Node, name: str, prefix: str) -> Function:
    around = node.parent
    decorated = around is not None and around.kind == "decorated_definition"
    return Function(
        name=name,
        qualified=prefix + name,
        first_line=around.first_line if decorated and around else node.first_line,
        last_line=node.last_line,
        node=node,
    )


def _inside(node: Node, function: Node) -> bool:
    """Whether a node lies in the body: defaults and decorators belong outside."""
    body = function.child("body")
    return body is not None and body.start <= node.start and node.end <= body.end


def _own(body: Node) -> Iterator[Node]:
    """The nodes of one scope; of what opens a new one only its head."""
    stack = list(reversed(body.children))
    while stack:
        node = stack.pop()
        yield node
        if node.kind not in _OPAQUE:
            stack.extend(reversed(node.children))


def _bindings(node: Node) -> Iterator[str]:
    """The names that one node binds."""
    field = _TARGETS.get(node.kind)
    target = node.child(field) if field else None
    if target is not None:
        yield from _names(target)
    elif node.kind == "as_pattern_target":
        yield from _names(node)
    elif node.kind in _PATTERNS:
        yield from _captures(node)
    elif node.kind in {"import_statement", "import_from_statement"}:
        yield from _imported(node)


def _names(target: Node) -> Iterator[str]:
    """The identifiers that an assignment to `target` binds."""
    if target.kind == "identifier":
        yield target.text
    elif target.kind not in {"attribute", "subscript", "call"}:
        for child in target.named:
            yield from _names(child)


def _captures(pattern: Node) -> Iterator[str]:
    splat = pattern.kind == "splat_pattern"
    for child in pattern.named:
        capture = child.kind == "dotted_name" and len(child.named) == 1
        if capture or (splat and child.kind == "identifier"):
            yield child.text


def _imported(node: Node) -> Iterator[str]:
    for name in node.each("name"):
        alias = name.child("alias")
        if alias is not None:
            yield alias.text
        elif node.kind == "import_statement":
            yield name.text.split(".")[0]
        else:
            yield name.text


def _bound(comprehension: Node) -> list[str]:
    clauses = [c for c in comprehension.named if c.kind == "for_in_clause"]
    return [name for clause in clauses for name in _bindings(clause)]


def _parameters(function: Node) -> tuple[str, ...]:
    listed = function.child("parameters")
    if listed is None:
        return ()
    return tuple(name for child in listed.named for name in _parameter(child))


def _parameter(node: Node) -> Iterator[str]:
    if node.kind == "identifier":
        yield node.text
        return
    name = node.child("name")
    inner = [name] if name is not None else node.named[:1]
    for child in inner:
        yield from _parameter(child)


def _field_text(node: Node, name: str) -> str:
    child = node.child(name)
    return child.text if child is not None else ""


def identifiers(node: Node) -> Iterator[Node]:
    """The identifier nodes in a node, attributes and keyword names included."""
    return (found for found in walk(node) if found.kind == "identifier")
