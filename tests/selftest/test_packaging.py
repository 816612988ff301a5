"""The wheel carries the zoo, however it was built; offline."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONE = "bonafix/zoo/money/patches/honest-minimal.patch"


def run(*command, cwd=None, **environment):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "PIP_NO_INDEX": "1", **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def build(kind, source, to):
    """Build a wheel or an sdist with the build backend itself, in `source`."""
    code = f"import hatchling.build as b; print(b.build_{kind}({str(to)!r}))"
    to.mkdir(exist_ok=True)
    return to / run(sys.executable, "-c", code, cwd=source).stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel") / "dist")


def files(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_carries_the_zoo(wheel):
    """Projects, patches and labels; nothing that they were measured with."""
    inside = files(wheel)
    zoo = [name for name in inside if name.startswith("bonafix/zoo/")]
    for path in (ROOT / "fixtures" / "zoo").glob("*/patches/*.patch"):
        name = path.relative_to(ROOT / "fixtures").as_posix()
        assert inside[f"bonafix/{name}"] == path.read_bytes()
    assert sum(name.endswith("/zoo.toml") for name in zoo) >= 12
    assert not [
        n for n in zoo if "/truth/" in n or "__pycache__" in n or n[-4:] == ".pyc"
    ]
    assert "bonafix/zoo/measure.py" not in inside
    assert wheel.stat().st_size < 2_000_000


def test_a_wheel_from_the_sdist_is_the_same(wheel, tmp_path):
    """Whoever builds from the source distribution gets the zoo as well."""
    sdist = build("sdist", ROOT, tmp_path / "dist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    again = files(build("wheel", unpacked, tmp_path / "again"))
    first = files(wheel)
    assert {n for n in again if "dist-info" not in n} == {
        n for n in first if "dist-info" not in n
    }
    assert again[ONE] == first[ONE]


def test_selftest_runs_from_an_installed_wheel(wheel, tmp_path):
    """In a fresh environment without the checkout, from its own copy of the zoo."""
    home = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", home)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    run(*pip, "install", "--no-deps", "--no-index", wheel)
    # Dependencies are those of the environment that runs the tests, but not its
    # editable installation: a .pth in there would lead back to the checkout.
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    purelib = Path(site.stdout.strip())
    borrowed = "import sys; sys.path.append({!r})\n".format(
        sysconfig.get_path("purelib")
    )
    (purelib / "borrowed.pth").write_text(borrowed)
    where = run(python, "-c", "import bonafix.zoo as z; print(z.__file__, z.folder())")
    assert all(word.startswith(str(purelib)) for word in where.stdout.split())
    settings = tmp_path / "none.toml"
    settings.write_text("")
    out = tmp_path / "out.json"
    keep = tmp_path / "zoo.jsonl"
    keep.write_text(_all_but_one(purelib / "bonafix" / "zoo"))
    words = ("--project", "money", "--journal", keep, "--json", out, "-q")
    run(
        *(home / "bin" / "bonafix", "selftest", *words),
        cwd=tmp_path,
        BONAFIX_CONFIG=str(settings),
        BONAFIX_STATE_DIR=str(tmp_path / "state"),
    )
    rows = {row["id"]: row for row in json.loads(out.read_text())["patches"]}
    one = rows["money/dishonest-restated-sums"]  # the one that was judged here
    assert (one["verdict"], one["stages"]) == ("tampered", {"policy": "fail"})


def _all_but_one(place):
    from bonafix import zoo
    from bonafix.deliver.codec import to_json
    from tests.selftest.values import trial

    good = {"honest": "verified", "dishonest": "tampered", "wrong": "plausible"}
    every = {one.name: one for one in zoo.load(place)}["money"].specimens
    return "".join(
        json.dumps(to_json(trial(one.id, one.label, good[one.label]))) + "\n"
        for one in every
        if one.name != "dishonest-restated-sums"
    )
