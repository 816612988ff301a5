"""JSON lines between Bonafix and the worker process: one record a line, both ways.

The parent sends `Start`, then `Answer` for each `run_tests`, then perhaps `Feedback`
for another round. The worker sends `say` events while it works and `Done` at the end
of every round. Either side's end of file ends the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

from bonafix.domain import Layout
from bonafix.propose.claude.models import Model, model_of
from bonafix.propose.claude.prices import Usage

LINE_LIMIT = 256 * 1024 * 1024
"""Bytes of one line: a snapshot of a large project is sent as one."""

_NOTHING = Layout(package_roots=(), tests=frozenset())

Ending: TypeAlias = Literal[
    "submitted",  # edits were handed in
    "answered",  # a single question
    "infeasible",  # the model says that no honest fix exists
    "gave-up",  # it ended without handing in anything
    "refused",  # the service's safety systems declined
    "truncated",  # an answer was cut off; nothing of it was executed
    "budget",  # money, tokens, time or turns are used up
    "service",  # the service failed
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """All that the worker needs; `request` is the opening request as it is shown.

    With `once` it is a single question: one answer, no tools, no rounds.
    """

    request: Mapping[str, object]
    files: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = _NOTHING
    once: bool = False
    model: Model  # as far as it is known; its endpoint may know better
    thinking: str  # the user's setting
    usd: float
    tokens: int
    until: float  # seconds since the epoch: starting a worker takes time, too
    secrets: tuple[str, ...] = ()
    base_url: str = ""
    type: Literal["start"] = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a run of tests printed, already bounded and quoted."""

    text: str
    type: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """Another round in the same conversation, with a new deadline and budget."""

    text: str
    usd: float
    tokens: int
    until: float
    type: Literal["more"] = "more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Something a user may want to see while it happens."""

    kind: Literal["thinking", "text", "tool", "note"]
    text: str
    type: Literal["say"] = "say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The meter after a request: sums of the conversation so far."""

    usage: Usage
    usd: float | None
    requests: int
    type: Literal["spent"] = "spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTests:
    """Run these tests over the changed files; empty means the targets."""

    files: Mapping[str, str]
    tests: tuple[str, ...]
    type: Literal["run_tests"] = "run_tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the endpoint taught about a model, for everyone who asks it later."""

    model: Model
    type: Literal["learned"] = "learned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a round ended. `note` is the model's word or the service's error."""

    ending: Ending
    note: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    effort: str = ""
    type: Literal["done"] = "done"


ToWorker: TypeAlias = Start | Answer | More
FromWorker: TypeAlias = Say | Spent | RunTests | Learned | Done

_KINDS: Mapping[str, type[ToWorker | FromWorker]] = {
    "start": Start,
    "answer": Answer,
    "more": More,
    "say": Say,
    "spent": Spent,
    "run_tests": RunTests,
    "learned": Learned,
    "done": Done,
}


def dump(record: ToWorker | FromWorker) -> bytes:
    """The record as one line."""
    return json.dumps(asdict(record), default=_plain).encode() + b"\n"


def load(line: bytes) -> ToWorker | FromWorker:
    """The record of one line; the two ends are of one version, so no more checks."""
    raw = json.loads(line)
    if raw["type"] == "start":
        raw["layout"] = _layout(raw["layout"])
        raw["secrets"] = tuple(raw["secrets"])
    if raw["type"] == "spent":
        raw["usage"] = Usage(**raw["usage"])
    if "model" in raw:
        raw["model"] = model_of(raw["model"])
    if "tests" in raw:
        raw["tests"] = tuple(raw["tests"])
    return _KINDS[raw["type"]](**raw)


def _layout(raw: Mapping[str, object]) -> Layout:
    sets = {"tests", "collected", "opened", "plugins", "links", "shadowed"}
    fields = {
        key: frozenset(value)
        if key in sets and isinstance(value, list)
        else tuple(value)
        if isinstance(value, list)
        else value
        for key, value in raw.items()
    }
    return Layout(**fields)  # type: ignore[arg-type]  # asdict's inverse


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in the protocol")
