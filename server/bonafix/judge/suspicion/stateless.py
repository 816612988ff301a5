"""A product function in, whether nothing says that it keeps a state out; pure.

Two tests that make the same call contradict each other only where the call does not
depend on what went before. So whatever might be a state is taken for one: a wrong yes
would accuse an honest test, a wrong no costs a hint.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from bonafix.judge.reading.folding import fold, known
from bonafix.judge.suspicion.imported import Code, Definition, defined, imports
from bonafix.syntax import Module, Node, scope_of, walk

_REACH = 40  # functions and classes that are read
_DECORATORS = frozenset(
    {
        *("cache", "lru_cache", "functools.cache", "functools.lru_cache"),
        *("staticmethod", "classmethod", "property", "dataclass"),
        *("dataclasses.dataclass", "total_ordering", "functools.total_ordering"),
        *("overload", "typing.overload", "final", "override"),
    }
)
# Modules whose functions know the time, the machine, or what was drawn before.
_UNSTEADY = frozenset(
    {
        *("random", "time", "os", "sys", "uuid", "secrets", "socket", "threading"),
        *("subprocess", "tempfile", "locale", "contextvars", "shelve", "sqlite3"),
        *("glob", "platform", "getpass", "gc", "weakref", "importlib", "inspect"),
        *("asyncio", "multiprocessing", "signal", "atexit", "pathlib", "shutil"),
    }
)
_CLOCK = frozenset({"now", "today", "utcnow"})
_BUILTINS = frozenset(dir(builtins))
_REACHING_OUT = frozenset(
    {
        *("open", "input", "id", "hash", "globals", "locals", "vars", "exec", "eval"),
        *("setattr", "delattr", "__import__", "next", "compile"),
    }
)
_CHANGING = frozenset(
    {
        *("append", "add", "update", "pop", "popitem", "clear", "setdefault", "send"),
        *("extend", "insert", "remove", "discard", "appendleft", "popleft", "sort"),
        *("reverse", "push", "put", "write", "register", "__setitem__", "__next__"),
    }
)
_SCOPES = frozenset(
    {
        *("function_definition", "class_definition", "lambda", "list_comprehension"),
        *("set_comprehension", "dictionary_comprehension", "generator_expression"),
    }
)
_MUTABLE = frozenset({"list", "dictionary", "set", "call", "list_comprehension"})


def stateless(start: Definition, code: Code) -> bool:
    """Whether `start` and all that it is seen to use keep nothing between calls."""
    queue, seen = [start], {(start.path, start.name)}
    while queue:
        one = queue.pop()
        module = code.module(one.path)
        if module is None or len(seen) > _REACH:
            return False
        for used in _used(one, module, code):
            if used is None:
                return False
            if (used.path, used.name) not in seen:
                seen.add((used.path, used.name))
                queue.append(used)
    return True


def _used(one: Definition, module: Module, code: Code) -> Iterator[Definition | None]:
    """The product's own that a statement uses; `None` for whatever may be a state."""
    if not _plain(one.node):
        yield None
    outer = set(_outer_names(one.node))
    if _changes(one.node, outer):
        yield None
    bound = imports(module, one.module, package=one.path.endswith("__init__.py"))
    for name in sorted(outer):
        if found := defined(code, one.path, name):
            yield found
        elif name in bound:
            yield from _imported(bound[name].module, one.node)
        elif name in _BUILTINS:
            if name in _REACHING_OUT:
                yield None
        elif not _constant(name, module):
            yield None


def _imported(module: str, node: Node) -> Iterator[None]:
    top = module.partition(".")[0]
    attributes = {n.text for n in walk(node) if n.kind == "identifier"}
    if top in _UNSTEADY or (top == "datetime" and attributes & _CLOCK):
        yield None


def _plain(node: Node) -> bool:
    """Whether decorators, defaults and class attributes hold nothing."""
    for inner in walk(node):
        if inner.kind in {"global_statement", "nonlocal_statement"}:
            return False
        if inner.kind in {"default_parameter", "typed_default_parameter"}:
            value = inner.child("value")
            if value is not None and value.kind in _MUTABLE:
                return False
    return all(_known_decorator(d) for d in _decorators(node)) and _plain_class(node)


def _decorators(node: Node) -> Iterator[Node]:
    around = node.parent
    if around is not None and around.kind == "decorated_definition":
        yield from (n for n in around.named if n.kind == "decorator")
    yield from (n for n in walk(node) if n.kind == "decorator")


def _known_decorator(node: Node) -> bool:
    return node.text.lstrip("@").partition("(")[0].strip() in _DECORATORS


def _plain_class(node: Node) -> bool:
    body = node.child("body")
    if node.kind != "class_definition" or body is None:
        return True
    for statement in body.named:
        inner = statement.named[0] if statement.named else statement
        value = inner.child("right") if inner.kind == "assignment" else None
        # `field(default_factory=list)` makes a new one for each object.
        if value is not None and value.kind in _MUTABLE - {"call"}:
            return False
    return True


def _outer_names(node: Node) -> Iterator[str]:
    """The names in a definition that are bound outside of it."""
    known_here: dict[tuple[int, bool], frozenset[str]] = {}
    for inner in walk(node):
        if inner.kind != "identifier" or _labels(inner):
            continue
        place = _scope(inner)
        if place not in known_here:
            scope = scope_of(inner)
            names = (*scope.parameters, *scope.local, *scope.enclosing)
            known_here[place] = frozenset(names)
        if inner.text not in known_here[place] and inner.start != _name_start(node):
            yield inner.text


def _scope(node: Node) -> tuple[int, bool]:
    """What all names of one scope share: where it starts, and whether it is its body.

    Defaults and decorators belong outside.
    """
    for around in node.ancestors():
        if around.kind in _SCOPES:
            body = around.child("body")
            return around.start, body is not None and body.start <= node.start
    return -1, True


def _labels(node: Node) -> bool:
    """Whether an identifier but names an attribute, a keyword or a parameter."""
    around = node.parent
    if around is None:
        return False
    if around.kind == "attribute":
        last = around.child("attribute")
        return last is not None and last.start == node.start
    name = around.child("name")
    named = name is not None and name.start == node.start
    if around.kind in {"keyword_argument", "default_parameter"}:
        return named
    return around.kind in {"parameters", "typed_parameter", "lambda_parameters"} or (
        named and around.kind in {"typed_default_parameter", "function_definition"}
    )


def _name_start(node: Node) -> int:
    name = node.child("name")
    return name.start if name is not None else -1


def _changes(node: Node, outer: set[str]) -> bool:
    """Whether it assigns into an outer name, or calls a method that changes it."""
    return any(_root(target) in outer for target in _changed(node))


def _changed(node: Node) -> Iterator[Node]:
    """The objects that are changed in place somewhere in a node."""
    for inner in walk(node):
        if inner.kind in {"assignment", "augmented_assignment"}:
            left = inner.child("left")
            if left is not None and left.kind in {"attribute", "subscript"}:
                yield left
        elif inner.kind == "delete_statement":
            yield from (n for n in inner.named if n.kind != "identifier")
        elif inner.kind == "call":
            callee = inner.child("function")
            method = callee.child("attribute") if callee is not None else None
            if callee is not None and method is not None and method.text in _CHANGING:
                yield callee


def _root(node: Node) -> str:
    while node.kind in {"attribute", "subscript", "call"}:
        inner = node.child("object") or node.child("value") or node.child("function")
        if inner is None:
            return ""
        node = inner
    return node.text if node.kind == "identifier" else ""


def _constant(name: str, module: Module) -> bool:
    """Whether a name is bound once at the top, meant as a constant, never changed."""
    values = [
        statement.named[0].child("right")
        for statement in module.root.named
        if statement.kind == "expression_statement" and _binds(statement, name)
    ]
    if len(values) != 1 or values[0] is None:
        return False
    changed = any(_root(target) == name for target in _changed(module.root))
    meant = name.strip("_").isupper() or _fixed(values[0])
    return meant and not changed


def _binds(statement: Node, name: str) -> bool:
    inner = statement.named[0] if statement.named else statement
    left = inner.child("left") if inner.kind == "assignment" else None
    return left is not None and left.text == name


def _fixed(value: Node) -> bool:
    """Whether a lower-case name at the top still is no variable."""
    if value.kind == "call":
        callee = value.child("function")
        return callee is not None and callee.text in {"re.compile", "frozenset"}
    folded = fold(value)
    return known(folded) and isinstance(folded, str | bytes | tuple | frozenset)
