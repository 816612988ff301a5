"""Run the scripted server as a program; the first line of output is its URL."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.messages_api.script import from_json
from tests.messages_api.server import MessagesApi


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.messages_api")
    parser.add_argument("--script", type=Path, required=True, help="a JSON script")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", action="append", help="accepted credential")
    parser.add_argument("--record", type=Path, help="write the requests here at exit")
    return parser.parse_args()


def main() -> None:
    """Serve until standard input ends, so that no server outlives its test."""
    options = _arguments()
    script = from_json(options.script.read_text(encoding="utf-8"))
    keys = frozenset(options.key or ["test"])
    with MessagesApi(script, port=options.port, keys=keys) as api:
        sys.stdout.write(api.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        if options.record is not None:
            lines = [
                {
                    "path": seen.path,
                    "status": seen.status,
                    "headers": dict(seen.headers),
                    "body": seen.body.decode(),
                    "conversation": seen.conversation,
                    "position": seen.position,
                }
                for seen in api.requests
            ]
            options.record.write_text(json.dumps(lines, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
