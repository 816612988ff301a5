"""Which places are hidden and which are shown again, worked out before entering.

Hidden and shown folders nest in any order (a home, in it a project, in it a virtual
environment): the deepest one decides. A place that is both is hidden.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_LINKS = 40  # as many as the kernel follows


@dataclass(frozen=True, slots=True)
class Place:
    """A folder (rarely a file) at which the answer changes."""

    path: str
    kind: Literal["hide", "show"]


def arrange(hide: Iterable[str], show: Iterable[str]) -> tuple[Place, ...]:
    """Order real absolute paths so that a parent comes before what is in it.

    Places that change nothing (hidden in hidden, shown in shown) are left out.
    """
    kinds: dict[str, Literal["hide", "show"]] = dict.fromkeys(show, "show")
    kinds |= dict.fromkeys(hide, "hide")
    kinds.pop("/", None)
    accepted: dict[str, Place] = {}
    for path in sorted(kinds, key=lambda path: (path.count("/"), path)):
        if kinds[path] != _nearest(path, accepted):
            accepted[path] = Place(path, kinds[path])
    return tuple(accepted.values())


def _nearest(path: str, places: dict[str, Place]) -> Literal["hide", "show"]:
    for parent in Path(path).parents:
        if place := places.get(str(parent)):
            return place.kind
    return "show"


def visible(path: str, places: Sequence[Place]) -> bool:
    """Whether `path` can be reached in this view."""
    known = {place.path: place for place in places}
    own = known.get(path)
    return (own.kind if own else _nearest(path, known)) == "show"


def links_on_the_way(path: Path) -> tuple[tuple[str, str], ...]:
    """The symbolic links that a walk along `path` follows: (link, its text)."""
    found: list[tuple[str, str]] = []
    rest = list(path.parts[1:])
    here = Path("/")
    while rest and len(found) < _LINKS:
        step = rest.pop(0)
        if step == "..":
            here = here.parent
            continue
        here /= step
        if os.path.islink(here):  # noqa: PTH114 - pathlib raises where we may not look
            text = str(here.readlink())
            found.append((str(here), text))
            rest = [part for part in Path(text).parts if part != "/"] + rest
            here = Path("/") if text.startswith("/") else here.parent
    return tuple(found)


def readable(places: Sequence[Place]) -> tuple[str, ...]:
    """The fewest places that together show all but what is hidden.

    Landlock can only allow, so a folder with something hidden below it is opened
    up into its entries; the folder itself can then not be listed.
    """
    hidden = [place.path for place in places if place.kind == "hide"]
    shown = [place.path for place in places if place.kind == "show"]
    allowed: list[str] = []
    pending = ["/", *shown]
    while pending:
        path = pending.pop()
        if path in hidden:
            continue
        if not any(other.startswith(path.rstrip("/") + "/") for other in hidden):
            allowed.append(path)
            continue
        pending += _entries(path)
    return tuple(sorted(set(allowed)))


def _entries(folder: str) -> list[str]:
    """What lies in it; links are left out, for their targets stand for themselves."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if not entry.is_symlink()]
    except OSError:
        return []
