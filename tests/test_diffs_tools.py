"""What is rendered means the same to git, to GNU patch, and to our own parser."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bonafix.diffs import compose, difference, parse, rebase, render
from bonafix.diffs.hunks import apply
from bonafix.domain import Change, Patch

GIT = shutil.which("git")
GNU_PATCH = shutil.which("patch")
QUIET_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

# Lines that a careless reader takes for a diff's own, and bytes of every sort.
AWKWARD = [
    *(b"", b"x", b"y", b"    return a - b", b"\tindent", b"trailing  ", b"a\rb"),
    *(b"-- sql", b"++ i", b"- a/x", b"@@ -1 +1 @@", b"--- a/x", b"diff --git a/x b/x"),
    *(b"\\ No newline at end of file", b"\x0c\x0b\x85", b"nul\0byte"),
    *(b"\xe9\xff latin-1", "é中😀".encode()),
]
lines = st.tuples(st.sampled_from(AWKWARD), st.sampled_from([b"\n", b"\n", b"\r\n"]))
contents = st.builds(
    lambda body, last: b"".join(line + end for line, end in body) + last,
    st.lists(lines, max_size=30),
    st.sampled_from([b"", b"", b"no newline", b"\xe9"]),
)
names = st.sampled_from(
    ["a.py", "b/a.py", "with space.py", "é中.py", 'quo"te.py', "back\\slash", "t\tab",
     "new\nline", "a b/c d.py", "x b/x.py", "pkg/latin\udce9.py", "2020-01-01 10:00"]
)  # fmt: skip


@st.composite
def changed(draw, before=contents):
    """A content and what a few edits make of it."""
    old = draw(before)
    if draw(st.booleans()):
        return old, draw(contents)
    pieces = old.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(pieces)))
        gone = draw(st.integers(0, 2))
        new = draw(st.lists(lines, max_size=2))
        pieces[at : at + gone] = [line + end for line, end in new]
    return old, b"".join(pieces)


def patch_of(files):
    changes = []
    for path, (before, after, how) in sorted(files.items()):
        kind = {"add": "add", "delete": "delete"}.get(how, "modify")
        was = None if how == "add" else before
        now = None if how == "delete" else after
        if was != now:
            changes.append(Change(path, was, now, kind))
    return Patch(tuple(changes))


hows = st.sampled_from(["modify", "modify", "add", "delete"])
patches = (
    st.dictionaries(names, st.tuples(changed(), hows), max_size=4)
    .map(lambda d: {path: (*pair, how) for path, (pair, how) in d.items()})
    .map(patch_of)
    .filter(lambda patch: patch.changes)
)
unhurried = settings(deadline=None)  # shared machines stall
slowly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def reader(patch):
    return {change.path: change.before for change in patch.changes}.get


def on_disk(patch, command):
    """What `command` makes of the patch's files: path -> content."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for change in patch.changes:
            if change.before is not None:
                target = root / change.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(change.before)
        done = subprocess.run(
            command,
            cwd=root,
            input=render(patch),
            capture_output=True,
            check=False,
            env={**os.environ, **QUIET_GIT},
        )
        assert done.returncode == 0, (done, render(patch))
        return {
            os.fsdecode(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }


def after(patch):
    return {path: new for path, new in patch.files.items() if new is not None}


@given(patches)
@unhurried
def test_round_trip(patch):
    """Parsing what was rendered gives the same patch, to the last byte."""
    assert parse(render(patch), reader(patch)) == patch


@given(patches)
@slowly
def test_git_applies_what_is_rendered(patch):
    """`git apply` takes any rendered patch and makes the very same files."""
    assert GIT, "git belongs to the machine that runs these tests"
    command = [GIT, "apply", "--whitespace=nowarn", "-"]
    assert on_disk(patch, command) == after(patch)


PLAIN = st.sampled_from(["a.py", "b/a.py", "with space.py", "é中.py", "pkg/c.py"])


@given(
    st.dictionaries(PLAIN, changed(), min_size=1, max_size=3)
    .map(lambda d: patch_of({k: (*v, "modify") for k, v in d.items()}))
    .filter(lambda patch: patch.changes)
)
@slowly
def test_gnu_patch_applies_what_is_rendered(patch):
    """patch(1) makes the same files of rendered modifications."""
    assert GNU_PATCH, "patch belongs to the machine that runs these tests"
    # It deletes a file that becomes empty, where git keeps it; -E off is not enough
    # for git-style input, so such changes are left to git.
    if any(not change.after or not change.before for change in patch.changes):
        return
    command = [GNU_PATCH, "-p1", "--binary", "--force", "--no-backup-if-mismatch"]
    assert on_disk(patch, command) == after(patch)


@given(changed())
@slowly
def test_gits_own_diffs_are_read(pair):
    """`git diff --no-index` of any two contents is parsed to those contents."""
    assert GIT
    before, new = pair
    if before == new:
        return
    with tempfile.TemporaryDirectory() as folder:
        for side, content in (("old", before), ("new", new)):
            (Path(folder) / side).mkdir()
            (Path(folder) / side / "f.py").write_bytes(content)
        diff = subprocess.run(
            [GIT, "diff", "--no-index", "--text", "--no-prefix", "old", "new"],
            cwd=folder,
            capture_output=True,
            check=False,
            env={**os.environ, **QUIET_GIT},
        ).stdout
    diff = diff.replace(b"old/f.py", b"f.py").replace(b"new/f.py", b"f.py")
    assert parse(diff, {"f.py": before}.get).files == {"f.py": new}


@given(changed())
@unhurried
def test_difference_applied_is_the_new_content(pair):
    """Applying the difference to the old content gives the new one."""
    before, new = pair
    assert apply(before, difference(before, new)) == new


@given(contents, contents, contents)
@unhurried
def test_compose_is_one_after_the_other(one, two, three):
    """A composed patch goes from the first's base to the second's end."""
    first = patch_of({"f.py": (one, two, "modify")})
    second = patch_of({"f.py": (two, three, "modify")})
    whole = compose(first, second)
    assert dict(whole.files) == ({"f.py": three} if one != three else {})
    assert all(change.before == one for change in whole.changes)


@given(changed(), st.lists(lines, max_size=5))
@unhurried
def test_rebase_keeps_what_others_wrote(pair, above):
    """Lines that someone else put above a change stay; it is made all the same."""
    before, new = pair
    patch = patch_of({"f.py": (before, new, "modify")})
    prefix = b"".join(line + end for line, end in above)
    moved = rebase(patch, {"f.py": prefix + before}.get)
    if moved is not None and patch.changes:
        assert moved.files == {"f.py": prefix + new}
