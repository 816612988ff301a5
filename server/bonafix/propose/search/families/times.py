"""Units of times and angles: seconds for milliseconds, days left out, degrees."""

from __future__ import annotations

from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, operator, positional, role
from bonafix.propose.search.families.units import SCALING, UNITS
from bonafix.propose.search.template import Example, Rewrite, Template, replace, wrap

_PERIODS = ("milliseconds", "seconds", "minutes", "hours", "days", "weeks")
_SECONDS = {"time", "timestamp", "total_seconds", "perf_counter", "monotonic"}
_WAITS = {"sleep", "fromtimestamp", "utcfromtimestamp", "timeout"}
_TURNED = {"sin", "cos", "tan"}
_FOUND = {"asin", "acos", "atan", "atan2", "phase"}
_CALL = frozenset({"call"})


def _period(site: Site) -> Iterator[Rewrite]:
    """`timedelta(seconds=x)` to another period, the nearest first."""
    label, call = site.node.child("name"), site.node.parent
    call = call.parent if call is not None else None
    if label is None or call is None or callee(call) not in {"timedelta", "replace"}:
        return
    if label.text not in _PERIODS:
        return
    place = _PERIODS.index(label.text)
    for other in _PERIODS:
        away = abs(_PERIODS.index(other) - place)
        if away and f"{other}=" not in call.text:
            yield replace(label, other, 1.0 / away)


def _whole(site: Site) -> Iterator[Rewrite]:
    """`d.seconds`, which leaves the days out, to `d.total_seconds()`; and back."""
    thing, name = site.node.child("object"), site.node.child("attribute")
    if thing is None or name is None or role(site.node) in {"bound", "called"}:
        return
    if name.text == "seconds":
        yield replace(name, "total_seconds()")
        yield replace(name, "days", 0.5)
    elif name.text == "days":
        yield replace(name, "total_seconds()", 0.4)
        yield replace(name, "seconds", 0.4)
    elif name.text == "microseconds":
        yield replace(name, "total_seconds()", 0.4)


def _milliseconds(site: Site) -> Iterator[Rewrite]:
    """A time in seconds where milliseconds are wanted, and back."""
    node, name, given = site.node, callee(site.node), positional(site.node)
    scaled = node.parent is not None and operator(node.parent) in SCALING
    if name in _SECONDS and not given and not scaled:
        yield wrap(node, "", " * 1000")
        yield wrap(node, "", " / 60", 0.6)
        yield wrap(node, "int(", " * 1000)", 0.5)
    elif name in _WAITS and len(given) == 1 and given[0].kind != "binary_operator":
        yield wrap(given[0], "", " / 1000")


def _angle(site: Site) -> Iterator[Rewrite]:
    """Degrees given to `sin`, radians taken from `atan2`."""
    node, given = site.node, positional(site.node)
    function, arguments = node.child("function"), node.parent
    around = arguments.parent if arguments is not None else None
    if function is None or not function.text.startswith("math.") or not given:
        return
    if callee(node) in _TURNED and "radians(" not in given[0].text:
        yield wrap(given[0], "math.radians(", ")")
    turned = around is not None and around.kind == "call" and callee(around)
    if callee(node) in _FOUND and turned != "degrees":
        yield wrap(node, "math.degrees(", ")")


TEMPLATES = (
    Template(
        name="period",
        source=f"PySStuBs (change keyword argument used); {UNITS}",
        prior=0.3,
        kinds=frozenset({"keyword_argument"}),
        rewrites=_period,
        examples=(Example("x = timedelta(seconds=a)\n", "x = timedelta(minutes=a)\n"),),
        never=(
            Example("x = wait(seconds=a)\n", "x = wait(minutes=a)\n"),
            Example(
                "x = timedelta(hours=a, days=b)\n", "x = timedelta(days=a, days=b)\n"
            ),
        ),
    ),
    Template(
        name="seconds-of-a-period",
        source=f"PySStuBs (change attribute used); {UNITS}",
        prior=0.4,
        kinds=frozenset({"attribute"}),
        rewrites=_whole,
        examples=(
            Example("x = (a - b).seconds\n", "x = (a - b).total_seconds()\n"),
            Example("x = a.seconds\n", "x = a.days\n"),
        ),
        never=(Example("a.seconds = 1\n", "a.days = 1\n"),),
    ),
    Template(
        name="milliseconds",
        source=UNITS,
        prior=0.2,
        kinds=_CALL,
        rewrites=_milliseconds,
        examples=(
            Example("x = time.time()\n", "x = time.time() * 1000\n"),
            Example("time.sleep(delay)\n", "time.sleep(delay / 1000)\n"),
        ),
        never=(Example("x = time.time() * 1000\n", "x = time.time() * 1000 * 1000\n"),),
    ),
    Template(
        name="angle",
        source=UNITS,
        prior=0.25,
        kinds=_CALL,
        rewrites=_angle,
        examples=(
            Example("x = math.sin(a)\n", "x = math.sin(math.radians(a))\n"),
            Example("x = math.atan2(a, b)\n", "x = math.degrees(math.atan2(a, b))\n"),
        ),
        never=(
            Example(
                "x = math.sin(math.radians(a))\n",
                "x = math.sin(math.radians(math.radians(a)))\n",
            ),
        ),
    ),
)
