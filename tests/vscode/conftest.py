"""A browser, an editor and a window for the session; other windows where need be."""

import dataclasses
import json
import os
import time
import uuid
from contextlib import ExitStack, contextmanager

import psutil
import pytest
from playwright.sync_api import sync_playwright

from tests.observe.environments import plain
from tests.small import contents, write
from tests.vscode import editor
from tests.vscode.screen import START
from tests.vscode.shop import FAILING, KEY, SHOP, TESTS, Claude
from tests.vscode.workbench import Workbench

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_FLAGS += ["--disable-background-networking", "--disable-component-update"]
_SIZE = {"width": 1440, "height": 800}  # both sides of a diff beside our view
_GONE = 30  # seconds until nothing of a closed window may be left
_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Remember that a test has failed, for the picture that is taken after it.

    Why is written beside that picture: who passes the second time says nothing of it.
    """
    report = yield
    if report.failed:
        item.stash[_failed] = True
        editor.PICTURES.mkdir(parents=True, exist_ok=True)
        name = item.name.removeprefix("test_")
        (editor.PICTURES / f"{name}-failed.txt").write_text(report.longreprtext)
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
    opened = browser.new_context(viewport=_SIZE, reduced_motion="reduce")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def start_editor(tmp_path_factory):
    """Starts an editor with our extension; nothing of it outlives what it is for."""

    @contextmanager
    def start(*beside, **environment):
        mark = uuid.uuid4().hex
        place = (tmp_path_factory.mktemp("editor"), mark, beside)
        with editor.running(*place, **environment) as code:
            yield code
        _nothing_left(mark)

    return start


@pytest.fixture(scope="session")
def code(start_editor):
    """The editor that has no other extension than ours."""
    with start_editor() as running:
        yield running


@pytest.fixture
def open_window(context, tmp_path, request):
    """Opens a project in a window of an editor; closes it after the test.

    `environment` is the language server's, and the keywords are what the user's own
    file has.
    """
    with ExitStack() as stack:

        def window(code, root, *, environment=None, **user):
            place = (context, code, root, tmp_path, environment or {})
            shown = stack.enter_context(_window(*place, **user))
            stack.callback(_picture_of_failure, request.node, shown)
            return _named(shown, request.node)

        yield window


@pytest.fixture(scope="session")
def port():
    """Where the language server of the shared window is told that Claude is."""
    return editor.free_port()


@pytest.fixture
def claude(port):
    """The scripted Claude of the shared window; it plays what the test gives it."""
    with ExitStack() as stack:
        yield Claude(port, stack)


@pytest.fixture(scope="session")
def shared(context, code):
    """The window that the tests share, and its project; none after a failure."""
    held = {"context": context, "code": code}
    yield held
    _drop(held)


@pytest.fixture
def shop(shared, port, tmp_path_factory, request):
    """A window of the shop's project, as if it had just been opened.

    Both engines are there: Claude's key is in the editor's secret store, and the search
    of `auto` has no time. A test has to leave the project as it was; what else it
    leaves is tidied up, and after a failure the next one gets a new window.
    """
    if "window" not in shared:
        _open_shop(shared, Claude(port), tmp_path_factory.mktemp("shop"))
    root, shown = shared["root"], _named(shared["window"], request.node)
    before = contents(root)
    shown.open(TESTS)
    shown.underlines(*FAILING)
    yield shown
    shared["code"].choose()
    if _failed in request.node.stash:
        shown.picture("failed")
        _drop(shared)
        return
    try:
        shown.tidy()
        assert contents(root) == before
    except BaseException:
        shown.picture("untidy")
        _drop(shared)
        raise


@pytest.fixture
def untouched():
    """Tells whether a folder still has the bytes that it had at the first call."""
    seen = {}

    def same(root):
        return seen.setdefault(root, contents(root)) == contents(root)

    return same


def _open_shop(shared, claude, folder):
    root = write(folder / "shop", SHOP)
    user = {"engine": "auto", "search_seconds": 0.0}
    place = (shared["context"], shared["code"], root, folder)
    opening = _window(*place, claude.environment, **user)
    shown = opening.__enter__()
    shared.update(root=root, window=shown, opening=opening)
    shown.command("Bonafix: Set the Anthropic API Key")
    shown.answer(KEY)
    shown.open(TESTS)
    shown.widen(460)
    shown.see(shown.problems, START)


def _drop(shared):
    """Close the shared window, if there is one."""
    if opening := shared.pop("opening", None):
        del shared["window"]
        opening.__exit__(None, None, None)


@contextmanager
def _window(context, code, root, folder, environment, **user):
    mark = uuid.uuid4().hex
    code.surround(
        {
            editor.MARK: mark,
            "BONAFIX_STATE_DIR": str(folder / "state"),
            "BONAFIX_CONFIG": str(_user_file(folder, user)),
            **environment,
        }
    )
    page = context.new_page()
    page.set_default_timeout(START)
    try:
        page.goto(code.window(root), wait_until="domcontentloaded")
        page.wait_for_selector(".explorer-folders-view .monaco-list-row")
        yield Workbench(page, root, "")
    finally:
        # As a user leaves: the editor hears of it, and ends what it has started.
        page.goto("about:blank")
        page.close()
        _nothing_left(mark)


def _named(shown, node):
    return dataclasses.replace(shown, name=node.name.removeprefix("test_"))


def _user_file(folder, chosen):
    """The user's own settings, as the command line reads them, too."""
    usual = {"interpreter": str(plain()), "engine": "search", "review": "off"}
    usual |= {"timeout": 900.0}  # on a machine that others use, too
    values = {k: v for k, v in {**usual, **chosen}.items() if v is not None}
    path = folder / "config.toml"
    path.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
    return path


def _picture_of_failure(node, shown):
    if _failed in node.stash:
        _named(shown, node).picture("failed")


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
