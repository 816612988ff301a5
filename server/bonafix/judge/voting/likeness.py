"""Whether two fixes do the same, as far as a test could tell; pure.

Their authors count and round in another order, and raise with other words: none of it
is another behaviour.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import Literal

from bonafix.calls import Behaviour, Value
from bonafix.judge.calls.showing import NOTE

NEAR = 1e-6  # relative, as `pytest.approx` has it: another order is the same sum
ROUGH = 1e-2  # the same at the tested calls: what a test may have let pass
_ZERO = 1e-12
_NUMBERS = frozenset({"int", "float"})
_NUMBER = re.compile(r"(-?\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)")
_WHOLE = re.compile(r"-?\d+$")
_TRUTH = re.compile(r": (?:True|False)$")

# What can be compared: all, the answers but not the arguments' state, or nothing.
Sight = Literal["all", "answers", "none"]


def alike(
    one: Behaviour, other: Behaviour, sight: Sight = "all", near: float = NEAR
) -> bool:
    """The same as tests can tell: a number's type and last digits do not count."""
    if one.kind != other.kind:
        return False
    if one.kind == "raise" and one.exception != other.exception:
        return False
    if not _close(one.value, other.value, near):
        return False
    if sight == "answers":
        return one.printed == other.printed
    states = itertools.zip_longest(one.after, other.after)
    if one.printed != other.printed:
        return False
    return all(_close(a, b, near) for a, b in states)


def _close(one: Value | None, other: Value | None, near: float = NEAR) -> bool:
    if one is None or other is None:
        return one is other
    if one.type in _NUMBERS and other.type in _NUMBERS:
        return _equal(one.text, other.text, near)
    if one.type != other.type or one.names != other.names:
        return False
    if one.type == NOTE:
        return _noted(one.text, other.text, near)
    if one.text != other.text and one.type != "opaque":
        return False
    if len(one.items) != len(other.items):
        return False
    pairs = zip(one.items, other.items, strict=True)
    return all(_close(a, b, near) for a, b in pairs)


def _noted(one: str, other: str, near: float) -> bool:
    """Two notes of what a test saw; whether it was what the test wants is no part."""
    mine, its = (_NUMBER.split(_TRUTH.sub("", text)) for text in (one, other))
    if mine[::2] != its[::2]:
        return False
    numbers = zip(mine[1::2], its[1::2], strict=True)
    return all(_equal(a, b, near) for a, b in numbers)


def _equal(one: str, other: str, near: float) -> bool:
    """Two numbers; integers are the same or not."""
    if one == other or (_WHOLE.match(one) and _WHOLE.match(other)):
        return one == other
    a, b = float(one), float(other)  # beyond all floats it is infinite
    if not math.isfinite(a) or not math.isfinite(b):
        return False
    return math.isclose(a, b, rel_tol=near, abs_tol=_ZERO)


def apart(one: Behaviour, other: Behaviour) -> tuple[Value, Value] | None:
    """The first innermost place where two behaviours differ; `None` for none."""
    if one.value and other.value and not _close(one.value, other.value):
        return _innermost(one.value, other.value)
    for a, b in zip(one.after, other.after, strict=False):
        if a and b and not _close(a, b):
            return _innermost(a, b)
    return None


def _innermost(one: Value, other: Value) -> tuple[Value, Value]:
    fits = one.type == other.type and len(one.items) == len(other.items)
    if not fits or not one.items or one.names != other.names:
        return one, other
    differing = [
        (a, b) for a, b in zip(one.items, other.items, strict=True) if not _close(a, b)
    ]
    return _innermost(*differing[0])
