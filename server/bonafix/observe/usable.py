"""A run in; nothing out if it can be trusted, else the reason as an exception; pure.

A suite that could not be collected has no failures, and must not look like success.
"""

from __future__ import annotations

from bonafix.domain import Outcome, SuiteRun
from bonafix.errors import CollectionFailedError, ForeignCodeError, UntrustedError

_SHOWN = 3  # collection errors, and foreign modules, that are named
_TAIL = 20  # lines of output
_LINES = 12  # of one collection error
_LOST = frozenset({Outcome.HUNG, Outcome.CRASHED})
_USAGE, _NOTHING = 4, 5  # pytest's exit codes


def require_usable(run: SuiteRun, *, allow_uncollected: bool = False) -> None:
    """Refuse a run whose results cannot be believed to be the suite's.

    `allow_uncollected` accepts files that pytest could not collect; where it stopped
    at them, nothing is known of the others.

    Raises:
        ForeignCodeError: a module of the project was not the copy's.
        CollectionFailedError: something could not be collected, or nothing was.
        UntrustedError: the session did not get to its end.
    """
    if run.foreign:
        raise ForeignCodeError(_foreign(run))
    if run.collection_errors and not allow_uncollected:
        raise CollectionFailedError(_uncollected(run))
    if run.timed_out:
        raise UntrustedError(
            f"The test run was stopped at its time limit, after {run.seconds:.0f} s "
            f"with {len(run.results)} of {len(run.collected)} tests done. Raise "
            "`suite_timeout`, or select fewer tests."
        )
    if not run.finished:
        raise _unfinished(run)
    if run.collection_errors and not run.results:
        return
    if not run.collected:
        raise CollectionFailedError(_nothing(run))


def _foreign(run: SuiteRun) -> str:
    named = ", ".join(run.foreign[:_SHOWN])
    more = len(run.foreign) - _SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return (
        f"The tests loaded modules of the project from outside its copy: {named}"
        f"{rest}. What they say is about that code, not about this. Install the "
        "project in editable mode (pip install -e .), or put its folder on pytest's "
        "`pythonpath`."
    )


def _uncollected(run: SuiteRun) -> str:
    errors = run.collection_errors
    parts = [f"pytest could not collect {len(errors)} of the project's test files."]
    for error in errors[:_SHOWN]:
        lines = error.message.strip().splitlines()[-_LINES:]
        parts += [f"{error.id or 'the session'}:", *(f"  {line}" for line in lines)]
    if len(errors) > _SHOWN:
        parts.append(f"... and {len(errors) - _SHOWN} more")
    return "\n".join(parts)


def _unfinished(run: SuiteRun) -> UntrustedError:
    said = _tail(run.output)
    if not run.collected:  # usage, configuration, a plugin or conftest that raised
        return CollectionFailedError(
            f"pytest did not start (exit code {run.exit_code}):\n{said}"
        )
    lost = [one for one in run.results.values() if one.outcome in _LOST]
    if len(lost) > 1:
        named = ", ".join(one.id for one in lost[:_SHOWN])
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        return UntrustedError(
            f"{len(lost)} tests hung or ended the process ({named}{more}), and the "
            f"run was given up with {len(run.results)} of {len(run.collected)} tests "
            "done. Leave them out, or see what they wait for; `test_timeout` says how "
            "long each of them may."
        )
    return UntrustedError(
        f"pytest ended before its session did (exit code {run.exit_code}), with "
        f"{len(run.results)} of {len(run.collected)} tests done:\n{said}"
    )


def _nothing(run: SuiteRun) -> str:
    if run.exit_code not in {_NOTHING, None}:
        return f"pytest could not run (exit code {run.exit_code}):\n{_tail(run.output)}"
    left_out = len(run.deselected)
    if left_out:
        return f"No test is left: all {left_out} were deselected."
    return f"pytest collected no tests:\n{_tail(run.output)}"


def _tail(output: str) -> str:
    lines = [line.rstrip() for line in output.strip().splitlines() if line.strip()]
    return "\n".join(lines[-_TAIL:])
