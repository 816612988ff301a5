"""One factory for the SDK's clients, out of the user's environment and settings alone.

The API itself is the default; `BONAFIX_SERVICE` names a cloud instead. Each has the
same `messages`, but other names for the models. Everything that can be wrong with an
environment is said here, before a request, and in words that show no secret.
"""

from __future__ import annotations

import importlib.util
import os
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import anthropic
import httpx2

from bonafix.propose.claude import credentials
from bonafix.propose.claude.conversation import ServiceFailure

CONNECT_SECONDS = 10.0
_PROXIES = ("http", "https", "socks5", "socks5h")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cloud:
    """A cloud's client: what it needs installed, and what to check if it fails."""

    make: Callable[..., object]
    package: str  # that must be importable, "" if none
    extra: str
    endpoint: str  # the variable that names another endpoint
    check: str


_CLOUDS: Mapping[str, _Cloud] = {
    "bedrock": _Cloud(
        make=anthropic.AsyncAnthropicBedrock,
        package="botocore",
        extra="bedrock",
        endpoint="ANTHROPIC_BEDROCK_BASE_URL",
        check="AWS_REGION and the AWS credentials",
    ),
    "vertex": _Cloud(
        make=anthropic.AsyncAnthropicVertex,
        package="google.auth",
        extra="vertex",
        endpoint="ANTHROPIC_VERTEX_BASE_URL",
        check="CLOUD_ML_REGION, ANTHROPIC_VERTEX_PROJECT_ID and the Google credentials",
    ),
    "foundry": _Cloud(
        make=anthropic.AsyncAnthropicFoundry,
        package="",
        extra="",
        endpoint="ANTHROPIC_FOUNDRY_BASE_URL",
        check="ANTHROPIC_FOUNDRY_API_KEY and ANTHROPIC_FOUNDRY_RESOURCE",
    ),
}


def open_client(
    base_url: str, stall: float, environment: Mapping[str, str] = os.environ
) -> anthropic.AsyncAnthropic:
    """The client that the environment asks for; `stall` is the read time-out, in s.

    The SDK reads `os.environ` besides, so another `environment` is for what it says.

    Raises:
        ServiceFailure: no client can be made; the message says what to do.
    """
    name = environment.get(credentials.SERVICE, "") or "anthropic"
    if name != "anthropic" and name not in _CLOUDS:
        known = ", ".join(("anthropic", *_CLOUDS))
        raise ServiceFailure(f"{credentials.SERVICE} must be one of {known}")
    if wrong := credentials.problem(environment):
        raise ServiceFailure(wrong)
    cloud = _CLOUDS.get(name)
    variable = cloud.endpoint if cloud else "ANTHROPIC_BASE_URL"
    _check_url(base_url or environment.get(variable, ""), variable)
    http = _http(stall)
    if cloud is None:
        return _direct(base_url, http, environment)
    return _in(cloud, name, base_url, http)


def _direct(
    base_url: str, http: httpx2.AsyncClient, environment: Mapping[str, str]
) -> anthropic.AsyncAnthropic:
    name, value = credentials.static(environment)
    # No retries in the SDK: it would honour a wait of days without telling anyone.
    try:
        client = anthropic.AsyncAnthropic(
            api_key=value if name == credentials.KEY else None,
            auth_token=value if name == credentials.TOKEN else None,
            base_url=base_url or None,
            timeout=http.timeout,
            http_client=http,
            max_retries=0,
        )
    except (anthropic.AnthropicError, ValueError, OSError) as error:
        raise ServiceFailure(
            f"the credentials cannot be used: {error}: check ANTHROPIC_PROFILE and "
            f"ANTHROPIC_CONFIG_DIR, log in again, or set {credentials.KEY}"
        ) from error
    if not (name or client.credentials or credentials.find(environment)):
        raise ServiceFailure(credentials.NONE)
    return client


def _in(
    cloud: _Cloud, name: str, base_url: str, http: httpx2.AsyncClient
) -> anthropic.AsyncAnthropic:
    """A cloud's client; where its extra is missing, how to install it."""
    if cloud.package and not _is_installed(cloud.package):
        raise ServiceFailure(
            f"{credentials.SERVICE}={name} needs a package that is not installed: "
            f"pip install 'anthropic[{cloud.extra}]'"
        )
    given = {"base_url": base_url} if base_url else {}
    try:
        client = cloud.make(
            **given, timeout=http.timeout, http_client=http, max_retries=0
        )
    except (anthropic.AnthropicError, ValueError, OSError, ImportError) as error:
        raise ServiceFailure(
            f"{credentials.SERVICE}={name}: {error}: check {cloud.check}"
        ) from error
    # They share no base class that says so, but have the same `messages`.
    return cast("anthropic.AsyncAnthropic", client)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


def _http(stall: float) -> httpx2.AsyncClient:
    """With the environment's proxies and certificate authorities.

    Redirects are not followed: the user's own headers, which may hold a key, would
    go along to wherever they point.
    """
    _check_proxies()
    timeout = httpx2.Timeout(stall, connect=min(stall, CONNECT_SECONDS))
    try:
        return anthropic.DefaultAsyncHttpxClient(
            timeout=timeout, follow_redirects=False
        )
    except OSError as error:
        named = " and ".join(name for name in _CERTIFICATES if os.environ.get(name))
        raise ServiceFailure(
            f"the certificates cannot be loaded ({type(error).__name__}): check "
            f"{named or 'the certificates of the system'}"
        ) from error
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        raise ServiceFailure(
            "the proxy cannot be used: check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and "
            "NO_PROXY"
        ) from error


def _check_proxies() -> None:
    for kind, url in urllib.request.getproxies().items():
        scheme = url.partition("://")[0] if "://" in url else "http"
        if kind in {"http", "https", "all"} and scheme.lower() not in _PROXIES:
            raise ServiceFailure(
                f"the proxy for {kind} cannot be used: its address must begin with "
                f"http://, https:// or socks5://; check {kind.upper()}_PROXY"
            )


def _check_url(url: str, variable: str) -> None:
    """A base URL must be one, or the SDK fails late and in words of its own."""
    try:
        parts = urllib.parse.urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
        fine = fine and (parts.port is None or parts.port > 0) and url.isprintable()
    except ValueError:
        fine = False
    if url and (not fine or " " in url):
        raise ServiceFailure(
            "the base URL cannot be used: it must be like https://host/path; check "
            f"the setting base_url and {variable}"
        )
