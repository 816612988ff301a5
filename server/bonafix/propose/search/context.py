"""What templates know of the place that they look at: names, roles, neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from bonafix.propose.search.known import NOTHING, Known
from bonafix.syntax import CONSTANTS, Node, Scope, scope_of, walk

OPERATIONS = frozenset({"binary_operator", "unary_operator"})
ATOMS = frozenset(
    {
        *("identifier", "integer", "float", "string", "true", "false", "none"),
        *("call", "attribute", "subscript", "parenthesized_expression", "list"),
        *("tuple", "dictionary", "set", "list_comprehension", "set_comprehension"),
        *("dictionary_comprehension", "generator_expression", "ellipsis"),
    }
)
_TEXTUAL = frozenset({"string", "concatenated_string"})
_CONTAINERS = frozenset({"list", "list_comprehension", "tuple"})
_FIELDS = {  # (parent kind, field) -> the role that the child plays
    ("call", "function"): "called",
    ("attribute", "object"): "object",
    ("subscript", "value"): "subscripted",
    ("subscript", "subscript"): "index",
    ("for_statement", "right"): "iterated",
    ("for_in_clause", "right"): "iterated",
    ("for_statement", "left"): "bound",
    ("for_in_clause", "left"): "bound",
    ("assignment", "left"): "bound",
    ("augmented_assignment", "left"): "counted",
    ("augmented_assignment", "right"): "operand",
    ("keyword_argument", "value"): "argument",
    ("if_statement", "condition"): "condition",
    ("elif_clause", "condition"): "condition",
    ("while_statement", "condition"): "condition",
}
_KINDS = {
    "argument_list": "argument",
    "binary_operator": "operand",
    "unary_operator": "operand",
    "comparison_operator": "compared",
    "boolean_operator": "condition",
    "not_operator": "condition",
    "pattern_list": "bound",
    "tuple_pattern": "bound",
    "slice": "index",
    "return_statement": "returned",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A node that a template may rewrite, in the file that it stands in."""

    node: Node
    newline: str = "\n"
    path: str = ""
    known: Known = NOTHING

    @property
    def function(self) -> Node | None:
        """The innermost function around the node."""
        return enclosing_function(self.node)

    @property
    def region(self) -> Node:
        """The function around the node, else the module."""
        return self.function or self.node.module.root

    @property
    def scope(self) -> Scope:
        """The names that the node can see."""
        return _scope(self.node)


@dataclass(frozen=True, slots=True)
class Donor:
    """An expression with the names that it needs."""

    node: Node
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Usage:
    """How a function (or module) uses names, constants and expressions."""

    roles: Mapping[str, frozenset[str]]  # name -> the roles it plays
    counts: Mapping[str, int]  # name -> how often it stands there
    reads: Mapping[str, int]  # name -> how often its value is used
    derived: Mapping[str, Mapping[str, tuple[Node, ...]]]  # name -> made from it
    constants: Mapping[str, tuple[Node, ...]]  # literal as written -> its places
    attributes: Mapping[str, frozenset[str]]  # object as written -> its attributes
    donors: tuple[Donor, ...]  # distinct small expressions that another may borrow
    returns: tuple[Node, ...]  # its own return statements


def enclosing_function(node: Node) -> Node | None:
    """The innermost function that a node lies in."""
    found = (a for a in node.ancestors() if a.kind == "function_definition")
    return next(found, None)


@lru_cache(maxsize=64)
def usage(region: Node) -> Usage:
    """How a region uses what it names."""
    roles: dict[str, set[str]] = {}
    attributes: dict[str, set[str]] = {}
    constants: dict[str, list[Node]] = {}
    counts: Counter[str] = Counter()
    reads: Counter[str] = Counter()
    derived: dict[str, dict[str, tuple[Node, ...]]] = {}
    donors: dict[str, Node] = {}
    for node in walk(region):
        if node.kind == "identifier" and (name_role := role(node)):
            roles.setdefault(node.text, set()).add(name_role)
            counts[node.text] += 1
            reads[node.text] += _is_read(node)
        elif node.kind in CONSTANTS and not is_docstring(node):
            constants.setdefault(node.text, []).append(node)
        elif node.kind == "attribute":
            thing, attribute = node.child("object"), node.child("attribute")
            if thing is not None and attribute is not None:
                attributes.setdefault(thing.text, set()).add(attribute.text)
        elif node.kind == "assignment":
            _note_derived(node, derived)
        if is_donor(node):
            donors.setdefault(node.text, node)
    return Usage(
        roles={name: frozenset(seen) for name, seen in roles.items()},
        counts=counts,
        reads=reads,
        derived=derived,
        constants={text: tuple(nodes) for text, nodes in constants.items()},
        attributes={name: frozenset(seen) for name, seen in attributes.items()},
        donors=tuple(_donor(node) for node in donors.values()),
        returns=tuple(_returns(region)),
    )


def _note_derived(
    assignment: Node, derived: dict[str, dict[str, tuple[Node, ...]]]
) -> None:
    left, right = assignment.child("left"), assignment.child("right")
    if left is None or right is None or left.kind != "identifier":
        return
    for node in walk(right):
        if node.kind == "identifier" and role(node) not in {"", "called"}:
            made = derived.setdefault(node.text, {})
            made[left.text] = (*made.get(left.text, ()), assignment)


def _is_read(name: Node) -> bool:
    """Whether a name's value is used where it stands, not only changed."""
    node = name
    while role(node) in {"subscripted", "object"} and node.parent is not None:
        node = node.parent
    return role(node) not in {"bound", "counted"}


def is_docstring(node: Node) -> bool:
    """Whether a text stands for itself, as a statement."""
    around = node.parent.kind if node.parent is not None else ""
    return node.kind == "string" and around == "expression_statement"


def _donor(node: Node) -> Donor:
    names = (n.text for n in walk(node) if n.kind == "identifier" and role(n))
    return Donor(node, frozenset(names))


def role(node: Node) -> str:
    """What part a name or expression plays where it stands; "" if none of ours."""
    parent = node.parent
    if parent is None:
        return ""
    for (kind, field), found in _FIELDS.items():
        if parent.kind == kind and node in parent.each(field):
            return found
    if _names_something(node, parent):
        return ""
    return _KINDS.get(parent.kind, "value")


def is_donor(node: Node) -> bool:
    """Whether a node is an expression small enough to be used elsewhere."""
    if node.kind not in {"call", "subscript", "attribute", "binary_operator"}:
        return False
    parent = node.parent
    called = parent is not None and parent.kind == "call" and role(node) == "called"
    return not called and node.end - node.start <= _SMALL and "\n" not in node.text


_SMALL = 24  # characters


def is_textual(node: Node) -> bool:
    """Whether an operand is text or a list for certain: no arithmetic on it."""
    if node.kind in _TEXTUAL or node.kind in _CONTAINERS:
        return True
    if node.kind == "binary_operator" and operator(node) == "+":
        return any(is_textual(child) for child in node.named)
    if node.kind == "subscript":
        return any(child.kind == "slice" for child in node.each("subscript"))
    if node.kind == "call":
        function = node.child("function")
        return function is not None and function.text in {"str", "list", "sorted"}
    return False


def operator(node: Node) -> str:
    """The operator of a binary or unary operation or an augmented assignment."""
    found = node.child("operator")
    return found.text if found is not None else ""


def operands(node: Node) -> tuple[Node, Node] | None:
    """Left and right of a binary operation."""
    left, right = node.child("left"), node.child("right")
    return (left, right) if left is not None and right is not None else None


def positional(call: Node) -> list[Node]:
    """The positional arguments of a call, as long as none is unpacked."""
    arguments = call.child("arguments")
    if arguments is None or arguments.kind != "argument_list":
        return []
    plain: list[Node] = []
    for argument in arguments.named:
        if argument.kind in {"list_splat", "dictionary_splat", "keyword_argument"}:
            break
        plain.append(argument)
    return plain


def callee(call: Node) -> str:
    """The last name of what is called: `f` in `f()` and in `a.f()`."""
    function = call.child("function")
    if function is not None and function.kind == "attribute":
        function = function.child("attribute")
    return function.text if function is not None else ""


def line_indent(node: Node) -> str:
    """The white space before the first statement on the node's first line."""
    text, start = node.module.text, node.start
    begin = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    line = text[begin:start]
    return line[: len(line) - len(line.lstrip())]


def _returns(region: Node) -> Iterator[Node]:
    return (
        node
        for node in walk(region)
        if node.kind == "return_statement" and enclosing_function(node) == region
    )


def _names_something(node: Node, parent: Node) -> bool:
    """Whether an identifier is a label (attribute, keyword, definition), no value."""
    labels = {
        "attribute": "attribute",
        "keyword_argument": "name",
        "function_definition": "name",
        "class_definition": "name",
        "default_parameter": "name",
        "typed_default_parameter": "name",
    }
    if parent.kind in labels:
        return parent.child(labels[parent.kind]) == node
    return parent.kind in {
        *("parameters", "lambda_parameters", "typed_parameter", "dotted_name"),
        *("type", "list_splat_pattern", "dictionary_splat_pattern", "aliased_import"),
        *("generic_type", "union_type", "member_type"),
        *("global_statement", "nonlocal_statement", "as_pattern_target"),
        *("keyword_pattern", "case_pattern", "type_conversion"),
    }


@lru_cache(maxsize=512)
def _scope_from(node: Node) -> Scope:
    whole = scope_of(node)
    # `_` is what its author does not care for; at module level it translates texts.
    return replace(whole, local=tuple(name for name in whole.local if name != "_"))


def _scope(node: Node) -> Scope:
    """All nodes between two openers of scopes see the same: ask for one of them."""
    for around in (node, *node.ancestors()):
        parent = around.parent
        if parent is None or parent.kind in {
            *("function_definition", "lambda", "class_definition"),
            *("list_comprehension", "set_comprehension"),
            *("dictionary_comprehension", "generator_expression"),
        }:
            return _scope_from(around)
    return Scope()
