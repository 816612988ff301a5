"""Secrets: how they are known, and that none of their forms is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafix.dotenv import redactor_at
from bonafix.redaction import MARK, NOTHING, Redactor, is_telling, redactor


def known(text, name=".env"):
    return set(redactor({}, {name: text}).values)


def test_the_usual_disguises():
    """In a URL, in a header's base64, in a literal; never what is too short."""
    redact = Redactor(("p@ssword!",))
    assert redact("a p%40ssword! b") == "a p%40ssword! b"
    assert redact("a p%40ssword%21 b") == f"a {MARK} b"
    assert redact("Basic cEBzc3dvcmQh") == f"Basic {MARK}"
    assert Redactor(("longest ", "longest first"))("longest first") == MARK
    assert Redactor(("a", "", "short"))("a b short") == "a b short"


def test_json_is_redacted_keys_and_all():
    """Every string is; a patch loses known values, not what looks like a token."""
    token = "ghp_" + "A1" * 18
    redact = Redactor(("a secret",))
    value = {"a secret": ["x", 1, None, token], "patch": f"-a secret\n+{token}"}
    assert redact.json(value) == {
        MARK: ["x", 1, None, MARK],
        "patch": f"-{MARK}\n+{token}",
    }
    assert NOTHING.json(value) == value


@given(st.text("abcdefgh !\"'\\é\n%", min_size=8), st.text(max_size=5))
def test_no_form_of_a_value_is_left(secret, other):
    """Whatever its characters, neither the value nor its literal survives."""
    redact = Redactor((secret,))
    for form in (secret, repr(secret)[1:-1]):
        assert secret not in redact(f"{other}{form}").replace(MARK, "")


def test_secret_variables_are_known_by_their_names():
    """Keys and tokens are; an author's name, a folder and a path are not."""
    environment = {
        "SOME_API_KEY": "abcdefgh",
        "MY_TOKEN": "short",
        "CLIENT_SECRET_2": "ijklmnop",
        "DB_PASSWORD": "qrstuvwx",
        "GIT_AUTHOR_NAME": "A. N. Other",
        "PWD": "somewhere",
        "KEYBOARD_LAYOUT": "dvorak-de",
        "APP_CREDENTIALS": "/etc/credentials.json",
    }
    values = {"abcdefgh", "ijklmnop", "qrstuvwx"}
    assert set(redactor(environment).values) == values
    assert is_telling("apiKey")
    assert not is_telling("SECRETARY")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("export API_KEY=abc-12345 # mine\n", {"abc-12345"}),
        ("PLAIN='x9$y8z7w6'\n", {"x9$y8z7w6"}),
        ('QUOTED="a\\"b12345"\n', {'a"b12345'}),
        ("LOG_LEVEL=warning\nRETRIES=10000000\nDEBUG=True\n", set()),
        ("PYTHONPATH=src/app1\nSOCKET=/run/user/1000.sock\n", set()),
        ("# OLD=b4c5d6e7f8g9\n", set()),
        ("SECRET=words in plain\n", {"words in plain"}),
    ],
)
def test_values_of_env_files(text, values):
    """Quotes, comments and exports are understood; settings are no secrets."""
    assert known(text) == values


def test_a_secret_of_many_lines_is_known_line_by_line():
    """What is printed line by line shows no line of it."""
    body = "\n".join(f"{number:02}" * 16 for number in range(3))
    redact = redactor({}, {".env": f'CERT="{body}"\n'})
    for line in body.splitlines():
        assert redact(f"> {line} <") == f"> {MARK} <"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (".netrc", "machine x login me password hunter2hunter2\n", "hunter2hunter2"),
        (".npmrc", "//host/:_authToken=abcdef012345\n", "abcdef012345"),
        ("id_rsa", f"-----BEGIN\n{'Ab0/' * 12}\n", "Ab0/" * 12),
    ],
)
def test_other_files_that_hold_secrets(name, text, value):
    """Each in its own manner."""
    assert value in known(text, name)


def test_a_folder_is_read_as_it_lies(tmp_path):
    """`.env` files below the root count, ignored or not; others' packages do not."""
    for place in (".env", "backend/prod.env", "a/b/c/.env", "node_modules/x/.env"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"TOKEN=value-of-{place.replace('/', '-')}\n")
    (tmp_path / "loop.env").symlink_to(tmp_path / "nowhere")
    found = redactor_at(tmp_path, {}, {"x/.env": b"TOKEN=in-a-snapshot\n"})
    assert set(found.values) == {
        "value-of-.env",
        "value-of-backend-prod.env",
        "value-of-a-b-c-.env",
        "in-a-snapshot",
    }
    assert redactor_at(None, {}).values == ()


def test_values_of_custom_headers_are_secret():
    """Gateways are paid with them; their names are none."""
    lines = "X-Gateway-Login: hunter2-of-the-gateway\nX-Team: red\nno header"
    redact = redactor({"ANTHROPIC_CUSTOM_HEADERS": lines})
    assert redact.values == ("hunter2-of-the-gateway",)
    assert redact("X-Gateway-Login: hunter2-of-the-gateway") == (
        "X-Gateway-Login: [redacted]"
    )
