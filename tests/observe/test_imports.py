"""The copy is what runs, however the project is installed."""

import shutil
import subprocess

import pytest

from bonafix.errors import ForeignCodeError
from bonafix.observe.run import require_usable
from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import config, observe, outcomes, write

SETUPTOOLS = """
    [build-system]
    requires = ["setuptools"]
    build-backend = "setuptools.build_meta"

    [project]
    name = "demo"
    version = "1"
"""
HATCHLING = """
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "demo"
    version = "1"
"""
TESTS = """
    import subprocess
    import sys

    import demo.calc


    def test_add():
        assert demo.calc.add(1, 2) == 3


    def test_in_a_process():
        code = "import demo.calc; print(demo.calc.add(1, 2))"
        run = subprocess.run([sys.executable, "-c", code], stdout=-1, check=True)
        assert run.stdout.split() == [b"3"]
"""
BUGGY = "def add(a, b): return a - b\n"
FIXED = b"def add(a, b): return a + b\n"
# how it is installed -> (build file, folder of the package, extra arguments of pip)
LAYOUTS = {
    "setuptools src": (SETUPTOOLS, "src/", ()),
    "setuptools flat": (SETUPTOOLS, "", ()),
    "setuptools strict": (
        SETUPTOOLS,
        "src/",
        ("--config-settings", "editable_mode=strict"),
    ),
    "hatchling dev-mode-exact": (
        HATCHLING + "\n    [tool.hatch.build]\n    dev-mode-exact = true\n",
        "src/",
        (),
    ),
}


def environment(folder, builders):
    """A virtual environment that has what `builders` has, but its own packages."""
    subprocess.run(
        [str(builders), "-m", "venv", "--without-pip", str(folder)], check=True
    )
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (theirs,) = (builders.parents[1] / "lib").glob("python*/site-packages")
    (packages / "builders.pth").write_text(f"{theirs}\n")
    return folder / "bin" / "python", packages


def install(builders, chosen, root, *options):
    """Install the project with pip, editable, without any network."""
    done = subprocess.run(
        [
            *(str(builders), "-m", "pip", "--python", str(chosen), "install"),
            *("--quiet", "--no-build-isolation", "--no-deps", "--no-index"),
            *(*options, "-e", str(root)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def project(root, build, package):
    """A project with one package, whose function is wrong."""
    return write(
        root,
        {
            "pyproject.toml": build,
            f"{package}demo/__init__.py": "",
            f"{package}demo/calc.py": BUGGY,
            "tests/test_demo.py": TESTS,
        },
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_editable_install_runs_the_copy(layout, tmp_path):
    """A patch laid over the copy takes effect, in the tests and in their processes."""
    build, package, options = LAYOUTS[layout]
    root = project(tmp_path / "project", build, package)
    # some keep their environment in the project, some elsewhere
    where = root / ".venv" if "src" in layout else tmp_path / "venv"
    try:
        builders = python("builders")
    except MissingError:
        # without build tools: the path file that they would write
        chosen, packages = environment(where, plain())
        (packages / "demo.pth").write_text(f"{root / package}\n")
    else:
        chosen, packages = environment(where, builders)
        install(builders, chosen, root, *options)
    run = observe(root, config(chosen), files={f"{package}demo/calc.py": FIXED})
    require_usable(run)
    assert set(outcomes(run).values()) == {"passed"}, run.output


def by_hand(packages, name, folder):
    """An import hook such as build backends write."""
    (packages / "hand_finder.py").write_text(
        "import importlib.util\n"
        f"MAPPING = {{{name!r}: {str(folder)!r}}}\n"
        "class Finder:\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        "        if name not in MAPPING:\n"
        "            return None\n"
        "        file = MAPPING[name] + '/__init__.py'\n"
        "        return importlib.util.spec_from_file_location(\n"
        "            name, file, submodule_search_locations=[MAPPING[name]])\n"
    )
    line = "import sys, hand_finder; sys.meta_path.append(hand_finder.Finder)\n"
    (packages / "hand.pth").write_text(line)


def test_a_finder_written_by_hand(tmp_path):
    """A mapping on `sys.meta_path` is turned towards the copy."""
    root = project(tmp_path / "project", SETUPTOOLS, "lib/")
    chosen, packages = environment(tmp_path / "venv", plain())
    by_hand(packages, "demo", root / "lib" / "demo")
    run = observe(root, config(chosen), files={"lib/demo/calc.py": FIXED})
    require_usable(run)
    assert set(outcomes(run).values()) == {"passed"}, run.output


def test_another_projects_editable_install_can_be_read(tmp_path):
    """What the environment imports from elsewhere is there, confined or not."""
    write(tmp_path / "other", {"helper/__init__.py": "ONE = 1\n"})
    root = write(
        tmp_path / "project",
        {"test_a.py": "import helper\n\ndef test_a(): assert helper.ONE == 1\n"},
    )
    chosen, packages = environment(tmp_path / "venv", plain())
    by_hand(packages, "helper", tmp_path / "other" / "helper")
    run = observe(root, config(chosen))
    require_usable(run)
    assert set(outcomes(run).values()) == {"passed"}, run.output


def test_an_installed_build_is_not_what_is_tested(tmp_path):
    """Where the package is installed as a copy, the sources come first all the same."""
    root = project(tmp_path / "project", SETUPTOOLS, "src/")
    chosen, packages = environment(tmp_path / "venv", plain())
    shutil.copytree(root / "src" / "demo", packages / "demo")
    run = observe(
        root,
        config(chosen),
        files={"src/demo/calc.py": FIXED},
        select=["tests/test_demo.py::test_add"],
    )
    require_usable(run)
    assert set(outcomes(run).values()) == {"passed"}, run.output


def test_foreign_code_is_refused(tmp_path):
    """A module that was loaded from the user's own tree is named, and the run refused.

    Confined, it cannot even be read; so this runs with confinement switched off.
    """
    root = project(tmp_path / "project", SETUPTOOLS, "src/")
    chosen, packages = environment(tmp_path / "venv", plain())
    source = str(root / "src")
    line = f"import sys; sys.path.insert(0, {source!r}); import demo.calc\n"
    (packages / "early.pth").write_text(line)
    run = observe(root, config(chosen, confine="off"))
    assert run.foreign == (
        f"demo ({source}/demo/__init__.py)",
        f"demo.calc ({source}/demo/calc.py)",
    )
    with pytest.raises(ForeignCodeError, match=r"demo\.calc"):
        require_usable(run)


def test_python_path_is_turned(tmp_path, monkeypatch):
    """An import path into the user's tree becomes one into the copy."""
    root = project(tmp_path / "project", SETUPTOOLS, "code/")
    monkeypatch.setenv("PYTHONPATH", str(root / "code"))
    run = observe(root, files={"code/demo/calc.py": FIXED})
    require_usable(run)
    assert set(outcomes(run).values()) == {"passed"}, run.output


def test_pythonpath_setting_of_pytest(tmp_path):
    """Without any installation, pytest's own `pythonpath` leads into the copy."""
    build = SETUPTOOLS + '\n    [tool.pytest.ini_options]\n    pythonpath = ["src"]\n'
    root = project(tmp_path / "project", build, "src/")
    run = observe(
        root,
        files={"src/demo/calc.py": FIXED},
        select=["tests/test_demo.py::test_add"],
    )
    require_usable(run)
    assert set(outcomes(run).values()) == {"passed"}, run.output
