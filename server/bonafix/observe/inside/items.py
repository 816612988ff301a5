"""A collected test in, its style and the place of its definition out."""

from __future__ import annotations

import inspect
import linecache
import re
import typing

from . import failure, relocate

_DEFINITION = re.compile(r"\s*(async\s+def|def|class)\b|.*\blambda\b")
_DECORATORS = 60  # lines that may stand between the first decorator and `def`


def describe(item: typing.Any, places: relocate.Places) -> typing.Dict[str, object]:
    """One item as the reader wants it; `item` is a `pytest.Item`."""
    path, line = _definition(item)
    return {
        "id": item.nodeid,
        "style": _style(item),
        "path": places.relative(path),
        "line": line,
    }


def file_of(item: typing.Any) -> str:
    """The real path of the file that the item was collected from."""
    return failure.real(str(item.path))


def _style(item: typing.Any) -> str:
    names = {kind.__name__ for kind in type(item).__mro__}
    if "DoctestItem" in names:
        return "doctest"
    if "TestCaseFunction" in names:
        return "unittest"
    function = getattr(item, "function", None)
    if function is None:
        return "other"
    if inspect.iscoroutinefunction(inspect.unwrap(function)):
        return "asyncio"
    return "function" if getattr(item, "cls", None) is None else "method"


def _definition(item: typing.Any) -> typing.Tuple[str, int]:
    try:
        function = inspect.unwrap(getattr(item, "function", None))
    except ValueError:  # a cycle of `__wrapped__`
        function = None
    code = getattr(function, "__code__", None)
    if code is None:
        line = item.location[1]
        return file_of(item), 1 if line is None else line + 1
    return failure.real(code.co_filename), _def_line(code)


def _def_line(code: typing.Any) -> int:
    """The line of `def`: a code object begins at its first decorator."""
    first = code.co_firstlineno
    for line in range(first, first + _DECORATORS):
        if _DEFINITION.match(linecache.getline(code.co_filename, line)):
            return line
    return first
