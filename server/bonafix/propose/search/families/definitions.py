"""What a definition lacks: a decorator, the base class's part, `global`."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, usage
from bonafix.propose.search.families.guards import after_docstring
from bonafix.propose.search.families.names import called_names
from bonafix.propose.search.template import Example, Rewrite, Template
from bonafix.syntax import Node

_OF_THE_CLASS = {"__new__", "__init_subclass__", "__class_getitem__"}
_PLAIN_BASES = {"object", "ABC", "Enum", "IntEnum", "Protocol", "NamedTuple"}
_PLAIN_BASES |= {"TypedDict", "Generic"}


def _decorated(site: Site) -> Iterator[Rewrite]:
    """`@classmethod` before what takes `cls`, `@property` before what is only read."""
    node, name, listed = site.node, site.node.child("name"), _parameters(site.node)
    if _owner(node) is None or name is None or name.text in _OF_THE_CLASS:
        return
    first = listed[0] if listed else ""
    root = node.module.root
    if first == "cls":
        yield _before(site, "@classmethod")
    elif first != "self" and not first.startswith("*"):
        yield _before(site, "@staticmethod", 0.8)
    elif listed == ["self"] and not name.text.startswith("__"):
        read = name.text in usage(root).attributes.get("self", frozenset())
        called = name.text in called_names(root)
        if not called:
            yield _before(site, "@property", 1.0 if read else 0.3)


def _parameters(function: Node) -> list[str]:
    listed = function.child("parameters")
    return [one.text for one in listed.named] if listed is not None else []


def _owner(function: Node) -> Node | None:
    """The class that a method stands in, undecorated."""
    block = function.parent
    owner = block.parent if block is not None else None
    return owner if owner is not None and owner.kind == "class_definition" else None


def _before(site: Site, text: str, weight: float = 1.0) -> Rewrite:
    at, indent = site.node.start, line_indent(site.node)
    return Rewrite(((at, at, f"{text}{site.newline}{indent}"),), weight)


def _base(site: Site) -> Iterator[Rewrite]:
    """`__init__` of a derived class without the base's: `super().__init__()`."""
    owner, name = _owner(site.node), site.node.child("name")
    body = site.node.child("body")
    if owner is None or name is None or body is None or not body.named:
        return
    bases = owner.child("superclasses")
    listed = [one.text for one in bases.named] if bases is not None else []
    own = [one for one in listed if one.partition("[")[0] not in _PLAIN_BASES]
    if name.text != "__init__" or not own or "__init__(" in body.text:
        return
    first = after_docstring(body)
    text = f"super().__init__(){site.newline}{line_indent(first)}"
    yield Rewrite(((first.start, first.start, text),))


def _declared(site: Site) -> Iterator[Rewrite]:
    """`count += 1` of a name from outside: `global count`, or `nonlocal count`."""
    left, function = site.node.child("left"), site.function
    body = function.child("body") if function is not None else None
    if left is None or left.kind != "identifier" or body is None or not body.named:
        return
    scope, name = site.scope, left.text
    if name in scope.parameters or function is None:
        return
    outside = name in scope.enclosing or name in scope.module
    word = "nonlocal" if name in scope.enclosing else "global"
    if not outside or f"{word} {name}" in function.text:
        return
    first = after_docstring(body)
    text = f"{word} {name}{site.newline}{line_indent(first)}"
    weight = 1.0 if site.node.kind == "augmented_assignment" else 0.3
    yield Rewrite(((first.start, first.start, text),), weight)


TEMPLATES = (
    Template(
        name="decorator-missing",
        source="Python's tutorial (class and static methods); BugsInPy",
        prior=0.15,
        kinds=frozenset({"function_definition"}),
        rewrites=_decorated,
        examples=(
            Example(
                "class C:\n    def f(cls):\n        return cls()\n",
                "class C:\n    @classmethod\n    def f(cls):\n        return cls()\n",
            ),
            Example(
                "class C:\n    def f(self):\n        return 1\n",
                "class C:\n    @property\n    def f(self):\n        return 1\n",
            ),
        ),
        never=(
            Example(
                "class C:\n    def __len__(self):\n        return 1\n",
                "class C:\n    @property\n    def __len__(self):\n        return 1\n",
            ),
            Example(
                "class C:\n    def f(self, a):\n        return a\n",
                "class C:\n    @staticmethod\n    def f(self, a):\n        return a\n",
            ),
        ),
    ),
    Template(
        name="base-not-made",
        source="BugsInPy (a base's `__init__` not called); pylint W0231",
        prior=0.3,
        kinds=frozenset({"function_definition"}),
        rewrites=_base,
        examples=(
            Example(
                "class C(B):\n    def __init__(self):\n        self.a = 1\n",
                "class C(B):\n    def __init__(self):\n        super().__init__()\n"
                "        self.a = 1\n",
            ),
        ),
        never=(
            Example(
                "class C:\n    def __init__(self):\n        self.a = 1\n",
                "class C:\n    def __init__(self):\n        super().__init__()\n"
                "        self.a = 1\n",
            ),
        ),
    ),
    Template(
        name="scope-undeclared",
        source="Python's FAQ (UnboundLocalError); the interpreter's own hint",
        prior=0.3,
        kinds=frozenset({"augmented_assignment", "assignment"}),
        rewrites=_declared,
        examples=(
            Example(
                "n = 0\n\n\ndef f():\n    n += 1\n",
                "n = 0\n\n\ndef f():\n    global n\n    n += 1\n",
            ),
            Example(
                "def f():\n    n = 0\n\n    def g():\n        n += 1\n\n    return g\n",
                "def f():\n    n = 0\n\n    def g():\n        nonlocal n\n"
                "        n += 1\n\n    return g\n",
            ),
        ),
        never=(
            Example(
                "n = 0\n\n\ndef f(n):\n    n += 1\n",
                "n = 0\n\n\ndef f(n):\n    global n\n    n += 1\n",
            ),
        ),
    ),
)
