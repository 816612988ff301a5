"""What one run writes is gone before the next, which would do as in a fresh process."""

import pytest

from tests.observe.hazards import NEW, OLD, project
from tests.observe.test_swap import changed, ids, judged

TOP = """

    import os, pathlib, sys, tempfile

    HERE = pathlib.Path(__file__).parent
    OWN = tempfile.mkdtemp()
    pathlib.Path(OWN, "own").write_text("own")

    def seen():
        data = HERE / "data"
        yield [name for name in sorted(os.listdir(HERE)) if "cache" not in name]
        yield sorted(os.listdir(OWN))
        for folder in (pathlib.Path.home(), "/tmp", "/var/tmp", "/dev/shm"):
            yield "once" in os.listdir(folder)
        for name in sorted(os.listdir(data)):
            file = data / name
            if not file.is_file():
                yield name, sorted(os.listdir(file))
                continue
            what = file.stat()
            yield name, file.read_text(), what.st_mode, what.st_mtime_ns
        yield pathlib.Path(OWN, "own").read_text()

    FIRST = list(seen())

    def twice():
        same = list(seen()) == FIRST
        {}
        return same
"""
FILES = {
    "data/one.txt": "one\n",
    "data/two.txt": "two\n",
    "data/more/three.txt": "three\n",
}

# what a test does to the disk; whether it can be put back in a kept process
DEEDS = {
    "a file": ("(HERE / 'new').write_text('x')", True),
    "an empty folder": ("(HERE / 'new').mkdir()", True),
    "folders": ("os.makedirs(HERE / 'a' / 'b'); (HERE / 'a' / 'c').touch()", True),
    "a link": ("(HERE / 'new').symlink_to(HERE / 'data')", True),
    "a changed file": ("(HERE / 'data' / 'one.txt').write_text('on\\n')", True),
    "a longer file": ("(HERE / 'data' / 'one.txt').open('a').write('x')", True),
    "a file that is gone": ("(HERE / 'data' / 'one.txt').unlink()", True),
    "a mode": ("(HERE / 'data' / 'one.txt').chmod(0o600)", True),
    "a time": ("os.utime(HERE / 'data' / 'one.txt', (1, 1))", True),
    "its home": ("(pathlib.Path.home() / 'once').mkdir()", True),
    "the temporary folder": ("open('/tmp/once', 'w').close()", True),
    "the other one": ("open('/var/tmp/once', 'w').close()", True),
    "shared memory": ("open('/dev/shm/once', 'w').close()", True),
    "beside its own": ("pathlib.Path(OWN, 'once').touch()", True),
    "no rights": ("(HERE / 'new').mkdir(); os.chmod(HERE / 'new', 0)", True),
    "all at once": (
        """[(HERE / ('new%d' % n)).write_text('x') for n in range(300)]
        (HERE / 'data' / 'two.txt').replace(HERE / 'data' / 'one.txt')""",
        True,
    ),
    "its own": ("pathlib.Path(OWN, 'own').write_text('x')", False),
    "a folder that is gone": (
        "(HERE / 'data/more/three.txt').unlink(); (HERE / 'data/more').rmdir()",
        False,
    ),
    "too many": (
        "[(HERE / ('new%d' % n)).write_text('x') for n in range(2000)]",
        False,
    ),
}


@pytest.mark.parametrize("name", DEEDS)
def test_the_next_finds_nothing(name, tmp_path):
    """It is taken away, or the process is given up: the second run sees the same."""
    deed, possible = DEEDS[name]
    files = project(TOP.replace("{}", deed), "shop.twice()") | FILES
    state, rate = ids("state", "rate", test="test_shop.py")
    candidate = changed(OLD, NEW, "shop.py", files)
    before = {state: "passed", rate: "failed"}
    runs, notes = judged(tmp_path, files, [candidate, {}, candidate], before)
    assert [run[state] for run in runs] == ["passed"] * 3
    assert [run[rate] for run in runs] == ["passed", "failed", "passed"]
    assert (notes.tiers == {"swap": 3}) is possible
    assert any("behind" in why for why in notes.falls) is not possible


def test_a_warm_process_is_tidied_too(tmp_path):
    """Where nothing can be swapped, since what is imported changes."""
    deed = "(HERE / 'new').write_text('x'); open('/tmp/once', 'w').close()"
    files = project(TOP.replace("{}", deed), "shop.twice()") | FILES
    state, rate = ids("state", "rate", test="test_shop.py")
    candidate = changed(
        "import os, path", "RATE = 1\nimport os, path", "shop.py", files
    )
    before = {state: "passed", rate: "failed"}
    runs, notes = judged(tmp_path, files, [candidate] * 3, before)
    assert runs == [before] * 3
    assert notes.tiers == {"warm": 3}
