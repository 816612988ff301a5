"""The bench of one job: a copy, the interpreter, the test runner, in one value."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bonafix.config import Config
from bonafix.domain import Listener, Patch, Runner, Snapshot, SuiteRun, silent
from bonafix.observe.interpreter import Interpreter, find
from bonafix.observe.run import make_runner
from bonafix.sandbox.scratch import scratch
from bonafix.sandbox.tree import take_async

Buffers = Mapping[str, bytes]  # path relative to the root -> unsaved contents


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all runs of one job share: the copy, the interpreter, the runner."""

    snapshot: Snapshot
    interpreter: Interpreter
    run: Runner
    under: tuple[Patch, ...] = ()  # taken for granted, in their order

    def on_top_of(self, patch: Patch) -> Bench:
        """The same with `patch` taken for granted."""
        sources = {**self.snapshot.sources}
        for path, after in patch.files.items():
            sources.pop(path, None)
            if after is not None:
                sources[path] = after
        snapshot = replace(self.snapshot, sources=sources)
        run, under = layered(self.run, patch), (*self.under, patch)
        return replace(self, snapshot=snapshot, run=run, under=under)

    def read(self, path: str) -> bytes | None:
        """The file as it is on the bench; `None` where there is none."""
        if path in self.snapshot.sources:
            return self.snapshot.sources[path]
        if path in self.snapshot.files:
            return (self.snapshot.lower / path).read_bytes()
        return None


@contextlib.asynccontextmanager
async def opened(
    root: Path, config: Config, buffers: Buffers | None = None
) -> AsyncIterator[Bench]:
    """Copy the working tree with `buffers` laid over it; gone at the end.

    Raises:
        UntrustedError: no interpreter, no space, no confinement; says which.
    """
    with scratch() as folder:
        interpreter = await find(root, config)
        snapshot = await take_async(
            root, folder / "lower", buffers=buffers or {}, carry=config.carry
        )
        run = make_runner(snapshot, interpreter, config)
        yield Bench(snapshot=snapshot, interpreter=interpreter, run=run)


def layered(run: Runner, under: Patch) -> Runner:
    """`run` with `under` already laid over the snapshot."""

    async def on_top(
        files: Mapping[str, bytes | None],
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun:
        return await run(
            {**under.files, **files},
            select=select,
            expression=expression,
            record_lines=record_lines,
            stop_at_first=stop_at_first,
            seconds=seconds,
            per_test=per_test,
            listen=listen,
        )

    return on_top
