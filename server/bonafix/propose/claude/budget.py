"""Limits and a meter: how many tokens the next answer may have, if any; pure.

An answer is never asked for that could cost more than what is left: the limit of its
tokens is lowered to the money, and below a useful size the work ends instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bonafix.config import Config
from bonafix.domain import Cost
from bonafix.propose.claude.models import Model, answer_tokens
from bonafix.propose.claude.prices import Usage

LEAST_ANSWER = 4096
"""An answer with less room than this is likely to be cut off, and paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one conversation may use. Money in USD."""

    usd: float
    tokens: int
    turns: int = 40


@dataclass(slots=True, kw_only=True)
class Meter:
    """What a conversation has used; grows with every request."""

    model: Model
    limits: Limits
    usage: Usage = field(default_factory=Usage)
    usd: float | None = 0.0
    requests: int = 0

    def add(self, usage: Usage) -> None:
        """Count one request; money that cannot be known makes the sum unknown."""
        spent = self.model.usd(usage)
        known = self.usd is not None and spent is not None
        self.usd = (self.usd or 0.0) + (spent or 0.0) if known else None
        self.usage += usage
        self.requests += 1

    def room(self, prompt: int) -> int:
        """The tokens that the next answer may have; 0 when the budget is used up.

        `prompt` is an estimate of the tokens of the next request.
        """
        most = min(answer_tokens(), self.model.max_tokens)
        most = min(most, self.limits.tokens - self.usage.total - prompt)
        price = self.model.priced(prompt)
        if price is not None and self.usd is not None:
            asked = prompt * max(price.input, price.cache_write) / 1_000_000
            left = self.limits.usd - self.usd - asked
            most = min(most, int(left * 1_000_000 / price.output))
        return most if most >= LEAST_ANSWER else 0

    @property
    def words(self) -> str:
        """The meter as a person reads it."""
        money = "cost unknown" if self.usd is None else f"about ${self.usd:.3f}"
        plural = "" if self.requests == 1 else "s"
        return f"{self.requests} request{plural}, {self.usage.total:,} tokens, {money}"


@dataclass(slots=True)
class Purse:
    """What is left, in USD and tokens, for all conversations of one proposer."""

    usd: float
    tokens: int

    @property
    def empty(self) -> bool:
        """Whether no conversation can be paid any more."""
        return self.tokens <= LEAST_ANSWER or self.usd <= 0

    def pay(self, cost: Cost) -> None:
        """Take the cost out; where no price is known only tokens are counted."""
        self.tokens -= cost.input_tokens + cost.cache_read_tokens + cost.output_tokens
        self.usd -= cost.usd or 0.0


def purse_of(config: Config) -> Purse:
    """The whole budget that the settings allow."""
    return Purse(config.max_cost, config.max_tokens)
