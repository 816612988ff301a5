"""A browser and an editor for the session; a window and a project for each test."""

import json
import os
import time
import uuid
from contextlib import ExitStack

import psutil
import pytest
from playwright.sync_api import sync_playwright

from tests.observe.environments import plain
from tests.small import contents, write
from tests.vscode import editor
from tests.vscode.workbench import START, Workbench

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_FLAGS += ["--disable-background-networking", "--disable-component-update"]
_SIZE = {"width": 1280, "height": 800}
_GONE = 30  # seconds until nothing of a closed window may be left
_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Remember that a test has failed, for the picture that is taken after it."""
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=editor.chromium(), args=_FLAGS
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def context(browser):
    """What windows share, as a user's do: the editor's own files are fetched once."""
    opened = _context(browser)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def code(tmp_path_factory):
    """The editor with our extension; nothing of it outlives the tests."""
    mark = uuid.uuid4().hex
    with editor.running(tmp_path_factory.mktemp("editor"), mark) as running:
        yield running
    _nothing_left(mark)


@pytest.fixture
def open_window(browser, context, code, tmp_path, request):
    """Opens a project in a window; closes it after the test, and all that it started.

    `environment` is the language server's, `workspace` the settings that come with the
    project, and the keywords are those of the user's own file. A window that is `alone`
    shares neither its storage nor its secrets with the others.
    """
    with ExitStack() as stack:

        def window(root=None, *, environment=None, workspace=None, alone=False, **user):
            project = root or write(tmp_path / "shop")
            if workspace:
                write(project, {".vscode/settings.json": json.dumps(workspace)})
            mark = uuid.uuid4().hex
            stack.callback(lambda: _nothing_left(mark))
            code.surround(
                {
                    editor.MARK: mark,
                    "BONAFIX_STATE_DIR": str(tmp_path / "state"),
                    "BONAFIX_CONFIG": str(_user_file(tmp_path, user)),
                    **(environment or {}),
                }
            )
            own = stack.enter_context(_context(browser)) if alone else context
            page = own.new_page()
            stack.callback(_close, page)
            page.set_default_timeout(START)
            page.goto(code.window(project), wait_until="domcontentloaded")
            page.wait_for_selector(".explorer-folders-view .monaco-list-row")
            name = request.node.name.removeprefix("test_")
            shown = Workbench(page, project, name)
            stack.callback(_picture_of_failure, request.node, shown)
            return shown

        yield window


@pytest.fixture
def untouched():
    """Tells whether a folder still has the bytes that it had at the first call."""
    seen = {}

    def same(root):
        return seen.setdefault(root, contents(root)) == contents(root)

    return same


def _context(browser):
    return browser.new_context(viewport=_SIZE, reduced_motion="reduce")


def _user_file(folder, chosen):
    """The user's own settings, as the command line reads them, too."""
    values = {
        "interpreter": str(plain()),
        "engine": "search",
        "review": "off",
        **chosen,
    }
    path = folder / "config.toml"
    path.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
    return path


def _close(page):
    """Leave as a user does: the editor hears of it, and ends what it has started."""
    page.goto("about:blank")
    page.close()


def _picture_of_failure(node, shown):
    if _failed in node.stash:
        shown.picture("failed")


def _nothing_left(mark):
    """No process outlives what it was started for: that was asked to end before."""
    end = time.monotonic() + _GONE
    while (left := _marked(mark)) and time.monotonic() < end:
        time.sleep(0.2)
    assert left == [], left


def _marked(mark):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(editor.MARK) == mark:
                found.append(process)
        except psutil.Error:
            continue  # gone meanwhile, or not ours
    return [process for process in found if process.pid != os.getpid()]
