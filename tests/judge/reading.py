"""A small project with patches, and models that say what a test wants them to."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field

from bonafix.calls import Answer, Question, Tools
from bonafix.domain import Change, Cost, Patch
from bonafix.observe.calls import make_caller, make_recorder
from bonafix.propose.claude.schema import misfit
from tests.observe.harness import bench, config, write

SCALES = '''
"""Scales: what is weighed, in grams."""

from decimal import Decimal


def total(weights):
    """The sum of all weights.

    >>> total([20, 30])
    50
    """
    result = 0
    for weight in weights:
        result -= weight
    return result


def encode(weights):
    """Weights as a text, which `decode` reads again."""
    return ",".join(str(weight) for weight in weights)


def decode(text):
    """What `encode` wrote."""
    return [int(part) for part in text.split(",") if part]


class Scale:
    """A scale with a tare."""

    def __init__(self, tare):
        self.tare = tare

    def net(self, weights):
        """The total without the tare."""
        return total(weights) - self.tare
'''
TESTS = """
from weighing.scales import total


def test_total():
    assert total([3, 4]) == 7
"""
FILES = {
    "weighing/__init__.py": "",
    "weighing/scales.py": SCALES,
    "tests/test_scales.py": TESTS,
    "README.md": "# Weighing\n\n`total` adds weights of any iterable.\n\nUnrelated.\n",
}
HONEST = ("result -= weight", "result += weight")
# Right for every list, and wrong for what has no order or no end.
INDEXED = (
    "    for weight in weights:\n        result -= weight\n",
    "    for at in range(len(weights)):\n        result += weights[at]\n",
)
HANGING = (
    "    for weight in weights:\n        result -= weight\n",
    "    while len(weights) == 5:\n        pass\n" + INDEXED[0].replace("-=", "+="),
)
BOUNDED = (
    "    return result\n\n\ndef encode",
    "    return min(-result, 40)\n\n\ndef encode",
)


@dataclass
class Script:
    """A model that gives one answer to each kind of question, and keeps them."""

    answers: dict[str, object]
    asked: list[Question] = field(default_factory=list)

    async def __call__(self, question, /):
        self.asked.append(question)
        found = self.answers.get(question.name)
        if isinstance(found, str):
            return Answer(error=found, cost=Cost(usd=0.01, requests=1))
        assert not misfit(found, question.schema)
        # It goes over the wire as JSON.
        value = json.loads(json.dumps(found))
        return Answer(found=value, model="m", cost=Cost(usd=0.02, requests=1))

    @property
    def read(self):
        """All that it was shown."""
        return "\n".join(one.system + one.user for one in self.asked)


@dataclass
class Here:
    """The project observed once, with tools that lack a model."""

    tools: Tools
    sources: dict[str, bytes]
    targets: tuple

    def patch(self, *edits, path="weighing/scales.py"):
        before = self.sources[path].decode()
        after = before
        for old, new in edits:
            assert old in after, old
            after = after.replace(old, new)
        return Patch((Change(path, before.encode(), after.encode()),))

    def asking(self, **answers):
        script = Script(answers)
        tools = Tools(self.tools.run, self.tools.record, self.tools.call, ask=script)
        return tools, script


@contextmanager
def weighing(folder, run_async, files=FILES):
    root = write(folder, files)
    with bench(root, config()) as here:
        place = here.snapshot, here.interpreter, here.config
        tools = Tools(here.run, make_recorder(*place), make_caller(*place))
        seen = run_async(here.run({}))
        targets = tuple(seen.results[i] for i in seen.red)
        yield Here(tools, dict(here.snapshot.sources), targets)


def said(verdict="right", *, kind="none", call="", expect="", **more):
    """A reader's answer."""
    found = {
        "verdict": verdict,
        "path": "weighing/scales.py",
        "line": 14,
        "reason": "It may not hold.",
        "counterexample": {
            "kind": kind,
            "module": "weighing.scales" if call else "",
            "call": call,
            "expect": expect,
        },
        "injection": False,
    }
    return {**found, **more}
