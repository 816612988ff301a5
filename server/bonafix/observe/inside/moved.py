"""Two versions of a module's code in, what changed and where the rest went out; pure.

Code that is the same is followed instruction by instruction, so that a line's new
number is no guess, whatever was written between.
"""

from __future__ import annotations

import dis
import types
import typing

from . import bodies


class Changed(typing.NamedTuple):
    """A function whose body is another one now; its lines are the old ones."""

    name: str
    first: int  # with its decorators
    last: int
    lines: typing.List[int]  # that run when it does, and not just when it is defined
    begins: typing.List[int]  # first lines of it and of the functions within


class Moved(typing.NamedTuple):
    """What became of a module."""

    changed: typing.List[Changed]
    lines: typing.Dict[int, int]  # of the code that is the same: old -> new


def follow(old: types.CodeType, new: types.CodeType) -> Moved:
    """Compare two modules.

    Raises:
        UnfitError: more than bodies of functions differ.
    """
    bodies.compare(old, new)
    found = Moved([], {})
    torn: typing.Set[int] = set()
    _follow(old, new, found, torn)
    for line in torn:
        del found.lines[line]
    return found


def _follow(
    old: types.CodeType,
    new: types.CodeType,
    found: Moved,
    torn: typing.Set[int],
) -> None:
    if bodies.is_function(old) and not bodies.same(old, new):
        found.changed.append(_changed(old))
        return
    before, after = _lines(old), _lines(new)
    if len(before) == len(after):
        for line, now in zip(before, after):
            if line and now and found.lines.setdefault(line, now) != now:
                torn.add(line)  # what was one line is several now
    for inner, other in zip(bodies.children(old), bodies.children(new)):
        _follow(inner, other, found, torn)


def _changed(code: types.CodeType) -> Changed:
    every, first = list(_all(code)), code.co_firstlineno
    lines = {line for one in every for line in _lines(one)[_start(one) :] if line}
    begins = [one.co_firstlineno for one in every]
    return Changed(code.co_name, first, max(lines | {first}), sorted(lines), begins)


def _all(code: types.CodeType) -> typing.Iterator[types.CodeType]:
    yield code
    for inner in bodies.children(code):
        yield from _all(inner)


def _start(code: types.CodeType) -> int:
    """Where its body begins: before that it stands in the line of its definition."""
    starts = [
        step.offset // 2 + 1
        for step in dis.get_instructions(code)
        if step.opname == "RESUME" and step.arg == 0
    ]
    return max(starts, default=0)


def _lines(code: types.CodeType) -> typing.List[typing.Optional[int]]:
    """The line of each instruction; 0 or nothing where it has none."""
    starts = dict(dis.findlinestarts(code))
    found: typing.List[typing.Optional[int]] = []
    line: typing.Optional[int] = None
    for offset in range(0, len(code.co_code), 2):
        line = starts.get(offset, line)
        found.append(line)
    return found
