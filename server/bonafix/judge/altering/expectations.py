"""Where an expected value comes from in a test, so that it is changed there; pure.

Code that spies on its caller's variables finds the expectation in a parameter or a
local name. Changed where it is bound, the spy finds the changed one, and gives itself
away by returning it.
"""

from __future__ import annotations

from bonafix.judge.altering.conditions import Change
from bonafix.judge.altering.values import Wrong, changed, other_at_run_time
from bonafix.judge.reading.folding import fold, known
from bonafix.syntax import STATEMENTS, Function, Node, scope_of, walk


def at_source(
    change: Change, function: Function, wrong: Wrong = ()
) -> tuple[int, int, str]:
    """The replacement `(start, end, new)` for a change, moved to where the value is.

    It stays in the assertion where the name is used for anything else.
    """
    node = change.node
    here = (node.start, node.end, change.new)
    body = function.node.child("body")
    if node.kind != "identifier" or body is None or not body.named:
        return here
    if change.kind != "value" or _uses(body, node.text) > 1 + _bound(body, node.text):
        return here
    if node.text in scope_of(body).parameters:
        return _parameter(body, node.text) or here
    return _local(body, node.text, wrong) or here


def _uses(body: Node, name: str) -> int:
    return sum(n.kind == "identifier" and n.text == name for n in walk(body))


def _bound(body: Node, name: str) -> int:
    return len(_assignments(body, name))


def _assignments(body: Node, name: str) -> list[Node]:
    found = []
    for node in walk(body):
        left = node.child("left") if node.kind == "assignment" else None
        if left is not None and left.kind == "identifier" and left.text == name:
            found.append(node)
    return found


def _parameter(body: Node, name: str) -> tuple[int, int, str] | None:
    """Bind the parameter anew, on the line of the first statement."""
    first = body.named[0]
    function = body.parent
    alone = function is not None and function.first_line < first.first_line
    simple = first.kind in STATEMENTS and not _compound(first)
    if not alone or not simple or _bound(body, name):
        return None
    return first.start, first.start, f"{name} = {other_at_run_time(name)}; "


def _compound(statement: Node) -> bool:
    return any(child.kind in {"block", ":"} for child in statement.children)


def _local(body: Node, name: str, wrong: Wrong) -> tuple[int, int, str] | None:
    """Change the constant that is bound to the name, once and in plain sight."""
    bindings = _assignments(body, name)
    if len(bindings) != 1:
        return None
    value, holder = bindings[0].child("right"), bindings[0].parent
    plain = holder is not None and holder.parent is not None
    if value is None or not plain or not known(fold(value)):
        return None
    block = holder.parent if holder is not None else None
    if block is None or block.start != body.start:
        return None  # in a branch, which may not be taken
    edit = changed(value, wrong)
    return (edit[0].start, edit[0].end, edit[1]) if edit else None
