"""Lines from the pipe in, what one pytest process has said out; pure.

Each line is a JSON object with `event` and `nonce`. Events, in the usual order:
`session` (versions, plugins, options switched off), `uncollected` (a file that could
not be collected), `collected` and `deselected` (chunks of ids), `ready`; per test
`start`, `report` (one per phase; where all passed, `passed` may stand for them),
`calls`, `lines`, `stuck` (where a slow test is), and `done` or `aborted`; `recorded`,
`internal` (pytest's own error), `finish`, `exit`; or just `broken`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bonafix.domain import CollectionError, Place
from bonafix.observe.wire import (
    PHASES,
    STYLES,
    Fields,
    Item,
    Report,
    decode,
    lines,
    number,
    numbers,
    objects,
    place_of,
    report_of,
    text,
    texts,
)


@dataclass(slots=True)
class Log:
    """What one process has said so far."""

    nonce: str
    session: Fields = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    deselected: list[str] = field(default_factory=list)
    uncollected: list[CollectionError] = field(default_factory=list)
    ready: bool = False
    current: str = ""  # the id that runs now
    done: dict[str, None] = field(default_factory=dict)  # in the order of running
    reports: dict[str, list[Report]] = field(default_factory=dict)
    stuck: dict[str, Report] = field(default_factory=dict)
    lines: dict[str, dict[str, frozenset[int]]] = field(default_factory=dict)
    calls: list[Fields] = field(default_factory=list)  # with the id of their test
    recorded: Fields = field(default_factory=dict)  # what the recorder says at the end
    aborted: str = ""  # why the session ended within a test
    internal: str = ""
    broken: str = ""
    finish: Fields | None = None
    code: int | None = None

    def hear(self, line: bytes) -> str:
        """Take one line in; its event's name, empty where it says nothing."""
        fields = decode(line, self.nonce)
        name = text(fields, "event")
        handler = _HANDLERS.get(name)
        if handler is None:
            return ""
        handler(self, fields)
        return name


def _on_session(log: Log, fields: Fields) -> None:
    log.session = fields


def _on_uncollected(log: Log, fields: Fields) -> None:
    log.uncollected.append(
        CollectionError(
            id=text(fields, "id"),
            message=text(fields, "message"),
            place=place_of(fields),
        )
    )


def _on_collected(log: Log, fields: Fields) -> None:
    for item in objects(fields, "items"):
        place = Place(text(item, "path"), int(number(item, "line")))
        style = STYLES.get(text(item, "style"), "other")
        log.items.setdefault(text(item, "id"), Item(style, place))


def _on_deselected(log: Log, fields: Fields) -> None:
    log.deselected += texts(fields, "ids")


def _on_ready(log: Log, _fields: Fields) -> None:
    log.ready = True


def _on_start(log: Log, fields: Fields) -> None:
    log.current = text(fields, "id")


def _on_done(log: Log, fields: Fields) -> None:
    log.done[text(fields, "id")] = None
    log.current = ""


def _on_aborted(log: Log, fields: Fields) -> None:
    log.aborted = text(fields, "message")


def _on_report(log: Log, fields: Fields) -> None:
    log.reports.setdefault(text(fields, "id"), []).append(report_of(fields))


def _on_passed(log: Log, fields: Fields) -> None:
    times = numbers(fields, "seconds"), numbers(fields, "cpu_seconds")
    for phase, seconds, cpu_seconds in zip(PHASES.values(), *times, strict=False):
        one = Report(
            phase=phase, outcome="passed", seconds=seconds, cpu_seconds=cpu_seconds
        )
        log.reports.setdefault(text(fields, "id"), []).append(one)


def _on_stuck(log: Log, fields: Fields) -> None:
    log.stuck[text(fields, "id")] = report_of(fields)


def _on_lines(log: Log, fields: Fields) -> None:
    log.lines[text(fields, "id")] = lines(fields, "lines")


def _on_calls(log: Log, fields: Fields) -> None:
    node_id = text(fields, "id")
    log.calls += [{**call, "test": node_id} for call in objects(fields, "calls")]


def _on_recorded(log: Log, fields: Fields) -> None:
    log.recorded = fields


def _on_internal(log: Log, fields: Fields) -> None:
    log.internal = text(fields, "message")


def _on_broken(log: Log, fields: Fields) -> None:
    log.broken = text(fields, "message")


def _on_finish(log: Log, fields: Fields) -> None:
    log.finish = fields
    log.code = int(number(fields, "code"))


def _on_exit(log: Log, fields: Fields) -> None:
    log.code = int(number(fields, "code"))


_HANDLERS = {
    "session": _on_session,
    "uncollected": _on_uncollected,
    "collected": _on_collected,
    "deselected": _on_deselected,
    "ready": _on_ready,
    "start": _on_start,
    "done": _on_done,
    "aborted": _on_aborted,
    "report": _on_report,
    "passed": _on_passed,
    "stuck": _on_stuck,
    "lines": _on_lines,
    "calls": _on_calls,
    "recorded": _on_recorded,
    "internal": _on_internal,
    "broken": _on_broken,
    "finish": _on_finish,
    "exit": _on_exit,
}
