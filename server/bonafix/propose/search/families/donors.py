"""Ingredients from elsewhere in the project: what its sisters do, this one may lack."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator

from bonafix.propose.search.context import Site, line_indent, role
from bonafix.propose.search.ingredients import (
    Borrowed,
    Step,
    expressions,
    first_line,
    likeness,
    own_statements,
    steps,
    words,
)
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_BUILTIN = frozenset(dir(builtins))
_MOST = 4  # of one site
_ANCHOR = 0.5  # likeness of the neighbours that a statement is placed by
_NEAR = 0.34  # likeness of two expressions of which one may stand for the other
_EXPRESSIONS = frozenset(
    {
        *("binary_operator", "comparison_operator", "boolean_operator", "call"),
        *("conditional_expression", "not_operator", "subscript", "string"),
        *("list_comprehension", "generator_expression", "identifier"),
    }
)
_PLACES = frozenset(
    {
        *("expression_statement", "if_statement", "return_statement"),
        *("for_statement", "while_statement", "raise_statement"),
    }
)


def _expression(site: Site) -> Iterator[Rewrite]:
    """A likely expression for one that resembles it, or for a name that it holds."""
    node = site.node
    if role(node) in {"", "called", "bound", "counted", "object"}:
        return
    own, seen = words(node.text), set(site.scope.names) | _BUILTIN
    ranked = []
    for borrowed in expressions(site):
        text = _renamed(borrowed, node, seen)
        value = likeness(own, words(text)) if text and text != node.text else 0.0
        if value >= _NEAR and _comparable(node, borrowed, text):
            ranked.append((value * borrowed.worth, text))
    best = sorted(dict.fromkeys(ranked), key=lambda pair: -pair[0])[:_MOST]
    for worth, text in best:
        yield replace(node, text, min(1.0, worth))


def _comparable(node: Node, borrowed: Borrowed, text: str) -> bool:
    """Whether one may stand for the other: of one kind, or a name and what is made."""
    if node.kind == "identifier":
        made = borrowed.kind in {"binary_operator", "call", "subscript"}
        return made and node.text in re.findall(r"\w+", text)
    if node.kind == "string":
        return borrowed.kind == "string"
    return borrowed.kind != "string"


def _renamed(borrowed: Borrowed, node: Node, seen: set[str]) -> str:
    """The text with the names that the site can see; "" where one stays unknown.

    One name that is missing may be the only one of the site's own that the borrowed
    text lacks: the same thing under another name.
    """
    missing = borrowed.names - seen
    if not missing:
        return borrowed.text
    own = dict.fromkeys(w for w in re.findall(r"[A-Za-z_]\w*", node.text) if w in seen)
    free = [name for name in own if name not in borrowed.names | _BUILTIN]
    if len(missing) != 1 or len(free) != 1:
        return ""
    return _exchanged(borrowed.text, {next(iter(missing)): free[0]})


def _statement(site: Site) -> Iterator[Rewrite]:
    """A statement that stands beside one like this elsewhere, and is missing here."""
    node, block = site.node, site.node.parent
    if block is None or block.kind not in {"block", "module"}:
        return
    own, seen = words(first_line(node)), set(site.scope.names) | _BUILTIN
    present = {" ".join(s.text.split()) for s in block.named}
    ranked: list[tuple[float, Rewrite]] = []
    for step in steps(site):
        for anchor, before in ((step.after, True), (step.before, False)):
            value = likeness(own, anchor)
            text = _fitted(step, own, anchor, seen) if value >= _ANCHOR else ""
            if text and " ".join(text.split()) not in present:
                weight = min(1.0, value * (0.3 + step.statement.worth))
                ranked.append(
                    (weight, _inserted(site, step, text, weight, before=before))
                )
    ranked.sort(key=lambda pair: -pair[0])
    yield from (rewrite for _, rewrite in ranked[:_MOST])


def _instead(site: Site) -> Iterator[Rewrite]:
    """A simple statement by one that resembles it, of this function or a sister."""
    node = site.node
    if node.first_line != node.last_line:
        return
    own, seen = words(node.text), set(site.scope.names) | _BUILTIN | _WORDS
    ranked = []
    for text in own_statements(site):
        value = likeness(own, words(text))
        names = set(re.findall(r"(?<![\w.'\"])[A-Za-z_]\w*", text))
        if text != node.text and value >= _ANCHOR and names <= seen:
            ranked.append((value, text))
    best = sorted(dict.fromkeys(ranked), key=lambda pair: -pair[0])[: _MOST - 1]
    for value, text in best:
        yield replace(node, text, value)


_WORDS = set(keyword.kwlist)


def _fitted(
    step: Step, own: tuple[str, ...], anchor: tuple[str, ...], seen: set[str]
) -> str:
    """The statement with the names of this place, as the two anchors pair them up."""
    pairs: dict[str, str] = {}
    if len(own) == len(anchor):
        pairs = {a: b for a, b in zip(anchor, own, strict=True) if a != b}
        pairs = {a: b for a, b in pairs.items() if a.isidentifier() and b in seen}
    text = _exchanged(step.statement.text, pairs)
    names = {pairs.get(name, name) for name in step.statement.names}
    return text if names <= seen else ""


def _exchanged(text: str, pairs: dict[str, str]) -> str:
    """All names exchanged at once; those within strings too, which is seldom wrong."""
    if not pairs:
        return text
    listed = "|".join(map(re.escape, pairs))
    return re.sub(rf"(?<![\w.])(?:{listed})\b", lambda found: pairs[found[0]], text)


def _inserted(
    site: Site, step: Step, text: str, weight: float, *, before: bool
) -> Rewrite:
    indent = line_indent(site.node)
    lines = text.replace("\r\n", "\n").split("\n")
    moved = [line[min(step.indent, len(line) - len(line.lstrip())) :] for line in lines]
    joined = f"{site.newline}{indent}".join([lines[0], *moved[1:]])
    if before:
        at = site.node.start
        return Rewrite(((at, at, joined + site.newline + indent),), weight)
    at = site.node.end
    return Rewrite(((at, at, site.newline + indent + joined),), weight)


_SISTERS = (
    "def load_csv(path):\n    for line in open(path):\n"
    "        line = line.strip()\n        use(line)\n\n\n"
)

TEMPLATES = (
    Template(
        name="expression-elsewhere",
        source="GenProg and ssFix (ingredients, by likeness of their surroundings)",
        prior=0.22,
        kinds=_EXPRESSIONS,
        rewrites=_expression,
        examples=(
            Example(
                "def gross_of(net, rate):\n    return net * (1 + rate)\n\n\n"
                "def gross_of_all(net, rate):\n    return sum(net) * (rate)\n",
                "def gross_of(net, rate):\n    return net * (1 + rate)\n\n\n"
                "def gross_of_all(net, rate):\n    return net * (1 + rate)\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    return a + 1\n\n\ndef g(b):\n    return b - 1\n",
                "def f(a):\n    return a + 1\n\n\ndef g(b):\n    return a + 1\n",
            ),
        ),
    ),
    Template(
        name="statement-instead",
        source="GenProg (replace, ingredients of the program); CapGen",
        prior=0.2,
        kinds=frozenset({"expression_statement", "return_statement"}),
        rewrites=_instead,
        examples=(
            Example(
                "def f(a):\n    b = c = a\n    for d in a:\n        b = a\n",
                "def f(a):\n    b = c = a\n    for d in a:\n        b = c = a\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    b = g(1)\n    return a\n",
                "def f(a):\n    b = g(1)\n    b = g(1)\n",
            ),
        ),
    ),
    Template(
        name="statement-elsewhere",
        source="GenProg (insert, ingredients of the program); ssFix; CapGen",
        prior=0.25,
        kinds=_PLACES,
        rewrites=_statement,
        examples=(
            Example(
                f"{_SISTERS}def load_tsv(path):\n    for row in open(path):\n"
                "        use(row)\n",
                f"{_SISTERS}def load_tsv(path):\n    for row in open(path):\n"
                "        row = row.strip()\n        use(row)\n",
            ),
        ),
        never=(
            Example(
                f"{_SISTERS}def g(x):\n    return x\n",
                f"{_SISTERS}def g(x):\n    line = line.strip()\n    return x\n",
            ),
        ),
    ),
)
