"""A small project on a bench: observed once, with all that the gate runs there."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from bonafix.calls import Tools
from bonafix.domain import Change, Patch, Task
from bonafix.observe.baseline import baseline
from bonafix.observe.calls import make_caller, make_recorder
from bonafix.observe.run import make_runner
from tests.observe.harness import bench, config, write

PRODUCT = "product.py"


@contextmanager
def observed(root, files) -> Iterator[SimpleNamespace]:
    """`snapshot`, `tools` and `base` of a project of these files."""
    write(root, files)
    settings = config()
    with bench(root, settings) as here:
        where = here.snapshot, here.interpreter, settings
        tools = Tools(
            make_runner(*where),
            make_recorder(*where),
            make_caller(*where),
            disguised=make_runner(*where, disguised=True),
        )
        snapshot = here.snapshot
        base = asyncio.run(baseline(snapshot, here.run, settings, here.interpreter))
        # as `tasks.show` wants it
        yield SimpleNamespace(
            snapshot=snapshot, tools=tools, base=base, under=(), changed=None
        )


def patch(place, old, new, path=PRODUCT):
    """What stands there once, exchanged."""
    before = place.snapshot.sources[path]
    assert before.count(old.encode()) == 1
    after = before.replace(old.encode(), new.encode())
    return Patch((Change(path, before, after),))


def task(place, targets, seconds):
    """The task of repairing these, of which nothing is suspected."""
    return Task(
        snapshot=place.snapshot,
        layout=place.base.layout,
        targets=targets,
        suspects=(),
        baseline=place.base.run,
        seconds=seconds,
    )
