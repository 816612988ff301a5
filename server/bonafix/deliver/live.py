"""Progress while it happens, on standard error; no threads, nothing blinks.

On a terminal a few lines are drawn over and over and vanish at the end; notes stay
above them. Elsewhere every step is one line of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bonafix.deliver.console import counted, evidence_line, verdict_line
from bonafix.deliver.terminal import (
    Line,
    Marks,
    Terminal,
    console_of,
    one_line,
    show,
    text_of,
    visible,
)
from bonafix.domain import Event, Evidence, Judgement, Listener

RECENT = 3  # candidates and lines of thought that stay in sight
INTERVAL = 0.1  # seconds between two drawings, at least
TICK = 1.0  # seconds after which the clock is drawn again
FIRST = 3  # failed candidates that a log names
EVERY = 50  # after them only their number, this often
THOUGHT = "thinking (the model's summary)"


@dataclass(slots=True)
class Progress:
    """What the events so far add up to."""

    begun: float
    candidates: int = 0
    recent: deque[Line] = field(default_factory=lambda: deque(maxlen=RECENT))
    current: str = ""
    stages: list[tuple[str, str]] = field(default_factory=list)  # name, mark's name
    running: str = ""
    tests: tuple[int, int | None] | None = None
    thought: str = ""
    doing: str = ""


def note(progress: Progress, event: Event, marks: Marks) -> None:
    """Fold one event into the progress."""
    if event.kind == "candidate":
        progress.candidates += 1
        progress.current = one_line(event.text)
        progress.stages.clear()
        progress.running, progress.tests, progress.thought = "", None, ""
    elif event.kind == "stage":
        _note_stage(progress, event)
    elif event.kind == "test":
        progress.tests = (event.done or 0, event.total)
    elif event.kind == "verdict":
        progress.recent.append(_verdict(event, marks))
        progress.current, progress.running, progress.tests = "", "", None
        progress.stages.clear()
    elif event.kind == "thinking":
        progress.thought = (progress.thought + event.text)[-2000:]
    elif event.kind in {"tool", "text"}:
        progress.doing = one_line(event.text) or progress.doing
        progress.thought = ""


def _note_stage(progress: Progress, event: Event) -> None:
    record = event.facts.get("record")
    if isinstance(record, Evidence):
        marks = {"pass": "good", "fail": "bad", "inconclusive": "doubt"}
        progress.stages.append((record.stage, marks.get(record.result, "none")))
        progress.running = ""
    else:
        progress.running = one_line(event.text)
    progress.tests = None if event.done is None else (event.done, event.total)


def _verdict(event: Event, marks: Marks) -> Line:
    judgement = event.facts.get("judgement")
    if isinstance(judgement, Judgement):
        return verdict_line(judgement, marks)
    return ((one_line(event.text), ""),)


# ------------------------------------------------------------------- a terminal


def drawn(progress: Progress, now: float, marks: Marks) -> list[Line]:
    """The lines in sight; `now` and `Progress.begun` are of one clock; pure."""
    seconds = int(now - progress.begun)
    head = f"{marks.busy} {seconds // 60}:{seconds % 60:02}"
    if progress.candidates:
        head += f"  {counted(progress.candidates, 'candidate')} tried"
    lines: list[Line] = [((head, "bold"),)]
    lines += [(("  ", ""), *line) for line in progress.recent]
    if progress.current:
        lines.append(((f"  {progress.current}", ""),))
    if stages := _stages(progress, marks):
        lines.append(((f"    {stages}", "cyan"),))
    if progress.doing:
        lines.append(((f"  {progress.doing}", ""),))
    thoughts = [visible(t) for t in progress.thought.splitlines() if t.strip()]
    if thoughts:
        lines.append(((f"  {THOUGHT}:", "dim italic"),))
        lines += [((f"    {thought}", "dim"),) for thought in thoughts[-RECENT:]]
    return lines


def _stages(progress: Progress, marks: Marks) -> str:
    parts = [f"{name} {getattr(marks, mark)}" for name, mark in progress.stages]
    if progress.running or progress.tests:
        parts.append(f"{progress.running or 'tests'} {_counter(progress, marks)}")
    return "  ".join(parts)


def _counter(progress: Progress, marks: Marks) -> str:
    if progress.tests is None:
        return marks.more
    done, total = progress.tests
    return f"{done:,}" if total is None else f"{done:,}/{total:,}"


@contextlib.contextmanager
def listener(where: Terminal) -> Iterator[Listener]:
    """A listener that shows what it hears for as long as the context lasts."""
    if not where.live:
        yield _plain(where)
        return
    from rich.console import Group  # noqa: PLC0415 - only where it is drawn
    from rich.live import Live  # noqa: PLC0415

    console = console_of(where)
    progress = Progress(time.monotonic())

    def lines() -> Group:
        texts = [
            text_of(line, where)
            for line in drawn(progress, time.monotonic(), where.marks)
        ]
        for text in texts:
            text.no_wrap, text.overflow = True, "ellipsis" if _wide(where) else "crop"
        return Group(*texts)

    live = Live(
        console=console,
        get_renderable=lines,
        auto_refresh=False,  # rich would start a thread
        transient=True,
        redirect_stdout=False,  # results go to standard output, not here
        redirect_stderr=False,
    )
    with live, contextlib.closing(_Clock(live.refresh)) as clock:

        def hear(event: Event) -> None:
            note(progress, event, where.marks)
            if event.kind == "note":
                console.print(text_of(((one_line(event.text), "dim"),), where))
            clock.due()

        clock.due()
        yield hear


def _wide(where: Terminal) -> bool:
    return where.marks.more == "…"


class _Clock:
    """Draws soon after something happened, and at times so that the clock goes on.

    Without a running event loop nothing can be drawn later, so it is drawn at once.
    """

    def __init__(self, draw: Callable[[], None]) -> None:
        self._draw = draw
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False

    def due(self) -> None:
        wait = self._last + INTERVAL - time.monotonic()
        if wait <= 0:
            self._now()
        elif not self._soon:
            self._soon = self._later(wait)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._draw()

    def _now(self) -> None:
        self._last = time.monotonic()
        self._draw()
        self._soon = False
        self._later(TICK)

    def _later(self, seconds: float) -> bool:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if self._timer:
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._now)
        return True


# -------------------------------------------------------------- a file or a pipe


def _plain(where: Terminal) -> Listener:
    """One line a step; thoughts as whole lines, tests not at all."""
    pending = ""

    def hear(event: Event) -> None:
        nonlocal pending
        if event.kind == "thinking":
            *whole, pending = (pending + event.text).split("\n")
            show(_thoughts(whole), where)
            return
        rest, pending = pending, ""
        show(_thoughts([rest]), where)
        show(_step(event, where.marks), where)

    return hear


def _thoughts(lines: list[str]) -> Iterator[Line]:
    for line in lines:
        if line.strip():
            yield ((f"{THOUGHT}: {visible(line.strip())}", "dim"),)


def _step(event: Event, marks: Marks) -> Iterator[Line]:
    record = event.facts.get("record")
    if event.kind == "verdict":
        yield _verdict(event, marks)
    elif event.kind == "stage" and isinstance(record, Evidence):
        if record.result != "pass":  # what passed is told once, with the verdict
            yield evidence_line(record, marks)
    elif event.kind == "candidate":
        yield from _candidate(event)
    elif event.kind in {"note", "tool"}:
        yield ((one_line(event.text), ""),)


def _candidate(event: Event) -> Iterator[Line]:
    """Each that matters; of those that fail their target the first and a count."""
    number = event.facts.get("screened")
    failed = isinstance(number, int) and not event.facts.get("green")
    if not failed or (isinstance(number, int) and number <= FIRST):
        yield ((f"candidate: {one_line(event.text)}", ""),)
    elif isinstance(number, int) and number % EVERY == 0:
        yield ((f"{number} candidates failed their target so far", "dim"),)
