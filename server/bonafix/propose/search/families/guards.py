"""Checks that were forgotten: empty input, None, zero, a base case, a default."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, usage
from bonafix.propose.search.kinds import (
    head,
    is_holder,
    is_number,
    kind,
    kinds,
    nullable,
)
from bonafix.propose.search.known import NOTHING, Known
from bonafix.propose.search.template import Example, Rewrite, Template
from bonafix.syntax import Node, walk

_CONSTANT = {
    "none",
    "true",
    "false",
    "integer",
    "string",
    "list",
    "dictionary",
    "tuple",
}
_SHAPES = {  # kind of another return -> what "nothing" looks like in its type
    **dict.fromkeys(("list", "list_comprehension"), "[]"),
    **dict.fromkeys(("dictionary", "dictionary_comprehension"), "{}"),
    **dict.fromkeys(("string", "concatenated_string"), "''"),
    "integer": "0",
    "float": "0.0",
    "comparison_operator": "False",
    "not_operator": "False",
    "true": "False",
    "false": "True",
}
_MADE = {  # function called in another return -> the same
    **dict.fromkeys(("sorted", "list"), "[]"),
    **dict.fromkeys(("len", "sum", "int", "max", "min", "abs", "round"), "0"),
    **dict.fromkeys(("join", "str", "lower", "upper", "strip", "format"), "''"),
    **dict.fromkeys(("any", "all", "bool", "isinstance"), "False"),
    "dict": "{}",
    "set": "set()",
    "tuple": "()",
}
NOTHING_OF = {  # kind -> what "nothing" looks like in it
    "str": "''",
    "list": "[]",
    "dict": "{}",
    "set": "set()",
    "tuple": "()",
    "int": "0",
    "float": "0.0",
}
_MOST = 3
_UNSEEN = 0.6  # of the weight of a guard against None where none was seen
_BRIEF = 8  # characters of a constant that counts as an answer


def _early_return(site: Site) -> Iterator[Rewrite]:
    """`if not p: return <nothing of the function's type>` at the function's start."""
    first = _first_statement(site)
    if first is None:
        return
    for rank, name in enumerate(_inputs(site)):
        if first.text.startswith((f"if not {name}:", f"if {name}:")):
            continue
        for place, answer in enumerate(answers(site.node, site.known)):
            weight = 1.0 / (1 + rank + place)
            yield _guarded(first, f"not {name}", f"return {answer}", weight, site)


def _none_return(site: Site) -> Iterator[Rewrite]:
    """`if p is None: return ...`, likeliest for what was None when a test failed."""
    first = _first_statement(site)
    if first is None:
        return
    inner = Site(first, known=site.known)
    listed = ("None", *answers(site.node, site.known))[:_MOST]
    for rank, name in enumerate(_inputs(site)):
        seen = 1.0 if nullable(inner, name) else _UNSEEN
        for place, answer in enumerate(listed):
            weight = seen / (1 + rank + place)
            yield _guarded(first, f"{name} is None", f"return {answer}", weight, site)


def _base_case(site: Site) -> Iterator[Rewrite]:
    """A recursive function without an end: one for empty, zero and one."""
    first, name = _first_statement(site), site.node.child("name")
    if first is None or name is None:
        return
    if "called" not in usage(site.node).roles.get(name.text, ()):
        return
    held = kinds(Site(first, known=site.known))
    for rank, parameter in enumerate(_inputs(site)):
        for bound in _ends(parameter, held.get(parameter, "")):
            listed = ("1", "0", parameter, *answers(site.node, site.known))
            if is_holder(held.get(parameter, "")):
                listed = (parameter, *answers(site.node, site.known))
            for place, answer in enumerate(dict.fromkeys(listed)):
                weight = 1.0 / (1 + rank + 0.4 * place)
                yield _guarded(first, bound, f"return {answer}", weight, site)


def _ends(parameter: str, held: str) -> tuple[str, ...]:
    """Where a recursion over a parameter of a kind ends."""
    if is_holder(held):
        return f"not {parameter}", f"len({parameter}) <= 1"
    return f"{parameter} <= 0", f"{parameter} <= 1", f"{parameter} == 0"


def _skip(site: Site) -> Iterator[Rewrite]:
    """`if not x: continue` at the start of a loop over x."""
    target, body = site.node.child("left"), site.node.child("body")
    if target is None or body is None or not body.named:
        return
    names = [n.text for n in walk(target) if n.kind == "identifier"]
    held = kinds(Site(body.named[0], known=site.known))
    for name in names[:_MOST]:
        first = body.named[0]
        if name == "_" or first.text.startswith((f"if not {name}:", f"if {name}:")):
            continue
        if not is_number(held.get(name, "")):  # the likes of an index are never None
            yield _guarded(first, f"{name} is None", "continue", 0.6, site)
        yield _guarded(first, f"not {name}", "continue", 1.0, site)


def _first_statement(site: Site) -> Node | None:
    """The function's first statement, if that is where the site's guard belongs."""
    body = site.node.child("body")
    if body is None or body.kind != "block" or not body.named:
        return None
    return after_docstring(body)


def after_docstring(body: Node) -> Node:
    """The first statement of a block that does something."""
    first = body.named[0]
    docstring = first.kind == "expression_statement" and first.named[0].kind == "string"
    return body.named[1] if docstring and len(body.named) > 1 else first


def _guarded(
    first: Node, condition: str, action: str, weight: float, site: Site
) -> Rewrite:
    text = guard_text(first, condition, action).replace("\n", site.newline)
    return Rewrite(((first.start, first.start, text),), weight)


def guard_text(first: Node, condition: str, action: str) -> str:
    """A check to be written right before a statement, with its indentation."""
    indent = line_indent(first)
    step = "\t" if "\t" in indent else "    "
    return f"if {condition}:\n{indent}{step}{action}\n{indent}"


def _inputs(site: Site) -> tuple[str, ...]:
    """The parameters of the function that the site is, those used first."""
    body = site.node.child("body")
    if body is None:
        return ()
    parameters = Site(body.named[0]).scope.parameters
    counts = usage(site.node).counts
    plain = [p for p in parameters if p not in {"self", "cls"}]
    return tuple(sorted(plain, key=lambda p: -counts.get(p, 0))[:_MOST])


def answers(function: Node, known: Known = NOTHING) -> tuple[str, ...]:
    """What "nothing" may be here, judging by the other returns of the function."""
    found: list[str] = []
    for statement in usage(function).returns:
        value = statement.named[0] if statement.named else None
        if value is None:
            found.append("None")
        elif value.kind in _CONSTANT and len(value.text) <= _BRIEF:
            found.append(value.text)
        if value is not None:
            found.append(_nothing_like(value, known))
    name = function.child("name")
    if name is not None and name.text in known.arguments:  # called by the tests
        found += [NOTHING_OF.get(head(one), "") for one in sorted(known.expected)]
    found = [answer for answer in found if answer] + ["None", "[]", "0", "False"]
    return tuple(dict.fromkeys(found))[: _MOST + 1]


def _nothing_like(value: Node, known: Known) -> str:
    if of := NOTHING_OF.get(head(kind(Site(value, known=known))), ""):
        return of
    if value.kind == "call":
        function = value.child("function")
        if function is not None and function.kind == "attribute":
            function = function.child("attribute")
        return _MADE.get(function.text if function is not None else "", "")
    return _SHAPES.get(value.kind, "")


_FUNCTION = frozenset({"function_definition"})

TEMPLATES = (
    Template(
        name="guard-empty",
        source="TBar FP2 (null-pointer and range checkers); PAR",
        prior=0.2,
        kinds=_FUNCTION,
        rewrites=_early_return,
        examples=(
            Example(
                "def f(a):\n    'Doc.'\n    return [a[0]]\n",
                "def f(a):\n    'Doc.'\n    if not a:\n        return []\n"
                "    return [a[0]]\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    if not a:\n        return 1\n    return a[0]\n",
                "def f(a):\n    if not a:\n        return 1\n"
                "    if not a:\n        return 1\n    return a[0]\n",
            ),
            Example(
                "def f(a):\n    if not a:\n        return 1\n    return a[0]\n",
                "def f(a):\n    if not a:\n        return None\n"
                "    if not a:\n        return 1\n    return a[0]\n",
            ),
        ),
    ),
    Template(
        name="guard-none",
        source="PAR (null-pointer checker); TBar FP2",
        prior=0.06,
        kinds=_FUNCTION,
        rewrites=_none_return,
        examples=(
            Example(
                "def f(a):\n    return a.b\n",
                "def f(a):\n    if a is None:\n        return None\n    return a.b\n",
            ),
        ),
        never=(
            Example(
                "class C:\n    def f(self):\n        return 1\n",
                "class C:\n    def f(self):\n        if self is None:\n"
                "            return None\n        return 1\n",
            ),
        ),
    ),
    Template(
        name="base-case",
        source="TBar FP2.3; QuixBugs (missing base case)",
        prior=0.12,
        kinds=_FUNCTION,
        rewrites=_base_case,
        examples=(
            Example(
                "def f(n):\n    return n * f(n - 1)\n",
                "def f(n):\n    if n <= 1:\n        return 1\n"
                "    return n * f(n - 1)\n",
            ),
            Example(
                "def f(a):\n    return f(a[1:]) + a[:1]\n",
                "def f(a):\n    if not a:\n        return a\n"
                "    return f(a[1:]) + a[:1]\n",
                Known(arguments={"f": (frozenset({"list[int]"}),)}),
            ),
        ),
        never=(
            Example(
                "def f(n):\n    return n * g(n - 1)\n",
                "def f(n):\n    if n <= 1:\n        return 1\n"
                "    return n * g(n - 1)\n",
            ),
        ),
    ),
    Template(
        name="guard-continue",
        source="PAR (null-pointer checker, skip); TBar FP2.4",
        prior=0.1,
        kinds=frozenset({"for_statement"}),
        rewrites=_skip,
        examples=(
            Example(
                "for x in y:\n    z(x)\n",
                "for x in y:\n    if not x:\n        continue\n    z(x)\n",
            ),
        ),
        never=(
            Example(
                "for i in range(n):\n    z(i)\n",
                "for i in range(n):\n    if i is None:\n        continue\n    z(i)\n",
            ),
        ),
    ),
)
