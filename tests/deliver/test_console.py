"""What a person sees: on a real terminal, a narrow one, a dumb one, and in a file."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path

import pyte
import pytest

from bonafix.deliver import console
from bonafix.deliver.live import Progress, drawn, listener, note
from bonafix.deliver.report import Check
from bonafix.deliver.terminal import ASCII, Marks, Terminal, show, terminal, visible
from bonafix.diffs import render
from bonafix.domain import Change, Event, Evidence, Patch, Verdict
from tests.deliver import values as v

MARKS = Marks()


def plain(lines):
    return ["".join(text for text, _ in line) for line in lines]


class Stream(io.TextIOWrapper):
    """A text stream over memory, with a terminal's answer if it is asked."""

    def __init__(self, encoding="utf-8", *, tty=False):
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self.tty = tty

    def isatty(self):
        return self.tty

    def written(self):
        self.flush()
        return self.buffer.getvalue()


@pytest.mark.parametrize(
    ("judgement", "expected"),
    [
        (
            v.VERIFIED,
            "✔ verified  a - b → a + b   1/1 targets pass, 58/60 neighbours changed",
        ),
        (v.PLAUSIBLE, "? plausible  no probe supports it"),
        (
            v.REFUSED,
            "✘ special-cased  calc.py:2 returns 3 for just the input of test_add[1-2]",
        ),
    ],
)
def test_the_verdict_is_one_line(judgement, expected):
    """Mark, verdict, and what it rests on, with the line at fault."""
    assert plain([console.verdict_line(judgement, MARKS)]) == [expected]


def test_a_stage_is_a_line_and_a_refusal_can_be_reproduced():
    """Below the verdict stand the stages, what is missing, and a command."""
    lines = plain(console.judgement_lines(v.VERIFIED, MARKS))
    assert lines[2] == "  ✔ target    1/1 targets pass  0.4 s"
    assert lines[4] == f"  {MARKS.none} sealed    no test was sealed"
    refused = plain(console.judgement_lines(v.REFUSED, MARKS))
    assert "show it, with the patch applied: python -c" in refused[-1]


def test_a_finding_without_a_command_names_the_receipt():
    """Where nothing shorter shows it, it can be judged again; a pass needs nothing."""
    bare = [replace(e, reproduce="", place=None) for e in v.REFUSED.evidence]
    judgement = replace(v.REFUSED, evidence=tuple(bare))
    lines = plain(console.judgement_lines(judgement, MARKS, "/state/my receipt.json"))
    command = "bonafix check --receipt '/state/my receipt.json' --rerun"
    assert [line.strip() for line in lines].count(f"show it: {command}") == 1
    verified = plain(console.judgement_lines(v.VERIFIED, MARKS, "/state/r.json"))
    assert not any("show it" in line for line in verified)


def test_a_suspect_test_comes_with_its_command():
    """There is no patch, so the command needs none."""
    record = Evidence(
        stage="target", result="fail", summary="a.py:1 wants 1", reproduce="pytest a b"
    )
    repair = replace(
        v.REPAIR, best=None, verdict=Verdict.TEST_SUSPECT, evidence=(record,)
    )
    lines = plain(console.repair_lines(repair, MARKS))
    assert any("show it: pytest a b" in line for line in lines)
    missing = plain(console.judgement_lines(v.PLAUSIBLE, MARKS))[-1]
    assert missing == "  ? missing   no probe supports it"


@pytest.mark.parametrize(
    ("repair", "said"),
    [
        (v.REPAIR, "claude, 2 candidates, 7 screened out, 12 s, $0.0123"),
        (v.GAVE_UP, "? gave-up  no candidate made the failing tests pass"),
        (v.BROKE, "✘ error  the key was refused"),
    ],
)
def test_every_repair_speaks(repair, said):
    """However it ended, the failure is named and the reason given."""
    lines = plain(console.repair_lines(repair, MARKS))
    assert lines[0] == v.RED
    assert said in "\n".join(lines)


def test_a_run_lists_its_failures():
    """Each failure with its place and first line, then the numbers."""
    lines = plain(console.run_lines(v.RUN, MARKS))
    assert lines[0] == f"✘ {v.RED}  tests/test_calc.py:5 assert -1 == 3"
    assert lines[-1] == "✘ 3 tests, 2 failing"


def test_the_doctor_gives_advice():
    """What is wrong has a line of advice below it."""
    checks = [
        Check(name="pytest", result="ok", found="9.0"),
        Check(name="confinement", result="error", found="none", advice="install it"),
    ]
    assert plain(console.check_lines(checks, ASCII)) == [
        "+ pytest       9.0",
        "x confinement  none",
        "               install it",
    ]


# --------------------------------------------------------------- what streams take


def test_strangers_text_draws_nothing():
    """Escape sequences and turned text in tests' output and diffs are spelt out."""
    evil = "\x1b[2Jx\x07\u202e\x9b"
    assert visible(evil) == "\\u001b[2Jx\\u0007\\u202e\\u009b"
    change = Change("a.py", b"", b"\x1b[2J\r\n\xe9\n")
    stream = Stream(tty=True)
    console.print_diff(Patch((change,)), Terminal(stream=stream, colour=True))
    assert b"\x1b[2J" not in stream.written()
    assert b"+\\u001b[2J" in stream.written()


def test_a_diff_in_a_pipe_is_bytes():
    """Without a terminal the diff is exactly what `git apply` takes."""
    stream = Stream()
    console.print_diff(v.PATCH, terminal(stream, {}))
    assert stream.written() == render(v.PATCH)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252", "utf-8"])
def test_no_encoding_makes_it_fail(encoding):
    """What a stream cannot show is replaced by what it can, in any encoding."""
    stream = Stream(encoding)
    where = terminal(stream, {})
    show(console.judgement_lines(v.VERIFIED, where.marks), where)
    show([(("中\udce9 →", ""),)], where)
    text = stream.written().decode(encoding)
    assert text.startswith("✔ " if encoding == "utf-8" else "+ ")
    assert len(text.splitlines()) == 6


@pytest.mark.parametrize(
    ("tty", "environment", "colour", "live"),
    [
        (True, {"TERM": "xterm"}, True, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        (True, {"TERM": "dumb"}, False, False),
        (False, {"TERM": "xterm"}, False, False),
        (False, {"FORCE_COLOR": "1"}, True, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_the_stream_decides(tty, environment, colour, live):
    """Colour and drawing over follow the terminal and the user's variables."""
    where = terminal(Stream(tty=tty), environment)
    assert (where.colour, where.live) == (colour, live)


# ------------------------------------------------------------------------ progress

EVENTS = [
    Event(kind="note", text="engine: search"),
    Event(kind="thinking", text="The operator is wrong.\nIt should "),
    Event(kind="thinking", text="be a plus."),
    Event(kind="candidate", text="swap the operands"),
    Event(kind="stage", text="target"),
    Event(kind="test", text="", done=1, total=1927),
    Event(kind="stage", text="target", facts={"record": v.REFUSED.evidence[0]}),
    Event(kind="verdict", text="x", facts={"judgement": v.REFUSED}),
    Event(kind="candidate", text="a - b → a + b"),
    Event(kind="stage", text="target", facts={"record": v.EVIDENCE[1]}),
    Event(kind="stage", text="suite"),
    Event(kind="test", text="", done=412, total=1927),
]


def after(events):
    progress = Progress(begun=0.0)
    for event in events:
        note(progress, event, MARKS)
    return plain(drawn(progress, 62.0, MARKS))


def test_progress_shows_candidates_stages_and_tests():
    """The count, the last verdicts, and how far the present candidate is."""
    assert after(EVENTS) == [
        "▸ 1:02  2 candidates tried",
        "  ✘ special-cased  calc.py:2 returns 3 for just the input of test_add[1-2]",
        "  a - b → a + b",
        "    target ✔  suite 412/1,927",
    ]


def test_thoughts_are_labelled_as_the_models():
    """A summary of thinking is shown as what it is, the last lines of it only."""
    lines = after([*EVENTS[:3], Event(kind="thinking", text="\n2\n3\n4")])
    assert lines[1] == "  thinking (the model's summary):"
    assert lines[2:] == ["    2", "    3", "    4"]
    styles = {style for line in drawn_after(EVENTS[:3])[1:] for _, style in line}
    assert styles == {"dim", "dim italic"}


def test_a_stage_may_count_what_it_tries():
    """A search within a stage is not silent: its candidates are counted."""
    search = Event(kind="stage", text="reviewer: other fixes", done=12, total=80)
    assert after([search])[-1] == "    reviewer: other fixes 12/80"
    lines = after([search, Event(kind="stage", text="confirm")])
    assert lines[-1] == "    confirm …"


def drawn_after(events):
    progress = Progress(begun=0.0)
    for event in events:
        note(progress, event, MARKS)
    return drawn(progress, 0.0, MARKS)


def test_only_the_last_candidates_stay():
    """A hundred refused candidates take three lines and a count."""
    lines = after(EVENTS[3:8] * 100)
    assert lines[0] == "▸ 1:02  100 candidates tried"
    assert len([line for line in lines if "special-cased" in line]) == 3


def test_a_file_gets_one_line_a_step():
    """Without a terminal nothing is drawn over, and thoughts come as whole lines."""
    stream = Stream()
    with listener(terminal(stream, {})) as hear:
        for event in EVENTS:
            hear(event)
    assert stream.written().decode().splitlines() == [
        "engine: search",
        "thinking (the model's summary): The operator is wrong.",
        "thinking (the model's summary): It should be a plus.",
        "candidate: swap the operands",
        "  ✘ probe     calc.py:2 returns 3 for just the input of test_add[1-2]",
        "✘ special-cased  calc.py:2 returns 3 for just the input of test_add[1-2]",
        "candidate: a - b → a + b",
    ]


LIVE = """
import asyncio, os, select, sys
sys.path[:0] = {path}
from tests.deliver.test_console import EVENTS
from bonafix.deliver import console
from bonafix.deliver.live import listener
from bonafix.deliver.terminal import show, terminal
from tests.deliver import values as v

async def main():
    where = terminal(sys.stderr, os.environ)
    with listener(where) as hear:
        for event in EVENTS:
            hear(event)
            await asyncio.sleep(0.01)
        print("DRAWN", flush=True)
        while not select.select([{go}], [], [], 0)[0]:  # until the test has looked
            await asyncio.sleep(0.05)
    show(console.repair_lines(v.REPAIR, where.marks), where)

asyncio.run(main())
"""


def _unsized(environment):
    """Without the size of a terminal that is not the one at hand."""
    return {k: v for k, v in environment.items() if k not in {"COLUMNS", "LINES"}}


def on_a_terminal(columns, rows=24, **environment):
    """The screen in the middle and at the end, and the raw bytes."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    go, look = os.pipe()
    source = LIVE.format(path=json.dumps([str(Path.cwd())]), go=go)
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=child,
        stdout=subprocess.PIPE,
        stderr=child,
        pass_fds=(go,),
        env={**_unsized(os.environ), "TERM": "xterm-256color", **environment},
    )
    os.close(child)
    os.close(go)
    screen = pyte.HistoryScreen(columns, rows)
    terminal_stream = pyte.ByteStream(screen)
    raw, middle = b"", []
    while True:
        quiet = not select.select([parent], [], [], 0.4)[0]
        if quiet and any("suite 412" in line for line in screen.display):
            middle = [line.rstrip() for line in screen.display if line.strip()]
            os.write(look, b"x")
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # the other side is closed
            break
        raw += chunk
        terminal_stream.feed(chunk)
    os.close(parent)
    os.close(look)
    assert process.stdout.read() == b"DRAWN\n"
    process.stdout.close()
    assert process.wait(30) == 0
    return middle, [line.rstrip() for line in screen.display if line.strip()], raw


def test_a_real_terminal_shows_it_all_and_is_left_clean():
    """Progress is drawn in place, notes stay, and only the result remains."""
    middle, final, raw = on_a_terminal(100)
    assert middle[0] == "engine: search"
    assert "2 candidates tried" in middle[1]
    assert middle[3:] == ["  a - b → a + b", "    target ✔  suite 412/1,927"]
    assert final[0] == "engine: search"
    assert final[1:] == plain(console.repair_lines(v.REPAIR, MARKS))
    assert (
        raw.rstrip().endswith(b"\x1b[0m") or b"\x1b[?25h" in raw
    )  # the cursor is back


def test_a_narrow_terminal_loses_no_line():
    """At thirty columns lines are cut while drawn, and wrapped whole at the end."""
    middle, final, _ = on_a_terminal(30)
    assert len(middle) == 5
    assert all(len(line) <= 30 for line in middle)
    expected = "".join(plain(console.repair_lines(v.REPAIR, MARKS)))
    shown = "".join(line for line in final[1:])
    assert shown.replace(" ", "") == expected.replace(" ", "")


def test_no_color_is_honoured_on_a_terminal():
    """With NO_COLOR the lines are drawn in place all the same, without colours."""
    middle, _, raw = on_a_terminal(100, NO_COLOR="1")
    assert "2 candidates tried" in middle[1]
    for colour in (b"\x1b[31", b"\x1b[32", b"\x1b[36", b";31m", b";32m", b";36m"):
        assert colour not in raw


def test_without_an_event_loop_it_draws_too():
    """A listener may be used outside asyncio; the last state is drawn at the end."""
    stream = Stream(tty=True)
    with listener(terminal(stream, {"TERM": "xterm"})) as hear:
        for event in EVENTS:
            hear(event)
    assert "suite 412/1,927" in stream.written().decode()


async def test_the_clock_stops_with_the_context():
    """Nothing is drawn after the end, so that it cannot spoil the result."""
    stream = Stream(tty=True)
    with listener(terminal(stream, {"TERM": "xterm"})) as hear:
        hear(EVENTS[0])
        hear(EVENTS[1])
    size = len(stream.written())
    begun = time.monotonic()
    await asyncio.sleep(0.25)
    assert len(stream.written()) == size
    assert time.monotonic() - begun >= 0.25
