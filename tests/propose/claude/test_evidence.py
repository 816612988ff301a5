"""The first message: each piece of evidence is there, in order, and bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bonafix.config import Config
from bonafix.domain import Frame, Outcome, Suspect, TestResult
from bonafix.propose.claude import show_prompt
from bonafix.redaction import MARK
from tests.propose.claude.cases import SOURCES, failure, task

REPORTING = """\
from stats.means import mean


class Report:
    def summary(self, groups):
        return {name: mean(values) for name, values in groups.items()}


def unrelated():
    return "mean"
"""
README = """\
# stats

Nothing to see.

## Averages

`mean` is the arithmetic mean of its values, 0.0 for none.

## Other

Not about it.
"""
HIDDEN = """\
def weigh(values):
    SENTINEL_CODE = "SENTINEL-literal"
    return [value * 1.5 for value in values]
"""
FRAMES = (
    Frame(
        path="tests/test_means.py",
        line=5,
        function="test_mean_of_two",
        code="assert mean([2, 4]) == 3",
        own=True,
    ),
    Frame(path="/lib/other.py", line=1, function="f", code="lib()", own=False),
    Frame(
        path="stats/means.py",
        line=5,
        function="mean",
        code="return sum(values) / (len(values) + 1)",
        own=True,
        values={"values": "[2, 4]"},
    ),
)
SUSPECTS = (
    Suspect(
        path="stats/means.py", line=5, score=0.9, function="mean", why="it came from"
    ),
    Suspect(path="stats/means.py", line=3, score=0.8, function="mean", why="passed"),
    Suspect(
        path="stats/report.py",
        line=6,
        score=0.4,
        function="Report.summary",
        why="executed by 1",
    ),
)
FILES = {
    **SOURCES,
    "stats/report.py": REPORTING.encode(),
    "stats/hidden.py": HIDDEN.encode(),
    "README.md": README.encode(),
}


def rich(root, files=FILES, **changes):
    plain = task(root, files, target=failure(frames=FRAMES))
    return replace(plain, **{"suspects": SUSPECTS, **changes})


def first(given, environment=None, **settings):
    body = show_prompt(given, Config(**settings), environment or {})
    return body["messages"][0]["content"][0]["text"]


ORDER = [
    "Failing test: tests/test_means.py::test_mean_of_two",
    "AssertionError: assert 2.0 == 3",
    "expected: 3\nactual:   2.0",
    "     5\t    assert mean([2, 4]) == 3",
    # the traceback, with code and values
    "stats/means.py:5 in mean",
    "    return sum(values) / (len(values) + 1)",
    "    with values=[2, 4]",
    # ranked functions, with why
    "0.90  stats/means.py:5  mean  it came from  (also lines 3)",
    "0.40  stats/report.py:6  Report.summary  executed by 1",
    # the body of the first, whole
    "The most suspicious place, mean in stats/means.py:",
    "     1\tdef mean(values):",
    "     5\t    return sum(values) / (len(values) + 1)",
    # who calls it
    "Functions that call mean:",
    "stats/report.py, Report.summary",
    "     6\t        return {name: mean(values) for name, values in groups.items()}",
    # what is written of it
    "What the project's documentation says of it:",
    "README.md\n## Averages\n`mean` is the arithmetic mean of its values",
    "Files that a fix may change",
    "then submit.",
]


def test_all_evidence_is_there_in_a_fixed_order(tmp_path):
    """No piece may be dropped, or change its place, without being noticed."""
    text = first(rich(tmp_path))
    at = 0
    for piece in ORDER:
        assert piece in text[at:], piece
        at = text.index(piece, at) + len(piece)


def test_what_has_nothing_to_do_with_it_is_not(tmp_path):
    """Other functions, other paragraphs and others' frames stay away."""
    text = first(rich(tmp_path))
    for other in ("unrelated", "Not about it", "Nothing to see", "/lib/other.py"):
        assert other not in text


def test_the_same_evidence_is_the_same_bytes(tmp_path):
    """Whatever the order in which files were read: the cache depends on it."""
    shuffled = dict(reversed(FILES.items()))
    assert first(rich(tmp_path)) == first(rich(tmp_path, shuffled))


def test_a_line_outside_of_functions(tmp_path):
    """Without a function the lines around it are shown, and nobody calls them."""
    files = {**FILES, "stats/table.py": b"ONE = 1\nTWO = 3\nTHREE = 3\n"}
    suspect = Suspect(path="stats/table.py", line=2, score=1.0)
    text = first(rich(tmp_path, files, suspects=(suspect,)))
    assert "     2\tTWO = 3\n     3\tTHREE = 3" in text
    assert "Functions that call" not in text


def test_a_long_body_is_shown_around_the_line(tmp_path):
    """The suspicious line is in what is shown of a function of thousands."""
    lines = [f"    step_{n} = {n}" for n in range(3000)]
    body = "\n".join(["def long():", *lines, "    return 0", ""])
    files = {**FILES, "stats/long.py": body.encode()}
    suspect = Suspect(path="stats/long.py", line=1502, score=1.0, function="long")
    text = first(rich(tmp_path, files, suspects=(suspect,)))
    assert "  1502\t    step_1500 = 1500" in text
    assert len(text) < 20_000


def test_deepest_frames_stay(tmp_path):
    """Of a recursion the outer frames are left out, never the fault's."""
    deep = [replace(FRAMES[2], line=n, function=f"deep{n}") for n in range(1, 80)]
    target = failure(frames=(*FRAMES[:1], *deep))
    text = first(rich(tmp_path, targets=(target,)))
    assert "in deep79" in text
    assert "in deep1\n" not in text
    assert "outer frames left out]" in text


LONG = st.integers(0, 60_000)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sizes=st.lists(LONG, min_size=8, max_size=8), count=st.integers(1, 15))
def test_it_is_bounded(tmp_path, sizes, count):
    """Whatever is endless, the message is not."""
    words = ["mean " * (size // 5) for size in sizes]
    frame = replace(FRAMES[2], code=words[0], values={"x": words[1]})
    target = failure(
        message=words[2],
        expected=words[3],
        actual=words[4],
        captured=words[5],
        frames=(frame,) * 60,
    )
    targets = tuple(replace(target, id=f"t.py::t{n}[{words[6]}]") for n in range(count))
    files = {
        **FILES,
        "README.md": words[7].encode(),
        "stats/means.py": FILES["stats/means.py"] + f"# {words[7]}\n".encode(),
        **{f"stats/m{n}.py": b"def f():\n    return mean([])\n" for n in range(600)},
    }
    assert len(first(rich(tmp_path, files, targets=targets))) < 60_000


class TestExcluded:
    def hidden(self, root, *, deepest):
        frame = Frame(
            path="stats/hidden.py",
            line=2,
            function="SENTINEL_function",
            code="SENTINEL_CODE = 1",
            own=True,
            values={"SENTINEL_name": "SENTINEL-value"},
        )
        frames = (*FRAMES[:1], frame) if deepest else (FRAMES[0], frame, FRAMES[2])
        suspect = Suspect(
            path="stats/hidden.py", line=2, score=1.0, function="SENTINEL_function"
        )
        target = failure(
            frames=frames,
            message="SENTINEL-raised" if deepest else "assert 2.0 == 3",
            captured="SENTINEL-literal was printed",
            longrepr="    SENTINEL_CODE\nstats/hidden.py:2: ValueError",
        )
        return rich(root, targets=(target,), suspects=(suspect, *SUSPECTS))

    @pytest.mark.parametrize("globs", [("stats/hidden.py",), ("hidden.py",)])
    @pytest.mark.parametrize("deepest", [True, False])
    def test_nothing_of_it_is_in_the_first_message(self, tmp_path, globs, deepest):
        """Neither its code nor its values, its words, its name or its suspicion."""
        given = self.hidden(tmp_path, deepest=deepest)
        assert "SENTINEL" in first(given)
        text = first(given, exclude=globs)
        assert "SENTINEL" not in text
        assert "hidden" not in text
        assert "assert mean([2, 4]) == 3" in text

    @pytest.mark.parametrize("glob", ["stats", "stats/", "./stats/", "stats/*"])
    def test_a_folder_is_excluded_with_all_in_it(self, tmp_path, glob):
        """However the folder is written."""
        text = first(rich(tmp_path), exclude=(glob,))
        assert "stats/means.py" not in text
        assert "sum(values)" not in text


def test_secrets_are_out_before_anything_is_cut(tmp_path):
    """A cut never leaves a part of a secret that is no longer known for one."""
    secret = "s3cr3t-" + "0123456789" * 4
    for shift in range(1960, 2040, 7):
        message = "x" * (shift // 2) + secret + "y" * 4000
        target = failure(message=message, captured=message, expected=message)
        given = rich(tmp_path, targets=(target,))
        text = first(given, {"A_TOKEN": secret})
        assert MARK in text
        assert "0123" not in text


def test_green_results_carry_no_text(tmp_path):
    """What other tests printed is no evidence here."""
    green = TestResult(id="g", outcome=Outcome.PASSED, captured="loud noise")
    given = rich(tmp_path)
    run = replace(given.baseline, results={**given.baseline.results, "g": green})
    assert "loud noise" not in first(replace(given, baseline=run))
