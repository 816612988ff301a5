"""A root in, what Bonafix found around it out; one line of advice for what is wrong."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from bonafix.config import Config, state_dir
from bonafix.errors import ConfinementError, InterpreterError
from bonafix.observe.ask import ask
from bonafix.observe.interpreter import Interpreter, find
from bonafix.sandbox import confinement

Level = Literal["ok", "warn", "error"]
_GIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    topic: str  # interpreter, pytest, plugins, confinement, credentials, model, state
    level: Level
    text: str
    advice: str = ""  # what to do, where the level is not ok


class Model(Protocol):
    """What is known of the model's service without asking it; see its engine."""

    @property
    def credential(self) -> str: ...  # noqa: D102 - kind and place, never its value
    @property
    def problem(self) -> str: ...  # noqa: D102 - why it cannot be used, what to do
    @property
    def model(self) -> str: ...  # noqa: D102 - which, and how it would be asked
    @property
    def tables(self) -> str: ...  # noqa: D102 - their dates
    @property
    def unknown(self) -> str: ...  # noqa: D102 - what a user should know about it


async def examine(root: Path, config: Config, model: Model) -> tuple[Finding, ...]:
    """Look at everything that a run needs; runs no test of the project."""
    return (
        *await _interpreter(root, config),
        *_confinement(config),
        _credentials(config, model),
        *_model(config, model),
        *await _state(root),
    )


async def _interpreter(root: Path, config: Config) -> tuple[Finding, ...]:
    try:
        found = await find(root, config)
    except InterpreterError as error:
        text, _, advice = str(error).rpartition("\n")
        return (_finding("interpreter", "error", text, advice),)
    passed_over = (
        _finding(
            "interpreter",
            "warn",
            f"passed over {path}: {reason}",
            f"Install pytest there ({path} -m pip install pytest), or set "
            "`interpreter` if another one is right.",
        )
        for path, reason in found.tried
        if str(root) in path  # one of the project's own, so it was probably meant
    )
    return (
        _chosen(found),
        *passed_over,
        _finding("pytest", "ok", f"pytest {found.pytest}"),
        _finding("plugins", "ok", _names(found.plugins)),
    )


def _chosen(found: Interpreter) -> Finding:
    text = f"{found.name} at {found.path}: {found.why}"
    # an editor's extension brings us along: then our Python may be the project's own
    if found.path != Path(sys.executable) or sys.flags.no_site:
        return _finding("interpreter", "ok", text)
    return _finding(
        "interpreter",
        "warn",
        text,
        "Unless the project is installed beside Bonafix on purpose, make it an "
        "environment of its own: python3 -m venv .venv && .venv/bin/pip install "
        "pytest (and the project).",
    )


def _names(plugins: tuple[str, ...]) -> str:
    return f"plugins: {', '.join(plugins)}" if plugins else "no plugins"


def _confinement(config: Config) -> Iterator[Finding]:
    if config.confine == "off":
        yield _finding(
            "confinement",
            "warn",
            "tests are not confined, as the settings ask",
            'Set `confine = "require"` (the default) unless you trust every patch.',
        )
        return
    caps = confinement.capabilities()
    try:
        if config.confine == "require":
            confinement.require(caps)
        yield _finding("confinement", "ok", confinement.describe(caps))
    except ConfinementError as error:
        text, _, advice = str(error).partition(". ")
        yield _finding("confinement", "error", f"{text}.", advice)
    for line in confinement.advice(caps):
        text, _, advice = line.partition(": ")
        yield _finding("confinement", "warn", text, advice)


def _credentials(config: Config, model: Model) -> Finding:
    if not model.credential:
        text = "none found: only the search engine can propose patches"
        advice = "Set ANTHROPIC_API_KEY to let Claude propose patches too."
        level: Level = "error" if config.engine == "claude" else "warn"
        return _finding("credentials", level, text, advice)
    if model.problem:  # a run would end with it, unless the model is not asked
        text = f"{model.credential}, which cannot be used"
        level = "warn" if config.engine == "search" else "error"
        return _finding("credentials", level, text, f"{model.problem}.")
    return _finding("credentials", "ok", model.credential)


def _model(config: Config, model: Model) -> Iterator[Finding]:
    if config.engine == "search":
        return
    text = f"{model.model}; {model.tables}"
    if model.unknown:
        yield _finding("model", "warn", text, f"{model.unknown}.")
    else:
        yield _finding("model", "ok", text)


async def _state(root: Path) -> tuple[Finding, ...]:
    folder = state_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        text = f"receipts cannot be written to {folder}: {error.strerror}"
        advice = "Make it writable, or point BONAFIX_STATE_DIR elsewhere."
        return (_finding("state", "error", text, advice),)
    fine = _finding("state", "ok", f"receipts are kept in {folder}")
    if await _in_repository(folder, root):
        text = f"receipts are kept in {folder}, where git would pick them up"
        advice = "Add that folder to .gitignore, or point BONAFIX_STATE_DIR elsewhere."
        return (_finding("state", "warn", text, advice),)
    return (fine,)


async def _in_repository(folder: Path, root: Path) -> bool:
    """Whether git would offer to commit what is written there."""
    if not _inside(folder, root):
        return False
    argv = ["git", "check-ignore", "--quiet", str(folder / "receipt.json")]
    env = {"PATH": os.environ.get("PATH", os.defpath)}
    answer = await ask(argv, cwd=root, env=env, seconds=_GIT_SECONDS)
    return "exit code 1:" in answer.problem


def _inside(folder: Path, root: Path) -> bool:
    return folder.resolve().is_relative_to(root.resolve())


def _finding(topic: str, level: Level, text: str, advice: str = "") -> Finding:
    return Finding(topic=topic, level=level, text=text, advice=advice)
