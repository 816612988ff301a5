"""Which of several failing tests, and which rows of one, stay visible; pure.

Few stay: what is shown is what a patch can be fitted to. But never none, and rather
different ones than alike: a fix that only the sealed part specifies were unfair.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

_FEW = 3  # of so many failing things one is shown, of more than these two


def shown(count: int) -> int:
    """How many of `count` failing things stay visible."""
    return min(count, 1 if count <= _FEW else 2)


def first_shown(sizes: Sequence[tuple[int, str]], total: int) -> frozenset[int]:
    """Which of the failing tests stay visible, by their positions.

    `sizes` are their lengths and files: the shortest says most plainly what is
    wanted, the next best comes from another file. `total` counts those, too, that
    are no targets.
    """
    order = sorted(range(len(sizes)), key=lambda at: (sizes[at][0], at))
    kept = order[:1]
    if len(order) > 1 and shown(total) > 1:
        others = [at for at in order[1:] if sizes[at][1] != sizes[order[0]][1]]
        kept.append((others or order[1:])[0])
    return frozenset(kept)


def sealed_rows(
    count: int,
    red: Sequence[int],
    aimed: Sequence[int],
    said: Sequence[str],
    *,
    numbered: bool,
) -> frozenset[int]:
    """Which rows of a test to seal: most that fail, and some beside them that pass.

    `red` are the rows that fail, in order, `said` what each of them says, `aimed`
    those of them that are to be repaired. Where rows are `numbered`, only the last
    ones can go, or the others would be renamed.
    """
    if len(red) < 2 or not aimed:  # noqa: PLR2004 - one of two is kept
        return frozenset()
    kept = _kept(red, aimed, said)
    if numbered:
        return frozenset(range(min(kept) + 1, count))
    gone = frozenset(red) - kept
    return gone | _beside(count, gone, red)


def _kept(
    red: Sequence[int], aimed: Sequence[int], said: Sequence[str]
) -> frozenset[int]:
    first = aimed[0]
    if shown(len(red)) < 2:  # noqa: PLR2004
        return frozenset({first})
    words = dict(zip(red, said, strict=True))
    others = [row for row in red if row != first]
    unlike = [row for row in others if words[row] != words[first]]
    return frozenset({first, (unlike or others)[0]})


def _beside(count: int, gone: Collection[int], red: Collection[int]) -> frozenset[int]:
    """Passing rows near the sealed ones, at most as many, and at most half of all."""
    green = [row for row in range(count) if row not in red]
    near = sorted(green, key=lambda row: (min(abs(row - one) for one in gone), row))
    return frozenset(near[: min(len(gone), len(green) // 2)])
