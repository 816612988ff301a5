"""Files that are kept back leave nothing in what tests printed."""

import functools
import os
import subprocess
import sys

import pytest

from bonafix.domain import (
    CollectionError,
    Feedback,
    Frame,
    Outcome,
    Place,
    SuiteRun,
    TestResult,
    Verdict,
)
from bonafix.withholding import WITHHELD, withholding

HIDDEN = """\
def price(amount):
    secret_margin = 4711.25
    label = "SENTINEL-in-a-literal"
    print(label)
    if amount > 100:
        raise ValueError(f"SENTINEL-raised {secret_margin}")
    return check(amount * secret_margin)


def check(value):
    return value.missing
"""
OPEN = """\
from shop.hidden import price


def total(amounts):
    return sum(price(amount) for amount in amounts)
"""
TESTS = """\
import pytest

from shop.open import total


def test_raises():
    assert total([200]) == 1


def test_breaks():
    assert total([1]) == 1


def test_cause():
    try:
        total([1])
    except AttributeError as error:
        raise RuntimeError("said openly") from error


def test_open():
    assert len("abc") == 4
"""
SOURCES = {
    "shop/__init__.py": b"",
    "shop/hidden.py": HIDDEN.encode(),
    "shop/open.py": OPEN.encode(),
    "tests/test_shop.py": TESTS.encode(),
}
SENTINELS = ("SENTINEL", "secret_margin", "4711", "value.missing", "def check")


def may_send(path):
    return not path.endswith("hidden.py")


HELD = withholding(SOURCES, may_send)


def leaks(text):
    return [word for word in SENTINELS if word in text]


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What pytest itself prints about them, in each of its styles."""
    root = tmp_path_factory.mktemp("shop")
    for path, content in SOURCES.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(content)

    @functools.cache
    def run(*words):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
        done = subprocess.run(
            [*command, *words],
            cwd=root,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("--tb=auto",),
        ("--tb=long", "--showlocals"),
        ("--tb=short", "--showlocals"),
        ("--tb=native",),
        ("--tb=line",),
        ("--full-trace",),
    ],
)
def test_pytests_own_renderings(printed, words):
    """Whatever the style, the file's code, variables and words are left out."""
    text = printed(*words)
    assert leaks(text)
    clean = HELD.rendered(text)
    assert leaks(clean) == []
    assert "test_raises" in clean
    if words[0] in {"--tb=auto", "--tb=long", "--tb=short"}:
        assert "assert total([200]) == 1" in clean
        assert "RuntimeError: said openly" in clean
        assert "assert 3 == 4" in clean


@pytest.mark.parametrize("size", [400, 700, 1000, 1500, 2200])
def test_a_rendering_that_was_cut_short(printed, size):
    """Where its place is lost, an entry is not taken for another file's."""
    text = printed("--tb=long", "--showlocals")
    for start in range(0, len(text), size):
        assert leaks(HELD.rendered(text[start : start + size])) == []


def frame(path, **more):
    fields = {"line": 3, "function": "price", "code": "secret_margin = 4711.25"}
    return Frame(
        path=path,
        own=True,
        values={"secret_margin": "4711.25"},
        **{**fields, **more},
    )


def result(*paths, **more):
    return TestResult(
        id="tests/test_shop.py::test_raises",
        outcome=Outcome.FAILED,
        exception="ValueError",
        message="SENTINEL-raised 4711.25",
        expected="4711.25",
        place=Place("tests/test_shop.py", 7),
        longrepr="E   ValueError: SENTINEL-raised 4711.25",
        frames=tuple(
            frame(path)
            if path.endswith("hidden.py")
            else frame(path, code="total(x)", function="total")
            for path in paths
        ),
        **more,
    )


def told(one):
    """All that a result could show, as one text."""
    return repr(one)


def test_what_the_file_raised_has_but_its_type():
    """Message and both sides come from the file where it is the deepest."""
    clean = HELD.result(result("tests/test_shop.py", "shop/hidden.py"))
    assert clean.exception == "ValueError"
    assert clean.message == WITHHELD
    assert clean.expected is None
    assert clean.longrepr == ""
    last = clean.frames[-1]
    assert (last.code, dict(last.values), last.line) == ("", {}, 0)
    assert "hidden" not in last.path
    assert "SENTINEL" not in told(clean)


def test_frames_around_it_stay():
    """What other files raise is told, and so are their own frames."""
    raised = result("tests/test_shop.py", "shop/hidden.py", "shop/open.py")
    one = HELD.result(raised)
    assert one.message.startswith("SENTINEL-raised")
    assert one.frames[0].code == "total(x)"
    assert one.frames[2].values
    assert one.frames[1].values == {}
    assert one.longrepr == ""


def test_a_result_that_does_not_touch_it_is_whole():
    """Nothing is lost where there is nothing to hide."""
    plain = result("tests/test_shop.py", captured="fine\n")
    located = f"{plain.longrepr}\n\ntests/test_shop.py:7: ValueError"
    one = TestResult(id=plain.id, outcome=plain.outcome, longrepr=located)
    assert HELD.result(one) == one
    assert withholding(SOURCES, lambda _: True).result(plain) == plain


def test_what_it_prints():
    """Its lines and its literals are known wherever they turn up."""
    captured = 'log: SENTINEL-in-a-literal\n    return value.missing\nfine "ok"\n'
    clean = HELD.result(result("tests/test_shop.py", captured=captured))
    assert leaks(clean.captured) == []
    assert 'fine "ok"' in clean.captured


def test_what_another_file_says_too_is_no_secret():
    """A line that also stands in a file that may be sent is not withheld."""
    sources = {**SOURCES, "shop/copy.py": HIDDEN.encode()}
    held = withholding(sources, may_send)
    assert held.text("    return value.missing") == "    return value.missing"


def test_runs_and_feedback():
    """Errors of collection, the process's output and a refusal's text as well."""
    error = CollectionError(
        id="shop/hidden.py", message="SENTINEL", place=Place("shop/hidden.py", 1)
    )
    hidden = result("shop/hidden.py")
    run = SuiteRun(
        results={hidden.id: hidden},
        collected=(hidden.id,),
        collection_errors=(error,),
        output="SENTINEL-in-a-literal",
    )
    clean = HELD.run(run)
    assert "SENTINEL" not in told(clean)
    visible = (
        "a.py::t: failed\n    def price(amount):\n>       boom\n"
        "E       ValueError: SENTINEL\n\nshop/hidden.py:6: ValueError"
    )
    feedback = HELD.feedback(Feedback(verdict=Verdict.UNFIXED, visible=visible))
    assert feedback.visible == f"a.py::t: failed\n{WITHHELD}"


def test_secrets_are_taken_out_before_anything_is_cut():
    """Each text of a result goes through the given redactor."""
    held = withholding({}, lambda _: True, lambda text: text.replace("4711.25", "*"))
    assert "4711.25" not in told(held.result(result("shop/open.py")))
