"""The rest of the project, as far as one file has to do with it; pure and bounded.

Which files are near another (imports first, then importers, then those beside it),
what a called function wants, and which attributes the project's classes have.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bonafix.propose.search.context import Site
from bonafix.propose.search.known import Known, parsed
from bonafix.syntax import Module, Node, walk

_MOST_FILES = 8
_LOOKED_THROUGH = 400  # files that may be asked whether they import ours
_ATTRIBUTE = re.compile(r"\bself\.([A-Za-z_]\w*)")
_STATIC = ("staticmethod", "classmethod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a call of a function may give it; receivers are left out."""

    name: str
    places: tuple[str, ...]  # positional parameters
    required: int  # the first of them that have no default
    keywords: tuple[str, ...] = ()  # keyword-only
    unbounded: bool = False  # `*args`: any number fits
    anything: bool = False  # `**kwargs`: any keyword fits
    defaults: tuple[str, ...] = ()  # of the last of `places`, as written

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that may be given by its name."""
        return (*self.places, *self.keywords)


@dataclass(frozen=True, slots=True)
class Defined:
    """A function with the class that it is a method of, if any."""

    node: Node
    owner: str = ""


def near(path: str, known: Known) -> tuple[str, ...]:
    """The files that another one has most to do with, nearest first; bounded."""
    return _near(path, known)[:_MOST_FILES]


@lru_cache(maxsize=32)
def _near(path: str, known: Known) -> tuple[str, ...]:
    own = known.files.get(path)
    module = parsed(own) if own is not None else None
    imported = list(_imported(path, module, known)) if module is not None else []
    folder, name = posixpath.split(path)
    stem = name.removesuffix(".py").encode()
    by_place = sorted(
        (other for other in known.files if other != path),
        key=lambda other: (posixpath.dirname(other) != folder, other),
    )
    importers = [
        other
        for other in by_place[:_LOOKED_THROUGH]
        if stem != b"__init__" and _mentions(known.files[other], stem)
    ]
    beside = [other for other in by_place if posixpath.dirname(other) == folder]
    return tuple(dict.fromkeys((*imported, *importers, *beside)))[: 2 * _MOST_FILES]


def _mentions(data: bytes, stem: bytes) -> bool:
    return re.search(rb"\bimport\b[^\n]*\b" + re.escape(stem) + rb"\b", data) is not (
        None
    ) or bool(re.search(rb"\bfrom\s[\w.]*\b" + re.escape(stem) + rb"\b", data))


def defined(module: Module) -> tuple[Defined, ...]:
    """The functions and methods of a module, in order; not those within functions."""
    return _defined(module.root)


@lru_cache(maxsize=64)
def _defined(root: Node) -> tuple[Defined, ...]:
    return tuple(_definitions(root.named, ""))


def _definitions(statements: list[Node], owner: str) -> Iterator[Defined]:
    for statement in statements:
        inner = statement.child("definition") or statement
        body, name = inner.child("body"), inner.child("name")
        if inner.kind == "function_definition":
            yield Defined(inner, owner)
        elif inner.kind == "class_definition" and body is not None and name is not None:
            yield from _definitions(body.named, name.text)


def attributes(path: str, known: Known) -> tuple[str, ...]:
    """What objects of the project's own classes have: fields and methods."""
    found: dict[str, None] = {}
    for other in (path, *near(path, known)):
        module = parsed(known.files.get(other, b""))
        if module is not None:
            found |= dict.fromkeys(_attributes(module.root))
    return tuple(found)


@lru_cache(maxsize=64)
def _attributes(root: Node) -> tuple[str, ...]:
    methods = (d.node.child("name") for d in _defined(root) if d.owner)
    names = [name.text for name in methods if name is not None]
    for node in walk(root):
        if node.kind == "class_definition":
            names += [field for field, _ in fields(node)]
    written = _ATTRIBUTE.findall(root.module.text)
    return tuple(dict.fromkeys((*names, *written)))


def fields(owner: Node) -> list[tuple[str, str]]:
    """The annotated names of a class with their defaults ("" where there is none)."""
    body = owner.child("body")
    found: list[tuple[str, str]] = []
    for statement in body.named if body is not None else []:
        value = statement.named[0] if statement.named else None
        if value is None or value.kind != "assignment" or not value.child("type"):
            continue
        left, right = value.child("left"), value.child("right")
        if left is not None and left.kind == "identifier":
            found.append((left.text, right.text if right is not None else ""))
    return found


def called(site: Site, call: Node) -> Signature | None:
    """The signature of what a call calls, if the project defines just one such."""
    function = call.child("function")
    if function is None:
        return None
    if function.kind == "identifier":
        return _by_name(site, function.text)
    if function.kind == "attribute":
        return _by_attribute(site, function)
    return None


def _by_name(site: Site, name: str) -> Signature | None:
    """A function or class of the module, or one that it imports from the project."""
    root = site.node.module.root
    if found := _signature_in(root, name):
        return found
    for statement in root.named:
        if statement.kind != "import_from_statement":
            continue
        for one in statement.each("name"):
            alias, plain = one.child("alias"), one.child("name") or one
            if (alias or plain).text == name:
                for path in _sources_of(site.path, statement, site.known):
                    module = parsed(site.known.files[path])
                    if module is not None:
                        return _signature_in(module.root, plain.text)
    return None


def _by_attribute(site: Site, function: Node) -> Signature | None:
    """A method; only where one method alone has the name."""
    thing, attribute = function.child("object"), function.child("attribute")
    if thing is None or attribute is None:
        return None
    roots = [site.node.module.root]
    for path in near(site.path, site.known):
        module = parsed(site.known.files[path])
        roots += [module.root] if module is not None else []
    of_self = thing.text in {"self", "cls", "super()"}
    found = []
    for root in roots:
        for one in _defined(root):
            label = one.node.child("name")
            fits = bool(one.owner) or not of_self
            if label is not None and label.text == attribute.text and fits:
                found.append(signature(one))
        if found and of_self:
            break
    same = {(s.places, s.required, s.keywords) for s in found}
    return found[0] if len(same) == 1 else None


def _signature_in(root: Node, name: str) -> Signature | None:
    for one in _defined(root):
        label = one.node.child("name")
        if label is None:
            continue
        if (not one.owner and label.text == name) or (
            one.owner == name and label.text == "__init__"
        ):
            return signature(one)
    return _of_fields(root, name)


def _of_fields(root: Node, name: str) -> Signature | None:
    """The constructor that a dataclass or named tuple gets from its fields."""
    for statement in root.named:
        owner = statement.child("definition") or statement
        label = owner.child("name")
        if owner.kind != "class_definition" or label is None or label.text != name:
            continue
        listed = fields(owner)
        bases = owner.child("superclasses")
        made = "dataclass" in statement.text[: owner.start - statement.start]
        if listed and (made or (bases is not None and "NamedTuple" in bases.text)):
            places = tuple(field for field, _ in listed)
            defaults = tuple(value for _, value in listed if value)
            required = len(places) - len(defaults)
            return Signature(
                name=name, places=places, required=required, defaults=defaults
            )
    return None


def signature(one: Defined) -> Signature:
    """What a function's definition says."""
    label, listed = one.node.child("name"), one.node.child("parameters")
    places: list[str] = []
    keywords: list[str] = []
    defaults: list[str] = []
    unbounded = anything = bare = False
    for parameter in listed.named if listed is not None else []:
        inner = parameter.named[0] if parameter.kind == "typed_parameter" else parameter
        name = (parameter.child("name") or inner).text
        value = parameter.child("value")
        if inner.kind == "dictionary_splat_pattern":
            anything = True
        elif inner.kind in {"list_splat_pattern", "keyword_separator"}:
            unbounded, bare = inner.kind == "list_splat_pattern", True
        elif inner.kind != "positional_separator":
            (keywords if bare else places).append(name)
            if value is not None and not bare:
                defaults.append(value.text)
    if one.owner and places and not _is_static(one.node):
        places = places[1:]
    return Signature(
        name=label.text if label is not None else "",
        places=tuple(places),
        required=max(0, len(places) - len(defaults)),
        keywords=tuple(keywords),
        unbounded=unbounded,
        anything=anything,
        defaults=tuple(defaults),
    )


def _is_static(function: Node) -> bool:
    around = function.parent
    if around is None or around.kind != "decorated_definition":
        return False
    return any("staticmethod" in d.text for d in around.named if d.kind == "decorator")


def _imported(path: str, module: Module, known: Known) -> Iterator[str]:
    for statement in module.root.named:
        if statement.kind in {"import_from_statement", "import_statement"}:
            yield from _sources_of(path, statement, known)


def _sources_of(path: str, statement: Node, known: Known) -> list[str]:
    """The project's files that an import names."""
    base = statement.child("module_name")
    names = [(one.child("name") or one).text for one in statement.each("name")]
    if base is None:
        wanted = names
    else:
        wanted = [base.text, *(f"{base.text}.{name}" for name in names)]
        if base.text.endswith("."):
            wanted = [f"{base.text}{name}" for name in names] + [base.text]
    found = [file for name in wanted for file in _files_of(path, name, known)]
    return list(dict.fromkeys(file for file in found if file != path))


def _files_of(path: str, dotted: str, known: Known) -> Iterator[str]:
    rest = dotted.lstrip(".")
    level = len(dotted) - len(rest)
    folders = list(known.roots)
    if level:
        folder = posixpath.dirname(path)
        for _ in range(level - 1):
            folder = posixpath.dirname(folder)
        folders = [folder]
    for folder in folders:
        stem = posixpath.join(folder, *rest.split(".")) if rest else folder
        for file in (f"{stem}.py", posixpath.join(stem, "__init__.py")):
            if file in known.files:
                yield file
