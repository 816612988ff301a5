"""The deepest word about a place counts, and what changes nothing is left out."""

from __future__ import annotations

import os

import pytest

from bonafix.sandbox.view import arrange, links_on_the_way, readable, visible


@pytest.mark.parametrize(
    ("hide", "show", "expected"),
    [
        (["/home/u"], [], ["-/home/u"]),
        (["/home/u", "/home/u/p"], [], ["-/home/u"]),
        (["/home/u/p"], ["/home/u/p/.venv"], ["-/home/u/p", "+/home/u/p/.venv"]),
        (["/home/u"], ["/usr"], ["-/home/u"]),
        (["/h", "/h/t/s"], ["/h/t"], ["-/h", "+/h/t", "-/h/t/s"]),
        (["/h"], ["/h"], ["-/h"]),
        (["/h"], ["/h/a", "/h/a/b"], ["-/h", "+/h/a"]),
        (["/"], [], []),
        (["/home/u"], ["/home/user2"], ["-/home/u"]),
        (["/h/u"], ["/h"], ["-/h/u"]),
    ],
)
def test_arrange(hide, show, expected):
    """Parents first, `-` hidden, `+` shown again."""
    places = arrange(hide, show)
    signs = {"hide": "-", "show": "+"}
    assert [signs[place.kind] + place.path for place in places] == expected


def test_visible():
    """A name that only begins alike is another place."""
    places = arrange(["/h/u"], ["/h/u/env"])
    for path, expected in {
        "/h/u": False,
        "/h/u/x": False,
        "/h/u/env": True,
        "/h/u/env/lib": True,
        "/h/u2": True,
        "/": True,
    }.items():
        assert visible(path, places) is expected


def test_readable_opens_up_what_leads_to_the_hidden(tmp_path):
    """Everything but the hidden is covered, and nothing leads there by a link."""
    for name in ("home/me/secret", "home/me/tools/bin", "home/you", "usr"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "homes").symlink_to("home")
    base = os.path.realpath(tmp_path)
    allowed = readable(arrange([f"{base}/home/me"], [f"{base}/home/me/tools"]))
    inside = {path.removeprefix(base) for path in allowed if path.startswith(base)}
    assert inside == {"/home/you", "/home/me/tools", "/usr"}
    assert not [path for path in allowed if base.startswith(path.rstrip("/") + "/")]


def test_links_on_the_way(tmp_path):
    """Each link that a walk follows, relative and absolute, and no endless ones."""
    base = tmp_path.resolve()
    (base / "real" / "bin").mkdir(parents=True)
    (base / "rel").symlink_to("real")
    (base / "abs").symlink_to(base / "rel")
    (base / "loop").symlink_to("loop")
    assert links_on_the_way(base / "abs" / "bin") == (
        (str(base / "abs"), str(base / "rel")),
        (str(base / "rel"), "real"),
    )
    assert len(links_on_the_way(base / "loop" / "x")) == 40
