"""A pytest session that has collected and never runs a test: its forks do.

In each fork the functions that a candidate changes are exchanged, the wanted tests
are chosen, and pytest goes on as if it had just collected them.
"""

from __future__ import annotations

import gc
import linecache
import os
import random
import tokenize
import typing

import pytest

from . import bodies, channel, early, hazards, live, preload, ran, relocate, stuck

if typing.TYPE_CHECKING:
    Order = typing.Dict[str, typing.Any]

_PATIENT = 4  # as the plugin has it


class Events(channel.Channel):
    """A channel whose fork speaks for another run."""

    def renew(self, nonce: str) -> None:
        """Speak again, in this process and under that nonce."""
        self._nonce = nonce
        self._pid = os.getpid()


class Server(typing.Protocol):
    """What orders come from, and what forks; `serve.py` has it."""

    def tell(self, order: Order, event: str, **fields: object) -> None:
        """Answer an order."""

    def next_of(self, do: str) -> Order:
        """Wait for such an order; ends the process when there are no more."""

    def files(self, order: Order) -> live.Files:
        """The candidate's files."""

    def lay(self, order: Order, files: live.Files) -> bool:
        """Lay the order's files over the tree; false, and told, where that fails."""

    def forked(self, order: Order) -> typing.Optional[int]:
        """Fork; the run's output in the fork, `None` here when it is over."""

    def listen(self) -> None:
        """From here on hear of children that end."""


def collect(
    order: Order,
    server: Server,
    events_fd: int,
    places: relocate.Places,
    session: typing.Callable[..., int],
) -> int:
    """Collect what `order` selects and serve; returns in forks, with their exit code.

    Where the session ends without having served, that is told, and -1 returned.
    """
    events = Events(os.dup(events_fd), order["nonce"])
    recorder = ran.Recorder(places)
    start = hazards.before()
    stand = _Stand(order, server, recorder, start, places)

    class Kind:
        """What a session makes its plugin with."""

        arguments = staticmethod(early.arguments)

        @staticmethod
        def Plugin(  # noqa: N802 - it stands for the class of that name
            request: Order, _places: relocate.Places, _events: Events
        ) -> Collected:
            return Collected(request, places, events, stand)

    try:
        recorder.start()
    except LookupError as error:
        server.tell(order, "standing", reason=str(error))
        return -1
    code = session(order["request"], places, events, Kind)
    if not stand.forked:
        server.tell(order, "standing", reason="pytest ended before any test")
        return -1
    return code


class _Stand:
    """The point where all is collected and nothing has run."""

    def __init__(
        self,
        order: Order,
        server: Server,
        recorder: ran.Recorder,
        start: hazards.Before,
        places: relocate.Places,
    ) -> None:
        self.forked = False
        self._order = order
        self._server = server
        self._recorder = recorder
        self._start = start
        self._places = places

    def wait(
        self, session: typing.Any, describe: typing.Callable[[typing.Any], None]
    ) -> Order:
        """Serve; returns in forks alone, with the order that each was made for.

        `describe` is told of the session once it is known that it will do.
        """
        reason = ""
        modules = preload.loaded(self._places, ())
        try:
            seen = self._recorder.stop()
            reason = hazards.first(session, self._start)
        except LookupError as error:
            reason = str(error)
        if reason:
            self._server.tell(self._order, "standing", reason=reason)
            os._exit(0)
        # For good: a fork that gave it up would copy all pages that it lies on.
        self._index = live.Index(self._places.tree, self._recorder, seen)
        describe(session)
        _rehearse()
        hazards.flush()
        gc.collect()
        gc.freeze()  # what the collector never touches stays shared by all forks
        self._server.listen()
        self._server.tell(self._order, "standing", reason="", modules=modules)
        return self._serve(session)

    def _serve(self, session: typing.Any) -> Order:
        descriptors = self._start.descriptors
        printed = {descriptors[fd] for fd in (1, 2) if fd in descriptors}
        numbers = random.getstate()
        while True:
            order = self._server.next_of("swap")
            files = self._server.files(order)
            try:
                plan = self._index.plan(files)
            except bodies.UnfitError as error:
                self._server.tell(order, "unfit", reason=str(error))
                continue
            if not self._server.lay(order, files):
                continue
            output = self._server.forked(order)
            if output is None:
                continue
            self.forked = True
            hazards.renew(session.config, output, printed)
            os.close(output)
            random.setstate(numbers)  # forking has sown it anew
            live.exchange(plan)
            return order


def _rehearse() -> None:
    """Have done once what explaining a failure does first, in each process."""
    preload.note_files()
    list(tokenize.generate_tokens(iter(["x\n"]).__next__))


class Collected(early.Plugin):
    """The plugin, in a session that is one until it has collected and many after."""

    def __init__(
        self,
        request: Order,
        places: relocate.Places,
        events: Events,
        stand: _Stand,
    ) -> None:
        super().__init__(request, places, events)
        self._stand = stand
        self._again = events
        self._known: typing.Dict[int, typing.Dict[str, object]] = {}

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self,
        items: typing.List[typing.Any],  # noqa: ARG002 - pytest goes by the name
    ) -> typing.Iterator[None]:
        """Keep them all: each fork chooses."""
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: typing.Any) -> typing.Iterator[None]:
        """Stand still here; what goes on is a fork."""
        order = self._stand.wait(session, self._describe_all)
        self._request = order["request"]
        self._again.renew(order["nonce"])
        limit = self._request["per_test"] / _PATIENT
        self._stuck = stuck.Alarm(limit, self._send_stuck)
        options = session.config.option
        options.maxfail = 1 if self._request["stop_at_first"] else 0
        options.no_summary = True  # it repeats what was told, for a terminal
        # Quoting the failing statement parses the whole file it is in. Nobody reads
        # what a screening prints; the frames are told besides.
        options.tbstyle = "no"
        if self._request["select"] is not None:
            wanted = set(self._request["select"])
            session.items[:] = _chosen(session.items, wanted)
        session.testscollected = len(session.items)
        self.pytest_sessionstart(session)
        self.pytest_collection_finish(session)
        yield

    def described(self, item: typing.Any) -> typing.Dict[str, object]:
        """The item as the reader wants it, looked at before the first fork."""
        return self._known.get(id(item)) or super().described(item)

    def _describe_all(self, session: typing.Any) -> None:
        before = set(linecache.cache)
        for item in session.items:
            self._known[id(item)] = super().described(item)
        for name in set(linecache.cache) - before:  # a candidate may be in the file
            del linecache.cache[name]


def _chosen(
    items: typing.List[typing.Any], wanted: typing.Set[str]
) -> typing.List[typing.Any]:
    """Those that are wanted, by their ids or with their whole files."""
    return [
        item
        for item in items
        if item.nodeid in wanted or item.nodeid.split("::", 1)[0] in wanted
    ]
