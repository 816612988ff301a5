"""Calls and behaviours as a person would write them; pure."""

from __future__ import annotations

from bonafix.calls import Behaviour, Call, Value

_WIDTH = 80
_BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "generator": ("<", ">"),
}
_QUOTED = {"str", "bytes"}
_PLAIN = {"int", "float", "bool", "NoneType", "complex"}


# A variant of a test instead of a call: what was changed, and what the test saw.
CHANGE, NOTES, NOTE = "change", "notes", "note"


def show_call(call: Call, width: int = _WIDTH) -> str:
    """`f(1, 'a', key=[2])`, or `test_x[amount 1000 -> 999]`, shortened."""
    if not call.module and all(value.type == CHANGE for _, value in call.kwargs):
        name = call.function.qualname.rpartition(".")[2]
        changes = [f"{label} {value.text}".strip() for label, value in call.kwargs]
        return _clip(f"{name}[{', '.join(changes)}]" if changes else name, width)
    parts = [show(value) for value in call.args]
    parts += [f"{name}={show(value)}" for name, value in call.kwargs]
    return _clip(f"{call.function.qualname}({', '.join(parts)})", width)


def show_behaviour(behaviour: Behaviour, width: int = _WIDTH) -> str:
    """Its value, or how it went wrong."""
    if behaviour.kind == "value" and behaviour.value:
        return _clip(show(behaviour.value), width)
    if behaviour.kind == "raise":
        return _clip(behaviour.exception.rpartition(":")[2] or "an exception", width)
    return "no end" if behaviour.kind == "hang" else behaviour.kind


def show(value: Value) -> str:
    """A value, close to its repr."""
    if value.type in _PLAIN or value.type == NOTE:
        return value.text
    if value.type == NOTES:
        return "; ".join(show(item) for item in value.items) or "nothing"
    if value.type in _QUOTED:
        return ("b" if value.type == "bytes" else "") + repr(value.text)
    inner = [show(item) for item in value.items]
    if value.type in _BRACKETS:
        start, end = _BRACKETS[value.type]
        tail = "," if value.type == "tuple" and len(inner) == 1 else ""
        return f"{start}{', '.join(inner)}{tail}{end}"
    if value.type in {"dict", "collections:Counter", "collections:OrderedDict"}:
        pairs = zip(inner[::2], inner[1::2], strict=False)
        return "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
    return _named(value, inner)


def _named(value: Value, inner: list[str]) -> str:
    name = value.text if value.type in {"object", "namedtuple", "like"} else value.type
    name = name.rpartition(":")[2].rpartition(".")[2]
    if value.type == "opaque":
        return f"<{value.names[0].rpartition(':')[2]}>" if value.names else "<object>"
    if value.type == "enum":
        return value.text.rpartition(":")[2]
    if value.names:
        fields = zip(value.names, inner[-len(value.names) :], strict=False)
        return f"{name}({', '.join(f'{k}={v}' for k, v in fields)})"
    return f"{name}({', '.join(inner) or repr(value.text)})"


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
