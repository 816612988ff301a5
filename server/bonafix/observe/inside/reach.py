"""What tests depend on besides the lines that each runs: what they share, and start."""

from __future__ import annotations

import contextlib
import typing

from . import lines, opened, relocate

Recorder = typing.Union[lines.Tracer, lines.Monitor]


class Reach:
    """One session, from before its first conftest is loaded."""

    def __init__(self, recorder: Recorder, watch: opened.Watch) -> None:
        self._recorder = recorder
        self._watch = watch
        self._lost: typing.Set[str] = set()  # tests that traced on their own
        self._collecting = contextlib.ExitStack()

    def begin(self) -> None:
        """From here on, what runs is for all tests."""
        self._collecting.enter_context(self._recorder.sharing())
        self._recorder.start()

    def collected(self) -> None:
        """Every test is there now."""
        self.stop()
        self._collecting.close()

    def start(self, test: str) -> None:
        """Begin one test."""
        self._watch.owner = test
        self._recorder.start()

    def stop(self) -> lines.Lines:
        """The lines that ran since."""
        found = self._recorder.stop()
        if self._recorder.displaced:
            self._lost.add(self._watch.owner)
        self._watch.owner = ""
        return found

    @contextlib.contextmanager
    def sharing(self) -> typing.Iterator[None]:
        """What runs in here is for other tests, too."""
        owner, self._watch.owner = self._watch.owner, ""
        try:
            with self._recorder.sharing():
                yield
        finally:
            self._watch.owner = owner

    def told(self, places: relocate.Places) -> typing.Dict[str, typing.Any]:
        """All of it, for who asked for lines."""
        functions = self._recorder.shared.functions
        return {
            "functions": {path: sorted(seen) for path, seen in functions.items()},
            "opened": self._watch.aside(places),
            "unseen": sorted(self._lost | self._watch.starters()),
        }


def begun(
    recorder: typing.Optional[Recorder], watch: typing.Optional[opened.Watch]
) -> typing.Optional[Reach]:
    """Nothing, where nothing is recorded."""
    return Reach(recorder, watch) if recorder and watch else None
