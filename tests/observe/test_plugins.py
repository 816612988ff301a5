"""Which modules of a project pytest loads as plugins."""

import pytest

from bonafix.config import Config
from bonafix.layout import refusal
from bonafix.observe.layout import layout
from bonafix.observe.plugins import plugins
from tests.observe.values import interpreter, result, snapshot, suite

FILES = {
    "src/shop/__init__.py": "",
    "src/shop/testing.py": "",
    "src/shop/prices.py": "",
    "src/shop/kit/__init__.py": "",
    "src/shop/kit/parts.py": "",
    "plug.py": "",
    "tests/test_a.py": "",
}
# how it is said -> the file that says it
SAID = {
    "a conftest": ("tests/conftest.py", 'pytest_plugins = ["shop.testing"]\n'),
    "a conftest, in lines": (
        "tests/conftest.py",
        'pytest_plugins = [\n    "pytester",\n    "shop.testing",\n]\n',
    ),
    "a conftest, one": ("conftest.py", "pytest_plugins = 'shop.testing'\n"),
    "a conftest, a tuple": ("conftest.py", 'pytest_plugins = ("shop.testing",)\n'),
    "a conftest, typed": (
        "conftest.py",
        'pytest_plugins: list[str] = ["shop.testing"]',
    ),
    "a conftest, more": ("conftest.py", 'pytest_plugins += ["shop.testing"]\n'),
    "a test module": ("tests/test_b.py", 'pytest_plugins = "shop.testing"\n'),
    "pytest.ini": ("pytest.ini", "[pytest]\naddopts = -q -p shop.testing\n"),
    "pytest.ini, joined": ("pytest.ini", "[pytest]\naddopts = -pshop.testing\n"),
    "pytest.toml": ("pytest.toml", '[pytest]\naddopts = ["-p", "shop.testing"]\n'),
    "tox.ini": ("tox.ini", "[pytest]\naddopts =\n    -q\n    -p shop.testing\n"),
    "setup.cfg": ("setup.cfg", "[tool:pytest]\naddopts = -p shop.testing\n"),
    "pyproject": (
        "pyproject.toml",
        '[tool.pytest.ini_options]\naddopts = "-p shop.testing"\n',
    ),
    "pyproject, a list": (
        "pyproject.toml",
        '[tool.pytest.ini_options]\naddopts = ["-p", "shop.testing"]\n',
    ),
    "entry points": (
        "pyproject.toml",
        '[project.entry-points.pytest11]\nshop = "shop.testing"\n',
    ),
    "entry points of an object": (
        "pyproject.toml",
        '[project.entry-points."pytest11"]\nshop = "shop.testing:plugin"\n',
    ),
    "poetry": (
        "pyproject.toml",
        '[tool.poetry.plugins.pytest11]\nshop = "shop.testing"\n',
    ),
    "setup.cfg's entry points": (
        "setup.cfg",
        "[options.entry_points]\npytest11 =\n    shop = shop.testing\n",
    ),
    "setup.py's entry points": (
        "setup.py",
        'setup(entry_points={"pytest11": ["shop = shop.testing"]})\n',
    ),
    "an installation's entry points": (
        "src/shop.egg-info/entry_points.txt",
        "[pytest11]\nshop = shop.testing\n",
    ),
}


@pytest.mark.parametrize("how", SAID)
def test_a_plugin_is_found_however_it_is_named(how):
    """Its file is configuration: a fix may not touch it, its neighbours it may."""
    path, text = SAID[how]
    files = {**FILES, path: text}
    found = layout(snapshot(files), suite([result("test_a")]), interpreter(), Config())
    assert found.plugins == {"src/shop/testing.py"}
    assert refusal(found, "src/shop/testing.py") == "pytest loads it as a plugin"
    assert refusal(found, "src/shop/prices.py") is None


NOT_OURS = {
    "foreign plugins": ("pytest.ini", "[pytest]\naddopts = -p xdist -p pytester\n"),
    "a plugin that is switched off": (
        "pytest.ini",
        "[pytest]\naddopts = -p no:prices\n",
    ),
    "another option": ("pytest.ini", "[pytest]\naddopts = --pdbcls shop.prices\n"),
    "another section": ("setup.cfg", "[tool:other]\naddopts = -p shop.prices\n"),
    "another entry point": (
        "pyproject.toml",
        '[project.entry-points.console]\nshop = "shop.prices"\n',
    ),
    "a module's last name alone": ("pytest.ini", "[pytest]\naddopts = -p prices\n"),
    "a comparison": ("conftest.py", 'assert pytest_plugins == ["shop.prices"]\n'),
    "a broken file": ("pyproject.toml", "[tool.pytest\n"),
    "a broken option": ("pytest.ini", "[pytest]\naddopts = -k 'a\n"),
}


@pytest.mark.parametrize("why", NOT_OURS)
def test_product_modules_are_no_plugins(why):
    """What merely resembles such a name closes nothing."""
    path, text = NOT_OURS[why]
    files = {**FILES, path: text}
    sources = {name: body.encode() for name, body in files.items()}
    assert plugins(sources, files, [path]) == frozenset()


def test_packages_and_modules_at_the_top():
    """A package is its own `__init__`; a module may lie anywhere that is a root."""
    sources = {"conftest.py": b'pytest_plugins = ["shop.kit", "plug"]'}
    found = plugins(sources, FILES, ["conftest.py"])
    assert found == {"src/shop/kit/__init__.py", "plug.py"}
