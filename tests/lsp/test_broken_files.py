"""A file that cannot be collected is a diagnostic, and no end of everything else."""

import pytest

from benchmarks.soak import real_server
from tests.lsp.editor import Editor
from tests.observe.environments import plain
from tests.small import BOUNDARY, FILES, TOTAL, write

BASKET, TESTS, OTHER = "shop/basket.py", "tests/test_basket.py", "tests/test_other.py"
SIDE = """
    from shop.side import one


    def test_one():
        assert one() == 2
    """


def codes(found):
    return sorted(str(one.get("code")) for one in found)


@pytest.fixture
async def shop(workspace):
    """An editor at the real server, with tests in two files that both fail."""
    files = {**FILES, OTHER: SIDE, "shop/side.py": "def one():\n    return 1\n"}
    editor = Editor(write(workspace / "shop", files))
    editor.server = real_server()
    editor.join(editor.server)
    await editor.initialize(
        options={"results": True, "interpreter": str(plain()), "run": "on-save"}
    )
    yield editor
    await editor.stop()


async def test_what_is_broken_is_shown_where_it_is(shop):
    """The others stay as they were; mended, everything is as before."""
    await shop.open("shop/side.py")
    await shop.command("runTests", {})
    before = codes(await shop.diagnostics(TESTS, len))
    assert before == sorted((BOUNDARY, TOTAL))
    await shop.diagnostics(OTHER, len)
    since = len(shop.notes)
    await shop.change("shop/side.py", "def one():\n    return 1\n\n\nnone(\n")
    await shop.save("shop/side.py")
    (one,) = await shop.diagnostics("shop/side.py", after=since)
    assert one["code"] == OTHER
    assert one["message"].startswith("cannot be collected: SyntaxError: ")
    assert one["range"]["start"]["line"] == 4
    await shop.diagnostics(OTHER, lambda all_: not all_, after=since)
    message = await shop.shown("cannot be collected", after=since)
    assert OTHER in message
    kept = await shop.diagnostics(TESTS, len, after=since)
    assert codes(kept) == before
    told = [n["params"] for n in shop.notes[since:] if n["method"] == "bonafix/results"]
    assert [(m["whole"], [t["id"] for t in m["tests"]]) for m in told] == [
        (False, [OTHER])
    ]
    since = len(shop.notes)
    await shop.change("shop/side.py", "def one():\n    return 2\n")
    await shop.save("shop/side.py")
    assert await shop.diagnostics("shop/side.py", lambda all_: not all_) == []
    await shop.command("runTests", {})
    await shop.wait("bonafix/results", lambda told: told["whole"], after=since)
    assert codes(await shop.diagnostics(TESTS, len)) == before
