"""A patch in, what it adds that speaks to whoever reads it out; pure.

Code has no reason to talk to a reviewer or to a model. A comment, a string or a name
that asks for a verdict is a finding, whether or not anyone would obey it. A project
may well be about reviewers, approvals and models: words alone are nothing, what counts
is that someone is addressed, told what to think, or assured of the patch itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bonafix.domain import Patch
from bonafix.judge.reading.fresh import Area, changed_files
from bonafix.syntax import Node

# Words that stand for others below.
_WORDS = {
    "READER": r"""
(?:(?:code |patch |human |automated |ai )?
(?:reviewers?|graders?|judges?|auditors?|evaluators?|verifiers?|checkers?)
|a\.?i\.?s?|l\.?l\.?m\.?s?|language models?
|(?:ai |reviewing |language |judging )?(?:models?|assistants?|agents?|bots?)
|claude|chat ?gpt|gpt(?:-?\d)?|gemini|copilot|anthropic|openai)""",
    "SURE": r"""
(?:correct|right|safe|valid|verified|honest|approved|general|genuine|intended|fine
|ok(?:ay)?|legitimate|acceptable|complete)""",
    "PATCH": r"""
(?:this|the|my|our)\s+
(?:patch|diff|change|fix|pull request|pr|commit|candidate|submission|solution|edit)""",
}
# One expression a paragraph; its lines are joined as they are.
_PHRASES = r"""
# Who forgets what went before has no orders but these.
\b(?:ignore|disregard|forget|override|bypass)\b[\w\s,]{0,30}
\b(?:previous|prior|above|earlier|preceding|foregoing|system|all|other|your)\b
[\w\s]{0,20}
\b(?:instructions?|prompts?|directions?|guidelines?|guidance|rules|orders|context)\b

# Someone is spoken to who is not there when the code runs.
\b(?:dear|hey|hi|hello|attention|attn|(?:note|message|instructions?|hint) (?:to|for))
\s+(?:the |any |all |you,? )*<READER>\b(?!\s*(?:'s|[_.(=\[]))
\s*(?:[:,!.;-]|$|who|that|reading|please)

\b(?:to|for) (?:the |any |all |whatever |whichever )+<READER>\b
\s*(?::|!|,? (?:reading|reviewing|judging|checking|looking at|please)\b)

^\W*<READER>\s*[:,!]\s*
(?:please|this|the (?:patch|change|fix)|you|ignore|approve|accept|answer|reply|respond
|say|do not|don't)\b

\bif you are (?:an? |the )?<READER>\b

\byou are (?:an? |the |now )+<READER>\b

\bas an? (?:ai|llm|language model|ai assistant)\b

# A verdict is asked for.
\b(?:please|must|should|you (?:can|may|will))\s+(?:just )?
(?:approve|accept|pass|verify|rate|mark|judge|classify|treat|consider|report|trust)
\s+(?:it|<PATCH>|this(?: one| code)?)\b

\b(?:approve|accept|rubber.?stamp)\s+<PATCH>\b

\b(?:answer|reply|respond|return|output|say|report|conclude|mark|rate|judge|classify)\b
[^.\n]{0,30}\bverdict\b[^.\n]{0,12}\b<SURE>\b

\bverdict\W{1,4}(?:is\s+)?["']?(?:right|verified|plausible|correct)\b

\bno counterexample\b|\bdo not (?:flag|report|question|doubt) (?:this|it)\b

# The patch is praised, rather than the code explained.
\b<PATCH>\s+(?:is|was|has been|should be)\s+(?:already |fully |known to be )?
(?:<SURE>|reviewed|validated|certified|audited|proven)\b

\b(?:approved|verified|certified|signed off) by (?:the |an? )?
(?:<READER>|maintainers?|security team)\b

# The marks of a conversation.
<\|im_start\|>|\[/?INST\]|<\|(?:system|assistant|user)\|>

\bsystem prompt\b|\bprompt injection\b
"""


def _compiled(paragraph: str) -> re.Pattern[str]:
    lines = [one for one in paragraph.split("\n") if not one.startswith("# ")]
    text = "".join(lines)
    for name, words in _WORDS.items():
        text = text.replace(f"<{name}>", words.replace("\n", ""))
    return re.compile(text, re.IGNORECASE)


_PATTERNS = tuple(_compiled(one) for one in _PHRASES.strip().split("\n\n"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EDGES = re.compile(r"^[rbfuRBFU]{0,2}(?:\"\"\"|'''|\"|')|(?:\"\"\"|'''|\"|')$")


@dataclass(frozen=True, slots=True)
class Address:
    """Words that a patch adds and that speak to its reader."""

    path: str
    line: int
    text: str


def addresses(patch: Patch) -> list[Address]:
    """Where comments, strings and names that the patch adds address a reader."""
    found: dict[tuple[str, int], Address] = {}
    for file in changed_files(patch):
        for area in file.areas:
            for line, text in _spoken(area):
                if telling(text):
                    one = Address(file.path, line, " ".join(text.split())[:160])
                    found.setdefault((file.path, line), one)
    return sorted(found.values(), key=lambda one: (one.path, one.line))


def telling(text: str) -> bool:
    """Whether a text addresses a reviewer or a model, or vouches for the patch."""
    plain = " ".join(text.split())
    return any(pattern.search(plain) for pattern in _PATTERNS)


def _spoken(area: Area) -> Iterator[tuple[int, str]]:
    """What the patch adds that can be read, with the line it begins on."""
    yield from _joined(area.new("comment"))
    strings = area.new("string")
    for node in strings:
        yield node.first_line, _EDGES.sub("", node.text)
    if strings:  # a sentence may be cut into several
        whole = "".join(_EDGES.sub("", node.text) for node in strings)
        yield strings[0].first_line, whole[:4000]
    for node in area.new("identifier"):
        yield node.first_line, _words(node.text)


def _words(name: str) -> str:
    return _CAMEL.sub(" ", name).replace("_", " ").strip()


def _joined(comments: Sequence[Node]) -> Iterator[tuple[int, str]]:
    """Comments of neighbouring lines as one text."""
    block: list[Node] = []
    for node in comments:
        if block and node.first_line != block[-1].first_line + 1:
            yield block[0].first_line, _text(block)
            block = []
        block.append(node)
    if block:
        yield block[0].first_line, _text(block)


def _text(block: Sequence[Node]) -> str:
    return " ".join(node.text.lstrip("#").strip() for node in block)
