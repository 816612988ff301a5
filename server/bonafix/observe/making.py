"""The whole suite's run in, a process that is kept between saves out."""

from __future__ import annotations

import asyncio

from bonafix.domain import silent
from bonafix.observe.keeping import COLLECTING, Copy, Kept, sample
from bonafix.observe.leavings import marks, tidied
from bonafix.observe.run import Teller, order
from bonafix.observe.seats import BarredError
from bonafix.observe.zygote import Module, UnfitError, Zygote

_TRIES = 3  # at what to load: each time up to the module that did harm


async def collected(copy: Copy) -> Kept:
    """One that has collected the whole suite, and exchanges functions.

    Raises:
        BarredError: nothing may be forked from there, or a fork does something else.
        LostError: the process is lost.
    """
    made = Kept(copy=copy, swaps=True)
    copy.users += 1
    try:
        wish = copy.wish(None, copy.spare())
        host = await made.seat.open(copy.bench, wish)
        try:
            await host.collect(order(copy.bench, wish, host.cell), copy.spare())
        except UnfitError as error:
            raise BarredError(str(error)) from error
        made.modules = host.told()
        await made.settle()
    except BaseException:  # cancelled too
        await made.close()
        raise
    return made


async def imported(copy: Copy, modules: tuple[Module, ...]) -> Kept:
    """One whose forks collect, with `modules` loaded, else what its tests import.

    Raises:
        BarredError: it does not do as a fresh process does.
        LostError: the process is lost.
    """
    made = Kept(copy=copy, swaps=False, modules=modules)
    copy.users += 1
    try:
        await _load(made)
        await made.settle()
    except BaseException:  # cancelled too
        await made.close()
        raise
    return made


async def _load(made: Kept) -> None:
    bench, wish = made.copy.bench, made.copy.wish((), made.copy.spare())
    host = await made.seat.open(bench, wish)
    if not made.modules:
        before = await asyncio.to_thread(marks, host.cell)
        made.modules = await _learnt(made, host)
        if await tidied(host, before):
            await made.seat.close()
            host = await made.seat.open(bench, wish)
    for _ in range(_TRIES):
        culprit = await host.load(made.modules)
        if not culprit:
            return
        names = [name for name, _ in made.modules]
        made.modules = made.modules[: names.index(culprit)]
        await made.seat.close()
        host = await made.seat.open(bench, wish)
    made.modules = ()


async def _learnt(made: Kept, host: Zygote) -> tuple[Module, ...]:
    """What some tests import, in a fork that tells."""
    ids = tuple(result.id for result in sample(made.copy.run))
    if not ids:
        return ()
    wish = made.copy.wish(ids, COLLECTING)
    wanted = order(made.copy.bench, wish, host.cell)
    _, modules = await host.run({}, wanted, Teller(silent).hear, tell=True)
    return modules
