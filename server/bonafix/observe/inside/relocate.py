"""The user's tree and its copy in, an interpreter that imports from the copy out.

Editable installs point back at the user's tree: through `sys.path` (`.pth` files),
through finders on `sys.meta_path`, through the `__path__` of namespace packages.
All of them are turned towards the copy, and what was loaded from elsewhere all the
same is named at the end.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
import typing

_LIBRARIES = {"site-packages", "dist-packages", "__pypackages__"}
_LINKS = os.sep + "__editable__."  # setuptools' strict editable installs
_DEPTH = 4  # of containers inside a finder


class Places:
    """Where the user's tree is, where its copy, and what is in neither."""

    def __init__(self, root: str, tree: str) -> None:
        self.root = os.path.realpath(root)
        self.tree = os.path.realpath(tree)
        prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
        inner = [os.path.realpath(prefix) for prefix in prefixes]
        self._kept = [p for p in inner if p != self.root and _under(p, self.root)]

    def own(self, path: str) -> bool:
        """Whether `path` (absolute) lies in the copy and is not a dependency."""
        return _under(path, self.tree) and not _LIBRARIES & set(path.split(os.sep))

    def relative(self, path: str) -> str:
        """`path` below the copy, with `/`; a path elsewhere stays as it is."""
        if not _under(path, self.tree):
            return path
        return os.path.relpath(path, self.tree).replace(os.sep, "/")

    def original(self, path: str) -> bool:
        """Whether `path` is the user's own file, which must not be run."""
        real = os.path.realpath(path)
        if not _under(real, self.root) or _under(real, self.tree):
            return False
        if any(_under(real, prefix) for prefix in self._kept):
            return False
        return not _LIBRARIES & set(real[len(self.root) :].split(os.sep))

    def moved(self, path: str) -> str:
        """Where `path` lies in the copy; itself where it is not the user's."""
        if not os.path.isabs(path) or not self.original(path):
            return path
        return self.tree + os.path.realpath(path)[len(self.root) :]


def take_over(places: Places, usual: typing.Sequence[str]) -> None:
    """Turn every import of the project towards the copy, the copy's root first.

    `usual` is the `sys.path` of this interpreter where the user's tree exists: where
    it is hidden, start-up leaves out the entries that point into it.
    """
    editable = [places.moved(entry) for entry in usual if places.original(entry)]
    turned = [places.moved(entry) for entry in sys.path]
    known = set(turned) | set(editable)
    merged = [places.moved(entry) for entry in usual]
    merged = [entry for entry in merged if entry in known]
    turned = [entry for entry in turned if entry not in merged] + merged
    links = [entry for entry in turned if _LINKS in entry]
    for finder in list(sys.meta_path):
        editable += _turn_finder(finder, places)
    for module in list(sys.modules.values()):
        _turn_namespace(module, places)
    # A tree of links to the sources holds, in the copy, no links and no sources.
    sys.path[:] = _unique([places.tree, *(e for e in turned if e not in links)])
    if links or _built(places):
        sys.path.insert(1, os.path.join(places.tree, "src"))
        editable = [sys.path[1], *(e for e in editable if e not in links)]
    _export(editable)
    importlib.invalidate_caches()


def foreign(places: Places) -> typing.List[str]:
    """Modules of the project that were loaded from outside the copy."""
    found = []
    for name, module in sorted(sys.modules.items()):
        path = _file_of(module)
        if path is None or places.own(os.path.realpath(path)):
            continue
        if places.original(path) or _twin(name, places):
            found.append("{} ({})".format(name, path))
    return found


def _twin(name: str, places: Places) -> bool:
    """Whether the copy has a `src` module of that name, which was not the one used."""
    stem = os.path.join(places.tree, "src", *name.split("."))
    return any(map(os.path.isfile, (stem + ".py", os.path.join(stem, "__init__.py"))))


def _built(places: Places) -> bool:
    """Whether an installed build of what is in `src` would be tested instead."""
    source = os.path.join(places.tree, "src")
    if source in sys.path or not os.path.isdir(source):
        return False
    for entry in os.listdir(source):
        name = os.path.splitext(entry)[0]
        if not name.isidentifier() or not _twin(name, places):
            continue
        spec = importlib.machinery.PathFinder.find_spec(name)
        if spec and spec.origin and not places.own(os.path.realpath(spec.origin)):
            return True
    return False


def _turn_finder(finder: object, places: Places) -> typing.List[str]:
    """Turn what an editable finder knows; the import roots that it had.

    setuptools keeps `MAPPING` and `NAMESPACES` in the finder's module, `editables`
    keeps `_redirections` on the class, others attributes of an instance.
    """
    module = sys.modules.get(getattr(finder, "__module__", "") or "")
    if module is None or module.__name__.split(".")[0] in sys.builtin_module_names:
        return []
    if module.__name__.startswith(("_frozen", "importlib", "zipimport")):
        return []
    roots: typing.List[str] = []
    for holder in (module, finder, type(finder)):
        names = ("MAPPING", "NAMESPACES") if holder is module else None
        _turn_attributes(holder, names, places, roots)
    return roots


def _turn_attributes(
    holder: object,
    names: typing.Optional[typing.Sequence[str]],
    places: Places,
    roots: typing.List[str],
) -> None:
    for name, value in list(getattr(holder, "__dict__", {}).items()):
        if (names is None and not name.startswith("__")) or name in (names or ()):
            turned = _turned(value, places, roots, _DEPTH)
            if turned is not value:
                setattr(holder, name, turned)


def _turned(
    value: object, places: Places, roots: typing.List[str], depth: int
) -> object:
    """`value` with its paths moved; containers are changed in place."""
    if isinstance(value, str):
        new = places.moved(value)
        if new == value:
            return value
        package, name = os.path.split(new)
        roots.append(os.path.dirname(package) if name == "__init__.py" else package)
        return new
    if depth and isinstance(value, dict):
        for key, inner in list(value.items()):
            value[key] = _turned(inner, places, roots, depth - 1)
    elif depth and isinstance(value, list):
        value[:] = [_turned(inner, places, roots, depth - 1) for inner in value]
    elif depth and type(value) in (tuple, set, frozenset):
        assert isinstance(value, (tuple, set, frozenset))
        inner = [_turned(item, places, roots, depth - 1) for item in value]
        if inner != list(value):
            return type(value)(inner)
    return value


def _turn_namespace(module: object, places: Places) -> None:
    """Legacy `-nspkg.pth` files make modules without a file, at start-up."""
    path = getattr(module, "__path__", None)
    if isinstance(path, list) and getattr(module, "__file__", None) is None:
        path[:] = [places.moved(p) if isinstance(p, str) else p for p in path]


def _export(editable: typing.List[str]) -> None:
    """Let the tests' own Python processes import from the copy too."""
    if editable:
        old = os.environ.get("PYTHONPATH", "")
        entries = [*editable, *(old.split(os.pathsep) if old else [])]
        os.environ["PYTHONPATH"] = os.pathsep.join(_unique(entries))


def _file_of(module: object) -> typing.Optional[str]:
    # A module may be anything, with any kind of `__getattr__`.
    path = getattr(module, "__dict__", {}).get("__file__")
    return path if isinstance(path, str) else None


def _unique(items: typing.Iterable[str]) -> typing.List[str]:
    return list(dict.fromkeys(items))


def _under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
