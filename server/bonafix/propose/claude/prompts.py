"""Evidence in, the words of user messages and tool results out; pure.

What programs printed is bounded and quoted as data.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from bonafix.domain import Feedback, Frame, SuiteRun, Suspect, Task, TestResult, Verdict
from bonafix.propose.claude.workbench import Bench, writable

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

_TEST_LIMIT = 12_000
_OUTPUT_LIMIT = 6_000
_FILES_SHOWN = 200
_SUSPECTS_SHOWN = 12
_TARGETS_SHOWN = 5
_IDS_SHOWN = 40


def data(text: str, limit: int = _OUTPUT_LIMIT) -> str:
    """Quoted as data: bounded, and unable to close its own quotation."""
    body = _cut(text.strip("\n"), limit).replace("</data", "<\\/data")
    return f"<data>\n{body}\n</data>"


def first_message(task: Task, bench: Bench) -> str:
    """The evidence for a group of failures with one cause."""
    targets = task.targets
    parts = [_headline(targets)]
    parts += [_target(target, bench) for target in targets[:_TARGETS_SHOWN]]
    if len(targets) > _TARGETS_SHOWN:
        rest = "\n".join(target.id for target in targets[_TARGETS_SHOWN:][:_IDS_SHOWN])
        parts.append(f"These fail with the same cause:\n{data(rest)}")
    if task.suspects:
        parts.append(_suspects(task.suspects))
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
        parts.append(f"What visible tests printed:\n{data(feedback.visible)}")
    return "\n\n".join(parts)


def run_report(run: SuiteRun, wanted: Sequence[str], limit: int = 12_000) -> str:
    """The outcome of a run: counts, each test that is not green, their output."""
    outcomes = {node: run.outcome(node) for node in wanted}
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    lines = [f"{passed} of {len(outcomes)} passed."]
    if run.timed_out:
        lines.append("The run was stopped at its time limit.")
    others = [node for node, outcome in outcomes.items() if outcome != "passed"]
    lines += [f"{outcomes[node]}: {node}" for node in others[:_IDS_SHOWN]]
    reports = [f"{error.id}\n{error.message}" for error in run.collection_errors]
    told = [run.results[node] for node in others if node in run.results]
    reports += [f"{result.id}\n{_report(result)}" for result in told]
    if not reports and others:
        reports = [run.output]
    share = max(1500, limit // max(1, len(reports)))
    quoted = "\n\n".join(_cut(report, share) for report in reports)
    return "\n".join(lines) + (f"\n{data(quoted, limit)}" if quoted.strip() else "")


def _report(result: TestResult) -> str:
    text = result.longrepr or f"{result.exception}: {result.message}"
    return f"{text}\n{result.captured}".rstrip()


def _these(targets: Sequence[TestResult]) -> str:
    return "this failure" if len(targets) == 1 else "these failures"


def _headline(targets: Sequence[TestResult]) -> str:
    if len(targets) == 1:
        return "One test fails."
    return f"{len(targets)} tests fail, as it seems with one cause."


def _target(target: TestResult, bench: Bench) -> str:
    parts = [f"Failing test: {target.id}"]
    message = f"{target.exception}: {target.message}".strip(": ")
    if message:
        parts.append(f"It ends with:\n{data(message, 2000)}")
    if target.expected is not None or target.actual is not None:
        sides = f"expected: {target.expected}\nactual:   {target.actual}"
        parts.append(f"The two sides of its comparison:\n{data(sides, 2000)}")
    source = _test_source(target, bench)
    if source:
        parts.append(f"Its source:\n{data(source, _TEST_LIMIT)}")
    frames = "\n".join(_frame(frame) for frame in target.frames if frame.own)
    if frames:
        parts.append(f"Its traceback through this project:\n{data(frames, 4000)}")
    if target.captured.strip():
        parts.append(f"It printed:\n{data(target.captured, 3000)}")
    return "\n".join(parts)


def _frame(frame: Frame) -> str:
    values = ", ".join(f"{name}={value}" for name, value in frame.values.items())
    tail = f"    with {_cut(values, 400)}" if values else ""
    place = f"{frame.path}:{frame.line} in {frame.function}"
    return "\n".join(filter(None, (place, f"    {frame.code}", tail)))


def _test_source(target: TestResult, bench: Bench) -> str:
    """The test function's text with line numbers, from the bench."""
    place = target.definition or target.place
    text = bench.files.get(place.path) if place else None
    if place is None or text is None:
        return ""
    first, last = _function_range(text, place.line)
    lines = text.split("\n")[first - 1 : last]
    numbered = [f"{number:>6}\t{line}" for number, line in enumerate(lines, first)]
    return f"{place.path}\n" + "\n".join(numbered)


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


def _suspects(suspects: Sequence[Suspect]) -> str:
    lines = []
    for suspect in suspects[:_SUSPECTS_SHOWN]:
        where = f"{suspect.path}:{suspect.line}"
        detail = " ".join(filter(None, (suspect.function, suspect.why)))
        lines.append(f"{suspect.score:.2f}  {where}  {detail}".rstrip())
    head = (
        "Lines that failing tests run and passing tests mostly do not, the most "
        "suspicious first. This is a hint from statistics, not a finding."
    )
    return f"{head}\n{data(chr(10).join(lines))}"


def _files(bench: Bench) -> str:
    product = [path for path in sorted(bench.files) if writable(bench, path)]
    shown = product[:_FILES_SHOWN]
    tail = ""
    if len(product) > len(shown):
        tail = f"\n[{len(product) - len(shown)} more]"
    others = len(bench.files) - len(product)
    head = f"Files that a fix may change (besides them {others} are read-only):"
    return f"{head}\n{data(chr(10).join(shown) + tail, 12_000)}"


def _cut(text: str, limit: int) -> str:
    """The text within the limit: its start and its end, the middle left out."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[{left_out} characters left out]\n{text[-half:]}"


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
