"""One object where several were meant: no copy, shared rows, class attributes."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, role, usage
from bonafix.propose.search.families.guards import after_docstring
from bonafix.propose.search.kinds import head, is_number, kind
from bonafix.propose.search.template import Example, Rewrite, Template, wrap
from bonafix.syntax import Node, walk

_MUTABLE = {"list", "dictionary", "set", "list_comprehension"}
_MAKERS = {"list()", "dict()", "set()"}
_STORES = {"append", "add", "insert", "appendleft"}
_CHANGES = {*_STORES, "extend", "update", "pop", "remove", "sort", "reverse"}
_CHANGES |= {"clear", "setdefault", "discard"}
_FIXED = {"str", "tuple", "bytes", "range", "NoneType", "frozenset"}
_LOOPS = {"for_statement", "while_statement"}


def _copied(site: Site) -> Iterator[Rewrite]:
    """A mutable value handed on where a copy was meant."""
    node = site.node
    if role(node) not in {"argument", "value", "returned"}:
        return
    of = head(kind(site))
    if of in _FIXED or is_number(of):
        return
    likely = 1.0 if _stored(node) or _changed_later(site) else 0.2
    copies = {
        "list": (("", "[:]", 1.0), ("copy.deepcopy(", ")", 0.3)),
        "dict": (("dict(", ")", 1.0), ("", ".copy()", 0.9)),
        "set": (("set(", ")", 1.0), ("", ".copy()", 0.9)),
    }
    unknown = (("", "[:]", 1.0), ("list(", ")", 0.5), ("dict(", ")", 0.5))
    for before, after, weight in copies.get(of, (*unknown, ("", ".copy()", 0.4))):
        if "copy." in before and "import copy" not in node.module.text:
            continue
        yield wrap(node, before, after, likely * weight)


def _stored(node: Node) -> bool:
    """Whether it is put into a container."""
    call = node.parent.parent if node.parent is not None else None
    function = call.child("function") if call is not None else None
    name = function.child("attribute") if function is not None else None
    return name is not None and name.text in _STORES


def _changed_later(site: Site) -> bool:
    """Whether it gets a second name, one of which is changed in place."""
    holder = site.node.parent
    left = holder.child("left") if holder is not None else None
    if holder is None or holder.kind != "assignment" or left is None:
        return False
    names = {left.text, site.node.text}
    for node in walk(site.region):
        thing = node.child("object") or node.child("value")
        if thing is None or thing.text not in names:
            continue
        attribute = node.child("attribute")
        if attribute is not None and attribute.text in _CHANGES:
            return True
        if node.kind == "subscript" and role(node) in {"bound", "counted"}:
            return True
    return left.kind == "attribute"


def _while_looping(site: Site) -> Iterator[Rewrite]:
    """A loop over what its body changes: over a copy of it."""
    over, body = site.node.child("right"), site.node.child("body")
    if over is None or body is None:
        return
    thing = over.child("function") if over.kind == "call" else over
    inner = thing.child("object") if thing is not None else None
    name = inner.text if over.kind == "call" and inner is not None else over.text
    if over.kind not in {"identifier", "attribute", "call"}:
        return
    calls = any(f"{name}.{word}(" in body.text for word in _CHANGES)
    if calls or f"del {name}[" in body.text or f"{name}[" in body.text:
        yield wrap(over, "list(", ")", 1.0 if calls or "del " in body.text else 0.3)


def _reads(site: Site) -> Iterator[Rewrite]:
    """`x.sort()` on a parameter: on a copy, so that the caller's stays as it was."""
    function = site.node.child("function")
    thing = function.child("object") if function is not None else None
    name = function.child("attribute") if function is not None else None
    statement = site.node.parent
    if thing is None or name is None or statement is None:
        return
    whole = statement.kind == "expression_statement" and thing.kind == "identifier"
    if not whole or name.text not in _CHANGES or thing.text in _bound(site):
        return
    if thing.text not in site.scope.parameters:
        return
    of = head(kind(site, thing))
    made = {"dict": "dict", "set": "set"}.get(of, "list")
    copy = f"{thing.text} = {made}({thing.text}){site.newline}{line_indent(statement)}"
    in_loop = any(a.kind in _LOOPS for a in statement.ancestors())
    at = statement.start
    if in_loop and (function := site.function) is not None:
        body = function.child("body")
        first = after_docstring(body) if body is not None else statement
        copy = f"{thing.text} = {made}({thing.text}){site.newline}{line_indent(first)}"
        at = first.start
    yield Rewrite(((at, at, copy),))


def _bound(site: Site) -> set[str]:
    roles = usage(site.region).roles
    return {name for name, seen in roles.items() if "bound" in seen}


TEMPLATES = (
    Template(
        name="copy-missing",
        source="studies of Python's aliasing; TBar FP12-like (value of an argument)",
        prior=0.15,
        kinds=frozenset({"identifier", "attribute"}),
        rewrites=_copied,
        examples=(
            Example("x.append(y)\n", "x.append(y[:])\n"),
            Example(
                "def f():\n    a = {}\n    b = a\n    b[1] = 2\n    return a\n",
                "def f():\n    a = {}\n    b = dict(a)\n    b[1] = 2\n    return a\n",
            ),
        ),
        never=(
            Example(
                "def f():\n    a = 1\n    return a\n",
                "def f():\n    a = 1\n    return a[:]\n",
            ),
        ),
    ),
    Template(
        name="parameter-changed",
        source="studies of Python's aliasing (the caller's list is changed)",
        prior=0.25,
        kinds=frozenset({"call"}),
        rewrites=_reads,
        examples=(
            Example(
                "def f(a):\n    a.sort()\n    return a[0]\n",
                "def f(a):\n    a = list(a)\n    a.sort()\n    return a[0]\n",
            ),
        ),
        never=(
            Example(
                "def f():\n    a = []\n    a.sort()\n",
                "def f():\n    a = []\n    a = list(a)\n    a.sort()\n",
            ),
        ),
    ),
    Template(
        name="changed-while-looping",
        source="Python's tutorial (a loop over a collection that it changes)",
        prior=0.5,
        kinds=frozenset({"for_statement"}),
        rewrites=_while_looping,
        examples=(
            Example(
                "for a in b:\n    b.remove(a)\n", "for a in list(b):\n    b.remove(a)\n"
            ),
            Example(
                "for k in d.keys():\n    del d[k]\n",
                "for k in list(d.keys()):\n    del d[k]\n",
            ),
        ),
        never=(
            Example(
                "for a in b:\n    c.append(a)\n", "for a in list(b):\n    c.append(a)\n"
            ),
        ),
    ),
)
