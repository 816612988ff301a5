"""A prepared interpreter in a cell: orders in, runs in forks of it out.

Each order is a JSON line with `do` and `nonce`. `prepare` (a run's fields: where the
tree is; `private`: whether /dev/shm is the cell's own) is answered by `prepared`;
`load` (`modules`) by `loaded` (`culprit`); `run` (`files` in base64, `request`: a run's
fields and `tolerated`, `tell`) by the run's own events, by `modules` where they were
asked for, and by `over` (how it ended; `clean`: nothing is left of it) or `unlaid`
(`message`). `stop` ends the run with that nonce.

`collect` (`files`, `request`) makes it another kind of process: answered by `standing`
(`reason`: why it cannot be, or empty; `modules`), it then takes no order but `swap`,
which is a `run` in a fork of the collected session, or is answered by `unfit`
(`reason`). Both take `tidy` (`gone`: paths; `back`: path, content in base64, mode,
time) and answer `tidied`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from bonafix.errors import SandboxError
from bonafix.observe.events import Log
from bonafix.observe.fold import Attempt
from bonafix.observe.process import Hear, Order, Watch, fields
from bonafix.observe.wire import Fields, decode, number, text
from bonafix.sandbox.cell import Cell, Running

_PATIENCE = 5.0  # seconds for an answer that needs no test to run
_LOADING = 30.0  # seconds for imports
_ANSWERS = frozenset(
    {
        "prepared",
        "loaded",
        "modules",
        "over",
        "unlaid",
        "standing",
        "unfit",
        "tidied",
    }
)
_ENDS = frozenset({"over", "unlaid", "unfit"})  # of a run

Files = Mapping[str, bytes | None]
_NO_FILES: Files = {}
Module = tuple[str, str]  # name, real path of its file
Tolerated = Mapping[str, Sequence[str]]


class Back(NamedTuple):
    """A file of the tree as it was before a run."""

    place: str  # an absolute path
    content: bytes
    mode: int
    time: int  # of the last change, nanoseconds


class LostError(Exception):
    """The process is gone, or does not do as it should; says how."""


class UnfitError(Exception):
    """This cannot be done in a process that has collected; says why."""


@dataclass(slots=True, kw_only=True)
class Zygote:
    """The process, and what it is doing now."""

    cell: Cell
    running: Running
    orders: socket.socket
    nonce: str = ""
    watch: Watch | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    answers: dict[str, Fields] = field(default_factory=dict)
    gone: bool = False
    unhurried: bool = False  # of so many tests each must not wake us
    halted: bool = False  # nobody wants to know more of the run that is under way

    async def load(self, modules: Sequence[Module]) -> str:
        """Import `modules`; the name at which that had to stop, else "".

        After a stop the process is good for nothing more.
        """
        await self._order("load", secrets.token_hex(16), {"modules": list(modules)})
        return text(await self._answer("loaded", _LOADING), "culprit")

    async def collect(
        self, order: Order, seconds: float, files: Files = _NO_FILES
    ) -> None:
        """Collect what `order` selects over `files`, for runs that `swap`.

        Raises:
            LostError: it is lost, or it takes longer than that.
            UnfitError: nothing may be forked from there.
        """
        nonce = secrets.token_hex(16)
        request = fields(self.cell, replace(order, brief=True), nonce)
        laid = {path: _text(content) for path, content in files.items()}
        await self._order("collect", nonce, {"files": laid, "request": request})
        reason = text(await self._answer("standing", seconds), "reason")
        if reason:
            raise UnfitError(reason)

    def told(self) -> tuple[Module, ...]:
        """The modules from outside the project that collecting has imported."""
        return _modules(self.answers.get("standing", {}))

    async def swap(
        self,
        files: Files,
        order: Order,
        hear: Hear,
        *,
        tolerated: Tolerated | None = None,
    ) -> Attempt:
        """Run collected tests in a fork, with the functions of `files`.

        `tolerated` as `Wish` has it.

        Raises:
            LostError: the process is lost, or cannot lay those files.
            UnfitError: `files` differ in more than functions that have not run.
        """
        attempt, _ = await self.run(files, order, hear, do="swap", tolerated=tolerated)
        return attempt

    async def tidy(self, gone: Sequence[str], back: Sequence[Back]) -> None:
        """Take away what a run has left, and have `back` as it was.

        Raises:
            LostError: it does not answer. What cannot be done is not told.
        """
        files = [(b.place, _text(b.content), b.mode, b.time) for b in back]
        rest: Fields = {"gone": list(gone), "back": files}
        await self._order("tidy", secrets.token_hex(16), rest)
        await self._answer("tidied", _PATIENCE)

    def halt(self) -> None:
        """End the run that is under way, as if its time were up."""
        self.halted = True
        self.changed.set()

    async def run(
        self,
        files: Files,
        order: Order,
        hear: Hear,
        *,
        tell: bool = False,
        do: Literal["run", "swap"] = "run",
        tolerated: Tolerated | None = None,
    ) -> tuple[Attempt, tuple[Module, ...]]:
        """Run pytest in a fork, over a tree with `files`; the modules, if to `tell`.

        Raises:
            LostError: the process is lost, or cannot lay those files.
        """
        begun = time.monotonic()
        log = Log(secrets.token_hex(16))
        self.watch = Watch(order, log, hear)
        laid = {path: _text(content) for path, content in files.items()}
        request = fields(self.cell, replace(order, brief=True), log.nonce)
        request = {**request, "tolerated": tolerated}
        wanted = {"files": laid, "request": request, "tell": tell}
        self.halted = False
        await self._order(do, log.nonce, wanted)
        over = await self._end()
        seconds = time.monotonic() - begun
        return self._attempt(over, seconds), _modules(self.answers.get("modules", {}))

    async def _end(self) -> Fields:
        """Wait for the run's end; stop it when a test, or all of it, takes too long."""
        assert self.watch is not None
        watch = self.watch
        while not _ENDS & self.answers.keys():
            left = watch.due() - time.monotonic()
            if left > 0 and not self.halted:
                await self._change(left)
                continue
            if watch.log.code is None:
                late = time.monotonic() >= watch.order.deadline
                watch.late = late or self.halted
                watch.hung = "" if watch.late else watch.log.current
            await self._send({"do": "stop", "nonce": self.nonce})
            await self._heard(_ENDS, _PATIENCE)
        if "unlaid" in self.answers:
            raise LostError(text(self.answers["unlaid"], "message"))
        if "unfit" in self.answers:
            raise UnfitError(text(self.answers["unfit"], "reason"))
        over = self.answers["over"]
        if over.get("clean") is not True:
            raise LostError("a test has left processes behind that cannot be ended")
        return over

    def _attempt(self, over: Fields, seconds: float) -> Attempt:
        assert self.watch is not None
        watch, code, number_ = self.watch, over.get("code"), over.get("signal")
        return Attempt(
            log=watch.log,
            code=code if isinstance(code, int) else None,
            signal=number_ if isinstance(number_, int) else None,
            hung=watch.hung,
            timed_out=watch.late,
            seconds=seconds,
            cpu_seconds=number(over, "cpu_seconds"),
            output=text(over, "output"),
            confinement=self.cell.confinement,
        )

    async def prepare(self, order: Order) -> None:
        """Wait until it has imported pytest.

        Raises:
            LostError: it never says so.
        """
        nonce = secrets.token_hex(16)
        request = fields(self.cell, order, nonce)
        request["private"] = self.cell.ground.caps.mounts
        await self._order("prepare", nonce, request)
        await self._answer("prepared", _LOADING)

    def take(self, line: bytes) -> None:
        """Hear one line from the process or its fork."""
        said = decode(line, self.nonce)
        event = text(said, "event")
        if event in _ANSWERS:
            self.answers[event] = said
        elif said and self.watch is not None:
            self.watch.take(line)
        self.changed.set()

    async def _order(self, do: str, nonce: str, rest: Fields) -> None:
        self.nonce = nonce
        self.answers.clear()
        await self._send({**rest, "do": do, "nonce": nonce})

    async def _send(self, order: Fields) -> None:
        line = json.dumps(order).encode() + b"\n"
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.get_running_loop().sock_sendall(self.orders, line)
        except (OSError, TimeoutError) as error:
            raise LostError("it takes no more orders") from error

    async def _answer(self, event: str, seconds: float) -> Fields:
        await self._heard(frozenset({event}), seconds)
        return self.answers[event]

    async def _heard(self, events: frozenset[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not events & self.answers.keys():
            left = deadline - time.monotonic()
            if left <= 0:
                raise LostError("it does not answer")
            await self._change(left)

    async def _change(self, seconds: float) -> None:
        """Wait until something was heard, at most for `seconds`."""
        if self.gone:
            raise LostError(await self._death())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        self.changed.clear()

    async def _death(self) -> str:
        """How it ended, with the last that it said."""
        try:
            ended = await self.running.wait()
        except SandboxError as error:
            return str(error)
        how = f"signal {ended.signal}" if ended.signal else f"code {ended.code}"
        return f"it ended with {how}: {ended.output.strip().rpartition(chr(10))[2]}"


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _modules(told: Fields) -> tuple[Module, ...]:
    found = told.get("modules")
    rows = found if isinstance(found, list) else []
    return tuple(
        (row[0], row[1])
        for row in rows
        if isinstance(row, list) and [type(value) for value in row] == [str, str]
    )
