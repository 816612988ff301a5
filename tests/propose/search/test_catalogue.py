"""Each template does what its examples say, and nothing that does not parse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bonafix.propose.search.boosts import BOOSTS
from bonafix.propose.search.catalogue import BY_KIND, CATALOGUE
from bonafix.propose.search.context import Site
from bonafix.propose.search.known import NOTHING, Known
from bonafix.propose.search.priors import FIGURES, prior
from bonafix.propose.search.template import Example, Template
from bonafix.syntax import is_valid, parse, walk
from bonafix.text import apply_edits

EXAMPLES = [
    pytest.param(template, example, id=f"{template.name}-{number}")
    for template in CATALOGUE
    for number, example in enumerate(template.examples)
]
NEVER = [
    pytest.param(template, example, id=f"{template.name}-{number}")
    for template in CATALOGUE
    for number, example in enumerate(template.never)
]
ODD_PLACES = """\
@decorator(1, key=not flag)
class C(Base, metaclass=M):
    x: int = 0; y = ()
    def m(self, *args, a=[], b: str = 'b', **kw) -> None:
        with open(a) as f, g: return f'{a + 1!r:>{b}}' 'tail' if a else ...
    async def n(self):
        async for a, (b, *c) in d[1:2, ..., ::-1]:
            await f(*a, **b); yield (w := a if b else lambda u, v=1: u * v)
        else:
            del a[0], b.c
        try:
            raise E from None
        except* (E, F) as err:
            pass
        finally:
            global z
            z |= {**a, 'k': {1, 2}} != {k: v for k, v in a for a in b if not a or b}
match p:
    case {'a': 1, **rest} | [C(x=1), *_] if rest: pass
    case -1: print(*[], sep='')
"""


def rewritten(
    template: Template, text: str, newline: str = "\n", known: Known = NOTHING
) -> Iterator[str]:
    for node in walk(parse(text).root):
        if node.kind in template.kinds:
            for rewrite in template.rewrites(Site(node, newline, "m.py", known)):
                assert 0 < rewrite.weight <= 1
                yield apply_edits(text, rewrite.edits)


@pytest.mark.parametrize(("template", "example"), EXAMPLES)
def test_example(template: Template, example: Example):
    """The example's fix is among the rewrites, and every rewrite of it parses."""
    results = list(rewritten(template, example.before, known=example.known))
    assert example.after in results
    assert is_valid(example.after)


@pytest.mark.parametrize(("template", "example"), NEVER)
def test_never(template: Template, example: Example):
    """What it must not make is no rewrite of its, though both are correct Python."""
    assert is_valid(example.before)
    assert example.after not in list(
        rewritten(template, example.before, known=example.known)
    )


@pytest.mark.parametrize("template", CATALOGUE, ids=lambda template: template.name)
def test_each_says_what_it_must_not_make(template: Template):
    """A counterexample is none if the example asks for the same change."""
    assert template.never
    wanted = {(one.before, one.after, one.known) for one in template.examples}
    assert not wanted & {(one.before, one.after, one.known) for one in template.never}


@pytest.mark.parametrize(("template", "example"), NEVER)
def test_a_counterexample_is_looked_at(template: Template, example: Example):
    """Its code holds what the template looks at, and the two texts differ."""
    assert example.before != example.after
    kinds = {node.kind for node in walk(parse(example.before).root)}
    assert kinds & template.kinds


@pytest.mark.parametrize("template", CATALOGUE, ids=lambda template: template.name)
def test_no_template_stumbles(template: Template):
    """Odd but correct Python raises nothing, whatever the line endings are."""
    assert is_valid(ODD_PLACES)
    for newline in ("\n", "\r\n"):
        text = ODD_PLACES.replace("\n", newline)
        for result in rewritten(template, text, newline):
            assert result != text
            assert newline == "\n" or "\n" not in result.replace("\r\n", "")


def test_the_catalogue_is_in_order():
    """Names are unique, priors are shares, every template has its origin."""
    names = [template.name for template in CATALOGUE]
    assert len(names) == len(set(names))
    assert all(0 < template.prior <= 1 for template in CATALOGUE)
    assert all(template.source and template.examples for template in CATALOGUE)
    assert {t.name for found in BY_KIND.values() for t in found} == set(names)


def test_boosts_name_what_there_is():
    """Each symptom speaks for templates, or tags of theirs, that exist."""
    names = {t.name for t in CATALOGUE}.union(*(t.tags for t in CATALOGUE))
    assert {name for boosts in BOOSTS.values() for name in boosts} <= names


def test_figures_move_priors_a_little():
    """What was right more often than expected rises, by half at most; others sink."""
    names = {template.name: template for template in CATALOGUE}
    assert set(FIGURES) <= set(names)
    for name, seen in FIGURES.items():
        assert 0 <= seen.right <= seen.suggested
        assert 0.75 <= prior(names[name]) / names[name].prior <= 1.5
    assert prior(names["range-bound"]) > names["range-bound"].prior
    assert prior(names["variable"]) < names["variable"].prior
    assert prior(names["mutable-default"]) == names["mutable-default"].prior
