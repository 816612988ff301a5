"""Decisions without a condition, each written without what decides; pure.

Arithmetic can hide a case as well as a branch: a power of zero, a remainder, a number
of repetitions, a text that sorts like a number up to some length. Where all tests pass
with the plain spelling too, no test asks for the other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bonafix.judge.reading.folding import fold, known
from bonafix.judge.reading.fresh import Area, spoken
from bonafix.syntax import Node, walk

Edit = tuple[int, int, str]
Spelling = tuple[Node, Edit, bool]  # and whether an input must show what it changes

_OPERATORS = {"*", "//", "%", "**", "&", ">>"}
_TEXTS = {"string", "concatenated_string", "list", "tuple"}
_BOTH = 2
_BOUNDS = re.compile(r"\{(\d*),(\d+)\}")
_AS_TEXT = {"str", "repr", "format", "bin", "hex", "oct", "ascii"}
_PLAIN_LOOPS = {"range", "count", "repeat"}
_REGISTER = re.compile(r"@\s*([\w.]+)\.register\b")
_ONE_OF_ITS_KIND = re.compile(r"None|True|False|\.\.\.|type\(.*|_*[A-Z]\w*")
_MANY = 2  # repetitions from which a bound is one


def spellings(area: Area) -> Iterator[Spelling]:
    """What is new and may decide, with the text that does not."""
    for node in area.new("binary_operator", "augmented_assignment"):
        yield from _arithmetic(node, area)
    for node in area.new("call"):
        yield from _divided(node)
        yield from _keys(node)
    for node in area.new("string"):
        yield from _texts(node)
    for node in area.new("for_statement"):
        yield from _repeated(node)
    for node in area.new("decorator"):
        yield from _registered(node)
    for node in area.new("comparison_operator"):
        yield from _identity(node)


def _arithmetic(node: Node, area: Area) -> Iterator[Spelling]:
    """Each operand alone; one bit is told from the others where guards are."""
    left, right = node.child("left"), node.child("right")
    sign = node.child("operator")
    if left is None or right is None or sign is None:
        return
    operator = sign.text.removesuffix("=")
    plain = left.kind in _TEXTS or known(fold(node, area.names))
    if operator not in _OPERATORS or plain or (operator, right.text) == ("%", "2"):
        return
    if node.kind == "augmented_assignment":
        yield node, (node.start, node.end, left.text), False
        return
    sides = [left.text, right.text, *(["1"] if operator == "**" else [])]
    for side in sides:
        yield node, (node.start, node.end, f"({side})"), False


def _divided(call: Node) -> Iterator[Spelling]:
    """`divmod(a, b)` as if `a` were always the smaller one."""
    name, given = _called(call)
    if name == "divmod" and len(given) == _BOTH:
        yield call, (call.start, call.end, f"(0, {given[0].text})"), False


def _keys(call: Node) -> Iterator[Spelling]:
    """A text made for comparing, as the thing that it was made from."""
    name, given = _called(call)
    if name not in _AS_TEXT or not given:
        return
    around = (n.child("name") for n in call.ancestors() if n.kind == "keyword_argument")
    if any(label is not None and label.text == "key" for label in around):
        yield call, (call.start, call.end, f"({given[0].text})"), False


def _called(call: Node) -> tuple[str, list[Node]]:
    function, given = call.child("function"), call.child("arguments")
    plain = given is not None and given.kind == "argument_list"
    if function is None or given is None or not plain:
        return "", []
    return function.text, given.named


def _texts(node: Node) -> Iterator[Spelling]:
    """A text of one value alone as that value; bounds of a pattern without an end."""
    inner = [n for n in node.named if n.kind == "interpolation"]
    rest = [n for n in node.named if n.kind == "string_content"]
    if len(inner) == 1 and not rest and not spoken(node):
        value = inner[0].named[0]
        yield node, (node.start, node.end, f"({value.text})"), False
    for found in _BOUNDS.finditer(node.text) if not inner else ():
        if int(found[2]) >= _MANY and found[1] != found[2]:
            at, end = node.start + found.start(), node.start + found.end()
            # `{1,2}` is how digits are told; what skips some is not.
            yield node, (at, end, f"{{{found[1]},}}"), found[1] not in {"", "0"}


def _repeated(loop: Node) -> Iterator[Spelling]:
    """A loop that only counts, twice as often."""
    left, right, body = loop.child("left"), loop.child("right"), loop.child("body")
    if left is None or right is None or body is None or left.kind != "identifier":
        return
    function = right.child("function") if right.kind == "call" else None
    used = any(n.kind == "identifier" and n.text == left.text for n in walk(body))
    if not used and (function is None or function.text not in _PLAIN_LOOPS):
        twice = f"[*({right.text}), *({right.text})]"
        yield loop, (right.start, right.end, twice), False


def _registered(node: Node) -> Iterator[Spelling]:
    """What is done for one type, done for all that have nothing of their own."""
    if found := _REGISTER.match(node.text):
        yield node, (node.start, node.end, f"@{found[1]}.register(object)"), False


def _identity(node: Node) -> Iterator[Spelling]:
    """The same object as an equal one, where there may be several.

    What is taken out of a container is compared by its value, mostly.
    """
    signs = [n for n in node.children if not n.is_named]
    sides = node.named
    words = " ".join(n.text for n in signs)
    if len(sides) != _BOTH or words not in {"is", "is not"}:
        return
    if not any(_ONE_OF_ITS_KIND.fullmatch(side.text) for side in sides):
        equal = "==" if words == "is" else "!="
        shown = not any(n.kind == "subscript" for n in walk(node))
        yield node, (sides[0].end, sides[1].start, f" {equal} "), shown
