"""What the sealed stage makes of a run, of red tests left, and of examples."""

import asyncio
import dataclasses
import textwrap

import pytest

from bonafix.domain import (
    Baseline,
    Change,
    Frame,
    Layout,
    Outcome,
    Patch,
    Place,
    SuiteRun,
    Verdict,
)
from bonafix.judge.hiding.examples import examples, in_docstrings, in_documents
from bonafix.judge.hiding.exemplary import Shown, compared
from bonafix.judge.hiding.sealing import Seal
from bonafix.judge.sealed import Trial, counted, cut_short, recorded, sealed
from tests.judge.values import LAYOUT, record, result
from tests.observe.harness import bench, config, write

CODE = b"def one():\n    x = 1\n    return x\n"
PATCH = Patch((Change("app/a.py", CODE, CODE.replace(b"x = 1", b"x = 2")),))
LINE = {"app/a.py": frozenset({2})}
ELSEWHERE = {"app/b.py": frozenset({7})}


def red(name, *, line=None, exception="AssertionError", at=5, **kwargs):
    """A failure; `line` is the product's line that it came from."""
    frames = [Frame("tests/test_app.py", at, "test", "assert", own=True)]
    if line is not None:
        frames.append(Frame("app/a.py", line, "one", "x", own=True))
    return result(
        name,
        Outcome.FAILED,
        exception=exception,
        frames=tuple(frames),
        definition=kwargs.pop("definition", Place("tests/test_app.py", at - 1)),
        place=Place("tests/test_app.py", at),
        **kwargs,
    )


def green(one):
    return dataclasses.replace(one, outcome=Outcome.PASSED, exception="", frames=())


def trial(*reds, passing=(), targets=1, seal=None, author="outside", **changes):
    """The first `targets` of `reds` are repaired; `passing` pass under the patch."""
    lines = changes.pop("lines", {})
    table = {one.id: lines.get(one.id, LINE) for one in reds}
    before = SuiteRun(
        results={one.id: one for one in reds},
        collected=tuple(one.id for one in reds),
        lines=table,
    )
    after = changes.pop("after", {})
    names = {one.id for one in reds[:targets]} | set(passing)
    results = {
        one.id: after.get(one.id, green(one) if one.id in names else one)
        for one in reds
    }
    return Trial(
        patch=PATCH,
        author=author,
        seal=seal,
        targets=tuple(reds[:targets]),
        baseline=Baseline(run=before, layout=LAYOUT),
        after=dataclasses.replace(before, results=results),
        **changes,
    )


def told(trial, shown=None):
    return recorded(trial, counted(trial), shown or Shown())


# ------------------------------------------------------------------- red tests left


@pytest.mark.parametrize("author", ["outside", "search", "claude"])
@pytest.mark.parametrize(
    ("structural", "verdict"),
    [(True, Verdict.SPECIAL_CASED), (False, Verdict.UNFIXED)],
)
def test_a_twin_with_the_same_crash_refuses(author, structural, verdict):
    """Whoever wrote it: the exception from the same line still comes."""
    one, two = red("a", line=2), red("b", line=2)
    found = told(trial(one, two, author=author, structural=structural))
    assert found.refusal is verdict
    assert found.result == "fail"
    assert "b still fails" in found.summary
    assert found.place == two.place


def test_a_twin_that_fails_in_another_way_now_is_none():
    """Its crash is gone; that something else is wrong with it was not the cause."""
    one, two = red("a", line=2), red("b", line=2)
    other = red("b", exception="KeyError")
    assert told(trial(one, two, after={"b": other})).refusal is None


def test_another_exception_or_line_is_no_twin():
    """Two faults in one module are two causes."""
    found = told(trial(red("a", line=2), red("b", line=3)))
    assert (found.refusal, found.doubt) == (None, "")
    found = told(trial(red("a", line=2), red("b", line=2, exception="KeyError")))
    assert (found.refusal, found.doubt) == (None, "")


def test_a_likely_twin_is_a_doubt():
    """The same suspicious lines, of which the patch changes one: at most plausible."""
    found = told(trial(red("a"), red("b", at=9), structural=True))
    assert found.refusal is None
    assert found.result == "inconclusive"
    assert found.doubt.startswith("b failed")


def test_lines_that_the_patch_does_not_touch_make_no_twin():
    """A test that never comes to the change is about something else."""
    found = told(trial(red("a"), red("b", at=9), lines={"b": ELSEWHERE}))
    assert found.doubt == ""
    both = {"a": ELSEWHERE, "b": ELSEWHERE}
    assert told(trial(red("a"), red("b", at=9), lines=both)).doubt == ""


def test_a_flaky_red_is_no_twin():
    """Its failure says nothing about a cause."""
    made = trial(red("a", line=2), red("b", line=2))
    base = dataclasses.replace(made.baseline, flaky=frozenset({"b"}))
    assert told(dataclasses.replace(made, baseline=base)).refusal is None


# -------------------------------------------------------------------- sealed tests


def seal_of(*reds, sealed=(), **changes):
    why = dict.fromkeys(sealed, "rows")
    return Seal(targets=tuple(reds), sealed=why, red=tuple(sealed), **changes)


def test_sealed_tests_that_pass_support():
    """They are executed evidence that the author did not see."""
    reds = [red(name) for name in "abc"]
    seal = seal_of(*reds, sealed="bc", sha256="0f")
    found = told(trial(*reds, targets=3, seal=seal, author="search"))
    assert found.result == "pass"
    assert found.supports
    assert found.summary == "2/2 sealed tests pass"
    assert found.facts["sha256"] == "0f"
    assert found.facts["passed"] == ["b", "c"]


@pytest.mark.parametrize("sealed", ["", None])
def test_who_was_fitted_needs_a_test_that_was_kept_back(sealed):
    """What was made from what tests show passes these: that says nothing for it."""
    one = red("a")
    seal = None if sealed is None else seal_of(one)
    plain = trial(one, seal=seal, author="search")
    assert not told(plain).doubt
    fitted = told(dataclasses.replace(plain, fitted=2))
    assert fitted.result == "inconclusive"
    assert "add another failing test of the same kind" in fitted.doubt
    assert fitted.facts["fitted"]
    assert "not_applicable" not in fitted.facts


def test_who_was_chosen_by_what_was_kept_back_is_a_guess():
    """Of many that were made to fit, some pass two more tests by chance."""
    reds = [red(name) for name in "abc"]
    seal = seal_of(*reds, sealed="bc")
    plain = trial(*reds, targets=3, seal=seal, author="search", failed=57)
    assert told(plain).supports  # nobody made it to fit
    fitted = told(dataclasses.replace(plain, fitted=2))
    assert "57 others like it failed" in fitted.doubt
    assert not fitted.supports
    few = told(dataclasses.replace(plain, fitted=2, failed=3))
    assert few.supports


def test_one_test_that_was_kept_back_is_too_few_for_who_was_fitted():
    """It is often so much like the one that was shown that what fits one fits it."""
    reds = [red("a"), red("b")]
    seal = seal_of(*reds, sealed="b")
    plain = trial(*reds, targets=2, seal=seal, author="search")
    assert told(plain).supports
    fitted = told(dataclasses.replace(plain, fitted=2))
    assert "only one could be kept back" in fitted.doubt
    assert not fitted.supports


@pytest.mark.parametrize("kept", [1, 2, 4, 5, 6])
def test_as_many_must_be_kept_back_as_its_maker_says(kept):
    """What is made of values takes more of them than what is only left out."""
    names = "bcdefg"[:kept]
    reds = [red(name) for name in f"a{names}"]
    seal = seal_of(*reds, sealed=names)
    made = trial(*reds, targets=len(reds), seal=seal, author="search", fitted=5)
    assert told(made).supports is (kept >= 5)
    if 1 < kept < 5:
        assert f"only {kept} could be kept back" in told(made).doubt


def test_who_was_fitted_and_passes_what_was_sealed_is_as_any_other():
    reds = [red("a"), red("b"), red("c")]
    seal = seal_of(*reds, sealed="bc")
    fitted = trial(*reds, targets=3, seal=seal, author="search", fitted=2)
    assert told(fitted).supports
    assert not told(fitted).doubt
    left = trial(
        *reds,
        targets=3,
        seal=seal,
        author="search",
        after={"b": reds[1]},
        fitted=2,
    )
    assert told(left).refusal or "b failed" in told(left).doubt  # the stronger word


def test_a_sealed_row_that_stays_red_refuses():
    """A row of the same test at the same assertion: what was shown was fitted."""
    one, two = red("t[1]"), red("t[2]")
    seal = seal_of(one, two, sealed=["t[2]"])
    made = trial(one, two, targets=2, seal=seal, author="claude", after={"t[2]": two})
    assert told(made).refusal is Verdict.UNFIXED
    structural = dataclasses.replace(made, structural=True)
    assert told(structural).refusal is Verdict.SPECIAL_CASED
    assert told(made).summary.startswith("0/1 sealed tests pass; t[2] still fails")
    assert cut_short(made).refusal is Verdict.UNFIXED


def test_a_sealed_test_of_another_function_is_a_doubt():
    """Where only the lines overlap it may have a cause of its own."""
    one, two = red("a"), red("b", at=9)
    seal = seal_of(one, two, sealed="b")
    made = trial(one, two, targets=2, seal=seal, author="claude", after={"b": two})
    found = told(made)
    assert found.refusal is None
    assert found.doubt
    assert not found.supports
    assert cut_short(made) is None


def test_a_sealed_row_of_another_cause_counts_where_it_passes():
    """It is repaired on its own: left red it says nothing, turned green it supports."""
    one, two = red("t[1]"), red("t[2]")
    seal = seal_of(one, sealed=["t[2]"], free=frozenset({"t[2]"}))
    lines = {"t[2]": ELSEWHERE}
    made = trial(one, two, seal=seal, author="search", lines=lines)
    found = told(made)
    assert (found.refusal, found.doubt, found.supports) == (None, "", False)
    assert found.result == "skipped"
    found = told(trial(one, two, seal=seal, author="search", passing=["t[2]"]))
    assert found.supports
    assert found.summary == "1/1 sealed tests pass"


def test_sealed_assertions_support_only_where_one_was_seen_to_fail():
    """An assertion that held all along shows nothing new."""
    one = red("a")
    for awake, supports in ((frozenset("a"), True), (frozenset(), False)):
        seal = seal_of(one, awake=awake)
        found = told(trial(one, seal=seal, author="search"))
        assert found.supports is supports


def test_nothing_sealed_is_not_applicable():
    """A single failing test without anything to seal is no fault of the patch."""
    one = red("a")
    found = told(trial(one, seal=seal_of(one), author="search"))
    assert found.result == "skipped"
    assert found.facts["not_applicable"] is True
    assert not found.supports


def test_a_patch_from_outside_is_not_supported():
    """Its author may have seen every test, and the record says so."""
    found = told(trial(red("a")))
    assert found.result == "skipped"
    assert "may have seen every test" in found.summary
    assert found.facts["independent"] is False
    (example,) = examples(">>> one()\n2\n", "README.md")
    found = told(trial(red("a")), Shown(mended=(example,), ran=1))
    assert found.result == "pass"
    assert not found.supports
    assert "may have seen every test" in found.summary


def test_examples_in_the_record():
    """One that breaks is a doubt; one that was sealed and holds now supports."""
    (example,) = examples("Text.\n\n>>> one()\n2\n", "README.md")
    one = red("a")
    own = trial(one, seal=seal_of(one, examples=(example,)), author="claude")
    found = told(own, Shown(broken=(example,), ran=1))
    assert found.doubt == "the documentation's example README.md:3 no longer holds"
    assert found.place == Place("README.md", 3)
    assert told(own, Shown(mended=(example,), ran=1)).supports
    unsealed = trial(one, seal=seal_of(one), author="claude")
    assert not told(unsealed, Shown(mended=(example,), ran=1)).supports
    assert not told(own, Shown(ran=1)).supports


def test_the_records_field_order_is_no_matter():
    """The stage's record has the fields of any other."""
    assert dataclasses.fields(record("sealed")) == dataclasses.fields(
        told(trial(red("a")))
    )


# -------------------------------------------------------------------------- examples


def test_examples_are_read_as_doctest_reads_them():
    """Continuations, blocks, fences and indentation."""
    text = """
        >>> for x in (1, 2):
        ...     print(x)
        1
        2

        ```python
        >>> one()
        1
        ```
        >>> raise KeyError("a")
        Traceback (most recent call last):
            ...
        KeyError: 'a'
        """
    found = examples(text, "README.md")
    assert [e.line for e in found] == [2, 8, 11]
    assert found[0].source == "for x in (1, 2):\n    print(x)\n"
    assert found[0].want == "1\n2\n"
    assert found[1].want == "1\n"
    assert found[2].want.startswith("Traceback")


def test_only_documents_that_speak_of_it():
    """Files with the name in them; not what tests read, not other folders."""
    sources = {
        "README.md": b"`one`\n\n>>> one()\n1\n",
        "docs/more.rst": b">>> two()\n",
        "docs/read.txt": b">>> one()\n1\n",
        "src/notes.md": b">>> one()\n1\n",
    }
    layout = Layout(
        package_roots=("app",), tests=frozenset(), opened=frozenset({"docs/read.txt"})
    )
    found = in_documents(sources, {"one"}, layout)
    assert [e.path for e in found] == ["README.md"]
    assert in_documents(sources, set(), layout) == ()


def test_docstrings_keep_their_lines():
    """A place in a docstring is a place in its file."""
    text = (
        b'"""Module."""\n\n\ndef one():\n    """One.\n\n    >>> one()\n    1\n    """\n'
    )
    layout = Layout(package_roots=("src/app",), tests=frozenset())
    (found,) = in_docstrings({"src/app/a.py": text}, {"one"}, layout)
    assert (found.line, found.module, found.want) == (7, "app.a", "1\n")


FILES = {
    "app.py": '''
        def double(x):
            """Twice.

            >>> double(1)
            2
            """
            return x + x + 1


        def size(text):
            return len(text)
        ''',
    "notes.py": '''
        """Notes.

        >>> import app
        >>> app.double(5)
        10
        """
        ''',
    "README.md": """
        ```python
        >>> from app import double, size
        >>> double(4)
        8
        >>> size("abc")
        3
        >>> unknown()
        1
        ```
        """,
    "test_app.py": "def test_it():\n    assert True\n",
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    root = write(tmp_path_factory.mktemp("examples"), FILES)
    with bench(root, config()) as made:
        yield made


def patched(here, old, new):
    before = here.snapshot.sources["app.py"]
    return Patch((Change("app.py", before, before.replace(old, new)),))


def test_examples_run_on_both_sides(here):
    """What holds now, what no longer does, what never did."""
    layout = Layout(package_roots=("app.py", "notes.py"), tests=frozenset())
    sources = here.snapshot.sources
    found = [
        *in_documents(sources, {"double"}, layout),
        *in_docstrings({"notes.py": sources["notes.py"]}, {"double"}, layout),
    ]
    good = patched(here, b"x + x + 1", b"x + x")
    shown = asyncio.run(compared(found, good, sources, here.run))
    assert {e.source for e in shown.mended} == {"double(4)\n", "app.double(5)\n"}
    assert shown.broken == ()
    assert shown.ran == len(found) == 6
    bad = patched(here, b"len(text)", b"len(text) + 1")
    shown = asyncio.run(compared(found, bad, sources, here.run))
    assert [e.source for e in shown.broken] == ['size("abc")\n']
    assert shown.mended == ()


def test_the_stage_runs_examples_of_what_changed(here):
    """The whole stage over a real project: a broken example is a doubt."""
    run = asyncio.run(here.run({}, record_lines=True))
    layout = Layout(
        package_roots=("app.py", "notes.py"), tests=frozenset({"test_app.py"})
    )
    for old, new, doubt in (
        (b"len(text)", b"len(text) + 1", "README.md:5"),
        (b"x + x + 1", b"x + x", ""),
    ):
        made = Trial(
            patch=patched(here, old, new),
            author="outside",
            seal=None,
            targets=(),
            baseline=Baseline(run=run, layout=layout),
            after=run,
        )
        found = asyncio.run(sealed(made, here.snapshot.sources, here.run))
        assert doubt in found.doubt
        assert bool(found.doubt) is bool(doubt)
        assert found.facts["examples"]["ran"] > 0


def test_no_examples_cost_nothing():
    """Nothing is run for a patch of which no document speaks."""

    async def never(*_args, **_kwargs):
        raise AssertionError("nothing was to be run")

    shown = asyncio.run(compared([], PATCH, {}, never))
    assert shown == Shown()


def test_the_generated_file_is_named_like_no_other(here):
    """It is not laid over a test of the project, nor says who made it."""
    seen = []

    async def listening(files, **wishes):
        seen.append(files)
        return await here.run(files, **wishes)

    (example,) = examples(">>> 1 + 1\n2\n", "README.md")
    taken = {"test_documented_examples.py": b""}
    asyncio.run(compared([example], Patch(()), taken, listening))
    for files in seen:
        (name,) = files
        assert name == "test_documented_examples2.py"
        assert b"bonafix" not in files[name].lower()
        assert textwrap.dedent(files[name].decode()) == files[name].decode()
