"""A snapshot and an interpreter in; what records calls, and what makes them, out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from bonafix.calls import (
    Behaviour,
    Call,
    Caller,
    FunctionRef,
    Recorder,
    Recording,
    Replayed,
)
from bonafix.config import Config
from bonafix.domain import (
    Snapshot,
)
from bonafix.observe import environment, process
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.run import readable
from bonafix.observe.trees import behaviour_of, call_of, fields_of
from bonafix.observe.wire import Fields, decode, number, split, text, texts
from bonafix.sandbox.cell import Cell, Limits, Running, cell, start

HANGS = 8  # calls that may run into their limit in one batch
_WALL = 5.0  # times the CPU seconds that a batch may take, wall
_PATIENCE = 30.0  # seconds for a start and for imports, wall
_CHUNK = 256 * 1024  # bytes

Files = Mapping[str, bytes | None]
UNRUN = Behaviour(kind="unrun")


def make_recorder(
    snapshot: Snapshot, interpreter: Interpreter, config: Config
) -> Recorder:
    """Record calls in the tests of `snapshot`; see `Recorder`."""

    async def record(
        files: Files, *, select: Sequence[str], functions: Sequence[FunctionRef]
    ) -> Recording:
        async with _place(snapshot, interpreter, config, files) as (here, env):
            order = process.Order(
                python=interpreter.path,
                launcher=interpreter.script("launch.py"),
                root=snapshot.root,
                path=interpreter.import_path,
                env=env,
                select=select,
                expression="",
                record_lines=False,
                stop_at_first=False,
                per_test=config.test_timeout,
                deadline=time.monotonic() + config.suite_timeout,
                functions=functions,
            )
            done = await process.attempt(here, order, lambda _log, _event: None)
        log = done.log
        made = (call_of(fields, functions) for fields in log.calls)
        return Recording(
            calls=tuple(call for call in made if call),
            dropped=_counts(log.recorded),
            paths=texts(log.recorded, "paths"),
            complete=log.finish is not None,
            seconds=done.seconds,
            cpu_seconds=done.cpu_seconds,
        )

    return record


def make_caller(snapshot: Snapshot, interpreter: Interpreter, config: Config) -> Caller:
    """Call functions of `snapshot`, each batch in a fresh cell; see `Caller`."""

    async def call(
        files: Files,
        requests: Sequence[Call],
        *,
        paths: Sequence[str],
        cpu_seconds: float,
        seed: int = 0,
        passes: int = 1,
        shuffle: bool = False,
        effects: bool = False,
        tested: Sequence[Call] = (),
    ) -> Replayed:
        order = {
            "nonce": secrets.token_hex(16),
            "root": str(snapshot.root),
            "path": list(interpreter.import_path),
            "paths": list(paths),
            "seed": seed,
            "passes": passes,
            "shuffle": shuffle,
            "effects": effects,
            "cpu_seconds": cpu_seconds,
            "hangs": HANGS,
            **request_functions(requests, tested),
        }
        limit = _PATIENCE + _WALL * cpu_seconds * max(len(requests) * passes, HANGS)
        async with _place(snapshot, interpreter, config, files) as (here, env):
            script = interpreter.script("replay.py")
            limit = min(limit, config.timeout)
            batch = _Batch(order, interpreter.path, script, env, limit)
            return await _run(here, batch, len(requests), passes)

    return call


@dataclass(frozen=True, slots=True)
class _Batch:
    order: Mapping[str, object]
    python: Path
    script: Path
    env: Mapping[str, str]
    seconds: float


@asynccontextmanager
async def _place(
    snapshot: Snapshot, interpreter: Interpreter, config: Config, files: Files
) -> AsyncIterator[tuple[Cell, dict[str, str]]]:
    async with cell(
        snapshot,
        files,
        limits=Limits(memory=config.memory),
        confine=config.confine,
        readable=readable(interpreter, snapshot.root),
        hidden=(),
    ) as here:
        env = environment.variables(
            os.environ, interpreter, config, root=snapshot.root, tree=here.tree
        )
        yield here, env


def request_functions(requests: Sequence[Call], tested: Sequence[Call]) -> Fields:
    """The calls in the script's form: functions once, calls by their index."""
    known: dict[tuple[FunctionRef, str], int] = {}
    for call in (*requests, *tested):
        known.setdefault((call.function, call.module), len(known))
    points: list[list[object]] = [[] for _ in known]
    for call in tested:
        fields = fields_of(call)
        points[known[call.function, call.module]].append(
            [fields["args"], fields["kwargs"]]
        )
    return {
        "functions": [{**asdict(ref), "module": module} for ref, module in known],
        "calls": [
            {**fields_of(call), "function": known[call.function, call.module]}
            for call in requests
        ],
        "tested": points,
    }


async def _run(here: Cell, batch: _Batch, requests: int, passes: int) -> Replayed:
    begun = time.monotonic()
    reader, writer = os.pipe()
    order = {**batch.order, "tree": str(here.tree)}
    with _request(order) as request, os.fdopen(reader, "rb") as pipe:
        argv = [
            str(batch.python),
            str(batch.script),
            str(request.fileno()),
            str(writer),
        ]
        try:
            running = await start(
                here,
                argv,
                env=batch.env,
                cwd=here.tree,
                pass_fds=(request.fileno(), writer),
                seconds=batch.seconds,
            )
        finally:
            os.close(writer)
        lines, cpu = await _listen(running, pipe)
    told = [decode(line, str(batch.order["nonce"])) for line in lines]
    return Replayed(
        passes=_table(told, requests, passes),
        seconds=time.monotonic() - begun,
        cpu_seconds=cpu,
    )


async def _listen(running: Running, pipe: IO[bytes]) -> tuple[list[bytes], float]:
    """The lines until the script and its children are gone, and their CPU time."""
    reading = asyncio.create_task(_read(pipe))
    try:
        ended = await running.wait()
        async with asyncio.timeout(_PATIENCE):  # `wait_for` can lose a cancel
            return await reading, ended.cpu_seconds
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await running.kill()


async def _read(pipe: IO[bytes]) -> list[bytes]:
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader(limit=_CHUNK)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), pipe
    )
    lines: list[bytes] = []
    buffer = bytearray()
    try:
        while chunk := await stream.read(_CHUNK):
            buffer += chunk
            lines += split(buffer)
    finally:
        transport.close()
    return lines


def _table(
    told: Sequence[Fields], requests: int, passes: int
) -> tuple[tuple[Behaviour, ...], ...]:
    table = [[UNRUN] * requests for _ in range(passes)]
    for fields in told:
        turn, index = int(number(fields, "turn")), int(number(fields, "call"))
        found = fields.get("behaviour")
        if text(fields, "event") != "behaviour" or not isinstance(found, dict):
            continue
        if 0 <= turn < passes and 0 <= index < requests:
            table[turn][index] = behaviour_of(found)
    return tuple(map(tuple, table))


def _counts(fields: Fields) -> dict[str, int]:
    found = fields.get("dropped")
    pairs = found.items() if isinstance(found, dict) else ()
    return {str(k): v for k, v in pairs if isinstance(v, int)}


@contextlib.contextmanager
def _request(order: Mapping[str, object]) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(order).encode())
        file.seek(0)
        yield file
