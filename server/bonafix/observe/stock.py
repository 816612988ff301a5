"""What one root keeps between saves: at most one process of each kind, or why none."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bonafix.domain import Event, Listener
from bonafix.observe.keeping import Copy, Kept
from bonafix.observe.making import collected, imported
from bonafix.observe.memory import short
from bonafix.observe.seats import FAITH, BarredError
from bonafix.observe.steering import visible
from bonafix.observe.zygote import LostError, Module

ALL = "all"  # kinds
_KINDS = ("swap", "warm")  # the fastest first
_AGAIN = 30 * 60.0  # seconds after which a barred kind is tried once more


@dataclass(slots=True, eq=False)
class Stock:
    """The processes. Whoever asks one of them holds `using` meanwhile."""

    kept: dict[str, Kept] = field(default_factory=dict)  # by kind
    stale: set[str] = field(default_factory=set)  # kinds that are to be made anew
    barred: dict[str, str] = field(default_factory=dict)  # kind -> why there is none
    using: asyncio.Lock = field(default_factory=asyncio.Lock)
    _since: dict[str, float] = field(default_factory=dict)  # it was barred
    _lost: Counter[str] = field(default_factory=Counter)

    def fastest_first(self) -> Iterator[tuple[str, Kept]]:
        """Those that there are, as they are asked for."""
        for kind in _KINDS:
            if kind in self.kept:
                yield kind, self.kept[kind]

    def bar(self, kind: str, reason: str, listen: Listener) -> None:
        """Start no such process any more, or none at all."""
        self._since[kind] = time.monotonic()
        if self.barred.get(kind) != reason:
            self.barred[kind] = reason
            what = "no quick answers any more"
            what = what if kind == ALL else f"no {kind} process is kept"
            tell(listen, f"{what}: {reason}", barred=reason)

    async def lose(self, kind: str, reason: str, listen: Listener) -> None:
        """Note that a process is gone, or does not do as it should."""
        kept = self.kept.pop(kind, None)
        if kept is not None:
            await kept.close()
        self._lost[kind] += 1
        tell(listen, reason, lost=reason)
        if self._lost[kind] >= FAITH:
            self.bar(kind, reason, listen)

    async def look_after(self, kept: Kept, listen: Listener) -> None:
        """Keep nothing more where a run has left what the next would find."""
        left = await kept.look_after()
        if left:
            self.bar(ALL, f"tests leave {left} behind", listen)
            await self.end_all()

    async def let_go(self) -> None:
        """End them all: they were made for something else than there is now."""
        await self.end_all()
        self.barred.clear()
        self._lost.clear()

    async def end_all(self) -> None:
        """End them all."""
        while self.kept:
            _, kept = self.kept.popitem()
            await kept.close()

    async def renew(self, copy: Copy, listen: Listener) -> None:
        """Make what is missing, or is not what it should be; the fastest first."""
        if ALL in self.barred or short():
            await self.end_all()
            return
        begun = time.monotonic()
        modules = self.kept["swap"].modules if "swap" in self.kept else ()
        wanted = [kind for kind in _KINDS if self._needs(kind, copy)]
        for kind in wanted:
            try:
                await self._end(kind)
                modules = await self._make(kind, copy, modules)
                self.barred.pop(kind, None)
            except BarredError as error:
                self.bar(kind, str(error), listen)
            except LostError as error:
                await self.lose(kind, f"a process was lost: {error}", listen)
        if wanted and self.kept:
            spent = time.monotonic() - begun
            text = f"quick answers are ready ({', '.join(self.kept)}; {spent:.1f} s)"
            tell(listen, text, kept=tuple(self.kept))

    async def _make(
        self, kind: str, copy: Copy, modules: tuple[Module, ...]
    ) -> tuple[Module, ...]:
        """Make one; what the suite imports, as far as that is known by now."""
        if kind == "warm":
            made = await imported(copy, modules)
        else:
            made = await collected(copy)
        self.kept[kind] = made
        self.stale.discard(kind)
        return made.modules

    def _needs(self, kind: str, copy: Copy) -> bool:
        if kind in self.barred:
            return time.monotonic() - self._since[kind] >= _AGAIN
        kept = self.kept.get(kind)
        if kept is None or kind in self.stale:
            return True
        before, now = kept.copy.bench, copy.bench
        same = before.interpreter == now.interpreter
        return not (same and visible(before.config) == visible(now.config))

    async def _end(self, kind: str) -> None:
        async with self.using:  # it may be answering now
            kept = self.kept.pop(kind, None)
        if kept is not None:
            await kept.close()


def tell(listen: Listener, text: str, **facts: object) -> None:
    """Say it in one line."""
    listen(Event(kind="note", text=text, facts=facts))
