"""Objects: `self.` forgotten, before a name or among the parameters."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from bonafix.propose.search.context import Site, role, usage
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_BUILTIN = frozenset(dir(builtins))


def _self(site: Site) -> Iterator[Rewrite]:
    """A bare name in a method that is an attribute of the object or class."""
    function = site.function
    if function is None or not role(site.node) or _is_given(site.node):
        return
    if role(site.node) == "bound" and not _is_kept(site.node):
        return
    first = next(iter(site.scope.parameters), "")
    if first not in {"self", "cls"} or site.node.text in {"self", "cls"}:
        return
    known = site.node.text in site.scope.names or site.node.text in _BUILTIN
    attributes = usage(site.node.module.root).attributes.get(first, frozenset())
    methods = _methods(function)
    if site.node.text in attributes | methods:
        yield replace(site.node, f"{first}.{site.node.text}", 0.5 if known else 1.0)
    elif not known:
        yield replace(site.node, f"{first}.{site.node.text}", 0.6)


def _is_given(name: Node) -> bool:
    """Whether it is the `x` of `self.x = x`, from which the attribute comes."""
    holder = name.parent
    target = holder.child("left") if holder is not None else None
    return target is not None and target.text in {
        f"self.{name.text}",
        f"cls.{name.text}",
    }


def _is_kept(target: Node) -> bool:
    """Whether `x = x`, or `x = x + 1`: the object's own was meant on the left."""
    holder = target.parent
    right = holder.child("right") if holder is not None else None
    if holder is None or holder.kind != "assignment" or right is None:
        return False
    return any(n.kind == "identifier" and n.text == target.text for n in walk(right))


def _methods(function: Node) -> frozenset[str]:
    body = function.parent
    if body is not None and body.kind == "decorated_definition":
        body = body.parent
    found = body.named if body is not None and body.kind == "block" else []
    names = (child.child("name") for child in found)
    return frozenset(name.text for name in names if name is not None)


def _taken(site: Site) -> Iterator[Rewrite]:
    """A method without `self`, though it is called on an object."""
    listed = site.node.child("parameters")
    block = site.node.parent
    owner = block.parent if block is not None else None
    if listed is None or owner is None or owner.kind != "class_definition":
        return
    first = listed.named[0].text if listed.named else ""
    if first not in {"self", "cls"}:
        at = listed.start + 1
        yield Rewrite(((at, at, "self, " if listed.named else "self"),))


TEMPLATES = (
    Template(
        name="self-missing",
        source="PySStuBs (change identifier used); the interpreter's own hint",
        prior=0.6,
        kinds=frozenset({"identifier"}),
        rewrites=_self,
        examples=(
            Example(
                "class C:\n    def f(self):\n        return x\n",
                "class C:\n    def f(self):\n        return self.x\n",
            ),
        ),
        never=(
            Example(
                "class C:\n    def f(self, x):\n        self.x = x\n",
                "class C:\n    def f(self, x):\n        self.x = self.x\n",
            ),
        ),
    ),
    Template(
        name="self-not-taken",
        source="the interpreter's own hint (takes 0 positional arguments)",
        prior=0.6,
        kinds=frozenset({"function_definition"}),
        rewrites=_taken,
        examples=(
            Example(
                "class C:\n    def f(x):\n        return x\n",
                "class C:\n    def f(self, x):\n        return x\n",
            ),
        ),
        never=(
            Example("def f(x):\n    return x\n", "def f(self, x):\n    return x\n"),
        ),
    ),
)
