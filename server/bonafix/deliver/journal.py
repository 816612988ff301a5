"""A journal of trials: one JSON object a line, appended as they come, read to go on.

A line that was cut off by a kill is no trial, and the next one starts on a new line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bonafix.deliver.codec import CodecError, from_json, to_json
from bonafix.deliver.figures import Trial
from bonafix.errors import UsageError


def read(path: Path) -> tuple[Trial, ...]:
    """The trials in it, of each patch the last; none where there is no file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the journal {path}: {error}") from error
    found = [trial for line in lines if (trial := _trial(line))]
    return tuple({trial.specimen.id: trial for trial in found}.values())


def writer(path: Path) -> Callable[[Trial], None]:
    """What appends a trial; each is on disk before the next is judged.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        with path.open("ab+") as file:
            file.seek(max(0, file.tell() - 1))
            cut_off = file.read() not in {b"", b"\n"}
            if cut_off:
                file.write(b"\n")
    except OSError as error:
        raise UsageError(f"cannot write the journal {path}: {error}") from error

    def write(trial: Trial) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(to_json(trial)) + "\n")

    return write


def _trial(line: str) -> Trial | None:
    try:
        return from_json(Trial, json.loads(line))
    except (ValueError, CodecError):
        return None
