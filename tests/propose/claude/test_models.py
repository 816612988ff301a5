"""The table of models: forms of thinking, prices, limits, and the one correction."""

from __future__ import annotations

import pytest

from bonafix.domain import Cost
from bonafix.propose.claude import models, prices
from bonafix.propose.claude.budget import LEAST_ANSWER, Limits, Meter
from bonafix.propose.claude.prices import Usage
from tests.messages_api.catalogue import MODELS, model_info
from tests.messages_api.rules import check_request

SETTINGS = ("off", *models.LEVELS, "1", "5000", "30000", "900000")


def _body(model: models.Model, form: models.Form) -> dict[str, object]:
    return {
        "model": model.id,
        "max_tokens": min(models.answer_tokens(), model.max_tokens),
        "messages": [{"role": "user", "content": "x"}],
        **form.fields,
    }


class TestForms:
    @pytest.mark.parametrize("name", sorted(MODELS))
    @pytest.mark.parametrize("setting", SETTINGS)
    def test_no_model_gets_a_form_that_it_rejects(self, name, setting):
        """Every setting of every model passes the server's own table."""
        model = models.lookup(name)
        assert model.listed
        check_request(_body(model, models.form(model, setting)))

    @pytest.mark.parametrize("name", sorted(MODELS))
    def test_what_the_api_says_agrees_with_the_table(self, name):
        """Capabilities read from the models endpoint change nothing."""
        model = models.lookup(name)
        told = models.with_capabilities(model, model_info(name))
        assert set(told.thinking) == set(model.thinking)
        assert told.efforts == model.efforts
        assert told.max_tokens == model.max_tokens

    def test_nulls_of_a_gateway_change_nothing(self):
        """An endpoint that knows no capabilities leaves the entry as it is."""
        model = models.lookup("claude-opus-5-5")
        info = model_info("claude-opus-5-5", nulls=True)
        assert models.with_capabilities(model, info) == model

    @pytest.mark.parametrize(
        ("name", "setting", "kind", "effort"),
        [
            ("claude-opus-5-5", "medium", "adaptive", "medium"),
            ("claude-opus-5-5", "off", "adaptive", "low"),
            ("claude-haiku-5-5", "off", "disabled", None),
            ("claude-sonnet-5-5", "off", "between_tools", None),
            ("claude-opus-5-5", "6000", "adaptive", "medium"),
            ("claude-opus-5-5", "100", "adaptive", "low"),
            ("claude-opus-4-6", "xhigh", "adaptive", "high"),
            ("claude-haiku-4-5", "high", "enabled", None),
            ("claude-haiku-4-5-20251001", "low", "enabled", None),
            ("claude-next-7", "max", "adaptive", "high"),
        ],
    )
    def test_setting(self, name, setting, kind, effort):
        """The one setting becomes the form that the model knows."""
        form = models.form(models.lookup(name), setting)
        assert form.thinking["type"] == kind
        assert form.effort == effort

    def test_compromises_are_told(self):
        """Where the setting cannot be had, the user reads what happens instead."""
        opus = models.lookup("claude-opus-5-5")
        assert "cannot turn thinking off" in models.form(opus, "off").note
        assert "became effort medium" in models.form(opus, "6000").note
        assert models.form(opus, "high").note == ""

    def test_a_budget_fits_into_the_answer(self):
        """A number of tokens is bounded by the API's least and by the answer."""
        haiku = models.lookup("claude-haiku-4-5")
        least = models.form(haiku, "10").thinking["budget_tokens"]
        most = models.form(haiku, "900000").thinking["budget_tokens"]
        assert least == models.LEAST_BUDGET
        assert most < models.answer_tokens()

    def test_the_ladder(self):
        """Each step asks for more, up to the top."""
        assert models.raised("low", 1) == "medium"
        assert models.raised("high", 9) == "max"
        assert models.raised("8000", 2) == "32000"


CORRECTIONS = [
    (
        "adaptive",
        '"thinking.type.adaptive" is not supported for this model.',
        "medium",
        {"thinking": {"type": "enabled", "budget_tokens": 8192}},
    ),
    (
        "effort",
        "This model does not support the effort parameter.",
        "medium",
        {"thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    (
        "level",
        "output_config.effort: 'max' is not supported",
        "max",
        {
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "high"},
        },
    ),
]


class TestCorrection:
    @pytest.mark.parametrize(("_case", "message", "setting", "fields"), CORRECTIONS)
    def test_follows_the_refusal(self, _case, message, setting, fields):
        """A documented 400 about thinking or effort gives the next form to try."""
        model = models.lookup("claude-opus-5-5")
        form = models.form(model, setting)
        corrected = models.fallback(model, form, message, setting)
        assert models.form(corrected, setting).fields == fields

    @pytest.mark.parametrize(
        "message", ["prompt is too long", "messages.1: invalid", "credit balance"]
    )
    def test_other_refusals_are_not_corrected(self, message):
        """A 400 about something else is not answered with another form."""
        model = models.lookup("claude-opus-5-5")
        form = models.form(model, "low")
        assert models.fallback(model, form, message, "low") is None


class TestPrices:
    def test_sum(self):
        """A request's cost is the sum over its kinds of tokens."""
        opus = models.lookup("claude-opus-5-5")
        usage = Usage(input=1000, output=2000, cache_read=10_000, cache_write=4000)
        assert opus.usd(usage) == pytest.approx(0.004 + 0.04 + 0.002 + 0.02)

    def test_long_prompts_have_their_own_price(self):
        """Haiku 5.5 costs more beyond 100,000 tokens of prompt."""
        haiku = models.lookup("claude-haiku-5-5")
        assert haiku.usd(Usage(input=100_000)) == pytest.approx(0.01)
        assert haiku.usd(Usage(input=100_001)) == pytest.approx(0.05, rel=1e-3)

    def test_unknown_prices_stay_unknown(self):
        """A model without a price has a cost of None, however it is added up."""
        meter = _meter("claude-next-7")
        meter.add(Usage(input=10))
        meter.add(Usage(input=10))
        assert meter.usd is None
        assert "cost unknown" in meter.words

    def test_since(self):
        """What a candidate cost is what was spent after the one before it."""
        now = Cost(usd=0.5, input_tokens=9, output_tokens=5, requests=3)
        before = Cost(usd=0.2, input_tokens=4, output_tokens=5, requests=1)
        assert prices.since(now, before) == Cost(
            usd=pytest.approx(0.3), input_tokens=5, output_tokens=0, requests=2
        )


def _meter(name: str = "claude-opus-5-5", **limits: float) -> Meter:
    given = {"usd": 1.0, "tokens": 400_000, **limits}
    return Meter(model=models.lookup(name), limits=Limits(**given))


class TestMeter:
    def test_an_answer_cannot_cost_more_than_is_left(self):
        """The answer's size is the money that is left after the prompt."""
        meter = _meter()
        room = meter.room(20_000)
        worst = meter.model.usd(Usage(cache_write=20_000, output=room))
        assert room > LEAST_ANSWER
        assert worst <= 1.0

    def test_no_money_no_answer(self):
        """When too little is left for a useful answer there is none."""
        meter = _meter(usd=0.10)
        meter.add(Usage(output=2000))
        assert meter.room(1000) == 0

    def test_tokens_limit_where_no_price_is_known(self):
        """Without a price the cap on tokens is what ends the work."""
        meter = _meter("claude-next-7", tokens=30_000)
        assert 0 < meter.room(10_000) <= 20_000
        meter.add(Usage(input=20_000, output=3000))
        assert meter.room(10_000) == 0

    def test_room_is_the_models_and_the_tables(self):
        """With money to spare the answer gets the usual size."""
        assert _meter(usd=100, tokens=10**7).room(1000) == models.answer_tokens()
