"""A browser for the session; an editor, a window and a project for each test."""

import os
import time
import uuid
from contextlib import ExitStack

import psutil
import pytest
from playwright.sync_api import sync_playwright

from tests.small import contents, write
from tests.vscode import editor
from tests.vscode.workbench import START, Workbench

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_FLAGS += ["--disable-background-networking", "--disable-component-update"]
_SIZE = {"width": 1280, "height": 800}
_GONE = 30  # seconds until nothing of a closed editor may be left
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
def extensions(tmp_path_factory):
    """The packaged extension, installed as a user's would be."""
    return editor.install_extension(tmp_path_factory.mktemp("extensions"))


@pytest.fixture
def open_window(browser, extensions, tmp_path, request):
    """Opens a project in an editor of its own; closes all of it after the test.

    `tmp_path / "project"` is the project unless `root` is given; keywords are settings
    of the extension's.
    """
    with ExitStack() as stack:

        def window(root=None, *, environment=None, theme="light", **chosen):
            project = root or write(tmp_path / "shop")
            folder = tmp_path / "editor"
            folder.mkdir()
            mark = uuid.uuid4().hex
            stack.callback(lambda: _nothing_left(mark))
            running = editor.running(
                project,
                folder,
                extensions,
                chosen=editor.settings(**chosen),
                environment={
                    editor.MARK: mark,
                    "BONAFIX_STATE_DIR": str(tmp_path / "state"),
                    "BONAFIX_CONFIG": str(tmp_path / "config.toml"),
                    **(environment or {}),
                },
            )
            one = stack.enter_context(running)
            context = browser.new_context(
                viewport=_SIZE, color_scheme=theme, reduced_motion="reduce"
            )
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(START)
            page.goto(one.url, wait_until="domcontentloaded")
            page.wait_for_selector(".explorer-folders-view .monaco-list-row")
            name = request.node.name.removeprefix("test_")
            shown = Workbench(page, one, name)
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


def _picture_of_failure(node, shown):
    if _failed in node.stash:
        shown.picture("failed")


def _nothing_left(mark):
    """No process of the editor outlives it: it was asked to end before this is run."""
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
