"""Whether the extension's views can be read without colours, and without eyes.

What a checker of accessibility would look for, in the parts of the page that are ours.
"""

import re

from tests.vscode.screen import Screen

OURS = '.pane:has(> .pane-header[aria-label="Bonafix Fixes Section"])'
_WORD = re.compile(r"^(?P<stage>\w+): (?P<result>\w+)\.|, (?P<phase>\w+): ")
_NAMELESS = """nodes => nodes
    .filter(node => node.checkVisibility())
    .filter(node => !(node.ariaLabel || node.innerText || node.title || "").trim())
    .map(node => node.outerHTML.slice(0, 200))"""
_ICON = """row => [...row.querySelector(".custom-view-tree-node-item-icon").classList]
    .find(name => /^codicon-(?!modifier)/.test(name)) ?? "" """


def states(screen: Screen) -> dict[str, str]:
    """Each state of a fix or a stage in the view, as it is read out, with its icon."""
    seen = {}
    for row in screen.page.locator(f"{OURS} [role=treeitem]").all():
        if word := _WORD.search(row.get_attribute("aria-label") or ""):
            seen[word["result"] or word["phase"]] = str(row.evaluate(_ICON))
    return seen


def unnamed(screen: Screen) -> list[str]:
    """What can be reached in our view and in the editor's title, and has no name."""
    places = (f"{OURS} [role=tree]", f"{OURS} [role=treeitem]", f"{OURS} [role=button]")
    titles = ".editor-group-container .editor-actions [role=button]"
    found = screen.page.locator(", ".join((*places, titles)))
    assert found.count(), "there is nothing to look at"
    return [str(one) for one in found.evaluate_all(_NAMELESS)]
