"""What each model accepts, as the documentation of November 2026 has it.

This table is written down a second time here, apart from the product's own data, so
that a slip in either shows up as a failing test rather than as two equal mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.messages_api.values import Json, Record

LEVELS = ("low", "medium", "high", "xhigh", "max")
UP_TO_HIGH = LEVELS[:3]
THINKING_TYPES = ("adaptive", "enabled", "between_tools", "disabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRules:
    """The forms of a request that one model takes."""

    thinking: tuple[str, ...]
    efforts: tuple[str, ...] = LEVELS
    default_effort: str = "high"
    thinks_unasked: bool = True
    off_efforts: tuple[str, ...] = UP_TO_HIGH
    forced_tools: bool = False
    shows_thinking: bool = False
    max_tokens: int = 128_000
    context: int = 1_000_000
    unknown: tuple[str, ...] = ()
    """Fields that a gateway before the model does not know, as dotted paths."""

    def thinking_type(self, asked: Record | None) -> str:
        """The thinking type in force when the request asks for `asked`."""
        if asked is not None:
            return str(asked.get("type"))
        return "adaptive" if self.thinks_unasked else "disabled"


_ALWAYS_ON = ModelRules(thinking=("adaptive",))
_OLD = ModelRules(
    thinking=("enabled", "disabled"),
    efforts=(),
    thinks_unasked=False,
    off_efforts=(),
    forced_tools=True,
    shows_thinking=True,
    max_tokens=64_000,
    context=200_000,
)
_FOUR_SIX = ModelRules(
    thinking=("adaptive", "enabled", "disabled"),
    efforts=("low", "medium", "high", "max"),
    thinks_unasked=False,
    off_efforts=("low", "medium", "high", "max"),
    forced_tools=True,
    shows_thinking=True,
)
_FOUR_SEVEN = ModelRules(
    thinking=("adaptive", "disabled"),
    thinks_unasked=False,
    off_efforts=LEVELS,
    forced_tools=True,
)
_MYTHOS_PREVIEW = ModelRules(
    thinking=("adaptive", "enabled"), efforts=("low", "medium", "high", "max")
)
_OPUS_FOUR_FIVE = ModelRules(
    thinking=("enabled", "disabled"),
    efforts=UP_TO_HIGH,
    thinks_unasked=False,
    forced_tools=True,
    shows_thinking=True,
    max_tokens=64_000,
    context=200_000,
)

MODELS: dict[str, ModelRules] = {
    "claude-opus-5-5": ModelRules(thinking=("adaptive",), default_effort="medium"),
    "claude-sonnet-5-5": ModelRules(thinking=("adaptive", "between_tools")),
    "claude-haiku-5-5": ModelRules(
        thinking=("adaptive", "disabled"), default_effort="medium"
    ),
    "claude-opus-5": ModelRules(thinking=("adaptive", "disabled"), forced_tools=True),
    "claude-sonnet-5": ModelRules(
        thinking=("adaptive", "disabled"), forced_tools=True, off_efforts=LEVELS
    ),
    "claude-fable-5-1": _ALWAYS_ON,
    "claude-fable-5-2": _ALWAYS_ON,
    "claude-fable-5": _ALWAYS_ON,
    "claude-mythos-5": _ALWAYS_ON,
    "claude-mythos-5-1": _ALWAYS_ON,
    "claude-mythos-5-2": _ALWAYS_ON,
    "claude-mythos-preview": _MYTHOS_PREVIEW,
    "claude-opus-4-8": _FOUR_SEVEN,
    "claude-opus-4-7": _FOUR_SEVEN,
    "claude-opus-4-6": _FOUR_SIX,
    "claude-sonnet-4-6": _FOUR_SIX,
    "claude-opus-4-5": _OPUS_FOUR_FIVE,
    "claude-haiku-4-5": _OLD,
    "claude-sonnet-4-5": _OLD,
}


_ANY = ModelRules(thinking=THINKING_TYPES, forced_tools=True)
_PLAIN = ModelRules(
    thinking=("disabled",),
    efforts=(),
    thinks_unasked=False,
    forced_tools=True,
    max_tokens=8192,
    context=100_000,
)

GATEWAY: dict[str, ModelRules] = {
    "plain": _PLAIN,
    "plainer": replace(_PLAIN, thinking=()),
    "tiny": replace(_PLAIN, max_tokens=2000),
    "budgets-only": replace(_OLD, thinking=("enabled",), max_tokens=4096),
    "adaptive-8k": replace(_ALWAYS_ON, max_tokens=8192),
    "no-thinking-field": replace(_ANY, unknown=("thinking",)),
    "no-display": replace(_ANY, unknown=("thinking.adaptive.display",)),
    "no-effort-field": replace(_ANY, unknown=("output_config.effort",)),
    "no-output-config": replace(_ANY, unknown=("output_config",)),
    "no-format": replace(_ANY, unknown=("output_config.format",)),
    "no-cache-control": replace(_ANY, unknown=("cache_control",)),
    "knows-nothing": replace(
        *(_PLAIN,), unknown=("cache_control", "thinking", "output_config")
    ),
    "small-context": replace(_OLD, context=40_000),
}
"""Models behind gateways that are in nobody's table, each odd in its own way."""


def rules_of(model: str) -> ModelRules | None:
    """What the model takes, wherever it is found."""
    return MODELS.get(model) or GATEWAY.get(model)


def _supported(*, yes: bool) -> dict[str, Json]:
    return {"supported": yes}


def _capabilities(rules: ModelRules) -> dict[str, Json]:
    types: dict[str, Json] = {
        name: _supported(yes=name in rules.thinking) for name in THINKING_TYPES
    }
    effort: dict[str, Json] = {
        name: _supported(yes=name in rules.efforts) for name in LEVELS
    }
    plain = ("batch", "citations", "code_execution", "image_input", "pdf_input")
    return {
        **{name: _supported(yes=True) for name in plain},
        "structured_outputs": _supported(yes=True),
        "context_management": _supported(yes=False),
        "server_tools": {
            "supported": False,
            "code_execution": _supported(yes=False),
            "web_search": _supported(yes=False),
        },
        "thinking": {"supported": True, "types": types},
        "effort": {"supported": bool(rules.efforts), **effort},
    }


def model_info(model: str, *, nulls: bool = False) -> dict[str, Json]:
    """The answer to `GET /v1/models/{id}`; `nulls` is how some gateways answer."""
    rules = rules_of(model)
    assert rules is not None
    return {
        "type": "model",
        "id": model,
        "display_name": model.replace("-", " ").title(),
        "created_at": "2026-09-01T00:00:00Z",
        "lifecycle": "active",
        "line": None if nulls or model in GATEWAY else model.split("-")[1],
        "capabilities": None if nulls else _capabilities(rules),
        "max_input_tokens": None if nulls else rules.context,
        "max_tokens": None if nulls else rules.max_tokens,
        "deprecated_at": None,
        "retires_at": None,
    }
