"""The wrong exception: another type raised or caught, `raise` forgotten, one missed."""

from __future__ import annotations

import builtins
import difflib
from collections.abc import Iterator
from functools import lru_cache

from bonafix.propose.search.context import Site, callee, line_indent, positional
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
from bonafix.syntax import Node, walk

_USUAL = ("ValueError", "TypeError", "KeyError", "IndexError", "AttributeError")
_WIDER = {
    "KeyError": "LookupError",
    "IndexError": "LookupError",
    "FileNotFoundError": "OSError",
    "PermissionError": "OSError",
    "ZeroDivisionError": "ArithmeticError",
    "UnicodeDecodeError": "ValueError",
    "JSONDecodeError": "ValueError",
    "ModuleNotFoundError": "ImportError",
}
_BUILTIN = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
_OWN = ("Error", "Exception", "Warning")
_FAILURES = frozenset({"AssertionError", "Failed", ""})
_MOST = 4
_INPUTS = 3


def _raised(site: Site) -> Iterator[Rewrite]:
    """`raise X(...)` to another type: what tests wait for, then the usual ones."""
    value = site.node.named[0] if site.node.named else None
    name = value.child("function") if value is not None else None
    name = name if name is not None else value
    if name is None or name.kind not in {"identifier", "attribute"}:
        return
    for rank, other in enumerate(_types(site, name.text)):
        yield replace(name, other, 1.0 / (1 + 0.5 * rank))


def _types(site: Site, current: str) -> list[str]:
    """Exceptions that may be meant, without the one that is there."""
    seen = {*site.scope.names, *_BUILTIN}
    awaited = [name for name in site.known.awaited if name in seen]
    own = [name for name in site.scope.module if name.endswith(_OWN)]
    own += _elsewhere(site.node.module.root)
    own.sort(key=lambda n: -difflib.SequenceMatcher(None, n, current).ratio())
    listed = dict.fromkeys([*awaited, *own[:_MOST], *_USUAL])
    return [name for name in listed if name != current][: _MOST + len(awaited)]


@lru_cache(maxsize=32)
def _elsewhere(root: Node) -> list[str]:
    """The exceptions that the module raises or catches."""
    found: list[str] = []
    for node in walk(root):
        if node.kind in {"raise_statement", "except_clause"} and node.named:
            names = (n.text for n in walk(node.named[0]) if n.kind == "identifier")
            found += [name for name in names if name.endswith(_OWN)]
    return list(dict.fromkeys(found))


def _caught(site: Site) -> Iterator[Rewrite]:
    """`except X` to what came through, beside it or in its place; or one wider."""
    caught = site.node.named[0] if len(site.node.named) > 1 else None
    if caught is None:
        return
    if caught.kind == "as_pattern":
        caught = caught.named[0]
    names = [n.text for n in walk(caught) if n.kind == "identifier"]
    met = [name for name in site.known.raised if name not in {*_FAILURES, *names}]
    for rank, other in enumerate(dict.fromkeys([*met, *_USUAL])):
        weight = (1.0 if other in met else 0.4) / (1 + 0.3 * rank)
        if other in names:
            continue
        listed = ", ".join([*_members(caught), other])
        yield replace(caught, f"({listed})", weight)
        yield replace(caught, other, 0.9 * weight)
    for name in names:
        if name in _WIDER:
            yield replace(caught, _WIDER[name], 0.4)


def _members(caught: Node) -> list[str]:
    return [n.text for n in caught.named] if caught.kind == "tuple" else [caught.text]


def _unraised(site: Site) -> Iterator[Rewrite]:
    """`ValueError(...)` made, or returned, and never raised."""
    value = site.node.named[0] if site.node.named else None
    if value is None or value.kind != "call":
        return
    if callee(value).endswith(_OWN):
        yield Rewrite(((site.node.start, value.start, "raise "),))


def _swallowed(site: Site) -> Iterator[Rewrite]:
    """`except X: pass` to one that lets it through, or another that answers."""
    body = site.node.named[-1] if site.node.named else None
    if body is None or body.kind != "block" or not body.named:
        return
    first, last = body.named[0], body.named[-1]
    if last.kind not in {"raise_statement", "return_statement"}:
        text = f"{site.newline}{line_indent(first)}raise"
        yield Rewrite(((last.end, last.end, text),), 0.5)
    if last.kind != "raise_statement":
        yield Rewrite(((first.start, last.end, "raise"),), 0.6)


def _refused(site: Site) -> Iterator[Rewrite]:
    """A check at the start that raises what the tests wait for."""
    body = site.node.child("body")
    if body is None or body.kind != "block" or not body.named:
        return
    awaited = [n for n in site.known.awaited if n in {*_BUILTIN, *site.scope.module}]
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
    return f'{error}("invalid value")' if error in _BUILTIN else error


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
    met = [name for name in site.known.raised if name in _BUILTIN - _FAILURES]
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
        name="exception-raised",
        source="PAR (class cast replacer's kin); studies of exception handling faults",
        prior=0.3,
        kinds=frozenset({"raise_statement"}),
        rewrites=_raised,
        examples=(
            Example("raise TypeError('x')\n", "raise ValueError('x')\n"),
            Example(
                "class LateError(Exception):\n    pass\n\n\nraise ValueError\n",
                "class LateError(Exception):\n    pass\n\n\nraise LateError\n",
            ),
        ),
        never=(Example("raise e from None\n", "raise e from ValueError\n"),),
    ),
    Template(
        name="exception-caught",
        source="PyTER; studies of exception handling faults (Ebert et al., 2015)",
        prior=0.25,
        kinds=frozenset({"except_clause"}),
        rewrites=_caught,
        examples=(
            Example(
                "try:\n    f()\nexcept KeyError:\n    g()\n",
                "try:\n    f()\nexcept (KeyError, ValueError):\n    g()\n",
            ),
            Example(
                "try:\n    f()\nexcept IndexError as e:\n    g()\n",
                "try:\n    f()\nexcept LookupError as e:\n    g()\n",
            ),
        ),
    ),
    Template(
        name="raise-missing",
        source="studies of exception handling faults; a statement without effect",
        prior=0.7,
        kinds=frozenset({"expression_statement", "return_statement"}),
        rewrites=_unraised,
        examples=(
            Example("if a:\n    ValueError(a)\n", "if a:\n    raise ValueError(a)\n"),
        ),
        never=(Example("if a:\n    check(a)\n", "if a:\n    raise check(a)\n"),),
    ),
    Template(
        name="exception-swallowed",
        source="studies of exception handling faults (empty catch block)",
        prior=0.15,
        kinds=frozenset({"except_clause"}),
        rewrites=_swallowed,
        examples=(
            Example(
                "try:\n    f()\nexcept OSError:\n    pass\n",
                "try:\n    f()\nexcept OSError:\n    raise\n",
            ),
        ),
    ),
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
