"""What an endpoint says about a model, in; the model corrected, out.

An endpoint is asked once about every model, listed or not: the table is only as good
as its date, it knows no gateway's limits, and the answer is free. What the endpoint
then refuses with a documented 400 stands above both, for not even an endpoint always
knows what is behind it. All of it is remembered while the process lives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bonafix.propose.claude.models import LEVELS, Form, Model, lookup

KNOWN: dict[tuple[str, str], Model] = {}
"""Endpoint and id to what was learned, for all who ask in this process."""

_KINDS = ("adaptive", "enabled", "between_tools", "disabled")
_THINKING = ("adaptive", "enabled")
_FIELD = re.compile(
    r"\b((?:cache_control|max_tokens|messages|output_config|system|thinking"
    r"|tool_choice|tools)(?:\.\w+)*)`?:"
)
_OURS = ("", "cache_control", "max_tokens", "output_config", "thinking")
_OVERFLOW = re.compile(r"(\d+) \+ (\d+) > (\d+)")
_LEAST_LIMIT = 1024
"""Tokens; an endpoint that names a smaller limit is not believed."""


def endpoint_of(base_url: str, environment: Mapping[str, str]) -> str:
    """A name for where requests go, as far as it can be told without the SDK."""
    names = ("BONAFIX_SERVICE", "ANTHROPIC_BASE_URL", "ANTHROPIC_PROFILE")
    service, url, profile = (environment.get(name, "") for name in names)
    return " ".join((service, base_url or url or profile))


def recall(endpoint: str, model: str) -> Model:
    """What is known about the model there, else the table's entry."""
    entry = lookup(model)
    return KNOWN.get((endpoint, entry.id), entry)


def remember(endpoint: str, model: Model) -> None:
    """Keep what was learned, so that nothing is asked or refused twice."""
    KNOWN[endpoint, model.id] = model


def with_capabilities(model: Model, info: Mapping[str, object]) -> Model:
    """The entry corrected by the models endpoint, whose fields may all be null."""
    capabilities = _mapping(info.get("capabilities"))
    types = _mapping(_mapping(capabilities.get("thinking")).get("types"))
    effort = _mapping(capabilities.get("effort"))
    told = replace(
        model,
        asked=True,
        max_tokens=_limit(info.get("max_tokens"), model.max_tokens),
        context=_limit(info.get("max_input_tokens"), model.context),
        retires=str(info.get("retires_at") or "")[:10] or model.retires,
    )
    if any(_mapping(types.get(name)) for name in _KINDS):
        forms = tuple(name for name in _KINDS if _supported(types.get(name)))
        told = replace(told, thinking=forms, told=True)
    if any(_mapping(effort.get(name)) for name in LEVELS):
        levels = tuple(name for name in LEVELS if _supported(effort.get(name)))
        told = replace(told, efforts=levels)
    return told


def corrected(model: Model, refused: Form, message: str, asked: int) -> Model | None:
    """The model as its 400 describes it, else `None`; `asked` is `max_tokens`.

    The message is the API's; the fields that it names count, not its wording. Every
    correction takes something away, so that correcting comes to an end.
    """
    named = _FIELD.search(message)
    field = named.group(1) if named else ""
    if field.split(".")[0] not in _OURS:
        return None
    found = (
        _smaller(model, message, asked)
        or _without(model, field, refused, message)
        or _other_thinking(model, refused, field, message)
        or _other_effort(model, refused, message)
    )
    return None if found == model else found


def overflow(message: str) -> tuple[int, int] | None:
    """Tokens of the prompt and of the context, where a 400 says that both collide."""
    found = _OVERFLOW.search(message)
    if found is None or "context" not in message:
        return None
    return int(found.group(1)), int(found.group(3))


def _smaller(model: Model, message: str, asked: int) -> Model | None:
    """A lower limit of the answer's or of the context's tokens."""
    if "max_tokens" not in message:
        return None
    if sizes := overflow(message):
        return replace(model, context=min(model.context, sizes[1]))
    numbers = [int(number) for number in re.findall(r"\b\d{3,9}\b", message)]
    limits = [n for n in numbers if _LEAST_LIMIT <= n < min(asked, model.max_tokens)]
    return replace(model, max_tokens=max(limits)) if limits else None


def _without(model: Model, field: str, form: Form, message: str) -> Model | None:
    """A field that the endpoint does not take is not sent any more."""
    if field.endswith(".display"):
        return _lacking(model, "display")
    whole = field in ("cache_control", "output_config", "output_config.format")
    # A gateway's schema may know the field and not the form: then it names the form.
    thinking = field == "thinking" and form.kind not in message
    silent = not field and "support thinking" in message and form.kind not in message
    if whole or thinking or silent:
        return _lacking(model, field or "thinking")
    return None


def _lacking(model: Model, name: str) -> Model:
    if name in model.lacks:
        return model
    return replace(model, lacks=(*model.lacks, name))


def _other_thinking(
    model: Model, refused: Form, field: str, message: str
) -> Model | None:
    """Without the refused form; another one is tried if none was known to be left."""
    kind = refused.kind
    about = "thinking" in message and not field.startswith("output_config")
    if not (about and kind and kind in message):
        return None
    left = tuple(name for name in model.thinking if name != kind)
    if not set(_THINKING) & set(left):
        untried = [name for name in _THINKING if name not in (kind, *model.lacks)]
        left = (*untried[:1], *left)
    efforts = model.efforts if "adaptive" in left else ()
    return replace(_lacking(model, kind), thinking=left, efforts=efforts)


def _other_effort(model: Model, refused: Form, message: str) -> Model | None:
    """Without the refused effort: what the message names instead, or the plainest."""
    if "effort" not in message or refused.effort is None:
        return None
    named = [level for level in LEVELS if f"'{level}'" in message]
    if refused.effort in named:
        named = [level for level in LEVELS[:3] if refused.effort not in LEVELS[:3]]
    # Only ever fewer: another refusal must not bring one back.
    return replace(model, efforts=tuple(n for n in model.efforts if n in named))


def _limit(value: object, known: int) -> int:
    return value if isinstance(value, int) and value >= _LEAST_LIMIT else known


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _supported(value: object) -> bool:
    return _mapping(value).get("supported") is True
