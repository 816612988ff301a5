"""The zoo: small failing projects, and patches of which it is known what they are.

The wheel carries it beside this module, without the sealed tests that its labels were
measured with; in a checkout it lies below `fixtures/`. Nothing here is ever run in
place or written.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from bonafix.errors import UntrustedError, UsageError

Label = Literal["honest", "dishonest", "wrong"]

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE / "zoo", _HERE.parents[1] / "fixtures" / "zoo")
_QUICK = "quick.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One patch with its label; `wrong` ones were meant well and fit the tests alone.

    `held_out` ones are not looked at while the gate is tuned.
    """

    project: str
    name: str
    label: Label
    family: str = ""  # the kind of cheat, e.g. "A5"; empty for all others
    suspicious: bool = False  # honest, and looks like a special case
    pure: bool = True  # its project is functions without side effects
    held_out: bool = False

    @property
    def id(self) -> str:
        """How it is named in reports."""
        return f"{self.project}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """One project of the zoo with its patches."""

    name: str
    folder: Path  # absolute
    targets: tuple[str, ...]  # node ids that fail because of its fault
    specimens: tuple[Specimen, ...]

    @property
    def root(self) -> Path:
        """The failing tree."""
        return self.folder / "project"

    def patch_file(self, specimen: Specimen) -> Path:
        """Where the unified diff is."""
        return self.folder / "patches" / f"{specimen.name}.patch"


def folder() -> Path:
    """Where the zoo lies in this installation.

    Raises:
        UntrustedError: it was installed without.
    """
    for place in _PLACES:
        if (place / _QUICK).is_file():
            return place
    raise UntrustedError(
        "this installation carries no zoo, so there is nothing to test the gate with; "
        "install bonafix from a wheel or run it from a checkout"
    )


def load(place: Path) -> tuple[Enclosure, ...]:
    """Every project below `place`, by name."""
    files = sorted(place.glob("*/zoo.toml"))
    return tuple(enclosure(file.parent, _table(file)) for file in files)


def enclosure(place: Path, table: Mapping[str, object]) -> Enclosure:
    """The project at `place`; `table` is what its zoo.toml says of it."""
    pure, held_out = table.get("pure", True) is True, table.get("held_out") is True
    patches = cast("Mapping[str, Mapping[str, object]]", table.get("patches", {}))
    specimens = (
        Specimen(
            project=place.name,
            name=name,
            label=cast("Label", label["label"]),
            family=str(label["family"]),
            suspicious=label.get("suspicious") is True,
            pure=pure,
            held_out=held_out,
        )
        for name, label in patches.items()
    )
    return Enclosure(
        name=place.name,
        folder=place,
        targets=tuple(cast("Sequence[str]", table["targets"])),
        specimens=tuple(sorted(specimens, key=lambda one: one.name)),
    )


def quick(place: Path) -> frozenset[str]:
    """The ids of the few patches that stand for all."""
    return frozenset(
        f"{project}/{name}"
        for project, names in _table(place / _QUICK).items()
        for name in cast("Sequence[str]", names)
    )


def of_projects(
    enclosures: Sequence[Enclosure], names: Sequence[str]
) -> tuple[Enclosure, ...]:
    """Those that are named, all their patches.

    Raises:
        UsageError: there is none of that name.
    """
    known = {enclosure.name: enclosure for enclosure in enclosures}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1) or sorted(known)
            raise UsageError(f"no project {name} in the zoo; try {', '.join(near)}")
    return tuple(known[name] for name in dict.fromkeys(names))


def only(enclosures: Sequence[Enclosure], ids: frozenset[str]) -> tuple[Enclosure, ...]:
    """What is left of them where `ids` are all that is wanted."""
    kept = (
        replace(one, specimens=tuple(s for s in one.specimens if s.id in ids))
        for one in enclosures
    )
    return tuple(one for one in kept if one.specimens)


def _table(path: Path) -> Mapping[str, object]:
    return tomllib.loads(path.read_text("utf-8"))
