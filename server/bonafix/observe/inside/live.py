"""The functions that exist in this process, and their exchange for a candidate's."""

from __future__ import annotations

import gc
import importlib.machinery
import linecache
import os
import sys
import types
import typing
import warnings

from . import bodies, incremental, ran

_SUSPENDED = (
    types.GeneratorType,
    types.CoroutineType,
    types.AsyncGeneratorType,
)
_PYTHON = ".py"
_OURS = 2  # references to what is asked about: a variable and an argument

Files = typing.Mapping[str, typing.Optional[bytes]]
Functions = typing.List[types.FunctionType]
Exchange = typing.Tuple[types.FunctionType, types.CodeType]


class Plan(typing.NamedTuple):
    """What a fork has to do to be the candidate."""

    functions: typing.List[Exchange]
    classes: typing.List[typing.Tuple[type, int]]  # and the lines where they begin


class Index:
    """What was there when the last test had been collected."""

    def __init__(
        self, tree: str, recorder: ran.Recorder, seen: typing.Set[ran.Key]
    ) -> None:
        self._tree = tree
        self._recorder = recorder
        self._ran = set(seen)
        self._functions: typing.Dict[ran.Key, Functions] = {}
        self._classes: typing.Dict[typing.Tuple[str, str], typing.List[type]] = {}
        self._old: typing.Dict[str, incremental.Source] = {}
        self._look_around()
        own = self._recorder.files.own
        self._modules: typing.Dict[str, typing.List[types.ModuleType]] = {}
        for module in list(sys.modules.values()):
            path = getattr(module, "__dict__", {}).get("__file__")
            if isinstance(path, str) and own(path):
                self._modules.setdefault(own(path), []).append(module)
        # An entry of one element only says where a source could be had.
        self._read = {own(name) for name, entry in linecache.cache.items() if entry[1:]}

    def _look_around(self) -> None:
        own = self._recorder.files.own
        for thing in gc.get_objects():
            kind = type(thing)
            if kind is types.FunctionType and own(thing.__code__.co_filename):
                key = self._recorder.key(thing.__code__)
                self._functions.setdefault(key, []).append(thing)
            elif kind in _SUSPENDED:
                self._hold(thing)
            elif isinstance(thing, type) and "__firstlineno__" in thing.__dict__:
                place = thing.__module__, thing.__name__
                self._classes.setdefault(place, []).append(thing)

    def _hold(self, thing: typing.Any) -> None:
        """One that was made and not begun keeps the old code: as if it had run."""
        for name in ("gi_code", "cr_code", "ag_code"):
            code = getattr(thing, name, None)
            if isinstance(code, types.CodeType):
                self._ran.add(self._recorder.key(code))

    def plan(self, files: Files) -> Plan:
        """What there is to exchange; the tree must be the untouched one.

        Raises:
            UnfitError: something else than that would be needed.
        """
        plan = Plan([], [])
        for path, content in files.items():
            place = os.path.join(self._tree, path)
            if content is None or not os.path.isfile(place):
                raise bodies.UnfitError("it adds or removes a file")
            with open(place, "rb") as file:
                old = file.read()
            if old != content:
                self._file(self._recorder.files.own(place), old, content, plan)
        return plan

    def _file(self, path: str, old: bytes, new: bytes, plan: Plan) -> None:
        if not path.endswith(_PYTHON):
            raise bodies.UnfitError("it changes what is no Python source")
        if path in self._read:
            raise bodies.UnfitError("its source was read while tests were collected")
        module = self._module(path)
        if module is None:
            return  # nobody has imported it yet: whoever does, finds the new one
        if path not in self._old:
            name = str(getattr(module.__spec__, "origin", None))
            code = _compiled(old, module)
            self._old[path] = incremental.Source(old, code, name)
        known = self._old[path]
        compared = known.compare(new)
        if compared is None:
            compared = bodies.compare(known.code, _compiled(new, module))
        self._functions_of(compared.pairs, plan)
        for name, before, after in compared.classes:
            for made in self._classes.get((module.__name__, name), ()):
                if made.__dict__["__firstlineno__"] == before:
                    plan.classes.append((made, after))

    def _module(self, path: str) -> typing.Optional[types.ModuleType]:
        modules = self._modules.get(path, [])
        if not modules and any(key[0] == path for key in self._ran):
            raise bodies.UnfitError("it was run and not imported")
        if not modules:
            return None
        if len(modules) > 1:
            raise bodies.UnfitError("one file is two modules")
        spec = getattr(modules[0], "__spec__", None)
        loader = getattr(spec, "loader", None)
        if type(loader) is not importlib.machinery.SourceFileLoader:
            raise bodies.UnfitError("what was imported is not what the file says")
        return modules[0]

    def _functions_of(self, pairs: typing.List[bodies.Pair], plan: Plan) -> None:
        keys = [self._recorder.key(pair.old) for pair in pairs]
        replaced: typing.List[bool] = []
        for key, pair in zip(keys, pairs):
            live = self._functions.get(key, [])
            outer = pair.within >= 0 and replaced[pair.within]
            if pair.differs:
                self._may_differ(key, pair, live, outer=outer)
                if keys.count(key) > 1:
                    raise bodies.UnfitError("two functions begin in one line")
            for function in live:
                plan.functions.append((function, _new_code(function, pair, pairs)))
            replaced.append(bool(live) or outer)

    def _may_differ(
        self, key: ran.Key, pair: bodies.Pair, live: Functions, *, outer: bool
    ) -> None:
        if key in self._ran:
            raise bodies.UnfitError("what it changes ran while tests were collected")
        if not live and not outer:
            raise bodies.UnfitError("nothing is left of a function that it changes")
        if live and not bodies.fits(pair.old, pair.new):
            raise bodies.UnfitError(
                "a function that exists would take or need other variables"
            )
        if pair.within < 0 and any(_held(function, live) for function in live):
            raise bodies.UnfitError("the code of a function that it changes is kept")


def _held(function: types.FunctionType, live: Functions) -> bool:
    """Whether more than these functions refer to its code: it would stay the old one.

    For functions that no other is around: the code of that one would hold it too.
    """
    code = function.__code__
    owners = sum(1 for other in live if other.__code__ is code)
    return sys.getrefcount(code) > owners + _OURS


def _compiled(source: bytes, module: types.ModuleType) -> types.CodeType:
    """As the import system would."""
    spec = module.__spec__
    assert spec is not None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            code = compile(source, str(spec.origin), "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise bodies.UnfitError("it cannot be compiled") from error
    if told:  # an error, where the project wants it so
        raise bodies.UnfitError("compiling it warns")
    return code


def _new_code(
    function: types.FunctionType, pair: bodies.Pair, pairs: typing.List[bodies.Pair]
) -> types.CodeType:
    """That of the pair, or of another that begins in the same line."""
    now = function.__code__
    if bodies.same(now, pair.old):
        return pair.new
    for other in pairs:
        known = other.old.co_name, other.old.co_firstlineno
        begins = now.co_name, now.co_firstlineno
        if known == begins and bodies.same(now, other.old):
            return other.new
    raise bodies.UnfitError("what was imported is not what the file says")


def exchange(plan: Plan) -> None:
    """Be the candidate; for a fork, which has nothing to go back to."""
    for function, code in plan.functions:
        function.__code__ = code
    for kind, line in plan.classes:
        type.__setattr__(kind, "__firstlineno__", line)
