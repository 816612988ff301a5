"""Real libraries to measure on: source distributions that carry their tests.

They are fetched from the package index on first use, into a folder that is kept and
not committed, with an environment of their own.
"""

import ast
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache" / "libraries"


@dataclass(frozen=True)
class Library:
    """`target` is one test, `tests` a file of tests of what lies in `product`."""

    name: str
    version: str
    product: str
    tests: str
    target: str


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


def python() -> Path:
    """An interpreter with pytest and what the libraries' tests import."""
    found = CACHE / "environment" / "bin" / "python"
    if not found.exists():
        subprocess.run(
            [sys.executable, "-m", "venv", CACHE / "environment"], check=True
        )
        _pip(str(found), "install", "pytest", "simplejson", "packaging")
    return found


def _pip(interpreter: str, *arguments: str) -> None:
    subprocess.run([interpreter, "-m", "pip", "--quiet", *arguments], check=True)


def mutants(path: str, source: bytes) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """Id and files of each small change inside a function, in no special order."""
    text = source.decode()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                old, new = _mutant(inner)
                if old is not None:
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
