"""Where lines of a module went, and which of its functions changed."""

import pytest

from bonafix.observe.inside import bodies, moved

OLD = """
RATE = 2

def first(n):
    return n * RATE

class Till:
    def add(self, n):
        self.sum += n
        def inner(m):
            return m
        return inner(n)

def rows():
    for n in range(3):
        yield n

short = lambda n: n
def one(n): return n
"""


def follow(old, new):
    """What becomes of `OLD` with one text in it exchanged."""
    assert OLD.count(old) == 1
    texts = OLD, OLD.replace(old, new)
    return moved.follow(*(compile(t, "m.py", "exec", dont_inherit=True) for t in texts))


def changed(old, new):
    """The functions that changed: name, lines of the whole, lines that run."""
    found = follow(old, new).changed
    return [(one.name, one.first, one.last, one.lines) for one in found]


def test_changed_functions():
    """Each with its old lines; the line of a definition runs when all is imported."""
    assert changed("n * RATE", "n + RATE") == [("first", 4, 5, [5])]
    assert changed("return m", "return -m") == [("inner", 10, 11, [11])]
    (outer,) = follow("self.sum += n", "self.sum -= n").changed
    assert (outer.first, outer.last, outer.begins) == (8, 12, [8, 10])
    assert changed("yield n", "yield -n") == [("rows", 14, 16, [15, 16])]
    assert changed("lambda n: n", "lambda n: -n") == [("<lambda>", 18, 18, [18])]
    assert changed("(n): return n", "(n): return -n") == [("one", 19, 19, [19])]
    assert changed("RATE = 2", "RATE = 2  # per cent") == []


def test_lines_move():
    """What is the same is followed, whatever was written before it or around."""
    found = follow("RATE = 2\n", "# a rate\n\nRATE = 2\n").lines
    assert {line: new - line for line, new in found.items()}.keys() == found.keys()
    assert {new - line for line, new in found.items()} == {2}
    found = follow("    return n * RATE", "    n += 1\n    return n * RATE").lines
    assert (found[2], found[4], found[8], found[19]) == (2, 4, 9, 20)
    assert 5 not in found
    found = follow("return n * RATE", "return (n *\n    RATE)").lines
    assert 5 not in found  # it is two lines now
    assert found[8] == 9


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RATE = 2", "RATE = 3"),
        ("first(n)", "first(n, m)"),
        ("class Till:", "class Till(list):"),
        ("    return n * RATE", '    "Say."\n    return n * RATE'),
    ],
)
def test_more_than_bodies(old, new):
    """What is seen from outside, or runs at import, is no matter of a function."""
    with pytest.raises(bodies.UnfitError):
        follow(old, new)
