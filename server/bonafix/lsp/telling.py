"""Runs and events in, the parameters of our own notifications out; pure.

Only a client that asks for them is sent any: `results` in `initializationOptions`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bonafix.domain import (
    CollectionError,
    Cost,
    Event,
    Evidence,
    Place,
    Repair,
    SuiteRun,
)
from bonafix.lsp.board import Window
from bonafix.lsp.findings import Seen, path_of, shown_at
from bonafix.text import view

RESULTS = "bonafix/results"
EVENT = "bonafix/event"

Message = dict[str, object]
Ending = Literal["ready", "moved", "none", "cancelled", "error"]
"""Of a fix: it may be applied; its text has moved on; there is none, or it stopped."""

_TESTS = 500  # in one message
_LONG = 200_000  # characters of ids and URIs in one message
_QUIET = frozenset({"test", "tool"})  # progress counts these already


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files of a run are for the client, and where their lines are now."""

    uri: Callable[[str], str]
    line: Callable[[Place], int]  # 0-based


def files(
    seen: Seen, uri: Callable[[str], str], text: Callable[[str], str | None]
) -> Files:
    """The files that a run saw; `text` is what each of them is by now."""

    @functools.cache
    def window(path: str) -> Window | None:
        before, now = seen.text(path), text(path)
        if before is None or now is None or before == view(now):
            return None
        return Window.between(before, view(now))

    def line(place: Place) -> int:
        ran, moved = max(0, place.line - 1), window(place.path)
        return ran if moved is None else moved.moved(ran)

    return Files(functools.cache(uri), line)


def results(run: SuiteRun, at: Files, *, job: str, whole: bool) -> list[Message]:
    """What every test of a run did, in messages that are each of a bounded size.

    Without the root, which the caller knows. A run without tests is one message.
    """
    parts = list(_batches(_tests(run, at))) or [[]]
    return [
        {"job": job, "whole": whole, "part": n, "parts": len(parts), "tests": tests}
        for n, tests in enumerate(parts, 1)
    ]


def _tests(run: SuiteRun, at: Files) -> Iterator[Message]:
    for error in run.collection_errors:
        yield _entry(error.id, "error", 0.0, _broken(error), at)
    for test in run.collected:
        result = run.results.get(test)
        seconds = result.seconds if result else 0.0
        place = result and (result.definition or shown_at(result))
        here = place or Place(path_of(test), 1)
        yield _entry(test, str(run.outcome(test)), seconds, here, at)


def _broken(error: CollectionError) -> Place:
    return error.place or Place(path_of(error.id), 1)


def _entry(test: str, outcome: str, seconds: float, place: Place, at: Files) -> Message:
    return {
        "id": test,
        "outcome": outcome,
        "seconds": round(seconds, 6),
        "uri": at.uri(place.path),
        "line": at.line(place),
    }


def _batches(tests: Iterable[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for test in tests:
        long = len(str(test["id"])) + len(str(test["uri"]))
        if batch and (len(batch) == _TESTS or size + long > _LONG):
            yield batch
            batch, size = [], 0
        batch.append(test)
        size += long
    if batch:
        yield batch


def event(event: Event, *, job: str, candidate: int) -> Message | None:
    """What happened in a job; `None` where its progress is enough.

    `candidate` counts from 1 what has reached the gate; 0 before any has.
    """
    screened = event.kind == "candidate" and "new" not in event.facts
    text = event.text.strip()
    if event.kind in _QUIET or screened or not text:
        return None
    told: Message = {"job": job, "kind": event.kind, "text": text}
    if candidate:
        told["candidate"] = candidate
    return told | _record(event.facts) | _spent(event.facts.get("cost"))


def finished(
    *,
    job: str,
    test: str,
    root: str,
    outcome: Ending,
    text: str,
    repair: Repair | None,
) -> Message:
    """That a fix has come to its end; `text` is that of the message about it."""
    told: Message = {"job": job, "kind": "finished", "text": text}
    told |= {"test": test, "root": root, "outcome": outcome}
    if repair is None:
        return told
    told |= {"verdict": str(repair.verdict), "receipt": repair.receipt}
    return told | _spent(repair.cost)


def _spent(cost: object) -> Message:
    """Money as a number, in USD; `None` where a price is not known."""
    if not isinstance(cost, Cost):
        return {}
    tokens = cost.input_tokens + cost.cache_read_tokens + cost.output_tokens
    spent = {"usd": cost.usd, "requests": cost.requests, "tokens": tokens}
    return {"cost": spent}


def _record(facts: Mapping[str, object]) -> Message:
    record = facts.get("record")
    if not isinstance(record, Evidence):
        return {}
    return {
        "stage": record.stage,
        "result": record.result,
        "summary": record.summary,
        "seconds": round(record.seconds, 3),
    }
