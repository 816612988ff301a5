"""What stands where: statements, constants, calls; and a text's normal form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bonafix.syntax.tree import Module, Node, parse, walk

if TYPE_CHECKING:
    import tree_sitter

SIMPLE = frozenset(
    {
        *("assert_statement", "break_statement", "continue_statement"),
        *("delete_statement", "exec_statement", "expression_statement"),
        *("future_import_statement", "global_statement", "import_from_statement"),
        *("import_statement", "nonlocal_statement", "pass_statement"),
        *("print_statement", "raise_statement", "return_statement"),
        "type_alias_statement",
    }
)
COMPOUND = frozenset(
    {
        *("class_definition", "decorated_definition", "for_statement"),
        *("function_definition", "if_statement", "match_statement"),
        *("try_statement", "while_statement", "with_statement"),
    }
)
STATEMENTS = SIMPLE | COMPOUND

ConstantKind = Literal["string", "integer", "float", "true", "false", "none"]

CONSTANTS: dict[str, ConstantKind] = {
    "string": "string",
    "integer": "integer",
    "float": "float",
    "true": "true",
    "false": "false",
    "none": "none",
}


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal as written, not folded; f-strings with expressions are none."""

    kind: ConstantKind
    text: str
    node: Node


def constants(node: Node) -> Iterator[Constant]:
    """The literals in a node, in order; those inside f-strings too."""
    for found in walk(node):
        kind = CONSTANTS.get(found.kind)
        if kind and not any(c.kind == "interpolation" for c in found.named):
            yield Constant(kind, found.text, found)


def statements_at(module: Module, line: int) -> list[Node]:
    """The statements that span a line, innermost first, of neighbours the last."""
    found: list[Node] = []
    stack = [module.root]
    while stack:
        node = stack.pop()
        if not node.first_line <= line <= node.last_line:
            continue
        if node.kind in STATEMENTS:
            found.append(node)
        stack.extend(reversed(node.children))
    return found[::-1]


def header_end(statement: Node) -> int:
    """Where the part of a statement before its block ends; its end if simple."""
    for field in ("body", "consequence"):
        body = statement.child(field)
        if body is not None and statement.kind in COMPOUND:
            return body.start
    return statement.end


def call_sites(module: Module, name: str) -> Iterator[Node]:
    """The calls of `name(...)` or `<anything>.name(...)`."""
    for node in walk(module.root):
        if node.kind != "call":
            continue
        function = node.child("function")
        if function is not None and function.kind == "attribute":
            function = function.child("attribute")
        if function is not None and function.text == name:
            yield node


def normalise(source: str | Module) -> str:
    """The text without comments, blank lines and free choice of white space.

    Two texts with the same normal form mean the same to Python. Docstrings and all
    other strings stay as they are. Blocks are bracketed, since indentation counts.
    """
    module = parse(source) if isinstance(source, str) else source
    pieces: list[bytes] = []
    # On tree-sitter's own nodes: this runs once for each candidate patch.
    stack: list[tree_sitter.Node | bytes] = [module.tree.root_node]
    while stack:
        item = stack.pop()
        if isinstance(item, bytes):
            pieces.append(item)
        elif not item.is_extra:
            _unfold(item, stack)
    return b"\x1f".join(pieces).decode("utf-8", "surrogatepass")


def _unfold(node: tree_sitter.Node, stack: list[tree_sitter.Node | bytes]) -> None:
    """Push the parts of a node, the last first."""
    kind = node.type
    if kind == "string" or not node.child_count:
        if kind != ";" and node.text:
            stack.append(node.text)
    elif kind == "block":
        stack += [b"}", *node.children[::-1], b"{"]
    elif kind in SIMPLE:
        stack += [b";", *node.children[::-1]]
    else:
        stack += node.children[::-1]
