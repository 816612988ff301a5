"""What the code in the user's interpreter says of calls, as values; pure.

Nothing is believed to be well formed, and nothing is unpickled or evaluated here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from bonafix.calls import Behaviour, BehaviourKind, Call, FunctionRef, Value
from bonafix.observe.wire import Fields, number, text

_KINDS: Mapping[str, BehaviourKind] = {kind: kind for kind in get_args(BehaviourKind)}
_DEPTH = 40
_NONE = Value("NoneType", "None")


def value_of(node: object, depth: int = _DEPTH) -> Value:
    """The tree `[type, text, items, names]` as a value; odd parts as None."""
    match node:
        case [str(kind), *rest] if depth:
            literal, items, names = (*rest, *("", [], [])[len(rest) :])[:3]
            return Value(
                kind,
                literal if isinstance(literal, str) else "",
                tuple(value_of(one, depth - 1) for one in _list(items)),
                tuple(str(name) for name in _list(names)),
            )
        case _:
            return _NONE


def node_of(value: Value) -> list[object]:
    """The tree of a value; the reverse of `value_of`."""
    node: list[object] = [value.type, value.text]
    if value.items or value.names:
        node.append([node_of(item) for item in value.items])
    if value.names:
        node.append(list(value.names))
    return node


def behaviour_of(fields: Fields) -> Behaviour:
    """What one call did."""
    kind = _KINDS.get(text(fields, "kind"), "lost")
    value = value_of(fields.get("value")) if kind == "value" else None
    after = _list(fields.get("after"))
    return Behaviour(
        kind=kind,
        value=value,
        exception=text(fields, "type"),
        message=text(fields, "message"),
        after=tuple(None if one is None else value_of(one) for one in after),
        printed=text(fields, "printed"),
        effect=text(fields, "effect"),
        hit=fields.get("hit") is True,
        greedy=fields.get("greedy") is True,
        cpu_seconds=number(fields, "cpu"),
    )


def call_of(fields: Fields, functions: Sequence[FunctionRef]) -> Call | None:
    """A recorded call; `None` where it is of no function that was asked for."""
    index = int(number(fields, "function"))
    kwargs = fields.get("kwargs")
    named = kwargs.items() if isinstance(kwargs, dict) else ()
    behaviour = fields.get("behaviour")
    if not 0 <= index < len(functions):
        return None
    found = behaviour_of(behaviour) if isinstance(behaviour, dict) else None
    return Call(
        function=functions[index],
        module=text(fields, "module"),
        args=tuple(value_of(one) for one in _list(fields.get("args"))),
        kwargs=tuple((str(name), value_of(one)) for name, one in named),
        test=text(fields, "test"),
        behaviour=found,
    )


def fields_of(call: Call) -> dict[str, object]:
    """The arguments of a call in the form that the script reads."""
    return {
        "args": [node_of(value) for value in call.args],
        "kwargs": {name: node_of(value) for name, value in call.kwargs},
    }


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
