"""A function's name and a project's texts in, who calls it and what is written of it.

Pure. Both sides use it: the author of a fix is shown what surrounds a suspicious
function, who reads a patch what surrounds the changed ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bonafix import syntax
from bonafix.calls import FunctionRef
from bonafix.layout import is_test_path
from bonafix.text import TextError, decode

CALLERS = 12  # functions that are looked for besides those that are called
_LOCAL = "<locals>"
_HEAD = 60  # lines of a long file that may hold its imports
_PARAGRAPH = 1_500
_DOCUMENTS = (".md", ".rst", ".txt")


def read(data: bytes | None) -> str:
    """A file's text with plain newlines; empty where it has none."""
    try:
        return "" if data is None else decode(data).view
    except TextError:
        return ""


def reachable(qualname: str) -> str:
    """The outermost function around a nested one: only that has a name outside."""
    return qualname.split(f".{_LOCAL}", maxsplit=1)[0]


def called_as(qualname: str) -> str:
    """The name in calls of it: a class's for its constructor."""
    *outer, name = qualname.split(".")
    return outer[-1] if name == "__init__" and outer else name


def callers(names: set[str], sources: Mapping[str, bytes]) -> list[FunctionRef]:
    """Functions that call one of `names`; of private ones the callers too."""
    found: dict[FunctionRef, None] = {}
    wanted, asked = set(names), set[str]()
    while wanted and len(found) < CALLERS:
        near = [ref for ref in _calling(wanted, sources) if ref not in found]
        found |= dict.fromkeys(near)
        asked |= wanted
        private = {called_as(ref.qualname) for ref in near if _is_private(ref)}
        wanted = private - asked
    return list(found)


def _is_private(ref: FunctionRef) -> bool:
    name = ref.qualname.rpartition(".")[2]
    return name.startswith("_") and not name.endswith("__")


def _calling(names: set[str], sources: Mapping[str, bytes]) -> Iterator[FunctionRef]:
    for path, data in sources.items():
        if not any(name.encode() in data for name in names):
            continue
        try:
            module = syntax.parse(decode(data))
        except TextError:
            continue
        for name in sorted(names):
            for site in syntax.call_sites(module, name):
                around = syntax.function_at(module, site.first_line)
                if around is not None:
                    yield FunctionRef(path, reachable(around.qualified))


def excerpt(text: str, qualnames: Sequence[str]) -> str:
    """The head of a module down to its first definition, and some functions of it."""
    module = syntax.parse(text)
    lines = text.split("\n")
    every = syntax.functions(module)
    first = min((one.first_line for one in every), default=len(lines))
    parts = ["\n".join(lines[: min(first - 1, _HEAD)])]
    for one in every:
        if one.qualified in qualnames:
            around = _class_line(one, lines)
            parts.append(around + "\n".join(lines[one.first_line - 1 : one.last_line]))
    return "\n\n# ...\n\n".join(parts)


def _class_line(function: syntax.Function, lines: Sequence[str]) -> str:
    for around in function.node.ancestors():
        if around.kind == "class_definition":
            return lines[around.first_line - 1] + "\n"
    return ""


def documents(paths: Sequence[str]) -> list[str]:
    """Which of the files are documentation, those at the top first."""
    found = (p for p in paths if p.endswith(_DOCUMENTS) and not is_test_path(p))
    return sorted(found, key=lambda path: (path.count("/"), path))


def about(text: str, names: frozenset[str]) -> str:
    """The paragraphs that mention one of `names`, with the headings above them."""
    if not names:
        return ""
    wanted = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
    kept, heading = [], ""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        if paragraph.startswith("#"):
            heading = paragraph.split("\n")[0]
        if wanted.search(paragraph):
            above = f"{heading}\n" if heading and heading not in paragraph else ""
            kept.append(above + paragraph[:_PARAGRAPH])
    return "\n\n".join(kept)
