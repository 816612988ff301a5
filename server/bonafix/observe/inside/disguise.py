"""Let the project's code run as if no test were looking.

While it does, the test runner is not among the loaded modules, the environment and the
command line do not name it, and temporary folders have plain names. Who imports the
runner all the same is given it. Frames and threads are as they are: code that walks
the stack is known by its text.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.abc
import importlib.machinery
import inspect
import os
import re
import sys
import tempfile
import types
import typing

from . import relocate

_RUNNER = re.compile(r"(_?pytest(_\w+)?|pluggy|iniconfig|unittest|xdist)(\.|$)")
_TEST_FILE = re.compile(r"(test_.*|.*_test|tests?|conftest)\.py$")
_PLAIN = "work"  # name of a temporary folder: any test's name would tell


class Disguise(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hides the runner; one for a session, entered again and again."""

    def __init__(self, places: relocate.Places) -> None:
        self._places = places
        self._kept: typing.Dict[str, types.ModuleType] = {}
        self._specs: typing.Dict[str, typing.Any] = {}
        self._deep = 0

    def begin(self, config: typing.Any) -> None:
        """Give the session temporary folders that do not name the runner."""
        folder = tempfile.mkdtemp(prefix="data-")
        config.option.basetemp = os.path.join(folder, _PLAIN)
        sys.meta_path.insert(0, self)

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
    def hidden(self) -> typing.Iterator[None]:
        """Nothing tells that a test runs until the block is left."""
        if self._deep:  # what was handed out since is taken back
            self._pop()
            yield
            return
        self._deep += 1
        variables = {k: v for k, v in os.environ.items() if k.startswith("PYTEST_")}
        argv, words = sys.argv, list(sys.argv)
        self._hide(variables, words)
        try:
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
            with self.hidden():
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
        with self._disguise.hidden():
            self._usual.exec_module(module)
