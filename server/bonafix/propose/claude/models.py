"""A model and the one `thinking` setting in, the form of the request out; pure.

The table is data with a date (`models.toml`). A model never gets a form that it is
known to reject; what its endpoint says about it is read in `learning.py`.
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

_DECORATION = re.compile(
    r"^(?:[a-z]+\.)?anthropic[./]"  # Bedrock's regions and vendor, gateways' vendor
    r"|(?:-v\d+(?::\d+)?|[-@]\d{8}(?:-v\d+(?::\d+)?)?)$"  # versions and dates
)


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
    retires: str = ""  # the day, in ISO form, where one is announced
    listed: bool = True  # in the shipped table
    asked: bool = False  # its endpoint has been asked about it
    told: bool = False  # and has said which forms it takes
    lacks: tuple[str, ...] = ()
    """What the endpoint has refused: fields of a request, forms of thinking."""

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
    def kind(self) -> str:
        """The form of thinking that is asked for, if one is."""
        return str((self.thinking or {}).get("type", ""))

    @property
    def label(self) -> str:
        """One word or two for people and receipts."""
        if self.kind == "enabled":
            return f"{(self.thinking or {})['budget_tokens']} tokens"
        off = self.kind in ("disabled", "between_tools")
        return "off" if off else self.effort or self.kind or "default"


@dataclass(frozen=True, slots=True)
class _Effort:
    level: str
    start: int
    budget: int


@dataclass(frozen=True, slots=True)
class _Table:
    date: str
    prices: str
    default: str
    cheap: str
    answer_tokens: int
    efforts: tuple[_Effort, ...]
    models: Mapping[str, Model]
    unknown: Model


def default_model() -> str:
    """The model that is used unless the user names one."""
    return _table().default


def cheap_model() -> str:
    """The model for those who would rather pay little: also `model = "cheap"`."""
    return _table().cheap


def answer_tokens() -> int:
    """The most tokens one answer is given, thinking included."""
    return _table().answer_tokens


def table_date() -> str:
    """The day on which the table's forms and limits were true."""
    return _table().date


def price_date() -> str:
    """The day on which the table's prices were true."""
    return _table().prices


def lookup(model: str) -> Model:
    """The table's entry for an id, `cheap`, or nothing: the default.

    Dated ids and those of clouds and gateways find the model's own entry.
    """
    table = _table()
    name = {"": table.default, "cheap": table.cheap}.get(model, model)
    entry = table.models.get(name) or table.models.get(_DECORATION.sub("", name))
    return replace(entry or table.unknown, id=name)


def form(model: Model, setting: str) -> Form:
    """How to ask this model for `setting`: a level, `off`, or a number of tokens."""
    if "thinking" in model.lacks:
        note = f"{model.id} is asked without a thinking field: its endpoint takes none"
        return replace(_unthinking(model, setting), note=note)
    if setting == "off":
        return _off(model)
    if not {"adaptive", "enabled"}.intersection(model.thinking):
        return _unthinking(model, setting)
    if setting.isdigit():
        return _counted(model, int(setting))
    return _levelled(model, setting)


def formed(
    request: Mapping[str, object], form: Form, lacks: Sequence[str] = ()
) -> dict[str, object]:
    """The request with thinking asked for; its own form of output stays.

    `lacks` are fields that the endpoint does not take: they are left out.
    """
    fields = form.fields
    merged = {**request, **fields}
    own, added = request.get("output_config"), fields.get("output_config")
    if isinstance(own, Mapping) and isinstance(added, Mapping):
        merged["output_config"] = {**own, **added}
    return {name: value for name, value in merged.items() if name not in lacks}


def _off(model: Model) -> Form:
    if "disabled" in model.thinking:
        return Form(thinking={"type": "disabled"})
    if "between_tools" in model.thinking:
        note = f"{model.id} still writes short notes between its tool calls"
        return Form(thinking={"type": "between_tools"}, note=note)
    if not model.thinking:
        return Form(thinking=None)
    least = _levelled(model, "low")
    note = f"{model.id} cannot turn thinking off: its lowest effort is used"
    return replace(least, note=note)


def _unthinking(model: Model, setting: str) -> Form:
    """For a model that cannot be asked to think; some still know efforts."""
    effort = _fitting(model, _level_of(setting))
    left = (
        f"only effort {effort} is asked for" if effort else f"{setting} means nothing"
    )
    note = f"{model.id} cannot be asked to think: {left} there"
    return Form(thinking=None, effort=effort, note=note)


def _level_of(setting: str) -> str:
    """The effort that is nearest to a setting."""
    if setting == "off":
        return "low"
    if not setting.isdigit():
        return setting
    return max(
        (effort for effort in _table().efforts if effort.start <= int(setting)),
        key=lambda effort: effort.start,
        default=_table().efforts[0],
    ).level


def _counted(model: Model, tokens: int) -> Form:
    if "enabled" in model.thinking:
        return _budget(model, tokens)
    formed = _levelled(model, _level_of(str(tokens)))
    note = f"{model.id} takes no token budget: {tokens} became effort {formed.effort}"
    return replace(formed, note=note)


def _levelled(model: Model, level: str) -> Form:
    if "adaptive" not in model.thinking:
        budgets = {effort.level: effort.budget for effort in _table().efforts}
        return _budget(model, budgets[level])
    thinking = {"type": "adaptive", "display": "summarized"}
    if "display" in model.lacks:
        del thinking["display"]
    effort = _fitting(model, level)
    note = "" if effort == level else f"{model.id} has no effort {level}: {effort}"
    if "display" in model.lacks:
        hidden = f"{model.id} is asked without a display: its thinking may not be shown"
        note = f"{note}; {hidden}" if note else hidden
    return Form(thinking=thinking, effort=effort, note=note)


def _fitting(model: Model, level: str) -> str | None:
    """The model's highest effort that is not above the level."""
    fitting = [name for name in model.efforts if _rank(name) <= _rank(level)]
    return max(fitting, key=_rank, default=None)


def _budget(model: Model, tokens: int) -> Form:
    answer = min(model.max_tokens, _table().answer_tokens)
    most = max(answer - _ROOM_AFTER_THINKING, answer // 2)
    if most < LEAST_BUDGET:
        return _unthinking(model, str(tokens))
    budget = max(LEAST_BUDGET, min(tokens, most))
    note = "" if budget == tokens else f"{tokens} became a budget of {budget} tokens"
    return Form(thinking={"type": "enabled", "budget_tokens": budget}, note=note)


def raised(setting: str, steps: int) -> str:
    """The setting some steps up the ladder; numbers double, `off` becomes low."""
    if setting.isdigit():
        return str(int(setting) * 2**steps)
    rungs = ("off", *LEVELS)
    return rungs[min(rungs.index(setting) + steps, len(rungs) - 1)]


def _rank(level: str) -> int:
    return LEVELS.index(level)


@functools.cache
def _table() -> _Table:
    file = resources.files("bonafix.propose.claude").joinpath("models.toml")
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    models = {name: _entry(name, item) for name, item in raw["models"].items()}
    return _Table(
        date=raw["date"].isoformat(),
        prices=raw["prices"].isoformat(),
        default=raw["default"],
        cheap=raw["cheap"],
        answer_tokens=raw["answer_tokens"],
        efforts=tuple(
            _Effort(item["level"], item["from"], item["budget"])
            for item in raw["efforts"]
        ),
        models=models,
        unknown=replace(_entry("", raw["unknown"]), listed=False),
    )


def _entry(name: str, raw: Mapping[str, object]) -> Model:
    given = {**raw, "id": name}
    if "retires" in raw:
        given["retires"] = str(raw["retires"])
    return model_of(given)


def model_of(raw: Mapping[str, object]) -> Model:
    """The inverse of `asdict`: lists become tuples, mappings prices."""
    given = dict(raw)
    for key in ("thinking", "efforts", "lacks"):
        if isinstance(value := raw.get(key), list):
            given[key] = tuple(map(str, value))
    for key in ("price", "long"):
        if isinstance(value := raw.get(key), Mapping):
            given[key] = Price(**value)
    return Model(**given)  # type: ignore[arg-type]  # our own data
