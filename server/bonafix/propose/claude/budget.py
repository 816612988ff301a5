"""Limits and a meter: how many tokens the next answer may have, if any; pure.

An answer is never asked for that could cost more than what is left: the limit of its
tokens is lowered to the money, and below a useful size the work ends instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bonafix.config import Config
from bonafix.domain import Cost
from bonafix.propose.claude.models import (
    Form,
    Model,
    answer_tokens,
    price_date,
    table_date,
)
from bonafix.propose.claude.prices import Usage
from bonafix.propose.claude.protocol import Spent

ENOUGH = 16_384
"""Answers with less room than this are often cut off. Only a short budget makes them
shorter, and the user is told: what has been paid for is worth an attempt to finish."""
LEAST_ANSWER = 4096
"""An answer with less room than this is likely to be cut off, and paid for."""
_SETTING = {"money": "max_cost", "tokens": "max_tokens"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one conversation may use. Money in USD."""

    usd: float
    tokens: int
    turns: int = 40


@dataclass(slots=True, kw_only=True)
class Meter:
    """What a conversation has used; grows with every request.

    `opening` is what the endpoint counted for the first request: 0 if it did not.
    """

    model: Model
    limits: Limits
    usage: Usage = field(default_factory=Usage)
    usd: float | None = 0.0
    requests: int = 0
    opening: int = 0

    def add(self, usage: Usage) -> None:
        """Count one request; money that cannot be known makes the sum unknown."""
        spent = self.model.usd(usage)
        known = self.usd is not None and spent is not None
        self.usd = (self.usd or 0.0) + (spent or 0.0) if known else None
        self.usage += usage
        self.requests += 1

    def room(self, prompt: int) -> int:
        """The tokens that the next answer may have; 0 when there is no use in asking.

        `prompt` is an estimate of the tokens of the next request.
        """
        binding, most = self._bound(prompt)
        enough = min(ENOUGH, self.model.max_tokens, self.model.context // 4)
        least = LEAST_ANSWER if binding in _SETTING else enough
        return most if most >= min(least, self.model.max_tokens) else 0

    def over(self, prompt: int) -> str:
        """Why no further request may be made; empty where one may."""
        if self.room(prompt):
            return ""
        if self._bound(prompt)[0] == "context":
            size = f"{self.model.context:,} tokens"
            return f"the conversation has filled the model's context of {size}"
        return f"the budget is used up: {self.words}"

    def shortened(self, prompt: int) -> str:
        """What the user should know where the budget makes the next answer short."""
        binding, most = self._bound(prompt)
        if binding not in _SETTING or most >= min(ENOUGH, self.model.max_tokens):
            return ""
        return (
            f"what is left of the {binding} allows an answer of {most:,} tokens: one "
            f"that needs more is cut off and lost (see the setting {_SETTING[binding]})"
        )

    def _bound(self, prompt: int) -> tuple[str, int]:
        """What limits the next answer most, and to how many tokens."""
        bounds = {
            "model": min(answer_tokens(), self.model.max_tokens),
            "context": self.model.context - prompt,
            "tokens": self.limits.tokens - self.usage.total - prompt,
        }
        price = self.model.priced(prompt)
        if price is not None and self.usd is not None:
            asked = prompt * max(price.input, price.cache_write) / 1_000_000
            left = self.limits.usd - self.usd - asked
            bounds["money"] = int(left * 1_000_000 / price.output)
        return min(bounds.items(), key=lambda bound: bound[1])

    @property
    def spent(self) -> Spent:
        """The meter as the parent is told it."""
        return Spent(usage=self.usage, usd=self.usd, requests=self.requests)

    @property
    def words(self) -> str:
        """The meter as a person reads it."""
        money = "cost unknown"
        if self.usd is not None:
            money = f"about ${self.usd:.3f} at the prices of {price_date()}"
        plural = "" if self.requests == 1 else "s"
        return f"{self.requests} request{plural}, {self.usage.total:,} tokens, {money}"


def estimate(meter: Meter, form: Form, tokens: int, *, counted: bool) -> str:
    """One line for the user before the first request: its cost, and what is left."""
    model = meter.model
    usage = Usage(cache_write=tokens)
    if "cache_control" in model.lacks:
        usage = Usage(input=tokens)
    usd = model.usd(usage)
    size = f"{'' if counted else 'about '}{tokens:,} tokens"
    money = (
        f"no price is known for it, so {meter.limits.tokens:,} tokens are the limit"
        if usd is None
        else f"about ${usd:.3f} to begin with at the prices of {price_date()}, "
        f"at most ${meter.limits.usd:.2f} that is left"
    )
    return f"asking {model.id}, thinking {form.label}: {size}, {money}{_source(model)}"


def _source(model: Model) -> str:
    """Where it is from what the model takes, unless its endpoint has told."""
    if model.told:
        return ""
    known = "what it takes is from" if model.listed else "it is not in"
    return f"; {known} the table of {table_date()}"


@dataclass(slots=True)
class Purse:
    """What is left for all that a model does in one run. Money in USD.

    `candidates` are conversations that may still begin. What is left for the failure
    at hand may be less: see `begin`.
    """

    usd: float
    tokens: int
    candidates: int = 1_000_000
    failure_usd: float = math.inf
    failure_tokens: float = math.inf

    def begin(self, config: Config) -> None:
        """Work on another failure begins, with an allowance of its own."""
        self.failure_usd = config.failure_cost or math.inf
        self.failure_tokens = config.failure_tokens or math.inf

    @property
    def usd_left(self) -> float:
        """Of the run's money and of the failure's, the lesser."""
        return min(self.usd, self.failure_usd)

    @property
    def tokens_left(self) -> int:
        """Likewise."""
        return int(min(self.tokens, self.failure_tokens))

    @property
    def empty(self) -> bool:
        """Whether no request can be paid any more."""
        return self.tokens_left <= LEAST_ANSWER or self.usd_left <= 0

    @property
    def over(self) -> str:
        """Why no further conversation may begin, by its setting; "" where one may."""
        if self.candidates <= 0:
            return "batch_candidates"
        if self.usd_left <= 0:
            return "max_cost" if self.usd <= 0 else "failure_cost"
        if self.tokens_left <= LEAST_ANSWER:
            run = self.tokens <= LEAST_ANSWER
            return "max_tokens" if run else "failure_tokens"
        return ""

    def pay(self, cost: Cost) -> None:
        """Take the cost out; where no price is known only tokens are counted."""
        tokens = cost.input_tokens + cost.cache_read_tokens + cost.output_tokens
        self.tokens -= tokens
        self.failure_tokens -= tokens
        self.usd -= cost.usd or 0.0
        self.failure_usd -= cost.usd or 0.0


def purse_of(config: Config) -> Purse:
    """The whole budget that the settings allow, at the first failure."""
    purse = Purse(config.max_cost, config.max_tokens, config.batch_candidates)
    purse.begin(config)
    return purse
