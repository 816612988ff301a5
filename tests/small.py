"""A small failing project, written where a test wants it."""

import subprocess
import sys
import textwrap
from pathlib import Path

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


        def free_delivery(amount):
            """From fifty on, delivery is free."""
            return amount > 50
        ''',
    "tests/test_basket.py": """
        import pytest

        from shop.basket import free_delivery, total


        @pytest.mark.parametrize("amount, free", [(49, False), (50, True), (51, True)])
        def test_free_delivery(amount, free):
            assert free_delivery(amount) is free


        def test_empty():
            assert total([]) == 0


        def test_total():
            assert total([3, 4]) == 7
        """,
    "pyproject.toml": """
        [tool.pytest.ini_options]
        testpaths = ["tests"]
        """,
}

BOUNDARY = "tests/test_basket.py::test_free_delivery[50-True]"
TOTAL = "tests/test_basket.py::test_total"

HONEST = """\
--- a/shop/basket.py
+++ b/shop/basket.py
@@ -5,5 +5,5 @@
     \"\"\"The sum of all prices.\"\"\"
     result = 0
     for price in prices:
-        result -= price
+        result += price
     return result
"""

TEST_EDIT = """\
--- a/tests/test_basket.py
+++ b/tests/test_basket.py
@@ -13,4 +13,4 @@


 def test_total():
-    assert total([3, 4]) == 7
+    assert total([3, 4]) == -7
"""


def write(root, files=FILES):
    """Put the files below `root`; the folder itself."""
    for name, body in files.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(body).lstrip("\n"))
    return Path(root)


def contents(root):
    """Every file below `root` with its bytes and mode."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(Path(root).rglob("*"))
        if path.is_file()
    }


def bonafix(*words, cwd=None, env=None, stdin=None, timeout=180):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "bonafix", *map(str, words)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
