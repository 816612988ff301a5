"""The plugin of a run that screens: it may end at the first test that got worse.

What "worse" is was decided outside: the request's `tolerated` has the words that are
no news of a test (`failed`, `skipped`, `xfailed`); who is not in it has only to pass.
"""

from __future__ import annotations

import typing

import pytest

from . import plugin

if typing.TYPE_CHECKING:
    from .channel import Channel
    from .relocate import Places

arguments = plugin.arguments

_PHASES = ["setup", "call", "teardown"]


class Sheaf:
    """A channel that tells of a test that passed in one event, when the next begins.

    Waking the reader for each phase costs both sides as much as a small test.
    """

    def __init__(self, events: Channel) -> None:
        self._events = events
        self._phases: typing.List[typing.Dict[str, typing.Any]] = []

    def send(self, event: str, **fields: typing.Any) -> None:
        """Tell of it, or keep it for a moment."""
        if event == "report" and _plain(fields):
            self._phases.append(fields)
            return
        phases, self._phases = self._phases, []
        if event == "done" and [one["phase"] for one in phases] == _PHASES:
            self._events.hold(
                "passed",
                id=fields["id"],
                seconds=[one["seconds"] for one in phases],
                cpu_seconds=[one["cpu_seconds"] for one in phases],
            )
        else:
            for one in phases:
                self._events.hold("report", **one)
        if event == "done":
            self._events.hold(event, **fields)
        else:
            self._events.send(event, **fields)


class Plugin(plugin.Plugin):
    """The plugin, with an eye on what is known of the tests."""

    _session: typing.Any = None

    def __init__(
        self, request: typing.Dict[str, typing.Any], places: Places, events: Channel
    ) -> None:
        super().__init__(request, places, typing.cast("Channel", Sheaf(events)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: typing.Any) -> None:
        """Know whom to stop."""
        self._session = session
        super().pytest_sessionstart(session)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: typing.Any) -> None:
        """Tell of one phase; after one that is worse no other test begins."""
        super().pytest_runtest_logreport(report)
        tolerated = self._request.get("tolerated")
        if tolerated is None or self._session is None:
            return
        word = _word(report)
        if word and word not in tolerated.get(report.nodeid, ()):
            self._session.shouldfail = "{} got worse".format(report.nodeid)


def _word(report: typing.Any) -> str:
    """What is to be tolerated; empty where nothing has to be."""
    if report.failed:
        return "failed"
    if not report.skipped:
        return ""
    return "xfailed" if hasattr(report, "wasxfail") else "skipped"


def _plain(fields: typing.Dict[str, typing.Any]) -> bool:
    """Whether there is nothing to tell but that it passed, and how long it took."""
    odd = fields["xfail"] or fields["part"]
    return fields["outcome"] == "passed" and not odd and "cpu_seconds" in fields
