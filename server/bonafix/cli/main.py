"""The entry point: run a command, say how it ended, exit with its code.

Standard output carries results (a diff, JSON), standard error everything else.
An error is never exit code 0, and `--json` is written whatever happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bonafix.cli.parser import parse
from bonafix.errors import BonafixError, UsageError

if TYPE_CHECKING:
    import argparse

    from bonafix.cli.streams import Ending
    from bonafix.redaction import Redactor

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is that of DESIGN's table."""
    words = list(sys.argv[1:] if argv is None else argv)
    root: Path | None = None
    try:
        arguments = parse(words)
        root = getattr(arguments, "root", None)
        if arguments.command == "lsp":
            return _serve(arguments)
        ending = _run(arguments)
    except BonafixError as error:
        message = _redactor(root)(str(error))
        return _failed(words, error.kind, message, error.code)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _failed(words, "interrupted", "interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _failed(words, "output", "standard output was closed", 1)
    except Exception as error:  # noqa: BLE001 - the last word must not be a traceback
        return _crashed(words, error, _redactor(root))
    _write_json(_json_target(words), _redactor(root).json(ending.document))
    return ending.code


def _redactor(root: Path | None) -> Redactor:
    from bonafix.dotenv import redactor_at  # noqa: PLC0415 - on the way out only

    return redactor_at(root, os.environ)


def _run(arguments: argparse.Namespace) -> Ending:
    from bonafix.cli import commands  # noqa: PLC0415 - usage errors stay fast

    run = commands.COMMANDS[arguments.command]
    return asyncio.run(_interruptible(run(arguments)))


async def _interruptible(work: Coroutine[object, object, Ending]) -> Ending:
    """Let SIGTERM and SIGHUP end the work as Ctrl-C does: processes and all."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError, ValueError):
            loop.add_signal_handler(getattr(signal, name), task.cancel)
    return await task


def _serve(arguments: argparse.Namespace) -> int:
    from bonafix.lsp.main import serve  # noqa: PLC0415 - pygls is only for this

    host, port = arguments.tcp or (None, None)
    return serve(host, port, trust=arguments.trust)


def _failed(words: Sequence[str], kind: str, message: str, code: int) -> int:
    sys.stderr.write(f"bonafix: {message}\n")
    target = _json_target(words)
    if target:
        from bonafix.deliver import report  # noqa: PLC0415 - only where asked for

        command = next((word for word in words if not word.startswith("-")), "")
        document = report.failure(command, kind=kind, message=message)
        _write_json(target, document)
    return code


def _crashed(words: Sequence[str], error: Exception, redact: Redactor) -> int:
    """A fault of ours: the traceback goes to a file, the message says where."""
    import tempfile  # noqa: PLC0415 - only on the way out
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(
        "w", prefix="bonafix-crash-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(redact("".join(traceback.format_exception(error))))
    what = f"{type(error).__name__}: {error}"
    message = f"internal error ({what}); the traceback is in {file.name}"
    return _failed(words, BonafixError.kind, redact(message), BonafixError.code)


def _json_target(words: Sequence[str]) -> str:
    """The value of `--json`, also where the rest of the line does not parse."""
    for index, word in enumerate(words):
        if word == "--json" and index + 1 < len(words):
            return words[index + 1]
        if word.startswith("--json="):
            return word.removeprefix("--json=")
    return ""


def _write_json(target: str, document: object) -> None:
    if not target:
        return
    import json  # noqa: PLC0415 - only where asked for

    text = json.dumps(document, indent=2) + "\n"
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"bonafix: cannot write {target}: {error.strerror}\n")
        raise SystemExit(UsageError.code) from error
