"""What is said quickly after a save is what a fresh process says, or nothing is."""

import asyncio
import contextlib
import os
import signal
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from bonafix.domain import Outcome, SuiteRun
from bonafix.observe.loop import Loop
from bonafix.project import Project
from tests.observe.harness import config, write

PROJECT = {
    "conftest.py": """
        import pytest


        @pytest.fixture
        def base():
            return 1
    """,
    "shop/__init__.py": "",
    "shop/price.py": """
        RATE = 2


        def total(items):
            return sum(items)


        def rated(n):
            return n * RATE
    """,
    "tests/test_price.py": """
        from shop.price import rated, total


        def test_total():
            assert total([1, 2]) == 3


        def test_rated(base):
            assert rated(base) == 2


        def test_both():
            assert rated(total([2])) == 4
    """,
}
PRICE, TESTS = "shop/price.py", "tests/test_price.py"
IDS = tuple(f"{TESTS}::test_{name}" for name in ("total", "rated", "both"))
KINDS = 2
SECONDS = 60.0  # that anything here may take


def text(path, *replacements):
    """A file of the project with some words replaced."""
    found = textwrap.dedent(PROJECT[path]).lstrip("\n")
    for old, new in replacements:
        assert old in found
        found = found.replace(old, new)
    return found


@dataclass
class Desk:
    """An editor's root: what is on disk, what is kept, what was told."""

    project: Project
    loop: Loop
    told: list = field(default_factory=list)

    def __call__(self, event):
        self.told.append(event)

    def write(self, path, contents):
        if contents is None:
            (self.project.root / path).unlink()
        else:
            (self.project.root / path).write_text(contents)

    async def whole(self) -> SuiteRun:
        return (await self.project.observe(listen=self)).run

    async def ready(self, number=1):
        """Wait until processes were made that often, or none may be."""
        async with asyncio.timeout(SECONDS):
            while len(self.loop.stock.barred) < KINDS and self.facts("kept") < number:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def facts(self, name):
        return sum(name in event.facts for event in self.told)

    async def glance(self, tests=IDS, **buffers):
        found = await self.project.glance(tests, listen=self, **buffers)
        return None if found is None else told(found.run)

    @property
    def last(self):
        return self.told[-1].text


def told(run) -> dict[str, str]:
    return {i.partition("::")[2]: str(run.outcome(i)) for i in run.collected}


@contextlib.asynccontextmanager
async def desk(root, files=PROJECT, **options):
    """The suite has been run once, and processes are kept where they can be."""
    loop = Loop(**options)
    here = Desk(Project(write(root, files), config(), loop=loop), loop)
    await here.whole()
    keeping = asyncio.create_task(here.project.keep(here))
    try:
        await here.ready()
        yield here
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


def processes():
    return [one for one in psutil.Process().children(recursive=True) if runs(one)]


def runs(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def folders():
    """What is kept on disk by this process."""
    return sorted(Path(os.environ["TMPDIR"]).iterdir())


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)


EDITS = [
    pytest.param(
        {PRICE: text(PRICE, ("return sum(items)", "return sum(items) + 1"))},
        "swap",
        id="body",
    ),
    pytest.param({PRICE: text(PRICE, ("RATE = 2", "RATE = 3"))}, "warm", id="module"),
    pytest.param(
        {TESTS: text(TESTS) + "\n\ndef test_new():\n    assert total([3]) == 4\n"},
        "warm",
        id="new test",
    ),
    pytest.param(
        {TESTS: text(TESTS, ("def test_both", "def test_other"))},
        "warm",
        id="renamed test",
    ),
    pytest.param(
        {TESTS: text(TESTS).partition("\n\n\ndef test_both")[0] + "\n"},
        "warm",
        id="removed test",
    ),
]


async def edited(root, edits):
    """Of each edit: what is said quickly, by whom, and what a whole run says."""
    found = []
    async with desk(root) as here:
        for files in edits:
            before = dict(here.loop.tally.runs)
            for path, contents in files.items():
                here.write(path, contents)
            quick = await here.glance([TESTS])
            kinds = [k for k, n in here.loop.tally.runs.items() if n > before.get(k, 0)]
            slow = await Project(here.project.root, here.project.config).observe()
            found.append((quick, told(slow.run), kinds))
            for path in files:
                here.write(path, text(path))
    return found


@pytest.fixture(scope="module")
def edits(tmp_path_factory):
    root = tmp_path_factory.mktemp("edits") / "shop"
    given = [param.values[0] for param in EDITS]
    return dict(
        zip([p.id for p in EDITS], asyncio.run(edited(root, given)), strict=True)
    )


@pytest.mark.parametrize(("_files", "kind"), EDITS)
def test_an_edit_is_answered_as_a_fresh_process_answers(_files, kind, edits, request):
    """Functions are exchanged where that is enough; what is new or renamed is seen."""
    quick, slow, kinds = edits[request.node.callspec.id]
    assert quick == slow
    assert kinds == [kind]


def test_what_cannot_be_collected_is_left_to_others_until_it_can(tmp_path):
    """A syntax error has no quick answer; its repair has, and an unsaved text has."""
    wrong = text(PRICE, ("sum(items)", "sum(items) + 1"))

    async def story():
        async with desk(tmp_path / "shop") as here:
            here.write(PRICE, "def total(:\n")
            broken = await here.glance(), here.last
            here.write(PRICE, text(PRICE))
            repaired = await here.glance()
            unsaved = await here.glance(buffers={PRICE: wrong.encode()})
            return broken, repaired, unsaved

    broken, repaired, unsaved = asyncio.run(story())
    assert broken == (None, "no quick answer: tests cannot be collected")
    assert set(repaired.values()) == {"passed"}
    assert list(unsaved.values()) == ["failed", "passed", "failed"]


def test_a_cancel_costs_no_process_and_a_newer_answer_is_of_the_newer_text(tmp_path):
    """Saves in quick succession: each older one is given up, the last is answered."""
    slow = text(PRICE, ("return sum(items)", "import time; time.sleep(9); return 0"))

    async def story():
        async with desk(tmp_path / "shop") as here:
            before = {process.pid for process in processes()}
            for after in (0.0, 0.01, 0.05, 0.3):
                here.write(PRICE, slow)
                older = asyncio.create_task(here.glance())
                await asyncio.sleep(after)
                older.cancel()
                here.write(PRICE, text(PRICE, ("n * RATE", "n")))
                newer = await here.glance()
                assert older.cancelled()
                assert list(newer.values()) == ["passed", "failed", "failed"]
            return before, {process.pid for process in processes()}

    before, after = asyncio.run(story())
    assert before == after != set()


def test_a_process_that_was_killed_is_named_and_made_anew(tmp_path):
    """The save after that has no quick answer; the one after the next whole run has."""

    async def story():
        async with desk(tmp_path / "shop") as here:
            for process in processes():
                if any(word.endswith("serve.py") for word in process.cmdline()):
                    process.send_signal(signal.SIGKILL)
            lost = await here.glance(), here.facts("lost")
            await here.whole()
            await here.ready(2)
            return lost, await here.glance()

    lost, again = asyncio.run(story())
    assert lost == (None, 2)
    assert set(again.values()) == {"passed"}


def test_what_decides_how_tests_run_is_left_to_fresh_processes(tmp_path):
    """Added and removed files, conftest: answered again when the suite has been run."""
    added, init, steering = "tests/test_new.py", "shop/__init__.py", "conftest.py"

    async def story():
        async with desk(tmp_path / "shop") as here:
            for path, contents, undone in (
                (added, "def test_it(): pass\n", None),
                (init, None, text(init)),
                (steering, text(steering, ("return 1", "return 2")), None),
            ):
                here.write(path, contents)
                yield await here.glance(), here.last
                if undone is not None:
                    here.write(path, undone)
            left = processes()
            slow = await here.whole()
            await here.ready(2)
            yield left, told(slow) == await here.glance([TESTS, added])

    async def gathered():
        return [said async for said in story()]

    *refused, (left, alike) = asyncio.run(gathered())
    moved = "no quick answer: a file was added or removed"
    changed = "no quick answer: conftest.py has changed"
    assert refused == [(None, moved), (None, moved), (None, changed)]
    assert left == []
    assert alike


def test_a_thread_at_import_bars_the_collected_process_alone(tmp_path):
    """A fork would lose it: what is forked before the import still answers."""
    start = (
        "import threading as t\nt.Thread(target=t.Event().wait, daemon=True).start()\n"
    )
    files = {**PROJECT, PRICE: start + text(PRICE)}

    async def story():
        async with desk(tmp_path / "shop", files) as here:
            here.write(PRICE, start + text(PRICE, ("sum(items)", "0")))
            return here.loop.stock.barred, await here.glance(), here.loop.tally.runs

    barred, quick, runs = asyncio.run(story())
    assert barred == {"swap": "a thread was started while tests were collected"}
    assert list(quick.values()) == ["failed", "passed", "failed"]
    assert dict(runs) == {"warm": 1}


def test_what_tests_write_into_the_tree_is_taken_away(tmp_path):
    """The next run does not find it, and there are quick answers all the same."""
    leaves = (
        "\n\ndef test_leave():\n    import os\n"
        "    assert not os.path.exists('left.txt')\n"
        "    open('left.txt', 'a').write('x')\n"
    )
    files = {**PROJECT, TESTS: text(TESTS) + leaves}

    async def story():
        async with desk(tmp_path / "shop", files) as here:
            return here.loop.stock.barred, [await here.glance() for _ in "12"]

    barred, quick = asyncio.run(story())
    assert barred == {}
    assert [set(one.values()) for one in quick] == [{"passed"}] * 2


def test_what_cannot_be_put_back_is_left_to_fresh_processes(tmp_path):
    """The next would find it: here, that a folder is gone."""
    leaves = "\n\ndef test_leave():\n    __import__('shutil').rmtree('left')\n"
    files = {**PROJECT, TESTS: text(TESTS) + leaves, "left/any.txt": ""}

    async def story():
        async with desk(tmp_path / "shop", files) as here:
            return here.loop.stock.barred, await here.glance(), processes()

    barred, quick, left = asyncio.run(story())
    assert set(barred.values()) == {"its tests leave left behind"}
    assert quick is None
    assert left == []


def test_a_contradiction_ends_all_quick_answers(tmp_path):
    """A test that passes only after another one is corrected, and believed no more."""
    after = (
        "\n\nSEEN = []\n\ndef test_first():\n    SEEN.append(1)\n    assert rated(1)"
    )
    files = {
        **PROJECT,
        TESTS: text(TESTS) + after + "\n\ndef test_last():\n    assert SEEN\n",
    }
    last = f"{TESTS}::test_last"

    async def story():
        async with desk(tmp_path / "shop", files) as here:
            quick = await here.glance([last])
            slow = await here.whole()
            return (
                quick,
                slow.outcome(last),
                here.loop.stock.barred,
                await here.glance(),
            )

    quick, slow, barred, later = asyncio.run(story())
    assert quick == {"test_last": "failed"}
    assert slow is Outcome.PASSED
    told = f"{last} failed in a kept process, passed in a fresh one"
    assert barred == {"all": told}
    assert later is None


def test_nothing_is_kept_for_long_without_a_save(tmp_path):
    """Neither a process nor a copy on disk outlives its use, nor the owner's end."""

    async def story():
        async with desk(tmp_path / "shop", idle=4.0) as here:
            during = processes(), folders()
            async with asyncio.timeout(SECONDS):
                while processes() or folders():  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            idle = folders(), await here.glance(), here.last
            return during, idle

    begun = time.monotonic()
    (running, kept), idle = asyncio.run(story())
    assert running
    assert len(kept) == 1
    assert idle == ([], None, "no quick answer: no process is ready")
    assert time.monotonic() - begun < SECONDS
