"""A name in a module of the project in, the product function it stands for out; pure.

Follows imports the way Python does, re-exports included, without executing any of it.
What cannot certainly be told is `None`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bonafix.domain import Layout
from bonafix.syntax import Module, Node, parse
from bonafix.text import TextError, decode

_HOPS = 5  # re-exports that are followed


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import binds a name to: `name` of `module`, or the module itself."""

    module: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class statement at the top of a product module."""

    path: str
    module: str  # its dotted name
    name: str
    node: Node


@dataclass(frozen=True, slots=True)
class Code:
    """The project's sources, parsed when they are asked for."""

    sources: Mapping[str, bytes]
    layout: Layout
    _parsed: dict[str, Module | None] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)

    def module(self, path: str) -> Module | None:
        """The tree of a file; `None` where it is no Python that can be read."""
        if path not in self._parsed:
            self._parsed[path] = _tree(path, self.sources.get(path))
        return self._parsed[path]

    def product(self) -> Mapping[str, str]:
        """Dotted name -> path of every product module."""
        if not self._named:
            self._named.update(_names(self.sources, self.layout))
        return self._named

    def path_of(self, module: str) -> str | None:
        """The file of a product module."""
        return self.product().get(module)


def _tree(path: str, data: bytes | None) -> Module | None:
    if data is None or not path.endswith(".py"):
        return None
    try:
        module = parse(decode(data))
    except TextError:
        return None
    return None if module.has_error else module


def _names(sources: Mapping[str, bytes], layout: Layout) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(sources):
        if path.endswith(".py") and path not in layout.tests:
            for root in layout.package_roots:
                if name := _dotted(path, root.strip("/"), sources):
                    found.setdefault(name, path)
    return found


def _dotted(path: str, root: str, sources: Mapping[str, bytes]) -> str:
    """The name under which a file is imported; empty where it lies elsewhere."""
    if root not in {"", ".", path} and not path.startswith(root + "/"):
        return ""
    packaged = root == path or f"{root}/__init__.py" in sources
    base = str(PurePosixPath(root).parent) if packaged else root
    inner = path if base in {"", "."} else path.removeprefix(base + "/")
    stem = inner.removesuffix(".py").removesuffix("/__init__")
    return "" if stem == "__init__" else stem.replace("/", ".")


def imports(
    module: Module, own: str = "", *, package: bool = False
) -> dict[str, Imported]:
    """What the import statements at the top bind; `own` is the module's name."""
    found: dict[str, Imported] = {}
    for statement in module.root.named:
        found |= imported_by(statement, own, package=package)
    return found


def imported_by(
    statement: Node, own: str = "", *, package: bool = False
) -> dict[str, Imported]:
    """What one import statement binds; `own` resolves the relative ones."""
    if statement.kind == "import_statement":
        return dict(_plain(statement))
    source = statement.child("module_name")
    if statement.kind != "import_from_statement" or source is None:
        return {}
    base = _absolute(source.text, own, package=package)
    pairs = (_alias(node) for node in statement.each("name"))
    return {alias: Imported(base, name) for name, alias in pairs}


def _plain(statement: Node) -> Iterator[tuple[str, Imported]]:
    for node in statement.each("name"):
        name, alias = _alias(node)
        if node.child("alias") is not None:
            yield alias, Imported(name)
        else:  # `import a.b` binds `a`
            yield name.partition(".")[0], Imported(name.partition(".")[0])


def _alias(node: Node) -> tuple[str, str]:
    name, alias = node.child("name"), node.child("alias")
    if name is not None and alias is not None:
        return name.text, alias.text
    return node.text, node.text


def _absolute(text: str, own: str, *, package: bool) -> str:
    bare = text.lstrip(".")
    dots = len(text) - len(bare)
    if not dots:
        return bare
    up = dots - 1 if package else dots
    around = own.split(".")[: len(own.split(".")) - up]
    return ".".join([*around, *([bare] if bare else [])])


def definition(
    code: Code, callee: Node, bound: Mapping[str, Imported]
) -> Definition | None:
    """The product's statement that `callee` (`f`, `m.f`, `a.b.f`) stands for."""
    if callee.kind not in {"identifier", "attribute"}:
        return None
    first, *rest = callee.text.replace(" ", "").split(".")
    if first not in bound:
        return None
    start = bound[first]
    return _found(code, start.module, [*filter(None, [start.name]), *rest], _HOPS)


def defined(code: Code, path: str, name: str) -> Definition | None:
    """What a name at the top of a product module stands for, if it is defined once."""
    dotted = next((m for m, p in code.product().items() if p == path), "")
    return _found(code, dotted, [name], _HOPS) if dotted else None


def _found(code: Code, module: str, names: list[str], hops: int) -> Definition | None:
    """Walk down from a module to a statement at the top of another."""
    path = code.path_of(module)
    if not names or hops < 0:
        return None
    name, *rest = names
    tree = code.module(path) if path else None
    if tree is not None and path is not None:
        own = [n for n in _statements(tree) if _text(n, "name") == name]
        package = path.endswith("__init__.py")
        again = imports(tree, module, package=package).get(name)
        if own and not rest:
            return _only(own, path, module, name)
        itself = again is not None and (again.module, again.name) == (module, name)
        if again and not own and not itself:  # `from . import sub` binds a module
            onward = [*filter(None, [again.name]), *rest]
            return _found(code, again.module, onward, hops - 1)
    return _found(code, f"{module}.{name}" if module else name, rest, hops)


def _only(own: list[Node], path: str, module: str, name: str) -> Definition | None:
    return Definition(path, module, name, own[0]) if len(own) == 1 else None


def _statements(tree: Module) -> Iterator[Node]:
    for statement in tree.root.named:
        inner = statement.child("definition") or statement
        if inner.kind in {"function_definition", "class_definition"}:
            yield inner


def _text(node: Node, name: str) -> str:
    child = node.child(name)
    return child.text if child is not None else ""
