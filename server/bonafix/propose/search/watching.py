"""Questions asked at a spot while tests run, told by which lines they execute; pure.

A call in front of the spot's statement evaluates each condition or expression and tells
what came out by running a line that only this outcome has, beyond the end of the file:
the record of executed lines brings it here, test by test. So asking needs no way of its
own out of a confined process, and costs no recorded line for what is not news. A spot
that a test visits again and again is asked the first times only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonafix.domain import SuiteRun
from bonafix.propose.search.components import Condition
from bonafix.propose.search.context import line_indent
from bonafix.propose.search.expressions import Expression
from bonafix.propose.search.patches import SourceFile
from bonafix.syntax import Node
from bonafix.text import TextError, apply_edits, encode, lines

_NAME = "_bonafix"
_VISITS = 8  # of one spot in one test, after which only the powers of two are asked
_LARGE, _SMALL = 10_000, 64  # items of a product; what is raised or shifted to
_LONG = 0.05  # CPU seconds that something new may take
# What came out of a condition: first what the spot's own one says, then the new one;
# `!` where it raised. Of an expression: it differs from the spot's own value, and
# differs as some target wishes, or it raised (or is a number for a truth value).
OUTCOMES = ("TT", "TF", "T!", "FT", "FF", "F!", "other", "wished", "raised")
OTHER, WISHED, RAISED = OUTCOMES[-3:]
_EACH = len(OUTCOMES)

# Python 3.8, run with the names `SPOTS`, `VISITS`, `FILE` and `EACH` in it. Its own
# file name is none of the project's, so that none of its lines is recorded; what traces
# them would cost more than the questions, so it rests meanwhile.
# What is made up may be a text times an amount of money, and take a second and all
# memory: such products raise here, and what was slow is not evaluated again.
_ASKER = """
import ast, os, sys, time

seen, said, compiled, bounded, busy, slow = {}, set(), {}, {}, [], set()
line_of = compile("0", FILE, "exec").replace

def say(line):
    test = os.environ.get("PYTEST_CURRENT_TEST")
    if (test, line) not in said:
        said.add((test, line))
        sys.settrace(busy[0])
        exec(line_of(co_firstlineno=line), SPACE)
        sys.settrace(None)

def value(text, space):
    if text not in compiled:
        compiled[text] = compile(text, "<bonafix>", "eval")
    return eval(compiled[text], space)

class Bounded(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        name = BOUNDED.get(type(node.op).__name__)
        if name is None:
            return node
        made = ast.Call(ast.Name(name, ast.Load()), [node.left, node.right], [])
        return ast.copy_location(made, node)

def times(one, two):
    for a, b in ((one, two), (two, one)):
        if isinstance(a, int) and hasattr(b, "__len__") and a * len(b) > LARGE:
            raise OverflowError
    return one * two

def power(one, two):
    if isinstance(two, int) and abs(two) > SMALL and abs(one) > 1:
        raise OverflowError
    return one ** two

def shift(one, two):
    if two > SMALL:
        raise OverflowError
    return one << two

BOUNDED = {"Mult": "_times", "Pow": "_power", "LShift": "_shift"}
NAMES = {"_times": times, "_power": power, "_shift": shift}

def new(text, space):
    if text in slow:
        raise TimeoutError
    if text not in bounded:
        tree = ast.fix_missing_locations(Bounded().visit(ast.parse(text, mode="eval")))
        bounded[text] = compile(tree, "<bonafix>", "eval")
    begun = time.thread_time()
    try:
        return eval(bounded[text], space)
    finally:
        if time.thread_time() - begun > LONG:
            slow.add(text)

def ask(told):
    number, space = told
    key = number, os.environ.get("PYTEST_CURRENT_TEST")
    count = seen[key] = seen.get(key, 0) + 1
    if busy or (count > VISITS and count & (count - 1)):
        return
    busy.append(sys.gettrace())
    sys.settrace(None)
    space.update(NAMES)
    try:
        answer(space, *SPOTS[number])
    except Exception:
        pass  # the spot's own expression cannot be asked here
    finally:
        sys.settrace(busy.pop())

def answer(space, first, current, unless, conditions, values, wishes):
    for text in unless:
        if value(text, space):
            return
    now = value(current, space) if current else False
    wanted = [(value(a, {}), value(b, {})) for a, b in wishes]
    for place, text in enumerate(conditions):
        try:
            found = 0 if new(text, space) else 1
        except Exception:
            found = 2
        say(first + EACH * place + found + (0 if now else 3))
    for place, text in enumerate(values):
        try:
            made = new(text, space)
            found = [6] if made != now else []
            if isinstance(now, bool) and not isinstance(made, bool):
                found = [8]  # 1 is no answer to a question, equal as it is to True
            elif found and (now, made) in wanted:
                found.append(7)
        except Exception:
            found = [8]
        for one in found:
            say(first + EACH * place + one)
"""


@dataclass(frozen=True, slots=True)
class Spot:
    """A statement, and what in it (or None) new conditions or values are held against.

    It has either conditions or values. `wishes` are values (as source text) that came
    out wrong in a target, each with the one that was wanted: they serve to ask, and
    are no part of any candidate.
    """

    file: SourceFile
    statement: Node
    current: Node | None
    score: float
    conditions: tuple[Condition, ...]
    unless: tuple[str, ...] = ()  # conditions of earlier branches
    values: tuple[Expression, ...] = ()
    wishes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Instrumented files, and the first line number that each spot tells with."""

    files: Mapping[str, bytes]
    firsts: tuple[int, ...]
    spots: tuple[Spot, ...]


# (spot, condition or expression) -> test -> outcomes
Seen = Mapping[tuple[int, int], Mapping[str, frozenset[str]]]


def watched(spots: Sequence[Spot]) -> Watch:
    """The files with all the questions in them."""
    files: dict[str, bytes] = {}
    firsts = [0] * len(spots)
    for file in {spot.file.path: spot.file for spot in spots}.values():
        mine = [n for n, spot in enumerate(spots) if spot.file.path == file.path]
        edits = []
        for number in mine:
            statement = spots[number].statement
            space = "{**globals(), **locals()}"
            call = f"globals().get({_NAME!r}, id)(({number}, {space}))"
            ahead = call + file.newline + line_indent(statement)
            edits.append((statement.start, statement.start, ahead))
        edits.sort(key=lambda edit: edit[0])
        text = apply_edits(file.source.text, edits)
        free = len(lines(text)) + 3  # behind it come two lines more
        for number in mine:
            firsts[number] = free
            free += _EACH * _asked(spots[number])
        table = {n: _described(spots[n], firsts[n]) for n in mine}
        try:
            files[file.path] = encode(file.source, text + _tail(table, file.newline))
        except TextError:
            continue
    return Watch(files, tuple(firsts), tuple(spots))


def _asked(spot: Spot) -> int:
    return max(len(spot.conditions), len(spot.values))


def _described(spot: Spot, first: int) -> tuple[object, ...]:
    return (
        first,
        spot.current.text if spot.current is not None else "",
        spot.unless,
        tuple(one.text for one in spot.conditions),
        tuple(one.text for one in spot.values),
        spot.wishes,
    )


def _tail(table: Mapping[int, tuple[object, ...]], newline: str) -> str:
    """What stands behind the file's own lines: the asker, in two lines."""
    names = f"EACH={_EACH}, VISITS={_VISITS}, SPACE={{}}, SPOTS={table!a}"
    names += f", LARGE={_LARGE}, SMALL={_SMALL}, LONG={_LONG}"
    file = "(lambda: 0).__code__.co_filename"
    made = f"{_NAME} = dict({names}, FILE={file})"
    run = f"exec(compile({_ASKER!a}, '<bonafix>', 'exec'), {_NAME})"
    ends = f"{_NAME} = {_NAME}['ask']"
    return f"{newline}{made}{newline}{run}; {ends}{newline}"


def seen(watch: Watch, run: SuiteRun, tests: Sequence[str]) -> Seen:
    """What came out of each condition or expression in each of the tests."""
    found: dict[tuple[int, int], dict[str, set[str]]] = {}
    for number, spot in enumerate(watch.spots):
        first = watch.firsts[number]
        count = _EACH * _asked(spot)
        for test in tests:
            for line in run.lines.get(test, {}).get(spot.file.path, ()):
                if first <= line < first + count:
                    place, outcome = divmod(line - first, _EACH)
                    mine = found.setdefault((number, place), {})
                    mine.setdefault(test, set()).add(OUTCOMES[outcome])
    return {
        key: {test: frozenset(values) for test, values in by_test.items()}
        for key, by_test in found.items()
    }
