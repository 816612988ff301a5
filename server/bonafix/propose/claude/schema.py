"""A JSON value and the schema that was asked for in, what does not fit out; pure.

Only what our own schemas use: objects that are closed, arrays, enumerations, and the
plain types. The service promises answers that fit; gateways promise nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_PLAIN: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}


def misfit(value: object, schema: Mapping[str, object], at: str = "it") -> str:
    """Why a value does not fit a schema, in a few words; empty where it does."""
    match schema.get("type"):
        case "object":
            return _object(value, schema, at)
        case "array":
            return _array(value, schema, at)
        case str(kind):
            return _plain(value, schema, kind, at)
        case _:
            return f"{at} has no type"


def _object(value: object, schema: Mapping[str, object], at: str) -> str:
    if not isinstance(value, Mapping):
        return f"{at} is no object"
    properties = schema.get("properties")
    assert isinstance(properties, Mapping)
    if odd := sorted(set(properties) ^ {str(key) for key in value}):
        word = "lacks" if odd[0] in properties else "has the unknown key"
        return f"{at} {word} {odd[0][:40]!r}"
    found = (misfit(value[key], inner, key) for key, inner in properties.items())
    return next((why for why in found if why), "")


def _array(value: object, schema: Mapping[str, object], at: str) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return f"{at} is no list"
    items = schema.get("items")
    assert isinstance(items, Mapping)
    found = (misfit(item, items, f"an item of {at}") for item in value)
    return next((why for why in found if why), "")


def _plain(value: object, schema: Mapping[str, object], kind: str, at: str) -> str:
    fits = isinstance(value, _PLAIN[kind])
    if not fits or (kind == "integer" and isinstance(value, bool)):
        return f"{at} is not of type {kind}"
    choices = schema.get("enum")
    if isinstance(choices, Sequence) and value not in choices:
        return f"{at} is none of the choices"
    return ""
