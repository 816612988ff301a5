"""A snapshot and a run of its suite in, which files are product and tests out.

Pure, but that links are looked up in the snapshot's copy.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from bonafix.config import Config
from bonafix.domain import Layout, Snapshot, SuiteRun, TestResult
from bonafix.layout import is_test_path
from bonafix.observe import packages
from bonafix.observe.interpreter import Interpreter
from bonafix.observe.plugins import plugins

# Folders and modules at the top of a project that are not what it ships.
_BESIDE = frozenset(
    {
        *("docs", "doc", "examples", "example", "samples", "scripts", "script"),
        *("tools", "tool", "benchmarks", "benchmark", "bin", "ci", "build", "dist"),
        *("setup.py", "conftest.py", "noxfile.py", "fabfile.py", "tasks.py"),
        *("sitecustomize.py", "usercustomize.py", "manage.py", "fixtures"),
    }
)


def layout(
    snapshot: Snapshot, run: SuiteRun, interpreter: Interpreter, config: Config
) -> Layout:
    """Tell tests from product by what was collected, declared and executed."""
    collected = frozenset(_collected(snapshot.files, run))
    tests = collected | frozenset(_tests(snapshot.files, config))
    if not config.packages:
        tests |= frozenset(_beside(snapshot, run, tests))
    roots = config.packages or _roots(snapshot, run, tests)
    own = frozenset(_top_level(snapshot.files, roots))
    return Layout(
        package_roots=tuple(root.strip("/") for root in roots),
        tests=tests,
        collected=collected,
        opened=frozenset(run.opened),
        plugins=plugins(snapshot.sources, snapshot.files, tests),
        links=frozenset(_links(snapshot)),
        shadowed=(interpreter.stdlib | interpreter.installed | _named(tests)) - own,
        allow=config.allow,
        new_files=config.new_files,
    )


def _collected(files: frozenset[str], run: SuiteRun) -> Iterator[str]:
    """The files that tests came from; a module with examples in it stays product."""
    for node_id, result in run.results.items():
        if result.style != "doctest":
            yield from _origins(files, node_id, result)
    for error in run.collection_errors:
        if error.id in files:
            yield error.id


def _origins(files: frozenset[str], node_id: str, result: TestResult) -> Iterator[str]:
    # An inherited test is defined in another file than it is collected from; ids are
    # relative to pytest's root, which may be another folder than the project's.
    for path in (node_id.partition("::")[0], _definition(result)):
        if path in files:
            yield path


def _definition(result: TestResult) -> str:
    return result.definition.path if result.definition else ""


def _tests(files: frozenset[str], config: Config) -> Iterator[str]:
    for path in files:
        name = path.rpartition("/")[2]
        named = is_test_path(path) or name == "conftest.py"
        if named or any(_matches(path, glob) for glob in config.tests):
            yield path


def _beside(snapshot: Snapshot, run: SuiteRun, tests: frozenset[str]) -> Iterator[str]:
    """Modules that lie with the tests, where the product lies elsewhere.

    Tests in a folder of another name than `tests` have their helpers there.
    """
    modules = {path for path in snapshot.files - tests if path.endswith(".py")}
    roots = _stated(snapshot, modules)
    if not any(
        _below(path, root) for path in _executed(run) & modules for root in roots
    ):
        return
    folders = {str(PurePosixPath(path).parent) for path in tests}
    apart = [f for f in folders if f != "." and not any(_touch(f, r) for r in roots)]
    for path in modules:
        if any(_below(path, folder) for folder in apart):
            yield path


def _touch(folder: str, root: str) -> bool:
    return _below(folder, root) or _below(root, folder)


def _links(snapshot: Snapshot) -> Iterator[str]:
    """The symbolic links: a change of one would change what it leads to."""
    for path in snapshot.files - snapshot.sources.keys():
        if (snapshot.lower / path).is_symlink():
            yield path


def _named(tests: frozenset[str]) -> frozenset[str]:
    """The names under which tests import what lies beside them."""
    return frozenset(
        PurePosixPath(path).stem
        for path in tests
        if path.endswith(".py") and not path.endswith("__init__.py")
    )


def _matches(path: str, glob: str) -> bool:
    return fnmatch.fnmatchcase(path, glob) or PurePosixPath(path).match(glob)


def _roots(snapshot: Snapshot, run: SuiteRun, tests: frozenset[str]) -> tuple[str, ...]:
    """What is declared, else what looks like it; and in any case what was executed."""
    modules = {path for path in snapshot.files - tests if path.endswith(".py")}
    exact = _stated(snapshot, modules)
    for path in sorted(_executed(run) & modules):
        if not any(_below(path, root) for root in exact):
            exact.append(_package_of(path, snapshot.files))
    return tuple(dict.fromkeys(exact))


def _stated(snapshot: Snapshot, modules: set[str]) -> list[str]:
    """What the build configuration declares, or else what looks like packages."""
    found = [r for r in packages.declared(snapshot.sources) if _holds(r, modules)]
    # "the root itself" would open everything: say what in it
    exact = [root for root in found if root]
    if "" in found or not found:
        exact += _guessed(modules)
    return exact


def _holds(root: str, modules: Iterable[str]) -> bool:
    return any(_below(path, root) for path in modules)


def _below(path: str, root: str) -> bool:
    return not root or path == root or path.startswith(root + "/")


def _guessed(modules: set[str]) -> Iterator[str]:
    if _holds("src", modules):
        yield "src"
        return
    for path in sorted(modules):
        top, _, rest = path.partition("/")
        if top in _BESIDE or top.startswith("."):
            continue
        if not rest or f"{top}/__init__.py" in modules:
            yield top


def _executed(run: SuiteRun) -> set[str]:
    return {path for table in run.lines.values() for path in table}


def _package_of(path: str, files: frozenset[str]) -> str:
    """The outermost package that `path` lies in, else the module itself."""
    found = path
    for folder in PurePosixPath(path).parents:
        if f"{folder}/__init__.py" not in files:
            break
        found = str(folder)
    return found


def _top_level(files: frozenset[str], roots: Iterable[str]) -> Iterator[str]:
    """The module names under which the project's own code is imported."""
    for root in roots:
        is_package = root.endswith(".py") or f"{root}/__init__.py" in files
        if is_package:
            yield PurePosixPath(root).stem
            continue
        for path in files:
            if _below(path, root):
                inner = path[len(root) :].lstrip("/").partition("/")[0]
                yield inner.removesuffix(".py")
