"""The clouds' real clients, against doors that check what they sign."""

from __future__ import annotations

import itertools
import json
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bonafix.config import Config
from bonafix.errors import ServiceError
from bonafix.propose.claude import find_credentials, show_prompt
from bonafix.propose.claude.process import open_worker
from tests.messages_api.clouds import Bedrock, Vertex
from tests.propose.claude.cases import task
from tests.propose.claude.playing import LOOP, QUICK, Session, playing

KEY = {"ANTHROPIC_API_KEY": "test"}
CLOUD_VARIABLES = (
    *("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "NO_PROXY", "no_proxy"),
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"),
    *("CLOUD_ML_REGION", "ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"),
    *("ANTHROPIC_FOUNDRY_RESOURCE", "ANTHROPIC_FOUNDRY_API_KEY"),
)
_REGIONS = itertools.count(1)


@pytest.fixture
def variables(monkeypatch, tmp_path):
    """Sets variables, after all that the clouds would find here are gone."""
    for name in CLOUD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    # Without them both libraries ask a host that only machines of the cloud have.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture(scope="module")
def robot():
    """The key of a service account that exists on loopback alone."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account(door: Vertex, robot: rsa.RSAPrivateKey, folder) -> str:
    """The account's file, as Google writes it."""
    pem = robot.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "account.json"
    fields = {
        "type": "service_account",
        "client_email": door.account,
        "private_key_id": "1",
        "private_key": pem.decode(),
        "token_uri": f"{door.url}/token",
    }
    path.write_text(json.dumps(fields))
    return str(path)


def bedrock() -> Bedrock:
    """A door in a region of its own: the SDK keeps sessions, with their keys, by it."""
    return Bedrock(region=f"eu-loop-{next(_REGIONS)}")


def signing(door: Bedrock) -> dict[str, str]:
    return {
        "BONAFIX_SERVICE": "bedrock",
        "AWS_ACCESS_KEY_ID": door.key,
        "AWS_SECRET_ACCESS_KEY": door.secret,
        "AWS_REGION": door.region,
    }


class TestBedrock:
    async def test_a_whole_conversation_is_signed(self, tmp_path, variables):
        """Each request is, the model has its name there, and its price is known."""
        door = bedrock()
        variables(**signing(door))
        with playing(*LOOP, folder=tmp_path) as (api, session):
            api.door = door
            (candidate,) = await session.candidates()
        assert len(api.messages) == len(LOOP)
        assert all("AWS4-HMAC" in seen.headers["authorization"] for seen in door.seen)
        asked = {json.loads(seen.body)["model"] for seen in door.seen}
        assert asked == {"anthropic.claude-opus-5-5"}
        assert candidate.model == "anthropic.claude-opus-5-5"
        assert candidate.cost.usd

    async def test_a_bearer_key_needs_no_package(
        self, tmp_path, variables, monkeypatch
    ):
        """Who has an API key of Bedrock's signs nothing, and installs nothing."""
        door = bedrock()
        monkeypatch.setitem(sys.modules, "boto3", None)
        variables(
            BONAFIX_SERVICE="bedrock",
            AWS_REGION=door.region,
            AWS_BEARER_TOKEN_BEDROCK=door.bearer,
        )
        with playing(QUICK, folder=tmp_path) as (api, session):
            api.door = door
            assert len(await session.candidates()) == 1
        bearer = f"Bearer {door.bearer}"
        assert {seen.headers["authorization"] for seen in door.seen} == {bearer}

    async def test_a_region_of_the_users_aws_settings(self, tmp_path, variables):
        """It need not be said twice."""
        door = bedrock()
        variables(**{**signing(door), "AWS_REGION": ""})
        (tmp_path / ".aws").mkdir()
        config = f"[default]\nregion = {door.region}\n"
        (tmp_path / ".aws" / "config").write_text(config)
        with playing(QUICK, folder=tmp_path) as (api, session):
            api.door = door
            assert len(await session.candidates()) == 1

    async def test_a_wrong_secret(self, tmp_path, variables):
        """What to check is said, once, and the secret is not."""
        door = bedrock()
        wrong = "another/secret+of+ours"
        variables(**{**signing(door), "AWS_SECRET_ACCESS_KEY": wrong})
        with playing(QUICK, folder=tmp_path) as (api, session):
            api.door = door
            with pytest.raises(ServiceError, match="check AWS_REGION") as caught:
                await session.candidates()
        assert "403" in str(caught.value)
        assert wrong not in str(caught.value) + session.said

    async def test_no_credentials(self, tmp_path, variables):
        """What only the first request finds out is said like the rest."""
        variables(BONAFIX_SERVICE="bedrock", AWS_REGION=bedrock().region)
        with (
            playing(QUICK, folder=tmp_path) as (api, session),
            pytest.raises(ServiceError, match="AWS credentials") as caught,
        ):
            await session.candidates()
        assert api.requests == []
        assert "signing in to bedrock failed" in str(caught.value)
        assert "worker for Claude ended" not in str(caught.value)

    async def test_a_profile_that_is_not_there(self, tmp_path, variables):
        """The name that is wrong is quoted, and no traceback is."""
        region = bedrock().region
        variables(BONAFIX_SERVICE="bedrock", AWS_REGION=region, AWS_PROFILE="nobody")
        with (
            playing(QUICK, folder=tmp_path) as (_, session),
            pytest.raises(ServiceError, match=r"nobody.*check AWS_REGION"),
        ):
            await session.candidates()


class TestVertex:
    async def test_a_whole_conversation(self, tmp_path, variables, robot):
        """A signed assertion buys a token; project, region, model are in the path."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            door = api.door = Vertex(api.url, robot.public_key())
            session.environment |= {
                "BONAFIX_SERVICE": "vertex",
                "GOOGLE_APPLICATION_CREDENTIALS": account(door, robot, tmp_path),
                "CLOUD_ML_REGION": door.region,
                "ANTHROPIC_VERTEX_PROJECT_ID": door.project,
            }
            variables(**session.environment)
            (candidate,) = await session.candidates()
        assert len(api.messages) == len(LOOP)
        assert door.seen[0].path == "/token"
        assert "models/claude-opus-5-5:streamRawPredict" in door.seen[-1].path
        assert candidate.cost.usd

    async def test_another_key_buys_no_token(self, tmp_path, variables, robot):
        """What Google says of it is passed on, and what to check."""
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        with playing(QUICK, folder=tmp_path) as (api, session):
            door = api.door = Vertex(api.url, robot.public_key())
            session.environment |= {
                "BONAFIX_SERVICE": "vertex",
                "GOOGLE_APPLICATION_CREDENTIALS": account(door, other, tmp_path),
                "CLOUD_ML_REGION": door.region,
                "ANTHROPIC_VERTEX_PROJECT_ID": door.project,
            }
            variables(**session.environment)
            with pytest.raises(ServiceError, match="gcloud auth") as caught:
                await session.candidates()
        assert "signing in to vertex failed" in str(caught.value)
        assert api.messages == []

    async def test_no_credentials(self, tmp_path, variables):
        """Where nobody is logged in, how to log in is said."""
        with playing(QUICK, folder=tmp_path) as (api, session):
            session.environment |= {
                "BONAFIX_SERVICE": "vertex",
                "CLOUD_ML_REGION": "global",
                "ANTHROPIC_VERTEX_PROJECT_ID": "a-project",
            }
            variables(**session.environment)
            with pytest.raises(ServiceError, match="gcloud auth application-default"):
                await session.candidates()
        assert api.requests == []


class TestFoundry:
    async def test_the_same_conversation(self, tmp_path, variables):
        """Through another client, with a key of its own and not the API's."""
        with playing(*LOOP, folder=tmp_path) as (api, session):
            session.environment |= {
                "BONAFIX_SERVICE": "foundry",
                "ANTHROPIC_FOUNDRY_API_KEY": "test",
                "ANTHROPIC_FOUNDRY_BASE_URL": api.url,
                "ANTHROPIC_API_KEY": "not-for-foundry",
            }
            variables(**session.environment)
            session.config = Session(api, tmp_path, base_url="").config
            assert len(await session.candidates()) == 1
        sent = [dict(seen.headers) for seen in api.messages]
        assert {headers["x-api-key"] for headers in sent} == {"test"}
        assert "not-for-foundry" not in str(sent)


def lacking(words: str, service: str, **values: str) -> pytest.ParameterSet:
    return pytest.param(service, values, words, id=f"{service}-{words[:24]}")


class TestWhatIsMissing:
    @pytest.mark.parametrize(
        ("service", "values", "words"),
        [
            lacking("set AWS_REGION, or service_region", "bedrock"),
            lacking("set CLOUD_ML_REGION, or service_region", "vertex"),
            lacking(
                "set ANTHROPIC_VERTEX_PROJECT_ID, or service_project",
                "vertex",
                CLOUD_ML_REGION="global",
            ),
            lacking("set ANTHROPIC_FOUNDRY_API_KEY", "foundry"),
            lacking(
                "set ANTHROPIC_FOUNDRY_RESOURCE, or service_project",
                "foundry",
                ANTHROPIC_FOUNDRY_API_KEY="some-key-of-ours",
            ),
            lacking(
                "ANTHROPIC_FOUNDRY_API_KEY cannot be used: it has a space",
                "foundry",
                ANTHROPIC_FOUNDRY_RESOURCE="ours",
                ANTHROPIC_FOUNDRY_API_KEY="some-key\nof-ours",
            ),
        ],
    )
    async def test_is_said_before_any_work(
        self, tmp_path, variables, service, values, words
    ):
        """What a cloud cannot do without, with the variable and the setting."""
        variables(BONAFIX_SERVICE=service, **values, **KEY)
        with (
            playing(QUICK, folder=tmp_path, base_url="") as (api, session),
            pytest.raises(ServiceError, match=words),
        ):
            await session.candidates()
        assert api.requests == []

    @pytest.mark.parametrize(
        ("name", "package"), [("bedrock", "boto3"), ("vertex", "google.auth")]
    )
    async def test_a_package(self, tmp_path, variables, monkeypatch, name, package):
        """How to install it is said, before any request."""
        monkeypatch.setitem(sys.modules, package, None)
        variables(BONAFIX_SERVICE=name, AWS_REGION="r", CLOUD_ML_REGION="r")
        with (
            playing(QUICK, folder=tmp_path) as (api, session),
            pytest.raises(ServiceError, match=rf"pip install 'bonafix\[{name}\]'"),
        ):
            await session.candidates()
        assert api.requests == []

    def test_its_credentials_are_its_own(self):
        """The API's key is not asked for, and not mistaken for the cloud's."""
        found = find_credentials({"BONAFIX_SERVICE": "bedrock", **KEY})
        assert found.kind == "account of bedrock"


class TestSettings:
    async def test_reach_the_worker_process(self, tmp_path, variables):
        """Service and region are settings, too: a real worker signs with them."""
        door = bedrock()
        values = signing(door)
        del values["BONAFIX_SERVICE"], values["AWS_REGION"]
        variables(**values)
        place = {"service": "bedrock", "service_region": door.region}
        with playing(QUICK, folder=tmp_path, **place) as (api, session):
            api.door = door
            session.connect = open_worker
            assert len(await session.candidates()) == 1
        assert door.seen

    async def test_stand_above_the_variable(self, tmp_path, variables):
        """Who settles on the API itself is not sent to the variable's cloud."""
        variables(BONAFIX_SERVICE="bedrock", **KEY)
        with playing(QUICK, folder=tmp_path, service="anthropic") as (api, session):
            session.connect = open_worker
            assert len(await session.candidates()) == 1
        assert api.messages

    @pytest.mark.parametrize(
        ("model", "named"),
        [
            ("", "anthropic.claude-opus-5-5"),
            ("cheap", "anthropic.claude-haiku-5-5"),
            ("claude-sonnet-5-5", "anthropic.claude-sonnet-5-5"),
            ("anthropic.claude-opus-5", "anthropic.claude-opus-5"),
            ("arn:aws:bedrock:eu:1:ours", "arn:aws:bedrock:eu:1:ours"),
        ],
    )
    def test_models_have_the_clouds_names(self, tmp_path, model, named):
        """Also where what would be sent is only shown."""
        config = Config(service="bedrock", service_region="r", model=model)
        assert show_prompt(task(tmp_path), config, {})["model"] == named
