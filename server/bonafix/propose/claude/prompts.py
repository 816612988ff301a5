"""Evidence in, the words of user messages and tool results out; pure.

What programs printed is bounded and quoted as data.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bonafix.domain import Feedback, Frame, SuiteRun, Task, TestResult, Verdict
from bonafix.propose.claude.evidence import Redact, numbered, suspicion
from bonafix.propose.claude.workbench import Bench, writable
from bonafix.quoting import OUTPUT, cut, data, failing_part, shares

_VERDICTS: Mapping[Verdict, str] = {
    Verdict.TAMPERED: "It touches what a fix may not touch, or how tests are judged.",
    Verdict.BROKEN: "It leaves code that cannot be parsed or imported.",
    Verdict.REGRESSED: "It makes something worse that worked before.",
    Verdict.UNFIXED: "The failing behaviour is not corrected.",
    Verdict.SPECIAL_CASED: (
        "It is not general: it does not hold for other valid inputs, or in other "
        "circumstances, than the visible tests show."
    ),
    Verdict.FLAKY: "Its results differ from run to run.",
    Verdict.PLAUSIBLE: "It could not be shown to be general.",
}

REPORT = 12_000
"""Characters that a run of tests may say."""
_FILES = 5_000
_FILES_SHOWN = 120
_TARGETS_SHOWN = 5
_IDS_SHOWN = 40
_ID = 300
_LEAST = 300
"""Characters of the report of one failure, below which it is not shown at all."""
_VALUES = 400
_CAPTURED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """Characters for the parts of what is told of one failing test."""

    source: int
    message: int
    sides: int
    frames: int
    captured: int


_FIRST = _Room(source=8_000, message=2_000, sides=2_000, frames=4_000, captured=3_000)
_OTHER = _Room(source=1_500, message=500, sides=500, frames=1_000, captured=500)


def first_message(task: Task, bench: Bench, redact: Redact = str) -> str:
    """The evidence for a group of failures with one cause.

    Each part is bounded, and so is their sum: below 60,000 characters. Parts stand in
    a fixed order. `redact` takes secrets out of files' texts before they are cut.
    """
    targets = task.targets
    parts = [_headline(targets)]
    for number, target in enumerate(targets[:_TARGETS_SHOWN]):
        source = redact(_test_source(target, bench))
        parts.append(_target(target, source, _OTHER if number else _FIRST))
    if len(targets) > _TARGETS_SHOWN:
        more = targets[_TARGETS_SHOWN:][:_IDS_SHOWN]
        rest = "\n".join(cut(target.id, _ID) for target in more)
        parts.append(f"These fail with the same cause:\n{data(rest, 3000)}")
    parts += suspicion(task.suspects, bench, redact)
    parts.append(_files(bench))
    parts.append(f"Fix {_these(targets)} in the product code, then submit.")
    return "\n\n".join(parts)


def feedback_message(feedback: Feedback) -> str:
    """What a refused candidate's author may learn: a class and visible output."""
    reason = _VERDICTS.get(feedback.verdict, "It was not accepted.")
    advice = (
        "Your edits are still in place: reconsider the cause, correct or undo them, "
        "test, and submit again; or call report_infeasible."
    )
    parts = [f"Your fix was refused. {reason} {advice}"]
    if feedback.visible.strip():
        said = data(failing_part(feedback.visible, OUTPUT))
        parts.append(f"What visible tests printed:\n{said}")
    return "\n\n".join(parts)


def run_report(run: SuiteRun, wanted: Sequence[str], limit: int = REPORT) -> str:
    """The outcome of a run: counts, each test that is not green, their output."""
    outcomes = {node: run.outcome(node) for node in wanted}
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    lines = [f"{passed} of {len(outcomes)} passed."]
    if run.timed_out:
        lines.append("The run was stopped at its time limit.")
    others = [node for node, outcome in outcomes.items() if outcome != "passed"]
    lines += [f"{outcomes[node]}: {cut(node, _ID)}" for node in others[:_IDS_SHOWN]]
    if len(others) > _IDS_SHOWN:
        lines.append(f"[{len(others) - _IDS_SHOWN} more that did not pass]")
    told = [run.results[node] for node in others if node in run.results]
    reports = [
        *(_Report(error.id, error.message) for error in run.collection_errors),
        *(_Report(result.id, _raised(result), result.captured) for result in told),
    ]
    if not reports and others and run.output.strip():
        reports = [_Report("", run.output)]
    lines += _quoted(reports, limit)
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Report:
    """What one failing test said, and what it printed besides."""

    id: str
    raised: str
    captured: str = ""

    def within(self, limit: int) -> str:
        """Its text: what was raised first of all, what was printed as room is left."""
        head = f"{cut(self.id, _ID // 2)}\n" if self.id else ""
        text = head + failing_part(self.raised, limit - len(head))
        left = limit - len(text) - 1
        captured = self.captured.strip("\n")
        if captured and left >= min(len(captured), _CAPTURED):
            # Room for the mark that something is left out.
            fits = len(captured) <= left
            text += "\n" + (captured if fits else cut(captured, left - 50))
        return text

    @property
    def size(self) -> int:
        """Characters of all that could be told."""
        return len(self.id) + len(self.raised) + len(self.captured) + 2


def _quoted(reports: Sequence[_Report], limit: int) -> Iterator[str]:
    """The reports within the limit, each with a share of it."""
    shown = reports[: limit // _LEAST]
    room = shares([report.size for report in shown], limit - 2 * len(shown))
    texts = [one.within(size) for one, size in zip(shown, room, strict=True)]
    quoted = "\n\n".join(texts)
    if quoted.strip():
        yield data(quoted, limit)
    if len(reports) > len(shown):
        more = len(reports) - len(shown)
        yield f"[what {more} more printed is left out; run them by their ids]"


def _raised(result: TestResult) -> str:
    """How a test failed: pytest's rendering, else the frames; always what was raised.

    A rendering that was cut short may have lost the very line that says it.
    """
    text = result.longrepr or "\n".join(_frames(result))
    said = f"{result.exception}: {result.message}".strip(": ")
    first = result.message.strip().split("\n")[0].strip()
    if said and (first or result.exception) not in text:
        marked = "\n".join(f"E   {line}" for line in said.split("\n"))
        text = f"{text}\n{marked}".lstrip("\n")
    return text


def _these(targets: Sequence[TestResult]) -> str:
    return "this failure" if len(targets) == 1 else "these failures"


def _headline(targets: Sequence[TestResult]) -> str:
    if len(targets) == 1:
        return "One test fails."
    return f"{len(targets)} tests fail, as it seems with one cause."


def _target(target: TestResult, source: str, room: _Room) -> str:
    parts = [f"Failing test: {cut(target.id, _ID)}"]
    message = f"{target.exception}: {target.message}".strip(": ")
    if message:
        parts.append(f"It ends with:\n{data(message, room.message)}")
    if target.expected is not None or target.actual is not None:
        half = room.sides // 2
        sides = [cut(str(side), half) for side in (target.expected, target.actual)]
        text = f"expected: {sides[0]}\nactual:   {sides[1]}"
        parts.append(f"The two sides of its comparison:\n{data(text, len(text))}")
    if source:
        parts.append(f"Its source:\n{data(source, room.source)}")
    frames = _deepest([*_frames(target)], room.frames)
    if frames:
        head = "Its traceback through this project, with the values of variables:"
        parts.append(f"{head}\n{data(frames, len(frames))}")
    if target.captured.strip():
        parts.append(f"It printed:\n{data(target.captured, room.captured)}")
    return "\n".join(parts)


def _frames(target: TestResult) -> Iterator[str]:
    return (_frame(frame) for frame in target.frames if frame.own)


def _frame(frame: Frame) -> str:
    if not frame.line:  # a file that is not sent
        return frame.path
    values = ", ".join(f"{name}={value}" for name, value in frame.values.items())
    tail = f"    with {cut(values, _VALUES)}" if values else ""
    place = f"{frame.path}:{frame.line} in {frame.function}"
    return "\n".join(filter(None, (place, f"    {frame.code}", tail)))


def _deepest(frames: Sequence[str], limit: int) -> str:
    """The frames as far out as there is room; the fault lies near the deepest."""
    kept: list[str] = []
    room = limit - len("[100 outer frames left out]\n")
    for frame in reversed(frames):
        room -= len(frame) + 1
        if room < 0 and kept:
            break
        kept.append(cut(frame, limit // 2))
    if left_out := len(frames) - len(kept):
        kept.append(f"[{left_out} outer frames left out]")
    return "\n".join(reversed(kept))


def _test_source(target: TestResult, bench: Bench) -> str:
    """The test function's text with line numbers, from the bench."""
    place = target.definition or target.place
    text = bench.files.get(place.path) if place else None
    if place is None or text is None:
        return ""
    first, last = _function_range(text, place.line)
    return f"{place.path}\n{numbered(text.split(chr(10)), first, last)}"


def _function_range(text: str, line: int) -> tuple[int, int]:
    """First and last line of the innermost function around a line, else near it."""
    best = (max(1, line - 5), line + 20)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return best
    smallest = float("inf")
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        last = node.end_lineno or node.lineno
        if first <= line <= last and last - first < smallest:
            best, smallest = (first, last), last - first
    return best


def _files(bench: Bench) -> str:
    product = [path for path in sorted(bench.files) if writable(bench, path)]
    shown = product[:_FILES_SHOWN]
    tail = ""
    if len(product) > len(shown):
        tail = f"\n[{len(product) - len(shown)} more]"
    others = len(bench.files) - len(product)
    head = f"Files that a fix may change (besides them {others} are read-only):"
    return f"{head}\n{data(chr(10).join(shown) + tail, _FILES)}"


def expand(asked: Sequence[str], visible: Sequence[str]) -> list[str]:
    """The visible node ids that the model asked for, in the order of running.

    A file's path stands for all ids in it, an id without its parameters for all of
    its variants. What is not visible is not there.
    """
    if list(asked) == ["all"]:
        return list(visible)
    return [node for node in visible if any(_covers(name, node) for name in asked)]


def _covers(name: str, node: str) -> bool:
    clean = str(PurePosixPath(name)) if "::" not in name else name
    return node == clean or node.startswith((f"{clean}::", f"{clean}["))


def opening(blocks: Iterable[str]) -> list[dict[str, object]]:
    """The messages of a conversation that begins with these texts."""
    content = [{"type": "text", "text": text} for text in blocks]
    return [{"role": "user", "content": content}]
