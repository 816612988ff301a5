"""A test's source in, the literals that it arranges and calls with out; pure.

What it expects is no argument: neither side of an assertion that is written down, nor
a name that only such a side uses. What only names something (a key, a file, an option
of a command line) stays too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bonafix.calls import Value
from bonafix.judge.variants.writing import CODE, HOLE, display_of, leaf_of
from bonafix.syntax import Function, Node, walk

_SENTENCE = re.compile(
    r"\s*(select|insert|update|delete|create|drop|pragma)\s", re.IGNORECASE
)
_OPTION = re.compile(r"--?[a-zA-Z]")
_FILE = re.compile(r"[\w./-]*\.[a-z][a-z0-9]{0,4}['\"]{1,3}$")
_FIXED_CALLS = re.compile(
    r"(^|\.)(patch(\.\w+)?|setattr|delattr|setitem|getattr|hasattr|open|raises|approx|"
    r"skip|fail|xfail|importorskip|sleep|encode|decode|at_level|set_level|joinpath|"
    r"getfixturevalue|import_module|subTest|getLogger|assertRaises(Regex)?|warns|"
    r"assert_\w+|wait_for|strftime|strptime|isinstance)$"
)
_FIXED_NAMES = {
    *("encoding", "errors", "mode", "newline", "match", "msg", "timeout", "id", "ids"),
    *("reason", "places", "delta", "rel", "abs", "check", "shell", "text", "cwd"),
}
_CLAIM = re.compile(r"^(self|cls)\.assert\w+$")
_DISPLAYS = {"list", "tuple", "set", "dictionary"}
_SIDES = 2
_SMALL = 9  # numbers up to here are equal by chance


@dataclass(frozen=True, slots=True)
class Slot:
    """One literal of a test, with all the places where it stands."""

    value: Value
    label: str  # what a person would call it; may be empty
    nodes: tuple[Node, ...]


def slots(function: Function, given: Sequence[tuple[str, Node]] = ()) -> list[Slot]:
    """The literals that may vary; `given` are parameters with the row's expressions.

    Equal ones are one, unless they are so small that they may be equal by chance: a
    test that puts something in and takes it out must do so with the same thing.
    """
    body = function.node.child("body")
    if body is None:
        return []
    expected = list(_expected_sides(body))
    only = _only_expected(body, expected)
    found: list[tuple[str, Node, Value]] = []
    for name, node in given:
        if name not in only:
            whole = read(node)
            inner = [(node, whole)] if whole.type != CODE else _found(node, ())
            found += [(name, at, value) for at, value in inner]
    spans = [(side.start, side.end) for side in expected]
    for node, value in _found(body, spans):
        bound = _bound_name(node)
        if bound not in only:
            found.append((_label(node), node, value))
    return _grouped(found)


def read(node: Node) -> Value:
    """An expression as a value that can be varied; what cannot be is `code`."""
    value = None if _names_something(node) else leaf_of(node) or display_of(node, read)
    if value is not None:
        return value
    inner = list(_found(node, (), inside=True))
    text, at = "", node.start
    for part, _ in inner:
        text += node.text[at - node.start : part.start - node.start] + HOLE
        at = part.end
    text += node.text[at - node.start :]
    if text.count(HOLE) != len(inner):  # the source itself has such characters
        return Value(CODE, node.text.replace(HOLE, ""))
    return Value(CODE, text, tuple(value for _, value in inner))


def _grouped(found: Sequence[tuple[str, Node, Value]]) -> list[Slot]:
    table: dict[object, list[tuple[str, Node, Value]]] = {}
    for index, one in enumerate(found):
        table.setdefault(one[2] if _telling(one[2]) else index, []).append(one)
    return [
        Slot(group[0][2], group[0][0], tuple(node for _, node, _ in group))
        for group in table.values()
    ]


def _telling(value: Value) -> bool:
    if value.items or value.type == "bool":
        return False
    if value.type in {"str", "bytes"}:
        return len(value.text) > 1
    if value.type == "int":
        return abs(int(value.text)) > _SMALL
    return value.type != "float" or abs(float(value.text)) > _SMALL


# -------------------------------------------------------------- what is looked for


def _found(
    root: Node, without: Sequence[tuple[int, int]], *, inside: bool = False
) -> Iterator[tuple[Node, Value]]:
    """The outermost expressions that can be varied, in the order of the text."""
    stack = list(reversed(root.named)) if inside else [root]
    while stack:
        node = stack.pop()
        if (node.start, node.end) in without or _fixed(node):
            continue
        value = None if node.kind in {"block", "identifier"} else _value(node)
        if value is not None:
            yield node, value
        else:
            stack.extend(reversed(node.named))


def _value(node: Node) -> Value | None:
    if _names_something(node):
        return None
    if found := leaf_of(node):
        return found
    if node.kind in _DISPLAYS and not node.named:
        around = node.parent
        return None if around is None or around.kind == "assignment" else _empty(node)
    found = display_of(node, read)
    mute = found is not None and found.type != "list" and _mute(found)
    return None if mute else found


def _empty(node: Node) -> Value | None:
    return display_of(node, read) if node.kind != "tuple" else None


def _mute(value: Value) -> bool:
    """Whether there is nothing in it to vary."""
    if value.type == CODE or value.items:
        return all(_mute(item) for item in value.items)
    return False


def _fixed(node: Node) -> bool:
    """Whether nothing in a node is an argument of the test."""
    match node.kind:
        case "expression_statement":
            return node.named[0].kind in {"string", "concatenated_string"}
        case "decorator" | "type" | "import_statement" | "import_from_statement":
            return True
        case "keyword_argument":
            name = node.child("name")
            return name is not None and name.text in _FIXED_NAMES
        case "argument_list":
            around = node.parent
            callee = around.child("function") if around is not None else None
            return callee is not None and bool(_FIXED_CALLS.search(callee.text))
        case "string":
            return any(child.kind == "interpolation" for child in node.named)
        case "none":
            return True
    return False


def _names_something(node: Node) -> bool:
    """Whether a literal is a key, a part of a path, an option or a query."""
    around = node.parent
    if around is not None and around.kind == "subscript":
        return around.child("value") != node
    if node.kind not in {"string", "concatenated_string"}:
        return False
    if around is not None and around.kind == "binary_operator":
        sign = around.child("operator")
        if sign is not None and sign.kind in {"/", "%"}:
            return True
    text = node.text.lstrip("rRbBuU'\"")
    return bool(_OPTION.match(text) or _SENTENCE.match(text) or _FILE.match(text))


# ------------------------------------------------------------------ what is expected


def _expected_sides(body: Node) -> Iterator[Node]:
    for node in walk(body):
        if node.kind == "assert_statement":
            yield from _of_condition(node.named[0])
            yield from node.named[1:]
        elif node.kind == "call":
            yield from _of_claim(node)


def _of_condition(node: Node) -> Iterator[Node]:
    if node.kind in {"parenthesized_expression", "boolean_operator", "not_operator"}:
        for child in node.named:
            yield from _of_condition(child)
    elif node.kind == "comparison_operator":
        yield from _unworked(node.named)


def _of_claim(call: Node) -> Iterator[Node]:
    callee, given = call.child("function"), call.child("arguments")
    if callee is None or given is None or not _CLAIM.match(callee.text):
        return
    plain = [node for node in given.named if node.kind != "keyword_argument"]
    if callee.text.endswith(("True", "False", "None")):
        yield from _of_condition(plain[0]) if plain else ()
    else:
        yield from _unworked(plain[:_SIDES])
    yield from plain[_SIDES:]


def _unworked(sides: Sequence[Node]) -> Iterator[Node]:
    """The sides in which the test calls nothing but makers of values."""
    work = [_works(side) for side in sides]
    plain = [
        not works and _plain(side) for side, works in zip(sides, work, strict=True)
    ]
    for side, works in zip(sides, work, strict=True):
        if not works or (_built(side) and not any(plain)):
            yield side


def _plain(side: Node) -> bool:
    return side.kind in _DISPLAYS or leaf_of(side) is not None


def _built(side: Node) -> bool:
    """Whether a side is a container or an object that is put together there."""
    callee = side.child("function") if side.kind == "call" else None
    name = callee.text.rpartition(".")[2] if callee is not None else ""
    return side.kind in _DISPLAYS or name[:1].isupper()


def _works(side: Node) -> bool:
    """Whether the code under test may be called in a side."""
    for node in walk(side):
        callee = node.child("function") if node.kind == "call" else None
        if callee is None:
            continue
        name = callee.text.rpartition(".")[2]
        if name != "approx" and leaf_of(node) is None:
            return True
    return False


def _only_expected(body: Node, expected: Sequence[Node]) -> frozenset[str]:
    """The names that nothing but expected sides uses."""
    spans = [(side.start, side.end) for side in expected]
    inside: set[str] = set()
    outside: set[str] = set()
    for node in walk(body):
        if node.kind != "identifier" or _binds(node) or _measured(node):
            continue
        there = any(start <= node.start and node.end <= end for start, end in spans)
        (inside if there else outside).add(node.text)
    return frozenset(inside - outside)


def _measured(node: Node) -> bool:
    """Whether only the length of an expectation is asked for."""
    call = node.parent.parent if node.parent is not None else None
    callee = call.child("function") if call is not None else None
    return callee is not None and callee.text == "len" and callee != node


def _binds(node: Node) -> bool:
    around = node.parent
    if around is None:
        return False
    if around.kind == "assignment":
        return around.child("left") == node
    return around.kind in {"attribute", "keyword_argument"} and node != (
        around.child("object") or around.child("value")
    )


# -------------------------------------------------------------------------- labels


def _bound_name(node: Node) -> str:
    around = node.parent
    if around is not None and around.kind == "assignment":
        left = around.child("left")
        if left is not None and left.kind == "identifier":
            return left.text
    return ""


def _label(node: Node) -> str:
    """The keyword, the variable or the call that a literal is for."""
    if bound := _bound_name(node):
        return bound
    around = node.parent
    if around is not None and around.kind == "keyword_argument":
        name = around.child("name")
        return name.text if name is not None else ""
    call = around.parent if around is not None else None
    callee = call.child("function") if call is not None else None
    return callee.text.rpartition(".")[2] if callee is not None else ""
