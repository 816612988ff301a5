"""Operators on constants, refused where the result would be no literal; pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from bonafix.judge.reading.calling import CallError

SIZE = 100_000  # of numbers in bits, of texts in characters, of containers in items
_WIDTH = re.compile(r"%[^%a-zA-Z]*(\d{4}|\*)")  # would make a text of any length

_BINARY: dict[str, Callable[[object, object], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
_WIDTH = re.compile(r"%[^%a-zA-Z]*(\d{4}|\*)")  # would make a text of any length


def combined(sign: str, a: object, b: object) -> object:
    """The value of `a sign b`.

    Raises:
        CallError: there is no such operator, or the result would be too large.
        TypeError, ValueError, ArithmeticError: the operation fails.
    """
    if sign == "**":
        return _power(a, b)
    if sign in {"*", "<<"} and not _modest(sign, a, b):
        raise CallError
    if sign == "%" and not isinstance(a, int | float) and _WIDTH.search(str(a)):
        raise CallError
    if sign not in _BINARY:
        raise CallError
    return _BINARY[sign](a, b)


def small(value: object) -> bool:
    """Whether a value has a size that a person might have written."""
    if isinstance(value, int):
        return value.bit_length() <= SIZE
    if isinstance(value, str | bytes | list | tuple | dict | set | frozenset | range):
        return len(value) <= SIZE
    return True


def _modest(sign: str, a: object, b: object) -> bool:
    """Whether a product or a shift stays small: it is not made to find out."""
    if sign == "<<":
        shifted = isinstance(a, int) and isinstance(b, int)
        return shifted and isinstance(b, int) and b <= SIZE
    for times, held in ((a, b), (b, a)):
        if isinstance(held, str | bytes | list | tuple) and isinstance(times, int):
            return abs(times) * len(held) <= SIZE
    return True  # numbers, each of which is small


def _power(a: object, b: object) -> object:
    if isinstance(a, int) and isinstance(b, int):
        if b > 0 and a.bit_length() * b > SIZE:
            raise CallError
        return a**b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a**b
    raise CallError
