"""Domain values for the tests of delivery: one judgement of each sort."""

from __future__ import annotations

from pathlib import Path

from bonafix.domain import (
    Baseline,
    Candidate,
    Change,
    Cost,
    Evidence,
    Frame,
    Judgement,
    Layout,
    Outcome,
    Patch,
    Place,
    Repair,
    Snapshot,
    SuiteRun,
    TargetChange,
    TestResult,
    Verdict,
)

RED = "tests/test_calc.py::test_add[1-2]"
GREEN = "tests/test_calc.py::test_two"
FLAKY = "tests/test_calc.py::test_sometimes"

FAILURE = TestResult(
    id=RED,
    outcome=Outcome.FAILED,
    exception="AssertionError",
    message="assert -1 == 3\n  where -1 = add(1, 2)",
    place=Place("tests/test_calc.py", 5),
    frames=(Frame("calc.py", 2, "add", "return a - b", own=True, values={"a": "1"}),),
    phases=("setup", "call", "teardown"),
    seconds=0.25,
)
RUN = SuiteRun(
    results={
        RED: FAILURE,
        GREEN: TestResult(id=GREEN, outcome=Outcome.PASSED),
        FLAKY: TestResult(id=FLAKY, outcome=Outcome.FAILED),
    },
    collected=(RED, GREEN, FLAKY),
    lines={RED: {"calc.py": frozenset({1, 2})}},
    interpreter="CPython 3.11.7",
    pytest="9.0.0",
    plugins=("xdist-3.8",),
    command=("python", "-m", "pytest"),
    confinement="namespaces",
    seconds=1.5,
)
BASELINE = Baseline(
    run=RUN,
    flaky=frozenset({FLAKY}),
    layout=Layout(package_roots=("",), tests=frozenset({"tests/test_calc.py"})),
)
SOURCES = {
    "calc.py": b"def add(a, b):\n    return a - b  # \xe9\n",
    "tests/test_calc.py": b"def test_add(): ...\n",
    "pyproject.toml": b"[project]\n",
}
SNAPSHOT = Snapshot(
    root=Path("/home/someone/project"),
    lower=Path("/nowhere"),
    files=frozenset(SOURCES),
    sources=SOURCES,
    digest="d1",
)
PATCH = Patch(
    (
        Change(
            "calc.py",
            SOURCES["calc.py"],
            SOURCES["calc.py"].replace(b"a - b", b"a + b"),
        ),
    )
)
EVIDENCE = (
    Evidence(stage="policy", result="pass", summary="only product code: calc.py"),
    Evidence(
        stage="target",
        result="pass",
        summary="1/1 targets pass",
        seconds=0.4,
        cpu_seconds=0.3,
        facts={"ids": [RED], "ratio": 0.5, "none": None, "deep": {"a": [1, True]}},
    ),
    Evidence(
        stage="probe",
        result="pass",
        summary="58/60 neighbours changed",
        supports=True,
        place=Place("calc.py", 2),
    ),
    Evidence(stage="sealed", result="skipped", summary="no test was sealed"),
)
VERIFIED = Judgement(
    candidate=Candidate(
        patch=PATCH,
        author="claude",
        title="a - b → a + b",
        model="a-model",
        effort="low",
        cost=Cost(usd=0.0123, input_tokens=1000, output_tokens=200, requests=2),
    ),
    verdict=Verdict.VERIFIED,
    evidence=EVIDENCE,
    targets=(TargetChange(id=RED, before=Outcome.FAILED, after=Outcome.PASSED),),
)
REFUSED = Judgement(
    candidate=Candidate(patch=PATCH, author="outside"),
    verdict=Verdict.SPECIAL_CASED,
    evidence=(
        Evidence(
            stage="probe",
            result="fail",
            summary="returns 3 for just the input of test_add[1-2]",
            refusal=Verdict.SPECIAL_CASED,
            place=Place("calc.py", 2),
            reproduce="python -c 'import calc; calc.add(2, 2)'",
        ),
    ),
)
PLAUSIBLE = Judgement(
    candidate=VERIFIED.candidate,
    verdict=Verdict.PLAUSIBLE,
    evidence=EVIDENCE[:2],
    targets=VERIFIED.targets,
    missing=("no probe supports it",),
)
REPAIR = Repair(
    targets=(FAILURE,),
    verdict=Verdict.VERIFIED,
    engine="claude",
    best=VERIFIED,
    tried=2,
    screened=7,
    cost=VERIFIED.candidate.cost,
    seconds=12.0,
    reason="all stages passed",
    receipt="/state/receipts/x.json",
)
GAVE_UP = Repair(
    targets=(FAILURE,),
    verdict=Verdict.GAVE_UP,
    engine="search",
    reason="no candidate made the failing tests pass",
)
BROKE = Repair(
    targets=(FAILURE,),
    verdict=Verdict.ERROR,
    engine="claude",
    reason="the key was refused",
    error_kind="service",
)
