"""What makes cold runs of one bench cheaper, once it was seen to change nothing.

Two things, both tried by the baseline itself: its second run of the suite finds the
modules compiled ahead, and is split over the cores. Only if that run says of every id
what the first one said, which had neither, do later runs go the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from bonafix.domain import Event, Listener, SuiteRun
from bonafix.observe import ahead
from bonafix.observe.run import Bench
from bonafix.observe.seats import Tally
from bonafix.observe.shards import Parts, Shards, differing, plan
from bonafix.sandbox.confinement import Capabilities, capabilities


@dataclass(slots=True)
class Haste:
    """How the runs of `bench` are sped up now; `shards` is what its runner goes by."""

    bench: Bench
    shards: Shards = field(default_factory=Shards)
    tally: Tally = field(default_factory=Tally)  # of what screens
    harm: str = ""  # that was seen: it is never gone faster then

    async def begin(self, first: SuiteRun) -> None:
        """Go faster from here on, after a plain run of the untouched suite."""
        await self.resume(first, plan(first))

    async def resume(self, first: SuiteRun, parts: Parts) -> None:
        """Go as fast as was seen to be right before."""
        if self.harm:
            self.shards.why = self.harm
            return
        if self._caps().writes:  # else a candidate could change what the next one runs
            await ahead.compile_ahead(self.bench, first)
        self.shards.order = first.collected
        self.shards.why = "" if parts else "it is too short for that"
        if parts and not self.apart():
            parts, self.shards.why = (), "runs are not apart from each other here"
        self.shards.parts = parts

    def kept(self, run: SuiteRun) -> Parts:
        """In which parts processes share the suite that are kept: they start once."""
        fits = not self.harm and self.apart()
        return self.shards.parts or (plan(run, forked=True) if fits else ())

    async def stop(self) -> None:
        """Run as the first run did, from here on."""
        self.shards.parts, self.shards.why = (), "it is being tried without"
        await ahead.undo(self.bench.snapshot)

    async def vet(
        self, first: SuiteRun, fast: SuiteRun, plain: SuiteRun, listen: Listener
    ) -> None:
        """Go on faster if what was different then is so without, too; else never."""
        unsteady = differing(first, plain)
        blamed = [i for i in differing(first, fast) if i not in unsteady]
        if not blamed:
            await self.begin(first)
            return
        node_id = blamed[0]
        reason = (
            f"{node_id} is {first.outcome(node_id)} in one process and "
            f"{fast.outcome(node_id)} in parts or compiled ahead"
        )
        self.harm = self.shards.why = reason
        text = f"suites run in one process, with nothing compiled ahead: {reason}"
        listen(Event(kind="note", text=text, facts={"sequential": reason}))

    @property
    def tiers(self) -> Mapping[str, int]:
        """How many runs each way has taken so far, by the way's name."""
        shards = self.shards
        suites = {"suite in parts": shards.used, "suite in one process": shards.whole}
        return {**self.tally.runs, **{name: n for name, n in suites.items() if n}}

    @property
    def falls(self) -> Mapping[str, int]:
        """Why how many of these runs did not go a faster way."""
        shards = self.shards
        found = {"a suite is confirmed in one process": shards.again}
        if not shards.parts:
            found[shards.why] = shards.whole
        return {**self.tally.falls, **{why: n for why, n in found.items() if n}}

    def event(self) -> Event:
        """What there is to tell of the whole suites that were run."""
        shards = self.shards
        why = {} if shards.parts else {shards.why: shards.whole}
        if shards.again:
            why["to confirm"] = shards.again
        because = "; ".join(f"{count}x {reason}" for reason, count in why.items())
        split = f"{shards.used} in {len(shards.parts)} processes at once, "
        text = (
            f"whole suites: {split if shards.used else ''}{shards.whole} in one process"
            + (f" ({because})" if because else "")
        )
        facts = {"tiers": self.tiers, "falls": self.falls}
        return Event(kind="note", text=text, facts=facts)

    def apart(self) -> bool:
        """Whether two runs at once have nothing in common that they could fight for."""
        caps = self._caps()
        return caps.network and caps.mounts and caps.ipc

    def _caps(self) -> Capabilities:
        if self.bench.config.confine == "off":
            return Capabilities(platform=sys.platform)
        return capabilities(self.bench.snapshot.lower.parent)
