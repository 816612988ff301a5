"""What the server holds while it runs: the client, its buffers, its roots."""

from __future__ import annotations

import asyncio
import os
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bonafix import config
from bonafix.config import Config
from bonafix.domain import Judgement, Listener, Repair
from bonafix.dotenv import redactor_at
from bonafix.errors import UsageError
from bonafix.lsp import settings
from bonafix.lsp.board import Board
from bonafix.lsp.client import Client, Timing
from bonafix.lsp.documents import Documents, file_path
from bonafix.lsp.edits import Current
from bonafix.lsp.jobs import Job, Jobs
from bonafix.lsp.progress import Cancels
from bonafix.lsp.projects import own_interpreter, shared_interpreter
from bonafix.lsp.selecting import Known
from bonafix.lsp.trust import Trust
from bonafix.lsp.turns import Turns
from bonafix.lsp.wire import Text

if TYPE_CHECKING:
    from bonafix.project import Observation


Buffers = Mapping[str, bytes]  # path relative to the root -> unsaved contents


class ProjectLike(Protocol):
    """What of `project.Project` the server uses."""

    async def observe(  # noqa: D102 - see Project
        self,
        *,
        buffers: Buffers | None = None,
        select: Sequence[str] | None = None,
        expression: str = "",
        broken: bool = False,
        listen: Listener = ...,
        show: Callable[[Observation], None] = ...,
    ) -> Observation: ...

    async def glance(  # noqa: D102 - see Project
        self,
        tests: Sequence[str],
        *,
        buffers: Buffers | None = None,
        listen: Listener = ...,
        show: Callable[[Observation], None] = ...,
    ) -> Observation | None: ...

    async def keep(self, listen: Listener = ...) -> None: ...  # noqa: D102 - as above

    def fix(  # noqa: D102 - see Project
        self,
        *,
        tests: Sequence[str] = (),
        buffers: Buffers | None = None,
        listen: Listener = ...,
    ) -> AsyncGenerator[Repair]: ...

    async def check(  # noqa: D102 - see Project
        self,
        patch: bytes,
        *,
        tests: Sequence[str] = (),
        buffers: Buffers | None = None,
        listen: Listener = ...,
    ) -> tuple[Judgement, object, str]: ...


OpenProject = Callable[[Path, Config], ProjectLike]
Examine = Callable[[Path, Config], Awaitable[str]]  # a page about a root, in Markdown


def _turns() -> Turns:
    """Of several roots at once some, so that one slow suite stops nobody else."""
    return Turns(width=max(2, (os.cpu_count() or 1) // 2))


@dataclass(slots=True, kw_only=True, eq=False)
class Root:
    """A project: a workspace folder, or one of several in it."""

    path: Path
    uri: str
    folder: Path  # the workspace folder: what the user opened, and trusts or not
    board: Board = field(default_factory=Board)
    published: dict[str, str] = field(default_factory=dict)  # path -> URI it went to
    unpublished: set[str] = field(default_factory=set)
    sending: float = 0.0  # seconds that it took the last time
    publishing: asyncio.TimerHandle | None = None
    sender: asyncio.Task[None] | None = None  # of more than fits in one go
    lenses: dict[str, tuple[object, Text]] = field(default_factory=dict)  # by path
    settings: object = None  # the editor's for this folder
    complaint: str = ""  # the configuration error that was shown last
    begun: bool = False  # whether a run was thought of when it was opened
    run: Job | None = None
    holding: Job | None = None  # what is kept for a quick look after a save
    selected: tuple[str, ...] | None = None  # by the latest run; `None`: the suite
    asked: bool = False  # whether a person wants the latest run
    wanted: Config = field(default_factory=Config)  # the latest run's settings
    known: Known = field(default_factory=Known)  # by the last whole run
    touched: set[str] = field(default_factory=set)  # files written or typed in since
    delivering: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True, kw_only=True)
class State:
    """Everything; one for each connection."""

    open_project: OpenProject
    client: Client
    jobs: Jobs
    trust: Trust
    timing: Timing
    examine: Examine
    claude: Callable[[Config], bool]  # whether there are credentials for Claude
    warm: Callable[[], Awaitable[None]]  # gets ready for the first job
    documents: Documents = field(default_factory=Documents)
    roots: dict[Path, Root] = field(default_factory=dict)
    ready: bool = False  # settings are known, and runs may start by themselves
    running: Turns = field(default_factory=_turns)
    fixing: Turns = field(default_factory=_turns)
    options: object = None  # initializationOptions
    cancels: Cancels = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)  # see `tell`

    def tell(self) -> None:
        """Wake whoever holds `news`: what is shown has changed, or this is the end."""
        self.news.set()
        self.news = asyncio.Event()

    def root_of(self, path: Path) -> Root | None:
        """The innermost root that holds `path`."""
        holding = [r for r in self.roots.values() if path.is_relative_to(r.path)]
        return max(holding, key=lambda r: len(r.path.parts), default=None)

    def root_named(self, uri: str | None, test: str | None = None) -> Root:
        """The root that a command means.

        Raises:
            UsageError: there is none, or it is not clear which.
        """
        meant = self.roots_named(uri)
        candidates = [r for r in meant if test in r.board.findings] or meant
        if len(candidates) > 1:
            raise UsageError(
                "several workspace folders or projects are open; "
                "say which with 'root' (its URI)"
            )
        return candidates[0]

    def roots_named(self, uri: str | None) -> list[Root]:
        """The root that holds a file or folder, else those in it; without one, all.

        Raises:
            UsageError: there is none.
        """
        if uri is None:
            if not self.roots:
                raise UsageError("no workspace folder is open")
            return list(self.roots.values())
        path = file_path(uri)
        root = self.root_of(path) if path else None
        inside = [r for r in self.roots.values() if path and path in r.path.parents]
        if root is None and not inside:
            raise UsageError(f"no open workspace folder holds {uri}")
        return [root] if root else inside

    def config(self, root: Root, extra: Mapping[str, object] | None = None) -> Config:
        """The settings of one root as they are now.

        Raises:
            ConfigurationError: a setting is wrong.
        """
        known = redactor_at(root.path, os.environ)  # each time: the files change
        self.client.redact = known.joined(self.client.redact)
        editor = dict(settings.overrides(self.options, root.settings))
        own = own_interpreter(root.path) if len(self.roots) > 1 else ""
        if root.path != root.folder and own:
            editor.pop("interpreter", None)  # it was chosen for the folder as a whole
        loaded = config.load(root.path, overrides={**editor, **(extra or {})})
        found = loaded.interpreter or own
        found = found or shared_interpreter(root.folder, root.path)
        return replace(loaded, interpreter=found)

    def look(self, root: Root) -> Callable[[str], Current]:
        """How a file of `root` stands now."""

        def current(path: str) -> Current:
            full = root.path / path
            documents = self.documents
            return Current(
                uri=documents.uri(full),
                version=documents.version(full),
                text=documents.text(full),
                contents=documents.contents(full),
            )

        return current
