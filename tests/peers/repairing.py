"""The command before a peer: a fixture repaired through it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.scripting import environment, patch_from
from tests.fixture_projects import UNPATCHED, copy_project, read_spec
from tests.peers.serving import Peer
from tests.small import bonafix, contents

FIXTURE = "inifile"
FAIR = {"verified": 0, "plausible": 5}
"""What an honest patch may be called, and how the command then ends."""
_SECONDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What one run of `fix` came to."""

    process: subprocess.CompletedProcess[str]
    report: Mapping[str, Any]
    untouched: bool

    @property
    def repair(self) -> Mapping[str, Any]:
        """The one repair of the run."""
        (only,) = self.report["repairs"]
        return only

    @property
    def patch(self) -> object:
        """The patch of the repair, parsed."""
        return patch_from(FIXTURE, self.repair["patch"].encode())


def fix(peer: Peer, folder: Path, **variables: str) -> Repaired:
    """Have the command fix the fixture with a model behind the peer."""
    root = copy_project(FIXTURE, UNPATCHED, folder / "project")
    before = contents(root)
    targets = [f"--test={target}" for target in read_spec(FIXTURE)["targets"]]
    done = bonafix(
        *("fix", root, "--engine", "claude", "--candidates", "1", "--no-review"),
        *("--json", "-", *targets),
        env={
            **environment(peer.url, FIXTURE, folder),
            "ANTHROPIC_API_KEY": peer.key,
            **variables,
        },
        timeout=_SECONDS,
    )
    return Repaired(
        process=done,
        report=json.loads(done.stdout),
        untouched=contents(root) == before,
    )
