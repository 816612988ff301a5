"""Calls of built-in functions and methods on constants; pure, bounded, a short list.

Only what turns literals into other literals: the ways in which a value can be
written so that it is not seen.
"""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Callable, Sequence

_LONGEST = 10_000  # characters or items that a call may take or give


class CallError(Exception):
    """The call is not one whose result is known."""


def _texts(values: object) -> list[str]:
    if not isinstance(values, list | tuple | str):
        raise CallError
    if not all(isinstance(value, str) for value in values):
        raise CallError
    return [str(value) for value in values]


def _range(*ends: int) -> range:
    found = range(*ends)
    if len(found) > _LONGEST:
        raise CallError
    return found


def _bytes(value: object) -> bytes:
    if isinstance(value, list | tuple | range | bytes):
        return bytes(value)
    raise CallError  # bytes(10 ** 9) would be zeros


def _reversed(value: object) -> list[object]:
    if isinstance(value, str | bytes | list | tuple | range):
        return list(value[::-1])
    raise CallError


def _b64(value: str | bytes) -> bytes:
    try:
        return base64.b64decode(value)
    except binascii.Error as error:
        raise CallError from error


def _rot13(value: str, name: str) -> str:
    if name.replace("_", "") != "rot13":
        raise CallError
    return codecs.decode(value, "rot13")


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "complex": complex,
    "chr": chr,
    "ord": ord,
    "len": len,
    "sum": sum,
    "abs": abs,
    "repr": repr,
    "min": min,
    "max": max,
    "round": round,
    "hex": hex,
    "oct": oct,
    "bin": bin,
    "tuple": tuple,
    "list": list,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
    "sorted": sorted,
    "divmod": divmod,
    "ascii": ascii,
    "range": _range,
    "bytes": _bytes,
    "bytearray": _bytes,
    "reversed": _reversed,
    "bytes.fromhex": bytes.fromhex,
    "bytearray.fromhex": bytes.fromhex,
    "float.fromhex": float.fromhex,
    "base64.b64decode": _b64,
    "b64decode": _b64,
    "binascii.unhexlify": bytes.fromhex,
    "codecs.decode": _rot13,
}
# Methods whose results are no longer than what they were given.
_METHODS = {
    str: {
        *("upper", "lower", "title", "capitalize", "swapcase", "casefold", "strip"),
        *("lstrip", "rstrip", "encode", "split", "rsplit", "partition", "splitlines"),
        *("removeprefix", "removesuffix", "index", "find", "count", "isdigit"),
    },
    bytes: {"decode", "hex", "strip", "upper", "lower", "split"},
    dict: {"get"},
    list: {"index", "count"},
    tuple: {"index", "count"},
    int: {"bit_length"},
}


def called(name: str, arguments: Sequence[object]) -> object:
    """The value of `name(*arguments)`.

    Raises:
        CallError: it is not on the list, or too large to be a literal.
        TypeError, ValueError: such a call fails.
    """
    function = _FUNCTIONS.get(name)
    if function is None or not all(map(_short, arguments)):
        raise CallError
    return function(*arguments)


def method_called(owner: object, name: str, arguments: Sequence[object]) -> object:
    """The value of `owner.name(*arguments)`; raises as `called` does."""
    if not _short(owner) or not all(map(_short, arguments)):
        raise CallError
    if name == "join" and isinstance(owner, str) and len(arguments) == 1:
        return owner.join(_texts(arguments[0]))
    if name == "replace" and isinstance(owner, str) and len(arguments) == 2:  # noqa: PLR2004  # the two texts
        return _replaced(owner, *_texts(list(arguments)))
    if name not in _METHODS.get(type(owner), ()):
        raise CallError
    method: Callable[..., object] = getattr(owner, name)
    return method(*arguments)


def _replaced(owner: str, old: str, new: str) -> str:
    if (len(owner) + 1) * (len(new) + 1) > _LONGEST:
        raise CallError
    return owner.replace(old, new)


def _short(value: object) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= _LONGEST
    if isinstance(value, str | bytes | list | tuple | dict | set | frozenset | range):
        return len(value) <= _LONGEST
    return True
