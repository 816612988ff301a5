"""Whether a patched function does what the right version does, on generated inputs.

An input on which the right version raises, or takes long, says nothing: nobody wrote
down what happens there. Everything runs in forked children.
"""

from __future__ import annotations

import copy
import functools
import math
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generator import Arguments, inputs
from search_space import in_child

INPUTS = 1000
CALL = 0.5  # CPU seconds for one call
ENOUGH = 6.0  # CPU seconds, after which the right version is asked no more
PATIENCE = 3.0  # times that the other may take, for all and for one
WALL = 20.0  # times that the clock may be slower than the CPU's, on a busy machine
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Compared:
    """How many inputs the right version answers, and on how many the other differs."""

    inputs: int
    different: int

    @property
    def equal(self) -> bool:
        """Whether nothing tells them apart; no evidence is no equality."""
        return self.inputs > 0 and not self.different


def compared(
    right: str, other: str, tests: Sequence[str], entry: str, name: str
) -> Compared:
    """Both sources on what the tests give to `entry`, and on what is made from that."""
    wall = ENOUGH * PATIENCE * WALL
    seen = in_child(lambda: arguments(right, tests, entry), wall)
    made = inputs(seen or [], count=INPUTS, seed=name)
    wanted = in_child(lambda: answers(right, entry, made), wall) or []
    asked = [i for i, (kind, _) in enumerate(wanted) if kind == "value"]
    same = [made[i] for i in asked]
    given = in_child(lambda: answers(other, entry, same, PATIENCE), wall)
    pairs = list(zip((wanted[i] for i in asked), given or [], strict=False))
    different = sum(not alike(a, b) for a, b in pairs) + len(asked) - len(pairs)
    return Compared(len(asked), different)


def arguments(source: str, tests: Sequence[str], entry: str) -> list[Arguments]:
    """What the tests call the function with, by position."""
    space = loaded(source)
    function, seen = space[entry], []

    def spy(*given: object) -> object:
        seen.append(copy.deepcopy(given))
        return function(*given)

    space[entry] = spy
    for test in tests:
        run(lambda test=test: exec(compile(test, "test", "exec"), space))
    return [given for given in seen if pickled(given)]


def answers(
    source: str, entry: str, given: Sequence[Arguments], patience: float = 1.0
) -> list[tuple[str, object]]:
    """("value", what comes back) or ("raised", ""), as far as the time goes."""
    function = loaded(source)[entry]
    until = time.process_time() + ENOUGH * patience
    found: list[tuple[str, object]] = []
    for one in given:
        if time.process_time() > until:
            break
        work = functools.partial(function, *copy.deepcopy(one))  # type: ignore[arg-type]
        found.append(run(work, CALL * patience))
    return found


def run(work: Callable[[], object], seconds: float = CALL) -> tuple[str, object]:
    """What it answers within `seconds` of CPU."""
    try:
        signal.signal(signal.SIGPROF, stopped)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        value = work()
    except Exception:  # noqa: BLE001 - whatever the code under test raises
        return "raised", ""
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ("value", value) if pickled(value) else ("value", repr(value))


def stopped(*_: object) -> None:
    raise TimeoutError


def loaded(source: str) -> dict[str, object]:
    sys.setrecursionlimit(1000)
    space: dict[str, object] = {"__name__": "solution"}
    exec(compile(source, "solution.py", "exec"), space)
    return space


def pickled(value: object) -> bool:
    try:
        pickle.dumps(value)
    except (TypeError, AttributeError, ValueError, pickle.PicklingError):
        return False
    return True


def alike(a: object, b: object) -> bool:
    """Equal, where floats need not be so to the last bit."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, float | int) and isinstance(b, float | int):
        return a == b or math.isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE)
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(alike, a, b))
    return type(a) is type(b) and a == b
