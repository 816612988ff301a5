"""One value in, a slightly different one of the same type out; pure."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from bonafix.calls import Value
from bonafix.judge.calls.preconditions import DICTS, LISTS, Pattern, char_class, part

_STEPS = (1, -1, 1, -1, 2, -2, 3, -3, 5, -5, 10, -10)
_BORROW = 0.2  # how often another recorded value is taken
_FRESH = 0.35  # how often a far edit makes a container or a text anew
_LETTERS = 0.3  # how often a text of several words is changed letter by letter
_LONGEST = 40  # items of a container, words of a text
_CLASSES = {
    "0": string.digits,
    "a": string.ascii_lowercase,
    "A": string.ascii_uppercase,
}


@dataclass(frozen=True, slots=True)
class Pool:
    """What was recorded at each pattern, and the characters that occur there."""

    donors: Mapping[Pattern, Sequence[Value]]
    alphabets: Mapping[Pattern, frozenset[str]]

    def donor(self, pattern: Pattern, chance: random.Random) -> Value | None:
        """One of the recorded values, if there are any."""
        found = self.donors.get(pattern)
        return chance.choice(found) if found else None


def edited(
    value: Value, pattern: Pattern, chance: random.Random, pool: Pool, *, far: bool
) -> Value:
    """Change `value` once."""
    if chance.random() < _BORROW or value.type == "enum":
        other = pool.donor(pattern, chance)
        if other is not None and other.type == value.type and other != value:
            return other
    if value.type in LISTS or value.type in DICTS:
        return _container(value, pattern, chance, pool, far=far)
    if value.type in {"str", "bytes"}:
        alphabet = pool.alphabets.get(pattern, frozenset(value.text))
        kept = [one.text for one in pool.donors.get(pattern, ())] or [value.text]
        text = _words(value.text, kept, chance, far=far)
        if not text:
            text = _text(value.text, alphabet, kept, chance, far=far)
        return replace(value, text=text)
    change = _LEAVES.get(value.type)
    try:
        return replace(value, text=change(value.text, chance, far)) if change else value
    except (OverflowError, ValueError):  # past the end of the calendar, say
        return value


# ------------------------------------------------------------------------ numbers


def _bool(text: str, _chance: random.Random, _far: bool) -> str:  # noqa: FBT001
    return "False" if text == "True" else "True"


def _int(text: str, chance: random.Random, far: bool) -> str:  # noqa: FBT001
    old = int(text)
    how = chance.random()
    if how < 0.6 and not far:  # noqa: PLR2004
        return str(old + chance.choice(_STEPS))
    if how < 0.75:  # noqa: PLR2004
        return str(chance.choice([old * 2, old // 2, old * 10, -old, old * 3 + 1]))
    spread = max(2 * abs(old), 12)
    return str(chance.randint(min(0, old - spread), old + spread))


def _float(text: str, chance: random.Random, far: bool) -> str:  # noqa: FBT001
    old = float(text)
    if old != old or old in (float("inf"), float("-inf")):  # noqa: PLR0124
        return repr(chance.choice([0.0, 1.0, -1.0]))
    if old == int(old) and abs(old) < 2**53:
        whole = float(int(_int(str(int(old)), chance, far)))
        return repr(whole if chance.random() < 0.6 else whole + 0.5)  # noqa: PLR2004
    factor = chance.choice([0.5, 2.0, 0.9, 1.1, 3.0, 0.1])
    how = chance.random()
    if how < 0.4:  # noqa: PLR2004
        return repr(round(old * factor, 6))
    if how < 0.8:  # noqa: PLR2004
        return repr(round(old + chance.choice([0.1, -0.1, 0.25, -0.25, 1, -1]), 6))
    return repr(round(chance.uniform(0, 2 * abs(old) + 1), 3))


def _decimal(text: str, chance: random.Random, far: bool) -> str:  # noqa: FBT001
    try:
        old = Decimal(text)
        exponent = int(old.as_tuple().exponent)
        whole = int(old.scaleb(-exponent))
    except (InvalidOperation, ValueError):
        return text
    return str(Decimal(_int(str(whole), chance, far)).scaleb(exponent))


def _fraction(text: str, chance: random.Random, far: bool) -> str:  # noqa: FBT001
    above, _, below = text.partition("/")
    if below and chance.random() < 0.5:  # noqa: PLR2004
        return f"{above}/{max(1, abs(int(_int(below, chance, far))))}"
    return _int(above, chance, far) + (f"/{below}" if below else "")


# -------------------------------------------------------------------------- dates


def _date(text: str, chance: random.Random, far: bool) -> str:  # noqa: FBT001
    return (date.fromisoformat(text) + _days(chance, far)).isoformat()


def _datetime(text: str, chance: random.Random, far: bool) -> str:  # noqa: FBT001
    return (datetime.fromisoformat(text) + _days(chance, far)).isoformat()


def _time(text: str, chance: random.Random, _far: bool) -> str:  # noqa: FBT001
    old = time.fromisoformat(text)
    return old.replace(minute=(old.minute + chance.randint(1, 59)) % 60).isoformat()


def _timedelta(text: str, chance: random.Random, far: bool) -> str:  # noqa: FBT001
    days, seconds, micro = text.split()
    if int(days) and chance.random() < 0.5:  # noqa: PLR2004
        days = _int(days, chance, far)
    else:
        seconds = str(abs(int(_int(seconds, chance, far))) % 86_400)
    return f"{days} {seconds} {micro}"


def _days(chance: random.Random, far: bool) -> timedelta:  # noqa: FBT001
    reach = chance.choice([1, 7, 31, 366, 1500]) if far else chance.choice([1, 7, 31])
    return timedelta(days=chance.choice([-1, 1]) * chance.randint(1, reach))


_LEAVES: Mapping[str, Callable[[str, random.Random, bool], str]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "datetime.date": _date,
    "datetime.datetime": _datetime,
    "datetime.time": _time,
    "datetime.timedelta": _timedelta,
}


# --------------------------------------------------------------------------- text


def _words(text: str, kept: Sequence[str], chance: random.Random, *, far: bool) -> str:
    """Other words in the place of some; empty where a text is not made of words."""
    words = text.split(" ")
    if len(words) == 1 or chance.random() < _LETTERS:
        return ""
    known = sorted({word for one in kept for word in one.split(" ")})
    if far and chance.random() < _FRESH:
        length = chance.randint(1, min(2 * len(words), _LONGEST))
        return " ".join(chance.choice(known) for _ in range(length))
    at, how = chance.randrange(len(words)), chance.randrange(4)
    if how == 0:
        words[at] = chance.choice(known)
    elif how == 1:
        words.insert(at, chance.choice(known))
    elif how == 2:  # noqa: PLR2004
        del words[at]
    else:
        chance.shuffle(words)
    return " ".join(words)


def _text(
    text: str,
    alphabet: frozenset[str],
    kept: Sequence[str],
    chance: random.Random,
    *,
    far: bool,
) -> str:
    if far and chance.random() < _FRESH:
        length = chance.randint(1, min(2 * len(text) + 2, _LONGEST))
        if chance.random() < 0.5:  # noqa: PLR2004
            return "".join(_piece(chance.choice(kept), chance) for _ in range(3))
        return "".join(_char(alphabet, chance) for _ in range(length))
    at = chance.randrange(len(text) + 1)
    before, after = text[:at], text[at:]
    how = chance.randrange(5)
    if how == 0 or not after:
        return before + _char(alphabet, chance) + after
    if how == 1:
        return before + after[1:]
    if how == 2:  # noqa: PLR2004
        return before + after[1:2] + after[:1] + after[2:]
    if how == 3:  # noqa: PLR2004
        length = chance.randint(1, min(4, len(after)))
        return before + after[:length] + after
    return before + _like(after[0], alphabet, chance) + after[1:]


def _piece(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) + 1)
    return text[start : start + chance.randint(1, _LONGEST)]


def _char(alphabet: frozenset[str], chance: random.Random) -> str:
    """A character that occurs, or another one of its class."""
    if not alphabet:
        return chance.choice(string.ascii_lowercase)
    return _like(chance.choice(sorted(alphabet)), alphabet, chance)


def _like(char: str, alphabet: frozenset[str], chance: random.Random) -> str:
    """Another character of the same kind; of a small alphabet, one of it."""
    kind = char_class(char)
    same = sorted(one for one in alphabet if char_class(one) == kind)
    few = len(same) <= 2 and len(alphabet) <= 4  # noqa: PLR2004 - e.g. binary, brackets
    if kind in _CLASSES and not few:
        return chance.choice(_CLASSES[kind])
    others = sorted(one for one in alphabet if char_class(one) not in _CLASSES)
    return chance.choice((same if kind in _CLASSES else others) or [char])


# --------------------------------------------------------------------- containers


def _container(
    value: Value, pattern: Pattern, chance: random.Random, pool: Pool, *, far: bool
) -> Value:
    width = 2 if value.type in DICTS else 1
    items = [value.items[i : i + width] for i in range(0, len(value.items), width)]
    if far and chance.random() < _FRESH:
        length = chance.randint(0, min(2 * len(items) + 2, _LONGEST))
        made = [_item(value, items, pattern, chance, pool) for _ in range(length)]
        return _with(value, made)
    how = chance.randrange(4)
    at = chance.randrange(len(items) + 1)
    if how == 0 or at == len(items):
        items.insert(at, _item(value, items, pattern, chance, pool))
    elif how == 1:
        del items[at]
    elif how == 2:  # noqa: PLR2004
        other = chance.randrange(len(items))
        items[at], items[other] = items[other], items[at]
    else:
        items[at] = _item(value, items[at : at + 1], pattern, chance, pool)
    return _with(value, items)


def resized(
    value: Value, step: int, pattern: Pattern, chance: random.Random, pool: Pool
) -> Value:
    """A list or text longer, or shorter, by `step`."""
    if value.type == "str":
        alphabet = pool.alphabets.get(pattern, frozenset(value.text))
        more = "".join(_char(alphabet, chance) for _ in range(step))
        return replace(value, text=(value.text + more)[: len(value.text) + step])
    items: list[tuple[Value, ...]] = [(item,) for item in value.items]
    for _ in range(step):
        items.append(_item(value, items, pattern, chance, pool))
    return _with(value, items[: len(value.items) + step])


def _with(value: Value, items: Sequence[tuple[Value, ...]]) -> Value:
    kept: Sequence[tuple[Value, ...]] = items
    if value.type in DICTS or value.type in {"set", "frozenset"}:
        kept = list({item[0]: item for item in items}.values())
    return replace(value, items=tuple(one for item in kept for one in item))


def _item(
    value: Value,
    items: Sequence[tuple[Value, ...]],
    pattern: Pattern,
    chance: random.Random,
    pool: Pool,
) -> tuple[Value, ...]:
    """A new item like those there, or like those recorded elsewhere."""
    if items:
        model = chance.choice(items)
    else:
        width = 2 if value.type in DICTS else 1
        lent = [pool.donor((*pattern, part(value, i)), chance) for i in range(width)]
        model = tuple(one for one in lent if one is not None)
        if len(model) < width:
            model = (Value("str", "a"), Value("int", "1"))[-width:]
    return tuple(
        _deep(one, (*pattern, part(value, index)), chance, pool)
        for index, one in enumerate(model)
    )


def _deep(value: Value, pattern: Pattern, chance: random.Random, pool: Pool) -> Value:
    """An item changed somewhere within."""
    inner = value.items and value.type not in LISTS and value.type not in DICTS
    if not inner or value.type == "opaque":
        return edited(value, pattern, chance, pool, far=False)
    at = chance.randrange(len(value.items))
    changed = _deep(value.items[at], (*pattern, part(value, at)), chance, pool)
    return replace(value, items=(*value.items[:at], changed, *value.items[at + 1 :]))
