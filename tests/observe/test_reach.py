"""What a recording run notes beside each test's lines: what tests share, and start."""

import pytest

from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import config, observe, write

PROJECT = {
    "conftest.py": """
        from pathlib import Path

        import pytest

        from shop import base

        EARLY = Path(__file__).with_name("early.txt").read_text()


        @pytest.fixture(scope="module")
        def wide():
            yield base.wide()
            base.left()


        @pytest.fixture
        def own():
            return base.own()
    """,
    "early.txt": "early",
    "sample.py": "def one():\n    return 1\n",
    "shop.db": "",
    "late.txt": "late",
    "shop/__init__.py": "",
    "shop/base.py": """
        def listed():
            return [1, 2]


        def wide():
            return 3


        def own():
            return 4


        def left():
            pass


        def called():
            return 5


        def imported():
            return 6
    """,
    "shop/lazy.py": """
        from shop import base

        SIX = base.imported()


        def lazily():
            return SIX
    """,
    "test_shop.py": """
        import multiprocessing
        import os
        import sqlite3
        import subprocess
        import sys
        from pathlib import Path

        import pytest

        from shop import base


        @pytest.mark.parametrize("n", base.listed())
        def test_rows(n):
            assert base.called() == 5


        def test_wide(wide, own):
            assert (wide, own) == (3, 4)


        def test_lazy():
            base.called()
            from shop import lazy

            assert lazy.lazily() == base.imported()


        def test_late():
            assert Path("late.txt").read_text() == "late"


        def test_sample():
            assert "one" in Path("sample.py").read_text()


        def test_database():
            sqlite3.connect("shop.db").close()


        def test_process():
            subprocess.run([sys.executable, "-c", ""], check=True)


        def test_fork():
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)


        def test_traces():
            before = sys.gettrace()
            sys.settrace(None)
            del before
    """,
}


@pytest.fixture(scope="module", params=["python3.8", "python3.13"])
def version(request):
    """An interpreter with a trace function, and one with `sys.monitoring`."""
    try:
        return request.param, python(request.param)
    except MissingError:
        return "", plain()


@pytest.fixture(scope="module")
def run(version, tmp_path_factory):
    """One recorded run."""
    root = write(tmp_path_factory.mktemp("reach"), PROJECT)
    return observe(root, config(version[1]), record_lines=True)


def test_shared_functions(run):
    """Those that ran for several tests are told, by where they begin; no others.

    At collection, in a fixture of a module, in an import that a test happens to be
    the first to make.
    """
    text = PROJECT["shop/base.py"].split("\n")[1:]
    begins = {
        line.split()[1][:-3]: n for n, line in enumerate(text, 1) if "def" in line
    }
    shared = {begins[name] for name in ("listed", "wide", "imported")}
    assert run.reach.functions["shop/base.py"] == shared
    assert run.reach.functions.keys() == {"shop/base.py", "conftest.py"}


def test_started_processes(run, version):
    """Who starts a process, or switches the recording off, ran more than is seen."""
    seen = {"test_shop.py::test_process", "test_shop.py::test_fork"}
    if version[0] == "python3.8":
        seen.add("test_shop.py::test_traces")
    assert run.reach.unseen == seen


def test_opened_aside(run):
    """What a conftest reads, and a source's text, is told apart from other files."""
    own = {path for path in run.reach.opened if not path.startswith(".")}
    assert own == {"early.txt", "sample.py"}
    assert set(run.opened) == {"late.txt", "shop.db"}


def test_nobody_in_particular(tmp_path):
    """A process that no test started itself stands for all; so does a spawned one."""
    started = """
        import subprocess, sys
        subprocess.run([sys.executable, '-c', ''])

        def test_a():
            pass
    """
    spawned = """
        import multiprocessing

        def test_a():
            process = multiprocessing.get_context("spawn").Process(target=print)
            process.start()
            process.join()
    """
    for name, text in {"started": started, "spawned": spawned}.items():
        root = write(tmp_path / name, {"test_a.py": text})
        run = observe(root, record_lines=True)
        assert "" in run.reach.unseen


def test_not_recorded(tmp_path):
    """Without lines nothing is known of it; nor where a process did not end well."""
    root = write(tmp_path, {"test_a.py": "import os\ndef test_a(): os._exit(3)\n"})
    assert observe(root, record_lines=True).reach is None
    assert observe(root).reach is None
