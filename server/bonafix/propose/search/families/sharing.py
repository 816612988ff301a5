"""What all share though each should have its own: class attributes, rows, names."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, operator
from bonafix.propose.search.families.guards import after_docstring
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_MUTABLE = {"list", "dictionary", "set", "list_comprehension"}
_MAKERS = {"list()", "dict()", "set()"}


def _rows(site: Site) -> Iterator[Rewrite]:
    """`[[0] * n] * m` to `[[0] * n for _ in range(m)]`."""
    left, right = site.node.child("left"), site.node.child("right")
    if operator(site.node) != "*" or left is None or right is None:
        return
    if left.kind == "list" and len(left.named) == 1:
        inner = left.named[0]
        shared = inner.kind in _MUTABLE or inner.text in _MAKERS
        nested = inner.kind == "binary_operator" and inner.text.startswith("[")
        if shared or nested or inner.kind == "identifier":
            weight = 1.0 if inner.kind != "identifier" else 0.2
            made = inner.text if inner.kind != "identifier" else f"list({inner.text})"
            yield replace(site.node, f"[{made} for _ in range({right.text})]", weight)


def _late(site: Site) -> Iterator[Rewrite]:
    """A loop's variable in a lambda: bound when it is made, not when it is called."""
    body = site.node.child("body")
    listed = site.node.child("parameters")
    own = {n.text for n in walk(listed) if n.kind == "identifier"} if listed else set()
    used = {n.text for n in walk(body) if n.kind == "identifier"} if body else set()
    for around in site.node.ancestors():
        if around.kind == "function_definition":
            return
        names = _targets(around)
        for name in names:
            if name in used - own:
                given = f"{listed.text}, {name}={name}" if listed else f" {name}={name}"
                if listed is not None:
                    yield replace(listed, given)
                else:
                    at = site.node.children[0].end
                    yield Rewrite(((at, at, given),))


def _targets(around: Node) -> list[str]:
    """The variables of a loop, or of the clauses of a comprehension."""
    clauses = [around] if around.kind == "for_statement" else []
    if around.kind in _COMPREHENSIONS:
        clauses = [c for c in around.named if c.kind == "for_in_clause"]
    lefts = [clause.child("left") for clause in clauses]
    return [
        n.text
        for left in lefts
        if left is not None
        for n in walk(left)
        if n.kind == "identifier"
    ]


def _of_the_class(site: Site) -> Iterator[Rewrite]:
    """`items = []` of a class, changed through `self`: one for each object instead."""
    body = site.node.parent
    owner = body.parent if body is not None else None
    if body is None or owner is None or owner.kind != "class_definition":
        return
    own = site.node.child("body")
    label = site.node.child("name")
    for name, value in _shared(body):
        if f"self.{name}" not in owner.text or own is None or label is None:
            continue
        line = f"self.{name} = {value.text}"
        makers = [m for m in body.named if _name(m) == "__init__"]
        if label.text == "__init__" and line not in own.text:
            first = after_docstring(own)
            indent = line_indent(first)
            yield Rewrite(
                ((first.start, first.start, f"{line}{site.newline}{indent}"),)
            )
        elif not makers and f"self.{name}" in own.text:
            yield _maker(site, line)


def _maker(site: Site, line: str) -> Rewrite:
    indent = line_indent(site.node)
    step = "\t" if "\t" in indent else "    "
    start = f"{site.newline}{indent}"
    text = f"def __init__(self):{start}{step}{line}{site.newline}{start}"
    return Rewrite(((site.node.start, site.node.start, text),), 0.8)


def _shared(body: Node) -> Iterator[tuple[str, Node]]:
    for statement in body.named:
        value = statement.named[0] if statement.named else None
        left = value.child("left") if value is not None else None
        right = value.child("right") if value is not None else None
        if left is None or right is None or left.kind != "identifier":
            continue
        if right.kind in _MUTABLE or right.text in _MAKERS:
            yield left.text, right


def _name(node: Node) -> str:
    label = node.child("name")
    return label.text if label is not None else ""


_COMPREHENSIONS = {"list_comprehension", "for_in_clause", "generator_expression"}


TEMPLATES = (
    Template(
        name="rows-shared",
        source="Python's FAQ (a multidimensional list by multiplication)",
        prior=0.6,
        kinds=frozenset({"binary_operator"}),
        rewrites=_rows,
        examples=(
            Example("x = [[0] * n] * m\n", "x = [[0] * n for _ in range(m)]\n"),
            Example("x = [[]] * m\n", "x = [[] for _ in range(m)]\n"),
        ),
        never=(Example("x = [0] * m\n", "x = [0 for _ in range(m)]\n"),),
    ),
    Template(
        name="bound-late",
        source="Python's FAQ (lambdas made in a loop)",
        prior=0.5,
        kinds=frozenset({"lambda"}),
        rewrites=_late,
        examples=(
            Example("x = [lambda: i for i in y]\n", "x = [lambda i=i: i for i in y]\n"),
            Example(
                "for i in y:\n    x.append(lambda a: a + i)\n",
                "for i in y:\n    x.append(lambda a, i=i: a + i)\n",
            ),
        ),
        never=(Example("x = lambda: i\n", "x = lambda i=i: i\n"),),
    ),
    Template(
        name="class-attribute-shared",
        source="Python's tutorial (class and instance variables)",
        prior=0.5,
        kinds=frozenset({"function_definition"}),
        rewrites=_of_the_class,
        examples=(
            Example(
                "class C:\n    a = []\n\n    def f(self, b):\n"
                "        self.a.append(b)\n",
                "class C:\n    a = []\n\n    def __init__(self):\n"
                "        self.a = []\n\n    def f(self, b):\n"
                "        self.a.append(b)\n",
            ),
            Example(
                "class C:\n    a = {}\n\n    def __init__(self, b):\n"
                "        self.a[b] = 1\n",
                "class C:\n    a = {}\n\n    def __init__(self, b):\n"
                "        self.a = {}\n        self.a[b] = 1\n",
            ),
        ),
        never=(
            Example(
                "class C:\n    a = 1\n\n    def __init__(self, b):\n"
                "        self.a = b\n",
                "class C:\n    a = 1\n\n    def __init__(self, b):\n"
                "        self.a = 1\n        self.a = b\n",
            ),
        ),
    ),
)
