"""What held on the original and no longer does: relations between calls; pure.

None of them needs to know the right answer: a call that leaves its arguments alone, a
refusal that changes nothing, a number with all its digits. What a patch breaks may be
meant, so a broken relation is a doubt and no refusal. Whether the order of a list
matters is not among them: on development data four of sixty honest fixes made it
matter, and one wrong one.
Metamorphic relations: Chen, Cheung and Yiu, "Metamorphic testing", 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from bonafix.calls import Behaviour
from bonafix.judge.calls.contrast import Pair, Symptoms
from bonafix.judge.calls.preconditions import number
from bonafix.judge.calls.recordings import shape
from bonafix.judge.calls.showing import show_behaviour, show_call

ENOUGH = 5  # calls on which the original kept a relation
_SEVERAL = 3
_DIGITS = 7  # decimal places beyond which nobody rounds
_ERROR = Fraction(1, 10**12)  # of a float, relative


def broken(pairs: Sequence[Pair], symptoms: Symptoms) -> str:
    """The first relation that the patch breaks, in words; empty for none."""
    known = [p for p in pairs if p.before.known and p.after.known and not p.after.hit]
    return (
        _consumes(known)
        or _half_refused(known)
        or _accepts(known, symptoms)
        or _rounds(known)
        or _mixes(known, symptoms)
    )


def _consumes(pairs: Sequence[Pair]) -> str:
    """Arguments, the receiver not counted, that only the patched code changes."""
    told = [p for p in pairs if p.before.kind == "value" and _gives(p.before)]
    if len(told) < ENOUGH or any(_taken(p, p.before) for p in told):
        return ""
    found = [p for p in told if p.after.kind == "value" and _taken(p, p.after)]
    if not found:
        return ""
    return f"{show_call(found[0].call)} now changes what it is given"


def _gives(behaviour: Behaviour) -> bool:
    return behaviour.value is not None and behaviour.value.type != "NoneType"


def _taken(pair: Pair, behaviour: Behaviour) -> bool:
    method = "." in pair.call.function.qualname
    return any(one is not None for one in behaviour.after[int(method) :])


def _half_refused(pairs: Sequence[Pair]) -> str:
    """A refusal that used to leave everything as it was."""
    refused = [p for p in pairs if p.before.kind == "raise"]
    if len(refused) < _SEVERAL or any(any(p.before.after) for p in refused):
        return ""
    for pair in refused:
        again = pair.after.exception == pair.before.exception
        if pair.after.kind == "raise" and again and any(pair.after.after):
            what = show_behaviour(pair.after)
            return f"{show_call(pair.call)} raises {what}, and now changes something"
    return ""


def _accepts(pairs: Sequence[Pair], symptoms: Symptoms) -> str:
    """Inputs that were refused, in another way than the targets failed."""
    refused = [p for p in pairs if p.before.kind == "raise" and not _wrong(p, symptoms)]
    found = [p for p in refused if p.after.kind == "value"]
    if len(found) < _SEVERAL or len(found) < len(refused) / 2:
        return ""
    pair = found[0]
    return (
        f"{show_call(pair.call)} raised {show_behaviour(pair.before)} and now gives "
        f"{show_behaviour(pair.after)}, which no target asks for"
    )


def _wrong(pair: Pair, symptoms: Symptoms) -> bool:
    return f"{pair.before.kind}:{pair.before.exception}" in symptoms.wrong


def _rounds(pairs: Sequence[Pair]) -> str:
    """Changed numbers that are the old ones with fewer digits."""
    changed = [p for p in pairs if p.changed and p.before.kind == p.after.kind]
    numbers = [(_numeric(p.before), _numeric(p.after)) for p in changed]
    if len(changed) < ENOUGH or any(a is None or b is None for a, b in numbers):
        return ""
    for digits in range(_DIGITS):
        step = Fraction(1, 10**digits)
        if all(_nearest(a, b, step) for a, b in numbers):
            pair = changed[0]
            return (
                f"{show_call(pair.call)} gave {show_behaviour(pair.before)} and now "
                f"{show_behaviour(pair.after)}: all that changes is the rounding"
            )
    return ""


def _mixes(pairs: Sequence[Pair], symptoms: Symptoms) -> str:
    """Numbers, equal to what is wanted, from what gave nothing but truth values.

    Who wants a count from now on has a target that wants more than one.
    """
    before = [p.before.value for p in pairs if p.before.kind == "value"]
    if len(before) < ENOUGH or any(v is None or v.type != "bool" for v in before):
        return ""
    odd = [p for p in pairs if _numeric(p.after) is not None]
    told = [p for p in odd if shape(p.after) in symptoms.answers]
    if not odd or any(_numeric(p.after) not in {0, 1} for p in told):
        return ""
    return (
        f"only truth values came from {odd[0].call.function.qualname}, and now "
        f"{show_call(odd[0].call)} gives {show_behaviour(odd[0].after)}"
    )


def _numeric(behaviour: Behaviour) -> Fraction | None:
    return number(behaviour.value) if behaviour.value else None


def _nearest(old: Fraction | None, new: Fraction | None, step: Fraction) -> bool:
    """Whether `new` is a multiple of `step` next to `old`; floats miss it a little."""
    if old is None or new is None:
        return False
    finer = abs(old - round(old / step) * step) > abs(old) * _ERROR
    coarse = abs(new - round(new / step) * step) <= abs(new) * _ERROR
    return finer and coarse and abs(new - old) <= step
