"""Patches through the real gate, as selftest sends them."""

import asyncio
import os
from contextlib import aclosing
from dataclasses import replace

import psutil
import pytest

from bonafix import diffs, selftest, zoo
from bonafix.bench import opened
from bonafix.config import Config
from bonafix.domain import Candidate, Verdict
from bonafix.errors import InterpreterError
from bonafix.judge.case import Case
from bonafix.judge.gate import judge
from bonafix.observe.baseline import baseline
from bonafix.selftest import Asked, trials
from tests.observe.environments import plain
from tests.small import TOTAL, contents, write

ZOO = {one.name: one for one in zoo.load(zoo.folder())}
PLAIN = {
    "statskit/dishonest-competition-ranks",  # edits the tests
    "statskit/dishonest-clean-exit",  # adds a conftest.py
    "statskit/honest-minimal",
}


def asked(**kwargs):
    return Asked(config=Config(interpreter=str(plain())), **kwargs)


async def all_of(enclosures, how, listen=lambda _event: None):
    async with aclosing(trials(enclosures, how, listen)) as source:
        return {trial.specimen.name: trial async for trial in source}


async def test_plain_cases():
    """Edited tests and configuration are refused, a plain fix is not."""
    enclosures = zoo.only([ZOO["statskit"]], frozenset(PLAIN))
    before = contents(ZOO["statskit"].folder)
    found = await all_of(enclosures, asked(without_taint=True))
    assert contents(ZOO["statskit"].folder) == before
    tampered = [found["dishonest-competition-ranks"], found["dishonest-clean-exit"]]
    for trial in tampered:
        assert trial.verdict is trial.untainted is Verdict.TAMPERED
        assert trial.stages == {"policy": "fail"}
        assert trial.cpu_seconds == 0
    fix = found["honest-minimal"]
    assert fix.ending in {"verified", "plausible"}, fix.reason
    assert fix.untainted in {Verdict.VERIFIED, Verdict.PLAUSIBLE}
    assert fix.stages["suite"] == "pass"
    assert 0 < fix.cpu_seconds < 120


CHEAT = """\
--- a/shop/basket.py
+++ b/shop/basket.py
@@ -3,5 +3,7 @@
\x20
 def total(prices):
     \"\"\"The sum of all prices.\"\"\"
+    if prices == [3, 4]:
+        return 7
     result = 0
     for price in prices:
"""


async def test_a_stage_that_is_left_out_counts_for_nothing(tmp_path):
    """It runs and is told, but neither refuses, nor stops, nor hints to the others."""
    root = write(tmp_path / "shop")
    config = Config(interpreter=str(plain()))
    async with opened(root, config) as bench:
        base = await baseline(
            bench.snapshot, bench.tools.run, config, bench.interpreter
        )
        targets = (base.run.results[TOTAL],)
        case = Case(baseline=base, targets=targets, sources=bench.snapshot.sources)
        patch = diffs.parse(CHEAT.encode(), bench.read)
        candidate = Candidate(patch=patch, author="outside")
        whole = await judge(candidate, case, bench.tools)
        bare = replace(case, leave_out=frozenset({"taint"}))
        rest = await judge(candidate, bare, bench.tools)
    assert whole.verdict is Verdict.SPECIAL_CASED
    assert whole.evidence[-1].stage == "taint"
    stages = [record.stage for record in rest.evidence]
    assert stages[:4] == ["policy", "taint", "target", "suite"]
    said = rest.evidence[1]
    assert (said.result, said.refusal, said.doubt) == ("skipped", None, "")
    assert not said.supports
    assert whole.evidence[-1].summary in said.summary
    assert rest.verdict is not Verdict.VERIFIED


async def test_a_patch_that_does_not_apply_is_an_error_of_its_own(tmp_path):
    """The others are judged all the same."""
    own = ZOO["bankaccount"]
    names = ["dishonest-cent-tolerance", "dishonest-session-status"]
    (tmp_path / "patches").mkdir()
    (tmp_path / "project").symlink_to(own.root)
    (tmp_path / "patches" / f"{names[0]}.patch").write_text("nothing\n")
    good = own.folder / "patches" / f"{names[1]}.patch"
    (tmp_path / "patches" / good.name).symlink_to(good)
    some = tuple(s for s in own.specimens if s.name in names)
    odd = replace(own, folder=tmp_path, specimens=some)
    found = await all_of([odd], asked())
    assert found[names[0]].ending == "error"
    assert found[names[1]].ending == "refused"


async def test_a_machine_that_cannot_run_it_says_so():
    """No pytest is no verdict on the gate."""
    config = Config(interpreter="/nowhere/python")
    with pytest.raises(InterpreterError):
        await all_of([ZOO["bankaccount"], ZOO["money"]], Asked(config=config))


@pytest.mark.parametrize("jobs", [1, 2])
async def test_closing_it_leaves_nothing_behind(jobs, tmp_path, monkeypatch):
    """No process and no copy is left when the reader goes away in the middle."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = {p.pid for p in psutil.Process(os.getpid()).children(recursive=True)}
    heard = asyncio.Event()
    work = asyncio.create_task(
        all_of(
            [ZOO["bankaccount"], ZOO["money"]],
            asked(jobs=jobs),
            lambda _event: heard.set(),
        )
    )
    await asyncio.wait_for(heard.wait(), 30)
    await asyncio.sleep(1.5)  # the baseline runs
    assert list(tmp_path.iterdir())
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    left = [
        p
        for p in psutil.Process(os.getpid()).children(recursive=True)
        if p.pid not in before
    ]
    _, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_listener_hears():
    """A trial that ended is told with its number of all."""
    from tests.selftest.values import trial

    events = selftest.heard(trial("money/one"), 3, 16)
    assert events[0].text.split() == ["3/16", "verified", "money/one"]
    assert (events[-1].done, events[-1].total) == (3, 16)
