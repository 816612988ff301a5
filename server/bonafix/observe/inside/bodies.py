"""Two versions of a module's code in, what replaces what out; pure.

Only bodies of functions may differ. Whatever runs when the module is imported, and
whatever a caller or a decorator could have seen of a function, must be the same.
"""

from __future__ import annotations

import dis
import inspect
import types
import typing

_FUNCTION = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS
_KIND = (
    *(inspect.CO_VARARGS, inspect.CO_VARKEYWORDS, inspect.CO_GENERATOR),
    *(inspect.CO_COROUTINE, inspect.CO_ITERABLE_COROUTINE, inspect.CO_ASYNC_GENERATOR),
)
_HAS_DOCSTRING = getattr(inspect, "CO_HAS_DOCSTRING", 0)  # 3.14 and newer
_LINE = "__firstlineno__"  # 3.13 and newer: a class knows where it begins


class UnfitError(Exception):
    """This change cannot be made in a process that is already there; says why."""


class Pair(typing.NamedTuple):
    """One function's code, before and after."""

    old: types.CodeType
    new: types.CodeType
    differs: bool  # in more than its place and the functions within
    within: int  # index of the pair of the function around it; -1: none


class Class(typing.NamedTuple):
    """Where a class began and begins."""

    name: str
    old: int
    new: int


class Compared(typing.NamedTuple):
    """What there is to replace."""

    pairs: typing.List[Pair]
    classes: typing.List[Class]


def compare(old: types.CodeType, new: types.CodeType) -> Compared:
    """Compare two modules.

    Raises:
        UnfitError: more than bodies of functions differ.
    """
    found = Compared([], [])
    if not same(old, new):
        raise UnfitError("it changes what a module runs when it is imported")
    _within(old, new, found, -1)
    return found


def _within(
    old: types.CodeType, new: types.CodeType, found: Compared, around: int
) -> None:
    """Compare what is defined in two that are the same apart from that."""
    for before, after in zip(children(old), children(new)):
        if is_function(before):
            function(before, after, found, around)
            continue
        if not same(before, after):
            raise UnfitError("it changes what a class body runs")
        name, lines = before.co_name, (before.co_firstlineno, after.co_firstlineno)
        found.classes.append(Class(name, *lines))
        _within(before, after, found, around)


def function(
    old: types.CodeType, new: types.CodeType, found: Compared, around: int
) -> None:
    """Add a function and those within; `around`: the pair of the one around it.

    Raises:
        UnfitError: it looks different from outside.
    """
    differs = not same(old, new)
    if around < 0 and _head(old) != _head(new):
        raise UnfitError("it changes a signature or a docstring")
    found.pairs.append(Pair(old, new, differs, around))
    if not differs:  # else whatever was defined in it is gone
        _within(old, new, found, len(found.pairs) - 1)


def fits(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether a function that exists can go on with the new code."""
    return _head(old) == _head(new) and old.co_freevars == new.co_freevars


def same(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether both do the same, apart from what is defined in them."""
    if _own(old) == _own(new):
        return True
    if is_function(old) or is_function(new) or old.co_name != new.co_name:
        return False
    return _class_body(old) == _class_body(new)


def children(code: types.CodeType) -> typing.List[types.CodeType]:
    """What is defined in it, in order."""
    return [const for const in code.co_consts if isinstance(const, types.CodeType)]


def is_function(code: types.CodeType) -> bool:
    """Whether it is no module and no class body."""
    return code.co_flags & _FUNCTION == _FUNCTION


def _own(code: types.CodeType) -> typing.Tuple[object, ...]:
    return (
        code.co_code,
        getattr(code, "co_exceptiontable", b""),
        tuple(map(_constant, code.co_consts)),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_flags,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
    )


def _constant(value: object) -> object:
    """Something that differs where the value or a type in it does."""
    if isinstance(value, types.CodeType):
        return "code", value.co_name
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    return type(value), repr(value)


def _head(code: types.CodeType) -> typing.Tuple[object, ...]:
    """What callers and decorators can see."""
    kind = [code.co_flags & flag for flag in _KIND]
    count = code.co_argcount + code.co_kwonlyargcount + bool(kind[0]) + bool(kind[1])
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    names = code.co_varnames[:count]
    return (code.co_name, counts, names, kind, _docstring(code))


def _docstring(code: types.CodeType) -> typing.Optional[str]:
    if _HAS_DOCSTRING and not code.co_flags & _HAS_DOCSTRING:
        return None
    first = code.co_consts[0] if code.co_consts else None
    return first if isinstance(first, str) else None


def _class_body(code: types.CodeType) -> typing.List[object]:
    """Its instructions, without the line that it notes of itself."""
    steps = list(dis.get_instructions(code))
    table = getattr(code, "co_exceptiontable", b"")
    found: typing.List[object] = [table, code.co_flags, code.co_freevars]
    for step, following in zip(steps, [*steps[1:], None]):
        if following is None or following.argval != _LINE:
            found.append((step.opname, _constant(step.argval)))
    return found
