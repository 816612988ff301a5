"""The command line that starts one of our own modules in a fresh, small process."""

from __future__ import annotations

import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from typing import Literal


@cache
def command(module: Literal["enter", "probe"]) -> tuple[str, ...]:
    """Start `bonafix.sandbox.<module>.main`: no site packages, no environment.

    The two folders that are needed are named outright: looking through all of
    them (`site`) would cost more than the launcher's own work.
    """
    folders = [str(Path(__file__).parents[2]), *_sandlock_folder()]
    code = (
        f"import sys; sys.path += {folders!r}; "
        f"from bonafix.sandbox.{module} import main; main()"
    )
    return (sys.executable, "-I", "-S", "-c", code)


def environment() -> dict[str, str]:
    """What the launcher itself needs to start; never handed to the program."""
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    # importing sandlock asks for a home; a container's user may have none
    return {"HOME": "/", **kept}


def _sandlock_folder() -> list[str]:
    found = importlib.util.find_spec("sandlock")
    if found is None or found.origin is None:
        return []
    return [str(Path(found.origin).parents[1])]
