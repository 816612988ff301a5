"""Put the server and all that it needs into `bundled/`, for the packager to take along.

    python scripts/bundle_server.py [--target linux-x64]

`bundled/libs/common` has what runs on any Python, `bundled/libs/cp311` and so on what
was compiled for one, `bundled/tool/start.py` chooses. Wheels are unpacked here and not
installed by pip, which would write this machine's paths into them. The wheels are kept
in a cache until the dependencies change; nothing is written while nothing has changed,
so that what `make` makes of it is not made again either.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from email.parser import HeaderParser
from pathlib import Path

import wheelhouse
from wheelhouse import PLATFORMS, PYTHONS, Wheel

HERE = Path(__file__).resolve().parent
CLIENT = HERE.parent
OWN = "bonafix"
_LICENCE = re.compile(r"(^|/)(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)


def main() -> int:
    """Make the folder anew if anything that goes into it has changed."""
    chosen = _arguments()
    began = time.monotonic()
    stamp = chosen.out / "stamp"
    now = _digest(_sources(chosen.project), chosen.target)
    if stamp.is_file() and stamp.read_text() == now:
        return _say("up to date", chosen.out, began)
    beside = _made(chosen.out.parent)  # on the same disk: it is moved there
    with tempfile.TemporaryDirectory(prefix=".bundled-", dir=beside) as folder:
        fresh = Path(folder, "bundled")
        _bundle(chosen.project, chosen.target, chosen.cache, fresh)
        (fresh / "stamp").write_text(now)
        if chosen.out.exists():
            chosen.out.rename(Path(folder, "old"))
        fresh.rename(chosen.out)
    return _say("made", chosen.out, began)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=sorted(PLATFORMS), default=host())
    parser.add_argument("--project", type=Path, default=CLIENT.parent)
    parser.add_argument("--out", type=Path, default=CLIENT / "bundled")
    parser.add_argument(
        "--cache", type=Path, default=CLIENT.parent / ".cache" / "wheels"
    )
    return parser.parse_args()


def host() -> str:
    """This machine, by the packager's name."""
    system = {"Windows": "win32"}.get(platform.system(), platform.system().lower())
    arm = platform.machine().lower() in {"arm64", "aarch64"}
    return f"{system}-{'arm64' if arm else 'x64'}"


def _bundle(project: Path, target: str, cache: Path, to: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        own = Wheel.read(_built(project, Path(folder)))
        house = _fetched(own, target, cache)
        everything, _ = wheelhouse.needed(own, target, house)
        common = to / "libs" / "common"
        for wheel in (own, *(one for one in everything if one.everywhere)):
            unpack(wheel.path, common)
    compiled = {wheel.name for wheel in everything if not wheel.everywhere}
    for python in PYTHONS:
        one = wheelhouse.place(to / "libs", python)
        one.mkdir()
        for wheel in wheelhouse.wheels(wheelhouse.place(house, python)):
            if wheel.name in compiled:
                unpack(wheel.path, one)
        _refuse_shadows(one, common)
    (to / "tool").mkdir()
    shutil.copyfile(CLIENT / "tool" / "start.py", to / "tool" / "start.py")
    oldest = wheelhouse.place(to / "libs", PYTHONS[0])
    (to / "THIRD-PARTY-NOTICES.txt").write_text(_notices(common, oldest))
    (to / "target").write_text(target)


def _built(project: Path, to: Path) -> Path:
    """The project's own wheel, by its build backend: no environment, no network."""
    code = "import sys, hatchling.build as b; print(b.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(to)],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return to / done.stdout.split()[-1]


def _fetched(own: Wheel, target: str, cache: Path) -> Path:
    """The dependencies' wheels; fetched once for as long as they are the same."""
    words = [*map(str, own.requires), *PYTHONS, (HERE / "wheelhouse.py").read_text()]
    key = hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
    house = _made(cache) / f"{target}-{key}"
    if not house.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            wheelhouse.fetch(own, target, Path(folder))
            shutil.copytree(folder, house.with_suffix(".part"), dirs_exist_ok=True)
        house.with_suffix(".part").rename(house)
    return house


# ---------------------------------------------------------------------- unpacking


def unpack(wheel: Path, to: Path) -> None:
    """What of a wheel is imported, with its metadata and licences, below `to`."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = _placed(name)
            if path is None or name.endswith("/"):
                continue
            file = to / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(archive.read(name))


def _placed(name: str) -> str | None:
    """Where a wheel's member belongs below the import root; None: nowhere."""
    parts = name.split("/")
    if parts[0].endswith(".data"):  # scripts, headers: nobody would call them
        parts = parts[2:] if parts[1] in {"purelib", "platlib"} else []
    if not parts or "__pycache__" in parts or ".." in parts:
        return None
    needless = (
        parts[-1].endswith((".pyc", ".pyi"))
        or (parts[0].endswith(".dist-info") and parts[-1] == "RECORD")  # not so here
        or parts[1:2] in (["tests"], ["test"])
        or parts[:2] == [OWN, "zoo"]  # for `selftest`, which no editor runs
    )
    return None if needless else "/".join(parts)


def _refuse_shadows(*folders: Path) -> None:
    """These folders come first on the import path: nothing may hide the library."""
    names = {one.name.split(".")[0] for folder in folders for one in folder.iterdir()}
    if hidden := names & sys.stdlib_module_names:
        raise SystemExit(f"bundle_server.py: {hidden} would hide the standard library")


# ----------------------------------------------------------------------- licences


def _notices(*folders: Path) -> str:
    found = [info for one in folders for info in one.glob("*.dist-info")]
    others = [one for one in sorted(found) if not one.name.startswith(f"{OWN}-")]
    return "\n".join(map(_notice, others))


def _notice(info: Path) -> str:
    """The texts of its licence, or what its metadata say where it comes without."""
    about = HeaderParser().parsestr((info / "METADATA").read_text(encoding="utf-8"))
    files = sorted(path for path in info.rglob("*") if _is_licence(path, info))
    texts = [path.read_text(encoding="utf-8").strip() for path in files]
    stated = about["License-Expression"] or about["License"] or _classified(about)
    if not texts and not stated:
        raise SystemExit(f"bundle_server.py: {info.name} says nothing of its licence")
    body = "\n\n".join(texts) or f"Licence: {stated}"
    return f"{about['Name']} {about['Version']}\n\n{body}\n\n{'-' * 72}\n"


def _is_licence(path: Path, info: Path) -> bool:
    return path.is_file() and bool(_LICENCE.search(path.relative_to(info).as_posix()))


def _classified(about: Iterable[str]) -> str:
    found = about.get_all("Classifier") or []
    return ", ".join(c.rpartition(" :: ")[2] for c in found if c.startswith("License"))


# ------------------------------------------------------------------ what goes in


def _sources(project: Path) -> Iterator[Path]:
    """All that the folder is made of, but for other people's wheels."""
    yield from (project / "pyproject.toml", CLIENT / "tool" / "start.py")
    yield from sorted(HERE.glob("*.py"))
    for path in sorted((project / "server").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _digest(files: Iterable[Path], target: str) -> str:
    found = hashlib.sha256(target.encode())
    for path in files:
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say(what: str, out: Path, began: float) -> int:
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    target = (out / "target").read_text()
    took = time.monotonic() - began
    print(  # noqa: T201 - the build's own report
        f"server for {target}: {what} in {took:.1f} s, "
        f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB unpacked"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
