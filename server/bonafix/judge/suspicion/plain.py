"""The tree of a recorded value in, the value itself out where it is a plain one; pure.

Plain are the built-in types that have a literal: they compare as everyone expects, and
a person can type them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import Final

from bonafix.calls import Value


class _NotPlain(Enum):
    NOT_PLAIN = "not plain"


NOT_PLAIN: Final = _NotPlain.NOT_PLAIN

_LEAVES: dict[str, Callable[[str], object]] = {
    "NoneType": lambda _: None,
    "bool": lambda text: text == "True",
    "int": int,
    "float": float,
    "complex": complex,
    "str": str,
    "bytes": lambda text: text.encode("latin-1"),
}
_HOLDERS: dict[str, Callable[[list[object]], object]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": lambda items: dict(zip(items[::2], items[1::2], strict=True)),
}


def plain(value: Value) -> object:
    """The value, or `NOT_PLAIN`: an object, a NaN, or a tree that is none of ours."""
    try:
        return _made(value)
    except (ValueError, TypeError, RecursionError, UnicodeError):
        return NOT_PLAIN


def _made(value: Value) -> object:
    if value.type in _LEAVES and not value.items:
        leaf = _LEAVES[value.type](value.text)
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise ValueError(value.text)  # it has no literal, and a NaN no equal
        return leaf
    if value.type not in _HOLDERS or value.names:
        raise TypeError(value.type)
    return _HOLDERS[value.type]([_made(item) for item in value.items])
