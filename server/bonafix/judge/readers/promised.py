"""A call in, what the project's own documentation shows it to print out; pure."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Mapping

from bonafix.judge.readers.counterexample import Runnable
from bonafix.layout import is_test_path
from bonafix.surroundings import read

_DOCUMENTS = (".md", ".rst", ".txt")
# A prompt with the lines that follow it, down to an empty one.
_BLOCK = re.compile(r"^[ \t]*>>> .*(?:\n(?![ \t]*(?:\n|$)).*)*", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~|\"\"\"|''').*$", re.MULTILINE)


def promised(found: Runnable, sources: Mapping[str, bytes]) -> str | None:
    """The output that an example with the very same call is shown to have."""
    wanted = _shape(found.tree)
    for path in sorted(sources):
        beside = path.endswith(_DOCUMENTS) and not is_test_path(path)
        if b">>>" not in sources[path] or not (beside or path == found.path):
            continue
        for example in _examples(read(sources[path])):
            if example.exc_msg is None and _tree(example.source) == wanted:
                return example.want.strip() or None
    return None


def _examples(text: str) -> Iterator[doctest.Example]:
    for block in _BLOCK.findall(text):
        # One block at a time: what is laid out badly must not hide the others.
        try:
            yield from doctest.DocTestParser().get_examples(_FENCE.sub("", block))
        except ValueError:
            continue


def _tree(source: str) -> str:
    try:
        return _shape(ast.parse(source.strip(), mode="eval"))
    except (SyntaxError, ValueError, RecursionError):
        return ""


def _shape(tree: ast.Expression) -> str:
    """The expression, a module's name before the function left out."""
    body = tree.body
    if isinstance(body, ast.Call) and isinstance(body.func, ast.Attribute):
        owner = body.func.value
        if isinstance(owner, ast.Name | ast.Attribute):
            parts = [ast.dump(part) for part in (*body.args, *body.keywords)]
            return f"{body.func.attr} {parts}"
    if isinstance(body, ast.Call) and isinstance(body.func, ast.Name):
        parts = [ast.dump(part) for part in (*body.args, *body.keywords)]
        return f"{body.func.id} {parts}"
    return ast.dump(body)
