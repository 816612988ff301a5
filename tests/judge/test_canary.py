"""The canary with real pytest: fakes are seen, honest fixes are not accused."""

import asyncio
import dataclasses
import textwrap

import pytest

from bonafix.domain import Change, Outcome, Patch, TestResult, Verdict
from bonafix.judge.canary import canary
from tests.observe.harness import bench, config, write

APP = """
    def double(x):
        return x + x + 1


    def parts(text):
        return text.split(",")[1:]


    def check(x):
        return x


    def share(a, b):
        return a * b
    """
TESTS = '''
    """Métrique: naïve."""
    import pytest
    import unittest
    from app import check, double, parts, share

    LIMITS = {"low": 1}


    def test_double():
        assert double(0) == 0
        assert double(21) == 42


    @pytest.mark.parametrize("x, want", [(3, 6), (5, 10)])
    def test_rows(x, want):
        assert double(x) == want


    def test_parts():
        assert parts("à,b") == ["à", "b"]


    def test_check():
        with pytest.raises(ValueError, match="negative"):
            check(-1)


    def test_share():
        assert share(1, 3) == pytest.approx(0.333333333)


    def test_truth():
        assert not double(0)


    class TestOld(unittest.TestCase):
        def test_equal(self):
            self.assertEqual(double(4), 8)
            self.assertTrue(double(1) == 2)
    '''
HONEST = """
    def double(x):
        return x + x


    def parts(text):
        return text.split(",")


    def check(x):
        if x < 0:
            raise ValueError("negative")
        return x


    def share(a, b):
        return a / b
    """
GREEDY = """
    class Any(int):
        def __eq__(self, other):
            return True

        __hash__ = int.__hash__


    def double(x):
        return Any(1)
    """
MOCK = """
    from unittest.mock import MagicMock


    def double(x):
        return MagicMock(__eq__=lambda self, other: True)
    """
RUNTEST = """
    import _pytest.python

    _pytest.python.Function.runtest = lambda self: None
    """
CALL_INFO = """
    import _pytest.runner

    _made = _pytest.runner.CallInfo.from_call.__func__


    def _calm(cls, func, when, reraise=None):
        call = _made(cls, func, when, reraise)
        call.excinfo = None
        return call


    _pytest.runner.CallInfo.from_call = classmethod(_calm)
    """
REPORT = """
    import _pytest.reports

    _made = _pytest.reports.TestReport.from_item_and_call.__func__


    def _calm(cls, item, call):
        report = _made(cls, item, call)
        report.outcome, report.longrepr = "passed", None
        return report


    _pytest.reports.TestReport.from_item_and_call = classmethod(_calm)
    """
READER = """
    import linecache
    import sys


    def double(x):
        frame = sys._getframe(1)
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        return eval(line.split("==")[1]) if "==" in line else x + x
    """
LOCALS = """
    import sys


    def double(x):
        return sys._getframe(1).f_locals.get("want", x + x)
    """
APPROX = """
    import pytest


    class Any:
        def __eq__(self, other):
            return True


    pytest.approx = lambda *a, **k: Any()
    """
ITEMS = """
    class Any(str):
        def __eq__(self, other):
            return True


    def parts(text):
        return [Any("a"), "b"]
    """
RAISES = """
    import contextlib
    import pytest

    pytest.raises = lambda *a, **k: contextlib.suppress(BaseException)
    """


def patched(addition):
    """The honest module with functions replaced or statements added at its end."""
    text = textwrap.dedent(HONEST).lstrip() + "\n\n" + textwrap.dedent(addition)
    before = textwrap.dedent(APP).lstrip().encode()
    return Patch((Change("app.py", before, text.encode()),))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The failing project, its runner, and its targets by the test's name."""
    root = write(tmp_path_factory.mktemp("canary"), {"app.py": APP})
    body = textwrap.dedent(TESTS).lstrip().replace("\n", "\r\n")
    text = "# coding: latin-1\r\n" + body
    (root / "test_app.py").write_bytes(text.encode("latin-1"))
    with bench(root, config()) as made:
        run = asyncio.run(made.run({}))
        yield made, {i.partition("::")[2]: run.results[i] for i in run.red}


def tried(project, patch, *names, source=None):
    """The canary's record for some targets."""
    made, reds = project
    targets = [reds[name] for name in names or reds]
    data = source or made.snapshot.sources["test_app.py"]
    return asyncio.run(canary(patch, targets, {"test_app.py": data}, made.run))


def test_an_honest_fix_passes(project):
    """Every altered target fails, in a CRLF file of a legacy encoding too."""
    record = tried(project, patched(""))
    assert record.result == "pass", record.facts
    assert record.facts["without"] == []
    assert record.facts["failed_as_wanted"] == record.facts["flips"]
    assert record.summary.startswith("8/8")
    assert record.facts["negated"] == 1  # the bare truth


FAKES = [
    ("test_double", GREEDY),
    ("test_rows[3-6]", GREEDY),
    ("TestOld::test_equal", GREEDY),
    ("test_double", MOCK),
    ("test_double", RUNTEST),
    ("test_check", CALL_INFO),
    ("test_double", REPORT),
    ("test_double", READER),
    ("test_rows[5-10]", LOCALS),
    ("test_share", APPROX),
    ("test_parts", ITEMS),
    ("test_check", RAISES),
]


@pytest.mark.parametrize(("name", "cheat"), FAKES, ids=range(len(FAKES)))
def test_fakes_are_tampering(project, name, cheat):
    """An altered target that still passes condemns the patch, with its line."""
    record = tried(project, patched(cheat), name)
    assert record.refusal is Verdict.TAMPERED, record
    assert record.place.path == "test_app.py"
    assert "still passes" in record.summary
    assert record.facts["passed"][0]["line"] == record.place.line


def test_an_exit_is_not_a_failure(project):
    """A process that ends instead of failing proves nothing, so nothing is proven."""
    cheat = """
        import os


        class Exit(int):
            def __eq__(self, other):
                if int(self) == int(other):
                    return True
                os._exit(0)

            __hash__ = int.__hash__


        def double(x):
            return Exit(x + x)
        """
    record = tried(project, patched(cheat), "test_double")
    assert record.result == "inconclusive"
    assert record.refusal is None


def test_a_hang_is_inconclusive(project):
    """A test that does not end when altered says nothing."""
    cheat = """
        class Slow(int):
            def __eq__(self, other):
                while int(self) != int(other):
                    pass
                return True

            __hash__ = int.__hash__


        def double(x):
            return Slow(x + x)
        """
    made, reds = project

    async def hasty(files, *, select, **_):
        return await made.run(files, select=select, per_test=2.0)

    sources = {"test_app.py": made.snapshot.sources["test_app.py"]}
    record = asyncio.run(canary(patched(cheat), [reds["test_double"]], sources, hasty))
    assert record.result == "inconclusive"


def test_nothing_to_alter_does_not_apply(project):
    """A test without an assertion of its own cannot be altered, and that is said."""
    made, _ = project
    bare = TestResult(id="test_app.py::test_bare", outcome=Outcome.FAILED)
    sources = {"test_app.py": b"def test_bare():\n    check()\n"}
    record = asyncio.run(canary(patched(""), [bare], sources, made.run))
    assert record.result == "skipped"
    assert record.facts["not_applicable"] is True
    assert record.facts["without"] == [bare.id]


def test_a_target_out_of_step_with_its_source_is_inconclusive(project):
    """Where the altered file cannot be collected, the canary is not valid."""
    made, reds = project
    lost = made.snapshot.sources["test_app.py"].replace(b"import pytest", b"import py_")
    record = tried(project, patched(""), "test_double", source=lost)
    assert record.result == "inconclusive"
    assert "collected" in record.summary
    moved = dataclasses.replace(reds["test_double"], id="test_app.py::test_gone")
    sources = {"test_app.py": lost}
    record = asyncio.run(canary(patched(""), [moved], sources, made.run))
    assert record.result in {"inconclusive", "skipped"}


def test_altered_text_keeps_endings_encoding_and_secrecy(project):
    """Only expectations change; no altered text says what it is for."""
    made, reds = project
    seen = []

    async def listening(files, **wishes):
        seen.append(files["test_app.py"])
        return await made.run(files, **wishes)

    sources = {"test_app.py": made.snapshot.sources["test_app.py"]}
    targets = list(reds.values())
    asyncio.run(canary(patched(""), targets, sources, listening))
    for data in seen:
        assert data.startswith(b"# coding: latin-1\r\n")
        assert data.count(b"\r\n") == data.count(b"\n")
        assert "naïve".encode("latin-1") in data
        assert data != sources["test_app.py"]
        lowered = data.lower()
        assert not any(word in lowered for word in (b"bonafix", b"canary", b"flip"))
