"""Arguments: one too few, one too many, by the wrong name.

What a function of the project wants is read from its definition, wherever it stands;
for Python's own there is a table of arguments that people forget.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, positional, usage
from bonafix.propose.search.kinds import is_holder, is_number, kind
from bonafix.propose.search.neighbours import called
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_CALL = frozenset({"call"})
_MOST = 4  # values that are tried for one missing argument
_ALIKE = 0.6
# What is left out of a call of Python's own: name -> arguments given -> what to add.
_OPTIONS: dict[tuple[str, int], tuple[tuple[str, float], ...]] = {
    ("round", 1): (("2", 1.0), ("1", 0.6), ("3", 0.3)),
    ("enumerate", 1): (("1", 1.0),),
    ("max", 1): (("default=0", 0.7), ("default=None", 0.7)),
    ("min", 1): (("default=0", 0.7), ("default=None", 0.7)),
    ("next", 1): (("None", 1.0),),
    ("getattr", 2): (("None", 1.0),),
    ("pop", 0): (("0", 0.9), ("-1", 0.2)),
    ("pop", 1): (("None", 1.0), ("0", 0.4), ("[]", 0.3)),
    ("split", 1): (("1", 1.0),),
    ("rsplit", 1): (("1", 1.0),),
    ("replace", 2): (("1", 0.5),),
    ("int", 1): (("2", 0.4), ("16", 0.4), ("10", 0.1)),
    ("zip", 2): (("strict=True", 0.4),),
    ("dumps", 1): (("sort_keys=True", 0.6), ("ensure_ascii=False", 0.5)),
    ("mkdir", 0): (("parents=True, exist_ok=True", 1.0), ("exist_ok=True", 0.9)),
    ("makedirs", 1): (("exist_ok=True", 1.0),),
    ("unlink", 0): (("missing_ok=True", 1.0),),
    ("open", 1): (('encoding="utf-8"', 0.5), ('"w"', 0.4)),
    ("open", 2): (('encoding="utf-8"', 1.0), ('newline=""', 0.6)),
    ("now", 0): (("timezone.utc", 1.0),),
    ("strip", 0): (('"/"', 0.2),),
    ("read_text", 0): (('encoding="utf-8"', 1.0),),
    ("sub", 3): (("flags=re.IGNORECASE", 0.4), ("count=1", 0.4)),
    ("match", 2): (("re.IGNORECASE", 0.6), ("re.MULTILINE", 0.2)),
    ("search", 2): (("re.IGNORECASE", 0.6), ("re.MULTILINE", 0.3)),
    ("compile", 1): (("re.IGNORECASE", 0.7), ("re.MULTILINE", 0.4)),
}
_BARE = {"split", "rsplit", "strip", "lstrip", "rstrip", "pop"}
_FEWER = {"round", "enumerate", "split", "rsplit", "replace", "pop", "sum", "get"}
_FEWER |= {"sorted", "print", "next", "getattr", "strip", "lstrip", "rstrip", "max"}


def _missing(site: Site) -> Iterator[Rewrite]:
    """A parameter that the call does not give: a value of its name, or of its kind."""
    wanted = called(site, site.node)
    arguments = site.node.child("arguments")
    if wanted is None or arguments is None or _is_spread(arguments):
        return
    given = positional(site.node)
    named = _named(arguments)
    for place, name in enumerate(wanted.names):
        by_place = place < len(wanted.places)
        if (by_place and place < len(given)) or name in named:
            continue
        needed = by_place and place < wanted.required
        direct = by_place and place == len(given) and not named
        for text, weight in _values_for(site, name):
            shown = text if direct and needed else f"{name}={text}"
            yield _added(arguments, shown, weight * (1.0 if needed else 0.6))


def _values_for(site: Site, name: str) -> list[tuple[str, float]]:
    """What could be given for a parameter, the likeliest first."""
    scope = site.scope
    near = [n for n in (*scope.local, *scope.parameters) if n not in {"self", "cls"}]
    reads = usage(site.region).reads
    found = {n: _likeness(n, name) + 0.3 * (not reads.get(n, 0)) for n in near}
    fields = usage(site.node.module.root).attributes.get("self", frozenset())
    if "self" in scope.parameters:
        for field in fields:
            if _likeness(field, name) >= _ALIKE:
                found[f"self.{field}"] = _likeness(field, name)
    for other in scope.module:
        if _likeness(other, name) >= _ALIKE:
            found[other] = 0.8 * _likeness(other, name)
    best = sorted(found.items(), key=lambda pair: -pair[1])[:_MOST]
    return [(text, min(1.0, max(0.1, weight))) for text, weight in best]


def _likeness(name: str, other: str) -> float:
    a, b = name.lower().strip("_"), other.lower().strip("_")
    if a == b:
        return 1.0
    if min(len(a), len(b)) > 1 and (a.endswith(b) or b.endswith(a)):
        return _ENDING
    return 0.5 * difflib.SequenceMatcher(None, a, b).ratio()


_ENDING = 0.8


def _option(site: Site) -> Iterator[Rewrite]:
    """An argument of Python's own that decides: a start, a default, digits."""
    arguments = site.node.child("arguments")
    if arguments is None or arguments.kind != "argument_list" or _is_spread(arguments):
        return
    given = len(positional(site.node))
    if len(arguments.named) != given:
        return
    for text, weight in _OPTIONS.get((callee(site.node), given), ()):
        if _suits(site, callee(site.node), text):
            yield _added(arguments, text, weight)


def _suits(site: Site, name: str, text: str) -> bool:
    """Whether the option makes sense for what is known of the call's object."""
    if text.startswith("re."):
        return "import re" in site.node.module.text
    if text.startswith("timezone"):
        return "timezone" in site.scope.names
    function = site.node.child("function")
    thing = function.child("object") if function is not None else None
    if name == "pop" and thing is not None:
        holds = kind(site, thing).partition("[")[0]
        given = bool(positional(site.node))
        return not holds or (holds == "list") != given
    first = positional(site.node)[:1]
    if name == "int" and first:
        return not is_number(kind(site, first[0]))
    if name == "round" and first:
        return not is_holder(kind(site, first[0]))
    return True


def _extra(site: Site) -> Iterator[Rewrite]:
    """An argument that the function does not take, or that says too much."""
    arguments = site.node.child("arguments")
    if arguments is None or arguments.kind != "argument_list":
        return
    given = positional(site.node)
    wanted = called(site, site.node)
    surplus = wanted is not None and not wanted.unbounded
    if wanted is not None and surplus and len(given) > len(wanted.places):
        for argument in given:
            yield _without(arguments, argument, 1.0)
    elif len(given) == 1 and callee(site.node) in _BARE:
        yield _without(arguments, given[0], 0.5)
    elif wanted is None and callee(site.node) in _FEWER and len(given) > 1:
        yield _without(arguments, given[-1], 0.5)
    for argument in arguments.named:
        label = argument.child("name")
        if argument.kind == "keyword_argument" and label is not None:
            unknown = wanted is not None and label.text not in wanted.names
            strange = unknown and wanted is not None and not wanted.anything
            yield _without(arguments, argument, 1.0 if strange else 0.4)


def _renamed(site: Site) -> Iterator[Rewrite]:
    """A keyword that the function knows by another name."""
    arguments, wanted = site.node.child("arguments"), called(site, site.node)
    if arguments is None or wanted is None:
        return
    named = _named(arguments)
    free = [n for n in wanted.names[len(positional(site.node)) :] if n not in named]
    for argument in arguments.named:
        label = argument.child("name")
        if argument.kind != "keyword_argument" or label is None:
            continue
        known = label.text in wanted.names
        for name in free:
            likeness = _likeness(label.text, name)
            yield replace(label, name, max(0.1, likeness) * (0.4 if known else 1.0))


def _added(arguments: Node, text: str, weight: float) -> Rewrite:
    lead = ", " if arguments.named else ""
    if arguments.named and arguments.text.rstrip(" )\n").endswith(","):
        lead = " "
    at = arguments.named[-1].end if arguments.named else arguments.end - 1
    if lead == " ":
        at = arguments.end - 1
    return Rewrite(((at, at, lead + text),), weight)


def _without(arguments: Node, argument: Node, weight: float) -> Rewrite:
    listed = arguments.named
    place = listed.index(argument)
    if place:
        return Rewrite(((listed[place - 1].end, argument.end, ""),), weight)
    end = listed[1].start if len(listed) > 1 else argument.end
    return Rewrite(((argument.start, end, ""),), weight)


def _named(arguments: Node) -> set[str]:
    labels = (a.child("name") for a in arguments.named if a.kind == "keyword_argument")
    return {label.text for label in labels if label is not None}


def _is_spread(arguments: Node) -> bool:
    """Whether arguments are unpacked into it, or it is a lone generator."""
    splats = {"list_splat", "dictionary_splat"}
    generator = arguments.kind != "argument_list"
    return generator or any(one.kind in splats for one in arguments.named)


TEMPLATES = (
    Template(
        name="argument-missing",
        source="PySStuBs (same function more arguments); PAR (parameter adder)",
        prior=0.5,
        kinds=_CALL,
        rewrites=_missing,
        examples=(
            Example(
                "def g(x, limit):\n    return x\n\n\n"
                "def f(a, limit):\n    return g(a)\n",
                "def g(x, limit):\n    return x\n\n\n"
                "def f(a, limit):\n    return g(a, limit)\n",
            ),
            Example(
                "def g(x, depth=0):\n    return [g(y) for y in x]\n",
                "def g(x, depth=0):\n    return [g(y, depth=depth) for y in x]\n",
            ),
        ),
        never=(
            Example(
                "def g(x):\n    return x\n\n\ndef f(a, b):\n    return g(a)\n",
                "def g(x):\n    return x\n\n\ndef f(a, b):\n    return g(a, b)\n",
            ),
        ),
    ),
    Template(
        name="option-missing",
        source="PySStuBs (same function more arguments)",
        prior=0.25,
        kinds=_CALL,
        rewrites=_option,
        examples=(
            Example("x = y.split('=')\n", "x = y.split('=', 1)\n"),
            Example("x = next(y)\n", "x = next(y, None)\n"),
        ),
        never=(
            Example(
                "def f():\n    a = [1]\n    return a.pop(0)\n",
                "def f():\n    a = [1]\n    return a.pop(0, None)\n",
            ),
        ),
    ),
    Template(
        name="argument-extra",
        source="PySStuBs (same function less arguments); PAR (parameter remover)",
        prior=0.4,
        kinds=_CALL,
        rewrites=_extra,
        examples=(
            Example(
                "def g(x):\n    return x\n\n\ndef f(a, b):\n    return g(a, b)\n",
                "def g(x):\n    return x\n\n\ndef f(a, b):\n    return g(a)\n",
            ),
            Example("x = sorted(y, reverse=True)\n", "x = sorted(y)\n"),
            Example("x = y.split(' ')\n", "x = y.split()\n"),
        ),
        never=(Example("x = h(a, b)\n", "x = h(a)\n"),),
    ),
    Template(
        name="keyword-renamed",
        source="PySStuBs (change keyword argument used)",
        prior=0.5,
        kinds=_CALL,
        rewrites=_renamed,
        examples=(
            Example(
                "def g(x, color=None):\n    return x\n\n\ny = g(1, colour=2)\n",
                "def g(x, color=None):\n    return x\n\n\ny = g(1, color=2)\n",
            ),
        ),
        never=(
            Example(
                "def g(x, color=None):\n    return x\n\n\ny = g(1, colour=2)\n",
                "def g(x, color=None):\n    return x\n\n\ny = g(1, x=2)\n",
            ),
        ),
    ),
)
