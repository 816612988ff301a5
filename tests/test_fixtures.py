"""Fixtures in, their labels checked: every label is measured by a real pytest."""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.fixture_projects import (
    FIXTURES,
    UNPATCHED,
    Measured,
    copy_project,
    measure,
    read_spec,
    suite_job,
)
from tests.pytest_runs import GREEN, Job, Records, run, worst

PROJECTS = sorted(path.parent.name for path in FIXTURES.glob("*/fixture.toml"))
EDGES = sorted(path.parent.name for path in FIXTURES.glob("edges/*/fixture.toml"))
PATCHED_EDGES = sorted(path.parts[-3] for path in FIXTURES.glob("edges/*/patches/*"))
HUNG_SECONDS = 5
FLAKY_RUNS = 40


@pytest.fixture(scope="module", params=PROJECTS)
def measured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Measured]:
    """Every project in turn, measured once."""
    name = cast("str", request.param)
    folder = tmp_path_factory.mktemp(name)
    yield measure(name, folder)
    shutil.rmtree(folder)


def test_project_fails_as_described(measured: Measured) -> None:
    """Targets and red ids fail, and nothing else that is not flaky."""
    spec = measured.spec
    before = measured.suite[UNPATCHED]
    failing = {node_id for node_id, outcome in before.items() if outcome not in GREEN}
    assert spec["targets"]
    assert failing - set(spec["flaky"]) == {*spec["targets"], *spec["red"]}
    assert {"skipped", "xfailed"} <= set(before.values())
    assert 15 <= len(before) <= 40


def test_truth_fails_on_the_fault(measured: Measured) -> None:
    """The hidden tests are ten or more, and some of them fail before the fix."""
    before = measured.truth[UNPATCHED]
    assert len(before) > 10
    assert set(before.values()) == {"passed", "failed"}


def test_honest_patch_is_right(measured: Measured) -> None:
    """The honest patch turns the targets green, keeps the rest and is the truth."""
    assert measured.worse("honest") == set()
    assert measured.passes_targets("honest")
    assert measured.passes_truth("honest")


def test_labels_are_measured(measured: Measured) -> None:
    """Each patch does with targets and truth what its label says."""
    found = {
        patch: (measured.passes_targets(patch), measured.passes_truth(patch))
        for patch in measured.spec["patches"]
    }
    assert found == {
        patch: (label["passes_targets"], label["passes_truth"])
        for patch, label in measured.spec["patches"].items()
    }


def test_patches_are_caught_where_expected(measured: Measured) -> None:
    """The kind of check that each patch names is the first to have an objection."""
    patches = measured.spec["patches"]
    expected = {patch: label["expect"] for patch, label in patches.items()}
    assert {patch: measured.caught_by(patch) for patch in patches} == expected


@pytest.mark.parametrize("name", PROJECTS)
def test_only_honest_patches_are_right(name: str) -> None:
    """A project has an honest, a wrong and three dishonest patches, told by name."""
    spec = read_spec(name)
    files = {path.stem for path in (FIXTURES / name / "patches").glob("*.patch")}
    assert files == set(spec["patches"])
    labels = [label["label"] for label in spec["patches"].values()]
    assert labels.count("honest") == labels.count("wrong") == 1
    assert labels.count("dishonest") >= 3
    for patch, label in spec["patches"].items():
        assert patch.partition("-")[0] == label["label"]
        assert label["passes_truth"] == (label["label"] == "honest")
        assert bool(label["family"]) == (label["label"] == "dishonest")


def test_every_cheat_is_of_its_own_family() -> None:
    """No family of cheats is there twice."""
    families = [
        label["family"]
        for name in PROJECTS
        for label in read_spec(name)["patches"].values()
        if label["family"]
    ]
    assert sorted(families) == sorted(set(families))


def test_no_debris() -> None:
    """The fixtures carry neither caches nor repositories."""
    names = {path.name for path in FIXTURES.rglob("*")}
    assert not names & {"__pycache__", ".pytest_cache", ".git", ".ruff_cache"}
    assert (FIXTURES / ".gitattributes").read_text("utf-8") == "* -text\n"


@pytest.mark.parametrize("name", [n for n in PROJECTS if read_spec(n)["flaky"]])
def test_flaky_ids_are_flaky(name: str, tmp_path: Path) -> None:
    """An id that is said to be flaky both passes and fails, run often enough."""
    project = copy_project(name, UNPATCHED, tmp_path / "project")
    job = suite_job(name, project, *read_spec(name)["flaky"])
    job["repeat"] = FLAKY_RUNS
    (record,) = run([job])
    assert {outcome for _, outcome in record} == {"passed", "failed"}


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Records]:
    """What every edge reported, by its name and by its name and patch."""
    folder = tmp_path_factory.mktemp("edges")
    jobs: dict[str, Job] = {}
    for edge in EDGES:
        name = f"edges/{edge}"
        copies = {edge: copy_project(name, UNPATCHED, folder / edge)}
        if edge in PATCHED_EDGES:
            fixed = f"{edge} honest"
            copies[fixed] = copy_project(name, "honest", folder / fixed)
        jobs |= {key: suite_job(name, copy) for key, copy in copies.items()}
    rest = copy_project("edges/hung", UNPATCHED, folder / "hung rest")
    jobs["hung rest"] = suite_job("edges/hung", rest, f"--deselect={hung_id()}")
    jobs["hung"]["seconds"] = HUNG_SECONDS
    return dict(zip(jobs, run(list(jobs.values())), strict=True))


def hung_id() -> str:
    (hung,) = read_spec("edges/hung")["hung"]
    return hung


@pytest.mark.parametrize("edge", PATCHED_EDGES)
def test_edge_is_fixed_by_its_patch(edge: str, edges: dict[str, Records]) -> None:
    """The targets of an edge fail before its patch, and nothing fails after it."""
    before, after = worst(edges[edge]), worst(edges[f"{edge} honest"])
    failing = {node_id for node_id, outcome in before.items() if outcome == "failed"}
    assert failing == set(read_spec(f"edges/{edge}")["targets"]) < set(before)
    assert after == dict.fromkeys(before, "passed")


def test_uncollectable_module_is_an_error(edges: dict[str, Records]) -> None:
    """The module with the import error is not collected, and so nothing is run."""
    errors = read_spec("edges/uncollectable")["collection_errors"]
    assert edges["uncollectable"] == [(path, "uncollected") for path in errors]


def test_hung_id_never_ends(edges: dict[str, Records]) -> None:
    """The run comes to the hung id and no further; without it the rest passes."""
    until, rest = worst(edges["hung"]), worst(edges["hung rest"])
    assert hung_id() not in {*until, *rest}
    assert 0 < len(until) < len(rest)
    assert set(rest.values()) == {"passed"}


def test_line_endings_are_crlf(tmp_path: Path) -> None:
    """All lines of that edge end in CRLF, after the patch too."""
    for patch in (UNPATCHED, "honest"):
        project = copy_project("edges/crlf", patch, tmp_path / (patch or "unpatched"))
        for path in project.iterdir():
            lines = path.read_bytes().splitlines(keepends=True)
            assert all(line.endswith(b"\r\n") for line in lines)


def test_encodings_are_what_they_are_called(tmp_path: Path) -> None:
    """One module starts with a byte order mark, the other is no UTF-8."""
    for patch in (UNPATCHED, "honest"):
        name = "edges/bom-latin1"
        project = copy_project(name, patch, tmp_path / (patch or "unpatched"))
        assert (project / "greetings.py").read_bytes().startswith(b"\xef\xbb\xbf")
        with pytest.raises(UnicodeDecodeError):
            (project / "menu.py").read_bytes().decode()


def test_last_line_has_no_newline(tmp_path: Path) -> None:
    """The faulty module ends in the middle of a line, after the patch too."""
    for patch in (UNPATCHED, "honest"):
        name = "edges/nonewline"
        project = copy_project(name, patch, tmp_path / (patch or "unpatched"))
        assert not (project / "parity.py").read_bytes().endswith(b"\n")


def test_hostile_settings_are_there() -> None:
    """That edge asks for an endpoint, a command and an interpreter of its own."""
    text = (FIXTURES / "edges/hostile/project/pyproject.toml").read_text("utf-8")
    settings = tomllib.loads(text)["tool"]["bonafix"]
    assert set(settings) == {"base_url", "command", "interpreter"}
    assert settings["base_url"].startswith("http://")
