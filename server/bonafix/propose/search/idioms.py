"""What is written so on purpose: docstrings, defaults, checks before a use.

The opposite of such a piece raises, or does nothing; no template needs to try it.
"""

from __future__ import annotations

import builtins

from bonafix.propose.search.context import Site, operator, role
from bonafix.syntax import Node, walk

_ASKED = {"identifier", "attribute"}
_VALUES = _ASKED | {"call", "subscript"}
_PLAIN = {"list", "dictionary", "string", "integer", "float", "tuple", "none"}
_TYPES = {"isinstance", "issubclass", "startswith", "endswith"}
_BUILTIN = frozenset(dir(builtins))


def asked(condition: Node) -> tuple[str, bool] | None:
    """The name that a condition asks for alone, and whether it is there if so.

    `a`, `a is not None`: ("a", True); `not a`, `a is None`: ("a", False).
    """
    if condition.kind in _ASKED:
        return condition.text, True
    if condition.kind == "not_operator":
        argument = condition.child("argument")
        plain = argument is not None and argument.kind in _ASKED
        return (argument.text, False) if plain and argument is not None else None
    signs = [" ".join(sign.text.split()) for sign in condition.each("operators")]
    if condition.kind == "comparison_operator" and len(signs) == 1:
        thing, other = condition.named[0], condition.named[-1]
        if other.kind == "none" and thing.kind in _ASKED:
            return thing.text, signs[0] in {"is not", "!="}
    return None


def looks_into(node: Node, name: str) -> bool:
    """Whether a piece of code reads an attribute or item of what has the name."""
    return any(
        n.kind in _ASKED and n.text == name and role(n) in {"object", "subscripted"}
        for n in walk(node)
    )


def needs(condition: Node, node: Node, *, holds: bool) -> bool:
    """Whether a piece fails for certain where the condition holds (or does not)."""
    found = asked(condition)
    return found is not None and found[1] != holds and looks_into(node, found[0])


def is_default(node: Node) -> bool:
    """Whether it is `x or []` and the like, used as a value."""
    left, right = node.child("left"), node.child("right")
    if left is None or right is None or operator(node) != "or":
        return False
    plain = right.kind in _PLAIN or right.text in {"set()", "dict()", "list()"}
    return plain and left.kind in _VALUES and role(node) != "condition"


def is_type(site: Site) -> bool:
    """Whether a name stands for a type or one of Python's functions, no plain value."""
    name = site.node.text
    if site.node.kind == "attribute":
        name = name.rpartition(".")[2]
    elif name in _BUILTIN - set(site.scope.names):
        return site.node.kind == "identifier"
    plain = site.node.kind in _ASKED and name[:1].isupper()
    return plain and not (name.isupper() and site.node.kind == "identifier")


def is_unordered(node: Node) -> bool:
    """Whether the order of a display does not matter: what `in` looks through."""
    around = node.parent
    if around is None:
        return False
    if around.kind == "comparison_operator":
        signs = [sign.text.split()[-1] for sign in around.each("operators")]
        return signs[-1:] == ["in"] and around.named[-1] == node
    if around.kind in {"except_clause", "as_pattern", "set"}:
        return True
    call = around.parent if around.kind == "argument_list" else None
    function = call.child("function") if call is not None else None
    return function is not None and function.text.rpartition(".")[2] in _TYPES
