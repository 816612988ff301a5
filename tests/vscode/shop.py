"""The project that the windows show, and what the scripted Claude does with it."""

import itertools
import json
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from bonafix.domain import Change, Patch
from tests.e2e.scripting import rounds
from tests.messages_api import MessagesApi, Script
from tests.small import FILES

KEY = "sk-ant-loopback-0123456789"
BASKET, MONEY, TESTS = "shop/basket.py", "shop/money.py", "tests/test_basket.py"
EDGE = "test_free_delivery[50-True]"
FAILING = (8, 16)
"""The lines (1-based) of TESTS at which EDGE and test_total fail."""
SHOP = {
    **FILES,
    MONEY: '''
        """Amounts of money."""


        def shown(amount):
            """As it is printed."""
            return f"{amount:.2f}"
        ''',
    "tests/test_later.py": """
        import time
        from pathlib import Path

        import pytest


        @pytest.mark.skip(reason="later")
        def test_later():
            assert False


        def test_slow():
            if Path("slow").exists():
                time.sleep(300)
        """,
}

CHEAT = ("result = 0\n", "result = 0\n    if prices == [3, 4]:\n        return 7\n")
SIGN = ("result -= price", "result += price")
SEVERAL = (
    ('things."""\n', 'things."""\n\nfrom shop.money import add\n'),
    ("result -= price", "result = add(result, price)"),
)
"""A fix of two files: ADDING is what the other one becomes."""
_SECONDS = 120


def patch(root, *swaps, **more):
    """The project's basket with pieces swapped; `more` are whole new texts by name."""
    before = (root / BASKET).read_bytes()
    after = before
    for old, new in swaps:
        assert old.encode() in after
        after = after.replace(old.encode(), new.encode(), 1)
    others = (
        Change(path, (root / path).read_bytes(), text) for path, text in more.items()
    )
    return Patch((Change(BASKET, before, after), *others))


def line_of(path, text):
    """The 1-based number of the first line that has `text`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return 1 + next(n for n, line in enumerate(lines) if text in line)


def adding(root):
    """The money module with the function that the fix of several files calls."""
    text = (root / MONEY).read_bytes()
    added = b'\n\ndef add(one, other):\n    """Both."""\n    return one + other\n'
    return text + added


def in_turn(*patches):
    """The turns of one conversation after another, each with the next of `patches`."""
    scripts = [rounds(one) for one in patches]
    first = scripts[0]
    edits = itertools.cycle(script[1] for script in scripts)
    return [first[0], lambda _request: next(edits), *first[2:]]


def efforts(api):
    """How much thinking each request asked for."""
    bodies = [json.loads(one.body) for one in api.messages]
    return [body.get("output_config", {}).get("effort") for body in bodies]


@dataclass(frozen=True, slots=True)
class Pause:
    """Claude thinks, once it has been asked for a turn, until it is let go on."""

    asked: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)

    def before(self, turn):
        """The same turn, when the pause is over."""

        def play(_request):
            self.asked.set()
            self.free.wait(_SECONDS)
            return turn

        return play


@dataclass(frozen=True, slots=True)
class Claude:
    """Plays Claude at the address that the editor's windows were told."""

    port: int
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def environment(self):
        """What leads a language server to it, but for the key."""
        return {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}"}

    def plays(self, turns):
        """Plays these turns to whoever asks; the API that does."""
        keys = frozenset({KEY})
        api = MessagesApi(Script.of(*turns), port=self.port, keys=keys)
        return self.stack.enter_context(api)

    def thinks(self, turns, *places):
        """Plays them with a pause before those at `places`; the API and the pauses."""
        pauses = [Pause() for _ in places]
        slow = dict(zip(places, pauses, strict=True))
        api = self.plays(
            slow[place].before(turn) if place in slow else turn
            for place, turn in enumerate(turns)
        )
        for pause in pauses:
            self.stack.callback(pause.free.set)  # an API in a pause does not end
        return api, *pauses
