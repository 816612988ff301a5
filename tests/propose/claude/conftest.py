import pytest

from bonafix.propose.claude import learning


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    """The key that the loopback server accepts, where the SDK looks for one."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")


@pytest.fixture(autouse=True)
def _nothing_learned():
    """Ports come again: what one test's endpoint taught is not the next one's."""
    learning.KNOWN.clear()
