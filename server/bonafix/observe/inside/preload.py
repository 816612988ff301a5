"""What a run had imported from outside the project in; the same, imported here, out.

Only modules that a run is known to import are imported, each from the file that the
run had it from, in the run's order, and none of the project's own.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import types
import typing
import warnings
from importlib import metadata

from _pytest.assertion import rewrite

if typing.TYPE_CHECKING:
    from . import relocate

Entry = typing.Tuple[str, str]  # name, real path of its file
_BUILT_IN = ("built-in", "frozen")


def loaded(
    places: relocate.Places, before: typing.Container[str]
) -> typing.List[Entry]:
    """The modules outside the project that came after `before`, in their order."""
    entries = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__dict__", {}).get("__spec__")
        if name in before or not isinstance(spec, importlib.machinery.ModuleSpec):
            continue
        origin = _origin(spec)
        if spec.name == name and origin and _outside(origin, places):
            entries.append((name, origin))
    return entries


def load(
    entries: typing.Iterable[typing.Sequence[str]], places: relocate.Places
) -> str:
    """Import them; the name at which this had to stop, empty where it did not.

    That is one which starts a thread (a fork would lose it) or imports the project.
    """
    entries = list(entries)
    plugins = _plugins()
    tops = ((name.partition(".")[0], name, path) for name, path in entries)
    finder = _Finder({name: path for top, name, path in tops if top in plugins})
    sys.meta_path.insert(0, finder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, path in _parents_first(entries):
                if _fits(name, path):
                    _import(name)
                    if _threads() > 1 or _touched(places):
                        return name
    finally:
        sys.meta_path.remove(finder)
    note_files()
    return ""


def note_files() -> None:
    """Have `inspect` look up every module's file now: rendering a failure asks it."""
    inspect.getmodule(compile("", "<nowhere>", "exec"))


class _Finder(rewrite.AssertionRewritingHook):
    """Imports plugins as they are, where a run would rewrite their assertions.

    That takes long, and only changes what a failing assertion of a plugin prints. It
    is a kind of pytest's hook: else pytest would warn in each run that a plugin was
    imported too early, and some projects make every warning an error.
    """

    def __init__(self, marked: typing.Dict[str, str]) -> None:
        self._marked = marked

    def find_spec(
        self,
        name: str,
        path: typing.Optional[typing.Sequence[str]] = None,
        target: typing.Optional[types.ModuleType] = None,
    ) -> typing.Optional[importlib.machinery.ModuleSpec]:
        """Find those modules alone, where they are known to be."""
        if name not in self._marked:
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path, target)
        if found is None or _origin(found) != self._marked[name]:
            return None
        if not isinstance(found.loader, importlib.machinery.SourceFileLoader):
            return None
        return importlib.util.spec_from_file_location(
            name,
            found.origin,
            loader=self,
            submodule_search_locations=found.submodule_search_locations,
        )

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the module's code, compiled once and for all where it was installed."""
        loader = importlib.machinery.SourceFileLoader(
            module.__name__, str(module.__file__)
        )
        code = loader.get_code(module.__name__)
        assert code is not None
        exec(code, module.__dict__)  # noqa: S102 - as any loader does

    def mark_rewrite(self, *names: str) -> None:
        """Plugins announce other modules here."""


def _plugins() -> typing.Set[str]:
    """Top-level modules of all that comes with a plugin: pytest rewrites them."""
    names = set()
    for distribution in metadata.distributions():
        if any(point.group == "pytest11" for point in distribution.entry_points):
            for file in distribution.files or ():
                names.add(file.parts[0].partition(".")[0])
    return names


def _parents_first(
    entries: typing.Iterable[typing.Sequence[str]],
) -> typing.Iterator[typing.Tuple[str, str]]:
    """Each with its packages before it: a package is loaded when all in it is."""
    paths = dict(typing.cast(typing.Iterable[Entry], entries))
    for name in paths:
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            package = ".".join(parts[:end])
            if package in paths:
                yield package, paths[package]


def _fits(name: str, path: str) -> bool:
    """Whether it is still to be imported, and would be that very file."""
    parent = name.rpartition(".")[0]
    if name in sys.modules or (parent and parent not in sys.modules):
        return False
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return False
    return spec is not None and _origin(spec) == path


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except (Exception, SystemExit):  # noqa: BLE001 - whoever needs it will see it fail
        sys.modules.pop(name, None)


def _origin(spec: importlib.machinery.ModuleSpec) -> str:
    if spec.origin in _BUILT_IN:
        return str(spec.origin)
    return os.path.realpath(spec.origin) if spec.has_location and spec.origin else ""


def _outside(origin: str, places: relocate.Places) -> bool:
    if origin in _BUILT_IN:
        return True
    inside = origin == places.tree or origin.startswith(places.tree + os.sep)
    return not inside and not places.original(origin)


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _touched(places: relocate.Places) -> bool:
    """Whether a module of the project has come along."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(path, str) and path.startswith(places.tree + os.sep):
            return True
    return False
