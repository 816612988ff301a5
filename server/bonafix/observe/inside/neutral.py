"""The options of the project that would keep the suite's results from us.

Its configuration is honoured; reporters, coverage, the stop at the first failure,
selections from the last run, debuggers and xdist's workers are switched off, and
each is named.
"""

from __future__ import annotations

import contextlib
import typing

# (attribute of config.option, the flag as users know it, the neutral value)
_OPTIONS: typing.Tuple[typing.Tuple[str, str, typing.Any], ...] = (
    ("lf", "--lf", False),
    ("failedfirst", "--ff", False),
    ("newfirst", "--nf", False),
    ("stepwise", "--sw", False),
    ("stepwise_skip", "--sw-skip", False),
    ("looponfail", "--looponfail", False),
    ("usepdb", "--pdb", False),
    ("trace", "--trace", False),
    ("xmlpath", "--junitxml", None),
    ("htmlpath", "--html", None),
    ("report_log", "--report-log", None),
    ("pastebin", "--pastebin", None),
    ("allure_report_dir", "--alluredir", None),
    ("tbstyle", "--tb", "auto"),
    ("showcapture", "--show-capture", "all"),
    ("color", "--color", "no"),
)
_QUIET = {"color", "showcapture"}  # they change how it looks, so nobody is told
_SEED = 1  # of pytest-randomly: an order of its own each time would look flaky


def early(args: typing.List[str], options: typing.Any) -> typing.List[str]:
    """Before the plugins start: coverage measures from then on."""
    if not getattr(options, "cov_source", None) or not hasattr(options, "no_cov"):
        return []
    args.append("--no-cov")  # parsed once more, after the plugins have seen it
    options.no_cov = True
    return ["--cov"]


def late(option: typing.Any, *, stop_at_first: bool) -> typing.List[str]:
    """Before the session: what is read from then on."""
    done = [flag for name, flag, value in _OPTIONS if _set(option, name, value)]
    wanted = 1 if stop_at_first else 0
    if _set(option, "maxfail", wanted) and not stop_at_first:
        done.append("-x/--maxfail")
    return done + _workers(option) + _seed(option)


@contextlib.contextmanager
def unsummarised(config: typing.Any) -> typing.Iterator[None]:
    """While the session ends: no plugin sums it up for a terminal that nobody reads.

    Hypothesis imports all of itself for that, a second in each of many processes.
    """
    name, hooks = "pytest_terminal_summary", config.hook
    before = getattr(hooks, name)
    everybody = config.pluginmanager.get_plugins()
    setattr(hooks, name, config.pluginmanager.subset_hook_caller(name, everybody))
    try:
        yield
    finally:
        setattr(hooks, name, before)


def _set(option: typing.Any, name: str, value: object) -> bool:
    """Whether the project had set it to anything else, told where it matters."""
    missing = object()
    before = getattr(option, name, missing)
    if before is missing or before == value or (not before and not value):
        return False
    setattr(option, name, value)
    return name not in _QUIET


def _workers(option: typing.Any) -> typing.List[str]:
    if not hasattr(option, "numprocesses"):
        return []
    asked = option.numprocesses or getattr(option, "tx", None)
    option.numprocesses, option.dist, option.tx = 0, "no", []
    return ["-n/--dist (xdist's workers)"] if asked else []


def _seed(option: typing.Any) -> typing.List[str]:
    if getattr(option, "randomly_seed", None) not in ("default", "last"):
        return []
    option.randomly_seed = _SEED
    return ["--randomly-seed (pinned)"]
