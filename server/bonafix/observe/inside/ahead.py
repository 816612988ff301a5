"""Compile a project's modules without running any of them; run as a script.

Usage: `python ahead.py ORDER`. The order is a file with a JSON object: `tree`, `root`
(of the user's tree: nothing is imported from there), `rewritten` (paths of the tree
whose assertions pytest would rewrite) and `plain`. What is written counts only for the
very text that it was made of.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import py_compile
import sys
import time
import types
import typing
import warnings

_FRESH = 2.0  # seconds; a file changed since may change again within one mark of time


def main(order_path: str) -> None:
    """Carry out the order; what cannot be compiled is left to whoever runs it."""
    with open(order_path, encoding="utf-8") as file:
        order = json.load(file)
    sys.dont_write_bytecode = True  # of what this very process imports
    here = os.path.dirname(os.path.abspath(__file__))
    kept = [entry for entry in sys.path if os.path.abspath(entry) != here]
    sys.path[:] = [entry for entry in kept if not _within(entry, order["root"])]
    # finders of editable installs know the project's places, too
    sys.meta_path[:] = [f for f in sys.meta_path if _builtin(f)]
    rewrite = _rewriting(order["root"]) if order["rewritten"] else None
    tree = os.path.realpath(order["tree"])
    for path in order["rewritten"] if rewrite else ():
        _quietly(_rewrite, os.path.join(tree, path), rewrite)
    for path in order["plain"]:
        _quietly(_compile, os.path.join(tree, path), None)


def _within(entry: str, root: str) -> bool:
    """Whether an entry is the project's own, and no library of an environment in it."""
    real = os.path.realpath(entry)
    if real != root and not real.startswith(root + os.sep):
        return False
    return not {"site-packages", "dist-packages"} & set(real.split(os.sep))


def _builtin(finder: object) -> bool:
    return str(getattr(finder, "__module__", "")).startswith("_frozen_importlib")


def _rewriting(root: str) -> typing.Optional[types.ModuleType]:
    """What pytest rewrites with; `None` where pytest itself is the project."""
    spec = importlib.util.find_spec("_pytest")
    if spec is None or spec.origin is None or _within(spec.origin, root):
        return None
    return importlib.import_module("_pytest.assertion.rewrite")


def _quietly(
    make: typing.Callable[[str, typing.Any, str], None], path: str, tool: object
) -> None:
    """Make it, unless that fails or warns: a run must see the warning itself."""
    target = _target(path, tool)
    folder = os.path.dirname(target)
    if os.path.realpath(path) != path or os.path.realpath(folder) != folder:
        return  # it leads to what is no part of the copy
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return
    draft = "{}.{}.draft".format(target, os.getpid())  # taken away with the folder
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            make(path, tool, draft)
        except Exception:  # noqa: BLE001 - whoever imports it will see it fail
            told.append(typing.cast(warnings.WarningMessage, None))
    if told and os.path.exists(draft):
        os.unlink(draft)
    elif os.path.exists(draft):
        os.replace(draft, target)


def _target(path: str, rewrite: typing.Any) -> str:
    usual = importlib.util.cache_from_source(path)
    if rewrite is None:
        return usual
    name = os.path.basename(path)[: -len(".py")] + rewrite.PYC_TAIL
    return os.path.join(os.path.dirname(usual), name)


def _compile(path: str, _tool: object, draft: str) -> None:
    """As importing it would; the text's hash decides whether it is used."""
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(path, cfile=draft, doraise=True, invalidation_mode=mode)


def _rewrite(path: str, rewrite: typing.Any, draft: str) -> None:
    """As pytest would; in older versions size and time decide whether it is used."""
    import pathlib  # noqa: PLC0415 - only pytest wants one

    mark, code = rewrite._rewrite_test(pathlib.Path(path), None)  # noqa: SLF001
    if isinstance(mark, os.stat_result) and mark.st_mtime > time.time() - _FRESH:
        return
    with open(draft, "xb") as file:
        rewrite._write_pyc_fp(file, mark, code)  # noqa: SLF001


if __name__ == "__main__":
    main(sys.argv[1])
