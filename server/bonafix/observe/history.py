"""The lines that the last change in version control touched: a hint, no more.

What is not committed yet counts as the last change, else the last commit. Git is only
asked for objects (trees and blobs): that reads no index, so no filter, hook, monitor or
external program that a hostile repository may name is run, and nothing is written.
Without git, a repository, or an answer in time there is no hint.
"""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bonafix.observe.ask import ask

SECONDS = 2.0  # for all questions together
_FILES = 12  # changed files of which the lines are told
_LARGE = 400_000  # bytes of a file that is compared
_SAFE = (
    *("--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never"),
)
_ALONE = {  # besides the search path, all that git is told
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "LC_ALL": "C",
}

Blobs = Mapping[str, str]  # path relative to the root -> the name of its object
Changed = Mapping[str, frozenset[int]]  # path -> lines as they are now


async def last_change(root: Path, sources: Mapping[str, bytes]) -> Changed:
    """Per changed Python file of `sources` the lines that are new, or next to a gap.

    Files that were never committed are left out: most of them are made by tools.
    """
    git = shutil.which("git")
    files = {p: d for p, d in sources.items() if p.endswith(".py") and len(d) <= _LARGE}
    if git is None or not files:
        return {}
    try:
        async with asyncio.timeout(SECONDS):
            return await _changed(git, root, files)
    except TimeoutError:
        return {}


async def _changed(git: str, root: Path, files: Mapping[str, bytes]) -> Changed:
    head = tree(await _told(git, root, "ls-tree", "-r", "-z", "HEAD"))
    if not head:
        return {}
    before = {
        path: head[path]
        for path, data in files.items()
        if path in head and not named(data, head[path])
    }
    if not before:
        options = ("-r", "-z", "--no-renames", "--no-commit-id", "--relative")
        told = await _told(git, root, "diff-tree", *options, "HEAD~1", "HEAD")
        before = {path: old for path, old in replaced(told).items() if path in files}
    found: dict[str, frozenset[int]] = {}
    for path in sorted(before)[:_FILES]:
        old = await _told(git, root, "cat-file", "blob", before[path])
        found[path] = fresh(old, files[path].decode("utf-8", "replace"))
    return {path: lines for path, lines in found.items() if lines}


async def _told(git: str, root: Path, command: str, *words: str) -> str:
    """What git prints; nothing where it has nothing to say."""
    if command == "cat-file" and not words[-1].strip("0"):
        return ""  # there was no such file
    env = {**_ALONE, "PATH": os.environ.get("PATH", os.defpath)}
    argv = [git, *_SAFE, command, *words]
    return (await ask(argv, cwd=root, env=env, seconds=SECONDS)).text


# ------------------------------------------------------------------------------ pure


def tree(told: str) -> Blobs:
    """`git ls-tree -r -z`: mode, kind and object, a tab, the path."""
    found: dict[str, str] = {}
    for entry in told.split("\0"):
        facts, _, path = entry.partition("\t")
        words = facts.split()
        if path and len(words) > 2 and words[1] == "blob":  # noqa: PLR2004 - the format
            found[path] = words[2]
    return found


def replaced(told: str) -> Blobs:
    """`git diff-tree -r -z`: two modes, two objects and a letter, then the path."""
    entries = told.split("\0")
    pairs = zip(entries[::2], entries[1::2], strict=False)
    return {
        path: facts.split()[2]
        for facts, path in pairs
        if facts.startswith(":") and len(facts.split()) > 4  # noqa: PLR2004 - the format
    }


def named(data: bytes, name: str) -> bool:
    """Whether `name` is the object of that content, in either way to end lines."""
    make = hashlib.sha256 if len(name) > 40 else hashlib.sha1  # noqa: PLR2004 - git's
    texts = (data, data.replace(b"\r\n", b"\n"))
    return any(
        make(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest() == name
        for text in texts
    )


def fresh(old: str, new: str) -> frozenset[int]:
    """The lines of `new` that `old` lacks, and those around what was taken out."""
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    found: set[int] = set()
    for kind, _, _, start, end in matcher.get_opcodes():
        if kind == "delete":
            found |= {start, start + 1} & set(range(1, len(after) + 1))
        elif kind != "equal":
            found |= set(range(start + 1, end + 1))
    return frozenset(found)
