"""Verdicts and errors in, the command line's exit code out; pure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from bonafix.domain import SuiteRun, Verdict
from bonafix.errors import BonafixError

OK, NOT_FIXED, USAGE, UNTRUSTED, SERVICE, PLAUSIBLE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

# Of several results the first of these that applies is the whole command's.
_PRECEDENCE = (INTERRUPTED, USAGE, UNTRUSTED, SERVICE, NOT_FIXED, PLAUSIBLE)

_BY_VERDICT = {
    Verdict.VERIFIED: OK,
    Verdict.PLAUSIBLE: PLAUSIBLE,
    Verdict.ERROR: UNTRUSTED,  # unless its kind says more: an error is never 0
}


def exit_code(
    verdicts: Sequence[Verdict],
    *,
    errors: Iterable[BaseException] = (),
    kinds: Iterable[str] = (),
) -> int:
    """The code of a `fix` or `check` with these results; 0 for none at all.

    `kinds` are the kinds of the errors in which repairs ended (`Repair.error_kind`);
    each speaks for one verdict `error`.
    """
    named = [code_of_kind(kind) for kind in kinds if kind]
    unnamed = max(0, sum(v is Verdict.ERROR for v in verdicts) - len(named))
    codes = {_BY_VERDICT.get(v, NOT_FIXED) for v in verdicts if v is not Verdict.ERROR}
    codes.update(named, (code_of(error) for error in errors))
    if unnamed:
        codes.add(UNTRUSTED)
    return first_that_applies(codes)


def code_of_run(run: SuiteRun) -> int:
    """The code of `test`: green, failures, or a suite that says too little."""
    if run.collection_errors or not run.finished or run.timed_out:
        return UNTRUSTED
    return NOT_FIXED if run.red else OK


def code_of(error: BaseException) -> int:
    """The code of what ended the command; never 0."""
    if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
        return INTERRUPTED
    return error.code if isinstance(error, BonafixError) else BonafixError.code


def kind_of(error: BaseException) -> str:
    """The word for an error in reports."""
    if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
        return "interrupted"
    return error.kind if isinstance(error, BonafixError) else BonafixError.kind


def code_of_kind(kind: str) -> int:
    """The code of the error whose `kind` this is; never 0."""
    if kind == "interrupted":
        return INTERRUPTED
    return next((e.code for e in _kinds(BonafixError) if e.kind == kind), UNTRUSTED)


def first_that_applies(codes: Iterable[int]) -> int:
    """Fold the codes of several results into one."""
    found = set(codes)
    return next((code for code in _PRECEDENCE if code in found), OK)


def _kinds(root: type[BonafixError]) -> Iterable[type[BonafixError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)
