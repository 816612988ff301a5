"""Texts: what separates, empty against blank, the case of letters."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bonafix.propose.search.context import Site, callee
from bonafix.propose.search.template import Example, Rewrite, Template, replace
from bonafix.syntax import Node

_SEPARATORS = ("", " ", ",", ", ", "\n", "-", "_", ".")
_STRING = frozenset({"string"})
_OPPOSITES = {
    "islower": ("isupper",),
    "isupper": ("islower",),
    "isalpha": ("isdigit", "isspace"),
    "isdigit": ("isalpha", "isspace"),
    "isalnum": ("isspace",),
    "isspace": ("isalnum", "isalpha"),
}
_READERS = {"open", "encode", "decode", "strftime", "strptime", "read_text"}
_READERS |= {"write_text", "getattr", "hasattr", "setattr", "import_module"}


def separator(site: Site) -> Iterator[Rewrite]:
    """Another text between parts, or none."""
    value = _string(site.node)
    if value not in _SEPARATORS:
        return
    quote = site.node.text[-1]
    near = {"": (" ",), " ": ("",), ",": (" ", ", "), ", ": (",", " "), "\n": ("", " ")}
    for rank, other in enumerate(near.get(value, ("", " "))):
        written = other.replace("\n", "\\n")
        yield replace(site.node, f"{quote}{written}{quote}", 1.0 / (1 + rank))


def _case(site: Site) -> Iterator[Rewrite]:
    value = _string(site.node)
    if not value or "\n" in value or not any(char.isalpha() for char in value):
        return
    text = site.node.text
    if "\\" in text or text[0] not in "'\"" or _is_code(site.node, value):
        return
    inner = text[1:-1]
    for rank, other in enumerate((inner.lower(), inner.upper(), inner.capitalize())):
        if other != inner:
            yield replace(site.node, f"{text[0]}{other}{text[0]}", 1.0 / (1 + rank))
    if value.islower() and len(set(value)) == len(value) > 1:  # an alphabet
        both = f"{text[:-1]}{value.upper()}{text[-1]}"
        yield replace(site.node, both, 0.8)


def _not_the_opposite(site: Site) -> Iterator[Rewrite]:
    """`a.islower()` to `not a.isupper()`: neither holds of a digit."""
    function, arguments = site.node.child("function"), site.node.child("arguments")
    name = function.child("attribute") if function is not None else None
    thing = function.child("object") if function is not None else None
    if name is None or thing is None or arguments is None or arguments.named:
        return
    around = site.node.parent
    for rank, other in enumerate(_OPPOSITES.get(name.text, ())):
        said, weight = f"{thing.text}.{other}()", 1.0 / (1 + rank)
        if around is not None and around.kind == "not_operator":
            yield replace(around, said, weight)
        else:
            yield replace(site.node, f"not {said}", weight)


def _is_code(node: Node, value: str) -> bool:
    """Whether Python itself reads it: a mode, an encoding, a code of a date, a name."""
    arguments = node.parent
    call = arguments.parent if arguments is not None else None
    read = call is not None and call.kind == "call" and callee(call) in _READERS
    return read or (value.startswith("__") and value.endswith("__"))


def _string(node: Node) -> str | None:
    """The value of a plain string; `None` for f-strings, bytes and oddities."""
    try:
        value = ast.literal_eval(node.text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


TEMPLATES = (
    Template(
        name="separator",
        source="TBar FP9 (mutate literal)",
        prior=0.5,
        kinds=_STRING,
        rewrites=separator,
        examples=(
            Example("x = ' '.join(y)\n", "x = ''.join(y)\n"),
            Example("x = y.split(',')\n", "x = y.split(' ')\n"),
        ),
        never=(Example("x = y.split('word')\n", "x = y.split('')\n"),),
    ),
    Template(
        name="letter-case",
        source="TBar FP9 (mutate literal)",
        prior=0.2,
        kinds=_STRING,
        rewrites=_case,
        examples=(
            Example("x = 'Key'\n", "x = 'key'\n"),
            Example("x = 'aeiou'\n", "x = 'aeiouAEIOU'\n"),
            Example("x = 'key'\n", "x = 'Key'\n"),
        ),
        never=(
            Example("x = open(y, 'rb')\n", "x = open(y, 'RB')\n"),
            Example("x = d.strftime('%m')\n", "x = d.strftime('%M')\n"),
        ),
    ),
    Template(
        name="predicate-opposite",
        source="PySStuBs (change unary operator; different method, same arguments)",
        prior=0.2,
        kinds=frozenset({"call"}),
        rewrites=_not_the_opposite,
        examples=(
            Example("x = a and b.islower()\n", "x = a and not b.isupper()\n"),
            Example("x = not a.isdigit()\n", "x = a.isalpha()\n"),
        ),
        never=(
            Example("x = a.islower(b)\n", "x = not a.isupper(b)\n"),
            Example("x = a.title()\n", "x = not a.upper()\n"),
        ),
    ),
)
