"""`bonafix selftest`: the zoo through the gate, and what became of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from bonafix import zoo
from bonafix.cli.streams import Ending, listening, streams_of
from bonafix.config import Config, load
from bonafix.deliver import exits, journal, scores
from bonafix.deliver.figures import Trial, failed, missed, wrongly_refused
from bonafix.errors import UsageError
from bonafix.selftest import Asked, heard, trials

# How tests run is the user's affair; what a fix may touch is that of the gate as it
# was shipped, so nothing else is taken over.
_RUNNING = (
    *("interpreter", "confine", "suite_timeout", "test_timeout", "memory"),
    "environment",
)
_JOBS = 4  # at most, unless the user wants more


async def selftest(arguments: argparse.Namespace) -> Ending:
    """Send labelled patches through the gate; say what it caught and what not."""
    streams = streams_of(arguments)
    chosen = _chosen(arguments, zoo.folder())
    asked = Asked(
        config=_config(arguments),
        jobs=_jobs(arguments.jobs),
        without_taint=arguments.full,
    )
    known = _known(arguments.journal, asked)
    keep = journal.writer(arguments.journal) if arguments.journal else None
    ids = [specimen.id for one in chosen for specimen in one.specimens]
    found = [known[name] for name in ids if name in known]
    rest = zoo.only(chosen, frozenset(ids) - known.keys())
    with listening(streams) as listen:
        async with aclosing(trials(rest, asked, listen)) as source:
            async for trial in source:
                found.append(trial)
                if keep:
                    keep(trial)
                for event in heard(trial, len(found), len(ids)):
                    listen(event)
    found.sort(key=lambda trial: trial.specimen.id)
    full = arguments.full or streams.verbose
    streams.result(scores.score_lines(found, streams.shown.marks, full=full))
    return Ending(_code(found), scores.for_selftest(found))


def _chosen(arguments: argparse.Namespace, place: Path) -> tuple[zoo.Enclosure, ...]:
    """All patches of the projects that are named, else all or the few."""
    every = zoo.load(place)
    if arguments.project:
        return zoo.of_projects(every, arguments.project)
    return every if arguments.full else zoo.only(every, zoo.quick(place))


def _config(arguments: argparse.Namespace) -> Config:
    """The user's settings of how tests run; the Python is ours unless one is named."""
    given: dict[str, object] = {
        name: getattr(arguments, name, None) for name in _RUNNING
    }
    if arguments.interpreter:  # relative to where the user stands
        given["interpreter"] = str(Path(arguments.interpreter).absolute())
    user = load(zoo.folder(), overrides=given)
    settings = {name: getattr(user, name) for name in _RUNNING}
    return Config(**{**settings, "interpreter": user.interpreter or sys.executable})


def _jobs(wanted: int | None) -> int:
    if wanted is None:
        return min(_JOBS, os.cpu_count() or 1)
    if wanted < 1:
        raise UsageError("--jobs must be 1 or more")
    return wanted


def _known(path: Path | None, asked: Asked) -> Mapping[str, Trial]:
    """What the journal holds already and need not be judged again, by id."""
    if path is None:
        return {}
    return {
        trial.specimen.id: trial
        for trial in journal.read(path)
        if trial.untainted is not None or not asked.without_taint
    }


def _code(found: Sequence[Trial]) -> int:
    """An error is never 0, and the gate fails where it errs in either direction."""
    codes = {exits.OK}
    if failed(found):
        codes.add(exits.UNTRUSTED)
    if missed(found) or wrongly_refused(found):
        codes.add(exits.NOT_FIXED)
    return exits.first_that_applies(codes)
