"""Let the project's code run as if no test were looking.

While it does, the test runner is not among the loaded modules, the environment and the
command line do not name it, its hooks and handlers are taken out, the standard streams
are the original ones, and temporary folders have plain names. Who imports the runner
all the same is given it. Frames and threads are as they are: code that walks
the stack is known by its text.
"""

from __future__ import annotations

import _thread
import contextlib
import functools
import importlib.abc
import importlib.machinery
import inspect
import logging
import os
import re
import sys
import tempfile
import threading
import types
import typing

import pytest

from . import relocate

_RUNNER = re.compile(r"(_?pytest(_\w+)?|pluggy|iniconfig|unittest|xdist)(\.|$)")
_TEST_FILE = re.compile(r"(test_.*|.*_test|tests?|conftest)\.py$")
_STREAMS = ("stdin", "stdout", "stderr")
# Fixtures whose tests see what the log handlers do, or what is printed without them.
_HEARING = {"caplog", "capsys", "capfd", "capsysbinary", "capfdbinary", "capteesys"}
_PLAIN = "work"  # name of a temporary folder: any test's name would tell


class Disguise(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hides the runner; one for a session, entered again and again."""

    __module__ = "importlib.util"  # whoever looks through the finders reads this

    def __init__(self, places: relocate.Places) -> None:
        self._places = places
        self._kept: typing.Dict[str, types.ModuleType] = {}
        self._specs: typing.Dict[str, typing.Any] = {}
        self._deep = 0
        self._handlers = _Handlers()

    def begin(self, config: typing.Any) -> None:
        """Give the session temporary folders that do not name the runner."""
        folder = tempfile.mkdtemp(prefix="data-")
        config.option.basetemp = os.path.join(folder, _PLAIN)
        sys.meta_path.insert(0, self)
        config.pluginmanager.register(self._handlers)

    @staticmethod
    def rename(config: typing.Any) -> None:
        """Name the tests' own folders alike; the factory is pytest's, and private."""
        factory = getattr(config, "_tmp_path_factory", None)
        if factory is None:
            return
        original = factory.mktemp
        factory.mktemp = lambda _name, numbered=True: original(_PLAIN, True)  # noqa: ARG005, FBT003

    def fits(self, fixture: typing.Any) -> bool:
        """Whether a fixture is the project's, and not pytest's own."""
        code = getattr(getattr(fixture, "func", None), "__code__", None)
        name = str(getattr(fixture, "argname", ""))
        if code is None or name.startswith(("_xunit", "_unittest")):
            return code is not None
        return self._places.own(os.path.realpath(code.co_filename))

    @contextlib.contextmanager
    def hidden(self, *, tidy: bool = False) -> typing.Iterator[None]:
        """Nothing tells that a test runs until the block is left.

        `tidy`: log handlers that were added meanwhile are taken away at the end.
        """
        if self._deep:  # what was handed out since is taken back
            self._pop()
            yield
            return
        self._deep += 1
        variables = {k: v for k, v in os.environ.items() if k.startswith("PYTEST_")}
        argv, words = sys.argv, list(sys.argv)
        self._hide(variables, words)
        try:
            with _streams(), _hooks(), _finders(), self._handlers.hidden(tidy=tidy):
                yield
        finally:
            self._show(variables)
            argv[:] = words
            self._deep -= 1

    def dress(self, item: typing.Any) -> None:
        """Have a test run disguised, of whatever kind it is, until it is taken off."""
        item.runtest = self._wrapped(item.runtest)
        case = getattr(item, "instance", None)
        if callable(getattr(case, "setUp", None)):
            # Between here and there pytest imports parts of its own.
            for name in ("setUp", item.name):
                method = getattr(case, name)
                if not inspect.iscoroutinefunction(method):
                    setattr(case, name, self._wrapped(method))

    def _wrapped(
        self, function: typing.Callable[[], object]
    ) -> typing.Callable[[], object]:
        """`function`, disguised."""

        @functools.wraps(function)
        def disguised() -> object:
            with self.hidden(tidy=True):
                return function()

        return disguised

    def _hide(
        self, variables: typing.Mapping[str, str], words: typing.List[str]
    ) -> None:
        self._pop()
        self._kept["__main__"] = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        for name in variables:
            del os.environ[name]
        # The last part stays: command lines under test print it.
        last = os.path.basename(words[0]) if words else ""
        sys.argv[:] = [os.path.join(self._places.tree, last)]

    def _pop(self) -> None:
        for name in [n for n in sys.modules if _RUNNER.match(n)]:
            self._kept[name] = module = sys.modules.pop(name)
            self._specs[name] = getattr(module, "__spec__", None)

    def _show(self, variables: typing.Mapping[str, str]) -> None:
        sys.modules.update(self._kept)
        self._kept = {}
        for name, value in variables.items():
            os.environ.setdefault(name, value)

    def find_spec(
        self,
        name: str,
        path: typing.Any = None,
        target: typing.Any = None,
    ) -> typing.Optional[importlib.machinery.ModuleSpec]:
        """Give what is hidden to who asks for it; hide it from the product's code."""
        if name in self._kept:
            return importlib.machinery.ModuleSpec(name, self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not self._product(spec):
            return None
        spec.loader = _Quiet(spec.loader, self)
        return spec

    def _product(self, spec: importlib.machinery.ModuleSpec) -> bool:
        origin = spec.origin or ""
        usual = type(spec.loader) is importlib.machinery.SourceFileLoader
        tests = _TEST_FILE.match(os.path.basename(origin))
        return usual and not tests and self._places.own(os.path.realpath(origin))

    def create_module(
        self, spec: importlib.machinery.ModuleSpec
    ) -> typing.Optional[types.ModuleType]:
        """Return the very module that was loaded before."""
        return self._kept[spec.name]

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to execute; only the import system's mark is taken off again."""
        spec = module.__spec__
        module.__spec__ = self._specs.get(spec.name if spec else "")


class _Quiet(importlib.abc.Loader):
    """A loader that hides the runner while a module of the product is executed."""

    def __init__(self, usual: typing.Any, disguise: Disguise) -> None:
        self._usual = usual
        self._disguise = disguise

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._usual, name)

    def create_module(
        self, spec: importlib.machinery.ModuleSpec
    ) -> typing.Optional[types.ModuleType]:
        """As the usual loader does."""
        created: typing.Optional[types.ModuleType] = self._usual.create_module(spec)
        return created

    def exec_module(self, module: types.ModuleType) -> None:
        """Execute it in the dark, then leave no trace of this loader."""
        module.__loader__ = self._usual
        if module.__spec__ is not None:
            module.__spec__.loader = self._usual
        with self._disguise.hidden(tidy=True):
            self._usual.exec_module(module)


class _Handlers:
    """The runner's handlers of the root logger; a plugin of the session, too."""

    def __init__(self) -> None:
        self._wanted = False  # by the test that runs
        self._root = logging.getLogger()
        self._taken: typing.List[logging.Handler] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: typing.Any) -> None:
        """Note whether the test is going to look at what is logged or printed."""
        self._wanted = bool(_HEARING & set(getattr(item, "fixturenames", ())))

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: typing.Any) -> None:
        """Give the handlers back to a test that asks for such a fixture late."""
        if fixturedef.argname in _HEARING:
            self._root.handlers[:0] = self._taken
            self._taken = []

    @contextlib.contextmanager
    def hidden(self, *, tidy: bool) -> typing.Iterator[None]:
        """Take them out until the block is left, unless the test wants them."""
        handlers = self._root.handlers  # this very list: a test may put another there
        before, level = list(handlers), self._root.level
        last = logging.lastResort
        if self._wanted or last is None:
            yield
            return
        self._taken = [one for one in before if _of_runner(type(one))]
        handlers[:] = [one for one in before if one not in self._taken]
        # With the runner's handlers nothing comes as far as the last resort.
        loud, last.level = last.level, sys.maxsize
        try:
            yield
        finally:
            last.level = loud
            self._put_back(handlers, before, level, tidy=tidy)

    def _put_back(
        self,
        handlers: typing.List[logging.Handler],
        before: typing.Sequence[logging.Handler],
        level: int,
        *,
        tidy: bool,
    ) -> None:
        new = [one for one in handlers if one not in before]
        handlers[:0] = self._taken
        self._taken = []
        if tidy and new:
            # `basicConfig`, which does nothing where the runner's handlers are.
            handlers[:] = [one for one in handlers if one not in new]
            self._root.setLevel(level)


def _of_runner(thing: typing.Any) -> bool:
    """Whether a class or function is pytest's own, maybe with arguments bound."""
    thing = getattr(thing, "func", thing)
    return str(getattr(thing, "__module__", "")).startswith("_pytest.")


@contextlib.contextmanager
def _streams() -> typing.Iterator[None]:
    """The standard streams are those that the interpreter started with."""
    names = ["__{}__".format(name) for name in _STREAMS]
    before = [getattr(sys, name) for name in names]
    for name, original in zip(_STREAMS, names):
        setattr(sys, original, getattr(sys, name))
    try:
        yield
    finally:
        for original, stream in zip(names, before):
            setattr(sys, original, stream)


@contextlib.contextmanager
def _hooks() -> typing.Iterator[None]:
    """What becomes of errors in threads and finalisers is left to the interpreter."""
    unraisable = sys.unraisablehook
    uncaught = threading.excepthook
    # The module names its original only since Python 3.10.
    original = getattr(threading, "__excepthook__", _thread._excepthook)  # noqa: SLF001
    if _of_runner(unraisable):
        sys.unraisablehook = sys.__unraisablehook__
    if _of_runner(uncaught):
        threading.excepthook = original
    try:
        yield
    finally:
        if sys.unraisablehook is sys.__unraisablehook__:
            sys.unraisablehook = unraisable
        if threading.excepthook is original:
            threading.excepthook = uncaught


@contextlib.contextmanager
def _finders() -> typing.Iterator[None]:
    """No finder rewrites assertions."""
    path = sys.meta_path
    taken = [(at, one) for at, one in enumerate(path) if _of_runner(type(one))]
    for _, one in taken:
        path.remove(one)
    try:
        yield
    finally:
        for at, one in taken:
            path.insert(at, one)
