"""`bonafix lsp`: the language server over the real projects."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bonafix.lsp import transport
from bonafix.lsp.server import make_server

if TYPE_CHECKING:
    from bonafix.config import Config
    from bonafix.lsp.state import ProjectLike
    from bonafix.observe.loop import Loop

_NICE = "10"  # of 19: what is run steps back, for its user types meanwhile


def serve(host: str | None, port: int | None, trust: bool) -> int:  # noqa: FBT001
    """Serve one client: on standard streams, or by TCP where a port is given.

    `trust` lets the tests of every root run without asking. Returns the exit code:
    0 after an orderly goodbye, 1 where the client just vanished.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    os.environ.setdefault("BONAFIX_NICE", _NICE)
    # A wrong argument of a client's is its affair: it is told, no traceback needed.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    return asyncio.run(_serve(host, port, trust=trust))


async def _serve(host: str | None, port: int | None, *, trust: bool) -> int:
    kept: dict[Path, Loop] = {}
    server = make_server(
        functools.partial(_open, kept),
        examine=_examine,
        claude=_claude,
        warm=_warm,
        trust=trust,
    )
    try:
        if port is None:
            return await transport.stdio(server)
        return await transport.tcp(server, host or "127.0.0.1", port)
    finally:
        for loop in kept.values():
            await loop.close()


# The rest of Bonafix is imported when it is needed first: saying hello must be quick.


async def _warm() -> None:
    from bonafix.lsp.warming import warm  # noqa: PLC0415

    project, engines = "bonafix.project", "bonafix.propose"
    await warm(project, f"{engines}.search", f"{engines}.claude")


def _open(kept: dict[Path, Loop], root: Path, config: Config) -> ProjectLike:
    from bonafix.observe.loop import Loop  # noqa: PLC0415
    from bonafix.project import Project  # noqa: PLC0415

    return Project(root, config, loop=kept.setdefault(root, Loop()))


def _claude(config: Config) -> bool:
    from bonafix.propose.claude import credential  # noqa: PLC0415

    return credential(config, os.environ) is not None


async def _examine(root: Path, config: Config) -> str:
    from bonafix.observe.doctor import examine  # noqa: PLC0415
    from bonafix.propose.claude import status  # noqa: PLC0415

    lines = [f"# Bonafix doctor: {root}", ""]
    for finding in await examine(root, config, status(config, os.environ)):
        advice = f"\n  {finding.advice}" if finding.advice else ""
        lines.append(f"- **{finding.topic}** ({finding.level}): {finding.text}{advice}")
    return "\n".join([*lines, ""])
