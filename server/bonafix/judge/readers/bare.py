"""A Python text in, the same without what only speaks to readers out; pure.

Comments go, and strings that are statements of their own: doc strings above all. What
is left is what the interpreter acts on, on the same lines as before.
"""

from __future__ import annotations

from bonafix.domain import Change, Patch
from bonafix.syntax import Node, parse, walk
from bonafix.text import TextError, apply_edits, decode

_STRINGS = {"string", "concatenated_string"}


def bare(text: str) -> str:
    """The text without comments and doc strings; line numbers stay."""
    cuts: list[tuple[int, int, str]] = []
    for node in walk(parse(text).root):
        if cuts and node.start < cuts[-1][1]:
            continue  # a part of what is cut already
        if node.kind == "comment":
            cuts.append((node.start, node.end, ""))
        elif _unheard(node):
            cuts.append((node.start, node.end, "..." + "\n" * node.text.count("\n")))
    return "\n".join(line.rstrip() for line in apply_edits(text, cuts).split("\n"))


def _unheard(node: Node) -> bool:
    alone = node.kind == "expression_statement" and len(node.named) == 1
    return alone and node.named[0].kind in _STRINGS and not _formatted(node)


def _formatted(node: Node) -> bool:
    """An f-string computes something, even where nobody takes its value."""
    return any(inner.kind == "interpolation" for inner in walk(node))


def bare_patch(patch: Patch) -> Patch:
    """The same patch between the bare versions of its Python files."""
    return Patch(tuple(_bare_change(change) for change in patch.changes))


def _bare_change(change: Change) -> Change:
    if not change.path.endswith(".py"):
        return change
    return Change(change.path, _bare_bytes(change.before), _bare_bytes(change.after))


def _bare_bytes(data: bytes | None) -> bytes | None:
    if data is None:
        return None
    try:
        text = decode(data).view
    except TextError:
        return data  # the policy stage has refused what cannot be read
    return bare(text).encode("utf-8", "surrogatepass")
