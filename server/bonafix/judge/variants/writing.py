"""Expressions of a test as values that can be varied, and such values as source; pure.

A value of type `code` is an expression that nobody understands here: `text` is its
source with a hole for each of `items`. A value's callee, where there is one, is the
first of its `names`: `Decimal('1.5')` is written as the test's author writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from bonafix.calls import Value
from bonafix.judge.reading.folding import fold, known
from bonafix.syntax import Node

CODE = "code"
HOLE = "\0"
_LONGEST = 2_000  # characters of a text that is varied
_DISPLAYS = {
    "list": ("list", "[", "]"),
    "tuple": ("tuple", "(", ")"),
    "set": ("set", "{", "}"),
    "dictionary": ("dict", "{", "}"),
}
_BRACKETS = {kind: (start, end) for kind, start, end in _DISPLAYS.values()}
_SPLATS = {"list_splat", "dictionary_splat", "comment"}


def leaf_of(node: Node) -> Value | None:
    """A literal, a constant expression, or a number or date made from such."""
    made = _made(node) if node.kind == "call" else None
    if made is not None:
        return made
    if node.kind in _DISPLAYS or node.kind in {"call", "identifier"}:
        return None
    value = fold(node)
    kind = type(value).__name__
    if not known(value) or kind not in {"int", "float", "str", "bytes", "bool"}:
        return None
    if isinstance(value, str | bytes) and len(value) > _LONGEST:
        return None
    if isinstance(value, bytes):
        return Value(kind, value.decode("latin-1"))
    return Value(kind, value if isinstance(value, str) else repr(value))


def display_of(node: Node, inner: Callable[[Node], Value]) -> Value | None:
    """A list, tuple, set or dictionary that is written out; `inner` reads its parts."""
    if node.kind not in _DISPLAYS or any(n.kind in _SPLATS for n in node.named):
        return None
    kind = _DISPLAYS[node.kind][0]
    parts: list[Node] = []
    for child in node.named:
        if kind == "dict":
            key, value = child.child("key"), child.child("value")
            if key is None or value is None:
                return None
            parts += [key, value]
        else:
            parts.append(child)
    return Value(kind, items=tuple(inner(part) for part in parts))


# ---------------------------------------------------------------------- as source


def written(value: Value) -> str:
    """The source of a value."""
    if value.type == CODE:
        pieces = value.text.split(HOLE)
        inner = [*map(written, value.items), ""]
        return "".join(a + b for a, b in zip(pieces, inner, strict=True))
    if value.type in _BRACKETS:
        return _displayed(value)
    if value.type == "str":
        return ascii(value.text)
    if value.type == "bytes":
        return ascii(value.text.encode("latin-1"))
    if value.type in _ARGUMENTS and value.names:
        return f"{value.names[0]}({_ARGUMENTS[value.type](value.text)})"
    return value.text


def _displayed(value: Value) -> str:
    start, end = _BRACKETS[value.type]
    inner = [written(item) for item in value.items]
    if value.type == "set" and not inner:
        return "set()"
    if value.type == "dict":
        pairs = zip(inner[::2], inner[1::2], strict=True)
        inner = [f"{key}: {part}" for key, part in pairs]
    tail = "," if value.type == "tuple" and len(inner) == 1 else ""
    return f"{start}{', '.join(inner)}{tail}{end}"


# ------------------------------------------------------- numbers and dates by calls


def _made(call: Node) -> Value | None:
    callee, given = call.child("function"), call.child("arguments")
    if callee is None or given is None or given.kind != "argument_list":
        return None
    maker = _MAKERS.get(callee.text.rpartition(".")[2])
    if maker is None or not re.fullmatch(r"[\w.]+", callee.text):
        return None
    arguments = [fold(node) for node in given.named]
    if not arguments or not all(type(one) in {int, str} for one in arguments):
        return None
    kind, make = maker
    try:
        return Value(kind, make(arguments), names=(callee.text,))
    except (ArithmeticError, TypeError, ValueError):
        return None  # the test wants it refused, perhaps


def _decimal(given: list[object]) -> str:
    [only] = given
    found = Decimal(only) if isinstance(only, int | str) else Decimal(0)
    if not found.is_finite():
        raise ValueError(only)
    return str(found)


def _ints(given: list[object]) -> list[int]:
    if not all(isinstance(one, int) for one in given):
        raise TypeError(given)
    return [one for one in given if isinstance(one, int)]


def _fraction(given: list[object]) -> str:
    return str(
        Fraction(given[0])
        if isinstance(given[0], str) and len(given) == 1
        else Fraction(*_ints(given))
    )


def _timedelta(given: list[object]) -> str:
    found = timedelta(*_ints(given))
    return f"{found.days} {found.seconds} {found.microseconds}"


def _datetime(given: list[object]) -> str:
    return datetime(*_ints(given)).isoformat()  # type: ignore[arg-type]  # noqa: DTZ001 - a wrong number raises TypeError


def _time(given: list[object]) -> str:
    return time(*_ints(given)).isoformat()  # type: ignore[arg-type]  # as above


_MAKERS: Mapping[str, tuple[str, Callable[[list[object]], str]]] = {
    "Decimal": ("decimal.Decimal", _decimal),
    "Fraction": ("fractions.Fraction", _fraction),
    "date": ("datetime.date", lambda given: date(*_ints(given)).isoformat()),
    "datetime": ("datetime.datetime", _datetime),
    "time": ("datetime.time", _time),
    "timedelta": ("datetime.timedelta", _timedelta),
}


def _moment(text: str) -> str:
    found = datetime.fromisoformat(text)
    parts = [*found.timetuple()[:6], found.microsecond]
    while len(parts) > 5 and not parts[-1]:  # noqa: PLR2004 - hour and minute stay
        parts.pop()
    return ", ".join(map(str, parts))


def _clock(text: str) -> str:
    found = time.fromisoformat(text)
    return f"{found.hour}, {found.minute}, {found.second}, {found.microsecond}"


_ARGUMENTS: Mapping[str, Callable[[str], str]] = {
    "decimal.Decimal": repr,
    "fractions.Fraction": repr,
    "datetime.date": lambda text: ", ".join(str(int(p)) for p in text.split("-")),
    "datetime.datetime": _moment,
    "datetime.time": _clock,
    "datetime.timedelta": lambda text: ", ".join(text.split()),
}
