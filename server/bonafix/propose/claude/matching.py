"""Lines that match a pattern, found in a process that is thrown away.

Run as a script: a request as JSON on standard input, hits as JSON lines on standard
output. Only the standard library, no site: it must start fast. A regular expression
can run for ever; who started this ends it, and should that one be gone, the limit on
CPU time does.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping

HITS = 80
"""Lines that are told; one more is found, to say that there are more."""
LINE = 2_000
"""Characters of a line that are looked at."""
SHOWN = 240
_CPU_SECONDS = 8


def hits(pattern: str, files: Mapping[str, str]) -> Iterator[str]:
    """Matching lines as `path:line: text`, at most one more than `HITS`."""
    matcher = re.compile(pattern)
    count = 0
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if matcher.search(line[:LINE]):
                yield f"{path}:{number}: {line.strip()[:SHOWN]}"
                count += 1
                if count > HITS:
                    return


def main() -> None:
    """Answer one request; each hit is written as it is found."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - does not exist everywhere

        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    request = json.loads(sys.stdin.buffer.read())
    for hit in hits(request["pattern"], request["files"]):
        sys.stdout.buffer.write(json.dumps(hit).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
