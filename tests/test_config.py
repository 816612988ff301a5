"""Settings: what may say what, and what is an error."""

import pytest

from bonafix.config import PROJECT_KEYS, Config, load, merge
from bonafix.errors import ConfigurationError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("BONAFIX_CONFIG", str(tmp_path / "user.toml"))
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def project(root, body):
    (root / "pyproject.toml").write_text(f"[tool.bonafix]\n{body}\n")


@pytest.mark.parametrize(
    "line",
    [
        'base_url = "http://127.0.0.1:1"',
        'interpreter = "/tmp/evil"',
        'confine = "off"',
        'environment = ["SECRET"]',
        'command = ["sh"]',
        'headers = {x = "y"}',
        'model = "other"',
        "trust = true",
        "max-cost = 100.0",
        'allow = ["tests/*"]',
        "new_files = true",
        'accept = "plausible"',
    ],
)
def test_the_project_cannot_configure_its_own_judge(root, line):
    """A hostile pyproject.toml is an error that names the key, not obeyed."""
    project(root, line)
    with pytest.raises(ConfigurationError, match=r"\[tool\.bonafix\]"):
        load(root)


def test_harmless_project_settings_count(root):
    """What only describes the project is taken from it."""
    project(root, 'test_timeout = 5\ntests = ["checks/*.py"]\nrun = "manual"')
    config = load(root)
    assert config.test_timeout == 5.0
    assert config.tests == ("checks/*.py",)
    assert config.run == "manual"


def test_later_sources_win(root, tmp_path):
    """User file, then project, then command line."""
    (tmp_path / "user.toml").write_text('model = "user"\ntest_timeout = 1.0\n')
    project(root, "test_timeout = 2.0")
    assert load(root).model == "user"
    assert load(root).test_timeout == 2.0
    assert load(root, overrides={"test_timeout": 3}).test_timeout == 3.0
    assert load(root, overrides={"model": None}).model == "user"


def test_exclude_only_grows(root, tmp_path):
    """What the user keeps from being sent, neither project nor editor can give free."""
    (tmp_path / "user.toml").write_text('exclude = ["secret/*", "a.py"]\n')
    assert load(root).exclude == ("secret/*", "a.py")
    project(root, 'exclude = ["a.py", "b.py"]')
    assert load(root).exclude == ("secret/*", "a.py", "b.py")
    given = load(root, overrides={"exclude": []})
    assert given.exclude == ("secret/*", "a.py", "b.py")
    assert load(root, overrides={"exclude": ["c.py"]}).exclude[-1] == "c.py"
    project(root, "exclude = []")
    assert load(root).exclude == ("secret/*", "a.py")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"thinkin": "low"}, "did you mean 'thinking'"),
        ({"thinking": "huge"}, "thinking must be one of"),
        ({"engine": "gpt"}, "engine must be one of"),
        ({"max_cost": "1"}, "must be of type float"),
        ({"max_cost": -1.0}, "must not be negative"),
        ({"failure_tokens": -1}, "must not be negative"),
        ({"batch_timeout": 0}, "must be greater than zero"),
        ({"batch_candidates": 0}, "must be greater than zero"),
        ({"service": "moon"}, "must be one of anthropic, bedrock, vertex, foundry"),
        ({"candidates": 0}, "greater than zero"),
        ({"candidates": True}, "must be of type int"),
        ({"carry": "a"}, "list of strings"),
        ({"carry": [1]}, "list of strings"),
    ],
)
def test_wrong_values_say_what_is_right(values, match):
    """A wrong setting is a sentence, not a traceback."""
    with pytest.raises(ConfigurationError, match=match):
        merge(Config(), values, source="test")


@pytest.mark.parametrize("thinking", ["off", "max", "8000", 8000])
def test_thinking_takes_levels_and_numbers(thinking):
    """One setting, two ways to say it."""
    assert merge(Config(), {"thinking": thinking}, source="t").thinking == str(thinking)


def test_broken_toml_is_a_clear_error(root):
    """A file that does not parse names itself."""
    (root / "pyproject.toml").write_text("[tool.bonafix\n")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml is not valid TOML"):
        load(root)


def test_project_keys_exist():
    """The allow-list holds no name that is not a setting."""
    assert set(Config.__dataclass_fields__) >= PROJECT_KEYS
