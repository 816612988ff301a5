"""A wheel and a platform in; the wheels of all that it needs there, by Python, out.

pip chooses and fetches. It cannot be asked for another platform's dependencies, though:
it reads their markers as if they were meant for the machine that it runs on. So they
are walked here, and what pip left out for that reason is asked for by name.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The oldest first: its choice of versions is the choice for all of them."""

ANY_PYTHON = frozenset({"sandlock"})
"""Tagged for one Python, but alike in all: a library for ctypes, found by a pattern."""

_GLIBC = 28  # of 2.x: what VS Code's own server needs on Linux
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Platform:
    """What pip calls a platform, and what markers say about it."""

    tags: tuple[str, ...]
    system: str  # platform_system
    name: str  # sys_platform
    machine: str

    def markers(self, python: str) -> dict[str, str]:
        """The variables of requirements' markers."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": "nt" if self.name == "win32" else "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.system,
            "platform_version": "",
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": self.name,
        }


def _linux(machine: str) -> Platform:
    newest_first = [f"manylinux_2_{n}_{machine}" for n in range(_GLIBC, 4, -1)]
    tags = (*newest_first, f"manylinux2014_{machine}", f"linux_{machine}")
    return Platform(tags, "Linux", "linux", machine)


def _mac(machine: str) -> Platform:
    tags = (f"macosx_11_0_{machine}", f"macosx_10_13_{machine}")
    return Platform(tags, "Darwin", "darwin", machine)


# The names are those of `vsce package --target`.
PLATFORMS: Mapping[str, Platform] = {
    "linux-x64": _linux("x86_64"),
    "linux-arm64": _linux("aarch64"),
    "darwin-x64": _mac("x86_64"),
    "darwin-arm64": _mac("arm64"),
    "win32-x64": Platform(("win_amd64",), "Windows", "win32", "AMD64"),
    "win32-arm64": Platform(("win_arm64",), "Windows", "win32", "ARM64"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One wheel file, and what its metadata say."""

    path: Path
    name: str
    version: str
    requires: tuple[Requirement, ...]
    everywhere: bool
    """Whether one file serves every Python."""

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """The wheel at `path`."""
        name, version, _, tags = parse_wheel_filename(path.name)
        pure = any(tag.abi in {"none", "abi3"} for tag in tags)
        return cls(
            path=path,
            name=name,
            version=str(version),
            requires=tuple(map(Requirement, _required(path))),
            everywhere=pure or name in ANY_PYTHON,
        )


def fetch(root: Wheel, target: str, folder: Path) -> None:
    """Fill `folder` with a folder of wheels for each Python: `cp311` has them all.

    Raises:
        SystemExit: there is a dependency without a wheel for that platform.
    """
    platform = PLATFORMS[target]
    oldest, *newer = PYTHONS
    wanted = [str(one) for one in _applying(root, frozenset(), platform)]
    for _ in range(_ROUNDS):
        _pip(oldest, platform, place(folder, oldest), wanted)
        _, missing = needed(root, target, folder)
        if not missing:
            break
        wanted += missing
    found, _ = needed(root, target, folder)
    pins = [f"{one.name}=={one.version}" for one in found if not one.everywhere]
    for python in newer if pins else ():
        _pip(python, platform, place(folder, python), ["--no-deps", *pins])


def needed(root: Wheel, target: str, folder: Path) -> tuple[list[Wheel], list[str]]:
    """The wheels that `root` needs on the target, and the requirements without one."""
    platform = PLATFORMS[target]
    there = {wheel.name: wheel for wheel in wheels(place(folder, PYTHONS[0]))}
    found: dict[str, Wheel] = {}
    missing: list[str] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(_applying(root, frozenset(), platform))
    while waiting:
        wish = waiting.pop()
        name, extras = canonicalize_name(wish.name), frozenset(wish.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        if name in there:
            found[name] = there[name]
            waiting += _applying(there[name], extras, platform)
        else:
            missing.append(str(wish))
    return sorted(found.values(), key=lambda wheel: wheel.name), missing


def wheels(folder: Path) -> list[Wheel]:
    """The wheels in a folder, by name."""
    return [Wheel.read(path) for path in sorted(folder.glob("*.whl"))]


def place(folder: Path, python: str) -> Path:
    """The folder for one Python: `cp311`."""
    return folder / f"cp{python.replace('.', '')}"


def _applying(
    wheel: Wheel, extras: frozenset[str], platform: Platform
) -> Iterator[Requirement]:
    """What it requires there, under any of the Pythons; without the markers."""
    for wish in wheel.requires:
        marker = wish.marker
        if marker is None or any(
            marker.evaluate({**platform.markers(python), "extra": extra})
            for python in PYTHONS
            for extra in (extras or {""})
        ):
            plain = Requirement(str(wish))
            plain.marker = None
            yield plain


def _required(path: Path) -> Sequence[str]:
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode("utf-8")
    return HeaderParser().parsestr(text).get_all("Requires-Dist") or []


def _pip(python: str, platform: Platform, to: Path, wanted: Sequence[str]) -> None:
    asked = [word for tag in platform.tags for word in ("--platform", tag)]
    options = ["-qq", "--only-binary=:all:", "--implementation", "cp"]
    place = ["--python-version", python, "--dest", str(to)]
    command = [sys.executable, "-m", "pip", "download", *options, *place, *asked]
    done = subprocess.run([*command, *wanted], check=False)
    if done.returncode:
        where = f"Python {python} on {platform.name} {platform.machine}"
        raise SystemExit(f"bundle_server.py: a dependency has no wheel for {where}")
