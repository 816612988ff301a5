"""A finding in, the line at fault and a command that shows it out; pure.

The commands are for the user's own shell, in the project's root; those of a patch want
it applied there. Where nothing shorter shows a finding there is none, and the report
names the receipt to judge again from.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from bonafix import syntax
from bonafix.calls import Call, FunctionRef
from bonafix.domain import Change, Evidence, Patch, Place
from bonafix.judge.suspicion.plain import NOT_PLAIN, plain
from bonafix.text import TextError, decode

IDS = 3  # node ids in one command
_LONG = 600  # characters of a command that a person would still paste


def completed(record: Evidence, patch: Patch, targets: Sequence[str]) -> Evidence:
    """A refusal or a doubt with its line and its command, as far as they are known.

    Stages that speak of one function say in `facts["concerns"]` which, and how to
    call it; see `concerns`.
    """
    if record.refusal is None and not record.doubt:
        return record
    return replace(
        record,
        place=_place(record, patch),
        reproduce=record.reproduce or _command(record, targets),
    )


def concerns(function: FunctionRef, call: Call | None = None) -> dict[str, str]:
    """What a stage notes of the function that its finding is about."""
    command = call_command(call) if call is not None else ""
    return {
        "path": function.path,
        "function": function.qualname,
        "command": command,
    }


# ------------------------------------------------------------------------- the line


def _place(record: Evidence, patch: Patch) -> Place | None:
    about = _about(record)
    if not about:
        return record.place
    ref = FunctionRef(about.get("path", ""), about.get("function", ""))
    return changed_place(patch, ref) or record.place


def _about(record: Evidence) -> Mapping[str, str]:
    found = record.facts.get("concerns")
    return found if isinstance(found, dict) else {}


def changed_place(patch: Patch, function: FunctionRef) -> Place | None:
    """The first line that the patch changes in a function.

    Where it changes none there (a caller of what it changes), the first in that
    file, else in any.
    """
    changes = sorted(patch.changes, key=lambda one: one.path != function.path)
    for change in changes:
        lines = changed_lines(change)
        span = _span(change, function.qualname) if change.path == function.path else ()
        inside = [line for line in lines if line in span]
        if inside or lines:
            return Place(change.path, (inside or lines)[0])
    return None


def changed_lines(change: Change) -> list[int]:
    """The lines of the new text that differ from the old one; 1-based.

    Where lines were only taken out, the one that follows them stands for them.
    """
    old, new = (_lines(data) for data in (change.before, change.after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found: list[int] = []
    for tag, _, _, first, end in matcher.get_opcodes():
        if tag != "equal":
            found += range(first + 1, max(end, first + 1) + 1)
    most = max(len(new), 1)
    return list(dict.fromkeys(min(line, most) for line in found))


def _lines(data: bytes | None) -> list[str]:
    try:
        return decode(data or b"").view.splitlines()
    except TextError:
        return (data or b"").decode("latin-1").splitlines()


def _span(change: Change, qualname: str) -> range:
    """The lines of a function in the new text."""
    try:
        module = syntax.parse(decode(change.after or b""))
    except TextError:
        return range(0)
    for one in syntax.functions(module):
        if one.qualified == qualname:
            return range(one.first_line, one.last_line + 1)
    return range(0)


# ---------------------------------------------------------------------- the command


def _command(record: Evidence, targets: Sequence[str]) -> str:
    if command := _about(record).get("command"):
        return command
    if record.stage == "target":
        return pytest_command(targets)
    lost = record.facts.get("lost")
    if record.stage == "suite" and isinstance(lost, list):
        return pytest_command([str(node_id) for node_id in lost])
    return ""


def pytest_command(ids: Sequence[str]) -> str:
    """Run some tests; empty for none."""
    few = " ".join(shlex.quote(node_id) for node_id in ids[:IDS])
    return f"python -m pytest {few}" if few else ""


def call_command(call: Call) -> str:
    """Make a call and print what it gives; empty where its arguments are no literals.

    Only functions at the top of a module: a method's receiver has no literal.
    """
    name = call.function.qualname
    values = [*call.args, *(value for _, value in call.kwargs)]
    if not name.isidentifier() or any(plain(value) is NOT_PLAIN for value in values):
        return ""
    parts = [repr(plain(value)) for value in call.args]
    parts += [f"{key}={plain(value)!r}" for key, value in call.kwargs]
    code = f"from {call.module} import {name}; print(repr({name}({', '.join(parts)})))"
    command = f"{_search_path(call)}python -c {shlex.quote(code)}"
    return command if len(command) <= _LONG else ""


def _search_path(call: Call) -> str:
    """What lets the interpreter find the module from the root, where `.` does not."""
    depth = call.module.count(".") + 1
    path = PurePosixPath(call.function.path)
    steps = depth + (path.name == "__init__.py")
    root = str(path.parents[steps - 1]) if len(path.parents) >= steps else "."
    return "" if root == "." else f"PYTHONPATH={shlex.quote(root)} "


def flip_command(path: str, change: tuple[int, int, str], node_id: str) -> str:
    """Run a copy of a test that has another text in `[start, end)`; then remove it."""
    start, end, new = change
    copied = str(PurePosixPath(path).with_name(f"{_prefixed(path)}.py"))
    code = (
        f"text = open({path!r}, newline='').read(); "
        f"open({copied!r}, 'w', newline='').write("
        f"text[:{start}] + {new!r} + text[{end}:])"
    )
    test = shlex.quote(node_id.replace(path, copied, 1))
    command = (
        f"python -c {shlex.quote(code)}; python -m pytest {test}; "
        f"rm {shlex.quote(copied)}"
    )
    return command if len(command) <= _LONG and path in node_id else ""


def _prefixed(path: str) -> str:
    return f"test_changed_{PurePosixPath(path).stem}"
