"""The tasks that outlive the request that started them: runs, fixes, deliveries."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bonafix.domain import Repair
from bonafix.lsp.edits import Base

logger = logging.getLogger(__name__)

_KEPT = 100  # finished jobs whose results can still be asked for


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """A task under a name that the client may use."""

    id: str
    root: Path | None = None
    test: str = ""
    repair: Repair | None = None  # a fix that came to its end
    base: Base | None = None  # what that fix was judged on
    replaced: Job | None = None  # the test's job before this one
    seen_applied: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether its task, with all its processes, has yet to end."""
        return self.task is not None and not self.task.done()


Work = Callable[[Job], Coroutine[object, object, None]]


@dataclass(slots=True)
class Jobs:
    """All jobs of this server by id, and the latest for each test.

    pygls does not cancel the coroutine of a command with its request, so the tasks
    are kept and cancelled here.
    """

    failed: Callable[[Job, str], None]  # told of an error that is the server's own
    cancelled: Callable[[Job], None]  # told of every job that was cancelled
    changed: Callable[[], None]  # told when what is offered for a test has changed
    table: dict[str, Job] = field(default_factory=dict)
    by_test: dict[tuple[Path, str], Job] = field(default_factory=dict)
    revision: int = 0  # grows whenever another job may stand for a test

    def start(
        self, kind: str, work: Work, *, root: Path | None = None, test: str = ""
    ) -> Job:
        """Start a job; `work` gets it as its argument."""
        job = Job(id=f"{kind}-{secrets.token_hex(4)}", root=root, test=test)
        self.table[job.id] = job
        self.revision += 1
        if root and test:
            job.replaced = self.by_test.get((root, test))
            self.by_test[root, test] = job
            self.changed()
        job.task = asyncio.create_task(work(job), name=job.id)
        job.task.add_done_callback(lambda task: self._ended(job, task))
        return job

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self.cancelled(job)
        elif error := task.exception():
            logger.error("%s ended with an error", job.id, exc_info=error)
            self.failed(job, f"internal error: {type(error).__name__}: {error}")
        if job.root and job.test:
            self._settle(job, job.root)
            self.changed()
        job.replaced = None
        self.revision += 1
        finished = [other for other in self.table.values() if not other.running]
        for old in finished[:-_KEPT]:
            self._forget(old)

    def _settle(self, job: Job, root: Path) -> None:
        key = (root, job.test)
        if job.repair is None:  # cancelled or failed: what was there before holds
            if self.by_test.get(key) is job:
                del self.by_test[key]
                if job.replaced and job.replaced.repair:
                    self.by_test[key] = job.replaced
            return
        for target in job.repair.targets:  # one cause, one fix, several tests
            other = self.by_test.get((root, target.id))
            if other is None or not other.running:
                self.by_test[root, target.id] = job

    def _forget(self, old: Job) -> None:
        self.table.pop(old.id, None)
        for key in [key for key, job in self.by_test.items() if job is old]:
            del self.by_test[key]

    def of(self, root: Path) -> list[Job]:
        """The jobs whose outcome is offered in `root`, each once."""
        ours = {j.id: j for (path, _), j in self.by_test.items() if path == root}
        return list(ours.values())

    def cancel(self, jobs: Iterable[Job]) -> bool:
        """Cancel these; whether any was still running."""
        running = [job.task for job in jobs if job.task and not job.task.done()]
        for task in running:
            task.cancel()
        return bool(running)

    async def close(self, seconds: float) -> None:
        """Cancel everything and wait, bounded, until it has ended."""
        jobs = list(self.table.values())
        tasks = {job.task for job in jobs if job.task and not job.task.done()}
        self.cancel(jobs)
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
