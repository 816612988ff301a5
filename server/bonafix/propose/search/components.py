"""Small conditions over what is in scope at a spot, simplest first; pure.

The pieces are the function's own names, expressions and constants, besides 0, 1, None
and emptiness: a constant that only the tests know is not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from bonafix.propose.search.context import Site, role, usage
from bonafix.syntax import Node, walk

_TERMS = 12
_NAMES = 5
_AT = (0, 1, -1)  # items of a sequence that are looked at
_NEAR = 3  # expressions that are borrowed before any items
_CONSTANTS = 4
_MOST = 400  # conditions of one spot; asking one costs microseconds
_SHORT = 16  # characters of a borrowed expression
_COMPARED = (("==", "!="), ("<", ">="), ("<=", ">"))
_HELD = (("in", "not in"),)
_SAFE_CALLS = {
    *("len", "isinstance", "abs", "min", "max", "ord", "int", "str", "sum", "float"),
    *("round", "bool", "chr", "divmod", "tuple"),
}
_SAFE_METHODS = {
    *("startswith", "endswith", "isdigit", "isalpha", "isupper", "islower", "get"),
    *("isspace", "isalnum", "lower", "upper", "strip", "count", "find", "keys"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and its contrary; `size` counts its pieces."""

    text: str
    contrary: str
    size: int


def conditions(site: Site) -> list[Condition]:
    """Those that can be asked right before the statement that the site is."""
    found, reads = terms(site), usage(site.region).reads
    unread = frozenset(term for term in found if reads.get(term, 1) == 0)
    made = [*_alone(found), *_of_two(found, unread), *_with_constants(site, found)]
    return sorted(made, key=lambda one: one.size)[:_MOST]


def harmless(expression: Node) -> bool:
    """Whether asking twice changes nothing, as far as its text tells."""
    for node in walk(expression):
        if node.kind in {"await", "yield", "named_expression", "lambda"}:
            return False
        if node.kind == "call":
            called = node.child("function")
            name = called.text.rpartition(".")[2] if called is not None else ""
            method = called is not None and called.kind == "attribute"
            if name not in (_SAFE_METHODS if method else _SAFE_CALLS):
                return False
    return True


def terms(site: Site) -> list[str]:
    """What can be compared: names that have a value by now, the neglected first.

    Then what the function reckons nearby, and what is in its sequences.
    """
    facts, node = usage(site.region), site.node
    bound = [n for n in site.scope.parameters if n not in {"self", "cls", "_"}]
    bound += [n for n in site.scope.local if _bound_before(site, n)]
    near = {n.text for n in walk(_head(node)) if n.kind == "identifier"}
    bound = list(dict.fromkeys(bound))
    bound.sort(key=lambda n: (facts.reads.get(n, 0) > 0, n not in near))
    fields = [
        f"self.{name}"
        for name in sorted(facts.attributes.get("self", ()))
        if f"self.{name}(" not in site.region.text
    ]
    constants = [n for n in facts.counts if n.isupper() and n not in bound]
    borrowed = _borrowed(site, {*bound, *constants, "self", "len"})
    held = {n.child("value") for n in walk(site.region) if n.kind == "subscript"}
    indexed = {node.text for node in held if node is not None}
    items = [f"{name}[{at}]" for name in bound if name in indexed for at in _AT]
    few = [*bound[:_NAMES], *borrowed[:_NEAR], *items[: 2 * len(_AT)]]
    few += [*constants, *fields[:3]]
    return list(dict.fromkeys([*few, *borrowed, *bound]))[:_TERMS]


def _borrowed(site: Site, seen: set[str]) -> list[str]:
    """Small expressions that the function has already, the nearest first."""
    found = [
        donor.node
        for donor in usage(site.region).donors
        if donor.names <= seen and harmless(donor.node)
        if donor.node.end - donor.node.start <= _SHORT
    ]
    start = site.node.start
    return [node.text for node in sorted(found, key=lambda n: abs(n.start - start))]


def _head(node: Node) -> Node:
    return node.child("condition") or node


def _bound_before(site: Site, name: str) -> bool:
    """Whether the function's text has set it above: in a loop around it, too."""
    for node in walk(site.region):
        if node.start >= site.node.start:
            return False
        if node.kind == "identifier" and node.text == name and role(node) == "bound":
            return True
    return False


def _alone(terms: list[str]) -> Iterator[Condition]:
    for place, term in enumerate(terms):
        far = place // 3
        if term.endswith((")", "]")):
            continue
        yield Condition(f"not {term}", term, 1 + far)
        yield Condition(f"{term} is None", f"{term} is not None", 1 + far)


def _with_constants(site: Site, terms: list[str]) -> Iterator[Condition]:
    own = [
        text
        for text, places in usage(site.region).constants.items()
        if places[0].kind in {"integer", "string"} and len(text) <= _SHORT
        if '"""' not in text
    ]
    numbers = [t for t in own if t.isdigit() and t not in {"0", "1"}]
    texts = [t for t in own if not t.isdigit()]
    for place, term in enumerate(terms):
        far = place // 3
        for constant in ("0", "1", *numbers[:_CONSTANTS]):
            for sign, contrary in _COMPARED:
                yield _made(term, sign, contrary, constant, 2 + far)
        for constant in ("0", "1") if not term.startswith("len(") else ():
            yield _made(f"len({term})", "<=", ">", constant, 3 + far)
        for constant in texts[:_CONSTANTS]:
            yield _made(term, "==", "!=", constant, 2 + far)


def _of_two(terms: list[str], unread: frozenset[str]) -> Iterator[Condition]:
    """What nothing reads was meant for something."""
    for (i, a), (j, b) in combinations(list(enumerate(terms)), 2):
        far = -1 if unread & {a, b} else (i + j) // 5
        for sign, contrary in (*_COMPARED, *_HELD):
            yield _made(a, sign, contrary, b, 2 + far)
        yield _made(b, "in", "not in", a, 2 + far)


def _made(a: str, sign: str, contrary: str, b: str, size: int) -> Condition:
    return Condition(f"{a} {sign} {b}", f"{a} {contrary} {b}", size)
