"""The tree speaks in characters, and knows functions, names, statements and forms."""

from __future__ import annotations

import ast
import symtable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonafix.syntax import (
    call_sites,
    compiles,
    constants,
    function_at,
    functions,
    header_end,
    is_valid,
    names_at_line,
    normalise,
    parse,
    scope_of,
    statements_at,
    walk,
)
from bonafix.text import decode

SAMPLE = '''\
import os.path, re as regex
from x import y, w as v

LIMIT = 3


class Shop(Base):
    """Sells."""

    rate = 1.5

    @cached(
        size=2,
    )
    def price(self, amount, *rest, tax: float = 0.2, **options):
        total = amount * self.rate  # in cents
        for i, (j, k) in enumerate(rest):
            total += [t for t in j if t > k][0]
        with open(os.path) as file, lock:
            pass
        try:
            (found := v(total))
        except ValueError as error:
            raise
        match options:
            case {"a": one, **others} | [one, *others, Pair(left=two)]:
                pass

        def inner(n, /, step=lambda s: s):
            nonlocal total
            total = n
            return step(LIMIT)

        global COUNT
        COUNT = regex
        return inner

    async def sell(self): ...


é = "😀"; z = Shop().price(1)
'''
pieces = st.lists(
    st.sampled_from(
        [
            *("x = 1", "é = '😀'", "if x:", "    y", "\n", "\r\n", "\r", "# ü", "\f"),
            *("f'{a!r}'", "(", ")", "[", "def f(a):", "    return a", "'''", "\\", " "),
        ]
    ),
    max_size=12,
).map("".join)


@given(pieces)
def test_offsets_are_characters(text):
    """Whatever the text, each node's span is in it and children lie in parents."""
    module = parse(text)
    for node in walk(module.root):
        assert 0 <= node.start <= node.end <= len(text)
        for child in node.children:
            assert node.start <= child.start
            assert child.end <= node.end
            assert child.parent == node


def test_offsets_after_wide_characters():
    """Text behind bytes that are more than characters is found where it is."""
    module = parse(SAMPLE)
    for name in ("é", "z", "price"):
        at = SAMPLE.rindex(name)
        assert module.at(at, at + len(name)).text == name
    wide = [c for c in constants(module.root) if c.kind == "string"][-1]
    assert (wide.text, wide.node.first_line) == ('"😀"', 41)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_lines(newline):
    """CRLF and lone CR files parse as their LF twins do, with the same lines."""
    text = SAMPLE.replace("\n", newline)
    module = parse(decode(text.encode()))
    assert not module.has_error
    spans = [(f.qualified, f.first_line, f.last_line) for f in functions(module)]
    assert spans == [
        ("Shop.price", 12, 36),
        ("Shop.price.<locals>.inner", 29, 32),
        ("Shop.sell", 38, 38),
    ]
    assert normalise(text) == normalise(SAMPLE)


def test_functions_agree_with_python():
    """Qualified names and lines are those of Python's own parser."""
    found = [(f.name, f.node.first_line) for f in functions(parse(SAMPLE))]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    real = [(n.name, n.lineno) for n in ast.walk(ast.parse(SAMPLE)) if type(n) in kinds]
    assert sorted(found) == sorted(real)


def test_function_at():
    """The innermost function around a line; decorators belong to theirs."""
    module = parse(SAMPLE)
    assert function_at(module, 31).qualified == "Shop.price.<locals>.inner"
    assert function_at(module, 14).qualified == "Shop.price"
    assert function_at(module, 4) is None


def test_names_in_scope():
    """Parameters, locals, enclosing and module names, each where they belong."""
    module = parse(SAMPLE)
    scope = names_at_line(module, 16)
    assert scope.parameters == ("self", "amount", "rest", "tax", "options")
    assert scope.local == (
        *("total", "i", "j", "k", "file", "found", "error"),
        *("one", "others", "two", "inner"),
    )
    assert scope.module == ("os", "regex", "y", "v", "LIMIT", "Shop", "é", "z")
    inner = names_at_line(module, 31)
    assert inner.parameters == ("n", "step")
    assert inner.local == ()
    assert set(scope.local) <= set(inner.enclosing)
    assert "rate" not in scope.names
    assert "print" not in scope.names


def test_locals_agree_with_python():
    """What a function binds is what Python's symbol table says it binds."""
    table = symtable.symtable(SAMPLE, "sample", "exec")
    price = table.lookup("Shop").get_namespace().lookup("price").get_namespace()
    real = {s.get_name() for s in price.get_symbols() if s.is_local()}
    scope = names_at_line(parse(SAMPLE), 16)
    assert set(scope.local) | set(scope.parameters) == real


def test_comprehension_names_are_seen_inside_alone():
    """A comprehension's variable is in scope in it, and nowhere else."""
    module = parse(SAMPLE)
    at = SAMPLE.index("t > k")
    assert "t" in scope_of(module.at(at, at + 1)).local
    assert "t" not in names_at_line(module, 17).names


def test_statements_at():
    """The statements around a line, innermost first; a header ends at its block."""
    module = parse(SAMPLE)
    kinds = [node.kind for node in statements_at(module, 18)]
    assert kinds == [
        *("expression_statement", "for_statement", "function_definition"),
        *("decorated_definition", "class_definition"),
    ]
    loop = statements_at(module, 17)[0]
    assert SAMPLE[loop.start : header_end(loop)].rstrip().endswith("(rest):")
    assert [n.text for n in statements_at(module, 41)] == [
        "z = Shop().price(1)",
        'é = "😀"',
    ]
    assert statements_at(module, 5) == []


def test_constants_and_calls():
    """Literals in order with their kinds; calls by the last name of the callee."""
    module = parse("f(1, 'a' \"b\", None)\nx.f(-2.5, True)(f'{3}')\n")
    found = [(c.kind, c.text) for c in constants(module.root)]
    assert found == [
        *(("integer", "1"), ("string", "'a'"), ("string", '"b"'), ("none", "None")),
        *(("float", "2.5"), ("true", "True"), ("integer", "3")),
    ]
    assert [c.text for c in call_sites(module, "f")] == [
        "f(1, 'a' \"b\", None)",
        "x.f(-2.5, True)",
    ]


def test_validity():
    """The grammar takes Python of any version; compiling is stricter."""
    assert is_valid(SAMPLE)
    assert not is_valid("def f(:\n")
    assert not is_valid("x = = 1")
    assert is_valid("return 1\n")
    assert not compiles("return 1\n")
    assert compiles("x = 1 is 1\n'\\d'\n")
    assert not compiles("x\0")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x=1 # a\n\n\ny = [1,\n2]\n", "x = 1\ny = [1, 2]\n", True),
        ("x = 1; y = 2", "x = 1\ny = 2\n", True),
        ("if a:\n  b\n  c\n", "if a:\n    b\n    # no\n    c\n", True),
        ("if a:\n  b\n  c\n", "if a:\n  b\nc\n", False),
        ("if a: b\n", "if a:\n    b\n", True),
        ("x = 'a  b'\n", "x = 'a b'\n", False),
        ("def f():\n  'Doc.'\n", "def f():\n  'doc.'\n", False),
        ("x = 1 + \\\n    2\n", "x = 1 + 2\n", True),
        ("x = a b\n", "x = ab\n", False),
        ("x = f'{a  + b}'\n", "x = f'{a + b}'\n", False),
    ],
)
def test_normal_form(one, other, same):
    """Comments and free white space do not count; blocks and strings do."""
    assert (normalise(one) == normalise(other)) is same


@given(pieces)
def test_normal_form_ignores_comments(text):
    """A comment line before or after changes nothing."""
    if is_valid(text + "\n"):
        assert normalise(f"# before\n{text}\n# after\n") == normalise(text + "\n")


def test_deep_nesting_is_no_problem():
    """A thousand levels of brackets do not overflow the stack."""
    text = "x = " + "(" * 1000 + "1" + ")" * 1000 + "\n"
    module = parse(text)
    assert sum(1 for _ in walk(module.root)) > 1000
    assert normalise(text).count("(") == 1000
