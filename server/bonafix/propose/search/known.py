"""What is known besides a file's own text: kinds of values seen at run time and more.

A kind is the name of a type, with that of its items where they agree: `list[int]`,
`dict[str]` (the keys), `Order`. Only kinds are kept, never the values: a fix that
knows a test's values is none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bonafix.domain import Task, TestResult
from bonafix.syntax import Module, Node, parse, walk
from bonafix.text import TextError, decode

_LONG = 200_000  # bytes of a file that is still worth parsing
_WHERE = re.compile(r"where .+? = (?:[\w.]+\.)?(\w+)(\(.*\))$", re.MULTILINE)
_CLASS = re.compile(r"<(?:[\w.]+\.)?(\w+) object|(?:[\w.]+\.)?([A-Z]\w*)\(")
_SHAPES = {"[": "list", "'": "str", '"': "str"}
_RAISES = {"raises", "assertRaises", "assertRaisesRegex"}
_CLAUSE = frozenset({"pytest", "self", "unittest"})

Kinds = frozenset[str]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Known:
    """Seen while the tests failed, and the product's other files; all may be empty."""

    values: Mapping[str, Mapping[str, Kinds]] = field(default_factory=dict)
    # function -> kinds by position, the receiver of a method left out
    arguments: Mapping[str, tuple[Kinds, ...]] = field(default_factory=dict)
    expected: Kinds = frozenset()  # of what the targets compare with
    raised: tuple[str, ...] = ()  # exceptions that the targets ended with
    awaited: tuple[str, ...] = ()  # exceptions that the targets wait for
    files: Mapping[str, bytes] = field(default_factory=dict)  # Python, no tests
    roots: tuple[str, ...] = ("",)  # of packages


NOTHING = Known()


def known_of(task: Task) -> Known:
    """What the failures of a task tell, and the files that ingredients may come from.

    Tests are no ingredients: what only they have is the mark of special-casing.
    """
    plain = {
        path: data
        for path, data in task.snapshot.sources.items()
        if path.endswith(".py") and path not in task.layout.tests
    }
    texts = _test_trees(task)
    return Known(
        values=_values(task.targets),
        arguments=_arguments(task.targets, texts),
        expected=frozenset(
            kind_of(t.expected) for t in task.targets if t.expected is not None
        )
        - {""},
        raised=tuple(dict.fromkeys(_last(t.exception) for t in task.targets)),
        awaited=tuple(dict.fromkeys(_awaited(task.targets, texts))),
        files=plain,
        roots=task.layout.package_roots,
    )


def kind_of(text: str) -> str:
    """The kind of a value, from its (perhaps shortened) repr; "" if it does not tell.

    >>> kind_of("[1, 2]"), kind_of("{'a': 1}"), kind_of("<shop.Order object at 0x1>")
    ('list[int]', 'dict[str]', 'Order')
    """
    try:
        return kind_of_value(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    if found := _CLASS.match(text):
        return found[1] or found[2]
    if text.startswith("{"):
        return "dict" if ":" in text else "set"
    if text.startswith("(") and text.endswith((")", "...")) and "," in text:
        return "tuple"
    return "bytes" if text[:2] in {"b'", 'b"'} else _SHAPES.get(text[:1], "")


def kind_of_value(value: object) -> str:
    """The kind of a plain value."""
    name = type(value).__name__
    if isinstance(value, list | tuple | set | dict) and value:
        items = {type(item).__name__ for item in value}
        return f"{name}[{items.pop()}]" if len(items) == 1 else name
    return name


@lru_cache(maxsize=128)
def parsed(data: bytes) -> Module | None:
    """A file's tree; `None` where it is no text, too long, or no Python."""
    if len(data) > _LONG:
        return None
    try:
        module = parse(decode(data))
    except TextError:
        return None
    return None if module.has_error else module


def _values(targets: Sequence[TestResult]) -> dict[str, dict[str, Kinds]]:
    """What names held in the frames of a traceback, per function."""
    found: dict[str, dict[str, Kinds]] = {}
    for target in targets:
        for frame in target.frames:
            mine = found.setdefault(_last(frame.function), {})
            for name, text in frame.values.items():
                if kind := kind_of(text):
                    mine[name] = mine.get(name, frozenset()) | {kind}
    return found


def _arguments(
    targets: Sequence[TestResult], texts: Mapping[str, Node]
) -> dict[str, tuple[Kinds, ...]]:
    """What functions were called with, as far as the failing tests show it."""
    found: dict[str, list[Kinds]] = {}
    for target in targets:
        for name, kinds in (*_explained(target), *_called(target, texts)):
            known = found.setdefault(name, [])
            known += [frozenset[str]()] * (len(kinds) - len(known))
            for place, kind in enumerate(kinds):
                known[place] |= frozenset({kind} - {""})
    return {name: tuple(kinds) for name, kinds in found.items()}


def _explained(target: TestResult) -> Iterator[tuple[str, list[str]]]:
    """Calls that pytest explains: `where 3 = f([1, 2], 1)`."""
    for name, listed in _WHERE.findall(target.message):
        try:
            call = ast.parse(f"f{listed}", mode="eval").body
        except (SyntaxError, ValueError):
            continue
        if isinstance(call, ast.Call):
            yield name, [kind_of(ast.unparse(argument)) for argument in call.args]


def _called(
    target: TestResult, texts: Mapping[str, Node]
) -> Iterator[tuple[str, list[str]]]:
    """Calls in the test's own text: literals, and names that its frame shows."""
    test = texts.get(target.id)
    seen = {k: v for frame in target.frames for k, v in frame.values.items()}
    for node in walk(test) if test is not None else ():
        function, listed = node.child("function"), node.child("arguments")
        if node.kind != "call" or function is None or listed is None:
            continue
        plain = [a for a in listed.named if a.kind != "keyword_argument"]
        kinds = [kind_of(seen.get(a.text, a.text)) for a in plain]
        yield _last(function.text), kinds


def _test_trees(task: Task) -> dict[str, Node]:
    """Per target the node of its test function."""
    found: dict[str, Node] = {}
    for target in task.targets:
        path, _, rest = target.id.partition("::")
        module = parsed(task.snapshot.sources.get(path, b""))
        name = rest.rpartition("::")[2].partition("[")[0]
        for node in walk(module.root) if module is not None else ():
            label = node.child("name") if node.kind == "function_definition" else None
            if label is not None and label.text == name:
                found[target.id] = node
    return found


def _awaited(targets: Sequence[TestResult], texts: Mapping[str, Node]) -> Iterator[str]:
    """The types in `pytest.raises(...)` and its like."""
    for target in targets:
        test = texts.get(target.id)
        for node in walk(test) if test is not None else ():
            function, listed = node.child("function"), node.child("arguments")
            if node.kind != "call" or function is None or listed is None:
                continue
            if _last(function.text) in _RAISES and listed.named:
                yield from (_last(n.text) for n in walk(listed.named[0]) if _is_type(n))


def _is_type(node: Node) -> bool:
    """Whether a name stands for a type, not for the module that it comes from."""
    if node.kind != "identifier" or node.text in _CLAUSE:
        return False
    return node.text[:1].isupper()


def _last(name: str) -> str:
    return name.rpartition(".")[2]
