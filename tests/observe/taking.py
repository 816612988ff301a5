"""Baselines of real projects, with what was run for them and what was said."""

import asyncio
from contextlib import contextmanager

from bonafix.observe.reuse import baseline
from tests.observe.harness import bench, config


@contextmanager
def taker(root, settings=None):
    """Take baselines of `root`: the baseline, the runs that it took, what was said."""
    with bench(root, settings or config()) as made:

        def take(*targets):
            runs, told = [], []

            async def run(files, **wishes):
                runs.append(wishes.get("select"))
                return await made.run(files, **wishes)

            place = made.snapshot, run, made.config, made.interpreter
            work = baseline(*place, targets=targets, listen=told.append)
            found = asyncio.run(work)
            return found, runs, [e.text for e in told if e.kind == "note"]

        yield take
