"""Which messages and commands are answered, and where; none of that is imported yet.

Saying hello must be quick: what a handler needs is imported when it is asked first,
all of it when the client says that it is ready.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping

from lsprotocol import types

from bonafix.lsp.session import Server
from bonafix.lsp.settings import SECTION

PULL = types.DiagnosticOptions(
    identifier=SECTION, inter_file_dependencies=True, workspace_diagnostics=True
)
ACTIONS = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])

Handler = Callable[..., Awaitable[object]]

# Method or command -> module in this package, function.
FEATURES: Mapping[str, tuple[str, str]] = {
    types.INITIALIZED: ("messages", "initialized"),
    types.SHUTDOWN: ("messages", "shutdown"),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: ("messages", "did_change_configuration"),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: ("messages", "did_change_folders"),
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: ("messages", "did_change_files"),
    types.TEXT_DOCUMENT_DID_OPEN: ("messages", "did_open"),
    types.TEXT_DOCUMENT_DID_CHANGE: ("messages", "did_change"),
    types.TEXT_DOCUMENT_DID_CLOSE: ("messages", "did_close"),
    types.TEXT_DOCUMENT_DID_SAVE: ("messages", "did_save"),
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: ("messages", "cancel_progress"),
    types.TEXT_DOCUMENT_CODE_ACTION: ("requests", "code_action"),
    types.TEXT_DOCUMENT_CODE_LENS: ("requests", "code_lens"),
}
PULLED: Mapping[str, tuple[str, str]] = {
    types.TEXT_DOCUMENT_DIAGNOSTIC: ("requests", "diagnostic"),
    types.WORKSPACE_DIAGNOSTIC: ("requests", "workspace_diagnostic"),
}
OPTIONS: Mapping[str, object] = {
    types.TEXT_DOCUMENT_CODE_ACTION: ACTIONS,
    types.TEXT_DOCUMENT_DIAGNOSTIC: PULL,
}
COMMANDS: Mapping[str, tuple[str, str]] = {
    "bonafix.runTests": ("commands", "run_tests"),
    "bonafix.test": ("commands", "run_tests"),
    "bonafix.fix": ("commands", "fix"),
    "bonafix.apply": ("commands", "apply"),
    "bonafix.cancel": ("commands", "cancel"),
    "bonafix.showEvidence": ("commands", "show_evidence"),
    "bonafix.explain": ("commands", "explain"),
    "bonafix.doctor": ("commands", "doctor"),
}


def register(server: Server, features: Mapping[str, tuple[str, str]]) -> None:
    """Have these methods answered."""
    for method, place in features.items():
        server.feature(method, OPTIONS.get(method))(_later(*place))


def register_commands(server: Server) -> None:
    """Have all commands answered."""
    for name, place in COMMANDS.items():
        server.command(name)(_later(*place))


def _later(module: str, name: str) -> Handler:
    """What imports a handler when it is called, and is that from then on."""

    async def handler(ls: Server, *given: object) -> object:
        found: Handler = getattr(
            importlib.import_module(f"{__package__}.{module}"), name
        )
        return await found(ls, *given)

    return handler
