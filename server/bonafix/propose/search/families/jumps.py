"""Where the way goes on: another jump, `elif` for `if`, `yield` for `return`."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site
from bonafix.propose.search.families.endings import LEAVES
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node, walk

_LOOPS = {"for_statement", "while_statement"}
_ENDS = _LOOPS | {"function_definition", "class_definition", "module"}
_OTHERS: dict[str, tuple[tuple[str, float], ...]] = {
    "break": (("continue", 1.0), ("return", 0.4)),
    "continue": (("break", 0.9), ("return", 0.4)),
    "return": (("break", 1.0), ("continue", 1.0)),
    "return None": (("continue", 1.0), ("break", 0.9)),
    "pass": (("continue", 1.0), ("break", 0.6)),
}
_VALUED = (("continue", 0.5), ("break", 0.4))


def _jump(site: Site) -> Iterator[Rewrite]:
    """`break` to `continue`, and the like, within a loop."""
    owner = next((a for a in site.node.ancestors() if a.kind in _ENDS), None)
    if owner is None or owner.kind not in _LOOPS:
        return
    if site.node.kind == "pass_statement" and site.node.parent == owner.child("body"):
        return  # a body that does nothing
    text = " ".join(site.node.text.split())
    listed = _OTHERS.get(text, _VALUED if text.startswith("return ") else ())
    for other, weight in listed:
        if other != "return" or site.function is not None:
            yield replace(site.node, other, weight)


def _chained(site: Site) -> Iterator[Rewrite]:
    """`if` to `elif` after another `if`, and back."""
    node, word = site.node, site.node.children[0]
    if node.kind == "elif_clause":
        before = node.previous
        owner = before if before is not None and before.kind == "elif_clause" else None
        first = owner or node.parent
        if first is not None and not _leaves(first):
            yield replace(word, "if")
        return
    before = node.previous
    if before is None or before.kind != "if_statement" or _leaves(before):
        return
    if not any(clause.kind == "else_clause" for clause in before.named):
        yield replace(word, "elif")


def _leaves(statement: Node) -> bool:
    """Whether nothing comes back from its block: then it makes no difference."""
    body = statement.child("consequence")
    return body is not None and bool(body.named) and body.named[-1].kind in LEAVES


def _yielded(site: Site) -> Iterator[Rewrite]:
    """`return x` in a loop or a generator to `yield x`; `yield x` to `yield from x`."""
    node = site.node
    if not node.children:  # the word itself
        return
    word = node.children[0]
    if node.kind == "yield":
        source = next((c for c in node.children if c.kind == "from"), None)
        if source is not None:
            yield Rewrite(((source.start, source.end + 1, ""),), 0.7)
        elif node.named:
            yield replace(word, "yield from")
        return
    owner = next((a for a in node.ancestors() if a.kind in _ENDS), None)
    if owner is None or site.function is None or not node.named:
        return
    generates = any(n.kind == "yield" for n in walk(site.function))
    if owner.kind in _LOOPS or generates:
        yield replace(word, "yield", 1.0 if generates else 0.5)


_BARE = frozenset({"break_statement", "continue_statement", "pass_statement"})

TEMPLATES = (
    Template(
        name="jump-other",
        source="mutation operators for jumps (SBRC and SCRB, Agrawal 1989)",
        prior=0.35,
        kinds=_BARE | {"return_statement"},
        rewrites=_jump,
        examples=(
            Example(
                "for a in b:\n    if a:\n        break\n",
                "for a in b:\n    if a:\n        continue\n",
            ),
            Example(
                "def f(b):\n    for a in b:\n        if a:\n            return 1\n",
                "def f(b):\n    for a in b:\n        if a:\n            continue\n",
            ),
        ),
        never=(
            Example("def f(a):\n    return\n", "def f(a):\n    break\n"),
            Example("for a in b:\n    pass\n", "for a in b:\n    continue\n"),
        ),
    ),
    Template(
        name="branch-chained",
        source="studies of missing and needless `else` (ODC, Duraes and Madeira, 2006)",
        prior=0.3,
        kinds=frozenset({"if_statement", "elif_clause"}),
        rewrites=_chained,
        examples=(
            Example(
                "if a:\n    b()\nif c:\n    d()\n", "if a:\n    b()\nelif c:\n    d()\n"
            ),
            Example(
                "if a:\n    b()\nelif c:\n    d()\n", "if a:\n    b()\nif c:\n    d()\n"
            ),
        ),
        never=(
            Example(
                "def f(a):\n    if a:\n        return 1\n    if b:\n        c()\n",
                "def f(a):\n    if a:\n        return 1\n    elif b:\n        c()\n",
            ),
        ),
    ),
    Template(
        name="yield-other",
        source="Python's tutorial (generators); TBar FP12",
        prior=0.2,
        kinds=frozenset({"return_statement", "yield"}),
        rewrites=_yielded,
        examples=(
            Example(
                "def f(a):\n    for b in a:\n        return b\n",
                "def f(a):\n    for b in a:\n        yield b\n",
            ),
            Example("def f(a):\n    yield g(a)\n", "def f(a):\n    yield from g(a)\n"),
            Example("def f(a):\n    yield from a\n", "def f(a):\n    yield a\n"),
        ),
        never=(Example("def f(a):\n    return a\n", "def f(a):\n    yield a\n"),),
    ),
)
