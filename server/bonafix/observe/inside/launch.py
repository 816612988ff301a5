"""Run pytest in the copy of a project and report what it does over a pipe.

Usage: `python launch.py REQUEST_FD EVENTS_FD`. The request is one JSON object, the
events are JSON lines; `server/bonafix/observe/events.py` describes both.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import types
import typing

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = "_bonafix_inside"
BROKEN = 97  # exit code: pytest could not even be imported


def main(request_fd: int, events_fd: int) -> int:
    """Prepare the interpreter as `python -m pytest` would, run, report."""
    with os.fdopen(request_fd, encoding="utf-8") as file:
        request = json.load(file)
    channel, relocate, plugin = load("channel", "relocate", "plugin")
    events = channel.Channel(events_fd, request["nonce"])
    places = relocate.Places(root=request["root"], tree=request["tree"])
    leave_own_folder()
    relocate.take_over(places, request["path"])
    return session(request, places, events, plugin)


def leave_own_folder() -> None:
    """What Python put there for a script would shadow the project's own modules."""
    if sys.path and os.path.abspath(sys.path[0]) == _HERE:
        del sys.path[0]


def session(
    request: typing.Dict[str, typing.Any],
    places: typing.Any,
    events: typing.Any,
    plugin: typing.Any,
) -> int:
    """Run pytest in this interpreter, where imports come from the copy by now."""
    try:
        import pytest  # noqa: PLC0415 - only now is sys.path the project's own
    except ImportError as error:
        events.send("broken", message="{}: {}".format(type(error).__name__, error))
        return BROKEN
    arguments = plugin.arguments(request)
    _pose_as_pytest(pytest, arguments)
    code = pytest.main(arguments, plugins=[plugin.Plugin(request, places, events)])
    events.send("exit", code=int(code))
    return int(code)


def load(*names: str) -> typing.List[types.ModuleType]:
    """Import our own modules, then make their names unknown again."""
    spec = importlib.util.spec_from_file_location(
        _PACKAGE,
        os.path.join(_HERE, "__init__.py"),
        submodule_search_locations=[_HERE],
    )
    assert spec is not None
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
    loaded = [importlib.import_module(_PACKAGE + "." + name) for name in names]
    for name in [n for n in sys.modules if n.split(".")[0] == _PACKAGE]:
        del sys.modules[name]
    return loaded


def _pose_as_pytest(pytest: types.ModuleType, arguments: typing.List[str]) -> None:
    """Make `__main__` and `sys.argv` what `python -m pytest` makes them.

    Command lines under test print the program's name, and multiprocessing's
    spawned children import `__main__` again.
    """
    spec = importlib.util.find_spec("pytest.__main__")
    if spec is None or spec.origin is None:
        return
    posed = types.ModuleType("__main__")
    posed.__dict__.update(
        __spec__=spec,
        __file__=spec.origin,
        __loader__=spec.loader,
        __package__="pytest",
        pytest=pytest,
    )
    global _kept  # noqa: PLW0603 - this very module must outlive its name
    _kept = sys.modules["__main__"]
    sys.modules["__main__"] = posed
    sys.argv = [spec.origin, *arguments]


_kept = None

if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
