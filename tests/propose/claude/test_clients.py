"""The ways to the service: credentials, clouds, proxies, certificates, base URLs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import ssl
from pathlib import Path

import pytest
import trustme

from bonafix.errors import ServiceError
from bonafix.propose.claude import find_credentials
from tests.messages_api import Fault, MessagesApi, Script, Turn
from tests.propose.claude.playing import QUICK, Session, playing

HOST = "claude.example"
WORKLOAD = {
    "ANTHROPIC_FEDERATION_RULE_ID": "rule",
    "ANTHROPIC_ORGANIZATION_ID": "organisation",
}


@pytest.fixture
def variables(monkeypatch, tmp_path):
    """Sets variables for the SDK, after all that would be found here are gone."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value.replace("FOLDER", str(tmp_path)))

    return put


def profile(folder: Path, name: str, **settings: object) -> None:
    (folder / "configs").mkdir(exist_ok=True)
    (folder / "configs" / f"{name}.json").write_text(json.dumps(settings))


def unmade(words: str, **values: str) -> pytest.ParameterSet:
    return pytest.param(values, words, id=next(iter(values)) + "-" + words[:24])


KEY = {"ANTHROPIC_API_KEY": "test"}
PROFILES = {"ANTHROPIC_CONFIG_DIR": "FOLDER"}


class TestWhatCannotBeUsed:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            unmade("no credentials for Claude", HOME="FOLDER"),
            unmade("configs/nope.json", ANTHROPIC_PROFILE="nope", **PROFILES),
            unmade("'authentication'", ANTHROPIC_PROFILE="bare", **PROFILES),
            unmade("check ANTHROPIC_PROFILE", ANTHROPIC_PROFILE="../../x", **PROFILES),
            unmade("HTTP_PROXY", HTTP_PROXY="bogus://user:hunter2@host", **KEY),
            unmade("check HTTPS_PROXY", HTTPS_PROXY="http://[::1", **KEY),
            unmade("check SSL_CERT_FILE", SSL_CERT_FILE="FOLDER/no.pem", **KEY),
            unmade("check SSL_CERT_FILE", SSL_CERT_FILE=__file__, **KEY),
            unmade("must be one of anthropic", BONAFIX_SERVICE="moon", **KEY),
        ],
    )
    async def test_is_said_before_a_request(self, tmp_path, variables, values, words):
        """With what to do about it, and without a traceback or a secret."""
        variables(**values)
        profile(tmp_path, "bare")
        with (
            playing(QUICK, folder=tmp_path) as (api, session),
            pytest.raises(ServiceError, match=words) as caught,
        ):
            await session.candidates()
        assert api.requests == []
        assert "worker for Claude ended" not in str(caught.value)
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize(
        "url",
        [
            *("localhost:8000", "ftp://host", "http://", "http://[::1", "host/path"),
            *("http://host:99999", "http://exa mple", "http://host\n", "https:/host"),
        ],
        ids=ascii,
    )
    @pytest.mark.parametrize("place", ["setting", "variable"])
    async def test_base_urls(self, tmp_path, variables, url, place):
        """A base URL that is none is named as the fault."""
        variables(**KEY)
        if place == "variable":
            variables(ANTHROPIC_BASE_URL=url)
        given = url if place == "setting" else ""
        with (
            playing(QUICK, folder=tmp_path, base_url=given) as (_, session),
            pytest.raises(ServiceError, match="the base URL cannot be used"),
        ):
            await session.candidates()

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"ANTHROPIC_IDENTITY_TOKEN_FILE": "FOLDER/no"}, "token file not found"),
            ({"ANTHROPIC_IDENTITY_TOKEN": "identity-4711"}, "token endpoint|exchange"),
        ],
        ids=["file", "token"],
    )
    @pytest.mark.parametrize("model", ["", "claude-mythos-9"])
    async def test_workload_identity(self, tmp_path, variables, values, words, model):
        """What fails at the first request is said like what fails before it."""
        variables(**values, **WORKLOAD)
        with (
            playing(QUICK, folder=tmp_path, model=model) as (api, session),
            pytest.raises(ServiceError, match="credentials cannot be used") as caught,
        ):
            await session.candidates()
        assert api.messages == []
        assert re.search(words, str(caught.value))
        assert "log in again" in str(caught.value)
        assert "4711" not in str(caught.value)


class TestRedirects:
    async def test_are_not_followed(self, tmp_path, variables):
        """No key and no source goes to where an answer points."""
        with MessagesApi(Script.of(QUICK)) as other:
            away = Fault(kind="http", status=307, headers={"location": other.url})
            turn = Turn(blocks=QUICK.blocks, fault=away)
            variables(ANTHROPIC_CUSTOM_HEADERS="X-Api-Key: test", **KEY)
            with (
                playing(turn, folder=tmp_path) as (_, session),
                pytest.raises(ServiceError, match=r"answered 307.*check the base URL"),
            ):
                await session.candidates()
            assert other.requests == []


class TestCredentials:
    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ({"ANTHROPIC_AUTH_TOKEN": "test"}, "access token"),
            ({"ANTHROPIC_CUSTOM_HEADERS": "X-Api-Key: test"}, "header"),
            ({"ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer test"}, "header"),
            ({"ANTHROPIC_PROFILE": "work", **PROFILES}, "profile"),
        ],
        ids=["token", "x-api-key", "authorization", "profile"],
    )
    async def test_every_kind_works(self, tmp_path, variables, values, kind):
        """What is found is what the SDK sends."""
        variables(**values)
        login = {"type": "user_oauth", "credentials_path": str(tmp_path / "login.json")}
        profile(tmp_path, "work", authentication=login)
        (tmp_path / "login.json").write_text(json.dumps({"access_token": "test"}))
        (tmp_path / "login.json").chmod(0o600)
        with playing(QUICK, folder=tmp_path) as (_, session):
            session.environment.pop("ANTHROPIC_API_KEY")
            session.environment |= values
            assert len(await session.candidates()) == 1
            assert find_credentials(session.environment).kind == kind


class Tunnel:
    """A CONNECT proxy on loopback that leads every name to one port."""

    def __init__(self, port: int, answer: bytes = b"200 OK") -> None:
        self.port = port
        self.answer = answer
        self.heads: list[bytes] = []
        self.url = ""
        self._tasks: set[asyncio.Task] = set()

    @contextlib.asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = "127.0.0.1:{1}".format(*server.sockets[0].getsockname())
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0.05)  # the loop closes the sockets in its own time

    async def _serve(self, reader, writer) -> None:
        self._tasks.add(asyncio.current_task())
        over = (ConnectionError, asyncio.CancelledError)
        with contextlib.closing(writer), contextlib.suppress(*over):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 " + self.answer + b"\r\n\r\n")
            await writer.drain()
            if not self.answer.startswith(b"200"):
                return
            inner, outer = await asyncio.open_connection("127.0.0.1", self.port)
            with contextlib.closing(outer):
                await asyncio.gather(_copy(reader, outer), _copy(inner, writer))


async def _copy(reader, writer) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def authority():
    """One that is made for these tests, and that nobody else believes."""
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority, tmp_path_factory):
    """Where its certificate lies."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def api(authority):
    """A server that speaks HTTPS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", HOST).configure_cert(context)
    with MessagesApi(Script.of(QUICK), tls=context) as made:
        yield made


class TestCertificates:
    async def test_a_private_authority(self, tmp_path, variables, api, certificate):
        """Named in SSL_CERT_FILE, it is believed."""
        variables(SSL_CERT_FILE=certificate, **KEY)
        assert len(await Session(api, tmp_path).candidates()) == 1

    async def test_an_unknown_authority(self, tmp_path, variables, api):
        """Otherwise nothing is sent, at once, and one is told how to name it."""
        variables(**KEY)
        with pytest.raises(ServiceError, match="in SSL_CERT_FILE") as caught:
            await Session(api, tmp_path).candidates()
        assert api.requests == []
        assert "attempts" not in str(caught.value)


class TestProxies:
    async def test_a_tunnel(self, tmp_path, variables, api, certificate):
        """HTTPS goes through the proxy of the environment, end to end encrypted."""
        async with Tunnel(int(api.url.rpartition(":")[2])).running() as proxy:
            variables(
                SSL_CERT_FILE=certificate,
                HTTPS_PROXY=f"http://me:hunter2hunter@{proxy.url}",
                **KEY,
            )
            session = Session(api, tmp_path, base_url=f"https://{HOST}")
            assert len(await session.candidates()) == 1
        assert proxy.heads[0].startswith(b"CONNECT claude.example:443 ")
        login = base64.b64encode(b"me:hunter2hunter")
        assert b"Basic " + login in proxy.heads[0]
        assert b"test" not in b"".join(proxy.heads)

    async def test_a_proxy_that_refuses(self, tmp_path, variables):
        """Its credentials are named as the fault, and not shown."""
        async with Tunnel(0, b"407 Proxy Authentication Required").running() as proxy:
            variables(HTTPS_PROXY=f"http://me:hunter2hunter@{proxy.url}", **KEY)
            with (
                playing(QUICK, folder=tmp_path, base_url="https://claude.example") as (
                    _,
                    session,
                ),
                pytest.raises(ServiceError, match="check HTTPS_PROXY") as caught,
            ):
                await session.candidates()
        assert "407" in str(caught.value)
        assert "hunter2" not in str(caught.value) + session.said
