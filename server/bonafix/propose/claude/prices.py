"""Counts of tokens and what they cost; pure."""

from __future__ import annotations

from dataclasses import dataclass

from bonafix.domain import Cost

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one request, or of several added up."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def prompt(self) -> int:
        """All that was read, from the cache or not."""
        return self.input + self.cache_read + self.cache_write

    @property
    def total(self) -> int:
        """Everything that went in or came out."""
        return self.prompt + self.output

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per million tokens; `over` is the prompt size from which it holds."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    over: int = 0

    def usd(self, usage: Usage) -> float:
        """What the usage costs at this price."""
        return (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
        ) / _MILLION


def cost(usage: Usage, usd: float | None, requests: int) -> Cost:
    """The domain's cost: what the cache wrote counts as input."""
    return Cost(
        usd=usd,
        input_tokens=usage.input + usage.cache_write,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        requests=requests,
    )


def since(now: Cost, before: Cost) -> Cost:
    """What was used after `before`; unknown money stays unknown."""
    known = now.usd is not None and before.usd is not None
    return Cost(
        usd=(now.usd or 0.0) - (before.usd or 0.0) if known else None,
        input_tokens=now.input_tokens - before.input_tokens,
        output_tokens=now.output_tokens - before.output_tokens,
        cache_read_tokens=now.cache_read_tokens - before.cache_read_tokens,
        requests=now.requests - before.requests,
    )
