"""What an interpreter is and has, as one line of JSON; run as a script.

It imports neither pytest nor its plugins: their versions are in their metadata.
"""

from __future__ import annotations

import json
import os
import platform
import site
import sys
import typing
from importlib import metadata

_MARK = "bonafix-facts:"  # start-up files may print lines of their own


def main() -> None:
    """Print the facts."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = [entry for entry in sys.path if os.path.abspath(entry) != here]
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


if __name__ == "__main__":
    main()
