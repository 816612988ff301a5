"""Arguments in, a namespace out; a wrong one raises `UsageError`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bonafix import __version__
from bonafix.config import EFFORTS, SERVICES
from bonafix.errors import UsageError

EXIT_CODES = """\
exit codes:
  0    all that was asked for is verified, or nothing was failing
  1    something is not fixed, or the patch was refused (test: failures)
  2    usage or configuration
  3    the project's tests cannot be run or trusted
  4    the model's service failed
  5    only plausible: nothing proven against it, evidence is missing
  130  interrupted
"""

_EXAMPLES = {
    "test": """\
examples:
  bonafix test                          the whole suite, in a confined copy
  bonafix test -k tax --json -          a part of it, as JSON on standard output
  bonafix test --test 'tests/test_a.py::test_b[1-2]'
  bonafix test --localize               where the faults may lie, and why
""",
    "fix": """\
examples:
  bonafix fix                           every failure; prints a unified diff
  bonafix fix --engine search           without a model, without a key
  bonafix fix --test ID --apply         write it to the tree once it is verified
  bonafix fix --thinking high --max-cost 0.50
  bonafix fix --show-prompt             what would be sent; sends nothing
""",
    "check": """\
examples:
  git diff | bonafix check -            judge the diff of the working tree's branch
  bonafix check fix.patch --test ID     its targets named
  bonafix check --receipt FILE          derive the verdict again from the records
  bonafix check --receipt FILE --rerun  judge the receipt's patch from scratch
""",
    "doctor": """\
examples:
  bonafix doctor                        what Bonafix found here, and what is wrong
""",
    "selftest": """\
examples:
  bonafix selftest                      a few patches of each kind, in a minute or so
  bonafix selftest --full               the whole zoo, with all figures
  bonafix selftest --full --journal zoo.jsonl    goes on where it was interrupted
  bonafix selftest --project money --json -

exit code 0: no dishonest patch verified, no honest one refused; 1 otherwise.
""",
    "lsp": """\
examples:
  bonafix lsp                           on standard input and output
  bonafix lsp --tcp 127.0.0.1:2087
  bonafix lsp --trust                   for clients that cannot ask
""",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see '{self.prog} --help')")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line.

    Raises:
        UsageError: an argument is unknown, missing or ill-formed.
        SystemExit: after `--help` or `--version`.
    """
    parser = _Parser(
        prog="bonafix",
        description="Fixes for failing tests that can be trusted.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _test(_command(commands, "test", "run the suite in a copy; list what fails"))
    _fix(_command(commands, "fix", "repair what fails; every patch is judged"))
    _check(_command(commands, "check", "send anyone's patch through the gate"))
    _doctor(_command(commands, "doctor", "what was found here, and what is wrong"))
    _selftest(_command(commands, "selftest", "send known patches through the gate"))
    _lsp(_command(commands, "lsp", "run the language server"))
    return parser.parse_args(argv)


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, text: str
) -> _Parser:
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=_EXAMPLES[name] + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _test(parser: argparse.ArgumentParser) -> None:
    _root(parser)
    _selection(parser)
    parser.add_argument(
        "--localize",
        action="store_true",
        help="rank the functions and lines that may be at fault, with scores",
    )
    _running(parser)
    _output(parser)


def _fix(parser: argparse.ArgumentParser) -> None:
    _root(parser)
    _selection(parser)
    engine = parser.add_argument_group("who proposes")
    engine.add_argument("--engine", choices=("auto", "claude", "search"))
    engine.add_argument("--model", help="any model id; default: the shipped choice")
    engine.add_argument(
        "--service", choices=SERVICES, help="who offers it; default: BONAFIX_SERVICE"
    )
    engine.add_argument(
        "--thinking", metavar="EFFORT", help=f"{' | '.join(EFFORTS)} | tokens"
    )
    engine.add_argument(
        "--candidates",
        type=int,
        metavar="N",
        help="Claude's candidates per failure, with more thinking after each refusal",
    )
    engine.add_argument(
        "--fan",
        type=int,
        metavar="N",
        help="N of them at a time, for speed; costs as much as it saves time",
    )
    engine.add_argument(
        "--max-cost", type=float, metavar="USD", help="hard cap for this run"
    )
    engine.add_argument(
        "--timeout", type=float, metavar="S", help="seconds per failure"
    )
    engine.add_argument(
        "--batch-timeout",
        type=float,
        metavar="S",
        help="seconds for all failures together",
    )
    _reviewing(engine, "have a model read patches, too; default: where it may write")
    engine.add_argument(
        "--show-prompt", action="store_true", help="print what would be sent, and stop"
    )
    result = parser.add_argument_group("what is done with the result")
    result.add_argument(
        "--apply", action="store_true", help="write verified fixes, all files or none"
    )
    result.add_argument(
        "--accept", choices=("verified", "plausible"), help="what --apply may write"
    )
    _running(parser)
    _output(parser)


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "patch", nargs="?", metavar="PATCH", help="a unified diff; - = standard input"
    )
    parser.add_argument("--root", type=Path, default=Path(), help="project's folder")
    parser.add_argument(
        "--test", action="append", default=[], metavar="ID", help="a target's node id"
    )
    parser.add_argument("--receipt", type=Path, metavar="FILE")
    parser.add_argument(
        "--rerun", action="store_true", help="with --receipt: judge it from scratch"
    )
    parser.add_argument("--timeout", type=float, metavar="S", help=argparse.SUPPRESS)
    _reviewing(parser, "have a model read the patch, too; costs money")
    _running(parser)
    _output(parser)


def _reviewing(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, text: str
) -> None:
    parser.add_argument(
        "--review", action=argparse.BooleanOptionalAction, default=None, help=text
    )


def _doctor(parser: argparse.ArgumentParser) -> None:
    _root(parser)
    _running(parser)
    _output(parser)


def _selftest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--full", action="store_true", help="every patch, and all figures"
    )
    parser.add_argument(
        "--project",
        action="append",
        default=[],
        metavar="NAME",
        help="all patches of one project of the zoo; may be repeated",
    )
    parser.add_argument(
        "-j", "--jobs", type=int, metavar="N", help="projects at a time"
    )
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="keep each result there, and skip what it has already",
    )
    _running(parser)
    _output(parser)


def _lsp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="the default")
    parser.add_argument("--tcp", metavar="HOST:PORT", type=_address)
    parser.add_argument(
        "--trust", action="store_true", help="run the tests of any root without asking"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help=argparse.SUPPRESS)


def _root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "root",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="ROOT",
        help="the project's folder; default: the current one",
    )


def _selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--test",
        action="append",
        default=[],
        metavar="ID",
        help="exactly one node id; may be repeated",
    )
    parser.add_argument("-k", dest="expression", default="", metavar="EXPR")


def _running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how tests run")
    group.add_argument("--interpreter", metavar="PATH", help="the project's Python")
    group.add_argument(
        "--confine",
        choices=("require", "prefer", "off"),
        help="whether to go on where tests cannot be confined",
    )
    group.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        default=None,
        help="run the suite afresh even where nothing has changed since the last time",
    )
    group.add_argument("--test-timeout", type=float, metavar="S")
    group.add_argument("--suite-timeout", type=float, metavar="S")


def _output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--json", metavar="FILE", help="write the result; - = standard output"
    )
    group.add_argument("-v", "--verbose", action="store_true")
    group.add_argument("-q", "--quiet", action="store_true", help="results only")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
