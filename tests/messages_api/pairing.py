"""The order of messages: roles, known block fields, tool calls and their results."""

from __future__ import annotations

from collections.abc import Sequence

from tests.messages_api.values import Record, blocks, invalid, records

_FIELDS = {
    "text": {"type", "text", "citations", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "tool_use": {"type", "id", "name", "input", "caller", "cache_control"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
}
_BY_ROLE = {
    "user": {"text", "tool_result"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
}


def check_messages(request: Record, *, paused: bool = False) -> None:
    """Raise the documented 400 for messages that do not follow one another.

    `paused` says that the last answer asked to be sent back and gone on with.
    """
    messages = records(request.get("messages"))
    if not messages:
        raise invalid("messages: at least one message is required")
    for number, message in enumerate(messages):
        _check_blocks(number, message)
    if messages[-1].get("role") == "assistant" and not paused:
        raise invalid(
            "This model does not support assistant message prefill. The conversation "
            "must end with a user message."
        )
    if messages[0].get("role") != "user":
        raise invalid("messages: first message must use the 'user' role")
    _check_results(messages)


def _check_blocks(number: int, message: Record) -> None:
    role = str(message.get("role"))
    if role not in _BY_ROLE:
        raise invalid(f"messages.{number}.role: Input should be 'user' or 'assistant'")
    content = blocks(message)
    if not content:
        raise invalid(f"messages.{number}: all messages must have non-empty content")
    for place, block in enumerate(content):
        where = f"messages.{number}.content.{place}"
        kind = str(block.get("type"))
        if kind not in _BY_ROLE[role]:
            raise invalid(
                f"{where}: `{kind}` blocks are not allowed in {role} messages"
            )
        for field in block.keys() - _FIELDS[kind]:
            raise invalid(f"{where}.{kind}.{field}: Extra inputs are not permitted")
        if kind == "text" and not str(block.get("text", "")).strip():
            raise invalid(f"{where}.text: text content blocks must be non-empty")


def _ids(content: Sequence[Record], kind: str, field: str) -> list[str]:
    return [str(block.get(field)) for block in content if block.get("type") == kind]


def _check_results(messages: Sequence[Record]) -> None:
    called: list[str] = []
    for number, message in enumerate(messages):
        content = blocks(message)
        answered = _leading_results(content)
        _check_unexpected(number, content, called)
        missing = [call for call in called if call not in answered]
        if missing:
            raise invalid(
                f"messages.{number - 1}: `tool_use` ids were found without "
                f"`tool_result` blocks immediately after: {', '.join(missing)}. Each "
                "`tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        called = _ids(content, "tool_use", "id")


def _leading_results(content: Sequence[Record]) -> list[str]:
    """Ids of the results that stand before any other block, where they belong."""
    found = []
    for block in content:
        if block.get("type") != "tool_result":
            break
        found.append(str(block.get("tool_use_id")))
    return found


def _check_unexpected(
    number: int, content: Sequence[Record], called: Sequence[str]
) -> None:
    seen: set[str] = set()
    for place, block in enumerate(content):
        if block.get("type") != "tool_result":
            continue
        answer = str(block.get("tool_use_id"))
        if answer not in called:
            raise invalid(
                f"messages.{number}.content.{place}: unexpected `tool_use_id` found in "
                f"`tool_result` blocks: {answer}. Each `tool_result` block must have a "
                "corresponding `tool_use` block in the previous message."
            )
        if answer in seen:
            raise invalid(
                f"messages.{number}.content.{place}: each `tool_use` must have a "
                f"single result. Found multiple `tool_result` blocks with id: {answer}"
            )
        seen.add(answer)
