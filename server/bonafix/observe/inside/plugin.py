"""The pytest plugin: what the session does, sent as events while it happens."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import sys
import time
import types
import typing

import pytest

from . import (
    calls,
    compiled,
    disguise,
    failure,
    items,
    lines,
    neutral,
    opened,
    reach,
    relocate,
    reports,
    stuck,
)

if typing.TYPE_CHECKING:
    from .channel import Channel

_PATIENT = 4  # a test that used this part of its time for computing may be in a loop
_CHUNK = 200  # ids in one event
_KEY = "_bonafix"  # attribute of a report; reports of forked tests come back with it

_clock = time.process_time


def arguments(request: typing.Dict[str, typing.Any]) -> typing.List[str]:
    """The command line: nothing that an odd id could break."""
    return ["-k" + request["expression"]] if request["expression"] else []


class Plugin:
    """Registered as an object: there is no name by which tests could import it."""

    def __init__(
        self,
        request: typing.Dict[str, typing.Any],
        places: relocate.Places,
        events: Channel,
    ) -> None:
        self._request = request
        self._brief = request["brief"]  # what a screening does not ask for is left out
        self._places = places
        self._events = events
        self._neutralised: typing.List[str] = []
        self._deselected: typing.List[str] = []
        self._recorder = lines.recorder(places) if request["lines"] else None
        self._opened = opened.Watch() if request["lines"] else None
        self._reach = reach.begun(self._recorder, self._opened)
        functions = request["functions"]
        self._calls = calls.Recorder(request["tree"], functions) if functions else None
        self._disguise = disguise.Disguise(places) if request["disguised"] else None
        self._compared: typing.Optional[failure.Compared] = None
        self._cpu = 0.0
        limit, soon = request["per_test"] / _PATIENT, request["soon"]
        self._stuck = stuck.Alarm(limit, self._send_stuck, soon)
        compiled.follow()

    # ------------------------------------------------------------ configuration

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: typing.Any, args: typing.List[str]
    ) -> typing.Iterator[None]:
        """Switch off what starts before the configuration is complete."""
        options = early_config.known_args_namespace
        self._neutralised += neutral.early(args, options)
        if self._disguise:
            self._disguise.begin(early_config)
        if self._reach:
            self._reach.begin()
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: typing.Any) -> typing.Iterator[None]:
        """Switch off the rest, and narrow the collection to what is wanted."""
        stop = self._request["stop_at_first"]
        self._neutralised += neutral.late(config.option, stop_at_first=stop)
        if self._request["select"] is not None:
            self._narrow(config)
        yield

    def _narrow(self, config: typing.Any) -> None:
        """Collect only the selected files.

        The arguments are changed now and not on the command line, where they would
        decide the root and the configuration.
        """
        files = dict.fromkeys(i.split("::", 1)[0] for i in self._request["select"])
        paths = [os.path.join(str(config.rootpath), name) for name in files]
        # pytest reads a bracket in an argument as the start of a parameter.
        if paths and all(os.path.isfile(p) and "[" not in p for p in paths):
            config.args = paths

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: typing.Any) -> None:
        """Say what runs, with what."""
        config = session.config
        if self._disguise:
            self._disguise.rename(config)
        if self._opened:
            self._opened.active = True
        self._events.send(
            "session",
            pytest=pytest.__version__,
            interpreter="{} {}".format(
                platform.python_implementation(), platform.python_version()
            ),
            plugins=[] if self._brief else _plugins(config),
            neutralised=self._neutralised,
            rootdir=self._places.relative(os.path.realpath(str(config.rootpath))),
        )

    # --------------------------------------------------------------- collection

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self) -> typing.Iterator[None]:
        """Note where a collection error came from."""
        outcome = yield
        report = outcome.get_result()
        call = getattr(report, "call", None)
        if report.failed and call is not None and call.excinfo is not None:
            setattr(
                report, _KEY, failure.import_place(call.excinfo.value, self._places)
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: typing.Any) -> None:
        """Tell of a collection error."""
        if report.failed:
            self._events.send(
                "uncollected",
                id=report.nodeid,
                message=reports.rendering(report.longrepr),
                place=getattr(report, _KEY, None),
            )

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, items: typing.List[typing.Any]
    ) -> typing.Iterator[None]:
        """Leave out what is not wanted."""
        yield  # whatever the project reorders or leaves out comes first
        if self._request["select"] is not None:
            wanted = set(self._request["select"])  # ids, or whole files of tests
            items[:] = [
                item
                for item in items
                if item.nodeid in wanted or item.nodeid.split("::", 1)[0] in wanted
            ]

    def pytest_deselected(self, items: typing.Sequence[typing.Any]) -> None:
        """Note what the project itself leaves out."""
        self._deselected += [item.nodeid for item in items]

    def described(self, item: typing.Any) -> typing.Dict[str, object]:
        """The item as the reader wants it."""
        return items.describe(item, self._places)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: typing.Any) -> None:
        """Tell which tests there are."""
        if self._reach:
            self._reach.collected()
        found = [self.described(item) for item in session.items]
        for start in range(0, len(found), _CHUNK):
            self._events.send("collected", items=found[start : start + _CHUNK])
        for start in range(0, len(self._deselected), _CHUNK):
            ids = self._deselected[start : start + _CHUNK]
            self._events.send("deselected", ids=ids)
        self._events.send("ready", total=len(found))

    # ------------------------------------------------------------------ running

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: typing.Any) -> typing.Generator:
        """Frame one test: its lines, its CPU time, its beginning and end."""
        self._compared = None
        self._cpu = _cpu_seconds()
        self._events.send("start", id=item.nodeid)
        self._stuck.arm(item)
        if self._reach:
            self._reach.start(item.nodeid)
        if self._calls:
            self._calls.start()
        outcome = yield
        if self._calls:
            self._events.send("calls", id=item.nodeid, calls=self._calls.stop())
        if self._reach:
            self._send_lines(item.nodeid, self._reach.stop())
        self._stuck.disarm()
        if outcome.excinfo is None:
            self._events.send("done", id=item.nodeid)
        else:  # pytest.exit() or an interrupt: the session ends within this test
            text = "{}: {}".format(outcome.excinfo[0].__name__, outcome.excinfo[1])
            self._events.send("aborted", id=item.nodeid, message=text)

    def _send_lines(self, node_id: str, found: lines.Lines) -> None:
        table = {path: sorted(seen) for path, seen in found.items() if seen}
        self._events.send("lines", id=node_id, lines=table)

    def _send_stuck(self, item: typing.Any, frame: types.FrameType) -> None:
        """Tell where a test is that has computed for long."""
        facts = failure.standing(frame, self._places, items.file_of(item))
        if self._recorder:  # first: the other may be the end of this process
            self._send_lines(item.nodeid, self._recorder.seen())
        self._events.send("stuck", id=item.nodeid, **facts)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: typing.Any) -> typing.Iterator[None]:
        """Run the test, of whatever kind it is, as if nobody looked."""
        if self._disguise:
            self._disguise.dress(item)
        if self._opened:  # what a fixture opens may be for other tests, too
            self._opened.test = item.nodeid
        yield
        if self._opened:
            self._opened.test = ""
        item.__dict__.pop("runtest", None)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: typing.Any) -> typing.Iterator[None]:
        """Prepare it as if nobody looked, too."""
        with contextlib.ExitStack() as stack:
            if self._disguise and self._disguise.fits(fixturedef):
                stack.enter_context(self._disguise.hidden())
            if self._reach and fixturedef.scope != "function":
                stack.enter_context(self._reach.sharing())
            yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Note both sides; the explanation is left to pytest and the project."""
        frame = _asserting()
        if frame is not None:
            self._pause(paused=True)
            self._compared = failure.Compared(
                frame=id(frame),
                code=frame.f_code,
                line=frame.f_lineno,
                operator=op,
                left=failure.side(left),
                right=failure.side(right),
            )
            self._pause(paused=False)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: typing.Any, call: typing.Any
    ) -> typing.Iterator[None]:
        """Attach what only the process that ran the test knows."""
        self._pause(paused=True)
        outcome = yield
        report = outcome.get_result()
        facts: typing.Dict[str, typing.Any] = {}
        if report.failed and call.excinfo is not None:
            facts = failure.describe(
                call.excinfo.value, self._places, items.file_of(item), self._compared
            )
        now = _cpu_seconds()
        facts["cpu_seconds"], self._cpu = now - self._cpu, now
        setattr(report, _KEY, facts)
        self._pause(paused=False)

    def _pause(self, *, paused: bool) -> None:
        if self._recorder:
            self._recorder.paused = paused

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: typing.Any) -> None:
        """Tell of one phase."""
        facts = dict(getattr(report, _KEY, {}))
        if report.failed:
            facts.update(
                longrepr=reports.rendering(report.longrepr),
                captured=reports.output(report),
            )
        if report.skipped or hasattr(report, "wasxfail"):
            facts["message"] = reports.reason(report)
        self._events.send(
            "report",
            id=report.nodeid,
            phase=report.when,
            outcome=report.outcome,
            xfail=hasattr(report, "wasxfail"),
            # pytest 9 and pytest-subtests report a part under its test's id.
            part="subtest" in type(report).__name__.lower(),
            seconds=report.duration,
            **facts,
        )

    # ------------------------------------------------------------------- ending

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        """Tell of an error in pytest or a plugin."""
        self._events.send("internal", message=reports.rendering(excrepr))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: typing.Any) -> typing.Iterator[None]:
        """Tell how the session ended, and what it saw on the way."""
        with neutral.unsummarised(session.config):
            yield
        if self._calls:
            self._events.send("recorded", **self._calls.summary())
        files: typing.Dict[str, typing.List[str]] = {}
        elsewhere: typing.List[str] = []
        if self._opened:
            self._opened.active = False
            files = self._opened.files(self._places)
            elsewhere = self._opened.elsewhere(self._places)
        self._events.send(
            "finish",
            code=int(session.exitstatus),
            stopped=str(session.shouldstop or session.shouldfail or ""),
            opened=files,
            reach=self._reach.told(self._places) if self._reach else None,
            elsewhere=elsewhere,
            foreign=[] if self._brief else relocate.foreign(self._places),
        )


def _plugins(config: typing.Any) -> typing.List[str]:
    found = config.pluginmanager.list_plugin_distinfo()
    names = {"{}-{}".format(d.project_name, d.version) for _, d in found}
    return sorted(names)


def _cpu_seconds() -> float:
    """Of this process and of the children that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return _clock() + children.ru_utime + children.ru_stime


def _asserting() -> typing.Any:
    """The frame whose assertion is being explained: the first outside pytest."""
    frame = sys._getframe(2)  # noqa: SLF001 - there is no public way to a frame
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.split(".")[0] not in ("_pytest", "pluggy"):
            return frame
        frame = frame.f_back
    return None
