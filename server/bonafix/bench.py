"""The bench of one job: a copy, the interpreter, what executes, in one value."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from bonafix.calls import Tools
from bonafix.config import Config
from bonafix.domain import Patch, Snapshot
from bonafix.observe import run as observe
from bonafix.observe.calls import make_caller, make_recorder
from bonafix.observe.haste import Haste
from bonafix.observe.history import Changed, last_change
from bonafix.observe.interpreter import Interpreter, find
from bonafix.observe.run import make_runner
from bonafix.observe.shards import sharded
from bonafix.sandbox.scratch import scratch
from bonafix.sandbox.tree import take_async

if TYPE_CHECKING:  # importing it would cost every command the model's tables
    from bonafix.propose.claude.budget import Purse

Buffers = Mapping[str, bytes]  # path relative to the root -> unsaved contents
Files = Mapping[str, bytes | None]  # laid over the snapshot; `None` deletes

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all runs of one job share: the copy, the interpreter, what executes."""

    snapshot: Snapshot
    interpreter: Interpreter
    tools: Tools
    haste: Haste | None = None  # how its runs are sped up; shared with what is on top
    under: tuple[Patch, ...] = ()  # taken for granted, in their order
    purse: Purse | None = None  # for all that a model does, where one reads patches
    changed: Changed = field(default_factory=dict)  # last, as version control says

    def on_top_of(self, patch: Patch) -> Bench:
        """The same with `patch` taken for granted."""
        sources = {**self.snapshot.sources}
        for path, after in patch.files.items():
            sources.pop(path, None)
            if after is not None:
                sources[path] = after
        snapshot = replace(self.snapshot, sources=sources)
        disguised = self.tools.disguised
        tools = replace(
            self.tools,
            run=layered(self.tools.run, patch),
            record=layered(self.tools.record, patch),
            call=layered(self.tools.call, patch),
            disguised=layered(disguised, patch) if disguised else None,
        )
        under = (*self.under, patch)
        return replace(self, snapshot=snapshot, tools=tools, under=under)

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
        place = snapshot, interpreter, config
        haste = Haste(observe.Bench(*place))
        tools = Tools(
            sharded(make_runner(*place), haste.shards),
            make_recorder(*place),
            make_caller(*place),
            disguised=make_runner(*place, disguised=True),
        )
        yield Bench(
            snapshot=snapshot,
            interpreter=interpreter,
            tools=tools,
            haste=haste,
            changed=await last_change(root, snapshot.sources),
        )


def layered(
    execute: Callable[Concatenate[Files, P], R], under: Patch
) -> Callable[Concatenate[Files, P], R]:
    """`execute` with `under` already laid over the snapshot."""

    def on_top(files: Files, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return execute({**under.files, **files}, *args, **kwargs)

    return on_top
