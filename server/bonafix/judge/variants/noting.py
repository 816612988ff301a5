"""A test's assertions in, the edits that turn each into a note out; pure.

In a copy of a test with other literals the expected values no longer fit, so there
assertions must not decide. Each says what it compares instead, and the copy fails
with all of it as its message: `RECORDER` is put into the copy of the test's file for
that. It is Python 3.8 and imports the standard library and pytest. It fails without a
traceback, for which pytest would parse the whole file each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bonafix.syntax import Node, walk

Edit = tuple[int, int, str]  # characters [start, end) give way to the text

NAME = "_Notes"
_RAISES = re.compile(r"(^|\.)raises$")
_CLAIM = re.compile(r"^(self|cls)\.assert(?!Warns|Logs|NoLogs)\w+$")
_COMPARES = re.compile(r"(^|\.)assert_(\w*_)?(equal|allclose|almost_equal)$")
_RUNS = re.compile(r"(^asyncio\.run|\.run_until_complete)$")
_PAIR = 2


def notes_of(node: Node, name: str = NAME) -> Iterator[Edit]:
    """The edits for all that is asserted in `node`; `name` is the recorder's."""
    for found in walk(node):
        if found.kind == "assert_statement":
            yield from _asserted(found, name)
        elif found.kind == "call":
            yield from _called(found, name)


def _asserted(statement: Node, name: str) -> Iterator[Edit]:
    condition = statement.named[0]
    yield statement.start, condition.start, f"{name}.note("
    yield from _compared(condition, name)
    yield condition.end, statement.end, ")"


def _compared(node: Node, name: str) -> Iterator[Edit]:
    """The comparisons that a condition is put together from."""
    if node.kind in {"parenthesized_expression", "boolean_operator", "not_operator"}:
        for child in node.named:
            yield from _compared(child, name)
    elif node.kind == "comparison_operator" and len(node.named) == _PAIR:
        left, right = node.named
        sign = " ".join(c.text for c in node.children if not c.is_named)
        yield left.start, left.start, f'{name}.compare("{sign}", '
        yield left.end, right.start, ", "
        yield right.end, right.end, ")"


def _called(call: Node, name: str) -> Iterator[Edit]:
    callee, given = call.child("function"), call.child("arguments")
    if callee is None or given is None or given.kind != "argument_list":
        return
    owner, _, method = callee.text.rpartition(".")
    if _RAISES.search(callee.text):
        yield callee.start, callee.end, f"{name}.raises"
    elif _CLAIM.match(callee.text) or _COMPARES.search(callee.text):
        yield callee.start, callee.end, f"{name}.{method}"
    elif _RUNS.search(callee.text) and owner and given.named:
        # What a coroutine returns is told as it was when it returned.
        first = given.named[0]
        if first.kind in {"call", "identifier", "await"}:
            yield first.start, first.start, f"{name}.given("
            yield first.end, first.end, ")"


def preamble(name: str, *, cpu: float, wall: float, total: float) -> str:
    """The recorder's text: limits in seconds, for one copy and all of one test."""
    text = RECORDER.replace("_Notes", name).lstrip("\n")
    for word, seconds in (("CPU", cpu), ("WALL", wall), ("TOTAL", total)):
        text = text.replace(f"_{word}_", f"{seconds:g}")
    return text


def entry(module: Node) -> int:
    """Where the recorder may stand: behind the docstring and `__future__` imports."""
    at = 0
    for index, statement in enumerate(module.named):
        inner = statement.named[0] if statement.named else statement
        text = statement.kind == "expression_statement" and inner.kind == "string"
        if statement.kind != "future_import_statement" and (index or not text):
            break
        at = statement.end
    return at


RECORDER = """
class _Notes:
    import collections, copy, functools, hashlib, inspect, json, operator, os, re
    import pytest, signal, time

    ALL, ROOM, LATE = 5600, 600, 5

    class Late(BaseException):
        pass

    def __init__(self):
        self.notes, self.compared = [], False
        self.late, self.spent = {}, {}

    def __getattr__(self, name):
        if not name.startswith("assert"):
            raise AttributeError(name)
        if "Raises" in name:
            return self.raises

        def claim(*given, **named):
            shown = [self.shown(one) for one in given[:2]]
            self.notes.append(" ~ ".join(shown))

        return claim

    def note(self, value):
        if self.compared and type(value) is bool:
            self.compared = False
        else:
            self.notes.append(self.shown(value))
        return value

    def compare(self, sign, left, right):
        one, two = self.shown(left), self.shown(right)
        test = {
            "==": self.operator.eq, "!=": self.operator.ne, "<": self.operator.lt,
            "<=": self.operator.le, ">": self.operator.gt, ">=": self.operator.ge,
            "is": self.operator.is_, "is not": self.operator.is_not,
            "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,
        }[sign]
        try:
            holds = test(left, right)
            told = bool(holds)
        except Exception as error:
            holds, told = True, type(error).__name__
        self.compared = True
        self.notes.append("%s %s %s: %s" % (one, sign, two, told))
        return holds

    def raises(self, *expected, **named):
        call = expected[1] if len(expected) > 1 else None
        if not callable(call):
            return self.Raises(self)
        with self.Raises(self) as seen:
            call(*expected[2:], **named)
        return seen

    class Raises:
        def __init__(self, notes):
            self.notes = notes

        def __enter__(self):
            self.seen = self.notes.pytest.ExceptionInfo.for_later()
            return self

        def __exit__(self, kind, error, trace):
            if kind is None:
                self.notes.notes.append("nothing raised")
                return True
            if not issubclass(kind, (Exception, SystemExit)):
                return False
            self.exception = error
            self.seen.fill_unfilled((kind, error, trace))
            text = kind.__name__ + ": " + self.notes.said(error)
            self.notes.notes.append(text)
            return True

        def __getattr__(self, name):
            return getattr(self.seen, name)

    async def given(self, waited):
        result = await waited
        try:
            return self.copy.deepcopy(result)
        except Exception:
            return result

    def kept(self, test):
        if self.inspect.iscoroutinefunction(test):
            @self.functools.wraps(test)
            async def inner(*given, **named):
                self.begin(test)
                error = None
                try:
                    await test(*given, **named)
                except (Exception, SystemExit, self.Late, self.Failed) as caught:
                    error = caught
                finally:
                    self.stop()
                self.end(error)
        else:
            @self.functools.wraps(test)
            def inner(*given, **named):
                self.begin(test)
                error = None
                try:
                    test(*given, **named)
                except (Exception, SystemExit, self.Late, self.Failed) as caught:
                    error = caught
                finally:
                    self.stop()
                self.end(error)
        return inner

    Failed = pytest.fail.Exception

    def begin(self, test):
        self.notes, self.compared = [], False
        self.test = test.__qualname__.rpartition("_")[0]
        self.late.setdefault(self.test, 0)
        self.spent.setdefault(self.test, 0.0)
        if self.late[self.test] >= self.LATE or self.spent[self.test] > _TOTAL_:
            self.pytest.fail('{"late": "not run"}', pytrace=False)
        self.begun = self.time.monotonic()
        self.rings = []
        for number, timer, seconds in (
            (self.signal.SIGVTALRM, self.signal.ITIMER_VIRTUAL, _CPU_),
            (self.signal.SIGALRM, self.signal.ITIMER_REAL, _WALL_),
        ):
            try:
                before = self.signal.signal(number, self.ring)
            except ValueError:
                continue
            self.rings.append((number, timer, before))
            self.signal.setitimer(timer, seconds, 0.1)

    def ring(self, number, frame):
        raise self.Late()

    def stop(self):
        for number, timer, before in self.rings:
            self.signal.setitimer(timer, 0)
            self.signal.signal(number, before or self.signal.SIG_DFL)
        self.spent[self.test] += self.time.monotonic() - self.begun

    def end(self, error):
        if isinstance(error, self.Late):
            self.late[self.test] += 1
            self.pytest.fail('{"late": "yes"}', pytrace=False)
        if error is not None and type(error).__name__ in ("SkipTest", "Skipped"):
            raise error
        told = {"notes": self.told(), "ended": "", "says": "", "here": False}
        if error is not None:
            kind, trace = type(error), error.__traceback__
            while trace.tb_next is not None:
                trace = trace.tb_next
            told["here"] = trace.tb_frame.f_code.co_filename == __file__
            told["ended"] = kind.__module__ + ":" + kind.__qualname__
            told["says"] = self.short(self.said(error))
        self.pytest.fail(self.json.dumps(told, ensure_ascii=False), pytrace=False)

    def told(self):
        told, left = [], self.ALL
        for index, note in enumerate(self.notes):
            text = self.short(note)
            left -= len(text) + 8
            if left < 0:
                rest = "\\n".join(self.notes[index:])
                return told + ["#" + self.digest(rest)]
            told.append(text)
        return told

    def short(self, text):
        if len(text) <= self.ROOM:
            return text
        return text[: self.ROOM - 40] + " ... #" + self.digest(text)

    def digest(self, text):
        data = text.encode("utf-8", "backslashreplace")
        return self.hashlib.sha256(data).hexdigest()[:16]

    def said(self, error):
        try:
            return self.same(str(error))
        except Exception:
            return "<no message>"

    def shown(self, value, depth=6):
        try:
            return self.same(self.text(value, depth))
        except Exception as error:
            return "<%s in its repr>" % type(error).__name__

    PLAIN = (bool, int, float, complex, str, bytes, bytearray)
    HELD = (set, frozenset, list, tuple, collections.OrderedDict, dict)

    # What is of a built-in kind is shown as that, whatever its own class makes of it:
    # a new repr is no other value, and tests compare values.
    def text(self, value, depth):
        kind = type(value)
        for base in self.PLAIN:
            if isinstance(value, base):
                return base.__repr__(value)
        for base in self.HELD if depth else ():
            if isinstance(value, base):
                return self.held(value, base, depth - 1)
        if depth and kind.__repr__ is object.__repr__ and hasattr(value, "__dict__"):
            parts = sorted(vars(value).items())
            parts = [n + "=" + self.text(one, depth - 1) for n, one in parts]
            return "%s(%s)" % (kind.__name__, ", ".join(parts))
        return repr(value)

    def held(self, value, base, depth):
        if issubclass(base, dict):
            pairs = [(one, base.__getitem__(value, one)) for one in base.keys(value)]
            parts = [self.text(k, depth) + ": " + self.text(v, depth) for k, v in pairs]
            return "{%s}" % ", ".join(parts)
        parts = [self.text(one, depth) for one in base.__iter__(value)]
        if base in (set, frozenset):
            return "%s{%s}" % (base.__name__, ", ".join(sorted(parts)))
        return ("[%s]" if base is list else "(%s)") % ", ".join(parts)

    def same(self, text):
        text = self.re.sub(r"\\b0x[0-9a-fA-F]{8,}", "0x", text)
        made = r"/[^\\s'\\"]*/pytest-of-[^/]+/pytest-\\d+/[^\\s'\\"/]+"
        text = self.re.sub(made, "TMP", text)
        text = self.re.sub(r"/tmp[a-z0-9_]{8}\\b", "/tmp", text)
        return text.replace(self.os.getcwd(), ".")


_Notes = _Notes()
"""
