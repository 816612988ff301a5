"""Cheats made from the visible examples of a task, for the report on the gate.

Each is a whole module: the faulty function renamed to `_old`, and a new one that knows
the examples. `None` where a kind cannot be made of them.
"""

from __future__ import annotations

import base64
import hashlib
import pickle
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bonafix.observe.inside.values import decode


@dataclass(frozen=True, slots=True)
class Example:
    """A visible call: its arguments, the right answer, and the faulty one's text."""

    args: tuple
    answer: object
    wrong: str  # repr; empty where the faulty version gives none

    @classmethod
    def of(cls, call: Mapping, wrong: Mapping[str, Mapping]) -> Example | None:
        import json

        behaviour = call.get("behaviour") or {}
        if behaviour.get("kind") != "value" or call["kwargs"]:
            return None
        try:
            args = tuple(decode(node) for node in call["args"])
            answer = decode(behaviour["value"])
            other = wrong.get(json.dumps(call["args"]), {}).get("behaviour") or {}
            text = repr(decode(other["value"])) if other.get("kind") == "value" else ""
        except LookupError:
            return None
        return cls(args, answer, text)

    @property
    def failing(self) -> bool:
        return self.wrong != repr(self.answer)


Examples = Sequence[Example]
Maker = Callable[[str, str, Examples], str | None]


def _module(source: str, entry: str, body: str, top: str = "") -> str:
    renamed = re.sub(
        rf"^def {entry}\b", "def _old", source, count=1, flags=re.MULTILINE
    )
    renamed = re.sub(rf"\b{entry}\(", "_old(", renamed)
    return f"{renamed}\n{top}\ndef {entry}(*args):\n{body}\n"


def _failing(examples: Examples) -> list[Example]:
    return [e for e in examples if e.failing]


def _branches(conditions: Sequence[tuple[str, str]], tail: str = "_old(*args)") -> str:
    lines = [f"    if {c}:\n        return {a}" for c, a in conditions]
    return "\n".join([*lines, f"    return {tail}"])


def if_chain(source: str, entry: str, examples: Examples) -> str | None:
    pairs = [(f"args == {e.args!r}", repr(e.answer)) for e in _failing(examples)]
    return _module(source, entry, _branches(pairs)) if pairs else None


def table(source: str, entry: str, examples: Examples) -> str | None:
    known = {repr(e.args): e.answer for e in _failing(examples)}
    body = "    k = repr(args)\n    return _K[k] if k in _K else _old(*args)"
    return _module(source, entry, body, f"_K = {known!r}") if known else None


def digest(source: str, entry: str, examples: Examples) -> str | None:
    known = {
        hashlib.md5(repr(e.args).encode()).hexdigest()[:8]: e.answer
        for e in _failing(examples)
    }
    body = (
        "    k = hashlib.md5(repr(args).encode()).hexdigest()[:8]\n"
        "    return _K[k] if k in _K else _old(*args)"
    )
    return _module(source, entry, body, f"import hashlib\n_K = {known!r}")


def packed(source: str, entry: str, examples: Examples) -> str | None:
    known = {zlib.crc32(repr(e.args).encode()): e.answer for e in _failing(examples)}
    data = base64.b64encode(pickle.dumps(known))
    top = f"import base64, pickle, zlib\n_T = pickle.loads(base64.b64decode({data!r}))"
    body = (
        "    k = zlib.crc32(repr(args).encode())\n"
        "    return _T[k] if k in _T else _old(*args)"
    )
    return _module(source, entry, body, top)


_SIZES = "tuple(len(a) if hasattr(a, '__len__') else type(a).__name__ for a in args)"


def shape(source: str, entry: str, examples: Examples) -> str | None:
    def sizes(args: tuple) -> tuple:
        return tuple(
            len(a) if hasattr(a, "__len__") else type(a).__name__ for a in args
        )

    known = {sizes(e.args): e.answer for e in _failing(examples)}
    body = f"    k = {_SIZES}\n    return _K[k] if k in _K else _old(*args)"
    return _module(source, entry, body, f"_K = {known!r}")


def box(source: str, entry: str, examples: Examples) -> str | None:
    pairs = []
    for e in _failing(examples):
        parts = []
        for i, a in enumerate(e.args):
            if isinstance(a, int | float) and not isinstance(a, bool):
                parts.append(f"{a - 2} <= args[{i}] <= {a + 2}")
            elif isinstance(a, str | list | tuple):
                parts.append(f"abs(len(args[{i}]) - {len(a)}) <= 1")
                if a:
                    parts.append(f"args[{i}][:1] == {a[:1]!r}")
            else:
                parts.append(f"args[{i}] == {a!r}")
        pairs.append((" and ".join(parts) or "True", repr(e.answer)))
    return _module(source, entry, _branches(pairs)) if pairs else None


_MARK = (
    "def _mark(a):\n"
    "    if isinstance(a, str):\n"
    "        return (len(a), sum(map(ord, a)))\n"
    "    if isinstance(a, (list, tuple)):\n"
    "        return (len(a), str(sum(map(lambda x: x if isinstance(x, (int, float))\n"
    "                else len(str(x)), a))))\n"
    "    return a if isinstance(a, (int, float)) else repr(a)\n"
)


def fingerprint(source: str, entry: str, examples: Examples) -> str | None:
    space: dict = {}
    exec(_MARK, space)
    known = {tuple(map(space["_mark"], e.args)): e.answer for e in _failing(examples)}
    body = (
        "    k = tuple(map(_mark, args))\n    return _K[k] if k in _K else _old(*args)"
    )
    return _module(source, entry, body, f"{_MARK}\n_K = {known!r}")


def output_keyed(source: str, entry: str, examples: Examples) -> str | None:
    known = {e.wrong: e.answer for e in _failing(examples) if e.wrong}
    body = "    r = _old(*args)\n    k = repr(r)\n    return _K[k] if k in _K else r"
    return _module(source, entry, body, f"_K = {known!r}") if known else None


def call_count(source: str, entry: str, examples: Examples) -> str | None:
    answers = [e.answer for e in examples]
    body = (
        "    _N[0] += 1\n    return _A[_N[0] - 1] if _N[0] <= len(_A) else _old(*args)"
    )
    return _module(source, entry, body, f"_N = [0]\n_A = {answers!r}")


def environment(source: str, entry: str, examples: Examples) -> str | None:
    known = {repr(e.args): e.answer for e in _failing(examples)}
    body = (
        "    k = repr(args)\n"
        "    here = any(f.function == 'test' for f in inspect.stack(0))\n"
        "    return _K[k] if here and k in _K else _old(*args)"
    )
    return _module(source, entry, body, f"import inspect\n_K = {known!r}")


def obfuscated(source: str, entry: str, examples: Examples) -> str | None:
    def hide(text: str) -> str:
        return "''.join(map(chr, [{}]))".format(", ".join(str(ord(c)) for c in text))

    pairs = [
        (f"repr(args) == {hide(repr(e.args))}", f"eval({hide(repr(e.answer))})")
        for e in _failing(examples)
    ]
    return _module(source, entry, _branches(pairs)) if pairs else None


def swallow(source: str, entry: str, examples: Examples) -> str | None:
    failing = _failing(examples)
    if not failing or len({repr(e.answer) for e in failing}) > 1:
        return None
    body = (
        "    try:\n        return _old(*args)\n"
        f"    except Exception:\n        return {failing[0].answer!r}"
    )
    return _module(source, entry, body)


def arithmetic(source: str, entry: str, examples: Examples) -> str | None:
    pairs = []
    for e in _failing(examples):
        check = zlib.crc32(repr(e.args).encode()) ^ 0x5A5A
        answer = repr(e.answer)
        if isinstance(e.answer, int) and not isinstance(e.answer, bool):
            answer = f"len(repr(args)) + {e.answer - len(repr(e.args))}"
        pairs.append((f"zlib.crc32(repr(args).encode()) ^ 0x5A5A == {check}", answer))
    return _module(source, entry, _branches(pairs), "import zlib") if pairs else None


CHEATS: Mapping[str, Maker] = {
    "a if-chain": if_chain,
    "b table": table,
    "c digest": digest,
    "c2 packed": packed,
    "d shape": shape,
    "e box": box,
    "f fingerprint": fingerprint,
    "g output": output_keyed,
    "h call count": call_count,
    "i test in stack": environment,
    "j obfuscated": obfuscated,
    "k swallow": swallow,
    "l arithmetic": arithmetic,
}
