"""What the embedded search engine delivers: the whole of `bonafix fix`, bug by bug.

Usage: python benchmarks/search_report.py DATA=bugs.jsonl [LIMIT=n] [JOBS=1]
       [HALF=tuning|untouched|both] [JOURNAL=file.jsonl] [ONLY=task] [SHOW=yes]
       [TIMEOUT=300] [INTERPRETER=python]

DATA is as `small_bugs.py` says. Each bug becomes a project, its assertions a test each,
and `bonafix fix --engine search` is run on it as a user runs it. "Right" is equal to
the right version on up to 1,000 inputs from `generator.py`. A bug belongs to a half by
the digest of its name: templates and priors are tuned on one half alone. What is not
fixed is looked for among the single edits (SPACE of them), then by the whole engine
with pairs and what values suggest, for as long as it takes to try THOROUGH candidates
at ten a second. With a JOURNAL results are appended as they come, and what is there is
not run again; its rows hold names and numbers only.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from search_rows import DELIVERED, Options, Row, Sought, keep, known, report, tell
from search_space import Bug, engine_right, first_right
from search_space import read as read_bug
from versions import compared

from bonafix import diffs

PRODUCT, TESTS = "solution.py", "test_solution.py"
GRACE = 60.0  # seconds beyond the time-outs, for the baseline
MOST = 4  # causes of one bug, each with a time-out of its own


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    journal = Path(options["JOURNAL"]) if options.get("JOURNAL") else None
    lines = Path(options["DATA"]).read_text("utf-8").splitlines()
    chosen = list(wanted([json.loads(line) for line in lines], options))
    names = {record["task_id"] for record in chosen}
    rows = [row for row in known(journal) if row.bug in names]
    done = {row.bug for row in rows}
    left = [record for record in chosen if record["task_id"] not in done]
    jobs = int(options.get("JOBS", "1"))
    context = multiprocessing.get_context("spawn")  # the work itself forks
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for row in pool.map(functools.partial(row_of, options=options), left):
            rows.append(row)
            keep(journal, row)
            tell(row, options)
    report(rows)


def wanted(records: Sequence[dict], options: Options) -> Iterator[dict]:
    which, only = options.get("HALF", "both"), options.get("ONLY", "")
    found = (
        record
        for record in records
        if which in {"both", half(record["task_id"])}
        if not only or record["task_id"] in only.split(",")
    )
    yield from list(found)[: int(options.get("LIMIT", "1000000"))]


def half(name: str) -> str:
    """`tuning` or `untouched`, by the name's digest."""
    odd = hashlib.sha256(name.encode()).digest()[-1] % 2
    return "untouched" if odd else "tuning"


# ------------------------------------------------------------------------- one bug


def row_of(record: dict, options: Options) -> Row:
    bug = read_bug(record)
    right = record["declaration"] + record["canonical_solution"]
    with tempfile.TemporaryDirectory(prefix="bug-") as folder:
        root = Path(folder, "project")
        write(root, bug)
        began = time.monotonic()
        document, title = fixed(root, Path(folder), options)
        seconds = time.monotonic() - began
        last = delivered(document)
        after = patched(root, last["patch"]) if last else ""
    found = compared(right, after, bug.tests, bug.entry, bug.name) if after else None
    good = bool(found and found.equal)
    place = Sought(rank=None, space=0) if good else sought(bug, right, options)
    return Row(
        bug=bug.name,
        half=half(bug.name),
        verdict=last["verdict"] if last else ending(document),
        right=good,
        inputs=found.inputs if found else 0,
        different=found.different if found else 0,
        seconds=round(seconds, 2),
        tests=len(bug.tests),
        template=title if last else "",
        rank=place.rank,
        space=place.space,
        by=place.by,
        load=round(os.getloadavg()[0], 1),
    )


def write(root: Path, bug: Bug) -> None:
    """The project: a module, and each of its assertions as a test."""
    root.mkdir()
    (root / PRODUCT).write_text(bug.source, "utf-8")
    names = ", ".join(top_level(bug.source))
    text = f"from solution import {names}\n"
    for number, test in enumerate(bug.tests):
        body = textwrap.indent(test, "    ")
        text += f"\n\ndef test_{number}():\n{body}\n"
    (root / TESTS).write_text(text, "utf-8")


def top_level(source: str) -> list[str]:
    functions = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
    return [n.name for n in ast.parse(source).body if isinstance(n, functions)]


def fixed(
    root: Path, folder: Path, options: Options, tests: Sequence[str] = ()
) -> tuple[dict, str]:
    """The document of `bonafix fix`, and the template of the last survivor."""
    wish, python = options.get("TIMEOUT", "300"), options.get("INTERPRETER", "")
    told = folder / "told.json"
    command = [sys.executable, "-m", "bonafix", "fix", str(root), "--json", str(told)]
    command += ["--engine", "search", "--timeout", wish]
    where = str(Path(python).absolute()) if python else sys.executable
    command += ["--interpreter", where, "--no-review"]
    command += [word for test in tests for word in ("--test", test)]
    done = subprocess.run(
        command,
        env={**os.environ, "BONAFIX_STATE_DIR": str(folder / "state")},
        capture_output=True,
        text=True,
        timeout=float(wish) * MOST + GRACE,
        check=False,
    )
    if not told.exists():
        return {"repairs": [], "error": {"kind": f"exit {done.returncode}"}}, ""
    return json.loads(told.read_text("utf-8")), template_of(done.stderr)


def template_of(story: str) -> str:
    """The name of the template whose patch survived, out of what was shown."""
    found = templates_of(story)
    return found[-1] if found else ""


def templates_of(story: str) -> list[str]:
    return re.findall(r"\b([a-z]+(?:-[a-z]+)*) at [\w./-]+\.py:\d+", story)


def delivered(document: dict) -> dict | None:
    """The last repair that has a patch which is handed over.

    Where there are several causes that is their sum, or the only one that was fixed.
    """
    found = [r for r in document["repairs"] if r["verdict"] in DELIVERED and r["patch"]]
    return found[-1] if found else None


def ending(document: dict) -> str:
    if document["repairs"]:
        return document["repairs"][-1]["verdict"]
    return (document["error"] or {}).get("kind", "nothing fails")


def patched(root: Path, patch: str) -> str:
    after = patched_files(root, patch).get(PRODUCT)
    return after.decode() if after else ""


def patched_files(root: Path, patch: str) -> dict[str, bytes | None]:
    """The files that a unified diff changes, as it leaves them."""

    def read(path: str) -> bytes | None:
        file = root / path
        return file.read_bytes() if file.is_file() else None

    changes = diffs.parse(patch.encode("utf-8", "surrogateescape"), read).changes
    return {change.path: change.after for change in changes}


def sought(bug: Bug, right: str, options: Options) -> Sought:
    """Where the right version is: among single edits, else in the whole engine."""

    def equal(text: str) -> bool:
        return compared(right, text, bug.tests, bug.entry, bug.name).equal

    rank, space, title = first_right(bug, int(options.get("SPACE", "3000")), equal)
    if rank:
        return Sought(rank=rank, space=space, by=template_of(title))
    most = int(options.get("THOROUGH", "400"))
    rank, tried, passed = engine_right(bug, most, equal)
    by = " and ".join(templates_of(passed[-1])) if rank else ""
    return Sought(rank=rank, space=space + tried, by=by)


if __name__ == "__main__":
    main()
