"""Any id can be asked for; what is selected decides nothing else."""

import asyncio

import pytest

from tests.observe.harness import bench, config, observe, outcomes, write

ODD = r"""
    import pytest

    ODD = ["a b", "x/y", "p::q", "[", "]", "", "ä", "a\nb", "-k", "--lf", "'", '"']


    @pytest.mark.parametrize("text", ODD)
    def test_odd(text):
        pass


    def test_other():
        pass
"""


def test_each_odd_id_runs_alone(tmp_path):
    """Whatever is in an id, selecting it runs it and nothing else."""
    root = write(tmp_path, {"test_odd.py": ODD, "test_more.py": ODD})
    with bench(root, config()) as made:
        whole = asyncio.run(made.run({}))
        odd = [i for i in whole.collected if "[" in i][:12]
        assert len(odd) == 12
        for node_id in (odd[2], odd[8]):
            alone = asyncio.run(made.run({}, select=[node_id]))
            assert outcomes(alone) == {node_id: "passed"}
        several = asyncio.run(made.run({}, select=odd))
        assert set(several.collected) == set(odd)
        assert several.deselected == ()


def test_folder_with_a_bracket(tmp_path):
    """A path that pytest's command line cannot name can be selected all the same."""
    name = "new [draft]/test_one.py"
    root = write(tmp_path, {name: ODD, "test_odd.py": ODD})
    run = observe(root, select=[f"{name}::test_other"])
    assert outcomes(run) == {f"{name}::test_other": "passed"}


def test_only_selected_files_are_collected(tmp_path):
    """A file that cannot be collected does not matter to a selection elsewhere."""
    root = write(tmp_path, {"test_odd.py": ODD, "test_bad.py": "import nothing_here"})
    run = observe(root, select=["test_odd.py::test_other"])
    assert run.collection_errors == ()
    assert outcomes(run) == {"test_odd.py::test_other": "passed"}


def test_a_missing_id_is_missing(tmp_path):
    """An id that does not exist is not made up."""
    root = write(tmp_path, {"test_odd.py": ODD})
    run = observe(root, select=["test_odd.py::test_gone", "gone.py::test_x"])
    assert outcomes(run) == {}
    assert str(run.outcome("gone.py::test_x")) == "missing"


def test_an_ini_file_in_a_folder_changes_nothing(tmp_path):
    """Selecting in a folder does not make that folder pytest's root."""
    files = {
        "pytest.ini": "[pytest]\n",
        "sub/pytest.ini": "[pytest]\naddopts = --no-such-option\n",
        "sub/test_in.py": "def test_in(): pass\n",
        "test_top.py": "def test_top(): pass\n",
    }
    run = observe(write(tmp_path, files), select=["sub/test_in.py::test_in"])
    assert outcomes(run) == {"sub/test_in.py::test_in": "passed"}


def test_expression_is_pytests_own(tmp_path):
    """`-k` selects, reports what it left out, and may replace the project's."""
    root = write(tmp_path, {"test_odd.py": ODD})
    run = observe(root, expression="other or p::q")
    assert outcomes(run) == {
        "test_odd.py::test_odd[p::q]": "passed",
        "test_odd.py::test_other": "passed",
    }
    assert len(run.deselected) == 11


@pytest.mark.parametrize("stop", [True, False])
def test_stop_at_first(stop, tmp_path):
    """Only on request does the first failure end the run."""
    files = {"test_a.py": "def test_a(): assert 0\ndef test_b(): pass\n"}
    run = observe(write(tmp_path, files), stop_at_first=stop)
    assert len(run.results) == (1 if stop else 2)
    assert run.finished


def test_overlay_is_what_runs(tmp_path):
    """Files laid over the snapshot are run, deleted ones are gone; the tree stays."""
    root = write(
        tmp_path,
        {
            "calc.py": "def add(a, b): return a - b\n",
            "old.py": "",
            "test_calc.py": """
                import importlib.util

                from calc import add


                def test_add():
                    assert add(1, 1) == 2


                def test_old():
                    assert importlib.util.find_spec("old") is None
            """,
        },
    )
    fixed = {"calc.py": b"def add(a, b): return a + b\n", "old.py": None}
    run = observe(root, files=fixed)
    assert set(outcomes(run).values()) == {"passed"}
    assert (root / "old.py").exists()
    assert "a - b" in (root / "calc.py").read_text()
