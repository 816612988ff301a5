"""The wiring: a server with its state, its messages and its commands."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from lsprotocol import types

from bonafix.config import Config
from bonafix.lsp.client import Client, Timing
from bonafix.lsp.commands import COMMANDS
from bonafix.lsp.findings import short_name
from bonafix.lsp.finishing import finish
from bonafix.lsp.jobs import Job, Jobs
from bonafix.lsp.messages import FEATURES
from bonafix.lsp.requests import code_action
from bonafix.lsp.session import Server
from bonafix.lsp.state import Examine, OpenProject, State
from bonafix.lsp.trust import Trust


async def _nothing() -> None:
    """Be ready already."""


def make_server(
    open_project: OpenProject,
    *,
    examine: Examine,
    claude: Callable[[Config], bool],
    warm: Callable[[], Awaitable[None]] = _nothing,
    trust: bool = False,
    timing: Timing | None = None,
) -> Server:
    """A server over the projects that `open_project` gives it.

    `examine` is the doctor; `claude` says, quickly, whether there are credentials;
    `warm` is awaited before the first run and must let others have their turns.
    """
    server = Server()
    timing = timing or Timing()
    client = Client(server, timing)
    server.state = State(
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
    for method, handler in FEATURES.items():
        server.feature(method)(handler)
    options = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)(code_action)
    for name, command in COMMANDS.items():
        server.command(name)(command)
    return server


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
