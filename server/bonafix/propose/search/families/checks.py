"""Checks right before the statement that needs them: None, a key, an index, a kind."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import (
    Site,
    callee,
    role,
    usage,
)
from bonafix.propose.search.families.guards import answers, guard_text
from bonafix.propose.search.kinds import (
    kind,
    may_be,
    nullable,
)
from bonafix.propose.search.places import header
from bonafix.propose.search.template import Example, Rewrite, Template
from bonafix.syntax import Node, walk

_LOOPS = {"for_statement", "while_statement"}
_MOST = 3
_MAY_BE_NONE = {"get", "match", "search", "fullmatch", "find_one", "first", "getenv"}
_STATEMENTS = frozenset(
    {"expression_statement", "return_statement", "for_statement", "if_statement"}
)


def _none(site: Site) -> Iterator[Rewrite]:
    """`if x is None: return ...` before a statement that looks into a local `x`."""
    parameters = site.scope.parameters
    first = _is_first(site.node)
    for rank, name in enumerate(looked_into(site)):
        if first and name in parameters:
            continue  # at the function's start that is another template's
        held = nullable(site, name) or may_be_none(site, name)
        weight = (1.0 if held else 0.3) / (1 + 0.5 * rank)
        yield from checked_before(site, f"{name} is None", weight)
        if not nullable(site, name):
            yield from checked_before(site, f"not {name}", 0.7 * weight)


def checked_before(site: Site, condition: str, weight: float) -> Iterator[Rewrite]:
    """`if <condition>: <something else>` right before the site's statement."""
    for action, factor in _actions(site):
        text = guard_text(site.node, condition, action).replace("\n", site.newline)
        at = site.node.start
        yield Rewrite(((at, at, text),), weight * factor)


def _actions(site: Site) -> list[tuple[str, float]]:
    """What to do instead: the next round of a loop, or an answer."""
    function = site.function
    around = next(
        (
            a
            for a in site.node.ancestors()
            if a.kind in {*_LOOPS, "function_definition"}
        ),
        None,
    )
    found = []
    if around is not None and around.kind in _LOOPS:
        found = [("continue", 1.0)]
    if function is not None:
        listed = answers(function, site.known)[:_MOST]
        if not any(one.named for one in usage(function).returns):
            listed = ("",)
        for rank, answer in enumerate(listed):
            factor = (0.5 if found else 1.0) / (1 + 0.4 * rank)
            found.append((f"return {answer}".rstrip(), factor))
    return found


def _found(site: Site) -> Iterator[Rewrite]:
    """`if i < 0: return ...` where `i` is what `find` says: -1 if there is none."""
    sought = _sought(site.region)
    used = [n.text for n in header(site.node) if n.kind == "identifier"]
    for name, at in sought.items():
        if name in used and at < site.node.start:
            yield from checked_before(site, f"{name} < 0", 1.0)


def _sought(region: Node) -> dict[str, int]:
    """Names that are set to what `find` gives, with the end of the assignment."""
    found = {}
    for node in walk(region):
        left, right = node.child("left"), node.child("right")
        called = right is not None and right.kind == "call"
        if node.kind != "assignment" or left is None or right is None or not called:
            continue
        if callee(right) in {"find", "rfind"}:
            found[left.text] = node.end
    return found


def looked_into(site: Site) -> list[str]:
    """Names of which a statement reads an attribute or item."""
    near = {*site.scope.local, *site.scope.parameters} - {"self", "cls"}
    found = [
        node.text
        for node in header(site.node)
        if node.kind == "identifier" and node.text in near
        if role(node) in {"object", "subscripted", "iterated"}
    ]
    return list(dict.fromkeys(found))[:_MOST]


def may_be_none(site: Site, name: str) -> bool:
    """Whether the function sets it to what may be None."""
    for node in walk(site.region):
        left, right = node.child("left"), node.child("right")
        if node.kind == "assignment" and left is not None and left.text == name:
            if right is not None and right.kind == "none":
                return True
            if right is not None and right.kind == "call":
                return callee(right) in _MAY_BE_NONE
    return False


def _is_first(statement: Node) -> bool:
    block = statement.parent
    function = block.parent if block is not None else None
    own = function is not None and function.kind == "function_definition"
    return own and block is not None and statement in block.named[:2]


def _key(site: Site) -> Iterator[Rewrite]:
    """`if k not in d` before `d[k]`: an answer, another round, a first value."""
    for thing, key in _read_items(site):
        if may_be(kind(site, thing), {"dict"}) and key.kind != "integer":
            missing = f"{key.text} not in {thing.text}"
            yield from checked_before(site, missing, 0.8)
    for thing, key in _filled_items(site):
        condition = f"{key.text} not in {thing.text}"
        for new, weight in (("[]", 1.0), ("0", 0.8), ("{}", 0.5), ("set()", 0.6)):
            action = f"{thing.text}[{key.text}] = {new}"
            text = guard_text(site.node, condition, action)
            at = site.node.start
            yield Rewrite(((at, at, text.replace("\n", site.newline)),), 0.7 * weight)


def _read_items(site: Site) -> list[tuple[Node, Node]]:
    return [pair for pair, used in _items(site) if used not in {"bound", "counted"}][:2]


def _filled_items(site: Site) -> list[tuple[Node, Node]]:
    """Items that are changed as if they were there: counted, or appended to."""
    fills = {"counted", "object", "subscripted"}
    return [pair for pair, used in _items(site) if used in fills][:1]


def _items(site: Site) -> list[tuple[tuple[Node, Node], str]]:
    found = []
    for node in header(site.node):
        thing, keys = node.child("value"), node.each("subscript")
        plain = node.kind == "subscript" and len(keys) == 1
        if plain and thing is not None and keys[0].kind != "slice":
            found.append(((thing, keys[0]), role(node)))
    return found


_CONDITIONS = frozenset({"if_statement", "elif_clause", "while_statement"})

TEMPLATES = (
    Template(
        name="check-none",
        source="PAR (null-pointer checker); TBar FP2; PyTER",
        prior=0.12,
        kinds=_STATEMENTS,
        rewrites=_none,
        examples=(
            Example(
                "def f(a):\n    m = a.get(1)\n    return m.b\n",
                "def f(a):\n    m = a.get(1)\n    if m is None:\n"
                "        return None\n    return m.b\n",
            ),
            Example(
                "def f(b):\n    for a in b:\n        c(a.d)\n",
                "def f(b):\n    for a in b:\n        if a is None:\n"
                "            continue\n        c(a.d)\n",
            ),
        ),
        never=(
            Example(
                "def f(a):\n    m = 1\n    return m\n",
                "def f(a):\n    m = 1\n    if m is None:\n"
                "        return None\n    return m\n",
            ),
        ),
    ),
    Template(
        name="check-key",
        source="TBar FP4-like (collection checker); PAR",
        prior=0.12,
        kinds=_STATEMENTS,
        rewrites=_key,
        examples=(
            Example(
                "def f(d, k):\n    return d[k]\n",
                "def f(d, k):\n    if k not in d:\n        return None\n"
                "    return d[k]\n",
            ),
            Example(
                "for k in b:\n    d[k].append(1)\n",
                "for k in b:\n    if k not in d:\n        d[k] = []\n"
                "    d[k].append(1)\n",
            ),
        ),
        never=(
            Example(
                "def f(d):\n    return d[0]\n",
                "def f(d):\n    if 0 not in d:\n        return None\n    return d[0]\n",
            ),
        ),
    ),
    Template(
        name="check-found",
        source="PAR (range checker), for Python's -1",
        prior=0.25,
        kinds=_STATEMENTS,
        rewrites=_found,
        examples=(
            Example(
                "def f(a):\n    i = a.find('.')\n    return a[i:]\n",
                "def f(a):\n    i = a.find('.')\n    if i < 0:\n"
                "        return ''\n    return a[i:]\n",
            ),
        ),
        never=(
            Example(
                "def f(a, i):\n    return a[i:]\n",
                "def f(a, i):\n    if i < 0:\n        return ''\n    return a[i:]\n",
            ),
        ),
    ),
)
