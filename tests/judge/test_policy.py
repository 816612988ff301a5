"""The policy, kind by kind of tampering, with honest neighbours beside each."""

from dataclasses import replace

import pytest

from bonafix import diffs
from bonafix.domain import Change, Layout, Patch, Verdict
from bonafix.judge.policy import policy
from bonafix.layout import refusal

LAYOUT = Layout(
    package_roots=("src", "tool.py"),
    tests=frozenset(
        {
            *("tests/test_app.py", "tests/helpers.py", "checks/app_check.py"),
            *("src/shop/inline_spec.py", "Suite/data.json"),
        }
    ),
    collected=frozenset(
        {"tests/test_app.py", "checks/app_check.py", "src/shop/inline_spec.py"}
    ),
    opened=frozenset({"src/shop/rates.csv", "src/shop/messages.json"}),
    plugins=frozenset({"src/shop/testing.py"}),
    links=frozenset({"src/shop/linked.py", "src/borrowed"}),
    shadowed=frozenset({"json", "requests", "helpers"}),
)
OPEN = replace(LAYOUT, allow=("*", "**/*"), new_files=True)
NEW = replace(LAYOUT, new_files=True)


def refused(path, layout=LAYOUT, **kwargs):
    return refusal(layout, path, **kwargs) is not None


# What stays closed even where the user's globs open everything.
NEVER = {
    "a test": "tests/test_app.py",
    "a test by its name": "src/shop/test_prices.py",
    "a test by its other name": "src/shop/prices_test.py",
    "a test by its folder": "src/shop/tests/data.py",
    "a helper of tests": "tests/helpers.py",
    "data of tests": "tests/data/prices.json",
    "a collected file": "checks/app_check.py",
    "a collected file among the product": "src/shop/inline_spec.py",
    "a conftest": "conftest.py",
    "a conftest in the product": "src/shop/conftest.py",
    "pytest.ini": "pytest.ini",
    "hidden pytest.ini": ".pytest.ini",
    "pytest.toml": "pytest.toml",
    "tox.ini": "tox.ini",
    "setup.cfg": "setup.cfg",
    "pyproject.toml": "pyproject.toml",
    "pyproject.toml of a part": "packages/shop/pyproject.toml",
    "setup.py": "setup.py",
    "noxfile.py": "noxfile.py",
    "coverage's settings": ".coveragerc",
    "entry points": "shop.egg-info/entry_points.txt",
    "entry points of an installation": "src/shop-1.dist-info/entry_points.txt",
    "an editable install": "src/shop.egg-link",
    "sitecustomize": "sitecustomize.py",
    "sitecustomize in the product": "src/sitecustomize.py",
    "usercustomize": "src/usercustomize.py",
    "a .pth": "src/shop.pth",
    "a plugin of pytest": "src/shop/testing.py",
    "a snapshot": "src/shop/__snapshots__/prices.ambr",
    "a snapshot's module": "src/shop/__snapshots__/prices.py",
    "a snapshot file": "src/shop/prices.snap",
    "a snapshot of another tool": "src/shop/snapshots/snap_prices.py",
    "a snapshot's data": "src/shop/snapshots/prices.json",
    "an approved output": "src/shop/prices.approved.txt",
    "a cassette": "src/shop/cassettes/prices.yaml",
    "golden data": "src/shop/golden/prices.txt",
    "data that tests read": "src/shop/rates.csv",
    "git's own": ".git/hooks/post-checkout",
    "git's own, nested": "src/.git/config",
    "git's attributes": ".gitattributes",
    "git's attributes of a part": "src/.gitattributes",
    "submodules": ".gitmodules",
    "mercurial": ".hg/hgrc",
    "a link": "src/shop/linked.py",
    "behind a link": "src/borrowed/prices.py",
    "outside": "../other/prices.py",
    "outside, hidden": "src/../../other/prices.py",
    "into the tests by a detour": "src/../tests/test_app.py",
    "absolute": "/etc/passwd.py",
    "home": "~/prices.py",
    "a drive": "C:/prices.py",
    "a share": "\\\\host\\prices.py",
    "backslashes": "src\\shop\\..\\..\\tests\\test_app.py",
    "a dot before": "./src/shop/prices.py",
    "a dot within": "src/./shop/prices.py",
    "two slashes": "src//shop/prices.py",
    "a slash behind": "src/shop/prices.py/",
    "a line end": "src/shop/prices.py\n",
    "a NUL": "src/shop/prices.py\x00.txt",
    "nothing": "",
    "the root": ".",
    "a conftest in capitals": "src/shop/CONFTEST.py",
    "a configuration in capitals": "PyProject.toml",
    "git in capitals": ".GIT/config",
    "a test in capitals": "Tests/Test_App.py",
    "a test's data in other letters": "suite/DATA.json",
    "a conftest in wide letters": "src/\uff43onftest.py",
}


@pytest.mark.parametrize("kind", NEVER)
def test_closed_whatever_the_user_opens(kind):
    """No glob of the user's lets a fix reach what decides over it."""
    assert refused(NEVER[kind])
    assert refused(NEVER[kind], OPEN)
    assert refused(NEVER[kind], OPEN, new=True)


# What is closed by default, and opened by the user's own globs.
UNLESS_OPENED = {
    "a requirement": "requirements.txt",
    "a lock file": "uv.lock",
    "settings of the environment": ".env",
    "settings of the continuous integration": ".github/workflows/ci.yml",
    "another such": ".gitlab-ci.yml",
    "a Makefile": "Makefile",
    "documentation": "docs/conf.py",
    "a script": "scripts/release.py",
    "data of the product": "src/shop/tables.json",
    "a stub": "src/shop/prices.pyi",
    "a compiled module": "src/shop/prices.so",
    "compiled source": "src/shop/prices.pyx",
    "a hidden module": "src/.hidden/prices.py",
    "a copy of another's code": "src/shop/_vendor/six.py",
    "an installed package": "src/site-packages/requests/api.py",
    "beside the roots": "other/prices.py",
    "a root's namesake": "src2/prices.py",
    "a module's namesake": "tool.py.py",
}


@pytest.mark.parametrize("kind", UNLESS_OPENED)
def test_closed_by_default(kind):
    """An allow-list: only product modules, and what the user adds to them."""
    assert refused(UNLESS_OPENED[kind])
    assert not refused(UNLESS_OPENED[kind], OPEN)


# Product code, however much it looks like something else.
PRODUCT = [
    "src/shop/prices.py",
    "src/shop/deep/er/prices.py",
    "src/shop/__init__.py",
    "tool.py",
    "src/shop/testing_tools.py",
    "src/shop/conftest_reader.py",
    "src/shop/tests_runner/run.py",
    "src/shop/attest.py",
    "src/shop/latest.py",
    "src/shop/contest.py",
    "src/shop/mytest_data.py",
    "src/shop/setup.py",
    "src/shop/tasks.py",
    "src/shop/snapshots/store.py",
    "src/shop/snapshot.py",
    "src/shop/golden/ratio.py",
    "src/shop/cassettes/player.py",
    "src/shop/vendor/orders.py",
    "src/shop/git.py",
    "src/shop/pytest_report.py",
    "src/shop/site.py",
    "src/shop/plugin.py",
    "src/shop/Prices.py",
    "src/shop/prêt.py",
    "src/shop/two words.py",
]


@pytest.mark.parametrize("path", PRODUCT)
def test_honest_neighbours_are_product_code(path):
    """A name that only resembles a test or a configuration closes nothing."""
    assert refusal(LAYOUT, path) is None


def test_product_may_read_what_tests_do_not():
    """A module is not closed because a test opened it."""
    layout = replace(LAYOUT, opened=frozenset({"src/shop/prices.py"}))
    assert refusal(layout, "src/shop/prices.py") is None


FRESH = {
    "a module": ("src/shop/fresh.py", False),
    "a package": ("src/shop/fresh/__init__.py", False),
    "a package's module of a common name": ("src/shop/deep/json.py", False),
    "a module of the standard library's name": ("src/json.py", True),
    "a package of the standard library's name": ("src/json/__init__.py", True),
    "a module of an installed package's name": ("src/requests.py", True),
    "a module of a test helper's name": ("src/helpers.py", True),
    "a package mark beside tests": ("checks/__init__.py", True),
    "a package mark above tests": ("src/shop/__init__.py", True),
}


@pytest.mark.parametrize("kind", FRESH)
def test_new_files(kind):
    """None without the setting; with it none that is imported for another."""
    path, shadows = FRESH[kind]
    assert refused(path, new=True)
    assert refused(path, NEW, new=True) is shadows


def test_an_opened_glob_opens_no_shadow():
    """Neither does a glob of the user's."""
    assert refused("json.py", OPEN, new=True)
    assert refused("requests.so", OPEN, new=True)
    assert not refused("docs/json.md", OPEN, new=True)


GONE = b"deleted file mode 100644\n--- a/{p}\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
IRREGULAR = {
    "delete": GONE,
    "rename": b"similarity index 100%\nrename from {p}\nrename to src/shop/new.py\n",
    "mode": b"old mode 100644\nnew mode 100755\n",
    "symlink": GONE
    + b"diff --git a/{p} b/{p}\nnew file mode 120000\n--- /dev/null\n+++ b/{p}\n"
    b"@@ -0,0 +1 @@\n+../../tests/test_app.py\n\\ No newline at end of file\n",
    "submodule": b"index 1111111..2222222 160000\n--- a/{p}\n+++ b/{p}\n@@ -1 +1 @@\n"
    b"-x\n+Subproject commit 2222222222222222222222222222222222222222\n",
    "binary": b"index 1111111..2222222 100644\nBinary files a/{p} and b/{p} differ\n",
}


@pytest.mark.parametrize("kind", IRREGULAR)
@pytest.mark.parametrize("layout", [LAYOUT, OPEN], ids=["plain", "opened"])
def test_irregular_changes_as_git_writes_them(kind, layout):
    """Only the text of a file may change, not what it is."""
    path = b"src/shop/prices.py"
    text = b"diff --git a/{p} b/{p}\n" + IRREGULAR[kind]
    files = {"src/shop/prices.py": b"x\n"}
    patch = diffs.parse(text.replace(b"{p}", path), files.get)
    record = policy(patch, layout)
    assert record.refusal is Verdict.TAMPERED
    assert "src/shop/" in record.summary


def test_the_first_added_line_is_named():
    """The record's place is where the hunk begins, not the file's first line."""
    before = b"".join(b"line %d\n" % n for n in range(1, 9))
    change = Change("tests/test_app.py", before, before.replace(b"line 6", b"other"))
    record = policy(Patch((change,)), LAYOUT)
    assert (record.place.path, record.place.line) == ("tests/test_app.py", 6)
    broken = Change("src/shop/a.py", b"x = 1\ny = 2\n", b"x = 1\ny = (\n")
    record = policy(Patch((broken,)), LAYOUT)
    assert record.refusal is Verdict.BROKEN
    assert record.place.line == 2
