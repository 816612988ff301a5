"""A loopback server that speaks Anthropic's Messages API with a scripted model.

It exists so that the real SDK is tested against real sockets: it enforces the
documented refusals, signs thinking blocks and binds them to their prefix, and plays
faults. `MessagesApi` runs it in a thread; `python -m tests.messages_api` runs it as a
program for tests whose subject is itself a process.
"""

from tests.messages_api.faults import Fault
from tests.messages_api.records import PrefixChangedError, Recorded
from tests.messages_api.script import (
    Conversation,
    Redacted,
    Script,
    Text,
    Thinking,
    ToolUse,
    Turn,
)
from tests.messages_api.server import MessagesApi

__all__ = [
    "Conversation",
    "Fault",
    "MessagesApi",
    "PrefixChangedError",
    "Recorded",
    "Redacted",
    "Script",
    "Text",
    "Thinking",
    "ToolUse",
    "Turn",
]
