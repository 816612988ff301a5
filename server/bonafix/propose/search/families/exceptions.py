"""The wrong exception: another type raised or caught, `raise` forgotten, one missed."""

from __future__ import annotations

import builtins
import difflib
from collections.abc import Iterator
from functools import lru_cache

from bonafix.propose.search.context import Site, callee, line_indent
from bonafix.propose.search.template import Example, Rewrite, Template, replace, swap
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
BUILTIN = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
_OWN = ("Error", "Exception", "Warning")
FAILURES = frozenset({"AssertionError", "Failed", ""})
_EXPECTED = {"ImportError", "ModuleNotFoundError", "StopIteration", "KeyboardInterrupt"}
_MOST = 4


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
    seen = {*site.scope.names, *BUILTIN}
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
    met = [name for name in site.known.raised if name not in {*FAILURES, *names}]
    near = _elsewhere(site.node.module.root)
    for rank, other in enumerate(dict.fromkeys([*met, *near[:_MOST], *_USUAL])):
        weight = (1.0 if other in met else 0.4) / (1 + 0.3 * rank)
        if other in names:
            continue
        if not any(_covers(name, other) for name in names):
            listed = ", ".join([*_members(caught), other])
            yield replace(caught, f"({listed})", weight)
        yield replace(caught, other, 0.9 * weight)
    for name in names:
        if name in _WIDER:
            yield replace(caught, _WIDER[name], 0.4)


def _covers(wide: str, narrow: str) -> bool:
    """Whether one of Python's own exceptions is caught with another already."""
    a, b = getattr(builtins, wide, None), getattr(builtins, narrow, None)
    if wide in {"Exception", "BaseException"}:
        return True
    return isinstance(a, type) and isinstance(b, type) and issubclass(b, a)


def _members(caught: Node) -> list[str]:
    return [n.text for n in caught.named] if caught.kind == "tuple" else [caught.text]


def _exchanged(site: Site) -> Iterator[Rewrite]:
    """`except Exception` before `except KeyError`, which is never reached."""
    before = site.node.previous
    if before is None or before.kind != "except_clause":
        return
    caught = [_caught_by(clause) for clause in (before, site.node)]
    if any(_covers(wide, one) for wide in caught[0] for one in caught[1]):
        yield swap(before, site.node)


def _caught_by(clause: Node) -> list[str]:
    """The names of the exceptions of a clause."""
    head = clause.named[0] if len(clause.named) > 1 else None
    head = head.named[0] if head is not None and head.kind == "as_pattern" else head
    return _members(head) if head is not None else []


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
    if site.node.named[0].text.partition(" ")[0] in _EXPECTED:
        return
    first, last = body.named[0], body.named[-1]
    if last.kind not in {"raise_statement", "return_statement"}:
        text = f"{site.newline}{line_indent(first)}raise"
        yield Rewrite(((last.end, last.end, text),), 0.5)
    if last.kind != "raise_statement":
        yield Rewrite(((first.start, last.end, "raise"),), 0.6)


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
            Example(
                "try:\n    f()\nexcept KeyError:\n    raise LateError\n",
                "try:\n    f()\nexcept LateError:\n    raise LateError\n",
            ),
        ),
        never=(
            Example(
                "try:\n    f()\nexcept Exception:\n    g()\n",
                "try:\n    f()\nexcept (Exception, ValueError):\n    g()\n",
            ),
            Example(
                "try:\n    f()\nexcept LookupError:\n    g()\n",
                "try:\n    f()\nexcept (LookupError, KeyError):\n    g()\n",
            ),
        ),
    ),
    Template(
        name="clauses-exchanged",
        source="studies of exception handling faults (order of catch blocks)",
        prior=0.6,
        kinds=frozenset({"except_clause"}),
        rewrites=_exchanged,
        examples=(
            Example(
                "try:\n    f()\nexcept Exception:\n    g()\n"
                "except KeyError:\n    h()\n",
                "try:\n    f()\nexcept KeyError:\n    h()\n"
                "except Exception:\n    g()\n",
            ),
        ),
        never=(
            Example(
                "try:\n    f()\nexcept OSError:\n    g()\nexcept KeyError:\n    h()\n",
                "try:\n    f()\nexcept KeyError:\n    h()\nexcept OSError:\n    g()\n",
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
        never=(
            Example(
                "try:\n    import a\nexcept ImportError:\n    a = None\n",
                "try:\n    import a\nexcept ImportError:\n    raise\n",
            ),
        ),
    ),
)
