"""What a recording run notes beside the outcomes: lines and opened files."""

import pytest

from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import config, observe, write

PROJECT = {
    "calc.py": """
        import json
        from pathlib import Path

        HERE = Path(__file__).parent


        def add(a, b):
            total = a
            total += b
            return total


        def table():
            return json.loads((HERE / "data" / "table.json").read_text())


        def numbers():
            yield 1
            yield 2


        class Text:
            def __init__(self, text):
                self.text = text

            def __repr__(self):
                return f"Text({self.text})"

            def __eq__(self, other):
                return self.text == other.text

            __hash__ = None
    """,
    "data/table.json": "{}",
    "data/unused.json": "{}",
    "test_calc.py": """
        import threading

        from calc import Text, add, numbers, table


        def test_add():
            assert add(1, 2) == 3


        def test_again():
            assert add(2, 2) == 4


        def test_table():
            assert table() == {}


        def test_generator():
            assert list(numbers()) == [1, 2]


        def test_thread():
            thread = threading.Thread(target=add, args=(1, 2))
            thread.start()
            thread.join()


        def test_text():
            assert Text("a") == Text("b")


        def test_shown():
            assert repr(Text("a")) == "Text(b)"


        def test_writes(tmp_path):
            with open("written.txt", "w") as file:
                file.write("x")
    """,
}


@pytest.fixture(scope="module", params=["python3.8", "python3.13"])
def run(request, tmp_path_factory):
    """One recorded run, by a trace function and by `sys.monitoring`."""
    try:
        chosen = python(request.param)
    except MissingError:
        chosen = plain()
    root = write(tmp_path_factory.mktemp("recording"), PROJECT)
    return observe(root, config(chosen), record_lines=True)


def lines(run, name, path="calc.py"):
    """The lines of `path` that the test executed."""
    return set(run.lines[f"test_calc.py::{name}"].get(path, ()))


def test_each_test_has_its_lines(run):
    """A line counts for every test that executes it, not for the first alone."""
    assert lines(run, "test_add") == {8, 9, 10}
    assert lines(run, "test_again") == {8, 9, 10}
    assert lines(run, "test_table") == {14}
    assert lines(run, "test_generator") == {18, 19}
    assert lines(run, "test_add", "test_calc.py") == {7}


def test_threads_count(run):
    """What a test's threads execute is the test's."""
    assert lines(run, "test_thread") == {8, 9, 10}


def test_explaining_a_failure_does_not_count(run):
    """Lines that only pytest's own report of a failure executes are left out."""
    assert lines(run, "test_text") == {24, 30}
    assert lines(run, "test_shown") == {24, 27}


def test_opened_files(run):
    """Files that were read are told; what was written, or is a module, is not."""
    assert set(run.opened) == {"data/table.json"}


def test_nothing_is_recorded_unasked(tmp_path):
    """An ordinary run has neither lines nor opened files."""
    plain_run = observe(write(tmp_path, PROJECT))
    assert plain_run.lines == {}
    assert plain_run.opened == {}
