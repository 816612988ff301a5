"""Compare versions of modules as this very interpreter compiles them; run as a script.

Usage: `python compare.py ORDER`. The order is a file with a JSON object: path -> old
and new text, bytes that are no UTF-8 escaped. The answer is one such object: path ->
what `moved.py` finds, or why that is nothing. None of the texts is run.
"""

from __future__ import annotations

import json
import sys
import typing
import warnings


def main(order_path: str) -> None:
    """Carry out the order."""
    import launch  # noqa: PLC0415 - our own folder is the first to be imported from

    moved, bodies = launch.load("moved", "bodies")
    with open(order_path, encoding="utf-8") as file:
        order = json.load(file)
    warnings.simplefilter("ignore")
    answer = {
        path: _compared(path, *texts, moved, bodies) for path, texts in order.items()
    }
    sys.stdout.write(json.dumps(answer))


def _compared(
    path: str, old: str, new: str, moved: typing.Any, bodies: typing.Any
) -> typing.Dict[str, object]:
    try:
        found = moved.follow(_compiled(path, old), _compiled(path, new))
    except bodies.UnfitError as error:
        return {"unfit": str(error)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"unfit": "it cannot be compiled"}
    changed = [one._asdict() for one in found.changed]
    return {"changed": changed, "lines": sorted(found.lines.items())}


def _compiled(path: str, text: str) -> typing.Any:
    data = text.encode("utf-8", "surrogateescape")
    return compile(data, path, "exec", dont_inherit=True)


if __name__ == "__main__":
    main(sys.argv[1])
