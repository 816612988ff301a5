"""Which files are product, and which are tests."""

import pytest

from bonafix.config import Config
from bonafix.domain import CollectionError, Place
from bonafix.layout import refusal
from bonafix.observe.layout import layout
from tests.observe.values import interpreter, result, snapshot, suite

# what is there -> the package roots that are found
ROOTS = {
    "a module": ({"calc.py": "", "setup.py": "", "test_calc.py": ""}, ("calc.py",)),
    "a package": (
        {"shop/__init__.py": "", "docs/conf.py": "", "tests/test_a.py": ""},
        ("shop",),
    ),
    "src": ({"src/shop/__init__.py": "", "tests/test_a.py": ""}, ("src",)),
    "hatch": (
        {
            "pyproject.toml": """
                [tool.hatch.build.targets.wheel]
                packages = ["server/shop"]
            """,
            "server/shop/__init__.py": "",
            "other/__init__.py": "",
        },
        ("server/shop",),
    ),
    "setuptools find": (
        {
            "pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["lib"]\n',
            "lib/shop/a.py": "",
        },
        ("lib",),
    ),
    "setuptools package-dir": (
        {
            "pyproject.toml": """
                [tool.setuptools]
                packages = ["shop", "shop.deep"]
                package-dir = {"" = "python"}
            """,
            "python/shop/deep/a.py": "",
        },
        ("python/shop", "python/shop/deep", "python"),
    ),
    "py-modules": (
        {"pyproject.toml": '[tool.setuptools]\npy-modules = ["a"]\n', "a.py": ""},
        ("a.py",),
    ),
    "setup.cfg": (
        {
            "setup.cfg": """
[options]
package_dir =
    = code
packages = find:
[options.packages.find]
where = code
            """,
            "code/shop/a.py": "",
        },
        ("code",),
    ),
    "poetry": (
        {
            "pyproject.toml": """
                [tool.poetry]
                packages = [{include = "shop", from = "lib"}]
            """,
            "lib/shop/a.py": "",
        },
        ("lib/shop",),
    ),
    "uv": (
        {
            "pyproject.toml": '[tool.uv.build-backend]\nmodule-root = "python"\n',
            "python/shop/a.py": "",
        },
        ("python",),
    ),
    "the root is declared": (
        {
            "pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["."]\n',
            "shop/__init__.py": "",
            "docs/a.py": "",
        },
        ("shop",),
    ),
    "declared but not there": (
        {
            "pyproject.toml": '[tool.hatch.build]\npackages = ["gone"]\n',
            "shop/__init__.py": "",
        },
        ("shop",),
    ),
    "broken configuration": ({"pyproject.toml": "[", "calc.py": ""}, ("calc.py",)),
}


def made(files, run=None, config=None, **facts):
    """The layout of a project with those files."""
    return layout(
        snapshot(files), run or suite([]), interpreter(**facts), config or Config()
    )


@pytest.mark.parametrize("kind", ROOTS)
def test_package_roots(kind):
    """They are declared, or else guessed from what is there."""
    files, roots = ROOTS[kind]
    assert made(files).package_roots == roots


def test_what_is_executed_is_product():
    """Code that tests execute can be fixed, wherever it lies."""
    files = {"src/a/b.py": "", "parts/x/__init__.py": "", "parts/x/y.py": ""}
    run = suite([result("test")], {"test": {"parts/x/y.py": [1], "tests/t.py": [1]}})
    assert made(files, run).package_roots == ("src", "parts/x")


def test_settings_decide_the_roots():
    """What the settings name replaces what would be found."""
    files = {"src/a/b.py": "", "calc.py": ""}
    assert made(files, config=Config(packages=("a/",))).package_roots == ("a",)


def test_tests_by_name_folder_and_collection():
    """Tests are what is named, placed or collected like one, and what settings name."""
    files = {
        "shop/__init__.py": "",
        "shop/a.py": "",
        "shop/checks.py": "",
        "shop/conftest.py": "",
        "shop/test_b.py": "",
        "tests/data/x.json": "",
        "spec/c_spec.py": "",
        "tests/test_a.py": "",
    }
    collected = result("test_x", test="shop/checks.py")
    run = suite([collected, result("test_y")])
    found = made(files, run, Config(tests=("spec/*",)))
    assert found.tests == {
        *("shop/checks.py", "shop/conftest.py", "shop/test_b.py"),
        *("tests/data/x.json", "tests/test_a.py", "spec/c_spec.py"),
    }
    assert found.collected == {"shop/checks.py", "tests/test_a.py"}
    assert refusal(found, "shop/a.py") is None
    assert refusal(found, "shop/checks.py")


def test_an_example_in_the_documentation_does_not_seal_its_module():
    """A product module stays product when its examples are tests."""
    from dataclasses import replace

    example = replace(result("shop.a.f", test="shop/a.py"), style="doctest")
    found = made({"shop/__init__.py": "", "shop/a.py": ""}, suite([example]))
    assert found.collected == frozenset()
    assert refusal(found, "shop/a.py") is None


def test_inherited_tests_seal_their_base():
    """The file that defines an inherited test is a test, too."""
    from dataclasses import replace

    inherited = replace(result("test_x"), definition=Place("shop/mixins.py", 3))
    files = {"shop/__init__.py": "", "shop/mixins.py": "", "tests/test_a.py": ""}
    assert made(files, suite([inherited])).collected == {
        "shop/mixins.py",
        "tests/test_a.py",
    }


def test_uncollected_files_are_tests():
    """A file that pytest tried to collect is a test file."""
    error = CollectionError(id="checks.py", message="")
    run = suite([], collection_errors=(error,))
    assert made({"checks.py": "", "calc.py": ""}, run).collected == {"checks.py"}


def test_shadowed_names_are_not_the_projects_own():
    """A fix may extend the project's own package, but not add another `json`."""
    found = made(
        {"src/shop/a.py": "", "src/tool.py": ""},
        stdlib=frozenset({"json"}),
        installed=frozenset({"requests", "shop", "tool"}),
    )
    assert found.shadowed == {"json", "requests"}


def test_opened_files_are_passed_on():
    """The data that the baseline saw tests read is known to the policy."""
    run = suite([], opened={"data.json": frozenset({""})})
    assert made({"data.json": ""}, run).opened == {"data.json"}


def test_helpers_beside_tests_of_another_folder_are_tests():
    """Where the product lies elsewhere, what lies with the tests is theirs."""
    files = {
        "shop/__init__.py": "",
        "shop/prices.py": "",
        "checks/helpers.py": "",
        "checks/deep/more.py": "",
        "checks/check_prices.py": "",
        "scripts/other.py": "",
    }
    ran = {"shop/prices.py": [1], "checks/helpers.py": [1], "checks/deep/more.py": [1]}
    run = suite([result("test", test="checks/check_prices.py")], {"test": ran})
    found = made(files, run)
    assert {"checks/helpers.py", "checks/deep/more.py"} <= found.tests
    assert found.package_roots == ("shop",)
    assert refusal(found, "checks/helpers.py")
    assert refusal(found, "shop/prices.py") is None


def test_product_beside_its_tests_stays_product():
    """A folder with both, and nothing else that is executed, holds the product."""
    files = {"lab/prices.py": "", "lab/test_prices.py": "", "tool.py": ""}
    run = suite(
        [result("test", test="lab/test_prices.py")], {"test": {"lab/prices.py": [1]}}
    )
    found = made(files, run)
    assert refusal(found, "lab/prices.py") is None
    package = {"shop/__init__.py": "", "shop/prices.py": "", "shop/test_prices.py": ""}
    run = suite(
        [result("test", test="shop/test_prices.py")], {"test": {"shop/prices.py": [1]}}
    )
    assert refusal(made(package, run), "shop/prices.py") is None


def test_names_that_tests_import_are_taken():
    """A new product module may not stand before a helper of the tests."""
    files = {"src/shop/a.py": "", "tests/helpers.py": "", "tests/test_a.py": ""}
    found = made(files, config=Config(new_files=True))
    assert "helpers" in found.shadowed
    assert refusal(found, "src/helpers.py", new=True)
    assert refusal(found, "src/shop/helpers.py", new=True) is None


def test_links_are_known(tmp_path):
    """A module that is a link could lead into the tests."""
    from dataclasses import replace

    files = {"shop/__init__.py": "", "shop/a.py": "", "tests/test_a.py": ""}
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/b.py").symlink_to("../tests/test_a.py")
    (tmp_path / "shop/more").symlink_to("../tests")
    seen = snapshot(files)
    seen = replace(
        seen, lower=tmp_path, files=seen.files | {"shop/b.py", "shop/more", "x.bin"}
    )
    found = layout(seen, suite([]), interpreter(), Config(new_files=True))
    assert found.links == {"shop/b.py", "shop/more"}
    assert refusal(found, "shop/b.py")
    assert refusal(found, "shop/more/c.py", new=True)
    assert refusal(found, "shop/a.py") is None
