"""Domain values to JSON values and back, by their declared types; pure.

Dataclasses become objects, enumerations their values, tuples and sets lists (sets
sorted). Bytes become text in which those that are not UTF-8 are lone surrogates
(`surrogateescape`): readable, and the same bytes when read back. A number that JSON
cannot hold becomes null.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeVar, Union, cast

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_T = TypeVar("_T")


class CodecError(ValueError):
    """A JSON value is not what the type asks for; says where."""


def to_json(value: object) -> Json:
    """`value` in JSON's own types.

    Raises:
        TypeError: it is of a type that has no form in JSON.
    """
    if isinstance(value, enum.Enum):
        return to_json(value.value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, Path):
        return str(value)
    return _container(value)


def _container(value: object) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(to_json(key)): to_json(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((to_json(item) for item in value), key=str)
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def text_of(data: bytes) -> str:
    """Bytes as text from which `bytes_of` makes the same bytes again."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes that `text_of` made `text` of."""
    return text.encode("utf-8", "surrogateescape")


def from_json(kind: type[_T], value: object) -> _T:
    """The value of type `kind` that `to_json` made `value` of.

    Keys that `kind` does not know are passed over, and those that are missing take
    their defaults, so that records of other versions can be read.

    Raises:
        CodecError: `value` has another shape.
    """
    return cast("_T", _read(kind, value, "$"))


def _read(hint: object, value: object, where: str) -> object:
    if hint is object:
        return value
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass(hint, value, where)
    origin = typing.get_origin(hint)
    if origin in {Union, types.UnionType}:
        return _either(typing.get_args(hint), value, where)
    if origin is typing.Literal:
        return _checked(value in typing.get_args(hint), value, where)
    if origin is not None:
        return _generic(origin, typing.get_args(hint), value, where)
    assert isinstance(hint, type)
    return _scalar(hint, value, where)


def _dataclass(kind: type, value: object, where: str) -> object:
    table = _table(value, where)
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind) if field.name in table]
    given = {name: _read(hints[name], table[name], f"{where}.{name}") for name in names}
    try:
        return kind(**given)
    except TypeError as error:
        raise CodecError(f"{where}: {error}") from error


def _either(options: Sequence[object], value: object, where: str) -> object:
    if value is None and type(None) in options:
        return None
    first = next(option for option in options if option is not type(None))
    return _read(first, value, where)


def _generic(
    origin: object, args: Sequence[object], value: object, where: str
) -> object:
    if isinstance(origin, type) and issubclass(origin, Mapping):
        table = _table(value, where)
        return {
            _read(args[0], key, where): _read(args[1], item, f"{where}.{key}")
            for key, item in table.items()
        }
    if not isinstance(value, list):
        raise CodecError(f"{where}: a list was expected")
    items = [_read(args[0], item, f"{where}[{n}]") for n, item in enumerate(value)]
    return frozenset(items) if origin is frozenset else tuple(items)


def _scalar(kind: type, value: object, where: str) -> object:
    if issubclass(kind, enum.Enum):
        known = {member.value for member in kind}
        return kind(_checked(isinstance(value, str) and value in known, value, where))
    if kind is bytes:
        return bytes_of(str(_checked(isinstance(value, str), value, where)))
    if kind is Path:
        return Path(str(_checked(isinstance(value, str), value, where)))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    same = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
    return _checked(same, value, where)


def _table(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise CodecError(f"{where}: an object was expected")
    return value


def _checked(fits: bool, value: object, where: str) -> object:  # noqa: FBT001
    if not fits:
        raise CodecError(f"{where}: {value!r:.80} was not expected")
    return value
