"""Fixture projects: what they say of themselves, and what is measured."""

import functools
import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from tests.pytest_runs import GREEN, Job, Outcomes, run, worst

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
GIT = shutil.which("git")
RUN_SECONDS = 30
UNPATCHED = ""
PLUGINS = {"pytest-asyncio": "pytest_asyncio.plugin"}


class Label(TypedDict):
    """What fixture.toml says of a patch."""

    label: str
    family: str
    passes_targets: bool
    passes_truth: bool
    expect: str


class Spec(TypedDict):
    """What fixture.toml says of a project; the last two are of edges alone."""

    description: str
    kind: str
    targets: list[str]
    red: list[str]
    flaky: list[str]
    needs: list[str]
    patches: dict[str, Label]
    collection_errors: list[str]
    hung: list[str]


@functools.cache
def read_spec(name: str) -> Spec:
    """Read the fixture.toml of a project, or of an edge as ``edges/NAME``."""
    text = (FIXTURES / name / "fixture.toml").read_text("utf-8")
    return cast("Spec", {"patches": {}, **tomllib.loads(text)})


def copy_project(name: str, patch: str, to: Path) -> Path:
    """Copy a project and apply a patch of it, if one is named."""
    shutil.copytree(FIXTURES / name / "project", to)
    if patch != UNPATCHED:
        source = FIXTURES / name / "patches" / f"{patch}.patch"
        assert GIT is not None, "the patches are applied by git"
        subprocess.run(
            [GIT, "apply", "--whitespace=nowarn", str(source)],
            cwd=to,
            env={
                **os.environ,
                # Neither a repository around nor the user's settings have a say.
                "GIT_CEILING_DIRECTORIES": str(to.parent),
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
            },
            check=True,
        )
    return to


def suite_job(name: str, project: Path, *arguments: str) -> Job:
    """Return the run of a project's own suite, or of the ids that are named."""
    return {
        "cwd": str(project),
        "path": [],
        "arguments": list(arguments),
        "plugins": [PLUGINS[need] for need in read_spec(name)["needs"]],
        "record": str(project.parent / f"{project.name}.suite"),
        "seconds": RUN_SECONDS,
        "repeat": 1,
    }


def truth_job(name: str, project: Path) -> Job:
    """Return the run of the hidden tests, with nothing of the project around them."""
    truth = project.parent / f"{project.name}.truth"
    shutil.copytree(FIXTURES / name / "truth", truth)
    (truth / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return {
        "cwd": str(truth),
        "path": [str(project / "src"), str(project)],
        "arguments": ["--assert=plain", "test_truth.py"],
        "plugins": [],
        "record": str(project.parent / f"{project.name}.truths"),
        "seconds": RUN_SECONDS,
        "repeat": 1,
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """A project's outcomes by patch: its own suite, then the hidden tests."""

    name: str
    spec: Spec
    suite: dict[str, Outcomes]
    truth: dict[str, Outcomes]

    def passes_targets(self, patch: str) -> bool:
        """Tell whether every target passes, as plain pytest reports it."""
        targets = self.spec["targets"]
        return all(self.suite[patch].get(target) == "passed" for target in targets)

    def passes_truth(self, patch: str) -> bool:
        """Tell whether every hidden test passes."""
        return set(self.truth[patch].values()) == {"passed"}

    def worse(self, patch: str) -> set[str]:
        """Return the ids that were green and are no longer what they were."""
        after = self.suite[patch]
        return {
            node_id
            for node_id, outcome in self.suite[UNPATCHED].items()
            if outcome in GREEN
            and after.get(node_id) != outcome
            and node_id not in self.spec["flaky"]
        }

    def caught_by(self, patch: str) -> str:
        """Return the first kind of check that has something against a patch."""
        if not all(map(is_product, touched(self.name, patch))):
            return "policy"
        if not self.passes_targets(patch):
            return "target"
        if self.worse(patch):
            return "suite"
        return "accept" if self.passes_truth(patch) else "later"


def touched(name: str, patch: str) -> list[str]:
    """Return the paths that a patch writes."""
    text = (FIXTURES / name / "patches" / f"{patch}.patch").read_bytes()
    marked = [line for line in text.splitlines() if line.startswith(b"+++ b/")]
    return [line.removeprefix(b"+++ b/").decode() for line in marked]


def is_product(path: str) -> bool:
    """Tell product code from tests and configuration."""
    parts = Path(path).parts
    return path.endswith(".py") and "tests" not in parts and parts[-1] != "conftest.py"


def measure(name: str, folder: Path) -> Measured:
    """Run a project's suite and its hidden tests, unpatched and with each patch."""
    spec = read_spec(name)
    copies = {
        patch: copy_project(name, patch, folder / (patch or "unpatched"))
        for patch in (UNPATCHED, *spec["patches"])
    }
    jobs = [suite_job(name, project) for project in copies.values()]
    jobs += [truth_job(name, project) for project in copies.values()]
    records = [worst(record) for record in run(jobs)]
    return Measured(
        name,
        spec,
        suite=dict(zip(copies, records, strict=False)),
        truth=dict(zip(copies, records[len(copies) :], strict=True)),
    )
