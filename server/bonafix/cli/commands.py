"""One function a command: arguments in, an `Ending` out; the project does the work."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Literal

from bonafix.cli.selftest import selftest
from bonafix.cli.streams import Ending, Streams, listening, streams_of
from bonafix.config import Config, load
from bonafix.deliver import console, exits, report, suspicion
from bonafix.deliver.apply import apply
from bonafix.deliver.terminal import Line, show
from bonafix.domain import Baseline, Event, Repair, Verdict
from bonafix.errors import BonafixError, UsageError
from bonafix.observe.localise import suspects
from bonafix.project import Observation, Project

_SETTINGS = (
    *(
        "engine",
        "service",
        "model",
        "thinking",
        "candidates",
        "fan",
        "max_cost",
        "timeout",
        "batch_timeout",
        "accept",
    ),
    *("interpreter", "confine", "cache", "test_timeout", "suite_timeout"),
)
_INCOMPLETE = (
    "the diff quotes a secret, which is left out of what is printed: --apply writes "
    "the fix itself"
)
_LEVELS: Mapping[str, Literal["ok", "warning", "error"]] = {
    "ok": "ok",
    "warn": "warning",
    "error": "error",
}


async def test(arguments: argparse.Namespace) -> Ending:
    """Run the suite in a copy and list what fails."""
    project, streams = _open(arguments)
    with listening(streams) as listen:
        seen = await project.observe(
            select=arguments.test or None,
            expression=arguments.expression,
            listen=listen,
        )
    where = streams.shown
    streams.result(console.run_lines(seen.run, where.marks))
    document = report.for_test(seen.run, seen.groups)
    if arguments.localize:
        located = _located(seen)
        streams.result(suspicion.suspicion_lines(located, seen.shown))
        document = {**document, "suspects": suspicion.suspicion_objects(located)}
    return Ending(exits.code_of_run(seen.run), document)


def _located(seen: Observation) -> list[suspicion.Located]:
    """Where each cause may lie: by all of its failures together."""
    return [
        suspicion.Located(
            tuple(result.id for result in group),
            suspects(seen.run, group, sources=seen.shown, changed=seen.changed),
        )
        for group in seen.groups
    ]


async def fix(arguments: argparse.Namespace) -> Ending:
    """Repair what fails; print the diff, or write it with `--apply`."""
    project, streams = _open(arguments)
    if arguments.show_prompt:
        return await _show_prompt(project, arguments)
    repairs: list[Repair] = []
    bases: list[Baseline] = []
    with listening(streams) as listen:

        def hear(event: Event) -> None:
            base = event.facts.get("baseline")
            if isinstance(base, Baseline):
                bases.append(base)
                streams.say(console.run_lines(base.run, streams.story.marks))
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
                streams.say(console.repair_lines(repair, streams.story.marks))
    return _deliver(project, streams, repairs, bases, applying=arguments.apply)


def _deliver(
    project: Project,
    streams: Streams,
    repairs: Sequence[Repair],
    bases: Sequence[Baseline],
    *,
    applying: bool,
) -> Ending:
    total = _delivered(repairs, project.config, applying=applying)
    failure: BonafixError | None = None
    if total and total.best:
        patch = total.best.candidate.patch
        if not applying and streams.results:
            streams.say(_headline(total))
            whole = console.print_diff(patch, streams.results)
            streams.say(() if whole else [((_INCOMPLETE, "yellow"),)])
        elif applying:
            try:
                apply(project.root, patch)
                streams.say([((f"applied to {', '.join(patch.paths)}", "bold"),)])
            except BonafixError as error:
                failure = error
                show([((f"bonafix: {error}", "red"),)], streams.story)
    if not repairs:
        streams.say([(("nothing to fix: no test fails", "green"),)])
    code = exits.exit_code(
        [repair.verdict for repair in repairs],
        errors=[failure] if failure else [],
        kinds=[repair.error_kind for repair in repairs],
    )
    base = bases[-1] if bases else None
    return Ending(code, report.for_fix(repairs, base, error=failure))


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
    last = next((repair for repair in reversed(repairs) if repair.whole), None)
    if last:
        return last if last.verdict in good else None
    kept = [repair for repair in repairs if repair.best and repair.verdict in good]
    return kept[-1] if kept else None


def _headline(total: Repair) -> list[Line]:
    if total.verdict is Verdict.VERIFIED:
        return [(("the fix:", "bold"),)]
    return [(("the best fix, plausible and not verified:", "bold"),)]


async def _show_prompt(project: Project, arguments: argparse.Namespace) -> Ending:
    text = await project.prompt(tests=arguments.test, expression=arguments.expression)
    # Where the document of `--json` takes standard output, that is all there is on it.
    where = sys.stderr if arguments.json == "-" else sys.stdout
    where.write(text + "\n")
    return Ending(exits.OK, report.for_fix())


async def check(arguments: argparse.Namespace) -> Ending:
    """Send anyone's patch through the gate."""
    project, streams = _open(arguments)
    where = streams.shown
    if arguments.receipt and not arguments.rerun:
        derived = project.derive(arguments.receipt)
        streams.result(
            console.judgement_lines(derived, where.marks, str(arguments.receipt))
        )
        document = report.for_check(derived, receipt=str(arguments.receipt))
        return Ending(exits.exit_code([derived.verdict]), document)
    patch = _patch(arguments)
    with listening(streams) as listen:
        judgement, base, receipt = await project.check(
            patch, tests=arguments.test, review=bool(arguments.review), listen=listen
        )
    streams.result(console.judgement_lines(judgement, where.marks, receipt))
    document = report.for_check(judgement, base, receipt=receipt)
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
    from bonafix.propose.claude import status  # noqa: PLC0415

    project, streams = _open(arguments)
    claude = status(project.config, os.environ)
    findings = await examine(project.root, project.config, claude)
    checks = [
        report.Check(
            name=f.topic, result=_LEVELS[f.level], found=f.text, advice=f.advice
        )
        for f in findings
    ]
    where = streams.shown
    streams.result(console.check_lines(checks, where.marks))
    wrong = any(check.result == "error" for check in checks)
    return Ending(exits.UNTRUSTED if wrong else exits.OK, report.for_doctor(checks))


def _open(arguments: argparse.Namespace) -> tuple[Project, Streams]:
    root: Path = arguments.root.absolute()
    if not root.is_dir():
        raise UsageError(f"{arguments.root} is not a folder")
    given = {name: getattr(arguments, name, None) for name in _SETTINGS}
    review = getattr(arguments, "review", None)
    given["review"] = None if review is None else "auto" if review else "off"
    if given["interpreter"]:  # relative to where the user stands, not to the project
        given["interpreter"] = str(Path(given["interpreter"]).absolute())
    streams = streams_of(arguments)
    return Project(root.resolve(), load(root, overrides=given)), streams


COMMANDS: dict[
    str, Callable[[argparse.Namespace], Coroutine[object, object, Ending]]
] = {
    "test": test,
    "fix": fix,
    "check": check,
    "doctor": doctor,
    "selftest": selftest,
}
