"""A snapshot and an interpreter in, the project's test runner out."""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Event, Listener, Runner, Snapshot, SuiteRun, silent
from bonafix.observe import environment, process
from bonafix.observe.events import Log
from bonafix.observe.fold import Attempt, failed, fold, left
from bonafix.observe.interpreter import INSIDE, Interpreter
from bonafix.observe.usable import require_usable
from bonafix.sandbox.cell import Cell, Limits, cell

__all__ = ["RESTARTS", "make_runner", "require_usable"]

RESTARTS = 5  # after tests that hung or took the process along

Files = Mapping[str, bytes | None]
Places = frozenset[tuple[str, str]]  # path and function


def make_runner(
    snapshot: Snapshot,
    interpreter: Interpreter,
    config: Config,
    *,
    disguised: bool = False,
) -> Runner:
    """Run tests of `snapshot`, each time in a fresh confined copy; see `Runner`.

    `disguised`: the project's code cannot see that it is being tested.
    """
    bench = Bench(snapshot, interpreter, config, disguised=disguised)

    async def run(
        files: Files,
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun:
        wish = Wish(
            select=select,
            expression=expression,
            record_lines=record_lines,
            stop_at_first=stop_at_first,
            per_test=min(per_test or math.inf, config.test_timeout),
            deadline=time.monotonic() + (seconds or config.suite_timeout),
        )
        once = functools.partial(_attempt, bench, files, Teller(listen))
        return folded(bench, wish, await attempts(once, wish))

    return run


@dataclass(frozen=True, slots=True)
class Bench:
    """What all runs have in common."""

    snapshot: Snapshot
    interpreter: Interpreter
    config: Config
    disguised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of one run."""

    select: Sequence[str] | None
    expression: str
    record_lines: bool
    stop_at_first: bool
    per_test: float
    deadline: float
    stuck: Places = frozenset()  # where tests of this run hung before
    # The words that are no news of a test; given at all, the first news ends the run.
    tolerated: Mapping[str, Sequence[str]] | None = None


Once = Callable[[Wish], Awaitable[Attempt]]


async def attempts(once: Once, wish: Wish) -> list[Attempt]:
    """Once; and where a test hung or died, again for the tests after it.

    One endless loop may hang every test that gets there. The first of them has all its
    time; those that are found at the same place are not waited for.
    """
    found: list[Attempt] = []
    trouble = 0
    while trouble <= RESTARTS:
        found.append(await once(wish))
        rest = left(found)
        if not found[-1].victim or wish.stop_at_first or not rest:
            break
        if wish.tolerated is not None and found[-1].victim not in wish.tolerated:
            break
        trouble += not found[-1].repeated
        stuck = wish.stuck | standing(found[-1])
        wish = replace(wish, select=rest, expression="", stuck=stuck)
    return found


def standing(attempt: Attempt) -> Places:
    """The function in which its test hung, if that is known."""
    told = attempt.log.stuck.get(attempt.victim) if attempt.hung else None
    return frozenset() if told is None else process.innermost(told)


async def _attempt(bench: Bench, files: Files, teller: Teller, wish: Wish) -> Attempt:
    async with confined(bench, files) as place:
        return await process.attempt(place, order(bench, wish, place), teller.hear)


def confined(bench: Bench, files: Files) -> AbstractAsyncContextManager[Cell]:
    """A cell as the settings want it, with `files` laid over the copy."""
    return cell(
        bench.snapshot,
        files,
        limits=Limits(memory=bench.config.memory),
        confine=bench.config.confine,
        readable=readable(bench.interpreter, bench.snapshot.root),
        hidden=(),  # the home and the root are hidden as it is
    )


def order(bench: Bench, wish: Wish, place: Cell) -> process.Order:
    """What a process in `place` is asked to do."""
    return process.Order(
        python=bench.interpreter.path,
        launcher=bench.interpreter.script("launch.py"),
        root=bench.snapshot.root,
        path=bench.interpreter.import_path,
        env=environment.variables(
            os.environ,
            bench.interpreter,
            bench.config,
            root=bench.snapshot.root,
            tree=place.tree,
        ),
        select=wish.select,
        expression=wish.expression,
        record_lines=wish.record_lines,
        stop_at_first=wish.stop_at_first,
        per_test=wish.per_test,
        deadline=wish.deadline,
        disguised=bench.disguised,
        stuck=wish.stuck,
    )


def readable(interpreter: Interpreter, root: Path) -> tuple[Path, ...]:
    """The interpreter with all that it imports from, but for the user's own tree."""
    prefixes = {Path(interpreter.prefix), Path(interpreter.base_prefix)}
    outside = {
        Path(entry)
        for entry in (*interpreter.import_path, *interpreter.editable)
        if Path(entry).is_absolute() and not Path(entry).is_relative_to(root)
    }
    return tuple(sorted(prefixes | outside | {INSIDE, interpreter.inside}))


@dataclass(slots=True)
class Teller:
    """Tells a listener of each test that is done, over all attempts."""

    listen: Listener
    total: int | None = None
    done: int = 0

    def hear(self, log: Log, event: str) -> None:
        if event == "ready" and self.total is None:
            self.total = len(log.items)
        if event != "done":
            return
        self.done += 1
        node_id = next(reversed(log.done))
        self.listen(
            Event(
                kind="test",
                text=node_id,
                done=self.done,
                total=self.total,
                failed=failed(log, node_id),
                lines=log.lines.get(node_id, {}),
            )
        )


def folded(bench: Bench, wish: Wish, found: Sequence[Attempt]) -> SuiteRun:
    """All attempts as one run."""
    run = fold(found, command=_command(bench, wish))
    dropped = environment.dropped(os.environ, bench.config)
    return replace(
        run,
        neutralised=(*run.neutralised, *dropped),
        opened={p: t for p, t in run.opened.items() if p in bench.snapshot.files},
    )


def _command(bench: Bench, wish: Wish) -> Sequence[str]:
    """What does the same by hand."""
    expression = ["-k", wish.expression] if wish.expression else []
    ids = wish.select or ()
    return [str(bench.interpreter.path), "-m", "pytest", *expression, *ids]
