"""Which statements are looked at, how closely, and what of them."""

from __future__ import annotations

from bonafix.propose.search.places import header, units
from bonafix.syntax import parse


def scores(text: str, lines: dict[int, float], **options: bool) -> dict[int, float]:
    """The first line of each unit with its score; of several the highest."""
    found: dict[int, float] = {}
    for unit in units(parse(text), lines, **options):
        line = unit.node.first_line
        found[line] = max(found.get(line, 0.0), unit.score)
    return found


LOOP = "for a in b:\n    if a < c:\n        {jump}\n    d(a)\n"


def test_a_condition_is_as_suspicious_as_its_jump():
    """What lets a wrong `continue` run is the condition over it."""
    for jump in ("continue", "break", "return a"):
        found = scores(LOOP.format(jump=jump), {2: 0.2, 3: 1.0, 4: 0.1})
        assert 0.8 < found[2] < found[3] == 1.0
        assert found[4] == 0.1


def test_a_raise_hands_all_of_its_score_on():
    """A check that fired is as suspicious as the line that raised."""
    found = scores(LOOP.format(jump="raise a"), {2: 0.2, 3: 1.0})
    assert found[2] == found[3] == 1.0


def test_only_the_jump_that_comes_first_tells():
    """A `return` behind other statements has a line of work above it to be wrong."""
    text = "if a:\n    b = c(a)\n    return b\n"
    assert scores(text, {1: 0.2, 3: 1.0})[1] == 0.2
    assert scores("if a:\n    b(a)\n", {1: 0.2, 2: 1.0})[1] == 0.2


def test_a_jump_under_else_tells_on_the_condition():
    """The other branch runs for the same reason: the condition does not hold."""
    text = "for a in b:\n    if a:\n        c()\n    else:\n        continue\n"
    assert scores(text, {2: 0.1, 5: 1.0})[2] > 0.8
    loop = "for a in b:\n    c()\nelse:\n    return\n"
    assert scores(loop, {1: 0.1, 4: 1.0})[1] == 0.1


def test_the_worst_of_several_jumps_counts():
    """The order in which they stand does not matter."""
    text = "if a:\n    return 1\nelse:\n    return 2\n"
    for low, high in ((0.3, 1.0), (1.0, 0.3)):
        assert scores(text, {1: 0.1, 2: low, 4: high})[1] > 0.8


def test_a_lone_refusal_is_less_suspicious():
    """A check that raises and did not fire: only where an exception is missed."""
    text = "if a:\n    raise b\n"
    assert scores(text, {1: 1.0})[1] < 0.5
    assert scores(text, {1: 1.0}, refusals=True)[1] == 1.0


def test_annotations_and_docstrings_are_passed_over():
    """They say nothing to a running program, so nothing in them can be wrong."""
    code = "def f(a: dict[str, int] = 1) -> list[b]:\n    'Doc.'\n    c: d | None = e\n"
    function = parse(code).root.named[0]
    text, assignment = function.named[-1].named
    seen = {n.text for n in header(function)}
    assert {"a", "1", "f"} <= seen
    assert not {"dict", "str", "b"} & seen
    assert "'Doc.'" not in {n.text for n in header(text) if n.kind == "string"}
    assert {"c", "e"} <= {n.text for n in header(assignment)}
    assert "d" not in {n.text for n in header(assignment)}


def test_the_entry_of_a_script_is_no_suspect():
    """`if __name__ == "__main__":` decides nothing in a test."""
    text = 'a = 1\nif __name__ == "__main__":\n    b()\n'
    assert 2 not in scores(text, {1: 1.0, 2: 1.0})
    assert 2 in scores(text.replace("__name__", "name"), {1: 1.0, 2: 1.0})
