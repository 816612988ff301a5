"""Python values as JSON trees, so that they can be compared, changed and made again.

A node is `[type, text, items, names]`, empty ends left out. Built-in types and a few of
the standard library's are written as literals; plain objects by their fields; what is
left is pickled (`opaque`: the pickle in base64, and a rendering to compare by).
No `__eq__` and no `__repr__` of the project is called.
"""

from __future__ import annotations

import base64
import collections
import datetime as dt
import decimal
import enum
import fractions
import importlib
import pathlib
import pickle
import re
import types
import typing
import uuid

Node = typing.List[typing.Any]

DEPTH = 14
NODES = 3000  # in one value
TEXT = 20_000  # characters of one leaf
_BITS = 12_000  # of an integer; longer ones have no decimal text everywhere

_ATOMS = (type(None), bool, float, complex, type(Ellipsis), type(NotImplemented))
_SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_DATES = (dt.datetime, dt.date, dt.time)
_TEXTUAL: typing.Dict[type, str] = {
    decimal.Decimal: "decimal.Decimal",
    fractions.Fraction: "fractions.Fraction",
    uuid.UUID: "uuid.UUID",
    pathlib.PurePosixPath: "pathlib.PurePosixPath",
    pathlib.PosixPath: "pathlib.PosixPath",
}
_NAMED = {name: kind for kind, name in _TEXTUAL.items()}
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_BASES = (dict, list, tuple, set, frozenset, int, float, str, bytes)
_FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
    types.ModuleType,
)


class Unfit(Exception):  # noqa: N818 - a value, not a fault
    """The value cannot be carried over; the reason is one word."""


def encode(value: object, *, again: bool) -> Node:
    """The tree of `value`; `again`: it must be possible to make it again from that.

    Raises:
        Unfit: it is too big, too deep, or (`again`) has no way back.
    """
    return _Writer(again).node(value, DEPTH)


def name_of(kind: type) -> str:
    """`module:qualname`, or the bare name of a built-in."""
    module = getattr(kind, "__module__", "")
    name = getattr(kind, "__qualname__", kind.__name__)
    return name if module == "builtins" else "{}:{}".format(module, name)


def masked(text: str, chars: int) -> str:
    """At most `chars` characters, addresses of memory taken out."""
    return _ADDRESS.sub("0x", text[: chars * 2])[:chars]


class _Writer:
    def __init__(self, again: bool) -> None:  # noqa: FBT001 - private
        self._again = again
        self._left = NODES
        self._open: typing.Set[int] = set()

    def node(self, value: object, depth: int) -> Node:
        self._left -= 1
        if self._left < 0 or depth < 0:
            raise Unfit("size")
        leaf = _leaf(value)
        if leaf is not None:
            return leaf
        if id(value) in self._open:
            return self._elsewise(value, depth)
        self._open.add(id(value))
        try:
            return self._branch(value, depth - 1)
        finally:
            self._open.discard(id(value))

    def _branch(self, value: typing.Any, depth: int) -> Node:
        kind = type(value)
        if kind in (list, tuple):
            return [kind.__name__, "", [self.node(one, depth) for one in value]]
        if kind in (set, frozenset):
            return [kind.__name__, "", self._sorted(value, depth)]
        if kind in (dict, collections.OrderedDict, collections.Counter):
            name = "dict" if kind is dict else name_of(kind)
            return [name, "", self._pairs(value, depth)]
        if kind is collections.deque:
            items = [self.node(one, depth) for one in value]
            return ["deque", repr(value.maxlen), items]
        if isinstance(value, tuple) and _is_named_tuple(kind):
            items = [self.node(one, depth) for one in tuple.__iter__(value)]
            return ["namedtuple", name_of(kind), items]
        if _is_plain(kind):
            fields = _fields(value)
            items = [self.node(one, depth) for one in fields.values()]
            return ["object", name_of(kind), items, list(fields)]
        return self._elsewise(value, depth)

    def _sorted(self, value: typing.Iterable[object], depth: int) -> typing.List[Node]:
        return sorted((self.node(one, depth) for one in value), key=repr)

    def _pairs(self, value: typing.Any, depth: int) -> typing.List[Node]:
        pairs: typing.List[Node] = []
        for key, inner in dict.items(value):
            pairs += [self.node(key, depth), self.node(inner, depth)]
        return pairs

    def _elsewise(self, value: typing.Any, depth: int) -> Node:
        """What has no literal: rendered, and pickled where it must come back."""
        if not self._again:
            return self._rendering(value, depth)
        live = isinstance(value, types.GeneratorType) or callable(value)
        if live and not isinstance(value, (type, types.FunctionType)):
            raise Unfit("callable or generator")
        try:
            data = pickle.dumps(value, 4)
        except Exception as error:
            raise Unfit("not picklable") from error
        if len(data) > TEXT:
            raise Unfit("size")
        rendering = _Writer(again=False).node(value, 6)
        text = base64.b64encode(data).decode("ascii")
        return ["opaque", text, [rendering], [name_of(type(value))]]

    def _rendering(self, value: typing.Any, depth: int) -> Node:
        kind = type(value)
        if isinstance(value, _FUNCTIONS):
            name = getattr(value, "__qualname__", None) or value.__name__
            module = getattr(value, "__module__", "")
            return ["name", "{}:{}:{}".format(kind.__name__, module, name)]
        if id(value) in self._open and depth < DEPTH - 6:
            return ["like", name_of(kind)]
        items: typing.List[Node] = []
        for base in _BASES:
            if isinstance(value, base):
                items.append(self.node(_bare(value, base), depth))
                break
        fields = _fields(value)
        items += [self.node(one, depth) for one in fields.values()]
        return ["like", name_of(kind), items, list(fields)]


def _leaf(value: typing.Any) -> typing.Optional[Node]:
    kind = type(value)
    if kind in _ATOMS:
        return [kind.__name__, repr(value)]
    if kind is int:
        if value.bit_length() > _BITS:
            raise Unfit("size")
        return ["int", repr(value)]
    if kind in (str, bytes):
        if len(value) > TEXT:
            raise Unfit("size")
        return [kind.__name__, value if kind is str else value.decode("latin-1")]
    if kind in _TEXTUAL:
        return [_TEXTUAL[kind], str(value)]
    if kind in _DATES and getattr(value, "tzinfo", None) is None:
        return ["datetime." + kind.__name__, value.isoformat()]
    if kind is dt.timedelta:
        parts = (value.days, value.seconds, value.microseconds)
        return ["datetime.timedelta", " ".join(map(str, parts))]
    if isinstance(value, enum.Enum) and isinstance(getattr(value, "_name_", 0), str):
        return ["enum", "{}.{}".format(name_of(kind), value._name_)]
    return None


def is_iterator(value: object) -> bool:
    """Whether it is what `map`, `zip`, `iter` and `itertools` return."""
    kind = type(value)
    return hasattr(kind, "__next__") and kind.__module__ in ("builtins", "itertools")


def _bare(value: typing.Any, base: type) -> object:
    """The built-in part of an instance of a subclass, no method of it called."""
    if base is dict:
        return dict(dict.items(value))
    if base in (list, tuple, set, frozenset):
        return base(base.__iter__(value))  # type: ignore[attr-defined]
    if base is str:
        return str.__str__(value)[:]
    if base is bytes:
        return bytes.__getitem__(value, slice(None))
    return base.__pos__(value)  # type: ignore[attr-defined]


def _is_named_tuple(kind: type) -> bool:
    return hasattr(kind, "_fields") and hasattr(kind, "_make")


def _is_plain(kind: typing.Any) -> bool:
    """Whether an instance is no more than its `__dict__`."""
    if kind.__reduce_ex__ is not object.__reduce_ex__:
        return False
    if kind.__reduce__ is not object.__reduce__ or hasattr(kind, "__setstate__"):
        return False
    if getattr(kind, "__getstate__", None) is not getattr(object, "__getstate__", None):
        return False
    if hasattr(kind, "__getnewargs__") or hasattr(kind, "__getnewargs_ex__"):
        return False
    slotted = any(vars(base).get("__slots__") for base in kind.__mro__)
    heap = all(base is object or base.__flags__ & (1 << 9) for base in kind.__mro__)
    return heap and not slotted and isinstance(kind, type) and kind is not type


def _fields(value: object) -> typing.Dict[str, object]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        found = {}
    fields = dict(found) if isinstance(found, dict) else {}
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            descriptor = vars(base).get(name)
            if isinstance(descriptor, types.MemberDescriptorType):
                try:
                    fields[name] = descriptor.__get__(value)
                except AttributeError:
                    continue
    return {str(name): inner for name, inner in fields.items()}


# ---------------------------------------------------------------------- and back


def decode(node: Node) -> typing.Any:
    """The value again; classes are imported by name.

    Raises whatever a missing module, class or a foreign `__setstate__` raises.
    """
    kind, text, items, names = (*node, *("", [], [])[len(node) - 1 :])
    if kind in _SEQUENCES:
        return _SEQUENCES[kind](map(decode, items))
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(text)
    if kind in _NAMED:
        return _NAMED[kind](text)
    if kind == "dict":
        return _pairs_of(items)
    if kind.startswith("collections:"):
        return getattr(collections, kind.partition(":")[2])(_pairs_of(items))
    if kind == "deque":
        return collections.deque(
            map(decode, items), None if text == "None" else int(text)
        )
    if kind == "namedtuple":
        return found(text)._make(map(decode, items))
    if kind == "object":
        return _object(found(text), names, items)
    if kind == "opaque":
        return pickle.loads(base64.b64decode(text))  # noqa: S301 - in the cell, our own
    raise LookupError("there is no way back to a {}".format(kind))


def found(name: str) -> typing.Any:
    """The object called `module:qualname`."""
    module, _, path = name.rpartition(":")
    place: typing.Any = importlib.import_module(module or "builtins")
    for part in path.split("."):
        place = getattr(place, part)
    return place


def _object(
    kind: typing.Any, names: typing.List[str], items: typing.List[Node]
) -> object:
    made = object.__new__(kind)
    values = [decode(item) for item in items]
    object.__getattribute__(made, "__dict__").update(zip(names, values))
    return made


def _pairs_of(items: typing.List[Node]) -> typing.Dict[typing.Any, typing.Any]:
    values = [decode(item) for item in items]
    return dict(zip(values[::2], values[1::2]))


def _enum(text: str) -> object:
    kind, _, name = text.rpartition(".")
    return found(kind)[name]


def _timedelta(text: str) -> dt.timedelta:
    days, seconds, micro = map(int, text.split())
    return dt.timedelta(days, seconds, micro)


_MAKERS: typing.Dict[str, typing.Callable[[str], typing.Any]] = {
    "NoneType": lambda _: None,
    "ellipsis": lambda _: ...,
    "NotImplementedType": lambda _: NotImplemented,
    "bool": lambda text: text == "True",
    "int": int,
    "float": float,
    "complex": complex,
    "str": str,
    "bytes": lambda text: text.encode("latin-1"),
    "datetime.datetime": dt.datetime.fromisoformat,
    "datetime.date": dt.date.fromisoformat,
    "datetime.time": dt.time.fromisoformat,
    "datetime.timedelta": _timedelta,
    "enum": _enum,
}


def outcome_of(error: BaseException) -> typing.Dict[str, object]:
    """An exception as a behaviour: its type, and its text where it has a safe one."""
    return {
        "kind": "raise",
        "type": name_of(type(error)),
        "message": masked(_text(error), 300),
    }


def _text(error: BaseException) -> str:
    arguments = getattr(error, "args", ())
    parts = []
    for one in arguments if isinstance(arguments, tuple) else ():
        try:
            node = _leaf(one)
        except Unfit:
            node = None
        parts.append(node[1] if node else "<{}>".format(type(one).__name__))
    return ", ".join(parts)
