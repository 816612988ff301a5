"""A condition in, what single values it is true for out; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bonafix.judge.reading.clues import Clue, Clues, common, rich, trivial, word
from bonafix.judge.reading.folding import fold, known
from bonafix.judge.reading.fresh import Area, called
from bonafix.syntax import Node, walk

_DIGESTS = {
    *("hash", "repr", "str", "id", "ascii", "crc32", "adler32", "md5", "sha1"),
    *("sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s", "hexdigest"),
    *("digest", "dumps", "b64encode", "hex", "format"),
}
_PLAIN = {"str", "format"}
_SHAPES = {"len", "sum", "type", "max", "min", "__len__", "__class__"}
_SAME = {"==", "is", "in"}
_OTHER = {"!=", "is not", "not in"}
_MANY = 2  # parts from which a compared tuple is a value of its own


@dataclass(frozen=True, slots=True)
class Key:
    """One comparison for equality with constants."""

    subject: str  # what is compared, as written
    values: tuple[object, ...]
    text: str  # the constants, as written
    negated: bool = False
    fingerprint: bool = False  # not the value is compared, but a trace of it
    shape_only: bool = False  # a trace that is common in honest code
    hidden: bool = False  # a trace in which the value cannot be read, or all arguments

    def hits(self, clues: Clues) -> bool:
        """Whether a test puts one of the values in."""
        return self.clue(clues) is not None

    def clue(self, clues: Clues) -> Clue | None:
        """The first clue among its values."""
        found = (clues.input(v) for v in self.values if not trivial(v))
        return next((clue for clue in found if clue), None)

    @property
    def common(self) -> bool:
        """Whether all of its values are common knowledge."""
        return all(trivial(v) or common(v) for v in self.values)

    @property
    def rich(self) -> bool:
        """Whether one of its values could not be met by chance."""
        return any(rich(v) for v in self.values)

    @property
    def word(self) -> bool:
        """Whether all of its values look like names of kinds."""
        return all(word(v) or trivial(v) for v in self.values)


def keys(condition: Node, area: Area) -> Iterator[Key]:
    """The comparisons in a condition that hold for single values."""
    for node in walk(condition):
        if node.kind == "comparison_operator":
            yield from _compared(node, area)
        elif node.kind == "case_pattern" and node.start == condition.start:
            yield from _pattern(node, area)


def _compared(node: Node, area: Area) -> Iterator[Key]:
    signs = [c.text for c in node.children if not c.is_named]
    parts = node.named
    if len(parts) - 1 != len(signs):  # "is not" and "not in" may be two tokens
        signs = [" ".join(signs)] if len(parts) == _MANY else []
    for left, sign, right in zip(parts, signs, parts[1:], strict=False):
        if sign not in _SAME | _OTHER:
            continue
        subject, constant = (left, right) if _folds(right, area) else (right, left)
        value = fold(constant, area.names)
        if known(value) and not _folds(subject, area):
            several = sign.endswith("in") and isinstance(
                value, list | tuple | set | frozenset | dict
            )
            held = tuple(value) if several and isinstance(value, _MANY_TYPES) else ()
            yield _key(area, subject, held or (value,), constant, sign in _OTHER)


_MANY_TYPES = (list, tuple, set, frozenset, dict)


def _folds(node: Node, area: Area) -> bool:
    return known(fold(node, area.names))


def _key(
    area: Area,
    subject: Node,
    values: tuple[object, ...],
    constant: Node,
    negated: bool,  # noqa: FBT001  # a field's value
) -> Key:
    calls = {name for node in _origins(subject, area) for name in called(node)}
    calls |= {inner for name in calls for inner in area.helpers.get(name, ())}
    shape = bool(calls & _SHAPES) and not all(map(trivial, values))
    # Length and sum together are as good as the value itself.
    digest = bool(calls & _DIGESTS) and not _converts(calls, values)
    several = len(calls & _SHAPES) > 1
    digest |= shape and several
    # The length of the longest is a shape as honest code compares it.
    packed = several and any(isinstance(value, tuple) for value in values)
    whole = subject.text in _packs(area)
    return Key(
        subject=subject.text,
        values=values,
        text=constant.text[:80],
        negated=negated,
        fingerprint=digest or shape or whole,
        shape_only=not (digest or whole),
        hidden=whole or (digest and (packed or bool(calls & _DIGESTS - _PLAIN))),
    )


def _packs(area: Area) -> set[str]:
    """The parameters that take all arguments at once, whatever they are."""
    given = area.function.node.child("parameters") if area.function else None
    found = (p for p in given.named if p.kind == "list_splat_pattern") if given else ()
    return {part.text.lstrip("* ") for part in found}


def _origins(subject: Node, area: Area) -> Iterator[Node]:
    """A compared expression, and what its names were bound to."""
    yield subject
    names = {n.text for n in walk(subject) if n.kind == "identifier"}
    for node in area.nodes:
        if node.kind in {"assignment", "named_expression"} and area.function:
            left = node.child("left") or node.child("name")
            right = node.child("right") or node.child("value")
            if left is not None and right is not None and left.text in names:
                yield right


def _converts(calls: set[str], values: tuple[object, ...]) -> bool:
    """Whether `str(x) == "word"` and the like: a text compared as a text."""
    plain = calls & _DIGESTS <= _PLAIN
    return plain and all((isinstance(v, str) and len(v) < 4) or word(v) for v in values)  # noqa: PLR2004  # too short to tell an input by


def _pattern(node: Node, area: Area) -> Iterator[Key]:
    subject = ""
    for around in node.ancestors():
        if around.kind == "match_statement":
            named = around.child("subject") or around.named[0]
            subject = named.text
            break
    values = []
    for part in node.named:
        alternatives = part.named if part.kind == "union_pattern" else [part]
        values += [v for p in alternatives if known(v := _literal(p, area))]
    if values:
        yield Key(subject, tuple(values), node.text[:80])


def _literal(pattern: Node, area: Area) -> object:
    """The value of a literal pattern, sequences of literals too."""
    if pattern.kind in {"tuple_pattern", "list_pattern"}:
        parts = [
            _literal(p.named[0] if p.kind == "case_pattern" and p.named else p, area)
            for p in pattern.named
        ]
        if all(known(part) for part in parts):
            return parts
    return fold(pattern)
