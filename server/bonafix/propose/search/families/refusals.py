"""What is refused at the start, and what a `try` should have survived."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, line_indent, positional
from bonafix.propose.search.families.exceptions import BUILTIN, FAILURES
from bonafix.propose.search.families.guards import after_docstring, guard_text
from bonafix.propose.search.kinds import (
    is_holder,
    is_number,
    kind,
    kinds,
    may_be_number,
)
from bonafix.propose.search.known import Known
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import walk

_INPUTS = 3


def _refused(site: Site) -> Iterator[Rewrite]:
    """A check at the start that raises what the tests wait for."""
    body = site.node.child("body")
    if body is None or body.kind != "block" or not body.named:
        return
    awaited = [n for n in site.known.awaited if n in {*BUILTIN, *site.scope.module}]
    first, inner = after_docstring(body), Site(body.named[0], known=site.known)
    names = [n for n in inner.scope.parameters if n not in {"self", "cls"}][:_INPUTS]
    for error in awaited[:2]:
        for rank, name in enumerate(names):
            for condition, weight in _conditions(name, kinds(inner).get(name, "")):
                head = guard_text(first, condition, f"raise {_written(site, error)}")
                at = first.start
                text = head.replace("\n", site.newline)
                yield Rewrite(((at, at, text),), weight / (1 + 0.5 * rank))


def _written(site: Site, error: str) -> str:
    """As the module writes it elsewhere with a message; the bare name otherwise."""
    for node in walk(site.region):
        if node.kind == "raise_statement" and node.named:
            value = node.named[0]
            plain = [a for a in positional(value) if a.kind == "string"]
            if value.kind == "call" and callee(value) == error and plain:
                return f"{error}({plain[0].text})"
    return f'{error}("invalid value")' if error in BUILTIN else error


def _conditions(name: str, held: str) -> Iterator[tuple[str, float]]:
    if may_be_number(held):
        yield f"{name} < 0", 1.0
        yield f"{name} <= 0", 0.9
        yield f"{name} == 0", 0.5
    if not is_number(held):
        yield f"not {name}", 0.9
    yield f"{name} is None", 0.5
    if held and (is_number(held) or is_holder(held)):
        wanted = held.partition("[")[0]
        yield f"not isinstance({name}, {wanted})", 0.5


def _handled(site: Site) -> Iterator[Rewrite]:
    """`return x[k]` where x[k] raised: `try`, and None when it does."""
    met = [name for name in site.known.raised if name in BUILTIN - FAILURES]
    node = site.node
    if node.first_line != node.last_line or not met or not _may_raise(site):
        return
    indent = line_indent(node)
    step = "\t" if "\t" in indent else "    "
    for error in met[:2]:
        for place, answer in enumerate(("None", "False", "0", "default")):
            if answer == "default" and answer not in site.scope.parameters:
                continue
            weight = 1.0 / (1 + place) if answer != "default" else 1.0
            lines = (
                "try:",
                f"{step}{node.text}",
                f"except {error}:",
                f"{step}return {answer}",
            )
            yield replace(node, f"{site.newline}{indent}".join(lines), weight)


def _may_raise(site: Site) -> bool:
    looked = {"subscript", "call"}
    found = (n for n in walk(site.node) if n.kind in looked)
    return any(kind(site, node) != "bool" for node in found)


TEMPLATES = (
    Template(
        name="refusal-missing",
        source="PAR (range checker, null checker); TBar FP2 (with an exception)",
        prior=0.2,
        kinds=frozenset({"function_definition"}),
        rewrites=_refused,
        examples=(
            Example(
                "def f(n):\n    return n\n",
                "def f(n):\n    if n < 0:\n"
                '        raise ValueError("invalid value")\n    return n\n',
                Known(awaited=("ValueError",)),
            ),
        ),
        never=(
            Example(
                "def f(n):\n    return n\n",
                "def f(n):\n    if n < 0:\n"
                '        raise ValueError("invalid value")\n    return n\n',
                Known(raised=("ValueError",)),
            ),
        ),
    ),
    Template(
        name="handler-missing",
        source="TBar FP2-like (try around what may raise), in Python's idiom",
        prior=0.12,
        kinds=frozenset({"return_statement"}),
        rewrites=_handled,
        examples=(
            Example(
                "def f(a, k):\n    return a[k]\n",
                "def f(a, k):\n    try:\n        return a[k]\n"
                "    except KeyError:\n        return None\n",
                Known(raised=("KeyError",)),
            ),
        ),
        never=(
            Example(
                "def f(a):\n    return a\n",
                "def f(a):\n    try:\n        return a\n"
                "    except KeyError:\n        return None\n",
                Known(raised=("KeyError",)),
            ),
        ),
    ),
)
