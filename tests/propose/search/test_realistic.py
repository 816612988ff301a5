"""Small realistic faults: the right version is among the first candidates.

All lines of the code are equally suspicious, and of the failure little is known: the
rank comes from the catalogue alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import pytest

from bonafix.propose.search.candidates import candidates
from bonafix.syntax import normalise
from tests.propose.search.shop import task

FIRST = 90  # candidates; a screening run of a small suite takes some hundredths


@dataclass(frozen=True)
class Fault:
    """Code with one fault, the faulty piece of it, and that piece as it should be."""

    name: str
    code: str
    wrong: str
    right: str
    exception: str = "AssertionError"


FAULTS = (
    Fault(
        "wordcount-key",
        """\
def count_words(text, counts=None):
    '''How often each word occurs, added to counts.'''
    counts = {} if counts is None else counts
    for word in text.lower().split():
        word = word.strip(".,;!?")
        if word:
            counts[word] += 1
    return counts
""",
        """\
            counts[word] += 1
""",
        """\
            counts[word] = counts.get(word, 0) + 1
""",
        "KeyError",
    ),
    Fault(
        "moving-average-reset",
        """\
def moving_average(values, size):
    '''The means of all windows of a size.'''
    means = []
    total = 0
    for start in range(len(values) - size + 1):
        for value in values[start:start + size]:
            total += value
        means.append(total / size)
    return means
""",
        """\
    total = 0
    for start in range(len(values) - size + 1):
""",
        """\
    for start in range(len(values) - size + 1):
        total = 0
""",
    ),
    Fault(
        "search-else",
        """\
def contains_sorted(rows, wanted):
    for row in rows:
        if row["id"] == wanted:
            return True
        else:
            return False
    return False
""",
        """\
        else:
            return False
""",
        """\
""",
    ),
    Fault(
        "price-format",
        """\
def receipt_line(name, cents, width=20):
    '''A name and a price, in a line of a width.'''
    price = f"{cents / 100:.1f}"
    return name.ljust(width - len(price), ".") + price
""",
        """\
    price = f"{cents / 100:.1f}"
""",
        """\
    price = f"{cents / 100:.2f}"
""",
    ),
    Fault(
        "class-shared",
        """\
class Basket:
    items = []

    def add(self, item, count=1):
        for _ in range(count):
            self.items.append(item)
        return len(self.items)
""",
        """\
    items = []
""",
        """\
    items = []

    def __init__(self):
        self.items = []
""",
    ),
    Fault(
        "grid-rows",
        """\
def blank_board(height, width, mark=None):
    '''A board, with a mark in its first cell.'''
    board = [["."] * width] * height
    if mark:
        board[0][0] = mark
    return board
""",
        """\
    board = [["."] * width] * height
""",
        """\
    board = [["."] * width for _ in range(height)]
""",
    ),
    Fault(
        "merge-leftover",
        """\
def merge_sorted(left, right):
    '''Two sorted lists as one.'''
    result = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            result.append(left[i])
            i += 1
        else:
            result.append(right[j])
            j += 1
    result.extend(left[i:])
    return result
""",
        """\
    result.extend(left[i:])
""",
        """\
    result.extend(left[i:])
    result.extend(right[j:])
""",
    ),
    Fault(
        "fizz-order",
        """\
def fizz(number):
    if number % 3 == 0:
        return "fizz"
    elif number % 15 == 0:
        return "fizzbuzz"
    elif number % 5 == 0:
        return "buzz"
    return str(number)
""",
        """\
    if number % 3 == 0:
        return "fizz"
    elif number % 15 == 0:
        return "fizzbuzz"
""",
        """\
    if number % 15 == 0:
        return "fizzbuzz"
    elif number % 3 == 0:
        return "fizz"
""",
    ),
    Fault(
        "slice-tail",
        """\
def last_lines(text, count):
    '''The last lines of a text.'''
    lines = text.splitlines()
    if count >= len(lines):
        return lines
    return lines[:count]
""",
        """\
    return lines[:count]
""",
        """\
    return lines[-count:]
""",
    ),
    Fault(
        "zero-is-something",
        """\
def setting(options, name, default=10):
    '''A setting that the user gave, else the default.'''
    value = options.get(name)
    if value:
        return value
    return default
""",
        """\
    if value:
""",
        """\
    if value is not None:
""",
    ),
    Fault(
        "break-missing",
        """\
def first_long(words, limit):
    '''The first word longer than a limit, and where it stands.'''
    found, at = None, -1
    for place, word in enumerate(words):
        if len(word) > limit:
            found, at = word, place
    return found, at
""",
        """\
            found, at = word, place
""",
        """\
            found, at = word, place
            break
""",
    ),
    Fault(
        "scan-index",
        """\
def skip_blanks(text, start):
    '''The place of the next character that is no blank, or the end.'''
    while text[start] == " ":
        start += 1
    return start
""",
        """\
    while text[start] == " ":
""",
        """\
    while start < len(text) and text[start] == " ":
""",
        "IndexError",
    ),
    Fault(
        "dedupe-wrong-collection",
        """\
def unique(records, key):
    '''The records whose key comes for the first time.'''
    seen, kept = set(), []
    for record in records:
        value = record[key]
        if value not in seen:
            seen.add(record["id"])
            kept.append(record)
    return kept
""",
        """\
            seen.add(record["id"])
""",
        """\
            seen.add(value)
""",
    ),
    Fault(
        "depth-recursion",
        """\
def depth(tree):
    '''How deep a nested list is; a list without lists has depth 1.'''
    deepest = 0
    for item in tree:
        if isinstance(item, list):
            deepest = depth(item)
    return deepest + 1
""",
        """\
            deepest = depth(item)
""",
        """\
            deepest = max(deepest, depth(item))
""",
    ),
    Fault(
        "stack",
        """\
class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)
        return self

    def peek(self):
        '''The top item, None if there is none.'''
        return self.items[-1]
""",
        """\
        return self.items[-1]
""",
        """\
        return self.items[-1] if self.items else None
""",
        "IndexError",
    ),
    Fault(
        "transpose",
        """\
def transpose(rows):
    columns = []
    for place in range(len(rows)):
        columns.append([row[place] for row in rows])
    return columns
""",
        """\
    for place in range(len(rows)):
""",
        """\
    for place in range(len(rows[0])):
""",
        "IndexError",
    ),
    Fault(
        "query",
        """\
def parse_query(query):
    found = {}
    for part in query.lstrip("?").split("&"):
        name, value = part.split("=")
        found[name] = value
    return found
""",
        """\
        name, value = part.split("=")
""",
        """\
        name, value = part.split("=", 1)
""",
        "ValueError",
    ),
    Fault(
        "await",
        """\
import asyncio


async def fetch(name):
    await asyncio.sleep(0)
    return name.upper()


async def both(first, second):
    left = await fetch(first)
    right = fetch(second)
    return f"{left}-{right}"


def run(first, second):
    return asyncio.run(both(first, second))
""",
        """\
    right = fetch(second)
""",
        """\
    right = await fetch(second)
""",
        "TypeError",
    ),
    Fault(
        "ranges",
        """\
def compress(numbers):
    '''Runs of consecutive numbers, as first and last of each.'''
    runs = []
    start = previous = None
    for number in numbers:
        if start is None:
            start = previous = number
        elif number == previous + 1:
            previous = number
        else:
            runs.append((start, previous))
            start = number
    if start is not None:
        runs.append((start, previous))
    return runs
""",
        """\
            start = number
""",
        """\
            start = previous = number
""",
    ),
    Fault(
        "inventory",
        """\
class Stock:
    def __init__(self):
        self.counts = {}

    def add(self, name, count=1):
        self.counts[name] = self.counts.get(name, 0) + count

    def take(self, name, count=1):
        '''Whether there was enough; only then it is taken.'''
        if self.counts.get(name, 0) < count:
            return False
        counts[name] -= count
        return True
""",
        """\
        counts[name] -= count
""",
        """\
        self.counts[name] -= count
""",
        "NameError",
    ),
    Fault(
        "slug",
        """\
import re


def slug(title):
    '''A title in lower case, words joined by single dashes.'''
    cleaned = re.sub(r"[^a-z0-9]", "-", title.lower())
    return cleaned.strip("-")
""",
        """\
    cleaned = re.sub(r"[^a-z0-9]", "-", title.lower())
""",
        """\
    cleaned = re.sub(r"[^a-z0-9]+", "-", title.lower())
""",
    ),
    Fault(
        "chunk",
        """\
def chunks(items, size):
    '''Lists of a size; the last may be shorter.'''
    found, chunk = [], []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            found.append(chunk)
            chunk = []
    return found
""",
        """\
            chunk = []
""",
        """\
            chunk = []
    if chunk:
        found.append(chunk)
""",
    ),
    Fault(
        "hours-over-midnight",
        """\
def hours_between(start, end):
    '''How many hours lie between two moments.'''
    if end < start:
        raise ValueError("the end comes first")
    return (end - start).seconds / 3600
""",
        "seconds",
        "total_seconds()",
    ),
    Fault(
        "comments-end-the-file",
        """\
def settings(lines):
    found = {}
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            break
        name, value = line.split("=", 1)
        found[name.strip()] = value.strip()
    return found
""",
        "break",
        "continue",
    ),
    Fault(
        "spread-of-a-generator",
        """\
def spread(rows, column):
    '''The difference between the greatest and the least of a column.'''
    values = (float(row[column]) for row in rows)
    return max(values) - min(values)
""",
        "(float(row[column]) for row in rows)",
        "[float(row[column]) for row in rows]",
        "ValueError",
    ),
    Fault(
        "ticket-labels",
        """\
def label(ticket):
    parts = [ticket["id"], ticket["title"]]
    if ticket.get("tags"):
        parts.extend(ticket["tags"])
    return ": ".join(parts)
""",
        "join(parts)",
        "join(map(str, parts))",
        "TypeError",
    ),
    Fault(
        "graph-visits",
        """\
def reachable(graph, start, seen):
    if start in seen:
        return seen
    for other in graph.get(start, ()):
        reachable(graph, other, seen)
    return seen
""",
        """\
        return seen
    for""",
        """\
        return seen
    seen.add(start)
    for""",
        "RecursionError",
    ),
    Fault(
        "pages",
        """\
def pages(count, size):
    '''How many pages it takes to show so many entries.'''
    if size <= 0:
        raise ValueError("a page shows one entry at least")
    return count // size
""",
        "count // size",
        "-(-count // size)",
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_right_version_is_among_the_first(fault: Fault):
    """It comes soon, and not as one of a flood."""
    assert fault.code.count(fault.wrong) == 1
    right = normalise(fault.code.replace(fault.wrong, fault.right))
    lines = range(1, fault.code.count("\n") + 1)
    given = task(fault.code, "", red=["t"], lines=lines, exception=fault.exception)
    found = islice(candidates(given), FIRST)
    texts = [c.patch.changes[0].after.decode() for c in found]
    assert right in map(normalise, texts)
