"""Documentation's examples in, what they do before and after a patch out.

They are run as tests of their own file, in the project's interpreter. The file is
laid over the copy like any other, and says nothing of what it is for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonafix.domain import Outcome, Patch, Runner, SuiteRun
from bonafix.judge.hiding.examples import MOST, Example

_NAME = "test_documented_examples{}.py"
_BROKEN = (Outcome.PASSED, Outcome.FAILED)
_MENDED = (Outcome.FAILED, Outcome.PASSED)
_ENDED = frozenset(_BROKEN)

# Python 3.8: it runs in the project's interpreter. Each test is one example; those
# of a group run once, in their order, and share their names.
_CODE = '''\
"""The examples of the documentation."""

import doctest
import importlib
import unittest

EXAMPLES = {examples!r}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Notes(doctest.DocTestRunner):
    def __init__(self):
        super().__init__(verbose=False, optionflags=OPTIONS)
        self.wrong = {{}}

    def report_failure(self, out, test, example, got):
        self.wrong[example.number] = got

    def report_unexpected_exception(self, out, test, example, exc_info):
        self.wrong[example.number] = repr(exc_info[1])


def read(number, source, want):
    first, *rest = source.splitlines()
    text = ">>> " + "\\n... ".join([first, *rest]) + "\\n" + want
    (example,) = doctest.DocTestParser().get_examples(text)
    example.number = number
    return example


class Examples(unittest.TestCase):
    done = {{}}

    @classmethod
    def notes(cls, group, module):
        if group not in cls.done:
            names = {{"__name__": "__main__"}}
            if module:
                names = dict(vars(importlib.import_module(module)))
            parts = [
                read(number, source, want)
                for number, (own, _, source, want) in enumerate(EXAMPLES)
                if own == group
            ]
            runner = Notes()
            test = doctest.DocTest(parts, names, "examples", None, 0, "")
            runner.run(test, out=lambda text: None, clear_globs=False)
            cls.done[group] = runner.wrong
        return cls.done[group]

    def check(self, number):
        group, module, source, want = EXAMPLES[number]
        wrong = self.notes(group, module)
        self.assertNotIn(number, wrong, wrong.get(number))
'''
_TEST = """
    def test_{number:04}(self):
        self.check({number})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the examples did on both sides."""

    broken: tuple[Example, ...] = ()  # held before, twice, and do not now, twice
    mended: tuple[Example, ...] = ()  # did not hold before, and do now
    ran: int = 0  # that came to an end on both sides
    seconds: float = 0.0
    cpu_seconds: float = 0.0


async def compared(
    examples: Sequence[Example], patch: Patch, files: Mapping[str, bytes], run: Runner
) -> Shown:
    """Run at most `MOST` of the examples with and without the patch."""
    chosen = list(examples[:MOST])
    if not chosen:
        return Shown()
    name = next(name for name in _names() if name not in files)
    ids = [f"{name}::Examples::test_{at:04}" for at in range(len(chosen))]
    overlay = {name: generated(chosen).encode()}
    runs: list[SuiteRun] = []

    async def both() -> list[dict[str, Outcome]]:
        sides = [
            await run(overlay, select=ids),
            await run({**patch.files, **overlay}, select=ids),
        ]
        runs.extend(sides)
        return [{i: side.outcome(i) for i in ids} for side in sides]

    before, after = await both()
    broken = [i for i in ids if (before[i], after[i]) == _BROKEN]
    if broken:
        before, after = await both()
        broken = [i for i in broken if (before[i], after[i]) == _BROKEN]
    by_id = dict(zip(ids, chosen, strict=True))
    return Shown(
        broken=tuple(by_id[i] for i in broken),
        mended=tuple(by_id[i] for i in ids if (before[i], after[i]) == _MENDED),
        ran=sum({before[i], after[i]} <= _ENDED for i in ids),
        seconds=sum(one.seconds for one in runs),
        cpu_seconds=sum(one.cpu_seconds for one in runs),
    )


def generated(examples: Sequence[Example]) -> str:
    """The text of the test file."""
    told = [(e.group, e.module, e.source, e.want) for e in examples]
    tests = [_TEST.format(number=number) for number in range(len(examples))]
    return "".join([_CODE.format(examples=told), *tests])


def _names() -> Iterator[str]:
    numbers = map(str, itertools.count(2))
    return (_NAME.format(more) for more in itertools.chain(("",), numbers))
