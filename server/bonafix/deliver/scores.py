"""Trials of labelled patches as the JSON document and the lines of `selftest`; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bonafix.deliver import figures
from bonafix.deliver.codec import Json
from bonafix.deliver.console import counted
from bonafix.deliver.figures import ENDINGS, Goal, Group, Share, Table, Trial
from bonafix.deliver.report import SCHEMA_VERSION, Document, error_object
from bonafix.deliver.terminal import Line, Marks, one_line

_WIDTH = 19
_KINDS = {True: "good", False: "bad", None: "none"}
_STYLES = {"good": "green", "bad": "red", "doubt": "yellow", "none": "dim"}


# ----------------------------------------------------------------------- document


def for_selftest(
    trials: Sequence[Trial] = (), *, error: BaseException | None = None
) -> Document:
    """What became of each patch, and the figures of the gate."""
    middle = figures.median_cpu(trials)
    return {
        "schema_version": SCHEMA_VERSION,
        "patches": [_patch(trial) for trial in trials],
        "missed": [trial.specimen.id for trial in figures.missed(trials)],
        "undecided": [trial.specimen.id for trial in figures.undecided(trials)],
        "wrongly_refused": [t.specimen.id for t in figures.wrongly_refused(trials)],
        "figures": [_table(table) for table in figures.tables(trials)],
        "goals": [_goal(goal) for goal in figures.goals(trials)] if trials else [],
        "cpu_seconds_median": None if middle is None else round(middle, 3),
        "error": error_object(error),
    }


def _patch(trial: Trial) -> Json:
    specimen, bare = trial.specimen, trial.untainted
    return {
        "id": specimen.id,
        "label": specimen.label,
        "family": specimen.family or None,
        "suspicious": specimen.suspicious,
        "pure": specimen.pure,
        "held_out": specimen.held_out,
        "verdict": trial.verdict.value,
        "accepted": trial.verdict.accepted,
        "reason": trial.reason or None,
        "stages": dict(trial.stages),
        "verdict_without_taint": None if bare is None else bare.value,
        "seconds": round(trial.seconds, 3),
        "cpu_seconds": round(trial.cpu_seconds, 3),
    }


def _table(table: Table) -> Json:
    return {
        "part": table.part,
        "without": list(table.without),
        "projects": table.projects,
        "groups": [_group(group) for group in table.groups],
    }


def _group(group: Group) -> Json:
    shares: dict[str, Json] = {one: _share(group.shares[one]) for one in ENDINGS}
    return {"name": group.name, "n": group.n, **shares}


def _share(share: Share) -> Json:
    return {
        "count": share.count,
        "share": round(share.value, 4) if share.n else None,
        "low": round(share.low, 4),
        "high": round(share.high, 4),
    }


def _goal(goal: Goal) -> Json:
    return {
        "name": goal.name,
        "wanted": goal.wanted,
        "found": goal.found,
        "met": goal.met,
    }


# -------------------------------------------------------------------------- lines


def score_lines(trials: Sequence[Trial], marks: Marks, *, full: bool) -> Iterator[Line]:
    """Caught, missed, wrongly refused, each with its patches; all figures if `full`."""
    yield from _caught(trials, marks)
    yield from _honest(trials, marks, full=full)
    yield from _wrong(trials, marks)
    if broken := figures.failed(trials):
        yield _head("bad", marks, "not judged", counted(len(broken), "patch", "es"))
        yield from _named(broken, "bad")
    if full:
        yield from _leaning(trials, marks)
        yield from figure_lines(trials, marks)


def _caught(trials: Sequence[Trial], marks: Marks) -> Iterator[Line]:
    cheats = [t for t in trials if t.specimen.label == "dishonest"]
    caught = sum(t.ending == "refused" for t in cheats)
    missed, open_ = figures.missed(trials), figures.undecided(trials)
    said = f"{caught} of {counted(len(cheats), 'dishonest patch', 'es')} refused"
    if open_:
        said += f", {len(open_)} no more than plausible"
    yield _head("doubt" if caught < len(cheats) else "good", marks, "caught", said)
    yield from _named(open_, "doubt")
    said = f"{len(missed)} verified" if missed else "none verified"
    yield _head("bad" if missed else "good", marks, "missed", said)
    yield from _named(missed, "bad")


def _honest(trials: Sequence[Trial], marks: Marks, *, full: bool) -> Iterator[Line]:
    honest = [t for t in trials if t.specimen.label == "honest"]
    refused = figures.wrongly_refused(trials)
    verified = sum(t.ending == "verified" for t in honest)
    said = (
        f"{len(refused) or 'none'} of {counted(len(honest), 'honest patch', 'es')}, "
        f"{verified} verified"
    )
    yield _head("bad" if refused else "good", marks, "wrongly refused", said)
    yield from _named(refused, "bad")
    if full:  # what would have had to be shown to get more of them verified
        yield from _named([t for t in honest if t.ending == "plausible"], "doubt")


def _wrong(trials: Sequence[Trial], marks: Marks) -> Iterator[Line]:
    """Meant well and wrong: nobody can promise to see these, so it is told apart."""
    meant = [t for t in trials if t.specimen.label == "wrong"]
    if not meant:
        return
    verified = figures.deceived(trials)
    said = (
        f"{len(verified) or 'none'} of {len(meant)} that fit the tests and are wrong "
        "all the same"
    )
    yield _head("doubt" if verified else "good", marks, "verified errors", said)
    yield from _named(verified, "doubt")


def _leaning(trials: Sequence[Trial], marks: Marks) -> Iterator[Line]:
    """The cheats that one stage alone keeps from being verified."""
    cheats = [t for t in trials if t.specimen.label == "dishonest"]
    if not cheats or any(t.untainted is None for t in cheats):
        return
    bare = [t for t in cheats if figures.verified_without_taint(t)]
    said = f"{len(bare) or 'none'} would be verified without the stage taint"
    yield _head("doubt" if bare else "good", marks, "held by taint", said)
    yield from _named(bare, "doubt")


def _head(kind: str, marks: Marks, name: str, said: str) -> Line:
    return (
        (f"{getattr(marks, kind)} {name:<15}", f"bold {_STYLES[kind]}"),
        (f"  {said}", ""),
    )


def _named(trials: Sequence[Trial], kind: str) -> Iterator[Line]:
    """Each with its file and what the gate said of it."""
    for trial in sorted(trials, key=lambda one: one.specimen.id):
        one = trial.specimen
        family = f" ({one.family})" if one.family else ""
        yield (
            (f"    {one.id}.patch{family}", _STYLES[kind]),
            (f"  {trial.verdict}: {one_line(trial.reason)}", ""),
        )


def figure_lines(trials: Sequence[Trial], marks: Marks) -> Iterator[Line]:
    """The tables with their intervals, then the goals."""
    for table in figures.tables(trials):
        yield from _table_lines(table)
    yield (("", ""),)
    yield (("goals (no rule is bent to reach one)", "bold"),)
    for goal in figures.goals(trials):
        kind = _KINDS[goal.met]
        yield (
            (f"{getattr(marks, kind)} ", _STYLES[kind]),
            (f"{goal.name:<30}{goal.wanted:<15}{goal.found}", ""),
        )


def _table_lines(table: Table) -> Iterator[Line]:
    total = sum(group.n for group in table.groups)
    title = f"{table.part}: {counted(total, 'patch', 'es')} "
    title += f"of {counted(table.projects, 'project')}"
    if table.without:
        title += f", without the stage {', '.join(table.without)}"
    yield (("", ""),)
    yield ((title, "bold"), (" (95 % intervals, by project)", "dim"))
    yield ((f"{'':<19}{'n':>5}" + "".join(f"{e:>{_WIDTH}}" for e in ENDINGS), "dim"),)
    for group in table.groups:
        if not group.n:
            continue
        cells = "".join(f"{_cell(group.shares[e]):>{_WIDTH}}" for e in ENDINGS)
        yield ((f"{group.name:<19}{group.n:>5}{cells}".rstrip(), ""),)


def _cell(share: Share) -> str:
    """`118   98 (81-99) %`."""
    low, high = round(100 * share.low), round(100 * share.high)
    return f"{share.count} {100 * share.value:>4.0f} ({low}-{high}) %"
