"""Projects that would fool a server which simply forks after it has collected.

Per name: what the project has beside `shop.py`'s changed function, what is told when
it is not swapped (empty: it is swapped), and the outcomes under the candidate, which
makes `rate()` say 2 instead of 1 and is run twice.
"""

SHOP = """
    def rate():
        return 1
"""
OLD, NEW = "return 1", "return 2"
RATE = """


    def test_rate():
        assert shop.rate() == 2
"""
ANSWER = """
    import shop


    def test_state():
        assert {}
"""


def project(top="", asks="True", **more):
    """`top` is run when `shop` is imported; the test asks for a second thing."""
    files = {
        "shop.py": SHOP + top,
        "test_shop.py": ANSWER.format(asks) + RATE,
    }
    return files | {name.replace("__", "."): text for name, text in more.items()}


PASSED = {"state": "passed", "rate": "passed"}
FOOLED = {"state": "failed", "rate": "passed"}

HAZARDS = {
    "a thread": (
        project(
            """

    import queue, threading

    asked, told = queue.Queue(), queue.Queue()

    def answer():
        while True:
            told.put(asked.get() + 1)

    threading.Thread(target=answer, daemon=True).start()
    """,
            "shop.asked.put(1) or shop.told.get(timeout=9) == 2",
        ),
        "a thread was started",
        PASSED,
    ),
    "an event loop": (
        project(
            """

    import asyncio

    loop = asyncio.new_event_loop()
    """,
            "shop.loop.run_until_complete(shop.asyncio.sleep(0, 1)) == 1",
        ),
        "was opened while",
        PASSED,
    ),
    "a database handle": (
        project(
            """

    import os, sqlite3, tempfile

    base = sqlite3.connect(os.path.join(tempfile.mkdtemp(), "base"))
    base.execute("create table t (n)")
    base.commit()

    def add():
        base.execute("insert into t values (1)")
        base.commit()
        return base.execute("select count(*) from t").fetchone()[0]
    """,
            "shop.add() == 1",
        ),
        "a file or pipe was opened",
        PASSED,
    ),
    "an open file": (
        project(
            """

    numbers = open("numbers.txt")
    """,
            "shop.numbers.readline() == '1\\n'",
            numbers__txt="1\n2\n3\n",
        ),
        "a file or pipe was opened",
        PASSED,
    ),
    "a socket": (
        project(
            """

    import socket

    here, there = socket.socketpair()
    there.send(b"1")
    there.close()
    """,
            "shop.here.recv(1) == b'1'",
        ),
        "a socket was opened",
        PASSED,
    ),
    "shared memory": (
        project(
            """

    import mmap

    counter = mmap.mmap(-1, 8)

    def count():
        counter[0] += 1
        return counter[0]
    """,
            "shop.count() == 1",
        ),
        "memory was shared",
        PASSED,
    ),
    "a process": (
        project(
            """

    import subprocess

    child = subprocess.Popen(["sleep", "60"])
    """,
            "shop.child.poll() is None",
        ),
        "a process was started",
        PASSED,
    ),
    "a timer": (
        project(
            """

    import signal

    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 60)
    """,
            "shop.signal.getitimer(shop.signal.ITIMER_REAL)[0] > 0",
        ),
        "a timer was set",
        PASSED,
    ),
    "a seeded generator": (
        project(
            """

    import random

    random.seed(5)
    """,
            "shop.random.random() == shop.random.Random(5).random()",
        ),
        "",
        PASSED,
    ),
    "state of a module": (
        project("\n    seen = []\n", "shop.seen.append(1) or shop.seen == [1]"),
        "",
        PASSED,
    ),
    "a registry that it filled": (
        project(
            """

    made = {}

    class Kind:
        def __init_subclass__(cls):
            made[cls.__name__] = rate()

    class One(Kind):
        pass
    """,
            "shop.made == {'One': 1}",
        ),
        "ran while tests were collected",
        FOOLED,
    ),
    "a cache that it filled": (
        project(
            """

    import functools

    @functools.lru_cache
    def twice():
        return 2 * rate()

    twice()
    """,
            "shop.twice() == 2",
        ),
        "ran while tests were collected",
        FOOLED,
    ),
    "a value that it gave": (
        project("\n    kept = rate()\n", "shop.kept == 1"),
        "ran while tests were collected",
        FOOLED,
    ),
    "its code": (
        project("\n    code = rate.__code__\n", "eval(shop.code) == shop.rate()"),
        "the code of a function that it changes is kept",
        PASSED,
    ),
    "a second name": (
        project(
            "\n    called = [rate, rate.__get__(1)]\n",
            "shop.called[0]() == shop.rate()",
        ),
        "",
        PASSED,
    ),
    "settings, as a framework has them": (
        project(
            """

    installed = {}

    def setup(names):
        for name in names:
            installed[name] = globals()[name]()
    """,
            "shop.installed == {'rate': 1}",
            settings__py="INSTALLED = ['rate']\n",
            conftest__py="""
            import importlib
            import os

            import shop


            def pytest_configure(config):
                name = os.environ.setdefault("SHOP_SETTINGS", "settings")
                shop.setup(importlib.import_module(name).INSTALLED)
            """,
        ),
        "ran while tests were collected",
        FOOLED,
    ),
    "settings, read when asked for": (
        project(
            """

    import functools, importlib, os

    @functools.lru_cache(maxsize=None)
    def settings():
        return importlib.import_module(os.environ["SHOP_SETTINGS"]), rate()
    """,
            "shop.settings() == (__import__('settings'), shop.rate())",
            settings__py="RATE = 2\n",
            conftest__py="""
            import os


            def pytest_configure(config):
                os.environ["SHOP_SETTINGS"] = "settings"
            """,
        ),
        "",
        PASSED,
    ),
    "what runs at exit": (
        project(
            """

    import atexit

    ended = []
    atexit.register(lambda: ended.append(open("ended", "w").write("1")))
    """,
            "shop.ended == []",
        ),
        "",
        PASSED,
    ),
    "its own source": (
        project(
            """

    import inspect

    text = inspect.getsource(rate)
    """,
            "'return 1' in shop.text",
        ),
        "its source was read",
        FOOLED,
    ),
    "its source, later": (
        project(
            "\n    import inspect\n",
            "f'return {shop.rate()}' in shop.inspect.getsource(shop.rate)",
        ),
        "",
        PASSED,
    ),
    "code that was rewritten": (
        project(
            """

    import types

    def louder(function):
        consts = [c + 10 if type(c) is int else c for c in function.__code__.co_consts]
        code = function.__code__.replace(co_consts=tuple(consts))
        return types.FunctionType(code, globals())

    @louder
    def loud():
        return rate() + 1
    """,
            "shop.loud() == shop.rate() + 11",
        ),
        "not what the file says",
        PASSED,
    ),
    "an import hook": (
        project(
            "",
            "'@py_assert' in ' '.join(shop.rate.__code__.co_names) or True",
            conftest__py="""
            import pytest

            pytest.register_assert_rewrite("shop")
            """,
        ),
        "not what the file says",
        PASSED,
    ),
    "a file that it writes": (
        project(
            """

    import os

    def first():
        known = os.path.exists("mark")
        open("mark", "w").close()
        return not known
    """,
            "shop.first()",
        ),
        "",
        PASSED,
    ),
    "a folder of its own": (
        project(
            """

    import os, tempfile

    place = tempfile.mkdtemp()

    def first():
        os.mkdir(place + "/once")
        return True
    """,
            "shop.first()",
        ),
        "",
        PASSED,
    ),
    "a file of its own": (
        project(
            """

    import pathlib, tempfile

    place = pathlib.Path(tempfile.mkdtemp(), "count")
    place.touch()

    def first():
        place.write_text(place.read_text() + "x")
        return place.read_text() == "x"
    """,
            "shop.first()",
        ),
        "behind",
        PASSED,
    ),
    "warnings as errors": (
        project(
            "",
            "True",
            pytest__ini="[pytest]\nfilterwarnings = error\n",
        ),
        "",
        PASSED,
    ),
    "tests in their order": (
        project("\n    seen = []\n", "shop.seen.append(1) or True")
        | {
            "test_shop.py": ANSWER.format("shop.seen.append(1) or True")
            + "\n\n    def test_rate():\n        assert len(shop.seen) == 1\n"
            + "        assert shop.rate() == 2\n"
        },
        "",
        PASSED,
    ),
    "captured output": (
        project("\n    print('at import')\n", "print(1) or True")
        | {
            "test_shop.py": ANSWER.format("True").replace(
                "test_state():", "test_state(capfd):\n        print(1)"
            )
            + "        assert capfd.readouterr().out == '1\\n'"
            + RATE
        },
        "",
        PASSED,
    ),
}
