"""A model's counterexample in, what can be executed of it out; pure.

It is an expression over names of one module of the project. Nothing of it is evaluated
here: a call of a plain function with literal arguments becomes a `Call`, everything
else a small test.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bonafix import syntax
from bonafix.calls import Call, FunctionRef
from bonafix.judge.readers.written import literal
from bonafix.layout import is_test_path
from bonafix.surroundings import read

Kind = Literal["crash", "hang", "doc-example", "relation", "value", "none"]
KINDS: tuple[Kind, ...] = ("crash", "hang", "doc-example", "relation", "value", "none")

LONGEST = 600  # characters of an expression
TEST = "test_counterexample"
_MODULES = {
    **dict.fromkeys(("Decimal", "getcontext"), "decimal"),
    **dict.fromkeys(("date", "timedelta"), "datetime"),
    "Fraction": "fractions",
    "Path": "pathlib",
    "OrderedDict": "collections",
}
_WHOLE = frozenset({"datetime", "math", "decimal", "fractions", "itertools", "asyncio"})
_DENIED = frozenset(
    {
        *("__import__", "eval", "exec", "compile", "open", "input", "globals"),
        *("locals", "vars", "setattr", "delattr", "exit", "quit", "breakpoint", "help"),
    }
)
_REFUSED = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
_BUILTINS = frozenset(dir(builtins))
_FUNCTION = re.compile(r"^(async )?(def|class) (\w+)", re.MULTILINE)
_BOUND = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_IMPORTED = re.compile(
    r"^(?:from (\S+) )?import (?:\(([^)]*)\)|([^\n]+))", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """What a reader claims of the patched code."""

    kind: Kind
    module: str
    call: str  # an expression
    expect: str  # a literal, or words


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """A counterexample that can be executed.

    `root` is where in the project its module is imported from; `direct` the call,
    where it is no more than one; `imports` the statements that a test needs.
    """

    example: Counterexample
    tree: ast.Expression
    path: str
    root: str
    imports: tuple[str, ...]
    own: Mapping[str, str]  # the names in it, and what the module has them for
    direct: Call | None = None

    @property
    def compares(self) -> bool:
        """Whether it relates two results of the project's code to each other."""
        return any(_relation(node, self.own) for node in ast.walk(self.tree))

    def test(self, body: str) -> str:
        """A test module with a function whose body is one statement."""
        return "\n".join((*self.imports, "", "", f"def {TEST}():", f"    {body}", ""))


def runnable(example: Counterexample, sources: Mapping[str, bytes]) -> Runnable | str:
    """How to execute it, or why it cannot be."""
    text = " ".join(example.call.split())
    if not text or len(text) > LONGEST:
        return "it names no call" if not text else "its call is too long"
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return "its call is no Python expression"
    place = _module(example.module, sources)
    if place is None:
        return f"{example.module[:60]!r} is no module of the project"
    path, root = place
    defined = _names(read(sources.get(path)), example.module.partition(".")[0])
    imports, problem = _imports(tree, example.module, defined)
    if problem:
        return problem
    return Runnable(
        example=example,
        tree=tree,
        path=path,
        root=root or ".",
        imports=tuple(sorted(imports)),
        own={name: _owner(name, example.module, defined) for name in _roots(tree)},
        direct=_direct(tree, example.module, path, sources),
    )


def _module(name: str, sources: Mapping[str, bytes]) -> tuple[str, str] | None:
    """The file of a dotted name, and the folder that it is imported from."""
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
        return None
    stem = name.replace(".", "/")
    found = [
        (path, path.removesuffix(end).rstrip("/"))
        for path in sources
        for end in (f"{stem}.py", f"{stem}/__init__.py")
        if (path == end or path.endswith("/" + end)) and not is_test_path(path)
    ]
    return min(found, key=lambda one: (len(one[1]), one[0]), default=None)


def _names(text: str, top: str) -> dict[str, str]:
    """Name -> def, class, other or foreign, for what the module's own level binds.

    Foreign is what it imports from elsewhere than from below `top`.
    """
    names = {m[3]: m[2] for m in _FUNCTION.finditer(text)}
    for found in _BOUND.finditer(text):
        names.setdefault(found[1], "other")
    for found in _IMPORTED.finditer(text):
        source = found[1] or ""
        near = source.startswith(".") or source.partition(".")[0] == top
        for part in (found[2] or found[3]).split(","):
            if words := part.split("#")[0].split():
                name = words[-1].partition(".")[0]
                names.setdefault(name, "def" if near else "foreign")
    return names


def _owner(name: str, module: str, defined: Mapping[str, str]) -> str:
    parts = {module.partition(".")[0], module.rpartition(".")[2]}
    return defined.get(name, "module" if name in parts else "foreign")


def _roots(tree: ast.AST) -> set[str]:
    """The names that an expression takes from outside."""
    bound = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    used = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {node.id for node in used if node.id not in bound}


def _imports(
    tree: ast.AST, module: str, defined: Mapping[str, str]
) -> tuple[set[str], str]:
    """The import statements that the names need; or why there is none for one."""
    for node in ast.walk(tree):
        if isinstance(node, _REFUSED):
            return set(), "its call is more than an expression"
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            return set(), f"it reaches for {node.attr}"
    found: set[str] = set()
    for name in sorted(_roots(tree)):
        statement = _import(name, module, defined)
        if statement is None:
            return set(), f"{name} is no name of {module}"
        found.add(statement)
    return found - {""}, ""


def _import(name: str, module: str, defined: Mapping[str, str]) -> str | None:
    first, last = module.partition(".")[0], module.rpartition(".")[2]
    if name in _DENIED:
        return None
    if name in defined:
        return f"from {module} import {name}"
    if name in _BUILTINS:
        return ""
    if name == first:
        return f"import {module}"
    if name == last:
        return f"import {module} as {name}"
    if name in _MODULES:
        return f"from {_MODULES[name]} import {name}"
    return f"import {name}" if name in _WHOLE else None


# ------------------------------------------------------------------ a call of its own


def _direct(
    tree: ast.Expression, module: str, path: str, sources: Mapping[str, bytes]
) -> Call | None:
    """The expression as a call of an undecorated function; else `None`."""
    node = tree.body
    if not isinstance(node, ast.Call):
        return None
    prefix, _, name = ast.unparse(node.func).rpartition(".")
    if prefix not in {"", module, module.rpartition(".")[2]}:
        return None
    if not _plain_function(read(sources.get(path)), name):
        return None
    args = [literal(one) for one in node.args]
    named = [(one.arg, literal(one.value)) for one in node.keywords]
    kwargs = tuple((key, value) for key, value in named if key and value)
    known = tuple(value for value in args if value)
    if len(known) != len(args) or len(kwargs) != len(named):
        return None
    ref = FunctionRef(path, name)
    return Call(function=ref, module=module, args=known, kwargs=kwargs)


def _plain_function(text: str, name: str) -> bool:
    found = [f for f in syntax.functions(syntax.parse(text)) if f.qualified == name]
    around = found[0].node.parent if len(found) == 1 else None
    return around is not None and around.kind == "module"


# ------------------------------------------------------------------------ relations


def _relation(node: ast.AST, own: Mapping[str, str]) -> bool:
    """Whether a comparison has results of the project's code on both of its sides.

    A round trip counts, too: its other side is what went in, and nobody's opinion.
    """
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    if all(_calls(side, own) for side in sides):
        return True
    left, right = sides[0], sides[-1]
    return _round_trip(left, right, own) or _round_trip(right, left, own)


def _calls(side: ast.AST, own: Mapping[str, str]) -> int:
    """How many calls compute something; a constructor only holds what it is given."""
    calls = (node for node in ast.walk(side) if isinstance(node, ast.Call))
    return sum(_computes(call.func, own) for call in calls)


def _computes(function: ast.expr, own: Mapping[str, str]) -> bool:
    if isinstance(function, ast.Name):
        return own.get(function.id) in {"def", "other"}
    return any(own.get(name) not in {None, "foreign"} for name in _roots(function))


def _round_trip(side: ast.expr, origin: ast.expr, own: Mapping[str, str]) -> bool:
    given = ast.dump(origin)
    inner = (ast.dump(one) for one in _arguments(side))
    return _calls(side, own) > 1 and given in inner


def _arguments(side: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(side):
        if isinstance(node, ast.Call):
            yield from (*node.args, *(one.value for one in node.keywords))
