"""Any value in, a short text out, whatever its `__repr__` does."""

from __future__ import annotations

import collections
import signal
import threading
import time
import types
import typing

PATIENCE = 0.25  # seconds for one foreign `__repr__`
_BITS = 2000  # of an integer that is still written out
_DEPTH = 4
_PAGE = 1000  # characters; a longer text says how much of it is left out
_LEFT_OUT = "\n[... {} characters left out ...]\n"

_monotonic = time.monotonic  # tests freeze time
_BRACKETS = {
    list: "[]",
    tuple: "()",
    set: "{}",
    frozenset: ("frozenset({", "})"),
    collections.deque: ("deque([", "])"),
}
_ATOMS = (type(None), bool, float, complex, type(Ellipsis), type(NotImplemented))


class _LateError(BaseException):
    """Raised into a call that takes too long; not to be caught by its code."""


def short(value: object, chars: int = 200, items: int = 8) -> str:
    """`repr(value)` in at most about `chars` characters.

    Containers of the standard kinds are walked here, so that a huge one costs
    nothing; anything else is asked, with its time bounded.
    """
    return clip(_text(value, chars, items, _DEPTH), chars)


def clip(text: str, chars: int) -> str:
    """The head and the tail of `text`, as valid Unicode."""
    if len(text) > chars:
        half = max((chars - 5) // 2, 1)
        gap = "..." if chars < _PAGE else _LEFT_OUT.format(len(text) - 2 * half)
        text = text[:half] + gap + text[-half:]
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def guarded(
    call: typing.Callable[[], object], otherwise: str, seconds: float = PATIENCE
) -> str:
    """The text that `call()` gives, `otherwise` if it raises or hangs."""
    try:
        text = _bounded(call, seconds)
    except (Exception, _LateError, SystemExit, RecursionError) as error:  # noqa: BLE001
        # The project's code may raise anything here, and must not end our report.
        return "{} [{} in its repr]".format(otherwise, type(error).__name__.strip("_"))
    return text if type(text) is str else otherwise


def _text(value: object, chars: int, items: int, depth: int) -> str:
    kind = type(value)
    if kind in _ATOMS:
        return repr(value)
    if kind is int:
        assert isinstance(value, int)
        bits = value.bit_length()
        return repr(value) if bits <= _BITS else "<int of {} bits>".format(bits)
    if kind is str or kind is bytes:
        assert isinstance(value, (str, bytes))
        return _cut(value, chars)
    if kind is dict or kind in _BRACKETS:
        return _container(value, chars, items, depth)
    if isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return "<{} {}>".format(kind.__name__, getattr(value, "__name__", "?"))
    plain = "<{}.{} object>".format(kind.__module__, kind.__qualname__)
    return guarded(lambda: repr(value), plain)


def _container(value: object, chars: int, items: int, depth: int) -> str:
    kind = type(value)
    opening, closing = "{}" if kind is dict else _BRACKETS[kind]
    if depth == 0:
        return opening + "..." + closing
    assert isinstance(value, typing.Collection)
    parts, used = [], 0
    for index, item in enumerate(value):
        if index >= items or used > chars:
            parts.append("...")
            break
        part = _text(item, chars, items, depth - 1)
        if isinstance(value, dict):
            part += ": " + _text(value[item], chars, items, depth - 1)
        parts.append(part)
        used += len(part)
    if kind is tuple and len(parts) == 1:
        closing = ",)"
    if not parts and kind in (set, frozenset):
        return kind.__name__ + "()"
    return opening + ", ".join(parts) + closing


def _cut(value: typing.Union[str, bytes], chars: int) -> str:
    if len(value) <= chars:
        return repr(value)
    half = max(chars // 2 - 8, 1)
    return "{!r}...{!r}".format(value[:half], value[-half:])


def _bounded(call: typing.Callable[[], object], seconds: float) -> object:
    """Run `call`, interrupted by an alarm; a pending alarm of a test's is put back."""
    if threading.current_thread() is not threading.main_thread():
        return None  # no alarm there, so nothing foreign is called
    begun = _monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            rest = max(left - (_monotonic() - begun), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


def _ring(_number: int, _frame: object) -> None:
    raise _LateError
