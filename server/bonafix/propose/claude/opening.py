"""A task in, what a conversation begins with out: files and request.

What is built here is what is sent, and what `--show-prompt` shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bonafix.config import Config
from bonafix.domain import Change, Snapshot, Task
from bonafix.dotenv import redactor_at
from bonafix.propose.claude import clouds, frozen, learning, models, prompts
from bonafix.propose.claude.models import Form
from bonafix.propose.claude.redact import Redactor, excluded, may_send
from bonafix.propose.claude.workbench import Bench
from bonafix.text import TextError, decode, encode, restore
from bonafix.withholding import Withholding, withholding


def show_prompt(
    task: Task, config: Config, environment: Mapping[str, str]
) -> dict[str, object]:
    """The opening request as it would be sent: system, tools, first message.

    In the form that the endpoint has taught, if it was asked before.
    """
    config, environment = clouds.addressed(config, environment)
    endpoint = learning.endpoint_of(config.base_url, environment)
    model = learning.recall(endpoint, config.model)
    form = models.form(model, config.thinking)
    body = request(task, config, form, redactor_for(task, environment))
    return models.formed(body, form, model.lacks)


def request(
    task: Task, config: Config, form: Form, redact: Redactor
) -> dict[str, object]:
    """The opening request; only `max_tokens` is decided later, by the budget."""
    bench = Bench.of(bench_files(task, config), task.layout)
    held = withheld(task, config, redact)
    shown = replace(task, targets=tuple(map(held.result, task.targets)))
    message = redact(prompts.first_message(shown, bench, redact))
    return {
        "model": models.lookup(config.model).id,
        "system": frozen.SYSTEM,
        "tools": list(frozen.TOOLS),
        "messages": prompts.opening([message]),
        **form.fields,
        "cache_control": {"type": "ephemeral"},
    }


def withheld(task: Task, config: Config, redact: Redactor) -> Withholding:
    """What takes out of results whatever may not be sent.

    Files that hold secrets are no matter of tracebacks: `redact` knows their values.
    """
    snapshot = task.snapshot
    files = {**dict.fromkeys(snapshot.files, b""), **snapshot.sources}
    return withholding(files, lambda path: not excluded(path, config.exclude), redact)


def bench_files(task: Task, config: Config) -> dict[str, str]:
    """The snapshot's texts that may be sent, with plain newlines."""
    files: dict[str, str] = {}
    for path, content in task.snapshot.sources.items():
        if not may_send(path, config.exclude):
            continue
        try:
            files[path] = decode(content).view
        except TextError:
            continue  # what is no text cannot be shown or edited
    return files


def changes(task: Task, files: Mapping[str, str]) -> tuple[Change, ...]:
    """Edited texts as changes of bytes, each file's own line endings kept.

    A text that its file's encoding cannot hold is written as UTF-8: the gate will
    say what it thinks of that.
    """
    made = []
    for path, text in sorted(files.items()):
        before = task.snapshot.sources.get(path)
        after = _bytes(before, text)
        if before is None:
            made.append(Change(path, None, after, "add"))
        elif after != before:
            made.append(Change(path, before, after))
    return tuple(made)


def _bytes(before: bytes | None, text: str) -> bytes:
    if before is None:
        return text.encode()
    source = decode(before)
    edited = restore(source, text)
    try:
        return encode(source, edited)
    except TextError:
        return edited.encode()


def redactor_for(task: Task, environment: Mapping[str, str]) -> Redactor:
    """Knows the environment's secrets and those of the project's `.env` files."""
    return redactor_of(task.snapshot, environment)


def redactor_of(snapshot: Snapshot, environment: Mapping[str, str]) -> Redactor:
    """The same for whoever has no task."""
    return redactor_at(snapshot.root, environment, snapshot.sources)
