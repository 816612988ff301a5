"""How promising a rewrite is: place, template, size, constants, and the hints."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from bonafix.domain import Task
from bonafix.propose.search.context import Site, usage
from bonafix.propose.search.hints import Hints
from bonafix.propose.search.priors import prior
from bonafix.propose.search.template import Rewrite, Template
from bonafix.syntax import Node, constants, parse

_LITERAL = re.compile(r"""(?<![\w.])\d+(?:\.\d+)?|'[^'\n]*'|"[^"\n]*\"""")
_TRIVIAL = frozenset({"0", "1", "2", "-1", "''", "' '", "0.0", "1.0", "2.0"})
_ROOMY = 120  # characters of change that halve a rewrite's score
_EDIT = 0.85  # for each edit after the first
_ELSEWHERE = 0.8  # a constant that only the rest of the module has
_NOVEL = 0.6  # a constant that is nowhere
_FROM_TESTS = 0.05  # a constant that only the tests have: the mark of special-casing
_BLAMED = 2.0  # the rewrite touches a name that the error message quotes


@dataclass(frozen=True, slots=True)
class Literals:
    """Constants of the tests, and of one product module, in one spelling."""

    tests: frozenset[str]
    product: frozenset[str]


def score(
    template: Template,
    rewrite: Rewrite,
    site: Site,
    hints: Hints,
    literals: Literals,
) -> float:
    """The product of all that speaks for and against; suspiciousness comes on top."""
    boost = hints.boosts.get(template.name, 1.0)
    if rewrite.tag:
        boost *= hints.boosts.get(rewrite.tag, 1.0)
    if hints.names and _touches(rewrite, site, hints):
        boost *= _BLAMED
    likely = prior(template) * rewrite.weight
    return likely * boost * _smallness(rewrite) * _honesty(rewrite, site, literals)


def bound(template: Template, hints: Hints) -> float:
    """What no rewrite of the template can score more than."""
    tags = max((hints.boosts.get(tag, 1.0) for tag in template.tags), default=1.0)
    blamed = _BLAMED if hints.names else 1.0
    boost = hints.boosts.get(template.name, 1.0) * max(1.0, tags) * blamed
    return prior(template) * boost


def test_literals(task: Task) -> frozenset[str]:
    """The constants in the test files of the targets."""
    paths = {target.id.partition("::")[0] for target in task.targets}
    found: set[str] = set()
    for path in paths:
        data = task.snapshot.sources.get(path, b"")
        found |= module_literals(data.decode("utf-8", "replace"))
    return frozenset(found)


def module_literals(text: str) -> frozenset[str]:
    """The constants of a module, in one spelling."""
    return frozenset(_spelling(c.text) for c in constants(parse(text).root))


def _smallness(rewrite: Rewrite) -> float:
    size = sum(max(end - start, len(new)) for start, end, new in rewrite.edits)
    extra = sum(1 for start, end, new in rewrite.edits if new) - 1
    return _EDIT ** max(0, extra) / (1 + size / _ROOMY)


def _honesty(rewrite: Rewrite, site: Site, literals: Literals) -> float:
    text = site.node.module.text
    old: set[str] = set()
    new: set[str] = set()
    for start, end, written in rewrite.edits:
        old |= _literals(text[start:end])
        new |= _literals(written)
    factors = [_constant(c, site, literals) for c in new - old - _TRIVIAL]
    return min(factors, default=1.0)


def _constant(constant: str, site: Site, literals: Literals) -> float:
    if constant in _own_literals(site.region):
        return 1.0
    if constant in literals.product:
        return _ELSEWHERE
    return _FROM_TESTS if constant in literals.tests else _NOVEL


@lru_cache(maxsize=64)
def _own_literals(region: Node) -> frozenset[str]:
    return frozenset(_spelling(text) for text in usage(region).constants)


def _literals(text: str) -> set[str]:
    return {_spelling(found) for found in _LITERAL.findall(text)}


@lru_cache(maxsize=4096)
def _spelling(literal: str) -> str:
    """`"a"` and `'a'` are one constant."""
    try:
        return repr(ast.literal_eval(literal))
    except (ValueError, SyntaxError):
        return literal


def _touches(rewrite: Rewrite, site: Site, hints: Hints) -> bool:
    text = site.node.module.text
    near = [text[start:end] for start, end, _ in rewrite.edits]
    near.append(site.node.text if site.node.end - site.node.start < _ROOMY else "")
    return any(name in piece for name in hints.names for piece in near)
