"""How text is put together: an `f` forgotten, digits, padding, codes of dates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee, operator
from bonafix.propose.search.kinds import head, is_number, kind
from bonafix.propose.search.template import Example, Rewrite, Template, replace

_FIELD = re.compile(r"(?<!\{)\{([A-Za-z_][\w.]*)[^{}]*\}(?!\})")
_SPEC = re.compile(
    r"(?P<fill>.?[<>^=])?(?P<sign>[+ -])?(?P<alt>#)?(?P<zero>0)?"
    r"(?P<width>\d+)?(?P<comma>[,_])?(?P<digits>\.\d+)?(?P<type>[bcdeEfFgGnosxX%])?$"
)
_PERCENT = re.compile(
    r"%%|%(?P<flags>[0-]*)(?P<width>\d*)(?P<digits>\.\d+)?(?P<type>[a-zA-Z])"
)
_DATES = (
    *(("m", "M"), ("H", "I"), ("y", "Y"), ("b", "B"), ("a", "A"), ("d", "m")),
    *(("d", "j"), ("M", "m")),
)
_DATED = {"strftime", "strptime"}
_TYPES = {
    "d": ("02d", ",", ""),
    "f": ("e", "g", "%"),
    "x": ("X", "02x"),
    "X": ("x",),
    "s": ("r",),
}
_MOST_DIGITS = 6


def _f_missing(site: Site) -> Iterator[Rewrite]:
    """`"{name}"` with a name in scope to `f"{name}"`."""
    text = site.node.text
    parent = site.node.parent
    formatted = parent is not None and parent.kind == "attribute"
    if text[:1] not in {"'", '"'} or formatted:
        return
    names = _FIELD.findall(text)
    if names and all(n.partition(".")[0] in site.scope.names for n in names):
        yield Rewrite(((site.node.start, site.node.start, "f"),))


def _f_needless(site: Site) -> Iterator[Rewrite]:
    """Another value in a placeholder's conversion: `{x!r}` and back."""
    conversion = next((c for c in site.node.named if c.kind == "type_conversion"), None)
    if conversion is not None:
        yield replace(conversion, "", 1.0)
        return
    value = site.node.named[0] if site.node.named else None
    plain = not any(c.kind == "format_specifier" for c in site.node.named)
    if value is not None and plain and not is_number(kind(site, value)):
        yield Rewrite(((value.end, value.end, "!r"),), 0.5)


def _spec(site: Site) -> Iterator[Rewrite]:
    """The part after the colon: one thing of it changed, left out or added."""
    written = site.node.text
    for new, weight in _changed(written.removeprefix(":")):
        if f":{new}" != written:
            yield replace(site.node, f":{new}" if new else "", weight)


def _changed(spec: str) -> Iterator[tuple[str, float]]:
    found = _SPEC.match(spec)
    if found is None:
        return
    part = {name: value or "" for name, value in found.groupdict().items()}
    for digits in _digits(part["digits"]):
        yield _joined(part, digits=digits), 1.0
    if part["width"]:
        width = int(part["width"])
        yield _joined(part, zero="" if part["zero"] else "0"), 1.0
        for other in (width + 1, width - 1):
            yield _joined(part, width=str(other) if other > 0 else ""), 0.7
    yield from _sides(part)
    yield from _marks(part)


def _sides(part: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Where the padding goes."""
    for sign in "<>^":
        if part["fill"] and part["fill"][-1] != sign:
            yield _joined(part, fill=part["fill"][:-1] + sign), 1.0
        elif part["width"] and not part["fill"] and not part["zero"]:
            yield _joined(part, fill=sign), 0.9


def _marks(part: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Commas and signs, where the type allows them, and another type."""
    if part["comma"] or part["type"] in {*"deEfFgG%", ""}:
        yield _joined(part, comma="" if part["comma"] else ","), 0.5
    if part["sign"] or part["type"] not in {"s", "c"}:
        yield _joined(part, sign="" if part["sign"] else "+"), 0.3
    types = {"f": "%e", "x": "Xo", "X": "x", "%": "f", "": "f"}
    for other in types.get(part["type"], ""):
        yield _joined(part, type=other), 0.5


def _joined(part: dict[str, str], **new: str) -> str:
    return "".join({**part, **new}.values())


def _digits(digits: str) -> Iterator[str]:
    """One digit more and one fewer."""
    if digits:
        count = int(digits[1:])
        for other in (count + 1, count - 1):
            if 0 <= other <= _MOST_DIGITS:
                yield f".{other}"


def _spec_missing(site: Site) -> Iterator[Rewrite]:
    """`{x}` to `{x:.2f}` and the like, as far as the kind of `x` allows it."""
    value = site.node.named[0] if site.node.named else None
    if value is None or any(c.kind == "format_specifier" for c in site.node.named):
        return
    of = head(kind(site, value))
    specs: list[tuple[str, float]] = []
    if of in {"float", ""}:
        specs += [(".2f", 1.0), (".1f", 0.7), (",.2f", 0.4), (".0f", 0.3)]
    if of in {"int", ""}:
        specs += [("02d", 1.0), (",", 0.7), ("03d", 0.3)]
    for spec, weight in specs:
        at = value.end
        yield Rewrite(((at, at, f":{spec}"),), weight * (1.0 if of else 0.5))


def _percent(site: Site) -> Iterator[Rewrite]:
    """The codes of `"%d" % x`: type, padding, digits."""
    parent = site.node.parent
    if parent is None or parent.kind != "binary_operator":
        return
    if (
        "%" not in [c.kind for c in parent.children]
        or parent.child("left") != site.node
    ):
        return
    for found in _PERCENT.finditer(site.node.text):
        if found[0] == "%%":
            continue
        flags, width, digits = found["flags"], found["width"], found["digits"] or ""
        at = site.node.start + found.start(), site.node.start + found.end()
        for new, weight in _codes(flags, width, digits, found["type"]):
            yield Rewrite(((*at, f"%{new}"),), weight)


def _codes(
    flags: str, width: str, digits: str, code: str
) -> Iterator[tuple[str, float]]:
    for other in {"d": "sf", "s": "dr", "f": "ds", "r": "s", "x": "X"}.get(code, ""):
        yield f"{flags}{width}{digits if other == 'f' else ''}{other}", 0.8
    for fewer in _digits(digits):
        yield f"{flags}{width}{fewer}{code}", 1.0
    if code == "f" and not digits:
        yield f"{flags}{width}.2f", 1.0
    if width:
        swapped = flags.replace("0", "") if "0" in flags else f"0{flags}"
        yield f"{swapped}{width}{digits}{code}", 0.9
        sided = flags.replace("-", "") if "-" in flags else f"-{flags}"
        yield f"{sided}{width}{digits}{code}", 0.8
    elif code == "d":
        yield f"02{code}", 0.7


def _percent_tuple(site: Site) -> Iterator[Rewrite]:
    """`"%s" % x` to `"%s" % (x,)`, where x may be a tuple."""
    left, right = site.node.child("left"), site.node.child("right")
    if left is None or right is None or operator(site.node) != "%":
        return
    one = len([m for m in _PERCENT.finditer(left.text) if m[0] != "%%"]) == 1
    named = right.kind in {"identifier", "attribute"}
    if left.kind == "string" and one and named and not is_number(kind(site, right)):
        yield replace(right, f"({right.text},)")


def _dates(site: Site) -> Iterator[Rewrite]:
    """The codes of `strftime`: `%m` for `%M`, day and month the wrong way round."""
    call = site.node.parent.parent if site.node.parent is not None else None
    if call is None or call.kind != "call" or callee(call) not in _DATED:
        return
    text = site.node.text
    for a, b in _DATES:
        for old, new in ((a, b), (b, a)):
            if f"%{old}" in text and f"%{new}" not in text:
                yield replace(site.node, text.replace(f"%{old}", f"%{new}"))
    if "%d" in text and "%m" in text:
        turned = text.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
        yield replace(site.node, turned)


_STRING = frozenset({"string"})

TEMPLATES = (
    Template(
        name="f-missing",
        source="PySStuBs (change string literal); a common slip of f-strings",
        prior=0.7,
        kinds=_STRING,
        rewrites=_f_missing,
        examples=(
            Example(
                "def f(n):\n    return 'hi {n}'\n", "def f(n):\n    return f'hi {n}'\n"
            ),
        ),
        never=(
            Example(
                "def f(n):\n    return 'hi {n}'.format(n=n)\n",
                "def f(n):\n    return f'hi {n}'.format(n=n)\n",
            ),
            Example(
                "def f(n):\n    return 'hi {m}'\n", "def f(n):\n    return f'hi {m}'\n"
            ),
        ),
    ),
    Template(
        name="format-spec",
        source="TBar FP9 (mutate literal), for format specifications",
        prior=0.4,
        kinds=frozenset({"format_specifier"}),
        rewrites=_spec,
        examples=(
            Example("x = f'{y:.1f}'\n", "x = f'{y:.2f}'\n"),
            Example("x = f'{y:5}'\n", "x = f'{y:05}'\n"),
            Example("x = f'{y:<5}'\n", "x = f'{y:>5}'\n"),
        ),
        never=(
            Example("x = f'{y:x}'\n", "x = f'{y:,x}'\n"),
            Example("x = f'{y:%H:%M}'\n", "x = f'{y:,%H:%M}'\n"),
        ),
    ),
    Template(
        name="format-spec-missing",
        source="TBar FP9 (mutate literal), for format specifications",
        prior=0.2,
        kinds=frozenset({"interpolation"}),
        rewrites=_spec_missing,
        examples=(Example("x = f'{y}'\n", "x = f'{y:.2f}'\n"),),
        never=(
            Example(
                "def f():\n    y = 'a'\n    return f'{y}'\n",
                "def f():\n    y = 'a'\n    return f'{y:.2f}'\n",
            ),
        ),
    ),
    Template(
        name="format-conversion",
        source="TBar FP9 (mutate literal), for format specifications",
        prior=0.2,
        kinds=frozenset({"interpolation"}),
        rewrites=_f_needless,
        examples=(
            Example("x = f'{y!r}'\n", "x = f'{y}'\n"),
            Example("x = f'{y}'\n", "x = f'{y!r}'\n"),
        ),
        never=(Example("x = f'{y:.2f}'\n", "x = f'{y!r:.2f}'\n"),),
    ),
    Template(
        name="percent-code",
        source="TBar FP9 (mutate literal), for format specifications",
        prior=0.4,
        kinds=_STRING,
        rewrites=_percent,
        examples=(
            Example("x = '%d' % y\n", "x = '%s' % y\n"),
            Example("x = '%2d:%2d' % y\n", "x = '%02d:%2d' % y\n"),
        ),
        never=(Example("x = '%%d %s' % y\n", "x = '%%s %s' % y\n"),),
    ),
    Template(
        name="percent-tuple",
        source="Python's reference (formatting of a tuple); the interpreter's own hint",
        prior=0.1,
        kinds=frozenset({"binary_operator"}),
        rewrites=_percent_tuple,
        examples=(Example("x = '%s' % y\n", "x = '%s' % (y,)\n"),),
        never=(
            Example("x = z % y\n", "x = z % (y,)\n"),
            Example("x = '%s %s' % y\n", "x = '%s %s' % (y,)\n"),
        ),
    ),
    Template(
        name="date-code",
        source="TBar FP9 (mutate literal), for codes of dates",
        prior=0.5,
        kinds=_STRING,
        rewrites=_dates,
        examples=(
            Example("x = d.strftime('%Y-%M-%d')\n", "x = d.strftime('%Y-%m-%d')\n"),
            Example("x = d.strftime('%m/%d')\n", "x = d.strftime('%d/%m')\n"),
        ),
        never=(Example("x = show('%Y-%M')\n", "x = show('%Y-%m')\n"),),
    ),
)
