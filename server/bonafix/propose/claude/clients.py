"""One factory for the SDK's clients, out of the user's environment and settings alone.

The API itself is the default; `BONAFIX_SERVICE` names a cloud instead. Each has the
same `messages`, but other names for the models. Everything that can be wrong with an
environment is said here, before a request, and in words that show no secret.
"""

from __future__ import annotations

import importlib
import os
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import cast

import anthropic
import httpx2

from bonafix.propose.claude import clouds, credentials
from bonafix.propose.claude.clouds import SERVICE, Cloud
from bonafix.propose.claude.conversation import ServiceFailure

CONNECT_SECONDS = 10.0
_PROXIES = ("http", "https", "socks5", "socks5h")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_CLOUDS: Mapping[str, Callable[..., object]] = {
    # The Messages API of Bedrock; the older one there knows no model of today.
    "bedrock": anthropic.AsyncAnthropicBedrockMantle,
    "vertex": anthropic.AsyncAnthropicVertex,
    "foundry": anthropic.AsyncAnthropicFoundry,
}


def open_client(
    base_url: str, stall: float, environment: Mapping[str, str] = os.environ
) -> anthropic.AsyncAnthropic:
    """The client that the environment asks for; `stall` is the read time-out, in s.

    The SDK reads `os.environ` besides, so another `environment` is for what it says.

    Raises:
        ServiceFailure: no client can be made; the message says what to do.
    """
    if wrong := credentials.problem(environment, base_url):
        raise ServiceFailure(wrong)
    cloud = clouds.cloud_of(environment)
    variable = cloud.endpoint if cloud else "ANTHROPIC_BASE_URL"
    _check_url(base_url or environment.get(variable, ""), variable)
    http = _http(stall)
    if cloud is None:
        return _direct(base_url, http, environment)
    return _in(cloud, base_url, http, environment)


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
    cloud: Cloud,
    base_url: str,
    http: httpx2.AsyncClient,
    environment: Mapping[str, str],
) -> anthropic.AsyncAnthropic:
    """A cloud's client, with what its variables name."""
    given = {"base_url": base_url or environment.get(cloud.endpoint) or None}
    own = sign_in_errors(cloud)
    trouble: tuple[type[Exception], ...] = (anthropic.AnthropicError, OSError, *own)
    try:
        client = _CLOUDS[cloud.name](
            timeout=http.timeout,
            http_client=http,
            max_retries=0,
            **given,
            **_places(cloud, environment, apart=bool(given["base_url"])),
        )
    except trouble as error:
        raise ServiceFailure(
            f"{SERVICE}={cloud.name}: {error}: check {cloud.check}"
        ) from error
    # They share no base class that says so, but have the same `messages`.
    return cast("anthropic.AsyncAnthropic", client)


def _places(
    cloud: Cloud, environment: Mapping[str, str], *, apart: bool
) -> dict[str, str | None]:
    """Where in the cloud; an endpoint `apart` from it needs no resource."""
    region = clouds.value_of(environment, cloud.region) or None
    project = clouds.value_of(environment, cloud.project) or None
    if cloud.name == "vertex":
        return {"region": region, "project_id": project}
    if cloud.name == "bedrock":
        return {"aws_region": region or _aws_region()}
    return {} if apart else {"resource": project}


def _aws_region() -> str | None:
    """The region of the user's AWS settings, which the SDK does not read here."""
    try:
        import boto3  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        return None
    region: str | None = boto3.Session().region_name
    return region


def sign_in_errors(cloud: Cloud | None) -> tuple[type[Exception], ...]:
    """What a cloud's sign-in may raise, at the first request or before."""
    if cloud is None:
        return ()
    module, _, name = cloud.errors.partition(":")
    try:
        own = (getattr(importlib.import_module(module), name),) if module else ()
    except ImportError:  # with a key in a variable its package is not needed
        own = ()
    return (RuntimeError, ValueError, *own)


def cloud_behind(client: object) -> Cloud | None:
    """The cloud whose client it is, if it is one's."""
    return next(
        (clouds.CLOUDS[name] for name, kind in _CLOUDS.items() if type(client) is kind),
        None,
    )


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
