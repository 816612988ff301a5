"""A report of pytest's in, its texts out, each of a bounded length."""

from __future__ import annotations

import typing

from . import failure, shorten

TEXT = 32 * 1024  # characters of captured output, and of pytest's own rendering


def rendering(longrepr: object) -> str:
    """The failure as pytest shows it."""
    if longrepr is None:
        return ""
    text = shorten.guarded(lambda: str(longrepr), "<no rendering>", seconds=5.0)
    return shorten.clip(text, TEXT)


def output(report: typing.Any) -> str:
    """What the test printed and logged."""
    parts = [
        "--- {} ---\n{}".format(title, text)
        for title, text in report.sections
        if title.startswith("Captured")
    ]
    return shorten.clip("\n".join(parts), TEXT)


def reason(report: typing.Any) -> str:
    """Why it was skipped, or expected to fail."""
    if hasattr(report, "wasxfail"):
        return shorten.clip(str(report.wasxfail), failure.MESSAGE)
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return shorten.clip(text.partition("Skipped: ")[2] or text, failure.MESSAGE)
