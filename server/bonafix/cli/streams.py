"""What all commands share: how one ends, where its results go and where its story."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bonafix.deliver import live, report
from bonafix.deliver.terminal import Line, Terminal, show, terminal
from bonafix.domain import Event, Listener, silent
from bonafix.dotenv import redactor_at


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended: its exit code and its JSON document."""

    code: int
    document: report.Document


@dataclass(frozen=True, slots=True)
class Streams:
    """Where results go and where the story of them is told."""

    results: Terminal | None  # None where JSON takes standard output
    story: Terminal
    quiet: bool
    verbose: bool

    @property
    def shown(self) -> Terminal:
        """Where a person reads the result."""
        return self.results or self.story

    def say(self, lines: Iterable[Line]) -> None:
        """Tell the user something beside the result."""
        if not self.quiet:
            show(lines, self.story)

    def result(self, lines: Iterable[Line]) -> None:
        """Show the result itself; on standard error where JSON is on output."""
        show(lines, self.shown)


def streams_of(arguments: argparse.Namespace) -> Streams:
    """The streams that the arguments of a command ask for."""
    redact = redactor_at(getattr(arguments, "root", None), os.environ)
    return Streams(
        None if arguments.json == "-" else terminal(sys.stdout, os.environ, redact),
        terminal(sys.stderr, os.environ, redact),
        quiet=arguments.quiet,
        verbose=arguments.verbose,
    )


@contextlib.contextmanager
def listening(streams: Streams) -> Iterator[Listener]:
    """Progress on standard error, drawn where it is a terminal."""
    if streams.quiet:
        yield silent
        return
    with live.listener(streams.story) as listen:

        def chosen(event: Event) -> None:
            if streams.verbose or "tiers" not in event.facts:
                listen(event)

        yield chosen
