import pytest


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    """The key that the loopback server accepts, where the SDK looks for one."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
