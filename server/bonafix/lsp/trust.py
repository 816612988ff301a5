"""May this root's tests be run? The answer, remembered for each root.

Running tests is running the project's code; merely opening a folder must not do it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bonafix.config import state_dir
from bonafix.lsp.client import Client, UnansweredError

logger = logging.getLogger(__name__)

YES = "Trust and run"
NO = "Not now"


@dataclass(slots=True)
class Trust:
    """Which roots are trusted, and the questions that are open."""

    client: Client
    everything: bool = False  # the command line or the editor says so
    answers: dict[Path, bool] = field(default_factory=dict)
    questions: dict[Path, asyncio.Task[bool]] = field(default_factory=dict)

    async def allows(self, root: Path, *, again: bool) -> bool:
        """Whether `root` may be run; asks the user where nobody has said.

        `again` puts the question once more after a no: the user asked for a run.
        """
        root = _real(root)
        if self.everything or self.answers.get(root) or remembered(root):
            return True
        if root in self.answers and not again:
            return False
        question = self.questions.get(root)
        if question is None or question.done():
            question = asyncio.create_task(self._ask(root))
            self.questions[root] = question
        # The question stays open when the run that asked it is replaced by another.
        return await asyncio.shield(question)

    async def _ask(self, root: Path) -> bool:
        text = (
            f"the tests of {root} would be run to find what fails. That runs the "
            "project's code. Do you trust it?"
        )
        try:
            yes = await self.client.ask(text, YES, NO) == YES
        except UnansweredError as error:
            yes = False
            self.client.log(f"trust: {root}: the question was not answered: {error}")
            self.client.warn(
                f"nothing is run in {root}, because it is not trusted and this editor "
                "did not answer the question. Start the server with `bonafix lsp "
                "--trust` to trust what you open."
            )
        self.answers[root] = yes
        if yes:
            remember(root)
        return yes

    def close(self) -> None:
        """Drop the open questions."""
        for question in self.questions.values():
            question.cancel()


def remembered(root: Path) -> bool:
    """Whether a yes for exactly this root is on file."""
    return _read().get(str(_real(root))) is True


def remember(root: Path) -> None:
    """Put a yes on file; without a writable state directory it lasts the session."""
    roots = {**_read(), str(_real(root)): True}
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=path.name, delete=False
        ) as file:
            json.dump({"roots": roots}, file, indent=1)
        Path(file.name).replace(path)
    except OSError as error:
        logger.warning("trust could not be remembered: %s", error)


def _read() -> dict[str, object]:
    try:
        content = json.loads(_file().read_bytes())
    except (OSError, ValueError):
        return {}  # no answer on file is a no
    roots = content.get("roots") if isinstance(content, dict) else None
    return dict(roots) if isinstance(roots, dict) else {}


def _real(root: Path) -> Path:
    """The folder itself: a link that was trusted may point elsewhere tomorrow."""
    return root.resolve()


def _file() -> Path:
    return state_dir() / "trust.json"
