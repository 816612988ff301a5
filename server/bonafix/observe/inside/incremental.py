"""Two versions of a long file that differ in one function: only that is compiled.

What comes out is what compiling both whole would give, or nothing where that is not
certain. The function is compiled on its own lines, below headers of the classes around
it: names are mangled, `__class__` is a cell and qualified names are as in the file. And
below the names that the file imports: calling what lies in a module is compiled
differently (3.11 and newer).
"""

from __future__ import annotations
import __future__

import ast
import types
import typing
import warnings

from . import bodies

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_HEAD = 2  # lines in which an encoding may be declared
_BOM = b"\xef\xbb\xbf"

Definition = typing.Union[ast.FunctionDef, ast.AsyncFunctionDef]


class Spot(typing.NamedTuple):
    """A function that no other is around, and its lines (from 1, the last included)."""

    classes: typing.Tuple[str, ...]  # around it, outermost first
    name: str
    first: int  # with its decorators
    body: int  # where what may change begins: after signature and docstring
    last: int


class Source:
    """One file as it is: its code, and where its functions are."""

    def __init__(self, text: bytes, code: types.CodeType, name: str) -> None:
        """`code` is what `text` compiles to, `name` what it was compiled as."""
        self.code = code
        self._name = name
        self._lines = text.splitlines(keepends=True)
        self._spots: typing.Optional[typing.List[Spot]] = None
        self._imports = b"\n"
        self._usual = _usual(text)
        self._known: typing.Dict[Spot, typing.Optional[types.CodeType]] = {}

    def compare(self, new: bytes) -> typing.Optional[bodies.Compared]:
        """What `bodies.compare` finds in the two; `None` where that must be asked.

        Raises:
            UnfitError: as `bodies.compare`.
        """
        if not self._usual or not _usual(new):
            return None
        lines = new.splitlines(keepends=True)
        start, end, shift = _changed(self._lines, lines)
        spot = self._spot(start, end)
        if spot is None:
            return None
        before = self._before(spot)
        after = self._compiled(spot, lines[spot.first - 1 : spot.last + shift])
        # what is around the new one is as around the old: there is nothing besides it
        if before is None or after is None or not _alike(before, after, spot):
            return None
        found = bodies.compare(before, after)
        del found.classes[:]  # those around it begin where they did
        if shift:
            _shift(self.code, spot, shift, found)
        return found

    def _spot(self, start: int, end: int) -> typing.Optional[Spot]:
        """The one in whose body the lines from `start` to before `end` lie."""
        if self._spots is None:
            tree = ast.parse(b"".join(self._lines))
            self._spots = list(_spots(tree, ()))
            names = sorted(set(_imported(tree)))
            if names:
                self._imports = b"import " + ",".join(names).encode() + b"\n"
        for spot in self._spots:
            if spot.body <= start and end <= spot.last + 1:
                return spot
        return None

    def _before(self, spot: Spot) -> typing.Optional[types.CodeType]:
        """It as it is, compiled alone, if that makes no difference."""
        if spot not in self._known:
            lines = self._lines[spot.first - 1 : spot.last]
            alone = self._compiled(spot, lines, check=True)
            whole = _inner(self.code, spot)
            if alone is None or whole is None or _inner(alone, spot) != whole:
                alone = None
            self._known[spot] = alone
        return self._known[spot]

    def _compiled(
        self, spot: Spot, lines: typing.List[bytes], *, check: bool = False
    ) -> typing.Optional[types.CodeType]:
        """The code of a module with nothing else; `None` where that cannot be.

        That there is nothing else is asked only where it is to be checked.
        """
        headers = [
            b" " * depth + b"class " + name.encode() + b":\n"
            for depth, name in enumerate(spot.classes)
        ]
        above = self._imports + b"\n" * (spot.first - 2 - len(headers))
        text = above + b"".join([*headers, *lines])
        if text.rstrip(b"\n").endswith(b"\\"):
            return None  # the line after it would belong to it
        flags = self.code.co_flags & _FUTURE
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                if check and not _single(ast.parse(text), spot):
                    return None
                code = compile(text, self._name, "exec", flags, dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError):
                return None  # whoever compiles the whole file can say why
        return None if told else code


def _usual(text: bytes) -> bool:
    """Whether its lines are what they seem: UTF-8, ended by line feeds."""
    head = text.split(b"\n", _HEAD)[:_HEAD]
    odd = b"\r" in text or b"\f" in text or b"\0" in text
    return not (odd or text.startswith(_BOM) or any(b"coding" in line for line in head))


def _changed(
    old: typing.List[bytes], new: typing.List[bytes]
) -> typing.Tuple[int, int, int]:
    """The old lines that changed, from the first to before the last; how many more."""
    start, most = 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    same = 0
    while same < most - start and old[-1 - same] == new[-1 - same]:
        same += 1
    return start + 1, len(old) - same + 1, len(new) - len(old)


def _spots(
    parent: typing.Any, classes: typing.Tuple[str, ...]
) -> typing.Iterator[Spot]:
    """Those that are defined right there: in no condition, no other function."""
    following = [*parent.body[1:], None]
    for node, after in zip(parent.body, following):
        if getattr(node, "type_params", None):
            continue  # a scope of its own is around it
        first = min([node.lineno, *(d.lineno for d in _decorators(node))])
        alone = after is None or after.lineno > node.end_lineno
        if isinstance(node, ast.ClassDef):
            yield from _spots(node, (*classes, node.name))
        elif isinstance(node, _DEFINITIONS) and alone and first > len(classes) + 1:
            body = _body(node)
            if body > node.lineno:
                yield Spot(classes, node.name, first, body, node.end_lineno or 0)


def _imported(tree: ast.AST) -> typing.Iterator[str]:
    """The names that a module's own imports bind."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in node.names:
                if name.name != "*":
                    yield name.asname or name.name.partition(".")[0]
        elif not isinstance(node, (*_DEFINITIONS, ast.ClassDef, ast.Lambda)):
            yield from _imported(node)


def _decorators(node: typing.Any) -> typing.List[ast.expr]:
    return getattr(node, "decorator_list", [])


def _body(node: Definition) -> int:
    """The first line that has nothing of its signature or docstring; 0 if unknown."""
    statements = list(node.body)
    if ast.get_docstring(node, clean=False) is None:
        before = max([node.lineno, *(part.end_lineno or 0 for part in _head(node))])
        return statements[0].lineno if statements[0].lineno > before else 0
    if len(statements) == 1:
        return 0
    ends = statements[0].end_lineno or 0
    return statements[1].lineno if statements[1].lineno > ends else 0


def _head(node: Definition) -> typing.List[typing.Any]:
    given = node.args
    parts = [*given.defaults, *(d for d in given.kw_defaults if d), node.returns]
    named = [*given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [part for part in [*parts, *named] if part is not None]


def _single(tree: typing.Any, spot: Spot) -> bool:
    """Whether there is one function in those classes, and nothing besides."""
    if isinstance(tree.body[0], ast.Import):
        del tree.body[0]
    for name in spot.classes:
        if len(tree.body) != 1 or getattr(tree.body[0], "name", "") != name:
            return False
        tree = tree.body[0]
    found = tree.body[0] if len(tree.body) == 1 else None
    return isinstance(found, _DEFINITIONS) and found.name == spot.name


def _inner(code: types.CodeType, spot: Spot) -> typing.Optional[types.CodeType]:
    """The function's code in that of its module."""
    for name in spot.classes:
        within = [c for c in bodies.children(code) if c.co_name == name]
        around = [c for c in within if c.co_firstlineno < spot.first]
        if not around or bodies.is_function(around[-1]):
            return None
        code = around[-1]
    for child in bodies.children(code):
        if (child.co_name, child.co_firstlineno) == (spot.name, spot.first):
            return child
    return None


def _alike(before: types.CodeType, after: types.CodeType, spot: Spot) -> bool:
    """Whether all around the function is the same, also what it makes of its body.

    A class knows which attributes its methods set (3.13 and newer).
    """
    for name in (*spot.classes, ""):
        if not bodies.same(before, after):
            return False
        if name:
            before, after = bodies.children(before)[0], bodies.children(after)[0]
    return True


def _shift(
    code: types.CodeType, spot: Spot, shift: int, found: bodies.Compared
) -> None:
    """Note all that is defined after it, which begins so many lines later."""
    for child in bodies.children(code):
        begins = child.co_firstlineno
        if bodies.is_function(child):
            if begins > spot.last:
                bodies.function(child, _moved(child, shift), found, -1)
            continue
        if begins > spot.last:
            found.classes.append(bodies.Class(child.co_name, begins, begins + shift))
        _shift(child, spot, shift, found)


def _moved(code: types.CodeType, shift: int) -> types.CodeType:
    """The same, so many lines later; and what is defined in it."""
    consts = tuple(
        _moved(const, shift) if isinstance(const, types.CodeType) else const
        for const in code.co_consts
    )
    return code.replace(co_consts=consts, co_firstlineno=code.co_firstlineno + shift)
