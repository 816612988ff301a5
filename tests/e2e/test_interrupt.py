"""An interrupt at any moment: the tree is untouched and nothing is left running."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.observe.environments import plain
from tests.small import contents, write

SLOW = {
    "tests/test_slow.py": """
        import os
        import subprocess
        import sys
        import time


        def test_slow():
            # A daemon of its own session: no process group reaches it.
            code = "import time; time.sleep(300)"
            subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
            time.sleep(120)
        """
}

MOMENTS = [
    pytest.param(signal.SIGINT, 0.4, id="Ctrl-C at the start"),
    pytest.param(signal.SIGINT, 4.0, id="Ctrl-C while tests run"),
    pytest.param(signal.SIGTERM, 4.0, id="SIGTERM while tests run"),
    pytest.param(signal.SIGKILL, 4.0, id="SIGKILL while tests run"),
]


@pytest.fixture
def shop(tmp_path):
    root = write(tmp_path / "shop")
    return write(root, SLOW)


def start(root, tmp_path):
    environment = {
        **os.environ,
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
        "BONAFIX_CONFIG": str(tmp_path / "none.toml"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    (tmp_path / "tmp").mkdir()
    words = ("fix", root, "--engine", "search", "--interpreter", plain())
    return subprocess.Popen(
        [sys.executable, "-m", "bonafix", *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def left(family, seconds=5.0):
    """Those of the processes that are still alive after at most `seconds`."""
    _, alive = psutil.wait_procs(family, timeout=seconds)
    return [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(("sent", "after"), MOMENTS)
def test_interrupt(shop, tmp_path, sent, after):
    """Whatever ends it and when: bytes and modes as before, no process behind."""
    before = contents(shop)
    work = start(shop, tmp_path)
    time.sleep(after)
    family = psutil.Process(work.pid).children(recursive=True)
    work.send_signal(sent)
    _, errors = work.communicate(timeout=20)
    assert left(family) == []
    assert contents(shop) == before
    if sent is not signal.SIGKILL:
        assert work.returncode in {130, -sent}, errors.decode()
        assert not list((tmp_path / "tmp").iterdir())


def test_the_next_run_sweeps_what_a_kill_left(shop, tmp_path):
    """A SIGKILL leaves a temporary folder; the next start removes it."""
    from bonafix.sandbox.scratch import scratch

    work = start(shop, tmp_path)
    time.sleep(3.0)
    work.kill()
    work.communicate(timeout=20)
    os.environ["TMPDIR"], old = str(tmp_path / "tmp"), os.environ.get("TMPDIR")
    try:
        import tempfile

        tempfile.tempdir = None
        with scratch() as folder:
            assert [p.name for p in folder.parent.iterdir()] == [folder.name]
    finally:
        tempfile.tempdir = None
        os.environ.pop("TMPDIR")
        if old is not None:
            os.environ["TMPDIR"] = old
