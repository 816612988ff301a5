"""Which kinds of values names and expressions have: seen at run time, else read off.

What was seen comes first, then annotations and defaults, then what the function's own
text makes of them. An unknown kind is "" and excludes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from bonafix.propose.search.context import Site, callee, operator, positional
from bonafix.propose.search.known import Kinds, Known, kind_of
from bonafix.syntax import Node, walk

_NUMBERS = frozenset({"int", "float", "bool", "complex"})
_TEXT = frozenset({"str", "bytes"})
SEQUENCES = frozenset({"list", "tuple", "str", "bytes", "range"})
HOLDERS = SEQUENCES | {"dict", "set", "frozenset", "Counter", "defaultdict", "deque"}
_LITERALS = {
    "integer": "int",
    "float": "float",
    "string": "str",
    "concatenated_string": "str",
    "true": "bool",
    "false": "bool",
    "none": "NoneType",
    "comparison_operator": "bool",
    "not_operator": "bool",
    "dictionary": "dict",
    "dictionary_comprehension": "dict",
    "set": "set",
    "set_comprehension": "set",
    "list": "list",
    "list_comprehension": "list",
    "tuple": "tuple",
}
_MADE = {  # what a call of that name gives, function or method
    **dict.fromkeys(("len", "int", "ord", "count", "find", "index", "rfind"), "int"),
    **dict.fromkeys(("str", "chr", "repr", "join", "strip", "lower", "upper"), "str"),
    **dict.fromkeys(("lstrip", "rstrip", "replace", "title", "capitalize"), "str"),
    **dict.fromkeys(("format", "zfill", "ljust", "rjust", "center", "hex"), "str"),
    **dict.fromkeys(("split", "rsplit", "splitlines"), "list[str]"),
    **dict.fromkeys(("any", "all", "isinstance", "startswith", "endswith"), "bool"),
    **dict.fromkeys(("isdigit", "isalpha", "isalnum", "isspace", "bool"), "bool"),
    **dict.fromkeys(("list", "sorted"), "list"),
    "range": "range[int]",
    "float": "float",
    "sqrt": "float",
    "dict": "dict",
    "set": "set",
    "tuple": "tuple",
    "Counter": "dict",
    "defaultdict": "dict",
}
_SAME = {"abs", "copy", "deepcopy", "max", "min", "reversed"}  # of their argument


def kinds(site: Site) -> Mapping[str, str]:
    """The kind of each name of the function around the site, where it is known."""
    return _kinds(site.region, site.known)


def kind(site: Site, node: Node | None = None) -> str:
    """The kind of an expression; of the site's own node without one."""
    return _kind(node or site.node, kinds(site))


def nullable(site: Site, name: str) -> bool:
    """Whether a name of the function held None when a test failed."""
    function = site.function
    return function is not None and "NoneType" in _seen(function, site.known, name)


def head(kind: str) -> str:
    """The type without its items."""
    return kind.partition("[")[0]


def item(kind: str) -> str:
    """What an iteration over it gives; "" if that is not known."""
    if head(kind) in _TEXT:
        return "str" if head(kind) == "str" else "int"
    return kind.partition("[")[2].removesuffix("]")


def is_number(kind: str) -> bool:
    """Whether it is a number for certain."""
    return head(kind) in _NUMBERS


def may_be_number(kind: str) -> bool:
    """Whether nothing says that it is none."""
    return not kind or is_number(kind)


def may_be(kind: str, heads: Iterable[str]) -> bool:
    """Whether it is one of these, as far as is known."""
    return not kind or head(kind) in heads


def is_holder(kind: str) -> bool:
    """Whether it is a text or container for certain: it has a length."""
    return head(kind) in HOLDERS


def alike(a: str, b: str) -> float:
    """How well a value of one kind can stand for another: 1 unknown, 0 not at all."""
    if not a or not b or "NoneType" in {a, b}:
        return 1.0
    if head(a) == head(b) or {head(a), head(b)} <= _NUMBERS:
        return _SAME_KIND
    return _OTHER_KIND


_SAME_KIND, _OTHER_KIND = 1.25, 0.2


@lru_cache(maxsize=64)
def _kinds(region: Node, known: Known) -> Mapping[str, str]:
    found: dict[str, str] = {}
    if region.kind == "function_definition":
        found |= _of_parameters(region, known)
    nodes = list(walk(region))
    for node in nodes:
        _note(node, found)
    for node in nodes:
        _note_method(node, found)
    if region.kind == "function_definition":
        name = _text(region.child("name"))
        for local, seen in known.values.get(name, {}).items():
            if one := _one(seen):
                found[local] = one
    return found


def _of_parameters(function: Node, known: Known) -> dict[str, str]:
    found: dict[str, str] = {}
    for parameter in _listed(function):
        name = _text(parameter.child("name") or parameter)
        if parameter.kind == "typed_parameter":
            name = parameter.named[0].text if parameter.named else ""
        default, annotation = parameter.child("value"), parameter.child("type")
        guess = _annotated(annotation.text) if annotation is not None else ""
        if not guess and default is not None and default.kind != "none":
            guess = _kind(default, {})
        if one := _one(_seen(function, known, name)) or guess:
            found[name] = one
    return found


def _seen(function: Node, known: Known, name: str) -> Kinds:
    """The kinds of a parameter or local in failing runs."""
    own = _text(function.child("name"))
    seen = known.values.get(own, {}).get(name, frozenset())
    names = [_text(p.child("name") or p) for p in _listed(function)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    by_place = dict(zip(names, known.arguments.get(own, ()), strict=False))
    return seen | by_place.get(name, frozenset())


def _listed(function: Node) -> list[Node]:
    parameters = function.child("parameters")
    return parameters.named if parameters is not None else []


def _one(seen: Kinds) -> str:
    """The kind that all of them share; "" if they do not."""
    real = seen - {"NoneType"}
    heads = {head(one) for one in real}
    if heads and heads <= _NUMBERS:
        return "float" if "float" in heads else min(heads - {"bool"}, default="bool")
    if len(heads) != 1:
        return ""
    return max(real) if len({item(one) for one in real} - {""}) <= 1 else heads.pop()


def _annotated(text: str) -> str:
    plain = text.strip("'\"").replace("Optional[", "").replace("typing.", "")
    first = next((p for p in plain.split("|") if p.strip() != "None"), "").strip()
    name, _, inner = first.partition("[")
    known = {*HOLDERS, *_NUMBERS}
    name = {"Sequence": "list", "Iterable": "list", "Mapping": "dict"}.get(name, name)
    one = name.lower() if name.lower() in known else name
    within = inner.partition(",")[0].strip(" ]")
    return f"{one}[{within}]" if within in known and one in known else one


def _note(node: Node, found: dict[str, str]) -> None:
    """What a binding says of the names that it binds; the first word counts."""
    left, right = node.child("left"), node.child("right")
    if left is None or right is None:
        return
    if node.kind == "assignment" and left.kind == "identifier":
        if (made := _kind(right, found)) not in {"", "NoneType"}:
            found.setdefault(left.text, made)
    elif node.kind in {"for_statement", "for_in_clause"}:
        _note_loop(left, right, found)


def _note_method(node: Node, found: dict[str, str]) -> None:
    """What is called on a name tells of it: `x.append(...)`, `x.items()`."""
    if node.kind == "call":
        function = node.child("function")
        thing = function.child("object") if function is not None else None
        of = _RECEIVERS.get(callee(node), "")
        if of and thing is not None and thing.kind == "identifier":
            found.setdefault(thing.text, of)


_RECEIVERS = {  # method -> what alone has it, of Python's own kinds
    **dict.fromkeys(("strip", "lower", "upper", "split", "splitlines"), "str"),
    **dict.fromkeys(("startswith", "endswith", "find", "rfind", "isdigit"), "str"),
    **dict.fromkeys(("rstrip", "lstrip", "isalpha", "join", "rsplit"), "str"),
    **dict.fromkeys(("append", "extend", "sort", "reverse"), "list"),
    **dict.fromkeys(("items", "keys", "values", "setdefault"), "dict"),
    **dict.fromkeys(("discard", "union", "issubset"), "set"),
}


def _note_loop(left: Node, right: Node, found: dict[str, str]) -> None:
    call = callee(right) if right.kind == "call" else ""
    pair = left.named if left.kind in {"pattern_list", "tuple_pattern"} else []
    if call == "enumerate" and pair and pair[0].kind == "identifier":
        found.setdefault(pair[0].text, "int")
        inner = positional(right)[:1]
        over = item(_kind(inner[0], found)) if inner else ""
        if len(pair) > 1 and pair[1].kind == "identifier" and over:
            found.setdefault(pair[1].text, over)
    elif left.kind == "identifier" and (over := item(_kind(right, found))):
        found.setdefault(left.text, over)


def _kind(node: Node, names: Mapping[str, str]) -> str:
    if node.kind == "identifier":
        return names.get(node.text, "")
    if node.kind in {"list", "tuple", "set", "dictionary"}:
        return kind_of(node.text) or _LITERALS[node.kind]
    if node.kind == "string" and node.text[0] in "bB":
        return "bytes"
    if node.kind in _LITERALS:
        return _LITERALS[node.kind]
    if node.kind == "call":
        return _of_call(node, names)
    if node.kind == "subscript":
        return _of_subscript(node, names)
    if node.kind == "binary_operator":
        return _of_operation(node, names)
    if node.kind in {"parenthesized_expression", "unary_operator", "await"}:
        return _kind(node.named[0], names) if node.named else ""
    return ""


def _of_call(node: Node, names: Mapping[str, str]) -> str:
    name, arguments = callee(node), positional(node)
    if name in {"list", "sorted"} and arguments:
        inner = item(_kind(arguments[0], names))
        return f"list[{inner}]" if inner else "list"
    if name in _SAME and arguments:
        return _kind(arguments[0], names) if len(arguments) > 1 or name == "abs" else ""
    return _MADE.get(name, "")


def _of_subscript(node: Node, names: Mapping[str, str]) -> str:
    value = node.child("value")
    over = _kind(value, names) if value is not None else ""
    if any(part.kind == "slice" for part in node.each("subscript")):
        return over
    return item(over) if head(over) in SEQUENCES else ""


def _of_operation(node: Node, names: Mapping[str, str]) -> str:
    left, right = node.child("left"), node.child("right")
    if left is None or right is None:
        return ""
    a, b = _kind(left, names), _kind(right, names)
    sign = operator(node)
    if head(a) in {"str", "list", "tuple"} and sign in {"+", "*", "%"}:
        return a
    if is_number(a) and is_number(b):
        return "float" if sign == "/" or "float" in {a, b} else "int"
    return ""


def _text(node: Node | None) -> str:
    return node.text if node is not None else ""
