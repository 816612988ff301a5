"""What the processes of one run said in, one `SuiteRun` out; pure.

There is more than one process where a test hung or ended the process: the tests
after it were run by the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bonafix.domain import (
    CollectionError,
    Outcome,
    Phase,
    Place,
    Reach,
    SuiteRun,
    TestResult,
)
from bonafix.observe.events import Log
from bonafix.observe.sides import literal_first
from bonafix.observe.wire import Fields, Item, Report, lines, text, texts

Lines = Mapping[str, Mapping[str, frozenset[int]]]
_NOWHERE = Item("other", Place("", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One process: what it said, and how it ended."""

    log: Log
    code: int | None = None
    signal: int | None = None
    hung: str = ""  # the id at whose time-out it was killed
    repeated: bool = False  # before that: it was where another one had hung
    timed_out: bool = False  # killed at the time-out of the whole run
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    output: str = ""
    confinement: str = ""

    @property
    def victim(self) -> str:
        """The id that the process did not survive, if that is what ended it."""
        if self.timed_out:
            return ""
        return self.hung or self.log.current

    @property
    def ended(self) -> bool:
        """Whether pytest's session end was seen, or a test is known to be why not."""
        return self.log.finish is not None or bool(self.victim)


def left(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """The collected ids that no attempt has brought to an end, in order."""
    over = {node_id for a in attempts for node_id in a.log.done}
    over |= {a.victim for a in attempts}
    return tuple(i for i in attempts[0].log.items if i not in over)


def failed(log: Log, node_id: str) -> TestResult | None:
    """What a test that has just ended did, if it failed."""
    reports = _final(log.reports.get(node_id, ()))
    if not any(report.outcome == "failed" for report in reports):
        return None
    return _result(node_id, log.items.get(node_id, _NOWHERE), reports)


def fold(attempts: Sequence[Attempt], *, command: Sequence[str]) -> SuiteRun:
    """All attempts as one run; the first one's collection is the collection."""
    first, last = attempts[0], attempts[-1]
    sessions = [a.log.session for a in attempts]
    finishes = [a.log.finish or {} for a in attempts]
    results = _results(attempts)
    return SuiteRun(
        results=results,
        collected=tuple(first.log.items),
        collection_errors=_uncollected(attempts),
        deselected=tuple(dict.fromkeys(first.log.deselected)),
        duplicates=_duplicates(attempts),
        finished=_finished(attempts),
        exit_code=_exit_code(attempts),
        timed_out=last.timed_out,
        seconds=sum(a.seconds for a in attempts),
        cpu_seconds=sum(a.cpu_seconds for a in attempts),
        lines=_lines(attempts),
        opened=_opened(finishes),
        reach=_reach(finishes),
        elsewhere=_merged(finishes, "elsewhere"),
        foreign=_merged(finishes, "foreign"),
        output=last.output or first.output,
        interpreter=text(first.log.session, "interpreter"),
        pytest=text(first.log.session, "pytest"),
        plugins=texts(first.log.session, "plugins"),
        command=tuple(command),
        neutralised=_merged(sessions, "neutralised"),
        confinement=first.confinement,
    )


def _opened(finishes: Sequence[Fields]) -> dict[str, frozenset[str]]:
    """Path -> the tests that opened it; an empty id is nobody's."""
    found: dict[str, frozenset[str]] = {}
    for fields in finishes:
        told = fields.get("opened")
        named: Fields = told if isinstance(told, dict) else {}
        for path in named:
            found[path] = found.get(path, frozenset()) | {*texts(named, path)}
    return found


def _reach(finishes: Sequence[Fields]) -> Reach | None:
    """Nothing, where one process did not tell: it may have run anything."""
    told = [fields.get("reach") for fields in finishes]
    each: list[Fields] = [one for one in told if isinstance(one, dict)]
    if not each or len(each) < len(finishes):
        return None
    functions: dict[str, frozenset[int]] = {}
    for one in each:
        for path, first in lines(one, "functions").items():
            functions[path] = functions.get(path, frozenset()) | first
    return Reach(
        functions=functions,
        opened=frozenset(_merged(each, "opened")),
        unseen=frozenset(_merged(each, "unseen")),
    )


def _finished(attempts: Sequence[Attempt]) -> bool:
    if not all(attempt.ended for attempt in attempts):
        return False
    # Where a test took its process along, all that came after it must have run.
    return not attempts[-1].victim or not left(attempts)


def _exit_code(attempts: Sequence[Attempt]) -> int | None:
    last = attempts[-1]
    if any(attempt.victim for attempt in attempts):
        return 1  # pytest's word for "some tests failed"
    return last.log.code if last.log.code is not None else last.code


def _uncollected(attempts: Sequence[Attempt]) -> tuple[CollectionError, ...]:
    errors = {e.id: e for attempt in attempts for e in attempt.log.uncollected}
    return tuple(errors.values())


def _merged(parts: Sequence[Fields], key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in texts(part, key)))


def _lines(attempts: Sequence[Attempt]) -> Lines:
    return {i: table for a in attempts for i, table in a.log.lines.items()}


def _duplicates(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Ids with two reports of one phase: nobody honest reports a test twice."""
    twice = []
    for attempt in attempts:
        for node_id, reports in attempt.log.reports.items():
            phases = [r.phase for r in _final(reports) if not r.part]
            if len(phases) != len(set(phases)):
                twice.append(node_id)
    return tuple(dict.fromkeys(twice))


def _results(attempts: Sequence[Attempt]) -> dict[str, TestResult]:
    results = {}
    for attempt in attempts:
        log = attempt.log
        for node_id, reports in log.reports.items():
            item = log.items.get(node_id, _NOWHERE)
            if node_id != attempt.victim and node_id in log.done:
                results[node_id] = _result(node_id, item, _final(reports))
        if attempt.victim:
            results[attempt.victim] = _lost(attempt)
    return results


def _final(reports: Sequence[Report]) -> list[Report]:
    """Those after the last re-run that a plugin asked for."""
    starts = [n for n, report in enumerate(reports) if report.outcome == "rerun"]
    return list(reports[starts[-1] + 1 :] if starts else reports)


def _result(node_id: str, item: Item, reports: Sequence[Report]) -> TestResult:
    deciding = _deciding(reports)
    actual, expected = deciding.actual, deciding.expected
    if any(map(literal_first, _asserting(deciding))):
        actual, expected = expected, actual
    place = deciding.place
    if deciding.doctest_line:
        place = replace(item.definition, line=deciding.doctest_line)
    return TestResult(
        id=node_id,
        outcome=_outcome(deciding),
        phase=deciding.phase,
        style=item.style,
        seconds=sum(report.seconds for report in reports),
        cpu_seconds=sum(report.cpu_seconds for report in reports),
        exception=deciding.exception,
        message=deciding.message or _first_line(deciding),
        expected=expected,
        actual=actual,
        place=place,
        definition=item.definition,
        frames=deciding.frames,
        captured=deciding.captured,
        longrepr=deciding.longrepr,
        phases=_phases(reports),
    )


def _deciding(reports: Sequence[Report]) -> Report:
    """The report that says how the test ended: what failed, else what was special."""
    order = {"setup": 1, "call": 0, "teardown": 2}
    failed = [report for report in reports if report.outcome == "failed"]
    if failed:
        return min(failed, key=lambda report: order[report.phase])
    whole = [report for report in reports if not report.part] or list(reports)
    special = [r for r in whole if r.outcome != "passed" or r.xfail]
    calls = [report for report in whole if report.phase == "call"]
    return (special or calls or whole)[0]


def _outcome(deciding: Report) -> Outcome:
    match deciding.outcome:
        case "failed":
            return Outcome.FAILED if deciding.phase == "call" else Outcome.ERROR
        case "skipped":
            return Outcome.XFAILED if deciding.xfail else Outcome.SKIPPED
        case "passed":
            return Outcome.XPASSED if deciding.xfail else Outcome.PASSED
        case _:
            return Outcome.ERROR


def _lost(attempt: Attempt) -> TestResult:
    """The test that hung, or took the process with it."""
    log, node_id = attempt.log, attempt.victim
    reports = log.reports.get(node_id, [])
    item = log.items.get(node_id, _NOWHERE)
    told = log.stuck.get(node_id)
    return TestResult(
        id=node_id,
        outcome=Outcome.HUNG if attempt.hung else Outcome.CRASHED,
        phase=_running(reports),
        style=item.style,
        seconds=sum(report.seconds for report in reports),
        cpu_seconds=sum(report.cpu_seconds for report in reports),
        message=_death(attempt),
        place=told.place if told else None,
        definition=item.definition,
        frames=told.frames if told else (),
        captured=attempt.output,
        phases=_phases(reports),
    )


def _death(attempt: Attempt) -> str:
    if attempt.repeated:
        return "it computed where a test before it had hung, and was killed"
    if attempt.hung:
        return "it did not end within its time limit and was killed"
    if attempt.log.aborted:
        return f"it ended the whole test session: {attempt.log.aborted}"
    if attempt.log.internal:
        return f"pytest failed while it ran: {_last_line(attempt.log.internal)}"
    if attempt.signal is not None:
        return f"the process died of signal {attempt.signal} while it ran"
    return f"the process ended with exit code {attempt.code} while it ran"


def _running(reports: Sequence[Report]) -> Phase:
    seen = {report.phase for report in reports}
    if "call" in seen:
        return "teardown"
    return "call" if "setup" in seen else "setup"


def _phases(reports: Sequence[Report]) -> tuple[Phase, ...]:
    return tuple(dict.fromkeys(r.phase for r in reports if not r.part))


def _asserting(report: Report) -> list[str]:
    """The source lines that may have stated the comparison."""
    last = [frame.code for frame in report.frames[-1:]]
    return last + [
        frame.code
        for frame in report.frames
        if report.place and Place(frame.path, frame.line) == report.place
    ]


def _first_line(report: Report) -> str:
    """The words of pytest where no exception was raised, as for a strict xpass."""
    return report.longrepr.strip().partition("\n")[0] if report.longrepr else ""


def _last_line(message: str) -> str:
    return message.strip().rpartition("\n")[2]
