"""What each template suggested and how often it was right: the figures of its prior.

Usage: python benchmarks/search_priors.py DATA=bugs.jsonl [HALF=tuning] [LIMIT=200]

Only the tuning half is looked at, unless HALF says otherwise. Prints the table that
`propose/search/priors.py` holds; candidates after the first right one do not count.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from pathlib import Path

from search_report import half
from search_space import SECONDS, in_child, observe, passes, read, task_for
from versions import compared

from bonafix.propose.search.candidates import steps


def main() -> None:
    options = dict(word.split("=", 1) for word in sys.argv[1:])
    which, most = options.get("HALF", "tuning"), int(options.get("LIMIT", "200"))
    suggested, right, ranks = Counter(), Counter(), []
    for line in Path(options["DATA"]).read_text("utf-8").splitlines():
        record = json.loads(line)
        if half(record["task_id"]) == which:
            found = look(record, most)
            suggested.update(found[0])
            right.update([found[1]] if found[1] else [])
            ranks.append(len(found[0]) if found[1] else 0)
    mean = sum(1 / rank for rank in ranks if rank) / len(ranks)
    print(f"# {which} half: {len(ranks)} bugs, {sum(right.values())} found;")
    print(f"# mean reciprocal rank {mean:.3f}, {sum(0 < r <= 10 for r in ranks)} in 10")
    for name in sorted(suggested):
        print(f'    "{name}": Figures({suggested[name]}, {right[name]}),')


def look(record: dict, most: int) -> tuple[list[str], str]:
    """The templates of all candidates up to the right one, and that one's."""
    bug = read(record)
    wanted = record["declaration"] + record["canonical_solution"]
    observed = in_child(lambda: observe(bug), SECONDS * len(bug.tests) + 5)
    assert isinstance(observed, list), f"{bug.name}: not observed"
    task = task_for(bug, observed, first_only=False)
    tried: list[str] = []
    found = (step for step in steps(task) if step is not None)
    for step in itertools.islice(found, most):
        after = step.candidate.patch.changes[0].after
        text = after.decode() if after else ""
        tried.append(step.idea.template.name)
        if passes(text, bug, list(range(len(bug.tests)))) and (
            compared(wanted, text, bug.tests, bug.entry, bug.name).equal
        ):
            return tried, step.idea.template.name
    return tried, ""


if __name__ == "__main__":
    main()
