"""The nouns of Bonafix: frozen values and protocols, no I/O.

Paths are POSIX, relative to the project's root, unless a name says otherwise.
Lines are 1-based, columns and byte offsets 0-based, durations in seconds.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

# --------------------------------------------------------------- what is observed


class Outcome(enum.StrEnum):
    """How one test ended; `error` is a set-up, tear-down or fixture that raised."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    HUNG = "hung"  # killed at its time-out
    CRASHED = "crashed"  # the process died while it ran
    MISSING = "missing"  # collected, never reported

    @property
    def red(self) -> bool:
        """Whether the user would call this test failing."""
        return self in _RED


_RED = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.HUNG, Outcome.CRASHED})

Style = Literal["function", "method", "unittest", "asyncio", "doctest", "other"]
Phase = Literal["collect", "setup", "call", "teardown"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file of the project."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of a traceback, outermost first in any sequence of them."""

    path: str  # absolute where the file lies outside the project
    line: int
    function: str
    code: str  # the source line, stripped
    own: bool  # in the project (product or test), not in a dependency
    values: Mapping[str, str] = field(default_factory=dict)  # name -> short repr


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What one node id did in one run."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    id: str
    outcome: Outcome
    phase: Phase = "call"  # the phase that decided the outcome
    style: Style = "function"
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    exception: str = ""  # qualified type name, e.g. "ValueError"
    message: str = ""  # the exception's text or the skip's reason
    expected: str | None = None  # reprs, where pytest knows both sides of ==
    actual: str | None = None
    place: Place | None = None  # of the assertion, in the test file
    definition: Place | None = None  # of the test function
    frames: tuple[Frame, ...] = ()
    captured: str = ""  # stdout, stderr and log, capped
    longrepr: str = ""  # pytest's own rendering, capped
    phases: tuple[Phase, ...] = ()  # those that were reported


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionError:
    """A file (or package) that pytest could not collect."""

    id: str
    message: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What tests depend on besides the lines that each of them was seen to run."""

    functions: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Path -> first lines of those that ran for several: see `inside/lines.py`."""
    opened: frozenset[str] = frozenset()  # before the session; sources read as text
    unseen: frozenset[str] = frozenset()  # ids that ran more; "" is nobody's own


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One run of pytest over the suite or a part of it, as our plugin saw it."""

    results: Mapping[str, TestResult]
    collected: tuple[str, ...]  # selected ids, in the order of running
    collection_errors: tuple[CollectionError, ...] = ()
    deselected: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()  # ids that were reported more than once
    finished: bool = True  # pytest's session end was seen, with the right nonce
    exit_code: int | None = None
    timed_out: bool = False  # the whole run was killed at its time-out
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    lines: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
    opened: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reach: Reach | None = None  # where lines were recorded, to the end
    elsewhere: tuple[str, ...] = ()  # files outside the copy that were read, absolute
    foreign: tuple[str, ...] = ()  # "module (path)": loaded from outside the copy
    output: str = ""  # tail of the process's stdout and stderr, capped
    interpreter: str = ""  # e.g. "CPython 3.11.7"
    pytest: str = ""  # version
    plugins: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    neutralised: tuple[str, ...] = ()  # options of the project that were switched off
    confinement: str = ""  # one line; what it lacks is part of it

    @property
    def red(self) -> tuple[str, ...]:
        """The ids that failed, in the order of running."""
        return tuple(i for i in self.collected if self.outcome(i).red)

    def outcome(self, node_id: str) -> Outcome:
        """`MISSING` where the id was not reported in this run."""
        result = self.results.get(node_id)
        return result.outcome if result else Outcome.MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The working tree at one moment, unsaved buffers laid over it."""

    root: Path  # absolute, of the user's tree; never written
    lower: Path  # an immutable copy, shared by all runs
    files: frozenset[str]  # every path that was copied
    sources: Mapping[str, bytes]  # contents of the text files worth reading
    digest: str  # over paths and contents
    marks: Mapping[str, bytes] = field(default_factory=dict)  # what it is made of


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which files are product, tests and configuration; what a patch may touch."""

    package_roots: tuple[str, ...]  # "" is the root itself; longest match wins
    tests: frozenset[str]  # test modules, conftest files and their data folders
    collected: frozenset[str] = frozenset()  # files that tests were collected from
    opened: frozenset[str] = frozenset()  # files that the baseline saw tests read
    plugins: frozenset[str] = frozenset()  # modules that pytest loads as plugins
    links: frozenset[str] = frozenset()  # symbolic links, to files and to folders
    shadowed: frozenset[str] = frozenset()  # module names that are taken
    allow: tuple[str, ...] = ()  # the user's extra globs
    new_files: bool = False  # whether a fix may add product modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the untouched suite does: several runs folded into one truth.

    An id is flaky when its outcomes differ between the runs.
    """

    run: SuiteRun  # the first whole run, with recorded lines
    flaky: frozenset[str] = frozenset()
    layout: Layout
    seconds: float = 0.0  # of one whole run, wall
    repeats: Mapping[str, tuple[Outcome, ...]] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[TestResult, ...]:
        """The stable failures, in the order of running."""
        run = self.run
        return tuple(run.results[i] for i in run.red if i not in self.flaky)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A line that may be at fault, with its Ochiai score (0..1) and why."""

    path: str
    line: int
    score: float
    function: str = ""
    why: str = ""


# --------------------------------------------------------------- what is proposed

ChangeKind = Literal["modify", "add", "delete", "rename", "mode", "symlink", "binary"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters `[start, end)` of one file's decoded text."""

    path: str
    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after; `None` where it does not exist."""

    path: str
    before: bytes | None
    after: bytes | None
    kind: ChangeKind = "modify"


@dataclass(frozen=True, slots=True)
class Patch:
    """A set of changed files, sorted by path, each once."""

    changes: tuple[Change, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths it touches."""
        return tuple(change.path for change in self.changes)

    @property
    def files(self) -> Mapping[str, bytes | None]:
        """What to lay over a copy of the snapshot; `None` deletes."""
        return {change.path: change.after for change in self.changes}


Author = Literal["search", "claude", "outside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a proposal used; `usd` is `None` where a price is unknown."""

    usd: float | None = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A patch with where it came from.

    `note` is its author's word, `thinking` a model's summary of its own: no evidence.
    `like`: other patches that pass the same tests and that as much speaks for.
    `unsettled`: what would have to hold for a test to decide between two such.
    `fitted`: made so as to fit what the tests show, with no other reason; how many
    tests must be kept back from it to tell whether it is more than that.
    """

    patch: Patch
    author: Author
    title: str = ""  # one line, e.g. the template and the place
    note: str = ""
    thinking: str = ""
    model: str = ""
    effort: str = ""
    round: int = 1
    cost: Cost = Cost()
    like: tuple[Patch, ...] = ()
    unsettled: str = ""
    fitted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """All that a proposer may know: nothing sealed is in here."""

    snapshot: Snapshot
    layout: Layout
    targets: tuple[TestResult, ...]  # failures with one cause
    suspects: tuple[Suspect, ...]  # best first
    baseline: SuiteRun
    seconds: float  # wall time that the proposer may use


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a refused candidate's author may learn: a class and visible output."""

    verdict: Verdict
    visible: str = ""  # what visible tests printed, capped
    guess: bool = False  # made to fit what it was shown, and too few were kept back


# ----------------------------------------------------------------- what is judged


class Verdict(enum.StrEnum):
    """Worst first; the last three are ends of a repair, not of a patch."""

    TAMPERED = "tampered"
    BROKEN = "broken"
    REGRESSED = "regressed"
    UNFIXED = "unfixed"
    SPECIAL_CASED = "special-cased"
    FLAKY = "flaky"
    PLAUSIBLE = "plausible"
    VERIFIED = "verified"
    TEST_SUSPECT = "test-suspect"
    GAVE_UP = "gave-up"
    ERROR = "error"

    @property
    def accepted(self) -> bool:
        """Only `verified` is."""
        return self is Verdict.VERIFIED


Result = Literal["pass", "fail", "inconclusive", "skipped"]

STAGES = (
    *("policy", "taint", "target", "suite", "canary", "replay"),
    *("sealed", "probe", "examiner", "reviewer", "confirm"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One stage's record: what was executed or read, and what follows from it."""

    stage: str  # one of STAGES
    result: Result
    summary: str  # one line for a person
    refusal: Verdict | None = None  # the class that this alone proves, if any
    doubt: str = ""  # why it cannot be more than plausible, if so
    supports: bool = False  # independent executed evidence that the fix generalises
    place: Place | None = None  # the line at fault
    reproduce: str = ""  # a command that shows the finding
    facts: Mapping[str, object] = field(default_factory=dict)  # JSON values
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChange:
    """What a target did before and after the patch."""

    id: str
    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A candidate with its records and the verdict that follows from them."""

    candidate: Candidate
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    targets: tuple[TargetChange, ...] = ()
    missing: tuple[str, ...] = ()  # evidence that `verified` would still need
    visible: str = ""  # output of visible tests, for the author of the next one

    @property
    def reason(self) -> str:
        """The sentence a user reads first."""
        deciding = [e for e in self.evidence if e.refusal is self.verdict]
        if deciding:
            return deciding[0].summary
        return "; ".join(self.missing) if self.missing else "all stages passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """How the work on one group of failures ended."""

    targets: tuple[TestResult, ...]
    verdict: Verdict
    engine: str  # that made the best candidate; else the one that was asked for
    best: Judgement | None = None
    alternatives: tuple[Judgement, ...] = ()
    refused: tuple[Judgement, ...] = ()  # nearest to a fix first
    tried: int = 0  # candidates that reached the gate
    screened: int = 0  # candidates that failed a visible target and went no further
    cost: Cost = Cost()
    seconds: float = 0.0
    reason: str = ""
    error_kind: str = ""  # `BonafixError.kind` where something outside stopped it
    receipt: str = ""  # absolute path of the receipt's file
    evidence: tuple[Evidence, ...] = ()  # what it rests on where there is no patch
    whole: bool = False  # the sum of several repairs, judged on the untouched tree


# ---------------------------------------------------------------- progress, seams

Kind = Literal[
    "stage", "test", "candidate", "thinking", "text", "tool", "verdict", "note"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something a user may want to see while it happens."""

    kind: Kind
    text: str
    done: int | None = None
    total: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    failed: TestResult | None = None  # a test that has ended like that, while more run
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)  # that it ran


Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Listen to nothing."""


class Runner(Protocol):
    """Runs the project's tests in a fresh, confined copy; cancelling kills it.

    `files` is laid over the snapshot (`None` deletes). `select` are node ids,
    `None` the whole suite; `expression` is pytest's `-k`. `record_lines` notes
    which test runs which line. `seconds` bounds the run (wall), `per_test` one
    test, never longer than configured; `None` takes the configured ones.
    """

    async def __call__(  # noqa: D102
        self,
        files: Mapping[str, bytes | None],
        /,
        *,
        select: Sequence[str] | None = None,
        expression: str = "",
        record_lines: bool = False,
        stop_at_first: bool = False,
        seconds: float | None = None,
        per_test: float | None = None,
        listen: Listener = silent,
    ) -> SuiteRun: ...


class Proposer(Protocol):
    """Writes candidates, best first; learns from feedback between them.

    Closing the iterator ends its processes. `feedback()` gives what the gate said
    of the last candidate.
    """

    def __call__(  # noqa: D102
        self,
        task: Task,
        run: Runner,
        feedback: Callable[[], Feedback | None],
        listen: Listener,
    ) -> AsyncIterator[Candidate]: ...


def worse(before: Outcome, after: Outcome) -> bool:
    """Whether an id that did `before` and now does `after` got worse.

    A red id may change its shade (failed to error) without getting worse; what
    ran must not become skipped, and what was there must not vanish.
    """
    if before == after:
        return False
    if after in {Outcome.PASSED, Outcome.XPASSED}:
        return False
    if before.red:
        return after in {Outcome.SKIPPED, Outcome.XFAILED, Outcome.MISSING}
    if before in {Outcome.SKIPPED, Outcome.MISSING}:
        return after.red
    return True


def add_costs(costs: Sequence[Cost]) -> Cost:
    """Their sum; unknown money stays unknown."""
    known = [cost.usd for cost in costs if cost.usd is not None]
    return Cost(
        usd=sum(known) if len(known) == len(costs) else None,
        input_tokens=sum(cost.input_tokens for cost in costs),
        output_tokens=sum(cost.output_tokens for cost in costs),
        cache_read_tokens=sum(cost.cache_read_tokens for cost in costs),
        requests=sum(cost.requests for cost in costs),
    )
