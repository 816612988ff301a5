"""Modules that were compiled ahead, in another place, know where they are now."""

from __future__ import annotations

import importlib
import typing

from _pytest.assertion import rewrite


def follow() -> None:
    """Have pytest correct the place in what it reads, as Python's own import does.

    Else tracebacks would name files that are not there.
    """
    correct = getattr(importlib.import_module("_imp"), "_fix_co_filename", None)
    read = getattr(rewrite, "_read_pyc", None)
    if read is None or getattr(read, "follows", False):
        return

    def read_pyc(source: typing.Any, *rest: typing.Any, **named: typing.Any) -> object:
        code = read(source, *rest, **named)
        if code is None or correct is None:
            return None  # it is compiled afresh
        correct(code, str(source))
        return code

    read_pyc.follows = True  # type: ignore[attr-defined]  # a mark: once is enough
    rewrite._read_pyc = read_pyc  # type: ignore[assignment]  # noqa: SLF001
