"""One changed function compiled alone is what compiling the whole file gives."""

import argparse
import random
import textwrap
from pathlib import Path

import pytest

from bonafix.observe.inside import bodies, incremental

SOURCE = textwrap.dedent(
    '''
    from __future__ import annotations

    import json
    from os import path as paths

    try:
        import tomllib as toml
    except ImportError:
        toml = None


    def plain(text, kind: dict = {}):
        """Read it."""
        # how
        value = json.loads(text)
        return value


    def one_line(n): return n + 1; n


    @staticmethod
    def decorated(n):
        return paths.join("a", n)


    class Outer:
        size = 3

        class Inner(dict):
            def __init__(self, n):
                self.__hidden = n
                super().__init__(a=n)

            def last(self):
                def within(m=[k for k in self]):
                    return m, self.__hidden
                return within

        def first(self):
            return toml.loads("")

        def second(self):
            return 2

        if size:
            def third(self):
                return 3


    def outer():
        held = 1
        def inner():
            return held
        return inner


    def end(n):
        return n
    '''
)
# what is changed into what, and whether that is compiled alone
CHANGES = {
    "nothing": ("", "", True),
    "a value": ("return value", "return value + 1", True),
    "a module's function": ("json.loads(text)", "json.dumps(text)", True),
    "more lines": ("return value", "value += 1\n\n    return value", True),
    "fewer lines": ("    value = json.loads(text)\n", "", True),
    "a comment": ("    # how\n", "", False),  # between docstring and body
    "a docstring": ("Read it.", "Write it.", False),
    "a default": ("kind: dict = {}", "kind: dict = {1: 2}", False),
    "one line": ("return n + 1", "return n + 2", False),
    "a decorator": ("@staticmethod\n", "@staticmethod\n@print\n", False),
    "a mangled name": ("self.__hidden = n", "self.__hidden = n + 1", True),
    "an attribute more": ("super()", "self.more = super()", None),
    "a cell more": (
        "return m, self",
        "return m, __class__, self",
        False,
    ),  # the class makes it
    "a cell less": ("super().__init__(a=n)", "dict.__init__(self, a=n)", False),
    "a module in a try": ("toml.loads", "toml.load", True),
    "another function": ("return 2\n", "return 2\n\n    def more(self): 0\n", False),
    "out of the class": ("return 2\n", "return 2\n\nif 1:\n    x = 2\n", False),
    "a string that is open": ("return 2\n", 'return """2\n', False),
    "a line that goes on": ("return 2\n", "return 2 + \\\n", False),
    "in a condition": ("return 3", "return 4", False),
    "what is inner": ("return held", "return held + 1", True),
    "no cell": ("return held", "return 1", True),
    "the module": ("size = 3", "size = 4", False),
    "the end": ("    return n\n", "    return n or 1", True),
    "a warning": ("return held", "return held is 1", False),
    "nonsense": ("return held", "return held +", False),
}


def code(text):
    return compile(text, "shop.py", "exec", dont_inherit=True)


def whole(old, new):
    """What comparing the whole files finds that is to be exchanged."""
    return told(lambda: bodies.compare(code(old), code(new)))


def told(compare):
    """The pairs and classes that are not as they were; or why there are none."""
    try:
        found = compare()
    except bodies.UnfitError as error:
        return str(error)
    if found is None:
        return None
    moved = [one for one in found.classes if one.old != one.new]
    return [pair[:3] for pair in found.pairs if pair.old != pair.new], moved


@pytest.mark.parametrize("name", CHANGES)
def test_alone_or_whole_is_the_same(name):
    """Names, cells, lines, all are the file's; else the whole file is asked for."""
    old, new, alone = CHANGES[name]
    assert not old or SOURCE.count(old) == 1
    changed = SOURCE.replace(old, new) if old else SOURCE
    source = incremental.Source(SOURCE.encode(), code(SOURCE), "shop.py")
    found = told(lambda: source.compare(changed.encode()))
    assert alone is None or (found is not None) == alone
    assert found is None or found == whole(SOURCE, changed)


@pytest.mark.parametrize(
    "head", [b"\xef\xbb\xbf", b"# coding: latin-1\n", b"x = 1\r\n"]
)
def test_an_odd_file_is_compiled_whole(head):
    """Another encoding, or lines that end otherwise."""
    text = head + SOURCE.encode().replace(b"from __future__ import annotations", b"")
    source = incremental.Source(text, code(text), "shop.py")
    assert source.compare(text.replace(b"return value", b"return 1")) is None


@pytest.mark.parametrize("module", [argparse, random])
def test_lines_of_real_modules(module):
    """Lines taken out or repeated, here and there in a long file."""
    text = Path(module.__file__).read_text()
    source = incremental.Source(text.encode(), code(text), "shop.py")
    lines, dice, alone = text.splitlines(keepends=True), random.Random(1), 0
    for _ in range(60):
        at = dice.randrange(len(lines))
        more = dice.choice([[], [lines[at], lines[at]], [lines[at].upper()]])
        changed = "".join([*lines[:at], *more, *lines[at + 1 :]])
        found = told(lambda changed=changed: source.compare(changed.encode()))
        if found is not None:
            alone += 1
            assert found == whole(text, changed), lines[at]
    assert alone > 15
