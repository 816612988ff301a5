"""What is said on the command line arrives in the settings."""

import pytest

from bonafix.cli.commands import _open
from bonafix.cli.parser import parse


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("--service", "vertex"), "service", "vertex"),
        (("--batch-timeout", "7"), "batch_timeout", 7.0),
        (("--timeout", "8"), "timeout", 8.0),
        (("--max-cost", "0.5"), "max_cost", 0.5),
        (("--candidates", "3"), "candidates", 3),
    ],
)
def test_flags_of_fix(tmp_path, monkeypatch, words, name, value):
    """Each stands above the user's file."""
    settings = tmp_path / "config.toml"
    settings.write_text('service = "bedrock"\nbatch_timeout = 9\ntimeout = 9\n')
    monkeypatch.setenv("BONAFIX_CONFIG", str(settings))
    project, _ = _open(parse(["fix", str(tmp_path), *words]))
    assert getattr(project.config, name) == value
    assert getattr(_open(parse(["fix", str(tmp_path)]))[0].config, name) != value
