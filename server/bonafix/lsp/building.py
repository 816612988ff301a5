"""What a server holds, made when the first message is there that needs it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from bonafix.config import Config
from bonafix.lsp.client import Client, Timing
from bonafix.lsp.findings import short_name
from bonafix.lsp.finishing import finish
from bonafix.lsp.jobs import Job, Jobs
from bonafix.lsp.messages import introduce
from bonafix.lsp.session import Server
from bonafix.lsp.state import Examine, OpenProject, State
from bonafix.lsp.trust import Trust


def build(
    server: Server,
    *,
    open_project: OpenProject,
    examine: Examine,
    claude: Callable[[Config], bool],
    warm: Callable[[], Awaitable[None]],
    trust: bool,
    timing: Timing | None,
) -> State:
    """The state, with what the client has said at its start."""
    timing = timing or Timing()
    client = Client(server, timing, server.abilities)
    state = State(
        open_project=open_project,
        client=client,
        jobs=Jobs(
            failed=functools.partial(_failed, server),
            cancelled=functools.partial(_cancelled, server),
            changed=client.refresh_lenses,
        ),
        trust=Trust(client, everything=trust),
        timing=timing,
        examine=examine,
        claude=claude,
        warm=warm,
    )
    introduce(server, state)
    return state


def _cancelled(server: Server, job: Job) -> None:
    if job.test and not server.clean:
        text = f"the work on {short_name(job.test)} was cancelled"
        finish(server.state, job, "cancelled", text, server.state.client.inform)


def _failed(server: Server, job: Job, text: str) -> None:
    complain = server.state.client.complain
    if job.test:
        finish(server.state, job, "error", text, complain)
    else:
        complain(text)
