"""Clauses that are alike but for their names, and those of them that are missing.

`x + y == z or y + z == x` asks of two of three what may be asked of all; a test for a
perfect power that forgets to raise the root again compares what cannot be equal.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import permutations

from bonafix.propose.search.context import Site, role
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_MOST_NAMES = 4
_MOST = 6  # clauses that may be missing
_TOGETHER = 3  # of them, that are added at once
_ALL_WAYS = 3  # names of one clause alone, from which on its order says something
_COMMUTING = {"Add", "Mult", "BitAnd", "BitOr", "BitXor"}
_EQUAL = {"Eq", "NotEq", "Is", "IsNot"}
_ROOT = re.compile(r"\*\*\s*\(?\s*(?:1\.?0?\s*/\s*(\d+)\.?0?|0?(\.5))\s*\)?|\b(sqrt)\(")
_ROUNDING = frozenset({"int", "round", "floor", "ceil", "isqrt"})


def _completed(site: Site) -> Iterator[Rewrite]:
    """`f(a, b) or f(b, c)` to `f(a, b) or f(b, c) or f(a, c)`."""
    sign, nodes = _chain(site.node)
    if not nodes or _is_part(site.node, sign):
        return
    clauses = [_bare(node) for node in nodes]
    names = [_names(clause) for clause in clauses]
    if len({_shape(c, n) for c, n in zip(clauses, names, strict=True)}) > 1:
        return
    pool = list(dict.fromkeys(name for some in names for name in some))
    if len(nodes) > 1 and len(names[0]) == 1:
        pool += [p for p in site.scope.parameters if p not in {*pool, "self", "cls"}]
    alone = len(nodes) == 1
    few = len(pool) < _ALL_WAYS if alone else not pool
    if few or len(pool) > _MOST_NAMES:
        return
    known = {_form(clause.text) for clause in clauses}
    missing = list(_missing(clauses[0], names[0], pool, known))[:_MOST]
    for way, weight in ((sign, 1.0),) if sign else (("or", 0.7), ("and", 0.5)):
        yield from _added(site.node, nodes[-1], way, missing, weight)


def _chain(node: Node) -> tuple[str, list[Node]]:
    """The operator between the clauses, and the clauses; one alone has none."""
    if node.kind == "comparison_operator":
        return "", [node]
    sign = node.child("operator")
    left, right = node.child("left"), node.child("right")
    if sign is None or left is None or right is None:
        return "", []
    inner = _chain(left) if left.kind == "boolean_operator" else ("", [])
    before = inner[1] if inner[0] == sign.text else [left]
    return sign.text, [*before, right]


def _is_part(node: Node, sign: str) -> bool:
    """Whether it is a piece of a longer chain, which is looked at as a whole."""
    around = node.parent
    while around is not None and around.kind == "parenthesized_expression":
        around = around.parent
    if around is None or around.kind != "boolean_operator":
        return False
    outer = around.child("operator")
    return not sign or (outer is not None and outer.text == sign)


def _bare(node: Node) -> Node:
    while node.kind == "parenthesized_expression" and node.named:
        node = node.named[0]
    return node


def _names(clause: Node) -> tuple[str, ...]:
    """The variables of a clause, in order; what is called is none."""
    found = (n for n in walk(clause) if n.kind == "identifier")
    return tuple(dict.fromkeys(n.text for n in found if role(n) not in {"", "called"}))


def _renamed(clause: Node, names: Mapping[str, str]) -> str:
    text, base = clause.text, clause.start
    places = [
        n
        for n in walk(clause)
        if n.kind == "identifier" and n.text in names and role(n) not in {"", "called"}
    ]
    for place in sorted(places, key=lambda n: -n.start):
        head, tail = text[: place.start - base], text[place.end - base :]
        text = head + names[place.text] + tail
    return text


def _shape(clause: Node, names: tuple[str, ...]) -> str:
    """The same for clauses that differ in their names alone."""
    text = _renamed(clause, dict.fromkeys(names, "_"))
    return "".join(text.split()) if names else clause.text


def _missing(
    clause: Node, names: tuple[str, ...], pool: list[str], known: set[str]
) -> Iterator[str]:
    """The clause with other names of the pool, each meaning once."""
    told = set(known)
    for chosen in permutations(pool, len(names)):
        text = _renamed(clause, dict(zip(names, chosen, strict=True)))
        form = _form(text)
        if form not in told:
            told.add(form)
            yield text


def _added(
    whole: Node, last: Node, sign: str, missing: list[str], weight: float
) -> Iterator[Rewrite]:
    wrapped = last.kind == "parenthesized_expression"
    written = [f"({text})" if wrapped else text for text in missing]
    alone = last == whole
    for rank, text in enumerate(() if alone else written):
        yield _joined(whole, sign, [text], weight / (1 + 0.3 * rank))
    if 0 < len(written) <= _TOGETHER and (alone or len(written) > 1):
        yield _joined(whole, sign, written, 0.8 * weight)


def _joined(whole: Node, sign: str, clauses: list[str], weight: float) -> Rewrite:
    text = f" {sign} ".join([whole.text, *clauses])
    around = whole.parent.kind if whole.parent is not None else ""
    inner = around in {"not_operator", "boolean_operator"}
    return replace(whole, f"({text})" if inner else text, weight)


def _form(text: str) -> str:
    """The same for `a + b == c` and `c == b + a`; the text if it is no expression."""
    try:
        return _ordered(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError):
        return text


def _ordered(node: ast.AST) -> str:
    parts = [_ordered(child) for child in ast.iter_child_nodes(node)]
    kind = type(node).__name__
    if isinstance(node, ast.BinOp) and type(node.op).__name__ in _COMMUTING:
        parts = [parts[1], *sorted((parts[0], parts[2]))]
    elif isinstance(node, ast.Compare) and type(node.ops[0]).__name__ in _EQUAL:
        parts = sorted(parts) if len(node.ops) == 1 else parts
    plain = getattr(node, "id", getattr(node, "value", getattr(node, "attr", "")))
    label = plain if isinstance(plain, str | int | float) else ""
    return f"{kind}{label!r}({','.join(parts)})"


def _raised(site: Site) -> Iterator[Rewrite]:
    """`int(x ** 0.5) == x` to `int(x ** 0.5) ** 2 == x`."""
    for side in site.node.named:
        function = side.child("function") if side.kind == "call" else None
        found = _ROOT.search(side.text)
        if function is None or found is None:
            continue
        if function.text.rpartition(".")[2] in _ROUNDING:
            yield replace(side, f"{side.text} ** {found[1] or '2'}")


_THREE = "def f(a, b, c):\n    return {}\n"

TEMPLATES = (
    Template(
        name="clause-completed",
        source="studies of copied code (CP-Miner, Li et al., 2006); TBar FP6.3",
        prior=0.5,
        kinds=frozenset({"boolean_operator", "comparison_operator"}),
        rewrites=_completed,
        examples=(
            Example(
                _THREE.format("a + b == c or b + c == a"),
                _THREE.format("a + b == c or b + c == a or a + c == b"),
            ),
            Example(
                _THREE.format("a > 0 and b > 0"),
                _THREE.format("a > 0 and b > 0 and c > 0"),
            ),
            Example(
                _THREE.format("a * a == b * b + c * c"),
                _THREE.format(
                    "a * a == b * b + c * c or b * b == a * a + c * c"
                    " or c * c == a * a + b * b"
                ),
            ),
            Example(
                _THREE.format("not (a < b and b < c)"),
                _THREE.format("not (a < b and b < c and a < c)"),
            ),
        ),
        never=(
            Example(
                _THREE.format("a + b == c or a > b"),
                _THREE.format("a + b == c or a > b or b > a"),
            ),
            Example(
                _THREE.format("a == b or b == c"),
                _THREE.format("a == b or b == c or b == a"),
            ),
            Example(_THREE.format("a < b"), _THREE.format("a < b or b < a")),
        ),
    ),
    Template(
        name="power-missing",
        source="TBar FP7 (missing operation), as perfect powers are tested for",
        prior=0.3,
        kinds=frozenset({"comparison_operator"}),
        rewrites=_raised,
        examples=(
            Example("x = int(y ** 0.5) == y\n", "x = int(y ** 0.5) ** 2 == y\n"),
            Example(
                "x = int(round(y ** (1. / 3))) == y\n",
                "x = int(round(y ** (1. / 3))) ** 3 == y\n",
            ),
            Example(
                "x = math.floor(math.sqrt(y)) == z\n",
                "x = math.floor(math.sqrt(y)) ** 2 == z\n",
            ),
        ),
        never=(Example("x = int(y) == z\n", "x = int(y) ** 2 == z\n"),),
    ),
)
