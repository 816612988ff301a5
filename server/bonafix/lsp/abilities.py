"""What the client said it can do, read once; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability

if TYPE_CHECKING:
    from bonafix.text import Unit

_UNITS: dict[str, Unit] = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-32": "utf-32",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """The client's capabilities as far as the server asks for them."""

    unit: Unit = "utf-16"  # what a column counts; the server's answer to the client
    related: bool = False  # diagnostics may carry related information
    versions: bool = False  # diagnostics may carry a document's version
    links: bool = False  # diagnostics may carry a link to more
    pull: bool = False  # it asks for diagnostics itself and is not pushed any
    results: bool = False  # it wants notifications of our own making
    document_changes: bool = False  # edits may carry versions
    checks_actions: bool = False  # it compares these for the edit of an action, too
    apply: bool = False  # edits can be sent
    create: bool = False  # edits may create files
    delete: bool = False
    progress: bool = False  # the server may open progress of its own
    configuration: bool = False  # settings can be asked for
    register_configuration: bool = False
    register_watching: bool = False
    show_document: bool = False
    refresh_lenses: bool = False
    refresh_diagnostics: bool = False


def read(
    client: types.ClientCapabilities, *, pull: bool = False, results: bool = False
) -> Abilities:
    """Read the client's capabilities; what is not there is taken as missing.

    `pull`: its user wants it to ask for diagnostics where it can do either. `results`:
    it says that it understands notifications of our own making.
    """

    def has(name: str) -> bool:
        return bool(get_capability(client, name, False))  # noqa: FBT003 - a default

    def has_any(name: str) -> bool:
        return get_capability(client, name) is not None

    operations = get_capability(client, "workspace.workspace_edit.resource_operations")
    resources = {str(getattr(kind, "value", kind)) for kind in operations or ()}
    changes = bool(resources) or has("workspace.workspace_edit.document_changes")
    pushed = has_any("text_document.publish_diagnostics")
    return Abilities(
        unit=_unit(client),
        related=has("text_document.publish_diagnostics.related_information"),
        versions=has("text_document.publish_diagnostics.version_support"),
        # Neovim takes versioned edits but says so only through the operations,
        # which exist nowhere else.
        links=has("text_document.publish_diagnostics.code_description_support"),
        pull=has_any("text_document.diagnostic") and (pull or not pushed),
        results=results,
        document_changes=changes,
        # The library that VS Code's extensions use drops the versions of an action's
        # edit, but compares those of an edit that is sent. It alone has this ability.
        checks_actions=changes and not has("workspace.workspace_edit.metadata_support"),
        apply=has("workspace.apply_edit"),
        create="create" in resources,
        delete="delete" in resources,
        progress=has("window.work_done_progress"),
        configuration=has("workspace.configuration"),
        register_configuration=has(
            "workspace.did_change_configuration.dynamic_registration"
        ),
        register_watching=has(
            "workspace.did_change_watched_files.dynamic_registration"
        ),
        show_document=has("window.show_document.support"),
        refresh_lenses=has("workspace.code_lens.refresh_support"),
        refresh_diagnostics=has("workspace.diagnostics.refresh_support"),
    )


def _unit(client: types.ClientCapabilities) -> Unit:
    # The same choice that pygls makes for its answer to `initialize`.
    chosen = ServerCapabilitiesBuilder.choose_position_encoding(client)
    return _UNITS[str(getattr(chosen, "value", chosen))]
