"""What an interpreter is and has, as one line of JSON; run as a script.

Usage: `python facts.py [FOLDER]`. In FOLDER a copy of this script's own folder is made,
compiled for this interpreter, unless there is one. It imports neither pytest nor its
plugins: their versions are in their metadata.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import py_compile
import shutil
import site
import sys
import tempfile
import typing
from importlib import metadata

_HERE = os.path.dirname(os.path.abspath(__file__))
_MARK = "bonafix-facts:"  # start-up files may print lines of their own
_DIGITS = 24  # of a digest
_KEPT = 16  # copies, each half a megabyte


def main(folder: str = "") -> None:
    """Print the facts."""
    path = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
    facts = {
        "executable": sys.executable,
        "version": list(sys.version_info[:3]),
        "implementation": platform.python_implementation(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "path": path,
        "editable": sorted(_editable()),
        "user_base": site.getuserbase() if site.ENABLE_USER_SITE else "",
        "pytest": _version("pytest"),
        "plugins": _plugins(),
        "stdlib": sorted(_stdlib()),
        "installed": sorted(_installed(path)),
        "inside": _compiled(folder) if folder else "",
    }
    sys.stdout.write(_MARK + json.dumps(facts) + "\n")


def _editable() -> typing.Iterator[str]:
    """Packages and modules that finders on `sys.meta_path` know the places of."""
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, "__module__", "") or "")
        for holder, name in ((module, "MAPPING"), (finder, "_redirections")):
            mapping = getattr(holder, name, None)
            for target in mapping.values() if isinstance(mapping, dict) else ():
                if isinstance(target, str) and os.path.isabs(target):
                    folder, last = os.path.split(target)
                    yield folder if last == "__init__.py" else target


def _version(name: str) -> typing.Optional[str]:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _plugins() -> typing.List[str]:
    found: typing.Any = metadata.entry_points()
    if hasattr(found, "select"):
        points = found.select(group="pytest11")
    else:  # a dictionary before Python 3.10
        points = found.get("pytest11", ())
    return sorted({point.name for point in points})


def _stdlib() -> typing.Set[str]:
    names = getattr(sys, "stdlib_module_names", None)
    if names is not None:
        return set(names)
    folder = os.path.dirname(os.__file__)
    return set(sys.builtin_module_names) | _modules(folder)


def _installed(path: typing.Iterable[str]) -> typing.Set[str]:
    """Top-level modules of the folders for installed packages."""
    libraries = ("site-packages", "dist-packages")
    folders = [entry for entry in path if entry.rstrip("/").endswith(libraries)]
    return {name for folder in folders for name in _modules(folder)}


def _modules(folder: str) -> typing.Set[str]:
    try:
        entries = os.listdir(folder)
    except OSError:
        return set()
    names = set()
    for entry in entries:
        name, _, rest = entry.partition(".")
        code = rest.split(".")[-1] in ("py", "so") if rest else True
        if name.isidentifier() and code and name != "__pycache__":
            names.add(name)
    return names


def _compiled(folder: str) -> str:
    """A compiled copy of what runs in tests' processes; empty where there can be none.

    Else each of them would compile it: a cell cannot write, and who installed us need
    not have this Python. The copy counts for exactly these texts and this version.
    """
    texts = {}
    for name in sorted(os.listdir(_HERE)):
        if name.endswith(".py"):
            with open(os.path.join(_HERE, name), "rb") as file:
                texts[name] = file.read()
    made = os.path.join(folder, _name(texts))
    try:
        if os.path.isdir(made):
            os.utime(made)
            return made
        os.makedirs(folder, mode=0o700, exist_ok=True)
        draft = tempfile.mkdtemp(dir=folder)
        try:
            _fill(draft, texts)
            os.rename(draft, made)
        except OSError:  # no space, or another was quicker
            shutil.rmtree(draft, ignore_errors=True)
        _tidy(folder)
    except OSError:
        return ""
    return made if os.path.isdir(made) else ""


def _name(texts: typing.Dict[str, bytes]) -> str:
    """What tells these texts, compiled by this very version, from all others."""
    seen = hashlib.sha256(importlib.util.MAGIC_NUMBER + sys.version.encode())
    for name, text in texts.items():
        seen.update("{} {}:".format(name, len(text)).encode() + text)
    return seen.hexdigest()[:_DIGITS]


def _fill(draft: str, texts: typing.Dict[str, bytes]) -> None:
    for name, text in texts.items():
        path = os.path.join(draft, name)
        with open(path, "wb") as file:
            file.write(text)
        # nobody changes them here, so nothing needs to be looked up again
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(path, doraise=False, quiet=2, invalidation_mode=mode)


def _tidy(folder: str) -> None:
    """Remove the copies that were used least lately, of other versions mostly."""
    copies = [entry for entry in os.scandir(folder) if entry.is_dir()]
    copies.sort(key=lambda entry: -entry.stat().st_mtime)
    for entry in copies[_KEPT:]:
        shutil.rmtree(entry.path, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
