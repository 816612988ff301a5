"""What an endpoint tells about a model, what it refuses, and who remembers it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bonafix.propose.claude import learning, models
from tests.messages_api.catalogue import MODELS, model_info

ADAPTIVE = {"type": "adaptive", "display": "summarized"}
NOT_SUPPORTED = (
    '"thinking.type.{}" is not supported for this model. Use "thinking.type.adaptive" '
    'and "output_config.effort" to control thinking behavior.'
)
TOO_MANY = (
    "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens "
    "for some-model-20251001"
)
EXTRA = "Extra inputs are not permitted"
CORRECTIONS = {
    "adaptive": (
        *(NOT_SUPPORTED.format("adaptive"), "medium"),
        {"thinking": {"type": "enabled", "budget_tokens": 8192}},
    ),
    "tag": (
        *("thinking: Input tag 'adaptive' does not match 'disabled', 'enabled'", "low"),
        {"thinking": {"type": "enabled", "budget_tokens": 2048}},
    ),
    "no effort": (
        *("This model does not support the effort parameter.", "medium"),
        {"thinking": ADAPTIVE},
    ),
    "level": (
        *("output_config.effort: 'max' is not supported", "max"),
        {"thinking": ADAPTIVE, "output_config": {"effort": "high"}},
    ),
    "levels": (
        *("output_config.effort: Input should be 'low' or 'medium'", "max"),
        {"thinking": ADAPTIVE, "output_config": {"effort": "medium"}},
    ),
    "effort of the form": (
        "output_config.effort: 'max' is not supported when thinking.type is 'adaptive'",
        "max",
        {"thinking": ADAPTIVE, "output_config": {"effort": "high"}},
    ),
    "display": (
        *(f"thinking.adaptive.display: {EXTRA}", "high"),
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
    ),
    "thinking": (
        *(f"thinking: {EXTRA}", "high"),
        {"output_config": {"effort": "high"}},
    ),
    "the model's name first": (
        *("model: 'some-model' does not support thinking.", "high"),
        {"output_config": {"effort": "high"}},
    ),
    "in words": (
        *("'some-model' does not support thinking.", "high"),
        {"output_config": {"effort": "high"}},
    ),
    "output_config": (f"output_config: {EXTRA}", "low", {"thinking": ADAPTIVE}),
    "wrapped": (
        *(f'BadRequestError: {{"message": "output_config: {EXTRA}"}}', "low"),
        {"thinking": ADAPTIVE},
    ),
}


class TestCapabilities:
    @pytest.mark.parametrize("name", sorted(MODELS))
    def test_what_the_api_says_agrees_with_the_table(self, name):
        """Capabilities read from the models endpoint change nothing."""
        model = models.lookup(name)
        told = learning.with_capabilities(model, model_info(name))
        assert set(told.thinking) == set(model.thinking)
        assert told.efforts == model.efforts
        assert told.max_tokens == model.max_tokens

    def test_nulls_of_a_gateway_change_nothing(self):
        """An endpoint that knows no capabilities leaves the entry as it is."""
        model = models.lookup("claude-opus-5-5")
        info = model_info("claude-opus-5-5", nulls=True)
        told = learning.with_capabilities(model, info)
        assert told == replace(model, asked=True)


class TestCorrection:
    @pytest.mark.parametrize(
        ("message", "setting", "fields"), CORRECTIONS.values(), ids=list(CORRECTIONS)
    )
    def test_follows_the_refusal(self, message, setting, fields):
        """A documented 400 about the form gives the next form to try."""
        model = models.lookup("claude-opus-5-5")
        form = models.form(model, setting)
        corrected = learning.corrected(model, form, message, 64_000)
        again = models.form(corrected, setting)
        assert models.formed({}, again, corrected.lacks) == fields

    @pytest.mark.parametrize(
        "message",
        [
            "prompt is too long",
            "messages.1.content.0: Invalid `signature` in `thinking` block.",
            "messages.0.content.0.cache_control: " + EXTRA,
            "tools.0.custom.strict: " + EXTRA,
            "credit balance",
        ],
    )
    def test_other_refusals_are_not_corrected(self, message):
        """A 400 about something else is not answered with another form."""
        model = models.lookup("claude-opus-5-5")
        form = models.form(model, "low")
        assert learning.corrected(model, form, message, 64_000) is None

    def test_the_same_refusal_again_is_not_corrected_again(self):
        """Correcting comes to an end, whatever the endpoint says."""
        model = models.lookup("claude-opus-5-5")
        for message, setting, _ in CORRECTIONS.values():
            found, seen = model, -1
            while found is not None and seen < 5:
                form, seen = models.form(found, setting), seen + 1
                found = learning.corrected(found, form, message, 64_000)
            assert 1 <= seen <= 3

    def test_a_refused_form_never_comes_back(self):
        """Neither adaptive nor enabled: the model is then asked without thinking."""
        model, kinds = models.lookup("some-model"), []
        for _ in range(2):
            form = models.form(model, "high")
            kinds.append(form.kind)
            message = NOT_SUPPORTED.format(form.kind)
            model = learning.corrected(model, form, message, 64_000)
        assert kinds == ["adaptive", "enabled"]
        assert models.form(model, "high").thinking is None

    def test_a_smaller_answer(self):
        """The limit that the refusal names is the model's from then on."""
        model = models.lookup("claude-opus-5-5")
        form = models.form(model, "low")
        found = learning.corrected(model, form, TOO_MANY, 64_000)
        assert found == replace(model, max_tokens=8192)

    def test_a_smaller_context(self):
        """So is the context's, where prompt and answer collide."""
        message = (
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > "
            "200000, decrease input length or `max_tokens` and try again"
        )
        model = models.lookup("claude-opus-5-5")
        form = models.form(model, "low")
        found = learning.corrected(model, form, message, 21_333)
        assert found.context == 200_000
        assert found.max_tokens == model.max_tokens
        assert learning.overflow(message) == (188_240, 200_000)

    def test_what_was_learned_is_the_endpoints_own(self):
        """Another endpoint, and another model there, have taught nothing yet."""
        here = learning.endpoint_of("http://a", {})
        there = learning.endpoint_of("", {"ANTHROPIC_BASE_URL": "http://b"})
        known = replace(models.lookup("x"), max_tokens=8192)
        learning.remember(here, known)
        assert learning.recall(here, "x") == known
        assert learning.recall(there, "x") == models.lookup("x")
        assert learning.recall(here, "y") == models.lookup("y")
