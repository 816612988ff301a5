"""The wiring: a server with its messages and commands, and how its state is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from lsprotocol import types

from bonafix.lsp.features import FEATURES, register, register_commands
from bonafix.lsp.hello import initialize
from bonafix.lsp.session import Server

if TYPE_CHECKING:
    from bonafix.config import Config
    from bonafix.lsp.client import Timing
    from bonafix.lsp.state import Examine, OpenProject, State


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

    def build(server: Server) -> State:
        from bonafix.lsp import building  # noqa: PLC0415 - hello was said by now

        return building.build(
            server,
            open_project=open_project,
            examine=examine,
            claude=claude,
            warm=warm,
            trust=trust,
            timing=timing,
        )

    server = Server(build)
    server.feature(types.INITIALIZE)(initialize)
    register(server, FEATURES)
    register_commands(server)
    return server
