"""Real libraries to measure on: source distributions that carry their tests.

They are fetched from the package index on first use, into a folder that is kept and
not committed, with an environment of their own: that of the newest Python here.
"""

import ast
import functools
import os
import subprocess
import sys
import tarfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "libraries"
PYTHONS = ("3.14", "3.13", "3.12", "3.11")
# pytest 9 cannot collect these releases of click and boltons: hooks that are gone.
PACKAGES = ("pytest<9", "simplejson", "packaging")
sys.path.append(str(ROOT))  # what the tests have is of use here

from tests.observe.environments import python_of  # noqa: E402


@dataclass(frozen=True)
class Library:
    """`target` is one test, `tests` a file of tests of what lies in `product`.

    `source` is what must be on the path for imports, below the tree.
    """

    name: str
    version: str
    product: str
    tests: str
    target: str
    source: str = "src"

    @property
    def id(self) -> str:
        """The target's node id."""
        return f"{self.tests}::{self.target}"


LIBRARIES = {
    library.name: library
    for library in (
        Library(
            "marshmallow",
            "3.26.1",
            "src/marshmallow/fields.py",
            "tests/test_deserialization.py",
            "TestFieldDeserialization::test_integer_field_deserialization",
        ),
        Library(
            "click",
            "8.1.8",
            "src/click/core.py",
            "tests/test_arguments.py",
            "test_nargs_star",
        ),
        Library(
            "boltons",
            "25.0.0",
            "boltons/iterutils.py",
            "tests/test_iterutils.py",
            "TestRemap::test_basic_clone",
            source="",
        ),
    )
}


def tree(library: Library) -> Path:
    """Its sources, unpacked."""
    name = f"{library.name}-{library.version}"
    if not (CACHE / name).is_dir():
        wanted = f"{library.name}=={library.version}"
        no_wheels = ["--no-binary", ":all:", "--no-deps"]
        _pip(sys.executable, "download", *no_wheels, wanted, "-d", str(CACHE))
        with tarfile.open(CACHE / f"{name}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    return CACHE / name


@functools.cache
def python() -> Path:
    """An interpreter with pytest and what the libraries' tests import.

    PYTHON_VERSION in the environment asks for another than the newest one.
    """
    asked = os.environ.get("PYTHON_VERSION", "")
    found = ((v, python_of(v)) for v in ((asked,) if asked else PYTHONS))
    version, base = next(pair for pair in found if pair[1] is not None)
    folder = CACHE / f"environment-{version}"
    made = folder / "bin" / "python"
    mark = folder / "complete"
    if not mark.exists() or mark.read_text() != repr(PACKAGES):
        subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
        _pip(str(made), "install", *PACKAGES)
        mark.write_text(repr(PACKAGES))
    return made


def _pip(interpreter: str, *arguments: str) -> None:
    subprocess.run([interpreter, "-m", "pip", "--quiet", *arguments], check=True)


def mutants(
    path: str, source: bytes, lines: Collection[int] | None = None
) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """Id and files of each small change inside a function, in no special order.

    `lines` are those where one may begin; `None`: all.
    """
    text = source.decode()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                old, new = _mutant(inner)
                if old is not None and (lines is None or old.lineno in lines):
                    begin = starts[old.lineno - 1] + old.col_offset
                    end = starts[old.end_lineno - 1] + old.end_col_offset
                    found.append((begin, end, new.encode()))
    for begin, end, new in sorted(
        set(found), key=lambda one: sha256(repr(one).encode()).digest()
    ):
        name = f"{path}:{begin}-{end}:{new.decode()}"
        yield name, {path: source[:begin] + new + source[end:]}


def _mutant(node: ast.AST) -> tuple[ast.expr | None, str]:
    """What is replaced, and by what."""
    match node:
        case ast.Constant(value=bool() as value):
            return node, str(not value)
        case ast.Constant(value=int() as value):
            return node, str(value + 1)
        case ast.Return(value=ast.expr() as value):
            return value, "None"
        case ast.If(test=ast.expr() as test):
            return test, "True"
        case _:
            return None, ""
