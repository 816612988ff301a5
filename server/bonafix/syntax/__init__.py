"""Python source as a tree with character offsets; the only user of tree-sitter.

`tree` parses and walks, `scopes` says which functions and names there are, `facts`
finds statements, constants and calls, and normalises a text for comparison. All of
it is pure, and none of it fails on source with errors in it.
"""

from bonafix.syntax.facts import (
    CONSTANTS,
    STATEMENTS,
    Constant,
    call_sites,
    constants,
    header_end,
    normalise,
    statements_at,
)
from bonafix.syntax.scopes import (
    Function,
    Scope,
    assigned_names,
    function_at,
    functions,
    names_at_line,
    scope_of,
)
from bonafix.syntax.tree import Module, Node, compiles, is_valid, parse, walk

__all__ = [
    "CONSTANTS",
    "STATEMENTS",
    "Constant",
    "Function",
    "Module",
    "Node",
    "Scope",
    "assigned_names",
    "call_sites",
    "compiles",
    "constants",
    "function_at",
    "functions",
    "header_end",
    "is_valid",
    "names_at_line",
    "normalise",
    "parse",
    "scope_of",
    "statements_at",
    "walk",
]
