"""Small values for the judge's tests."""

from bonafix.domain import (
    Baseline,
    Change,
    Evidence,
    Layout,
    Outcome,
    Patch,
    SuiteRun,
    TestResult,
    Verdict,
)

PHASES = ("setup", "call", "teardown")
LAYOUT = Layout(
    package_roots=("app",),
    tests=frozenset({"tests/test_app.py", "tests/data.json"}),
    collected=frozenset({"tests/test_app.py"}),
    opened=frozenset({"app/table.csv"}),
    shadowed=frozenset({"json"}),
)


def result(node_id, outcome=Outcome.PASSED, **kwargs):
    kwargs.setdefault("phases", PHASES)
    return TestResult(id=node_id, outcome=outcome, **kwargs)


def run(**outcomes):
    """A run whose ids are the names: `run(a="passed", b="failed")`."""
    results = {i: result(i, Outcome(o)) for i, o in outcomes.items()}
    return SuiteRun(results=results, collected=tuple(results))


def baseline(flaky=(), layout=LAYOUT, **outcomes):
    return Baseline(run=run(**outcomes), flaky=frozenset(flaky), layout=layout)


def patch(path="app/a.py", before=b"x = 1\n", after=b"x = 2\n", kind="modify"):
    return Patch((Change(path, before, after, kind),))


def record(stage, result="pass", **kwargs):
    return Evidence(stage=stage, result=result, summary=f"{stage} {result}", **kwargs)


def refused(stage, verdict):
    return record(stage, "fail", refusal=Verdict(verdict))
