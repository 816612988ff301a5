"""The nouns of recorded and repeated calls, and what the gate can have executed.

Frozen values and protocols, no I/O; paths and units as in `domain`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bonafix.domain import Cost, Patch, Runner, TestResult


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function or method of the project; `qualname` is Python's own."""

    path: str
    qualname: str


@dataclass(frozen=True, slots=True)
class Value:
    """A Python value as a tree that can be compared, changed and made again.

    `text` is a leaf's literal, or names a class; `items` are parts (a dict's keys and
    values by turns); `names` an object's attributes. `opaque` leaves are pickles.
    """

    type: str
    text: str = ""
    items: tuple[Value, ...] = ()
    names: tuple[str, ...] = ()


# What a function does; and, from `unknown` on, why that is not known.
BehaviourKind = Literal[
    "value", "raise", "hang", "unknown", "effect", "unmade", "unfit", "lost", "unrun"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What one call did: a value or an exception, and what became of its arguments."""

    kind: BehaviourKind
    value: Value | None = None
    exception: str = ""  # `module:qualname`; empty where the recorder cannot know it
    message: str = ""
    after: tuple[Value | None, ...] = ()  # arguments that it changed; else empty
    printed: str = ""  # outside of test runs only
    effect: str = ""  # the audit event of a side effect, e.g. "open"
    hit: bool = False  # on its way it passed through arguments that a test chose
    greedy: bool = False  # its value claims to equal things that are not equal
    cpu_seconds: float = 0.0

    @property
    def known(self) -> bool:
        """Whether the function itself was seen doing something."""
        return self.kind in {"value", "raise", "hang"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function with its arguments; a method's receiver is the first of them."""

    function: FunctionRef
    module: str
    args: tuple[Value, ...]
    kwargs: tuple[tuple[str, Value], ...] = ()
    test: str = ""  # the node id that made it
    behaviour: Behaviour | None = None  # in that test; `None` where it did not end


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The calls of some functions in one run of some tests."""

    calls: tuple[Call, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)  # reason -> how many
    paths: tuple[str, ...] = ()  # where in the project its modules are imported from
    complete: bool = True  # the test session came to its end
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What `Caller` saw: `passes[p][i]` is the i-th request in the p-th pass."""

    passes: tuple[tuple[Behaviour, ...], ...]
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Recorder(Protocol):
    """Runs tests and notes the calls of `functions`, arguments before the call."""

    async def __call__(  # noqa: D102
        self,
        files: Mapping[str, bytes | None],
        /,
        *,
        select: Sequence[str],
        functions: Sequence[FunctionRef],
    ) -> Recording: ...


class Caller(Protocol):
    """Makes calls in a fresh, confined, plain interpreter without pytest.

    `cpu_seconds` bounds one call. With `shuffle` each pass has an order of its own.
    Without `effects` a call that writes, connects or spawns is stopped. `tested` are
    calls that others may not pass through unnoticed (`Behaviour.hit`).
    """

    async def __call__(  # noqa: D102
        self,
        files: Mapping[str, bytes | None],
        /,
        requests: Sequence[Call],
        *,
        paths: Sequence[str],
        cpu_seconds: float,
        seed: int = 0,
        passes: int = 1,
        shuffle: bool = False,
        effects: bool = False,
        tested: Sequence[Call] = (),
    ) -> Replayed: ...


# Makes calls in a version of the code, `files` laid over the snapshot.
Behave = Callable[
    [Mapping[str, bytes | None], Sequence[Call]], Awaitable[Sequence[Behaviour]]
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivalry:
    """Other fixes of the same targets that pass the whole suite, best first.

    `akin`: by the same author for the same reasons, so that only dissent says anything.
    `unsettled`: what no test has, and would have to for one of them to be more than a
    guess.
    """

    patches: tuple[Patch, ...] = ()
    akin: bool = False
    unsettled: str = ""
    tried: int = 0  # candidates that were run for it
    cpu_seconds: float = 0.0  # that this very question has cost


class Rivals(Protocol):
    """Finds fixes that owe nothing to the patch under judgement."""

    async def __call__(self, targets: Sequence[TestResult], /) -> Rivalry: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a model is asked. It sees nothing but this: no other question, no history.

    `schema` is the JSON schema of the answer: an object, closed, each key required.
    `seconds` is the wall time that the answer may take.
    """

    name: str
    system: str
    user: str
    schema: Mapping[str, object]
    seconds: float = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`found` fits the question's schema; `None` where `error` says why there is none.

    What a failed attempt has cost is in `cost`, too.
    """

    found: Mapping[str, object] | None = None
    model: str = ""
    cost: Cost = field(default_factory=Cost)
    error: str = ""


class Asker(Protocol):
    """Asks a model, in a fresh context each time.

    It raises nothing that a service may cause: trouble is an `Answer` with an error.
    """

    async def __call__(self, question: Question, /) -> Answer: ...  # noqa: D102


def _any_file(_path: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Tools:
    """All that the gate can have executed, each time in a fresh confined copy.

    `ask` is a model, where the user has one read patches; `may_send` says whether it
    may be shown a file. `disguised` runs tests where they cannot be seen to run.
    """

    run: Runner
    record: Recorder
    call: Caller
    ask: Asker | None = None
    may_send: Callable[[str], bool] = _any_file
    disguised: Runner | None = None
