"""Our record of lines, test by test, held against that of coverage.py."""

import os
import subprocess
from pathlib import Path

import coverage
import pytest

from tests.observe.environments import MissingError, plain, python
from tests.observe.harness import config, observe, write

PROJECT = {
    "shapes.py": """
        import contextlib
        import functools
        import threading


        def twice(function):
            @functools.wraps(function)
            def both(*args):
                function(*args)
                return function(
                    *args,
                )

            return both


        @twice
        def area(a, b):
            return (
                a
                * b
            )


        def decorated_late(n):
            @twice
            @functools.lru_cache(
                maxsize=None,
            )
            def inner(m):
                return m + n

            return inner(
                1
            )


        def squares(n):
            found = [
                i * i
                for i in range(n)
                if i % 2
            ]
            table = {i: i for i in found}
            return sum(
                x
                for x in table
            )


        def pairs(n):
            for i in range(n):
                if i == 3:
                    return
                yield (
                    i,
                    i,
                )
            else:
                yield None


        def delegated(n):
            received = yield from pairs(n)
            return received


        @contextlib.contextmanager
        def opened(log):
            log.append("in")
            try:
                yield log
            finally:
                log.append("out")


        def guarded(value):
            try:
                with opened([]) as log:
                    log.append(1 / value)
            except ZeroDivisionError:
                return None
            else:
                value = (lambda x: x
                         + 1)(value)
            finally:
                value = 0
            while value < 2:
                value += 1
            else:
                value = -1
            return value


        def threaded():
            found = []
            thread = threading.Thread(
                target=lambda: found.append(area(2, 3)),
            )
            thread.start()
            thread.join()
            return found


        class Box:
            sides = 4

            @property
            def size(self):
                return self.sides

            @classmethod
            def made(cls): return cls()

            def kinds(self):
                class Local:
                    x = 1

                    def y(self):
                        return self.x
                return Local().y()
    """,
    "test_shapes.py": """
        import pytest

        import shapes


        @pytest.fixture
        def box():
            yield shapes.Box.made()


        def test_area():
            assert shapes.area(2, 3) == 6


        def test_decorated_late():
            assert shapes.decorated_late(1) == 2


        @pytest.mark.parametrize("n", [0, 4])
        def test_squares(n):
            assert shapes.squares(n) >= 0


        @pytest.mark.parametrize("n", [2, 5])
        def test_pairs(n):
            assert list(shapes.delegated(n))


        def test_left_in_the_middle():
            assert next(shapes.pairs(3)) == (0, 0)


        @pytest.mark.parametrize("value", [0, 1])
        def test_guarded(value):
            assert shapes.guarded(value) in {None, -1}


        def test_threaded():
            assert shapes.threaded() == [6]


        def test_box(box):
            assert box.size == 4
            assert box.kinds() == 1


        def test_wrong():
            assert shapes.area(1, 1) == 2
    """,
}
# Tells coverage.py which test runs; a plugin, so that the project is the same for both.
PLUGIN = """
    import coverage
    import pytest


    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(item):
        current = coverage.Coverage.current()
        current.switch_context(item.nodeid)
        yield
        current.switch_context("")
"""


def covered(interpreter, root, folder):
    """Test -> lines of the product, as coverage.py has them."""
    write(folder, {"contexts.py": PLUGIN})
    # The pure tracer runs on any interpreter, whichever one it was installed for.
    (folder / "coverage").symlink_to(Path(coverage.__file__).parent)
    data = folder / "data"
    command = [interpreter, "-m", "coverage", "run", "--source", ".", "-m", "pytest"]
    done = subprocess.run(
        [*command, "-q", "-p", "contexts", "-p", "no:cacheprovider"],
        cwd=root,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COVERAGE_FILE": str(data),
            "COVERAGE_CORE": "pytrace",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed" in done.stdout, done.stdout + done.stderr
    measured = coverage.CoverageData(str(data))
    measured.read()
    found = {}
    for line, tests in measured.contexts_by_lineno(str(root / "shapes.py")).items():
        for test in tests:
            found.setdefault(test, set()).add(line)
    found.pop("", None)  # while it was imported
    return found


@pytest.mark.parametrize("name", ["plain", "python3.13"])
def test_the_same_lines_as_coverage(tmp_path, name):
    """Decorators, comprehensions, generators, threads, long statements: all alike."""
    try:
        interpreter = python(name)  # one traces, one monitors
    except MissingError:
        interpreter = plain()
    root = write(tmp_path / "project", PROJECT)
    (tmp_path / "tools").mkdir()
    run = observe(root, config(interpreter), record_lines=True)
    ours = {test: set(files["shapes.py"]) for test, files in run.lines.items()}
    assert len(ours) == 12
    assert ours == covered(str(interpreter), root, tmp_path / "tools")
