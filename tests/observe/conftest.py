"""Nothing of the developer's own environment reaches a test here."""

import pytest


@pytest.fixture(autouse=True)
def _quiet(monkeypatch, tmp_path_factory):
    """The developer's own pytest options are no part of any test here."""
    for variable in ("PYTEST_ADDOPTS", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(variable, raising=False)
    state = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("BONAFIX_STATE_DIR", str(state))
