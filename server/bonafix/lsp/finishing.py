"""How the work on a test ended, said once: to the user, and to who asked for events."""

from __future__ import annotations

from collections.abc import Callable

from bonafix.lsp import telling
from bonafix.lsp.jobs import Job
from bonafix.lsp.state import State


def finish(
    state: State,
    job: Job,
    outcome: telling.Ending,
    text: str,
    say: Callable[[str], None],
) -> None:
    """Show `text`; before it goes an event with the same text and the job's id.

    So a client knows of a message whose it is, and need not read it.
    """
    root = state.roots.get(job.root) if job.root else None
    told = telling.finished(
        job=job.id,
        test=job.test,
        root=root.uri if root else "",
        outcome=outcome,
        text=state.client.redact(text),
        repair=job.repair,
    )
    state.client.tell(telling.EVENT, told)
    say(text)
