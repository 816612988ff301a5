"""The server: HTTP/1.1 on a loopback socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Self

from tests.messages_api import wire
from tests.messages_api.catalogue import MODELS, model_info, rules_of
from tests.messages_api.faults import Abort, Fault, Pause, Send, Step, plan
from tests.messages_api.http import Request, read_request, send_body, start_body
from tests.messages_api.records import (
    Cache,
    Recorded,
    check_append_only,
    input_tokens,
)
from tests.messages_api.rules import check_headers, check_request
from tests.messages_api.signing import check_dropped, prefix_digest, signed
from tests.messages_api.values import ApiError, Record, dumps, invalid

if TYPE_CHECKING:
    from tests.messages_api.script import Script, Turn

_START_LIMIT = 10.0
_TURNS = 5  # of the loop, from a connection to the task that serves it
_BODY_LIMIT = 32 * 1024 * 1024
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class MessagesApi:
    """A Messages API on 127.0.0.1 that plays a script.

    Use it as a context manager; `url` is the base URL for the SDK. `keys` are the
    credentials that it accepts, `nulls` makes the models endpoint answer like gateways
    that know no capabilities. `aliases` are names that a gateway has for models; the
    models endpoint does not know them, unless `told` has an answer for them, which may
    be a lie. Endpoints in `missing` are not there: `models`, `count_tokens`. With `tls`
    it speaks HTTPS. A `door` sees every request first: it refuses it, answers it with
    bytes, or gives the one that is meant. `requests` grows while the server runs, and
    `asked` is set when the first turn begins to be played.
    """

    def __init__(
        self,
        script: Script,
        *,
        port: int = 0,
        keys: frozenset[str] = frozenset({"test"}),
        nulls: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = script
        self.keys = keys
        self.nulls = nulls
        self.aliases: dict[str, str] = {}
        self.told: dict[str, Record] = {}
        self.missing: frozenset[str] = frozenset()
        self.door: Callable[[Request], Request | bytes] | None = None
        self.requests: list[Recorded] = []
        self.url = ""
        self.asked = threading.Event()
        self._port = port
        self._tls = tls
        self._ids = (f"toolu_{number:06d}" for number in itertools.count(1))
        self._cache = Cache()
        self._thought: dict[str, int] = {}
        self._played: dict[tuple[int, int], int] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *exception: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_LIMIT)
        self._loop.close()

    @property
    def messages(self) -> list[Recorded]:
        """The requests to `POST /v1/messages`, in order of arrival."""
        return [seen for seen in self.requests if seen.path == "/v1/messages"]

    def assert_append_only(self) -> None:
        """Raise unless every accepted request continues an earlier one unchanged."""
        check_append_only([seen for seen in self.messages if seen.position is not None])

    def _run(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_LIMIT)

    async def _start(self) -> None:
        server = await asyncio.start_server(
            self._let_in, "127.0.0.1", self._port, ssl=self._tls
        )
        self._server = server
        host, port = server.sockets[0].getsockname()[:2]
        self.url = f"{'https' if self._tls else 'http'}://{host}:{port}"

    async def _stop(self) -> None:
        # Nobody new; who was let in just now has a task, and a transport, only then:
        # a server that is closed meanwhile would leave his socket to the collector.
        for listening in self._server.sockets:
            self._loop.remove_reader(listening.fileno())
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)  # or its socket would be left to the collector
        for writer in self._writers:  # of those who were cancelled before they began
            writer.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _let_in(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Coroutine[object, object, None]:
        self._writers.add(writer)
        return self._serve(reader, writer)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the requests of one connection until either side closes it."""
        # Clients that hang up are part of what is tested, and so is stopping the
        # server while it stalls: nothing to report.
        expected = (ConnectionError, asyncio.IncompleteReadError)
        with contextlib.suppress(*expected, asyncio.CancelledError):
            try:
                while (request := await read_request(reader)) is not None:
                    await self._answer(request, writer)
            finally:
                writer.close()
                await writer.wait_closed()
                self._writers.discard(writer)

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        seen = Recorded(
            method=request.method,
            path=request.path,
            headers=request.headers,
            body=request.body,
        )
        try:
            led = self.door(request) if self.door else request
            if isinstance(led, bytes):
                await send_body(writer, 200, led)
                return
            request = led
            check_headers(request.headers, self.keys)
            if request.method == "GET":
                await send_body(writer, 200, self._models(request.path))
                self.requests.append(seen)
            else:
                await self._post(request, writer)
        except ApiError as error:
            self._note(request, status=error.status, problem=error.message)
            await send_body(writer, error.status, error.body())

    def _models(self, path: str) -> bytes:
        place, _, _ = path.partition("?")
        model = place.removeprefix("/v1/models/")
        if place == "/v1/models":
            infos = [model_info(name, nulls=self.nulls) for name in MODELS]
            return dumps({"data": infos, "has_more": False})
        if "models" in self.missing:
            raise ApiError(404, "not_found_error", f"not found: {path}")
        if model in self.told:
            return dumps({**self.told[model], "id": model})
        if not place.startswith("/v1/models/") or rules_of(model) is None:
            raise ApiError(404, "not_found_error", f"not found: {path}")
        return dumps(model_info(model, nulls=self.nulls))

    async def _post(self, request: Request, writer: asyncio.StreamWriter) -> None:
        body = _parse(request.body)
        model = body.get("model")
        body = {**body, "model": self.aliases.get(str(model), model)}
        if request.path.removeprefix("/v1/messages/") in self.missing:
            raise ApiError(404, "not_found_error", f"not found: {request.path}")
        if request.path == "/v1/messages/count_tokens":
            check_request(body, counting=True)
            self._note(request)
            count = {"input_tokens": input_tokens(body)}
            await send_body(writer, 200, dumps(count))
        elif request.path == "/v1/messages":
            check_request(body, paused=self.script.paused(body))
            check_dropped(body, self._thought)
            await self._play(request, body, writer)
        else:
            raise ApiError(404, "not_found_error", f"not found: {request.path}")

    def _note(
        self,
        request: Request,
        *,
        place: tuple[int | None, int | None] = (None, None),
        status: int = 200,
        problem: str = "",
    ) -> None:
        self.requests.append(
            Recorded(
                method=request.method,
                path=request.path,
                headers=request.headers,
                body=request.body,
                conversation=place[0],
                position=place[1],
                status=status,
                problem=problem,
            )
        )

    def _due_fault(self, turn: Turn, place: tuple[int, int]) -> Fault | None:
        """The turn's fault, as long as it has not been played often enough."""
        fault = turn.fault
        played = self._played.get(place, 0)
        if fault is None or (fault.times is not None and played >= fault.times):
            return None
        self._played[place] = played + 1
        return fault

    async def _play(
        self, request: Request, body: Record, writer: asyncio.StreamWriter
    ) -> None:
        place = self.script.find(body)
        turn = self.script.turn(*place, body)
        fault = self._due_fault(turn, place)
        status = fault.status if fault and fault.kind in ("http", "html") else 200
        self._note(request, place=place, status=status)
        self.asked.set()
        if fault is not None and fault.kind == "http":
            await _send_refusal(writer, fault)
        elif fault is not None and fault.kind == "html":
            await send_body(writer, fault.status, _HTML, kind="text/html")
        else:
            answer = self._answer_for(turn, body, place)
            if body.get("stream"):
                zipped = fault is not None and fault.kind == "gzip"
                await start_body(writer, {"content-encoding": "gzip"} if zipped else {})
                await _deliver(writer, plan(wire.events(answer), fault))
            else:
                await send_body(writer, 200, wire.message_json(answer))

    def _answer_for(
        self, turn: Turn, body: Record, place: tuple[int, int]
    ) -> wire.Answer:
        unsigned = wire.content_of(turn, body, place[1], self._ids)
        usage = {**self._cache.usage(body), **wire.output_usage(turn, unsigned)}
        messages = body["messages"]
        count = len(messages) if isinstance(messages, list) else 0
        content = signed(prefix_digest(body, count), unsigned)
        thoughts = sum("thinking" in str(block["type"]) for block in content)
        for block in content:
            if block["type"] == "tool_use":
                self._thought[str(block["id"])] = thoughts
        return wire.Answer(
            id=f"msg_{place[0]}_{place[1]}",
            model=str(body["model"]),
            content=content,
            stop_reason=turn.reason,
            stop_details=turn.stop_details,
            cut_after=turn.cut_after,
            usage=usage,
        )


def _parse(body: bytes) -> Record:
    if len(body) > _BODY_LIMIT:
        raise ApiError(413, "request_too_large", "Request exceeds the maximum size")
    try:
        value = json.loads(body)
    except ValueError as error:
        raise invalid(f"The request body is not valid JSON: {error}") from error
    if not isinstance(value, Mapping):
        raise invalid("Input should be an object")
    return value


async def _send_refusal(writer: asyncio.StreamWriter, fault: Fault) -> None:
    error = ApiError(fault.status, fault.error_type, fault.message)
    extra = dict(fault.headers)
    if fault.retry_after is not None:
        extra["retry-after"] = f"{fault.retry_after:g}"
    await send_body(writer, fault.status, error.body(), extra=extra)


async def _deliver(writer: asyncio.StreamWriter, steps: list[Step]) -> None:
    """Carry out a plan on a chunked body that has been started."""
    for step in steps:
        match step:
            case Send(data):
                writer.write(b"%x\r\n%b\r\n" % (len(data), data))
                await writer.drain()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Abort():
                writer.close()
                raise ConnectionAbortedError
    writer.write(b"0\r\n\r\n")
    await writer.drain()
