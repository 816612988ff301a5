"""Observed values to JSON and back, by their declared types; pure.

Dataclasses become objects without the fields that have their default; what comes back
is checked against the types, so that a file which anyone may have spoilt is refused
and never half believed.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Literal, TypeVar

_T = TypeVar("_T")
_Reader = Callable[[object], object]
_PLAIN: tuple[type, ...] = (str, int, bool, float)


class ShapeError(ValueError):
    """A value is not of the type that was asked for."""


def pack(value: object) -> object:
    """`value` in JSON's own types."""
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): pack(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(pack(item) for item in value)  # type: ignore[type-var]  # of one kind
    if isinstance(value, tuple):
        return [pack(item) for item in value]
    return value


def _fields(value: object) -> dict[str, object]:
    found = {}
    for name, default in _defaults(type(value)):  # type: ignore[arg-type]  # a class
        inner = getattr(value, name)
        if inner is not default and inner != default:
            found[name] = pack(inner)
    return found


@cache
def _defaults(kind: type) -> tuple[tuple[str, object], ...]:
    """Each field with its default, or with something that equals nothing."""
    assert dataclasses.is_dataclass(kind)
    found = []
    for field in dataclasses.fields(kind):
        default: object = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append((field.name, default))
    return tuple(found)


def unpack(kind: type[_T], value: object) -> _T:
    """The value of type `kind` that `pack` made `value` of.

    Raises:
        ShapeError: `value` has another shape.
    """
    return typing.cast("_T", _reader(kind)(value))  # type: ignore[arg-type]  # a class


@cache
def _reader(hint: Hashable) -> _Reader:
    """What reads values of a type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and hint in _PLAIN:
        return _plain(hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _member(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(hint)
    if origin is Literal:
        return _choice(frozenset(inner))
    if origin in {types.UnionType, typing.Union}:
        return _optional(next(one for one in inner if one is not type(None)))
    if origin is Mapping:
        return _mapping(inner[1])
    if origin in {tuple, frozenset}:
        assert origin is not None
        return _several(origin, inner[0])
    raise TypeError(f"nothing reads {hint}")


def _plain(kind: type) -> _Reader:
    allowed = {float, int} if kind is float else {kind}

    def read(value: object) -> object:
        if type(value) not in allowed:
            raise ShapeError(f"{kind.__name__} expected")
        return value

    return read


def _member(kind: type[enum.Enum]) -> _Reader:
    def read(value: object) -> object:
        try:
            return kind(value)
        except ValueError as error:
            raise ShapeError(str(error)) from error

    return read


def _choice(allowed: frozenset[object]) -> _Reader:
    def read(value: object) -> object:
        if not isinstance(value, str) or value not in allowed:
            raise ShapeError(f"one of {sorted(map(str, allowed))} expected")
        return value

    return read


def _optional(hint: object) -> _Reader:
    inner = _reader(hint)
    return lambda value: None if value is None else inner(value)


def _mapping(hint: object) -> _Reader:
    inner = _reader(hint)

    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise ShapeError("an object expected")
        return {key: inner(item) for key, item in value.items()}

    return read


def _several(kind: Callable[[list[object]], object], hint: object) -> _Reader:
    inner = _reader(hint)

    def read(value: object) -> object:
        if not isinstance(value, list):
            raise ShapeError("a list expected")
        return kind([inner(item) for item in value])

    return read


def _object(kind: type) -> _Reader:
    readers: dict[str, _Reader] = {}  # filled when one is read: types may nest

    def read(value: object) -> object:
        if not readers:
            hints = typing.get_type_hints(kind)
            readers.update({name: _reader(hint) for name, hint in hints.items()})
        if not isinstance(value, dict) or not value.keys() <= readers.keys():
            raise ShapeError(f"the fields of {kind.__name__} expected")
        found = {name: readers[name](item) for name, item in value.items()}
        try:
            return kind(**found)
        except TypeError as error:  # a field without a default is missing
            raise ShapeError(str(error)) from error

    return read
