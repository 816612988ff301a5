"""Red tests that another test contradicts are not held against a patch."""

import asyncio
import json
import os

import pytest

from bonafix.calls import Tools
from bonafix.domain import Baseline, Layout
from bonafix.judge.sealed import Trial, counted, sealed
from bonafix.judge.suspicion.excused import fair
from bonafix.observe.calls import make_caller, make_recorder
from tests.judge.values import patch
from tests.observe.environments import plain
from tests.observe.harness import bench, config, write
from tests.small import bonafix

FILES = {
    "school/__init__.py": "",
    "school/grades.py": '''
        def grade(points):
            """The grade for so many points."""
            if points > 80:
                return "B"
            return "C"
        ''',
    "tests/test_grades.py": """
        import pytest

        from school.grades import grade


        @pytest.mark.parametrize(
            "points, want",
            [(85, "B"), (80, "B"), (50, "C"), (50, "D"), (79, "X")],
        )
        def test_grade(points, want):
            assert grade(points) == want
        """,
    "pyproject.toml": """
        [tool.pytest.ini_options]
        testpaths = ["tests"]
        """,
}
TEST = "tests/test_grades.py::test_grade"
AIM, CONTRADICTED, TWIN = f"{TEST}[80-B]", f"{TEST}[50-D]", f"{TEST}[79-X]"


async def never(*_args, **_kwargs):
    raise AssertionError("nothing was to be run")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The bench, its tools, and the trial of a patch that mends one row of three."""
    root = write(tmp_path_factory.mktemp("grades"), FILES)
    with bench(root, config()) as made:
        before = made.snapshot.sources["school/grades.py"]
        change = patch("school/grades.py", before, before.replace(b"> 80", b">= 80"))
        run = asyncio.run(made.run({}, record_lines=True))
        layout = Layout(
            package_roots=("school",), tests=frozenset({"tests/test_grades.py"})
        )
        trial = Trial(
            patch=change,
            author="outside",
            seal=None,
            targets=(run.results[AIM],),
            baseline=Baseline(run=run, layout=layout),
            after=asyncio.run(made.run(change.files)),
        )
        place = made.snapshot, made.interpreter, made.config
        tools = Tools(made.run, make_recorder(*place), make_caller(*place))
        yield made, tools, trial


def test_only_what_is_contradicted_is_left_out(here):
    """Of two rows that stay red one contradicts a passing row, the other nothing."""
    made, tools, trial = here
    assert {twin.id for twin in counted(trial).doubtful} == {CONTRADICTED, TWIN}
    known = {}
    just = asyncio.run(fair(trial, made.snapshot.sources, tools, known))
    assert just.excused == {CONTRADICTED}
    assert {twin.id for twin in counted(just).doubtful} == {TWIN}
    assert known == {CONTRADICTED: True, TWIN: False}
    record = asyncio.run(sealed(just, made.snapshot.sources, made.run))
    assert record.doubt.startswith(TWIN)
    assert record.facts["excused"] == [CONTRADICTED]
    assert record.summary.endswith(
        f"contradicts another test or example: {CONTRADICTED}"
    )


def test_what_is_known_is_not_asked_again(here):
    """The next candidate is judged without running anything for it."""
    made, _, trial = here
    known = {CONTRADICTED: True, TWIN: False}
    idle = Tools(never, never, never)
    just = asyncio.run(fair(trial, made.snapshot.sources, idle, known))
    assert just.excused == {CONTRADICTED}


def test_a_fix_is_not_refused_for_a_row_that_no_fix_can_mend(tmp_path):
    """The honest change is offered, and the contradicted row reported by itself."""
    rows = FILES["tests/test_grades.py"].replace(', (79, "X")', "")
    root = write(tmp_path / "school", {**FILES, "tests/test_grades.py": rows})
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    environment = {
        **os.environ,
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
    }
    done = bonafix("fix", root, "--engine", "search", "--json", "-", env=environment)
    repairs = {one["failure"]: one for one in json.loads(done.stdout)["repairs"]}
    assert repairs[CONTRADICTED]["verdict"] == "test-suspect", done.stderr
    assert repairs[AIM]["verdict"] == "plausible"
    assert "+    if points >= 80:" in repairs[AIM]["patch"]
    (record,) = [e for e in repairs[AIM]["evidence"] if e["stage"] == "sealed"]
    assert CONTRADICTED in record["summary"]
    assert "still fails" not in record["summary"]
