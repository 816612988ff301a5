"""One gateway for all of its tests; what is behind it is each test's own."""

import os

import pytest

from bonafix.propose.claude import learning
from tests.peers.gateway import gateway
from tests.propose.claude.playing import Session


@pytest.fixture(scope="session")
def litellm(tmp_path_factory):
    """LiteLLM's proxy, running."""
    with gateway(tmp_path_factory.mktemp("litellm")) as running:
        yield running


@pytest.fixture
def agent(monkeypatch, tmp_path):
    """Makes the agent for a small project: real SDK, tools and pytest, no gate."""

    def before(peer, variables=None, **settings):
        for name in os.environ:
            if name.startswith("ANTHROPIC_"):
                monkeypatch.delenv(name)
        given = {"ANTHROPIC_API_KEY": peer.key} if variables is None else variables
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        session = Session(peer, tmp_path, **settings)
        session.environment = dict(os.environ)
        return session

    return before


@pytest.fixture(autouse=True)
def _nothing_learned():
    """What one test's endpoint taught is not the next one's."""
    learning.KNOWN.clear()
