"""The editor's settings in, the overrides that `config.load` takes out."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence

SECTION = "bonafix"

# Not settings of a run: the editor's own, or answered elsewhere in this folder.
_NOT_OURS = frozenset(
    {
        *("path", "trace", "log_level", "trust", "trusted"),
        *("diagnostics", "results", "projects", "testing_view", "progress"),
    }
)


def overrides(*sources: object) -> dict[str, object]:
    """Lay the editor's objects over each other, the strongest last.

    camelCase is accepted. Trust is left out: a workspace's settings file belongs to
    the project, and a project must not trust itself.
    """
    merged: dict[str, object] = {}
    for source in sources:
        for key, value in section(source).items():
            name = snake(str(key))
            if name not in _NOT_OURS and value is not None:
                merged[name] = value
    return merged


def section(source: object) -> Mapping[str, object]:
    """The object itself, or the one under `bonafix` in it."""
    if not isinstance(source, Mapping):
        return {}
    inner = source.get(SECTION)
    return inner if isinstance(inner, Mapping) else source


def snake(name: str) -> str:
    """`maxCost` and `max-cost` to `max_cost`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower().replace("-", "_")


def trusted(options: object) -> bool:
    """Whether the client says at its start that its user trusts the workspace."""
    given = section(options)
    return given.get("trusted") is True or given.get("trust") is True


def pulls(options: object) -> bool:
    """Whether the client's user wants it to ask for diagnostics: "pull"."""
    return section(options).get("diagnostics") == "pull"


def projects(options: object) -> tuple[str, ...]:
    """The patterns of the folders that are projects of their own."""
    given = section(options).get("projects")
    named = given if isinstance(given, Sequence) and not isinstance(given, str) else ()
    return tuple(glob for glob in named if isinstance(glob, str))


def wants_results(options: object) -> bool:
    """Whether the client says that it understands our own notifications."""
    return section(options).get("results") is True


def log_level(*sources: object) -> str:
    """The level asked for, the last source winning, or "warning"."""
    level = "warning"
    for source in sources:
        given = section(source)
        asked = given.get("logLevel", given.get("log_level"))
        if isinstance(asked, str) and asked in {"error", "warning", "info", "debug"}:
            level = asked
    return level


def set_level(*sources: object) -> None:
    """Log from here on as the settings ask."""
    logging.getLogger(SECTION).setLevel(log_level(*sources).upper())
