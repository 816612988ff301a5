"""One function a command: arguments in, an `Ending` out; the project does the work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from bonafix.config import Config, load
from bonafix.deliver import exits, report
from bonafix.deliver.apply import apply
from bonafix.deliver.console import Screen
from bonafix.domain import Baseline, Event, Repair, Verdict
from bonafix.errors import BonafixError, UsageError
from bonafix.project import Project

_SETTINGS = (
    *("engine", "model", "thinking", "candidates", "max_cost", "timeout", "accept"),
    *("interpreter", "confine", "test_timeout", "suite_timeout"),
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended: its exit code and its JSON document."""

    code: int
    document: report.Document


async def test(arguments: argparse.Namespace) -> Ending:
    """Run the suite in a copy and list what fails."""
    project, screen = _open(arguments, arguments.root)
    with screen.live() as listen:
        seen = await project.observe(
            select=arguments.test or None,
            expression=arguments.expression,
            listen=listen,
        )
    screen.failures(seen.run, seen.groups)
    document = report.test_report(seen.run, seen.groups)
    return Ending(exits.code_of_run(seen.run), document)


async def fix(arguments: argparse.Namespace) -> Ending:
    """Repair what fails; print the diff, or write it with `--apply`."""
    project, screen = _open(arguments, arguments.root)
    if arguments.show_prompt:
        return await _show_prompt(project, arguments)
    repairs: list[Repair] = []
    bases: list[Baseline] = []
    with screen.live() as listen:

        def hear(event: Event) -> None:
            base = event.facts.get("baseline")
            if isinstance(base, Baseline):
                bases.append(base)
                screen.baseline(base)
            listen(event)

        work = project.fix(
            tests=arguments.test,
            expression=arguments.expression,
            applying=arguments.apply,
            listen=hear,
        )
        async with aclosing(work) as source:
            async for repair in source:
                repairs.append(repair)
                screen.repair(repair)
    base = bases[-1] if bases else None
    return _deliver(project, arguments, screen, repairs, base)


def _deliver(
    project: Project,
    arguments: argparse.Namespace,
    screen: Screen,
    repairs: Sequence[Repair],
    base: Baseline | None,
) -> Ending:
    total = _delivered(repairs, project.config, applying=arguments.apply)
    failure: BonafixError | None = None
    if total and total.best and arguments.apply:
        try:
            apply(project.root, total.best.candidate.patch)
            screen.applied(total.best.candidate.patch)
        except BonafixError as error:
            failure = error
            screen.error(error)
    elif total and total.best and arguments.json != "-":
        _print_diff(total)
    if not repairs:
        screen.nothing_to_fix()
    verdicts = [repair.verdict for repair in repairs]
    kinds = [repair.error_kind for repair in repairs]
    errors = [failure] if failure else []
    code = exits.exit_code(verdicts, errors=errors, kinds=kinds)
    return Ending(code, report.fix_report(repairs, base, error=failure))


def _delivered(
    repairs: Sequence[Repair], config: Config, *, applying: bool
) -> Repair | None:
    """What is handed over: the whole where there were several, else the one.

    A whole that was refused hands over nothing: its parts were judged one on top
    of another, and together they do not stand.
    """
    good = {Verdict.VERIFIED}
    if config.accept == "plausible" or not applying:
        good.add(Verdict.PLAUSIBLE)
    kept = [repair for repair in repairs if repair.best and repair.verdict in good]
    wholes = [repair for repair in repairs if repair.whole]
    if wholes:
        return wholes[-1] if wholes[-1].verdict in good else None
    return kept[-1] if kept else None


def _print_diff(total: Repair) -> None:
    from bonafix.diffs import render  # noqa: PLC0415 - loads the parser of diffs

    assert total.best is not None
    note = "" if total.verdict.accepted else f" ({'; '.join(total.best.missing)})"
    head = f"bonafix: {total.verdict}{note}\n"
    sys.stdout.buffer.write(head.encode() + render(total.best.candidate.patch))
    sys.stdout.buffer.flush()


async def _show_prompt(project: Project, arguments: argparse.Namespace) -> Ending:
    text = await project.prompt(tests=arguments.test, expression=arguments.expression)
    sys.stdout.write(text + "\n")
    return Ending(exits.OK, report.fix_report(()))


async def check(arguments: argparse.Namespace) -> Ending:
    """Send anyone's patch through the gate."""
    project, screen = _open(arguments, arguments.root)
    if arguments.receipt and not arguments.rerun:
        return _derived(arguments.receipt, screen)
    patch = _patch(arguments)
    with screen.live() as listen:
        judgement, base, receipt = await project.check(
            patch, tests=arguments.test, listen=listen
        )
    screen.judgement(judgement)
    code = exits.exit_code([judgement.verdict])
    return Ending(code, report.check_report(judgement, base, receipt=receipt))


def _derived(path: Path, screen: Screen) -> Ending:
    """Fold the receipt's records again: nothing is run."""
    from bonafix.project import rederive  # noqa: PLC0415 - only for receipts

    judgement = rederive(path)
    screen.judgement(judgement)
    document = report.check_report(judgement, None, receipt=str(path))
    return Ending(exits.exit_code([judgement.verdict]), document)


def _patch(arguments: argparse.Namespace) -> bytes:
    if arguments.receipt:
        from bonafix.deliver import receipts  # noqa: PLC0415 - only for receipts

        return receipts.patch_bytes(receipts.load(arguments.receipt))
    if not arguments.patch:
        raise UsageError("check needs a PATCH (- for standard input) or --receipt FILE")
    if arguments.patch == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(arguments.patch).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {arguments.patch}: {error.strerror}") from error


async def doctor(arguments: argparse.Namespace) -> Ending:
    """Say what was found here, and what is wrong with it."""
    from bonafix.observe.doctor import examine  # noqa: PLC0415 - only for doctor

    project, screen = _open(arguments, arguments.root)
    findings = await examine(project.root, project.config)
    screen.findings(findings)
    wrong = any(finding.level == "error" for finding in findings)
    code = exits.UNTRUSTED if wrong else exits.OK
    return Ending(code, report.doctor_report(findings))


def _open(arguments: argparse.Namespace, root: Path) -> tuple[Project, Screen]:
    absolute = root.absolute()
    if not absolute.is_dir():
        raise UsageError(f"{root} is not a folder")
    given = {name: getattr(arguments, name, None) for name in _SETTINGS}
    config = load(absolute, overrides=given)
    screen = Screen(
        verbose=arguments.verbose,
        quiet=arguments.quiet,
        results_on_stdout=arguments.json != "-",
    )
    return Project(absolute, config), screen


COMMANDS: dict[str, Callable[[argparse.Namespace], Awaitable[Ending]]] = {
    "test": test,
    "fix": fix,
    "check": check,
    "doctor": doctor,
}
