"""The table of models: forms of thinking, prices, limits, and the one correction."""

from __future__ import annotations

import calendar
import re
import typing
from dataclasses import replace

import pytest
from anthropic._data import DEPRECATED_MODELS
from anthropic.types.model_param import ModelParam

from bonafix.domain import Cost
from bonafix.propose.claude import models, prices
from bonafix.propose.claude.budget import ENOUGH, LEAST_ANSWER, Limits, Meter, estimate
from bonafix.propose.claude.prices import Usage
from tests.messages_api.catalogue import MODELS
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


class TestData:
    @pytest.mark.parametrize(
        "name",
        [
            "claude-haiku-4-5-20251001",
            "anthropic/claude-haiku-4-5",
            "claude-haiku-4-5@20251001",
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        ],
    )
    def test_other_names_of_a_listed_model(self, name):
        """Dates, vendors and versions do not hide what it is; its id stays."""
        plain = models.lookup("claude-haiku-4-5")
        assert models.lookup(name) == replace(plain, id=name)

    def test_choices(self):
        """The default and the cheap choice are models of the table with a price."""
        assert models.lookup("").id == models.default_model()
        cheap = models.lookup("cheap")
        assert cheap.id == models.cheap_model()
        assert cheap.listed
        assert cheap.price.output < models.lookup("").price.output

    def test_every_model_of_the_sdk_is_listed(self):
        """An SDK that knows more than the table makes the table old."""
        literal, _ = typing.get_args(ModelParam)
        for name in typing.get_args(literal):
            assert models.lookup(name).listed, name

    def test_the_sdks_deprecations_are_in_the_table(self):
        """The days after which models may be refused are told, so they must be true."""
        for name, day in DEPRECATED_MODELS.items():
            month, number, year = re.findall(r"[A-Z][a-z]+|\d+", day)
            place = list(calendar.month_name).index(month)
            iso = f"{year}-{place:02}-{int(number):02}"
            assert models.lookup(name).retires == iso
        assert models.lookup("claude-opus-5-5").retires == ""


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

    def test_prompt_and_answer_share_the_context(self):
        """A long prompt leaves less room, and none where it would be too little."""
        meter = _meter("claude-sonnet-4-5", usd=100, tokens=10**7)
        assert meter.room(150_000) == 50_000
        assert meter.room(190_000) == 0
        assert "context of 200,000 tokens" in meter.over(190_000)

    def test_a_small_models_answers_are_enough(self):
        """A model that never says much is not refused for it."""
        meter = _meter("claude-opus-5-5")
        meter.model = replace(meter.model, max_tokens=2000, context=30_000)
        assert meter.room(10_000) == 2000
        assert meter.shortened(10_000) == ""

    def test_only_a_short_budget_makes_answers_short(self):
        """Then the user is told what shortens them, and by which setting."""
        meter = _meter(usd=0.30)
        assert LEAST_ANSWER < meter.room(10_000) < ENOUGH
        assert "what is left of the money" in meter.shortened(10_000)
        assert "max_cost" in meter.shortened(10_000)
        assert _meter().shortened(10_000) == ""
        few = _meter(tokens=20_000)
        assert "setting max_tokens" in few.shortened(10_000)

    def test_the_estimate(self):
        """It names its source, its date, and what is left in the purse."""
        meter = _meter(usd=0.42)
        form = models.form(meter.model, "low")
        guess = estimate(meter, form, 10_000, counted=False)
        assert "about 10,000 tokens, about $0.050" in guess
        assert f"prices of {models.price_date()}" in guess
        assert "at most $0.42" in guess
        assert f"from the table of {models.table_date()}" in guess
        meter.model = replace(meter.model, told=True)
        exact = estimate(meter, form, 10_000, counted=True)
        assert "low: 10,000 tokens, about $0.050" in exact
        assert "table of" not in exact

    def test_an_estimate_without_a_price(self):
        """Nothing is said about money that is not known."""
        meter = _meter("claude-mythos-5-2")
        text = estimate(meter, models.form(meter.model, "low"), 10, counted=False)
        assert "no price is known" in text
        assert "$" not in text

    def test_an_estimate_for_a_stranger(self):
        """A model in nobody's table is said to be one."""
        meter = _meter("claude-next-7")
        text = estimate(meter, models.form(meter.model, "low"), 10, counted=False)
        assert f"not in the table of {models.table_date()}" in text
