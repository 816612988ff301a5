"""A project of many small tests, some of which fail, for what grows with their number.

Usage: python benchmarks/synthetic.py FOLDER [TESTS=10000] [FAILING=1000]
"""

from __future__ import annotations

import sys
from pathlib import Path

A_FILE = 100  # tests
PRODUCT = "src/shop/part0.py"
TARGET = "tests/test_part0.py::test_0"


def write(root: Path, tests: int = 10_000, failing: int = 1_000) -> Path:
    """Write it below `root`: one module and one file of tests for each hundred."""
    files = max(1, tests // A_FILE)
    bad = failing // files
    for folder in ("src/shop", "tests"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "src/shop/__init__.py").write_text("")
    (root / "pytest.ini").write_text("[pytest]\n")
    for n in range(files):
        body = "".join(_function(i) for i in range(A_FILE))
        (root / f"src/shop/part{n}.py").write_text(body)
        # the first test passes: it is the one that candidates are rejected on
        checks = "".join(_test(i, wrong=0 < i <= bad) for i in range(A_FILE))
        text = f"from shop import part{n} as part\n{checks}"
        (root / f"tests/test_part{n}.py").write_text(text)
    return root


def _function(i: int) -> str:
    return f"def price{i}(n):\n    total = n + {i}\n    return total\n\n\n"


def _test(i: int, *, wrong: bool) -> str:
    right = 2 + i + wrong
    return f"\n\ndef test_{i}():\n    assert part.price{i}(2) == {right}\n"


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[2:])
    counts = int(options.get("TESTS", 10_000)), int(options.get("FAILING", 1_000))
    write(Path(sys.argv[1]), *counts)


if __name__ == "__main__":
    main()
