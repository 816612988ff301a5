"""What the tests know: their literals, rows, fixtures and golden texts; pure.

A patch that knows the same has read the test. Values that everyone knows (small
numbers, empty things) are no clues, and values of common knowledge (units, calendar,
status codes) weigh less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bonafix.domain import TestResult
from bonafix.judge.altering.flips import test_function
from bonafix.judge.reading.folding import constant_names, fold, known, leaves
from bonafix.judge.reading.fresh import folded
from bonafix.syntax import Function, Module, Node, functions, parse, walk
from bonafix.text import TextError, decode

_TRIVIAL = {repr(v) for v in (0, 1, 2, -1, "", None, True, False, 10, 100, b"")}
_COMMON = frozenset(
    {
        *(4, 6, 9, 11, 12, 16, 24, 28, 29, 30, 31, 32, 48, 60, 64, 65, 90, 97, 122),
        *(127, 128, 180, 255, 256, 360, 365, 366, 400, 512),
        *(1000, 1023, 1024, 1440, 1582, 3600, 7200, 86400, 604800, 65535, 65536),
        *(10_000, 100_000, 1_000_000, 0.5, 0.1, 0.01, 0.001, 1e-6, 1e-9, 1.5, 32.0),
        *(200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405),
        *(406, 408, 409, 410, 412, 413, 415, 418, 422, 429, 500, 501, 502, 503, 504),
    }
)
_WORD = re.compile(r"[^\W\d]\w{0,19}$")
_RICH_TEXT = 12  # characters from which a text is hardly common knowledge
_TELLING_PART = 10  # characters of a part of a text that are no coincidence
_FEW = 2  # items of which a container is no better known than they are
_GOLDEN = re.compile(r'"((?:[^"\\\n]){4,})"|(-?\d+\.\d+|-?\d{3,})')
_SKIPPED_KEYWORDS = {"match", "ids", "reason", "msg", "id"}


@dataclass(frozen=True, slots=True)
class Clue:
    """A literal that a test knows; `role` is what it is to the code under test."""

    role: str  # input, expected, both, wrong
    test_id: str


@dataclass(frozen=True, slots=True)
class Clues:
    """The literals of the targets, by `key`."""

    known: Mapping[str, Clue] = field(default_factory=dict)
    texts: tuple[tuple[str, Clue], ...] = ()  # the long ones, whole

    def of(self, value: object) -> Clue | None:
        """The clue that the value is, if it is one; also if it is the repr of one."""
        if found := self.known.get(key(value)):
            return found
        if isinstance(value, str) and value[:1] in "([{'\"-0123456789":
            root = parse(f"({value})").root
            inner = fold(root.named[0].named[0]) if _one_expression(root) else None
            if inner is not None and known(inner) and not trivial(inner):
                return self.known.get(key(inner)) or self._made_of(inner)
        return self._made_of(value) or self._part(value)

    def _part(self, value: object) -> Clue | None:
        """The clue of a longer text that holds this one."""
        if not isinstance(value, str) or len(value) < _TELLING_PART or word(value):
            return None
        for text, clue in self.texts:
            if value in text:
                return Clue("part", clue.test_id)
        return None

    def _made_of(self, value: object) -> Clue | None:
        """The arguments of a call, packed into one value."""
        if not isinstance(value, tuple | list) or trivial(value):
            return None
        telling = [part for part in value if not trivial(part)]
        found = [self.known.get(key(part)) for part in telling]
        return found[0] if all(found) else None

    def input(self, value: object) -> Clue | None:
        """The clue, if tests put it in (or got it wrongly out)."""
        found = self.of(value)
        return found if found and found.role in {"input", "both", "wrong"} else None

    def output(self, value: object) -> Clue | None:
        """The clue, if tests expect it."""
        found = self.of(value)
        return found if found and found.role in {"expected", "both"} else None


def _one_expression(root: Node) -> bool:
    return len(root.named) == 1 and len(root.named[0].named) == 1


def key(value: object) -> str:
    """The same for values that a comparison would call equal."""
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))
    if isinstance(value, set | frozenset):
        return repr(sorted(map(key, value)))
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def trivial(value: object) -> bool:
    """Whether everyone has this value in hand."""
    if key(value) in _TRIVIAL:
        return True
    if isinstance(value, str | bytes):
        plain = value if isinstance(value, str) else value.decode("latin-1")
        return len(plain) <= 1 or not any(map(str.isalnum, plain))
    if isinstance(value, list | tuple | dict | set | frozenset):
        return all(trivial(part) for part in leaves(value) if part is not value)
    return False


def common(value: object) -> bool:
    """Whether a program may well know this value without having read a test."""
    if isinstance(value, int | float):
        return abs(value) in _COMMON
    if isinstance(value, list | tuple | set | frozenset) and len(value) <= _FEW:
        return all(trivial(v) or common(v) for v in leaves(value) if v is not value)
    return False


def word(value: object) -> bool:
    """Whether it could be the name of a mode, unit or kind."""
    return isinstance(value, str) and bool(_WORD.match(value))


def rich(value: object) -> bool:
    """Whether hitting this value by chance is out of the question."""
    if isinstance(value, str | bytes):
        return len(value) >= _RICH_TEXT
    if isinstance(value, list | tuple | dict | set):
        parts = [v for v in leaves(value) if v is not value]
        return sum(not trivial(v) for v in parts) > 1
    return isinstance(value, float) and not common(value)


# ------------------------------------------------------------------------ collecting


def clues(
    targets: Sequence[TestResult],
    sources: Mapping[str, bytes],
    golden: Sequence[str] = (),
) -> Clues:
    """What the targets' sources, and the `golden` data files they read, know."""
    found: dict[str, Clue] = {}
    modules: dict[str, Module] = {}
    for path, data in sources.items():
        if path.endswith(".py"):
            try:
                modules[path] = parse(decode(data))
            except TextError:
                continue
    for target in targets:
        _note_results(found, target)
        place = target.definition
        path = place.path if place else target.id.partition("::")[0]
        function = test_function(modules[path], target) if path in modules else None
        if function is not None:
            for value, role in _of_test(function, modules[path], modules):
                _note(found, value, Clue(role, target.id))
    for path in golden:
        for value in _golden(sources.get(path, b"")):
            _note(found, value, Clue("expected", path))
    return Clues(found, tuple(_long(found)))


def _long(found: Mapping[str, Clue]) -> Iterator[tuple[str, Clue]]:
    for name, clue in found.items():
        if name[:1] in "'\"" and len(name) > _TELLING_PART:
            root = parse(f"({name})").root
            text = fold(root.named[0].named[0]) if _one_expression(root) else ""
            if isinstance(text, str):
                yield text, clue


def _note(found: dict[str, Clue], value: object, clue: Clue) -> None:
    for part in leaves(value):
        if trivial(part):
            continue
        was = found.get(key(part))
        if was is None or was.role == "wrong":
            found[key(part)] = clue
        elif clue.role not in {was.role, "wrong"}:
            found[key(part)] = Clue("both", was.test_id)


def _note_results(found: dict[str, Clue], target: TestResult) -> None:
    """What the failure itself tells: the value that is wrong and the one wanted."""
    for text, role in ((target.actual, "wrong"), (target.expected, "expected")):
        root = parse(f"({text})").root
        value = fold(root.named[0].named[0]) if text and _one_expression(root) else ...
        if value is not ... and known(value):
            _note(found, value, Clue(role, target.id))


def _of_test(
    function: Function, module: Module, modules: Mapping[str, Module]
) -> Iterator[tuple[object, str]]:
    decorated = function.node.parent
    whole = decorated if decorated and "decorated" in decorated.kind else function.node
    for node, value in folded(list(walk(whole)), constant_names(function.node)):
        if not _message(node):
            body = function.node.child("body")
            inside = body is not None and body.start <= node.start
            yield value, _role(node, function.node) if inside else "both"
    used = {n.text for n in walk(whole) if n.kind == "identifier"}
    for name, value in constant_names(module.root).items():
        if name in used:
            yield value, "both"
    yield from _fixtures(used, module, modules)


def _fixtures(
    names: set[str], module: Module, modules: Mapping[str, Module]
) -> Iterator[tuple[object, str]]:
    near = [m for p, m in modules.items() if p.rpartition("/")[2] == "conftest.py"]
    for holder in (module, *near):
        for function in functions(holder):
            around = function.node.parent
            fixture = around is not None and "fixture" in around.text[:200]
            if function.name in names and (fixture or holder is module):
                for node, value in folded(list(walk(function.node)), {}):
                    if not _message(node):
                        yield value, "both"


def _role(node: Node, function: Node) -> str:
    for around in node.ancestors():
        if around.start <= function.start:
            break
        if around.kind == "argument_list" and around.parent is not None:
            callee = around.parent.child("function")
            name = callee.text.rpartition(".")[2] if callee is not None else ""
            if name.startswith("assert"):
                return "both"
            if name != "approx":
                return "input"
    return "expected" if _compared(node) else "both"


def _compared(node: Node) -> bool:
    return any(a.kind == "comparison_operator" for a in node.ancestors())


def _message(node: Node) -> bool:
    """Whether a text is about an exception, a name of a row, or a message."""
    around = node.parent
    if around is not None and around.kind == "keyword_argument":
        name = around.child("name")
        return name is not None and name.text in _SKIPPED_KEYWORDS
    if around is not None and around.kind == "assert_statement":
        return len(around.named) > 1 and around.named[1].start == node.start
    return False


def _golden(data: bytes) -> Iterator[object]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    yield text
    for line in text.splitlines()[:2_000]:
        if len(line.strip()) >= _RICH_TEXT:
            yield line.strip()
        for match in _GOLDEN.finditer(line):
            yield match[1] or float(match[2])
