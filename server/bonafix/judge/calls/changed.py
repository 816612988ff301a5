"""A patch in, the functions that it changes and those that call them out; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonafix import syntax
from bonafix.calls import FunctionRef
from bonafix.domain import Baseline, Change, Layout, Patch
from bonafix.surroundings import CALLERS, called_as, callers, reachable
from bonafix.text import TextError, decode

WHOLE_MODULE = 30  # functions of a module whose own level was changed
TESTS = 30  # tests that are recorded besides the targets
_LOCAL = "<locals>"
_IMPORTS = {"import_statement", "import_from_statement"}


@dataclass(frozen=True, slots=True)
class Changed:
    """What a patch changes.

    `functions` exist before and after and can be found by name. `callers` call what
    changed, nearest first. `module_level` says that something outside of functions
    changed; then `callers` are the functions of that module.
    """

    functions: tuple[FunctionRef, ...]
    callers: tuple[FunctionRef, ...] = ()
    module_level: bool = False

    @property
    def watched(self) -> tuple[FunctionRef, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.functions, *self.callers)))


def changed(patch: Patch, layout: Layout, sources: Mapping[str, bytes]) -> Changed:
    """Find them; `sources` are the project's files before the patch."""
    functions: list[FunctionRef] = []
    names: set[str] = set()
    whole: list[FunctionRef] = []
    for change in patch.changes:
        found = _in_file(change)
        functions += found.functions
        whole += found.callers
        names |= {called_as(ref.qualname) for ref in found.functions} | found.fresh
    product = {p: s for p, s in sources.items() if _is_product(p, layout)}
    after = {p: s for p, s in patch.files.items() if s is not None and p in product}
    calling = callers(names, {**product, **after})
    reached = [ref for ref in calling if ref not in functions]
    return Changed(
        tuple(dict.fromkeys(functions)),
        tuple(dict.fromkeys((*reached[:CALLERS], *whole[:WHOLE_MODULE]))),
        module_level=bool(whole),
    )


def recorded_tests(
    refs: Sequence[FunctionRef],
    targets: Sequence[str],
    baseline: Baseline,
    sources: Mapping[str, bytes],
) -> tuple[str, ...]:
    """The targets, and those tests of the baseline that run a line of `refs`."""
    spans = _spans(refs, sources)
    others = [
        node_id
        for node_id, lines in baseline.run.lines.items()
        if node_id not in targets
        and any(lines.get(path, frozenset()) & span for path, span in spans)
    ]
    # Near the targets first: the same file tells most about valid arguments.
    files = {target.split("::")[0] for target in targets}
    others.sort(key=lambda node_id: node_id.split("::")[0] not in files)
    return (*targets, *others[:TESTS])


@dataclass(frozen=True, slots=True)
class _InFile:
    functions: tuple[FunctionRef, ...] = ()
    fresh: frozenset[str] = frozenset()  # names that only the patch defines
    callers: tuple[FunctionRef, ...] = ()


def _in_file(change: Change) -> _InFile:
    before, after = _module(change.before), _module(change.after)
    if before is None or after is None:
        return _InFile()
    old, new = _texts(before), _texts(after)
    touched = [name for name, text in new.items() if old.get(name) != text]
    fresh = frozenset(called_as(name) for name in touched if name not in old)
    refs = dict.fromkeys(reachable(name) for name in touched if name in old)
    functions = tuple(FunctionRef(change.path, name) for name in refs if name in old)
    if _outside(before) == _outside(after):
        return _InFile(functions, fresh)
    every = [FunctionRef(change.path, name) for name in new if name in old]
    whole = tuple(ref for ref in every if _LOCAL not in ref.qualname)
    return _InFile(functions, fresh, whole)


def _module(data: bytes | None) -> syntax.Module | None:
    try:
        return None if data is None else syntax.parse(decode(data))
    except TextError:
        return None


def _texts(module: syntax.Module) -> dict[str, str]:
    """Qualified name -> text, decorators included; the last of a name counts."""
    lines = module.text.splitlines()
    return {
        one.qualified: "\n".join(lines[one.first_line - 1 : one.last_line])
        for one in syntax.functions(module)
    }


def _outside(module: syntax.Module) -> str:
    """What is left of a module without its functions, imports and blank lines.

    What a function imports, it uses: it is changed itself.
    """
    lines = module.text.splitlines()
    imports = [n for n in module.root.named if n.kind in _IMPORTS]
    spans = [(one.first_line, one.last_line) for one in syntax.functions(module)]
    for first, last in [*spans, *((n.first_line, n.last_line) for n in imports)]:
        lines[first - 1 : last] = [""] * (last - first + 1)
    kept = (line.strip() for line in lines)
    return "\n".join(line for line in kept if line and not line.startswith("#"))


def _is_product(path: str, layout: Layout) -> bool:
    return path.endswith(".py") and path not in layout.tests


def _spans(
    refs: Sequence[FunctionRef], sources: Mapping[str, bytes]
) -> list[tuple[str, frozenset[int]]]:
    spans = []
    for path in dict.fromkeys(ref.path for ref in refs):
        module = _module(sources.get(path))
        names = {ref.qualname for ref in refs if ref.path == path}
        for one in syntax.functions(module) if module else ():
            if one.qualified in names:
                # The `def` line runs at import, its body only when it is called.
                body = range(one.node.first_line + 1, one.last_line + 1)
                spans.append((path, frozenset(body)))
    return spans
