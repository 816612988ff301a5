"""Sealed tests end to end: what the author of a fix sees, and what it is judged by."""

import json
import os
import runpy
from pathlib import Path

import pytest

from tests.messages_api import MessagesApi, Script, Text, ToolUse, Turn
from tests.observe.environments import plain
from tests.small import bonafix, contents, write

EDITOR = "str_replace_based_edit_tool"
# Numbers that occur in what is sealed and nowhere else.
ROW, TWIN, ASSERTION, EXAMPLE = "871300421", "871300422", "871300423", "871300424"
SENTINELS = (ROW, TWIN, ASSERTION, EXAMPLE)
FILES = {
    "shop/__init__.py": "",
    "shop/basket.py": '''
        """A basket of priced things."""


        def total(prices):
            """The sum of all prices."""
            result = 0
            for price in prices:
                result -= price
            return result
        ''',
    "tests/test_basket.py": f"""
        import pytest

        from shop.basket import total


        @pytest.mark.parametrize(
            "prices, want",
            [([3, 4], 7), ([6], 6), ([{ROW}], {ROW}), ([20, 1], 21)],
            ids=["two", "one", "row-{ROW}", "more"],
        )
        def test_total(prices, want):
            assert total(prices) == want, "the sum"
            assert total([*prices, {ASSERTION}]) == want + {ASSERTION}
        """,
    "tests/test_twin.py": f"""
        from shop.basket import total


        def test_a_big_basket_of_many_things():
            prices = [
                {TWIN},
                1,
                2,
                3,
            ]
            both = [*prices, *prices]
            one = total(prices)
            two = total(both)
            assert one == {TWIN} + 6
            assert two == 2 * one
        """,
    "README.md": f"""
        # Shop

        ```python
        >>> from shop.basket import total
        >>> total([{EXAMPLE}])
        {EXAMPLE}
        ```
        """,
    "pyproject.toml": """
        [tool.pytest.ini_options]
        testpaths = ["tests"]
        """,
}


def edit(old, new):
    change = {"command": "str_replace", "path": "shop/basket.py"}
    return Turn(blocks=[ToolUse(EDITOR, {**change, "old_str": old, "new_str": new})])


def view(path):
    return Turn(blocks=[ToolUse(EDITOR, {"command": "view", "path": path})])


def run(*names):
    return Turn(blocks=[ToolUse("run_tests", {"tests": [*names]})])


LOOK = [
    view("tests/test_basket.py"),
    view("tests/test_twin.py"),
    view("README.md"),
    Turn(blocks=[ToolUse("search", {"pattern": "8713|sum|total"})]),
    run("all"),
    run("tests/test_twin.py", f"tests/test_basket.py::test_total[row-{'8' * 3}]"),
]
SUBMIT = Turn(blocks=[ToolUse("submit", {"summary": "Prices are added."})])
GIVE_UP = Turn(blocks=[ToolUse("report_infeasible", {"reason": "I see no fix."})])
END = Turn(blocks=[Text("Done.")])


@pytest.fixture
def shop(tmp_path):
    return write(tmp_path / "shop", FILES)


def fix(shop, tmp_path, *words, api=None):
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ANTHROPIC_")},
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
    }
    if api is not None:
        environment |= {"ANTHROPIC_API_KEY": "test", "ANTHROPIC_BASE_URL": api.url}
    done = bonafix("fix", shop, "--no-review", "--json", "-", *words, env=environment)
    return done, json.loads(done.stdout)


def leaks(texts):
    """Where a sealed number stands, with some text around it."""
    return [
        text[max(0, text.index(word) - 200) : text.index(word) + 20]
        for text in texts
        for word in SENTINELS
        if word in text
    ]


def record(repair, stage):
    (found,) = [one for one in repair["evidence"] if one["stage"] == stage]
    return found


def test_a_right_fix_is_verified_by_what_was_sealed(shop, tmp_path):
    """The model never sees a sealed word, and its fix holds for all of them."""
    before = contents(shop)
    script = [*LOOK, edit("result -= price", "result += price"), run(), SUBMIT, END]
    with MessagesApi(Script.of(*script)) as api:
        done, value = fix(shop, tmp_path, "--engine", "claude", api=api)
        told = [request.body.decode() for request in api.messages]
    assert len(told) >= len(script) - 1, done.stderr
    assert leaks(told) == []
    (repair,) = value["repairs"]
    assert repair["verdict"] == "verified", done.stderr
    assert {target["after"] for target in repair["targets"]} == {"passed"}
    assert len(repair["targets"]) == 5
    assert "sealed tests pass" in record(repair, "sealed")["summary"]
    receipt = json.loads(Path(repair["receipt"]).read_text())
    (kept,) = [one for one in receipt["evidence"] if one["stage"] == "sealed"]
    assert kept["supports"] is True
    assert len(kept["facts"]["sha256"]) == 64
    assert f"tests/test_basket.py::test_total[row-{ROW}]" in kept["facts"]["sealed"]
    assert kept["facts"]["examples"]["mended"] == ["README.md:5"]
    assert contents(shop) == before


WRONG = [
    # still wrong for the visible test
    ("result -= price", "result -= 2 * price"),
    # right for all that is visible
    ("result -= 2 * price", "result += price if price < 100 else 1"),
]


def test_a_refused_author_learns_nothing_sealed(shop, tmp_path):
    """Feedback has what visible tests printed, and no more."""
    script = [*LOOK, edit(*WRONG[0]), SUBMIT, edit(*WRONG[1]), run("all"), SUBMIT]
    with MessagesApi(Script.of(*script, GIVE_UP, END)) as api:
        done, value = fix(shop, tmp_path, "--engine", "claude", api=api)
        told = [request.body.decode() for request in api.messages]
    assert leaks(told) == []
    assert any("Your fix was refused" in text and "-14" in text for text in told)
    (repair,) = value["repairs"]
    assert repair["verdict"] == "gave-up", done.stderr
    assert "unfixed" in done.stderr
    assert "special-cased" in done.stderr or done.stderr.count("unfixed") >= 2


def test_a_prompt_that_is_shown_holds_nothing_sealed(shop, tmp_path):
    """What would be sent to the author is what is sent; readers may see it all."""
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    environment = {
        **os.environ,
        "BONAFIX_CONFIG": str(settings),
        "ANTHROPIC_API_KEY": "test",
    }
    done = bonafix("fix", shop, "--show-prompt", env=environment)
    shown = json.loads(done.stdout)
    later = shown.pop("afterwards")
    assert "test_total[two]" in json.dumps(shown)
    assert leaks([json.dumps(shown)]) == []
    for reader in later["readers"]:
        assert ROW in json.dumps(reader["request"]["messages"])


def test_the_search_engine_is_held_to_the_sealed_tests(shop, tmp_path):
    """It screens with what is visible, and the sealed tests confirm its fix."""
    done, value = fix(shop, tmp_path, "--engine", "search", "--apply")
    (repair,) = value["repairs"]
    assert repair["verdict"] == "verified", done.stderr
    assert "sealed tests pass" in record(repair, "sealed")["summary"]
    total = runpy.run_path(str(shop / "shop" / "basket.py"))["total"]
    baskets = [[*range(n, 3 * n)] for n in range(30)] + [[-5, 2.5], [10**20]]
    assert [total(basket) for basket in baskets] == [sum(basket) for basket in baskets]


def test_one_named_target_seals_the_others_with_its_cause(shop, tmp_path):
    """Other red tests with the cause are evidence, though nobody asked for them."""
    one = "tests/test_basket.py::test_total[two]"
    done, value = fix(shop, tmp_path, "--engine", "search", "--test", one)
    (repair,) = value["repairs"]
    assert repair["verdict"] == "verified", done.stderr
    assert [target["id"] for target in repair["targets"]] == [one]
    assert "sealed tests pass" in record(repair, "sealed")["summary"]


TWO = """\
--- a/shop/basket.py
+++ b/shop/basket.py
@@ -4,5 +4,7 @@
 def total(prices):
     \"\"\"The sum of all prices.\"\"\"
     result = 0
+    if len(prices) == 2 and max(prices) < 5:
+        return prices[0] + prices[1]
     for price in prices:
         result -= price
"""


def test_a_patch_from_outside_is_held_to_red_twins(shop, tmp_path):
    """Rows that fail as the target did, and still do, keep it from being verified."""
    patch = tmp_path / "two.patch"
    patch.write_text(TWO)
    settings = tmp_path / "settings.toml"
    settings.write_text(f'interpreter = "{plain()}"\n')
    environment = {
        **os.environ,
        "BONAFIX_CONFIG": str(settings),
        "BONAFIX_STATE_DIR": str(tmp_path / "state"),
    }
    kept = [
        line
        for line in FILES["tests/test_basket.py"].splitlines()
        if ASSERTION not in line
    ]
    write(shop, {"tests/test_basket.py": "\n".join(kept)})
    one = "tests/test_basket.py::test_total[two]"
    done = bonafix(
        *("check", patch, "--root", shop, "--test", one, "--json", "-"),
        env=environment,
    )
    value = json.loads(done.stdout)
    assert value["verdict"] in {"plausible", "special-cased"}, done.stderr
    assert not value["accepted"]
    for stage in value["evidence"]:
        if stage["stage"] == "sealed":
            assert "still fails" in stage["summary"]
