"""The first message: what the client can do, read before anything else is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bonafix.lsp import abilities, settings
from bonafix.lsp.features import PULLED, register

if TYPE_CHECKING:
    from lsprotocol import types

    from bonafix.lsp.session import Server


async def initialize(ls: Server, params: types.InitializeParams) -> None:
    """Learn what the client can do; the folders are looked at when it is ready."""
    options = params.initialization_options
    ls.introduction = params
    ls.abilities = abilities.read(
        params.capabilities,
        pull=settings.pulls(options),
        results=settings.wants_results(options),
    )
    if ls.abilities.pull:
        # Only then: a client that is pushed diagnostics would show them twice.
        register(ls, PULLED)
    settings.set_level(options)
    ls.introduced.set()
