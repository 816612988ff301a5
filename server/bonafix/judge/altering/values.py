"""An expected value in, another of the same type that cannot equal it out; pure.

The new text is what a test's author might have written: nothing in it tells the
code under test that it is being examined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bonafix.judge.reading.folding import fold, known
from bonafix.syntax import Node, parse, walk

Wrong = Sequence[int]  # positions, outermost first, of what was wrong in the baseline
Edit = tuple[Node, str]

_DISPLAYS = {"list": "[0]", "tuple": "(0,)", "dictionary": "{0: 0}", "set": "{0}"}
_SPLATS = {"list_splat", "dictionary_splat"}
# Objects that mean to equal more than one value: changing the other side of such a
# comparison proves nothing.
_MATCHERS = {"ANY", "dirty_equals", "IsInstance", "IsStr", "IsInt", "IsApprox"}

# Works at run time for a value of any type, needs no name but its own, changes one
# leaf and keeps the rest. What it does not know becomes a function, which equals
# nothing honest.
_OTHER = (
    "(lambda f, v: f(f, v))(lambda f, v: "
    "not v if v.__class__ is True.__class__ else "
    "(-v if v * v > 1 else v + 3)"
    " if v.__class__ in ((0).__class__, (0.0).__class__) else "
    "v + 'x' if v.__class__ is ''.__class__ else "
    "v + b'x' if v.__class__ is b''.__class__ else "
    "0 if v is None else "
    "[f(f, v[0]), *v[1:]] if v and v.__class__ is [].__class__ else "
    "(f(f, v[0]), *v[1:]) if v and v.__class__ is ().__class__ else "
    "{**v, [*v][0]: f(f, v[[*v][0]])} if v and v.__class__ is {}.__class__ else "
    "v ^ {-77} if v.__class__ is {0}.__class__ else "
    "[0] if v.__class__ is [].__class__ else "
    "(0,) if v.__class__ is ().__class__ else "
    "{0: 0} if v.__class__ is {}.__class__ else "
    "lambda: v, "
)


def other_at_run_time(text: str) -> str:
    """An expression whose value is another than that of the expression `text`."""
    return f"{_OTHER}({text}))"


def other(value: object, *, far: bool = False) -> object:
    """Another value of the type of a constant that is no container.

    `far` keeps out of the reach of tolerances. Raises `TypeError` on other types.
    """
    match value:
        case bool():
            return not value
        case int() if not far:
            return value + 1
        case int() | float():
            return -value if abs(value) > 1 else value + 3
        case complex():
            return -value if abs(value) > 1 else value + 3
        case str():
            return _turned(value)
        case bytes():
            return _turned(value.decode("latin-1")).encode("latin-1")
        case None:
            return 0
        case _:
            raise TypeError(type(value).__name__)


def _turned(text: str) -> str:
    """One letter or digit exchanged: not the same under any folding of case."""
    for at, char in enumerate(text):
        if char.isascii() and char.isalnum():
            new = {"z": "a", "Z": "A", "9": "0"}.get(char) or chr(ord(char) + 1)
            return text[:at] + new + text[at + 1 :]
    return text + "x"


def changed(node: Node, wrong: Wrong = (), *, far: bool = False) -> Edit | None:
    """The part of an expected value to replace, and by what.

    `None` where no other value is certain to be unequal.
    """
    if _matches_more(node):
        return None
    if node.kind == "parenthesized_expression" and len(node.named) == 1:
        return changed(node.named[0], wrong, far=far)
    if node.kind in _DISPLAYS:
        return _checked(node, _in_display(node, wrong, far=far))
    if is_approx(node):
        return _approximate(node, wrong)
    value = fold(node)
    if known(value) and not isinstance(value, list | tuple | dict | set | range):
        try:
            return node, ascii(other(value, far=far))
        except TypeError:
            return None
    return node, other_at_run_time(node.text)


def _in_display(node: Node, wrong: Wrong, *, far: bool) -> Edit | None:
    if not node.named:
        return node, _DISPLAYS[node.kind]
    for at in _order(len(node.named), wrong):
        part = node.named[at]
        value = part.child("value") if part.kind == "pair" else part
        if value is None or part.kind in _SPLATS:
            continue
        if found := changed(value, wrong[1:] if wrong[:1] == [at] else (), far=far):
            return found
    return None


def _order(count: int, wrong: Wrong) -> Iterator[int]:
    first = [at for at in wrong[:1] if at < count]
    return iter([*first, *(at for at in range(count) if at not in first)])


def _checked(node: Node, edit: Edit | None) -> Edit | None:
    """The edit, unless the whole provably comes out the same (`{1: 2, 1: 3}`)."""
    if edit is None:
        return None
    part, new = edit
    start = node.start
    text = node.text[: part.start - start] + new + node.text[part.end - start :]
    before, after = fold(node), fold(_expression(text))
    return None if known(before) and known(after) and before == after else edit


def _expression(text: str) -> Node:
    root = parse(f"({text})").root
    return root.named[0].named[0] if root.named and root.named[0].named else root


def is_approx(node: Node) -> bool:
    """Whether an expression is a call of `approx`."""
    function = node.child("function") if node.kind == "call" else None
    return function is not None and function.text.rpartition(".")[2] == "approx"


def _approximate(node: Node, wrong: Wrong) -> Edit | None:
    """Of `approx(value)`, a value far beyond the default tolerances."""
    given = node.child("arguments")
    if given is None or len(given.named) != 1 or given.kind != "argument_list":
        return None  # with a tolerance of its own nothing is certain
    argument = given.named[0]
    if argument.kind in {"keyword_argument", *_SPLATS}:
        return None
    return changed(argument, wrong, far=True)


def _matches_more(node: Node) -> bool:
    return any(n.kind == "identifier" and n.text in _MATCHERS for n in walk(node))


def where_wrong(expected: str | None, actual: str | None) -> list[int]:
    """The positions down to the first part in which two reprs differ."""
    if not expected or not actual:
        return []
    return _differing(fold(_expression(expected)), fold(_expression(actual)))


def _differing(expected: object, actual: object) -> list[int]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        pairs = [(v, actual.get(k, ...)) for k, v in expected.items()]
    elif isinstance(expected, list | tuple) and type(expected) is type(actual):
        assert isinstance(actual, list | tuple)
        rest = [*actual, *[...] * len(expected)]
        pairs = list(zip(expected, rest, strict=False))
    else:
        return []
    for at, (one, two) in enumerate(pairs):
        if one != two:
            return [at, *_differing(one, two)]
    return []
