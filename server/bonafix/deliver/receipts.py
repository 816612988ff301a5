"""A judgement with all that it rests on, kept so that it can be derived again.

Receipts lie under the user's state directory, never in the repository, readable by
the user alone. Bytes of a patch that are not UTF-8 are lone surrogates in its text;
`patch_bytes` gives them back.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from bonafix.config import state_dir
from bonafix.deliver.codec import (
    CodecError,
    Json,
    bytes_of,
    from_json,
    text_of,
    to_json,
)
from bonafix.diffs import render
from bonafix.domain import (
    Baseline,
    Cost,
    Evidence,
    Judgement,
    Outcome,
    Snapshot,
    TargetChange,
    Verdict,
)
from bonafix.errors import ConfigurationError, UsageError
from bonafix.redaction import MARK, Redactor

SCHEMA_VERSION = 1

_CONFIGURATION = frozenset(
    {
        *("pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini"),
        *("setup.cfg", "setup.py", "conftest.py", "sitecustomize.py", ".coveragerc"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was judged, against what, with what result. Hashes are SHA-256, in hex."""

    schema_version: int = SCHEMA_VERSION
    created: str  # ISO 8601, UTC
    root: str  # absolute, of the user's tree
    snapshot: str  # digest of the whole tree as it was judged
    patch: str  # unified diff
    base: Mapping[str, str | None]  # path -> hash of the content before; null: none
    sealed: Mapping[str, str]  # path -> hash, of tests and configuration
    interpreter: str
    pytest: str
    plugins: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    neutralised: tuple[str, ...] = ()
    confinement: str = ""
    tiers: Mapping[str, int] = field(default_factory=dict)  # way to run -> runs so far
    falls: Mapping[str, int] = field(default_factory=dict)  # why no faster way -> runs
    targets: tuple[TargetChange, ...]
    before: Mapping[Outcome, tuple[str, ...]]  # every id, by what it did
    after: Mapping[str, Outcome]  # only the ids that then did something else
    flaky: tuple[str, ...] = ()
    verdict: Verdict
    missing: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...]
    author: str
    title: str = ""
    note: str = ""  # the author's words, and below a model's summary of its thinking:
    thinking: str = ""  # neither is evidence
    model: str = ""
    effort: str = ""
    round: int = 1
    cost: Cost = field(default_factory=Cost)
    versions: Mapping[str, str] = field(default_factory=dict)  # name -> version
    redacted: bool = False  # a secret was taken out of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a repair has cost that left nothing to judge: it failed, or was stopped."""

    schema_version: int = SCHEMA_VERSION
    kind: str = "bill"
    created: str  # ISO 8601, UTC
    root: str
    targets: tuple[str, ...]  # node ids
    ending: str  # a verdict, or "interrupted"
    reason: str
    cost: Cost


def make(
    judgement: Judgement,
    baseline: Baseline,
    snapshot: Snapshot,
    *,
    created: datetime,
    after: Mapping[str, Outcome] | None = None,
    cost: Cost | None = None,
    versions: Mapping[str, str] | None = None,
    tiers: Mapping[str, int] | None = None,
    falls: Mapping[str, int] | None = None,
) -> Receipt:
    """Everything about a judgement, in one value; pure.

    `after` is what each id did under the patch, where the whole suite ran; `cost`
    that of the whole repair, by default the candidate's own. `tiers` and `falls` say
    which ways to run tests were taken so far, and why no faster ones.
    """
    run, candidate = baseline.run, judgement.candidate
    outcomes = after or {target.id: target.after for target in judgement.targets}
    changed = {i: new for i, new in outcomes.items() if new is not run.outcome(i)}
    return Receipt(
        created=created.astimezone(UTC).isoformat(timespec="seconds"),
        root=str(snapshot.root),
        snapshot=snapshot.digest,
        patch=text_of(render(candidate.patch)),
        base={c.path: _hash(c.before) for c in candidate.patch.changes},
        sealed=_sealed(snapshot, baseline),
        interpreter=run.interpreter,
        pytest=run.pytest,
        plugins=run.plugins,
        command=run.command,
        neutralised=run.neutralised,
        confinement=run.confinement,
        tiers=tiers or {},
        falls=falls or {},
        targets=judgement.targets,
        before=_by_outcome(baseline),
        after=changed,
        flaky=tuple(sorted(baseline.flaky)),
        verdict=judgement.verdict,
        missing=judgement.missing,
        evidence=judgement.evidence,
        author=candidate.author,
        title=candidate.title,
        note=candidate.note,
        thinking=candidate.thinking,
        model=candidate.model,
        effort=candidate.effort,
        round=candidate.round,
        cost=cost or candidate.cost,
        versions=dict(versions or {}),
    )


def _by_outcome(baseline: Baseline) -> dict[Outcome, tuple[str, ...]]:
    run = baseline.run
    groups: dict[Outcome, list[str]] = {}
    for node_id in run.collected:
        groups.setdefault(run.outcome(node_id), []).append(node_id)
    return {outcome: tuple(ids) for outcome, ids in groups.items()}


def _sealed(snapshot: Snapshot, baseline: Baseline) -> dict[str, str]:
    layout = baseline.layout
    tests = layout.tests | layout.collected
    return {
        path: hashlib.sha256(content).hexdigest()
        for path, content in sorted(snapshot.sources.items())
        if path in tests or PurePosixPath(path).name in _CONFIGURATION
    }


def _hash(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def evidence_of(receipt: Receipt) -> tuple[Evidence, ...]:
    """The records, as the stages wrote them: the verdict follows from these alone."""
    return receipt.evidence


def patch_bytes(receipt: Receipt) -> bytes:
    """The patch's text, to be judged again.

    Raises:
        UsageError: a secret was taken out of it, so that it is no longer the same.
    """
    targets = "".join(target.id for target in receipt.targets)
    if receipt.redacted and MARK in receipt.patch + targets:
        raise UsageError("a secret was taken out of this receipt; it cannot be re-run")
    return bytes_of(receipt.patch)


# ------------------------------------------------------------------------ files


def save(
    receipt: Receipt, *, redact: Redactor | None = None, state: Path | None = None
) -> Path:
    """Write the receipt without what `redact` takes out; its absolute path.

    Raises:
        ConfigurationError: the state directory cannot be written.
    """
    document = to_json(receipt)
    clean = redact.json(document) if redact else document
    assert isinstance(clean, dict)
    if clean != document:
        clean["redacted"] = True
    return _kept(clean, receipt, state or state_dir())


def save_bill(
    bill: Bill, *, redact: Redactor | None = None, state: Path | None = None
) -> Path:
    """Write what was spent beside the receipts; its absolute path.

    Raises:
        ConfigurationError: the state directory cannot be written.
    """
    document = to_json(bill)
    return _kept(redact.json(document) if redact else document, bill, state)


def _kept(document: Json, what: Receipt | Bill, state: Path | None) -> Path:
    body = (json.dumps(document, indent=1) + "\n").encode("ascii")
    path = _path(what, body, state or state_dir())
    try:
        _write_private(path, body)
    except OSError as error:
        raise ConfigurationError(
            f"the receipt cannot be written below {path.parent}: {error.strerror}; "
            "BONAFIX_STATE_DIR names another place"
        ) from error
    return path.absolute()


def _path(receipt: Receipt | Bill, body: bytes, state: Path) -> Path:
    project = hashlib.sha256(bytes_of(receipt.root)).hexdigest()[:16]
    time = datetime.fromisoformat(receipt.created).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()[:12]
    return state / "receipts" / project / f"{time}-{digest}.json"


def _write_private(path: Path, body: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{randomness.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(handle)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def load(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        UsageError: it cannot be read, is no receipt, or of another version.
    """
    try:
        document: Json = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not a receipt: it is not JSON") from error
    if isinstance(document, dict) and document.get("kind") == "bill":
        raise UsageError(f"{path} is a bill: nothing was judged then")
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path} is not a receipt of version {SCHEMA_VERSION} (found: {version!r})"
        )
    try:
        return from_json(Receipt, document)
    except CodecError as error:
        raise UsageError(f"{path} is not a receipt: {error}") from error
