"""What an error of the service means: why, what to do, whether to ask again.

Words for people; no text in here quotes a header or a request. A `Trouble` is about
one attempt, and who has made it decides how often it is made.
"""

from __future__ import annotations

import email.utils
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import anthropic
import httpx2

from bonafix.propose.claude import gateways

_LONGEST_MESSAGE = 500
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
_BUSY = frozenset({408, 409, 429})
_OVERFLOW = ("prompt is too long", "exceeds the context window")
_NO_CREDIT = "credit balance is too low"

LOG_IN = "log-in"
"""Stands for advice that depends on the credential; see `credential`."""
RENEW = "log in again, or set ANTHROPIC_API_KEY"
_CREDIT = "the account has no credit, or its billing needs attention"
_SMALLER = "keep large files out with the setting exclude"
_LATER = "try again later"
_FAULT = "the service, or a proxy before it, has a fault: try again later"
_PROXY = "check the base URL, and any proxy or gateway in between"
_NETWORK = (
    "check the network, HTTPS_PROXY and ANTHROPIC_BASE_URL, or use --engine search, "
    "which needs no network"
)
_CUT = (
    "a proxy or the network cuts long answers: try again later, or with less thinking"
)
TOO_LONG = (
    "the conversation is longer than what the model can read, and nothing of it was "
    f"used: choose a model that reads more, or {_SMALLER}"
)
_BY_TYPE: Mapping[str, str] = {
    "authentication_error": LOG_IN,
    "billing_error": _CREDIT,
    "permission_error": "the credentials may not use this model, or a proxy forbids it",
    "not_found_error": "the model is not known to this account or endpoint: choose "
    "another one with --model, or check the base URL",
    "request_too_large": f"the request is too large: {_SMALLER}",
    "rate_limit_error": "a rate limit of the account: try again later, or raise it",
    "overloaded_error": "the service is overloaded: try again later, or choose "
    "another model with --model",
    "invalid_request_error": "the model or endpoint does not take such requests: "
    "choose another one with --model, or update Bonafix",
    "api_error": _FAULT,
    "timeout_error": _LATER,
}
_BY_STATUS: Mapping[int, str] = {
    400: _BY_TYPE["invalid_request_error"],
    401: LOG_IN,
    402: _CREDIT,
    403: _BY_TYPE["permission_error"],
    404: _BY_TYPE["not_found_error"],
    407: "the proxy wants credentials: put them into HTTPS_PROXY",
    413: _BY_TYPE["request_too_large"],
    429: _BY_TYPE["rate_limit_error"],
    529: _BY_TYPE["overloaded_error"],
}
NO_ENTRY = frozenset({LOG_IN, _BY_TYPE["permission_error"]})
"""Advice that a cloud's own words are better than."""
_FOR_GOOD = frozenset(
    {
        *("authentication_error", "billing_error", "permission_error"),
        *("not_found_error", "request_too_large", "invalid_request_error"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One attempt that failed. `wait` is what the service asked for, in seconds."""

    why: str
    advice: str
    again: bool = True
    wait: float | None = None


def refused(error: anthropic.APIStatusError) -> Trouble:
    """An answer with another status than 200."""
    status = error.status_code
    busy = status in _BUSY or status >= _SERVER_ERROR
    wish = error.response.headers.get("x-should-retry", "").strip().lower()
    fallback = _FAULT if status >= _SERVER_ERROR else _PROXY
    known = _behind(error) or _BY_STATUS.get(status) or _BY_TYPE.get(str(error.type))
    advice = _PROXY if status < _CLIENT_ERROR else known or fallback  # a redirect
    return Trouble(
        why=f"the service answered {status}: {message(error)}",
        advice=_CREDIT if _NO_CREDIT in message(error).lower() else advice,
        again={"true": True, "false": False}.get(wish, busy),
        wait=wanted_wait(error.response.headers),
    )


def broke_off(error: anthropic.APIStatusError) -> Trouble:
    """An error that came in the middle of a stream, whose status was 200."""
    kind = str(error.type or "")
    said = f"{kind}: {message(error)}" if kind else message(error)
    return Trouble(
        why=f"the service broke off in mid-answer: {said}",
        advice=_BY_TYPE.get(kind, _FAULT),
        again=kind not in _FOR_GOOD,
    )


def unreachable(error: Exception) -> Trouble:
    """No answer at all; what a header holds is never quoted."""
    cause = error.__cause__ or error
    hopeless = (httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.TooManyRedirects)
    if isinstance(cause, httpx2.LocalProtocolError | UnicodeError):
        why = "the request cannot be sent: a header has a character that none may have"
        advice = "check the key or token, and ANTHROPIC_CUSTOM_HEADERS"
        return Trouble(why=why, advice=advice, again=False)
    why = f"the service cannot be reached: {_words(cause)}"
    if isinstance(cause, hopeless):
        return Trouble(why=why, advice="check the base URL", again=False)
    if _distrusted(cause):
        advice = "name your private certificate authority in SSL_CERT_FILE"
        return Trouble(why=why, advice=advice, again=False)
    if isinstance(cause, httpx2.ProxyError):
        return Trouble(why=why, advice="check HTTPS_PROXY and the credentials in it")
    return Trouble(why=why, advice=_NETWORK)


def torn(error: Exception, stall: float | None) -> Trouble:
    """A stream that broke; `stall` is the read time-out in seconds."""
    if isinstance(error, httpx2.TimeoutException):
        silence = "" if stall is None else f" for {stall:g} s"
        why = f"the connection broke: the service said nothing{silence}"
        return Trouble(why=why, advice=_CUT)
    if isinstance(error, httpx2.DecodingError):
        why = "the service's answer cannot be decompressed"
        return Trouble(why=why, advice=_PROXY)
    return Trouble(why=f"the connection broke: {_words(error)}", advice=_CUT)


def cut() -> Trouble:
    """A body that ended before the answer did."""
    return Trouble(why="the service's answer was cut short", advice=_CUT)


def senseless(kind: str, *, began: bool) -> Trouble:
    """No stream of the Messages API; `kind` is the content type that it has."""
    if "html" in kind:
        why = "a web page came instead of the service's answer"
        return Trouble(why=why, advice=_PROXY, again=False)
    if not began:
        why = "the service's answer was empty, or no stream of the Messages API"
        return Trouble(why=why, advice=_PROXY)
    why = "the service's answer made no sense"
    advice = "a gateway in between may change answers: check the base URL"
    return Trouble(why=why, advice=advice)


def overflow(error: anthropic.APIStatusError) -> bool:
    """Whether the conversation is longer than what the model can read."""
    said = message(error).lower()
    return any(words in said for words in _OVERFLOW)


def _behind(error: anthropic.APIStatusError) -> str:
    """What to do about an error that a gateway got or made; "" for the API's own."""
    if error.type == gateways.NO_KEYS:
        return gateways.STRANGER
    inner = gateways.passed_on(_given(error))
    kind = inner.kind if inner else ""
    return gateways.ADVICE.get(kind) or _BY_TYPE.get(kind, "")


def message(error: anthropic.APIStatusError) -> str:
    """The API's words; a page of some proxy has none worth showing."""
    inner = gateways.passed_on(_given(error))
    shown = said(error)[:_LONGEST_MESSAGE] or "no message, perhaps from a proxy"
    return f"{shown} (passed on by a gateway)" if inner else shown


def said(error: anthropic.APIStatusError) -> str:
    """The API's words, whole, and without those of a gateway around them."""
    inner = gateways.passed_on(_given(error))
    return inner.words if inner else _given(error)


def _given(error: anthropic.APIStatusError) -> str:
    return error.api_message if isinstance(error.api_message, str) else ""


def wanted_wait(headers: Mapping[str, str]) -> float | None:
    """The wait that an answer asks for, in seconds; `None` without a sensible one."""
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    given = headers.get("retry-after", "")
    return _number(given) if _number(given) is not None else _until(given)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(date: str) -> float | None:
    """Seconds to a date as HTTP writes it."""
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _distrusted(cause: BaseException | None) -> bool:
    """Whether a certificate was not accepted, however deep the SDK wraps that."""
    for _ in range(5):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        if cause is None:
            return False
        if "CERTIFICATE_VERIFY_FAILED" in str(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _words(error: BaseException) -> str:
    return str(error)[:_LONGEST_MESSAGE] or type(error).__name__


def credential(client: object) -> str:
    """What to check where the API does not accept the credentials."""
    for field, advice in (
        ("api_key", "check ANTHROPIC_API_KEY"),
        ("auth_token", "check ANTHROPIC_AUTH_TOKEN: it may have expired"),
        ("credentials", "check the profile or workload identity, or log in again"),
    ):
        if getattr(client, field, None):
            return f"the credentials were not accepted: {advice}"
    return "the credentials were not accepted: check ANTHROPIC_CUSTOM_HEADERS"
