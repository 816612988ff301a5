"""What a template is: a small pure function from a site to the edits it suggests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bonafix.propose.search.context import Site
from bonafix.propose.search.known import NOTHING, Known
from bonafix.syntax import Node
from bonafix.text import Replacement


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One way to change a file. `weight` (0..1) ranks it within its template."""

    edits: tuple[Replacement, ...]
    weight: float = 1.0
    tag: str = ""  # one of its template's tags: a finer name that hints may boost


@dataclass(frozen=True, slots=True)
class Example:
    """A module before and after; one of the template's rewrites leads there."""

    before: str
    after: str
    known: Known = NOTHING  # beside the text; the example's own path is `m.py`


# One test that was kept back is often so much like those shown that it passes as well.
TAKING = 2
# What is made of values is one of hundreds that were tried: of six such that two or
# three tests had spoken for, on faults that others had written, three were right.
MAKING = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A family member of the catalogue.

    `prior` is how often, of all the rewrites that it suggests at a faulty line, one
    with weight 1 is right, relative to the other templates (boundary operator = 1).
    `fitted`: it has no reason of its own, but makes what fits the values seen, or takes
    away what tests may merely not miss (as most of what GenProg found did: Qi et
    al., ISSTA 2015); a `Candidate` says what the number means.
    """

    name: str
    source: str  # where the literature has it
    prior: float
    kinds: frozenset[str]  # of the nodes that it wants to see
    rewrites: Callable[[Site], Iterator[Rewrite]]
    examples: tuple[Example, ...]
    never: tuple[Example, ...] = ()  # none of its rewrites leads there
    tags: frozenset[str] = frozenset()
    fitted: int = 0


def replace(node: Node, new: str, weight: float = 1.0, tag: str = "") -> Rewrite:
    """Write `new` in the place of a node."""
    return Rewrite(((node.start, node.end, new),), weight, tag)


def swap(a: Node, b: Node, weight: float = 1.0, tag: str = "") -> Rewrite:
    """Let two nodes, neither within the other, change places."""
    edits = ((a.start, a.end, b.text), (b.start, b.end, a.text))
    return Rewrite(edits, weight, tag)


def wrap(node: Node, head: str, tail: str, weight: float = 1.0) -> Rewrite:
    """Write something before and after a node."""
    edits = ((node.start, node.start, head), (node.end, node.end, tail))
    return Rewrite(edits, weight)
