"""The documented refusals: a request goes in, the 400 that it deserves comes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tests.messages_api.catalogue import (
    LEVELS,
    THINKING_TYPES,
    ModelRules,
    rules_of,
)
from tests.messages_api.pairing import check_messages
from tests.messages_api.records import input_tokens
from tests.messages_api.signing import check_signatures
from tests.messages_api.values import ApiError, Json, Record, invalid, records

VERSIONS = ("2023-06-01", "2026-10-21")
_FIELDS = frozenset(
    (
        *("cache_control", "container", "context_management", "diagnostics"),
        *("inference_geo", "max_tokens", "messages", "metadata", "model"),
        *("output_config", "service_tier", "speed", "stop_sequences", "stream"),
        *("system", "thinking", "tool_choice", "tools"),
    )
)
_EDITOR = ("text_editor_20250728", "str_replace_based_edit_tool")
_LEAST_BUDGET = 1024
_NOT_TAKEN = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "maxItems", "uniqueItems", "minProperties"),
    )
)


def check_headers(headers: Mapping[str, str], accepted: frozenset[str]) -> None:
    """401 without a known key, 400 without a known API version."""
    bearer = headers.get("authorization", "")
    key = headers.get("x-api-key") or bearer.removeprefix("Bearer ")
    if key not in accepted:
        problem = "invalid credentials" if key else "no credentials in the request"
        raise ApiError(401, "authentication_error", problem)
    version = headers.get("anthropic-version")
    if version is None:
        raise invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        raise invalid(f'anthropic-version: "{version}" is not a valid version')


def check_request(
    request: Record, *, counting: bool = False, paused: bool = False
) -> None:
    """Raise the first documented refusal that the request deserves.

    `counting` is the count_tokens endpoint, which takes no `max_tokens`. `paused` says
    that the last answer was put off.
    """
    _check_fields(request)
    rules = _rules_for(request)
    form: list[Callable[[Record, ModelRules], None]] = [
        _check_unknown,
        _check_thinking,
        _check_effort,
        _check_tool_choice,
    ]
    if not counting:
        form.insert(0, _check_max_tokens)
    for check in form:
        check(request, rules)
    _check_format(request)
    _check_tools(request)
    check_messages(request, paused=paused)
    check_signatures(request)
    if not counting:
        _check_context(request, rules)


def _check_fields(request: Record) -> None:
    for field in request:
        if field not in _FIELDS:
            raise invalid(f"{field}: Extra inputs are not permitted")


def _rules_for(request: Record) -> ModelRules:
    model = request.get("model")
    if not isinstance(model, str):
        raise invalid("model: Field required")
    rules = rules_of(model)
    if rules is None:
        raise ApiError(404, "not_found_error", f"model: {model}")
    return rules


def _check_unknown(request: Record, rules: ModelRules) -> None:
    """The refusals of a gateway that is older than the fields."""
    for path in rules.unknown:
        value: Json = request
        for name in path.split("."):
            if isinstance(value, Mapping) and value.get("type") != name:
                value = value.get(name)
        if value is not None:
            raise invalid(f"{path}: Extra inputs are not permitted")


def _check_context(request: Record, rules: ModelRules) -> None:
    asked, prompt = request["max_tokens"], input_tokens(request)
    assert isinstance(asked, int)
    if prompt > rules.context:
        raise invalid(f"prompt is too long: {prompt} tokens > {rules.context} maximum")
    if prompt + asked > rules.context:
        raise invalid(
            f"input length and `max_tokens` exceed context limit: {prompt} + {asked} > "
            f"{rules.context}, decrease input length or `max_tokens` and try again"
        )


def _check_max_tokens(request: Record, rules: ModelRules) -> None:
    asked = request.get("max_tokens")
    if not isinstance(asked, int):
        raise invalid("max_tokens: Field required")
    most = rules.max_tokens
    if asked > most:
        raise invalid(
            f"max_tokens: {asked} > {most}, which is the maximum allowed number of "
            f"output tokens for {request['model']}"
        )
    if asked < 1:
        raise invalid("max_tokens: Input should be greater than or equal to 1")


def _check_thinking(request: Record, rules: ModelRules) -> None:
    asked = request.get("thinking")
    if asked is None:
        return
    if not isinstance(asked, Mapping) or asked.get("type") not in THINKING_TYPES:
        raise invalid("thinking.type: Input tag does not match any of the expected")
    kind = str(asked["type"])
    if kind not in rules.thinking:
        raise invalid(
            f'"thinking.type.{kind}" is not supported for this model. Use '
            '"thinking.type.adaptive" and "output_config.effort" to control thinking '
            "behavior."
        )
    if kind == "enabled":
        _check_budget(asked.get("budget_tokens"), request.get("max_tokens"))
    elif "budget_tokens" in asked:
        raise invalid(f"thinking.{kind}.budget_tokens: Extra inputs are not permitted")


def _check_budget(budget: Json, most: Json) -> None:
    if not isinstance(budget, int):
        raise invalid("thinking.enabled.budget_tokens: Field required")
    if budget < _LEAST_BUDGET:
        raise invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal "
            f"to {_LEAST_BUDGET}"
        )
    if isinstance(most, int) and budget >= most:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _check_effort(request: Record, rules: ModelRules) -> None:
    config = request.get("output_config")
    effort = config.get("effort") if isinstance(config, Mapping) else None
    if effort is None:
        return
    if effort not in LEVELS:
        raise invalid("output_config.effort: Input should be one of " + str(LEVELS))
    if not rules.efforts:
        raise invalid("This model does not support the effort parameter.")
    if effort not in rules.efforts:
        raise invalid(f"output_config.effort: '{effort}' is not supported")
    asked = request.get("thinking")
    kind = rules.thinking_type(asked if isinstance(asked, Mapping) else None)
    off = kind in ("disabled", "between_tools")
    if off and effort not in rules.off_efforts:
        raise invalid(
            f"output_config.effort: '{effort}' is not supported when thinking.type is "
            f"'{kind}'"
        )


def _check_format(request: Record) -> None:
    """Output formats: a closed schema without the constraints that are not taken."""
    config = request.get("output_config")
    asked = config.get("format") if isinstance(config, Mapping) else None
    if asked is None:
        return
    if not isinstance(asked, Mapping) or asked.get("type") != "json_schema":
        raise invalid("output_config.format.type: Input should be 'json_schema'")
    schema = asked.get("schema")
    if not isinstance(schema, Mapping):
        raise invalid("output_config.format.schema: Field required")
    _check_closed("output_config.format.schema", schema)
    _check_constraints("output_config.format.schema", schema)


def _check_constraints(where: str, schema: Record) -> None:
    for name, value in schema.items():
        if name in _NOT_TAKEN:
            raise invalid(f"{where}: property '{name}' is not supported")
        inner = dict(value) if name == "properties" else {name: value}
        for key, item in inner.items():
            if isinstance(item, Mapping):
                _check_constraints(f"{where}.{key}", item)


def _check_tool_choice(request: Record, rules: ModelRules) -> None:
    choice = request.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, Mapping) else "auto"
    if kind not in ("any", "tool"):
        return
    if not rules.forced_tools:
        raise invalid(f"tool_choice.type: '{kind}' is not supported for this model.")


def _check_tools(request: Record) -> None:
    names: set[str] = set()
    for place, tool in enumerate(records(request.get("tools"))):
        name = str(tool.get("name", ""))
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", name):
            raise invalid(f"tools.{place}.name: String should match pattern")
        if name in names:
            raise invalid("tools: Tool names must be unique.")
        names.add(name)
        if tool.get("type", "custom") == "custom":
            _check_custom(place, tool)
        elif (tool["type"], name) != _EDITOR:
            raise invalid(f"tools.{place}.{tool['type']}: unexpected type or name")


def _check_custom(place: int, tool: Record) -> None:
    schema = tool.get("input_schema")
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        raise invalid(f"tools.{place}.custom.input_schema.type: Field required")
    if tool.get("strict"):
        _check_closed(f"tools.{place}.custom.input_schema", schema)


def _check_closed(where: str, schema: Record) -> None:
    is_object = schema.get("type") == "object"
    if is_object and schema.get("additionalProperties") is not False:
        raise invalid(
            f"{where}: For 'object' type, 'additionalProperties' must be explicitly "
            "set to false"
        )
    properties = schema.get("properties")
    inner = dict(properties) if isinstance(properties, Mapping) else {}
    inner["items"] = schema.get("items")
    for name, item in inner.items():
        if isinstance(item, Mapping):
            _check_closed(f"{where}.{name}", item)
