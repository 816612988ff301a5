"""Text held against text: in one case of letters, by its start, joined, opened."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, positional
from bonafix.propose.search.kinds import head, item, kind, may_be
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap
from bonafix.syntax import Node

_NAMED = {"identifier", "attribute", "subscript", "call"}
_MODES: dict[str, tuple[str, ...]] = {
    "r": ("rb", "r+"),
    "rb": ("r",),
    "w": ("a", "wb"),
    "wb": ("w", "ab"),
    "a": ("w", "ab"),
    "ab": ("wb",),
    "r+": ("w+", "r"),
}
_AFFIXES = (("startswith", 1.0), ("endswith", 0.8))


def _pair(site: Site) -> tuple[Node, str, Node] | None:
    """Both sides of one comparison where at least one is text, and the sign."""
    signs, sides = site.node.each("operators"), site.node.named
    if len(signs) != 1 or len(sides) != len("ab"):
        return None
    heads = [head(kind(site, side)) for side in sides]
    textual = "str" in heads and all(one in {"", "str"} for one in heads)
    sign = " ".join(signs[0].text.split())
    return (sides[0], sign, sides[1]) if textual else None


def _folded(site: Site) -> Iterator[Rewrite]:
    """`a == "x"` to `a.lower() == "x"`, and both sides where both are values."""
    pair = _pair(site)
    if pair is None or pair[1] not in {"==", "!=", "in", "not in"}:
        return
    if any(side.kind == "call" and callee(side) in _FOLDED for side in pair[::2]):
        return
    edits: list[tuple[int, int, str]] = []
    for side in (pair[0], pair[2]):
        if side.kind in _NAMED:
            edits.append((side.end, side.end, ".lower()"))
        elif side.text != side.text.lower():
            return  # left as it is, it could not match any more
    if edits:
        yield Rewrite(tuple(edits))


_FOLDED = {"lower", "upper", "casefold", "type"}


def _affix(site: Site) -> Iterator[Rewrite]:
    """`a == b` to `a.startswith(b)`, `b in a` too; and back to `b in a`."""
    if site.node.kind == "call":
        function, given = site.node.child("function"), positional(site.node)
        thing = function.child("object") if function is not None else None
        one = len(given) == 1 and given[0].kind != "tuple" and thing is not None
        if thing is not None and one and callee(site.node) in dict(_AFFIXES):
            yield replace(site.node, f"{given[0].text} in {thing.text}", 0.5)
            yield replace(site.node, f"{thing.text} == {given[0].text}", 0.5)
        return
    pair = _pair(site)
    if pair is None:
        return
    whole, part = (pair[2], pair[0]) if pair[1] == "in" else (pair[0], pair[2])
    if pair[1] in {"==", "in"} and whole.kind in _NAMED:
        for name, weight in _AFFIXES:
            yield replace(site.node, f"{whole.text}.{name}({part.text})", weight)


def _joined(site: Site) -> Iterator[Rewrite]:
    """`",".join(x)` to `",".join(map(str, x))`, where no texts are in it."""
    given = positional(site.node)
    if callee(site.node) != "join" or len(given) != 1 or not _is_join(site.node):
        return
    inner = item(kind(site, given[0]))
    if inner != "str" and not given[0].text.startswith("map("):
        yield wrap(given[0], "map(str, ", ")", 1.0 if inner else 0.6)


def _is_join(call: Node) -> bool:
    """Whether a text is asked to join: `os.path.join` is another thing."""
    function = call.child("function")
    thing = function.child("object") if function is not None else None
    return thing is not None and thing.kind in {"string", "identifier"}


def _mode(site: Site) -> Iterator[Rewrite]:
    """`open(x, "w")` to `"a"`, to `"wb"`, and the like."""
    node, around = site.node, site.node.parent
    if around is not None and around.kind == "keyword_argument":
        label = around.child("name")
        around = around.parent if label is not None and label.text == "mode" else None
    call = around.parent if around is not None else None
    if call is None or call.kind != "call" or callee(call) not in {"open", "fdopen"}:
        return
    quote, mode = node.text[0], node.text[1:-1]
    for rank, other in enumerate(_MODES.get(mode, ())):
        yield replace(node, f"{quote}{other}{quote}", 1.0 / (1 + 0.5 * rank))


def _bytes(site: Site) -> Iterator[Rewrite]:
    """Text where bytes are wanted, and back: `.encode()`, `.decode()`."""
    around, of = site.node.parent, head(kind(site))
    if around is None or around.kind not in {"argument_list", "return_statement"}:
        return
    if "TypeError" not in site.known.raised and not of:
        return
    if may_be(of, {"str"}):
        yield wrap(site.node, "", ".encode()", 1.0 if of else 0.5)
    if may_be(of, {"bytes"}):
        yield wrap(site.node, "", ".decode()", 1.0 if of else 0.5)


_CALL = frozenset({"call"})
_COMPARISON = frozenset({"comparison_operator"})

TEMPLATES = (
    Template(
        name="case-folded",
        source="PySStuBs (add method call), for both sides of a comparison",
        prior=0.2,
        kinds=_COMPARISON,
        rewrites=_folded,
        examples=(
            Example("x = a == 'b'\n", "x = a.lower() == 'b'\n"),
            Example("b = 'x'\nx = a == b\n", "b = 'x'\nx = a.lower() == b.lower()\n"),
        ),
        never=(
            Example("x = a == 1\n", "x = a.lower() == 1\n"),
            Example("x = a == 'B'\n", "x = a.lower() == 'B'\n"),
        ),
    ),
    Template(
        name="affix-compared",
        source="PySStuBs (wrong function name), for Python's tests of text",
        prior=0.15,
        kinds=_COMPARISON | _CALL,
        rewrites=_affix,
        examples=(
            Example("x = 'b' in a\n", "x = a.startswith('b')\n"),
            Example("x = a == 'b'\n", "x = a.endswith('b')\n"),
            Example("x = a.startswith(b)\n", "x = b in a\n"),
        ),
        never=(
            Example("x = a == 1\n", "x = a.startswith(1)\n"),
            Example("x = a.startswith(('b', 'c'))\n", "x = ('b', 'c') in a\n"),
        ),
    ),
    Template(
        name="joined-as-text",
        source="PyTER (an item of a wrong type in `join`); the interpreter's own hint",
        prior=0.3,
        kinds=_CALL,
        rewrites=_joined,
        examples=(Example("x = ','.join(y)\n", "x = ','.join(map(str, y))\n"),),
        never=(
            Example("x = os.path.join(y)\n", "x = os.path.join(map(str, y))\n"),
            Example(
                "x = ','.join(['a', 'b'])\n", "x = ','.join(map(str, ['a', 'b']))\n"
            ),
        ),
    ),
    Template(
        name="open-mode",
        source="PySStuBs (change string literal), for modes of files",
        prior=0.4,
        kinds=frozenset({"string"}),
        rewrites=_mode,
        examples=(
            Example("x = open(y, 'w')\n", "x = open(y, 'a')\n"),
            Example('x = open(y, mode="r")\n', 'x = open(y, mode="rb")\n'),
        ),
        never=(
            Example("x = open('w')\n", "x = open('wb', 'w')\n"),
            Example("x = f(y, 'w')\n", "x = f(y, 'a')\n"),
        ),
    ),
    Template(
        name="bytes-or-text",
        source="BugsInPy (text and bytes); PyTER",
        prior=0.2,
        kinds=frozenset({"identifier", "attribute", "call", "string"}),
        rewrites=_bytes,
        examples=(
            Example(
                "def f(a=b'x'):\n    g(a)\n", "def f(a=b'x'):\n    g(a.decode())\n"
            ),
            Example("def f(a='x'):\n    g(a)\n", "def f(a='x'):\n    g(a.encode())\n"),
        ),
        never=(Example("def f(a=1):\n    g(a)\n", "def f(a=1):\n    g(a.encode())\n"),),
    ),
)
