"""Regular expressions: a quantifier, an anchor, greed, a dot that is meant as a dot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, positional
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap

_CALLS = frozenset(
    {
        *("sub", "subn", "match", "search", "fullmatch", "findall", "finditer"),
        *("split", "compile"),
    }
)
_LONG = 80
_BARE = re.compile(r"(\[[^\]]+\]|\\[dwsDWS])(?![*+?{])")
_REPEATED = re.compile(r"(?<!\\)([*+])(\??)")
_DOT = re.compile(r"(?<![\\\[])\.(?![*+?{])")


def _pattern(site: Site) -> Iterator[Rewrite]:
    """One thing of a pattern changed; it is the first argument of one of `re`'s."""
    call = site.node.parent.parent if site.node.parent is not None else None
    if call is None or call.kind != "call" or callee(call) not in _CALLS:
        return
    first = positional(call)[:1]
    function = call.child("function")
    of_re = function is not None and function.text.startswith("re.")
    text = site.node.text
    if not of_re or first != [site.node] or len(text) > _LONG or '"""' in text:
        return
    start = re.match(r"[A-Za-z]*['\"]", text)
    if start is None:
        return
    head, body, tail = start[0], text[start.end() : -1], text[-1]
    for new, weight in _changed(body):
        if new != body:
            yield replace(site.node, head + new + tail, weight)


def _changed(body: str) -> Iterator[tuple[str, float]]:
    for found in _BARE.finditer(body):
        yield f"{body[: found.end()]}+{body[found.end() :]}", 1.0
        yield f"{body[: found.end()]}*{body[found.end() :]}", 0.5
    for found in _REPEATED.finditer(body):
        before, after = body[: found.start()], body[found.end() :]
        other = "+" if found[1] == "*" else "*"
        yield f"{before}{other}{found[2]}{after}", 0.9
        yield f"{before}{found[1]}{'' if found[2] else '?'}{after}", 0.9
        yield f"{before}{found[2]}{after}", 0.3
    for found in _DOT.finditer(body):
        yield f"{body[: found.start()]}\\.{body[found.end() :]}", 0.9
    yield (body[1:] if body.startswith("^") else f"^{body}"), 0.6
    yield (body[:-1] if body.endswith("$") else f"{body}$"), 0.7


def _escaped(site: Site) -> Iterator[Rewrite]:
    """`re.sub(x, ...)` to `re.sub(re.escape(x), ...)`: a plain text that is sought."""
    function, given = site.node.child("function"), positional(site.node)
    if function is None or not given or callee(site.node) not in _CALLS:
        return
    plain = given[0].kind in {"identifier", "attribute", "subscript"}
    if function.text.startswith("re.") and plain and not given[0].text.isupper():
        yield wrap(given[0], "re.escape(", ")")


TEMPLATES = (
    Template(
        name="pattern-escaped",
        source="studies of regular expressions' faults (Wang et al., MSR 2020)",
        prior=0.25,
        kinds=frozenset({"call"}),
        rewrites=_escaped,
        examples=(
            Example("x = re.sub(a, '', b)\n", "x = re.sub(re.escape(a), '', b)\n"),
        ),
        never=(
            Example("x = a.split(b)\n", "x = a.split(re.escape(b))\n"),
            Example(
                "x = re.match(PATTERN, a)\n", "x = re.match(re.escape(PATTERN), a)\n"
            ),
        ),
    ),
    Template(
        name="pattern",
        source="mutation operators for regular expressions (Arcaini et al., 2017)",
        prior=0.35,
        kinds=frozenset({"string"}),
        rewrites=_pattern,
        examples=(
            Example("x = re.sub('[^a-z]', '', y)\n", "x = re.sub('[^a-z]+', '', y)\n"),
            Example("x = re.match('<.*>', y)\n", "x = re.match('<.*?>', y)\n"),
            Example("x = re.search(r'a.b', y)\n", "x = re.search(r'a\\.b', y)\n"),
            Example("x = re.compile('[0-9]+')\n", "x = re.compile('[0-9]+$')\n"),
        ),
        never=(Example("x = y.split('.')\n", "x = y.split('\\\\.')\n"),),
    ),
)
