"""A model and the one `thinking` setting in, the form of the request out; pure.

The table is data with a date (`models.toml`). A model never gets a form that it is
known to reject, and an unknown one is corrected once, by the API's own refusal.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources

from bonafix.propose.claude.prices import Price, Usage

LEVELS = ("low", "medium", "high", "xhigh", "max")
LEAST_BUDGET = 1024
_ROOM_AFTER_THINKING = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model takes; without a price its cost stays unknown."""

    id: str
    thinking: tuple[str, ...]
    efforts: tuple[str, ...]
    price: Price | None = None
    long: Price | None = None  # the price of long prompts, where it differs
    max_tokens: int = 128_000
    context: int = 1_000_000
    listed: bool = True  # in the shipped table

    def priced(self, prompt: int) -> Price | None:
        """The price for a prompt of that many tokens."""
        if self.long is not None and prompt > self.long.over:
            return self.long
        return self.price

    def usd(self, usage: Usage) -> float | None:
        """What one request cost; `None` where no price is known."""
        price = self.priced(usage.prompt)
        return None if price is None else price.usd(usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a request asks for thinking. `note` is what the user should know."""

    thinking: Mapping[str, object] | None
    effort: str | None = None
    note: str = ""

    @property
    def fields(self) -> dict[str, object]:
        """The request's fields that this form decides."""
        fields: dict[str, object] = {}
        if self.thinking is not None:
            fields["thinking"] = dict(self.thinking)
        if self.effort is not None:
            fields["output_config"] = {"effort": self.effort}
        return fields

    @property
    def label(self) -> str:
        """One word or two for people and receipts."""
        kind = str((self.thinking or {}).get("type", "default"))
        if kind == "enabled":
            return f"{(self.thinking or {})['budget_tokens']} tokens"
        off = kind in ("disabled", "between_tools")
        return "off" if off else self.effort or kind


@dataclass(frozen=True, slots=True)
class _Effort:
    level: str
    start: int
    budget: int


@dataclass(frozen=True, slots=True)
class _Table:
    date: str
    default: str
    answer_tokens: int
    efforts: tuple[_Effort, ...]
    models: Mapping[str, Model]
    unknown: Model


def default_model() -> str:
    """The model that is used unless the user names one."""
    return _table().default


def answer_tokens() -> int:
    """The most tokens one answer is given, thinking included."""
    return _table().answer_tokens


def price_date() -> str:
    """The day on which the table of models and prices was true."""
    return _table().date


def lookup(model: str) -> Model:
    """The model's entry; dated names find their undated one."""
    table = _table()
    name = model or table.default
    entry = table.models.get(name) or table.models.get(re.sub(r"-\d{8}$", "", name))
    return replace(entry or table.unknown, id=name)


def with_capabilities(model: Model, info: Mapping[str, object]) -> Model:
    """The entry corrected by the models endpoint, whose fields may all be null."""
    capabilities = _mapping(info.get("capabilities"))
    types = _mapping(_mapping(capabilities.get("thinking")).get("types"))
    effort = _mapping(capabilities.get("effort"))
    forms = tuple(name for name in types if _supported(types[name]))
    efforts = tuple(name for name in LEVELS if _supported(effort.get(name)))
    found = replace(model, thinking=forms, efforts=efforts) if forms else model
    most = info.get("max_tokens")
    return replace(found, max_tokens=most) if isinstance(most, int) else found


def form(model: Model, setting: str) -> Form:
    """How to ask this model for `setting`: a level, `off`, or a number of tokens."""
    if setting == "off":
        return _off(model)
    if setting.isdigit():
        return _counted(model, int(setting))
    return _levelled(model, setting)


def formed(request: Mapping[str, object], form: Form) -> dict[str, object]:
    """The request with thinking asked for; its own form of output stays."""
    fields = form.fields
    merged = {**request, **fields}
    own, added = request.get("output_config"), fields.get("output_config")
    if isinstance(own, Mapping) and isinstance(added, Mapping):
        merged["output_config"] = {**own, **added}
    return merged


def _off(model: Model) -> Form:
    if "disabled" in model.thinking:
        return Form(thinking={"type": "disabled"})
    if "between_tools" in model.thinking:
        note = f"{model.id} still writes short notes between its tool calls"
        return Form(thinking={"type": "between_tools"}, note=note)
    least = _levelled(model, "low")
    note = f"{model.id} cannot turn thinking off: its lowest effort is used"
    return replace(least, note=note)


def _counted(model: Model, tokens: int) -> Form:
    if "enabled" in model.thinking:
        return _budget(model, tokens)
    level = "low"
    for effort in _table().efforts:
        level = effort.level if tokens >= effort.start else level
    formed = _levelled(model, level)
    note = f"{model.id} takes no token budget: {tokens} became effort {formed.effort}"
    return replace(formed, note=note)


def _levelled(model: Model, level: str) -> Form:
    if "adaptive" not in model.thinking:
        budgets = {effort.level: effort.budget for effort in _table().efforts}
        return _budget(model, budgets[level])
    thinking = {"type": "adaptive", "display": "summarized"}
    fitting = [name for name in model.efforts if _rank(name) <= _rank(level)]
    effort = fitting[-1] if fitting else None
    note = "" if effort == level else f"{model.id} has no effort {level}: {effort}"
    return Form(thinking=thinking, effort=effort, note=note)


def _budget(model: Model, tokens: int) -> Form:
    most = min(model.max_tokens, _table().answer_tokens) - _ROOM_AFTER_THINKING
    budget = max(LEAST_BUDGET, min(tokens, most))
    note = "" if budget == tokens else f"{tokens} became a budget of {budget} tokens"
    return Form(thinking={"type": "enabled", "budget_tokens": budget}, note=note)


def fallback(model: Model, refused: Form, message: str, setting: str) -> Model | None:
    """The model as its 400 about thinking or effort describes it, else `None`.

    The message is the API's; only its field names are looked at, not its wording.
    """
    kind = str((refused.thinking or {}).get("type", ""))
    if "thinking" in message and kind and kind in message:
        left = tuple(name for name in model.thinking if name != kind)
        other = {"adaptive": "enabled", "enabled": "adaptive", "disabled": "adaptive"}
        corrected = replace(model, thinking=left or (other.get(kind, "adaptive"),))
        if "adaptive" not in corrected.thinking:
            corrected = replace(corrected, efforts=())
    elif "effort" in message:
        named = refused.effort is not None and refused.effort in message
        keep = LEVELS[:3] if named and refused.effort not in LEVELS[:3] else ()
        corrected = replace(model, efforts=keep)
    else:
        return None
    return corrected if form(corrected, setting).fields != refused.fields else None


def raised(setting: str, steps: int) -> str:
    """The setting some steps up the ladder; numbers double, `off` becomes low."""
    if setting.isdigit():
        return str(int(setting) * 2**steps)
    rungs = ("off", *LEVELS)
    return rungs[min(rungs.index(setting) + steps, len(rungs) - 1)]


def _rank(level: str) -> int:
    return LEVELS.index(level)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _supported(value: object) -> bool:
    return _mapping(value).get("supported") is True


@functools.cache
def _table() -> _Table:
    file = resources.files("bonafix.propose.claude").joinpath("models.toml")
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    models = {name: _entry(name, item) for name, item in raw["models"].items()}
    return _Table(
        date=raw["date"].isoformat(),
        default=raw["default"],
        answer_tokens=raw["answer_tokens"],
        efforts=tuple(
            _Effort(item["level"], item["from"], item["budget"])
            for item in raw["efforts"]
        ),
        models=models,
        unknown=replace(_entry("", raw["unknown"]), listed=False),
    )


def _entry(name: str, raw: Mapping[str, object]) -> Model:
    given = {**raw, "thinking": _strings(raw["thinking"])}
    given["efforts"] = _strings(raw["efforts"])
    for key in ("price", "long"):
        if key in raw:
            given[key] = Price(**_mapping(raw[key]))  # type: ignore[arg-type]  # data
    return Model(id=name, **given)  # type: ignore[arg-type]  # our own data file


def _strings(value: object) -> tuple[str, ...]:
    assert isinstance(value, Sequence)
    return tuple(map(str, value))
