"""The server in an editor's extension: what is bundled, and how it is started."""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.observe.environments import environment
from tests.small import write

CLIENT = Path(__file__).parents[1] / "client-vscode"
SCRIPT = CLIENT / "scripts" / "bundle_server.py"
START = CLIENT / "tool" / "start.py"
PYTHONS = ("cp311", "cp312", "cp313", "cp314")
MINE = "cp{}{}".format(*sys.version_info)
LINUX, WINDOWS = "manylinux_2_17_x86_64", "win_amd64"
PROJECT = {
    "pyproject.toml": """
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"

        [project]
        name = "bonafix"
        version = "1"
        dependencies = [
            "pure",
            "penguin; sys_platform == 'linux'",
            "pane; sys_platform == 'win32'",
        ]

        [tool.hatch.build.targets.wheel]
        packages = ["server/bonafix"]
        """,
    "server/bonafix/__init__.py": "",
    "server/bonafix/zoo/specimen.py": "",
    "server/bonafix/cli/__init__.py": "",
    "server/bonafix/cli/main.py": """
        import json, os, sys

        import native, pure

        def main(arguments):
            print(json.dumps({
                "arguments": arguments, "path": sys.path, "native": native.TAG,
                "inherited": os.environ.get("PYTHONPATH"),
            }))
            return 7
        """,
}


def wheel(folder, name, tags, *requires, **files):
    """A wheel with a module and a test in it; `files` are added, or put in place."""
    info = f"{name}-1.dist-info"
    about = [f"Name: {name}", "Version: 1", *(f"Requires-Dist: {r}" for r in requires)]
    inside = {
        f"{name}/__init__.py": f"TAG = {tags.split('-')[0]!r}\n",
        f"{name}/tests/test_it.py": "",
        f"{name}/__init__.pyi": "",
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.4", *about, ""]),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tags}\n",
        f"{info}/licenses/LICENSE": f"the licence of {name}",
        f"{info}/RECORD": f"{name}/__init__.py,,\n",
        **files,
    }
    with zipfile.ZipFile(folder / f"{name}-1-{tags}.whl", "w") as archive:
        for path, text in inside.items():
            archive.writestr(path, text)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """All that the project needs on two platforms."""
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "pure", "py3-none-any", "native", "stable[fast]")
    wheel(folder, "stable", f"cp310-abi3-{LINUX}", "quick; extra == 'fast'")
    wheel(folder, "stable", f"cp310-abi3-{WINDOWS}", "slow; extra == 'safe'")
    wheel(folder, "quick", "py3-none-any")
    wheel(folder, "penguin", f"py3-none-{LINUX}")
    wheel(folder, "pane", "py3-none-any", "glass; platform_system == 'Windows'")
    wheel(folder, "glass", "py3-none-any")
    for python in PYTHONS:
        wheel(folder, "native", f"{python}-{python}-{LINUX}")
        wheel(folder, "native", f"{python}-{python}-{WINDOWS}")
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return write(tmp_path_factory.mktemp("project"), PROJECT)


def bundle(project, wheels, target="linux-x64"):
    """Run the script with nothing but these wheels to be had."""
    out = project / f"bundled-{target}"
    words = ["--project", project, "--out", out, "--cache", project / "cache"]
    done = subprocess.run(
        [sys.executable, SCRIPT, "--target", target, *words],
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


@pytest.fixture(scope="module")
def made(project, wheels):
    return bundle(project, wheels)[0]


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def start(bundled, *words, python=sys.executable, flags=("-I", "-S"), **options):
    """Start the bundle's server, or what stands for it."""
    return subprocess.run(
        [python, *flags, bundled / "tool" / "start.py", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


class TestBundle:
    def test_each_package_lies_where_its_wheels_belong(self, made):
        """What fits every Python once, what was compiled for one in its folder."""
        libs = made / "libs"
        packages = {
            folder.name: {one.name for one in folder.iterdir() if "-" not in one.name}
            for folder in libs.iterdir()
        }
        everywhere = {"bonafix", "pure", "stable", "quick", "penguin"}
        assert packages == {
            "common": everywhere,
            **{one: {"native"} for one in PYTHONS},
        }
        for python in PYTHONS:
            own = (libs / python / "native" / "__init__.py").read_text()
            assert own == f"TAG = {python!r}\n"

    def test_what_nobody_imports_stays_out(self, made):
        """Tests, stubs, lists of installed files, and what only `selftest` needs."""
        names = list(contents(made))
        unwanted = ("/tests/", ".pyi", "RECORD", "bonafix/zoo")
        assert [n for n in names if any(part in n for part in unwanted)] == []
        assert "libs/common/pure-1.dist-info/METADATA" in names

    def test_no_path_of_the_machine_is_in_it(self, made, project, wheels):
        """Whoever unpacks it does not learn where it was made."""
        places = [str(p).encode() for p in (project, wheels, CLIENT, sys.prefix)]
        found = contents(made).items()
        assert [n for n, data in found if any(p in data for p in places)] == []

    def test_every_licence_is_passed_on(self, made):
        """Of each package that is not ours."""
        notices = (made / "THIRD-PARTY-NOTICES.txt").read_text()
        for name in ("pure", "native", "stable", "quick", "penguin"):
            assert f"{name} 1\n\nthe licence of {name}\n" in notices
        assert "bonafix" not in notices

    def test_another_platform_gets_its_own_dependencies(self, project, wheels):
        """Markers are read as the target's, whatever this machine would say."""
        out, _ = bundle(project, wheels, "win32-x64")
        common = {one.name for one in (out / "libs" / "common").iterdir()}
        assert {"pane", "glass", "stable"} <= common
        assert {"penguin", "quick", "slow"}.isdisjoint(common)
        assert (out / "target").read_text() == "win32-x64"

    def test_only_what_has_changed_is_made_again(self, made, project, wheels, tmp_path):
        """The same sources: nothing; other sources, same wheels: nothing is fetched."""
        before = contents(made)
        assert "up to date" in bundle(project, wheels)[1]
        assert contents(made) == before
        (project / "server" / "bonafix" / "more.py").write_text("MORE = 1\n")
        out, said = bundle(project, tmp_path)  # there are no wheels any more
        assert "made in" in said
        assert (out / "libs" / "common" / "bonafix" / "more.py").is_file()
        assert (out / "libs" / "common" / "pure").is_dir()

    def test_nothing_may_hide_the_standard_library(self, tmp_path):
        """The bundle comes first on the import path: such a package stops the build."""
        write(tmp_path, PROJECT)
        text = PROJECT["pyproject.toml"].replace('"pure",', '"queue",')
        write(tmp_path, {"pyproject.toml": text})
        shelf = tmp_path / "shelf"
        shelf.mkdir()
        wheel(shelf, "queue", "py3-none-any")
        wheel(shelf, "penguin", f"py3-none-{LINUX}")
        with pytest.raises(AssertionError, match=r"queue.*would hide"):
            bundle(tmp_path, shelf)


class TestStart:
    def test_the_server_is_started_with_its_arguments(self, made):
        """Its own two folders first, then the library; its exit code is handed on."""
        done = start(made, "lsp", "-v")
        told = json.loads(done.stdout)
        assert (done.returncode, told["arguments"]) == (7, ["lsp", "-v"])
        assert told["native"] == MINE
        libs = made / "libs"
        assert told["path"][:2] == [str(libs / MINE), str(libs / "common")]
        rest = [place for place in told["path"][2:] if "packages" in place]
        assert rest == []

    @pytest.mark.parametrize("flags", [(), ("-I",), ("-S",), ("-P",)], ids=str)
    def test_nothing_of_the_project_gets_in(self, made, tmp_path, flags):
        """Not by the working folder, not by PYTHONPATH, however it was started."""
        names = ["native.py", "pure.py", "json.py", "bonafix/__init__.py"]
        evil = write(tmp_path, dict.fromkeys(names, "1/0"))
        env = {**os.environ, "PYTHONPATH": str(evil)}
        done = start(made, "lsp", flags=flags, cwd=evil, env=env)
        told = json.loads(done.stdout)
        assert told["native"] == MINE
        assert str(evil) not in told["path"]
        assert told["inherited"] == str(evil)  # the tests' own: handed on as it was

    def test_a_python_that_there_is_nothing_for_is_refused(self, made, tmp_path):
        """In one line that names it and those that would do."""
        shutil.copytree(made, tmp_path / "b")
        shutil.rmtree(tmp_path / "b" / "libs" / MINE)
        done = start(tmp_path / "b", "lsp")
        version = ".".join(map(str, sys.version_info[:3]))
        (line,) = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (3, "")
        assert line.startswith(f"bonafix: this Python is {version}")
        others = [f"3.{name[3:]}" for name in PYTHONS if name != MINE]
        assert line.endswith(f"it runs on {' or '.join(others)}")

    def test_a_python_that_is_too_old_says_so(self, made):
        """It can read the file at least, and nothing is imported."""
        done = start(made, "lsp", python=environment("python3.8"), flags=())
        (line,) = done.stderr.splitlines()
        assert line.startswith("bonafix: this Python is 3.8.")
        assert done.returncode == 3

    def test_older_ones_could_read_it_too(self):
        """Its syntax is that of the oldest that anybody still has."""
        ast.parse(START.read_text(), feature_version=(3, 7))

    def test_a_probe_tells_which_python_it_is(self, made):
        """What the extension asks before it starts the server."""
        told = json.loads(start(made, "--probe").stdout)
        version = ".".join(map(str, sys.version_info[:3]))
        assert told == {"executable": sys.executable, "version": version}

    def test_a_probe_loads_what_was_compiled(self, made, tmp_path):
        """It may be for another machine, or need a newer C library."""
        shutil.copytree(made, tmp_path / "b")
        module = tmp_path / "b" / "libs" / MINE / "native" / "__init__.py"
        module.write_text("raise ImportError('version GLIBC_2.99 not found')")
        done = start(tmp_path / "b", "--probe")
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.strip().endswith("version GLIBC_2.99 not found")
