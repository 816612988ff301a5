"""What one place says that one call of the product gives: the noun, and its reading.

A call counts only where it is of a function at the top of a product module and all
its arguments are constants; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonafix.calls import Call, FunctionRef
from bonafix.domain import Place
from bonafix.judge.reading.folding import Names, fold, known
from bonafix.judge.suspicion.imported import Code, Definition, Imported, definition
from bonafix.judge.suspicion.plain import plain
from bonafix.syntax import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One place says what one call gives.

    `arguments` tell calls apart: parameter -> the repr of its value. With `loose`
    only the truth of the result is claimed.
    """

    function: FunctionRef
    definition: Definition
    arguments: tuple[tuple[str, str], ...]
    expected: object
    loose: bool = False
    place: Place
    last_line: int
    call: str  # as written
    test: str = ""  # the node id; empty for an example

    def fits(self, value: object) -> bool:
        """Whether `value` is what it claims."""
        return bool(value) is self.expected if self.loose else value == self.expected

    def contradicts(self, other: Claim) -> bool:
        """Whether it is about the same call, and both cannot hold."""
        if (self.function, self.arguments) != (other.function, other.arguments):
            return False
        if self.loose or other.loose:
            return bool(self.expected) is not bool(other.expected)
        return bool(self.expected != other.expected)

    def made_by(self, call: Call) -> bool:
        """Whether a recorded call is the one that it is about."""
        names = _parameters(self.definition.node)
        given = dict(zip(names, call.args, strict=False)) | dict(call.kwargs)
        return call.function == self.function and all(
            name in given and repr(plain(given[name])) == text
            for name, text in self.arguments
        )

    @property
    def wants(self) -> str:
        """What it claims, for a person."""
        if self.loose:
            return "a true value" if self.expected else "a false value"
        return repr(self.expected)


def claim_of(
    call: Node, code: Code, bound: Mapping[str, Imported], names: Names
) -> Claim | None:
    """A call of a product function with constants; what it gives is left open."""
    callee, given = call.child("function"), call.child("arguments")
    if callee is None or given is None or given.kind != "argument_list":
        return None
    found = definition(code, callee, bound)
    if found is None or found.node.kind != "function_definition":
        return None
    arguments = _arguments(given, found.node, names)
    # A call without arguments is mostly asked for what became of a state.
    if not arguments or any(c.kind == "async" for c in found.node.children):
        return None
    return Claim(
        function=FunctionRef(found.path, found.name),
        definition=found,
        arguments=arguments,
        expected=None,
        place=Place("", call.first_line),
        last_line=call.last_line,
        call=" ".join(call.text.split()),
    )


def _arguments(
    given: Node, function: Node, names: Names
) -> tuple[tuple[str, str], ...]:
    """Parameter -> the repr of its value; empty where one cannot be told."""
    parameters = _parameters(function)
    found: dict[str, str] = {}
    for position, node in enumerate(given.named):
        keyword, value = node.child("name"), node.child("value")
        named = node.kind == "keyword_argument"
        if not named and position >= len(parameters):
            return ()
        name = keyword.text if named and keyword is not None else parameters[position]
        folded = fold(value if named and value is not None else node, names)
        if not known(folded) or name in found:
            return ()
        found[name] = repr(folded)
    return tuple(sorted(found.items()))


def _parameters(function: Node) -> list[str]:
    """The names of the parameters that may be given by position."""
    listed = function.child("parameters")
    found: list[str] = []
    for node in listed.named if listed is not None else ():
        if node.kind in {"keyword_separator", "list_splat_pattern"}:
            break
        name = node.child("name") or (node.named[0] if node.named else node)
        if node.kind != "positional_separator":
            found.append(name.text)
    return found
