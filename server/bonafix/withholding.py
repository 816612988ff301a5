"""Results of runs in, the same without anything of files that are kept back; pure.

A traceback quotes the files that it passes through: their code, their variables, and
what they raise. What cannot be told apart from them is left out with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bonafix.domain import (
    CollectionError,
    Feedback,
    Frame,
    Outcome,
    Place,
    SuiteRun,
    TestResult,
)
from bonafix.text import TextError, decode

WITHHELD = "[withheld: the settings keep this file from being sent]"
_ELSEWHERE = "[withheld file]"
_LINE = 12  # characters; a shorter line is anybody's
_LITERAL = 8
_MODULES = (".py", ".pyi", ".pyx", ".pyw")

_QUOTED = re.compile(r"\"([^\"\n]{8,400})\"|'([^'\n]{8,400})'")
_MARKS = re.compile(r"^(?:\s*\d+\t)?(?:>|E(?=\s))?\s*")
_PATH = r"(?P<path>[^\s:\"'][^:\n\"']*)"
_LONG = re.compile(rf"^{_PATH}:\d+(?::(?! in )(?: .*)?)?$")  # pytest's, below an entry
_SHORT = re.compile(rf"^{_PATH}:\d+: in .+$")  # pytest's, above an entry
_NATIVE = re.compile(r'^\s*(?:E\s+)?File "(?P<path>[^"\n]+)", line \d+')
_NEXT = re.compile(r"^(?:_ )+_?\s*$")
_SECTION = re.compile(
    r"^(?:[-=_]{3,} .* [-=_]{3,}|The above exception was|During handling of the above"
    r"|\[\.\.\. \d+ characters left out \.\.\.\]|\S+::\S.*: [a-z]+$)"
)
# A summary's line says what was raised, and not in which file.
_SUMMARY = re.compile(r"^((?:FAILED|ERROR|XFAIL|XPASS|SKIPPED|PASSED) .*?) - .*$")
_CODE = re.compile(r"^(?:>|E\s|\s+(?:def|class|return|raise|if|for|with)\b)")


@dataclass(slots=True)
class _Part:
    """Lines of one text that belong together, and of which file they are."""

    lines: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    entry: bool = False  # it follows an entry of a traceback

    @property
    def quotes(self) -> bool:
        """Whether it shows code or variables."""
        return self.entry or any(map(_CODE.match, self.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """Knows which files are kept back, and how their text is recognised.

    `redact` takes secrets out, before anything is cut to a length: half a secret
    would not be known for one.
    """

    may_send: Callable[[str], bool] = lambda _path: True
    active: bool = False  # whether there is any such file
    code: bool = False  # whether one of them may be on a traceback
    lines: frozenset[str] = frozenset()
    literals: tuple[str, ...] = ()
    redact: Callable[[str], str] = field(default=str)

    def run(self, run: SuiteRun) -> SuiteRun:
        """A run whose results, errors and output may be sent.

        Of what passed nothing is told but that.
        """
        errors = tuple(self._error(error) for error in run.collection_errors)
        return replace(
            run,
            results={
                node: TestResult(id=node, outcome=one.outcome)
                if one.outcome is Outcome.PASSED
                else self.result(one)
                for node, one in run.results.items()
            },
            collection_errors=errors,
            output=self.text(run.output),
        )

    def result(self, result: TestResult) -> TestResult:
        """A result that may be sent.

        An exception that a file raises that is kept back has but its type.
        """
        if self.code and self._touches(result):
            result = self._bare(result)
        frames = tuple(self._frame(frame) for frame in result.frames)
        return replace(
            result,
            message=self.text(result.message),
            expected=self._maybe(result.expected),
            actual=self._maybe(result.actual),
            captured=self.text(result.captured),
            longrepr=self.rendered(result.longrepr),
            frames=frames,
        )

    def feedback(self, feedback: Feedback) -> Feedback:
        """Feedback that may be sent."""
        return replace(feedback, visible=self.rendered(feedback.visible))

    def rendered(self, text: str) -> str:
        """What pytest made of failures; what may be of any file is left out, too."""
        return self._told(text, strict=self.code)

    def text(self, text: str) -> str:
        """What programs printed, without entries of tracebacks that are kept back."""
        return self._told(text, strict=False)

    def _told(self, text: str, *, strict: bool) -> str:
        if self.active:
            blocks = self._blocks(text.split("\n"), strict=strict)
            text = "\n".join(_joined(blocks))
            for literal in self.literals:
                if literal in text:
                    text = text.replace(literal, WITHHELD)
        return self.redact(text)

    def _maybe(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)

    def _touches(self, result: TestResult) -> bool:
        """Whether its traceback leads through a file that is kept back."""
        if not self.may_send(result.id.split("::")[0]):
            return True
        if not all(self.may_send(frame.path) for frame in result.frames):
            return True
        return not all(map(self.may_send, _paths(result.longrepr)))

    def _bare(self, result: TestResult) -> TestResult:
        """Without pytest's own rendering; frames tell the same, file by file."""
        own = [frame.path for frame in result.frames if frame.own]
        deepest = own or [*_paths(result.longrepr)] or [result.id.split("::")[0]]
        bare = replace(
            result,
            longrepr="",
            place=self._place(result.place),
            definition=self._place(result.definition),
        )
        if self.may_send(deepest[-1]):
            return bare
        return replace(bare, message=WITHHELD, expected=None, actual=None)

    def _place(self, place: Place | None) -> Place | None:
        return place if place and self.may_send(place.path) else None

    def _frame(self, frame: Frame) -> Frame:
        if not self.may_send(frame.path):
            gone = replace(frame, path=_ELSEWHERE, line=0, function="[withheld]")
            return replace(gone, code="", values={})
        values = {name: self.text(value) for name, value in frame.values.items()}
        return replace(frame, code=self.text(frame.code), values=values)

    def _error(self, error: CollectionError) -> CollectionError:
        path = error.place.path if error.place else error.id.split("::")[0]
        if not self.may_send(path):
            return replace(error, message=WITHHELD, place=None)
        return replace(error, message=self.text(error.message))

    def _blocks(self, lines: Iterable[str], *, strict: bool) -> Iterator[list[str]]:
        """The text's parts; those of files that are kept back as one line each."""
        part = _Part()
        for line in lines:
            if named := _LONG.match(line):
                part.lines.append(line)
                part.paths.append(named["path"])
                yield self._shown(part, strict=strict)
                part = _Part()
            elif named := _SHORT.match(line) or _NATIVE.match(line):
                yield self._shown(part, strict=strict)
                part = _Part([line], [named["path"]])
            elif _NEXT.match(line) or _SECTION.match(line):
                yield self._shown(part, strict=strict)
                yield [self._line(line)]
                part = _Part(entry=bool(_NEXT.match(line)))
            else:
                part.lines.append(line)
        yield self._shown(part, strict=strict)

    def _shown(self, part: _Part, *, strict: bool) -> list[str]:
        """Lines of one file; of an unknown one where they are a traceback's: none."""
        if not any(line.strip() for line in part.lines):
            return part.lines
        if not all(map(self.may_send, part.paths)):
            return [WITHHELD]
        # Without a path a rendering was cut short: it may be of any file.
        if strict and not part.paths and part.quotes:
            return [WITHHELD]
        return [self._line(line) for line in part.lines]

    def _line(self, line: str) -> str:
        if self.code:
            line = _SUMMARY.sub(r"\1", line)
        bare = _MARKS.sub("", line).strip()
        return WITHHELD if bare in self.lines else line


def withholding(
    sources: Mapping[str, bytes],
    may_send: Callable[[str], bool],
    redact: Callable[[str], str] = str,
) -> Withholding:
    """What is known of the files that may not be sent; `sources` are all files.

    What also stands in a file that may be sent is no secret of the others.
    """
    kept = [path for path in sources if not may_send(path)]
    if not kept:
        return Withholding(redact=redact)
    lines: set[str] = set()
    literals: set[str] = set()
    for path in kept:
        text = _text(sources[path])
        lines.update(_lines(text))
        literals.update(_literals(text))
    for path in sources.keys() - set(kept):
        text = _text(sources[path])
        lines.difference_update(_lines(text))
        literals.difference_update(_literals(text))
    return Withholding(
        may_send=may_send,
        active=True,
        code=any(path.endswith(_MODULES) for path in kept),
        lines=frozenset(lines),
        literals=tuple(sorted(literals, key=lambda one: (-len(one), one))),
        redact=redact,
    )


def _paths(text: str) -> Iterator[str]:
    """The files that a rendered traceback names as places of its entries."""
    for line in text.split("\n"):
        named = _LONG.match(line) or _SHORT.match(line) or _NATIVE.match(line)
        if named:
            yield named["path"]


def _lines(text: str) -> Iterator[str]:
    return (bare for line in text.split("\n") if len(bare := line.strip()) >= _LINE)


def _literals(text: str) -> Iterator[str]:
    found = (one or other for one, other in _QUOTED.findall(text))
    return (literal for literal in found if len(literal.strip()) >= _LITERAL)


def _joined(blocks: Iterable[list[str]]) -> Iterator[str]:
    """All lines, a run of withheld parts told once."""
    last = ""
    for line in (line for block in blocks for line in block):
        if line == WITHHELD == last:
            continue
        if line.strip():
            last = line
        yield line


def _text(content: bytes) -> str:
    try:
        return decode(content).view
    except TextError:
        return content.decode("utf-8", "replace")
