"""The figures as a picture: how near each one is to its goal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from figures import Figure

LINE, LEFT, WIDTH, RIGHT = 22, 470, 380, 150  # pixels
TOP = 46
SPAN = 8.0  # times better or worse than the goal, at the ends
SVG = "http://www.w3.org/2000/svg"
FONT = 'font-family="sans-serif" font-size="12"'
FAINT = 'stroke-width="3" stroke-opacity="0.4"'
COLOURS = {True: "#2a7f4f", False: "#b8562f"}


def drawn(figures: Sequence[Figure]) -> str:
    """An SVG: a point for each median, a line for its spread, all over their goals.

    The axis is logarithmic; right of the middle is better than the goal.
    """
    known = [one for one in figures if one.values]
    height = TOP + LINE * len(known) + 14
    middle = LEFT + WIDTH / 2
    parts = [
        f'<svg xmlns="{SVG}" width="{LEFT + WIDTH + RIGHT}" height="{height}" {FONT}>',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(int(middle), 18, "goal", "middle"),
        _text(LEFT, 34, f"{SPAN:g} times short of it"),
        _text(LEFT + WIDTH, 34, f"{SPAN:g} times better", "end"),
        f'<path d="M{middle} 24V{height - 8}" stroke="#888"/>',
    ]
    for n, one in enumerate(known):
        parts += _row(one, TOP + LINE * n + LINE // 2)
    return "\n".join([*parts, "</svg>\n"])


def _row(one: Figure, y: int) -> list[str]:
    colour = COLOURS[one.goal.reached(one.middle)]
    low, high, point = (
        _at(one, v) for v in (min(one.values), max(one.values), one.middle)
    )
    _, _, goal, measured, *_ = one.cells()
    return [
        _text(LEFT - 12, y + 4, f"{one.what}: {one.subject}", "end"),
        f'<path d="M{low:.1f} {y}H{high:.1f}" stroke="{colour}" {FAINT}/>',
        f'<circle cx="{point:.1f}" cy="{y}" r="4" fill="{colour}"/>',
        _text(LEFT + WIDTH + 12, y + 4, f"{measured} ({goal})"),
    ]


def _text(x: int, y: int, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _at(one: Figure, value: float) -> float:
    """Where a value stands on the axis."""
    ratio = value / one.goal.value if one.goal.least else one.goal.value / value
    place = math.log(max(ratio, 1 / SPAN), SPAN) if ratio < SPAN else 1.0
    return LEFT + WIDTH / 2 * (1 + place)
