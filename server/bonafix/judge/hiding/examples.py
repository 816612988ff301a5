"""Executable examples (`>>>`) in documentation and docstrings, found in texts; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from bonafix.domain import Layout
from bonafix.judge.reading.folding import fold
from bonafix.syntax import parse, walk
from bonafix.text import TextError, decode

MOST = 40  # examples that are run for one patch
_DOCUMENTS = (".md", ".rst", ".txt")
_FOLDERS = {"docs", "doc", "documentation"}
_PROMPT = re.compile(r"([ \t]*)>>>(?: (.*))?$")
_FENCE = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Example:
    """One statement of an example with what it prints; `line` is the prompt's."""

    path: str
    line: int
    last_line: int
    source: str
    want: str
    group: str  # examples of one group see each other's names
    module: str = ""  # whose docstring it is in, as it is imported


def is_document(path: str) -> bool:
    """Whether a file is documentation by its name and place."""
    *folders, name = path.split("/")
    plain = name.lower()
    if not plain.endswith(_DOCUMENTS):
        return False
    return plain.startswith("readme") or bool(_FOLDERS & set(folders[:1]))


def in_documents(
    sources: Mapping[str, bytes], names: Collection[str], layout: Layout
) -> tuple[Example, ...]:
    """The examples of documentation files that mention one of `names`.

    Files that tests read are left out: the tests speak for them.
    """
    found: list[Example] = []
    for path, text in _mentioning(sources, names):
        if is_document(path) and path not in layout.opened:
            found += examples(text, path)
    return tuple(found)


def in_docstrings(
    sources: Mapping[str, bytes], names: Collection[str], layout: Layout
) -> tuple[Example, ...]:
    """The examples in docstrings of product modules that mention one of `names`."""
    found: list[Example] = []
    for path, text in _mentioning(sources, names):
        module = _dotted(path, layout)
        if module and path not in layout.tests and ">>>" in text:
            for docstring, line in _docstrings(text):
                group = f"{path}:{line}"
                made = examples(docstring, path, group=group, module=module)
                found += [_moved(example, line - 1) for example in made]
    return tuple(found)


def examples(
    text: str, path: str, *, group: str = "", module: str = ""
) -> list[Example]:
    """All examples of a text, as the standard library's doctest reads them.

    Unlike there, the end of a fenced block ends what is expected.
    """
    lines = text.split("\n")
    found: list[Example] = []
    at = 0
    while at < len(lines):
        prompt = _PROMPT.match(lines[at])
        if prompt is None:
            at += 1
            continue
        indent, first = prompt[1], at
        source = [prompt[2] or ""]
        at += 1
        while at < len(lines) and _continues(lines[at], indent):
            source.append(lines[at][len(indent) + 4 :])
            at += 1
        want: list[str] = []
        while at < len(lines) and _expected(lines[at]):
            want.append(lines[at].removeprefix(indent))
            at += 1
        body = "".join(f"{line}\n" for line in want)
        code = "\n".join(source) + "\n"
        found.append(Example(path, first + 1, at, code, body, group or path, module))
    return found


def _continues(line: str, indent: str) -> bool:
    bare = line.removeprefix(indent)
    return bare == "..." or bare.startswith("... ")


def _expected(line: str) -> bool:
    bare = line.strip()
    return bool(bare) and not bare.startswith((">>>", *_FENCE))


def _moved(example: Example, by: int) -> Example:
    return replace(example, line=example.line + by, last_line=example.last_line + by)


def _mentioning(
    sources: Mapping[str, bytes], names: Collection[str]
) -> Iterator[tuple[str, str]]:
    if not names:
        return
    word = re.compile(r"\b(" + "|".join(map(re.escape, sorted(names))) + r")\b")
    for path, data in sorted(sources.items()):
        if b">>>" not in data:
            continue
        try:
            text = decode(data).view
        except TextError:
            continue
        if word.search(text):
            yield path, text


def _dotted(path: str, layout: Layout) -> str:
    """The name under which a product module is imported; empty for others."""
    if not path.endswith(".py"):
        return ""
    roots = [r for r in layout.package_roots if _below(path, r)]
    if not roots:
        return ""
    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
    if parts[0] in {"src", "lib"}:
        parts = parts[1:]
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _below(path: str, root: str) -> bool:
    return root in {"", "."} or path == root or path.startswith(root + "/")


def _docstrings(text: str) -> Iterator[tuple[str, int]]:
    """The docstrings with examples in them, each with its first line's number."""
    module = parse(text)
    bodies = [module.root, *(n for n in walk(module.root) if n.kind == "block")]
    for body in bodies:
        first = body.named[0] if body.named else None
        string = first.named[0] if first is not None and first.named else None
        if string is not None and string.kind == "string" and ">>>" in string.text:
            value = fold(string)
            # With a line continued or an escape the lines would not be the file's.
            if isinstance(value, str) and value.count("\n") == string.text.count("\n"):
                yield value, string.first_line
