"""Run pytest again and again, each time in a fork of one prepared interpreter.

Usage: `python serve.py CONTROL_FD EVENTS_FD`. Orders are JSON lines on the one (a
stream socket), answers and the runs' events JSON lines on the other:
`server/bonafix/observe/zygote.py` writes and reads them. This process imports nothing
of the project: only its forks do, and each of them runs once. After `collect` it is
another kind: it has collected the project's tests, and its forks exchange functions.
"""

from __future__ import annotations

import base64
import fcntl
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import types
import typing

_HERE = os.path.dirname(os.path.abspath(__file__))
_ABOVE = 200  # tests count low descriptors, or close them
_TAIL = 16 * 1024  # bytes of a run's output that are told
_GONE = 1.0  # seconds in which what a run has left behind must be dead
_CHUNK = 64 * 1024

Order = typing.Dict[str, typing.Any]


class Line:
    """The orders that come in, one at a time."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._buffer = bytearray()

    def next(self) -> typing.Optional[Order]:
        """Wait for the next order; `None` at the end."""
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                return typing.cast(Order, json.loads(line))
            part = os.read(self.fd, _CHUNK)
            if not part:
                return None
            self._buffer += part

    def here(self) -> bool:
        """Whether one was read with the last: the descriptor says nothing of it."""
        return b"\n" in self._buffer


class Server:
    """The prepared interpreter, between two runs or while one is under way."""

    def __init__(
        self, orders: Line, events_fd: int, inside: types.SimpleNamespace
    ) -> None:
        self._orders = orders
        self._events_fd = events_fd
        self._inside = inside  # our own modules, by name
        self._private = False  # whether what is in /dev/shm is ours
        self._wake, self._waker = os.pipe()
        for fd in (self._wake, self._waker):
            os.set_blocking(fd, False)
        self.listen()

    def listen(self) -> None:
        """Hear of children that end."""
        signal.signal(signal.SIGCHLD, _wake_up)

    def serve(self) -> None:
        """Carry out orders until there are no more."""
        carry_out = {
            "prepare": self._prepare,
            "load": self._load,
            "run": self._run,
            "collect": self._collect,
            "tidy": self._tidy,
        }
        while True:
            order = self._orders.next()
            if order is None:
                return
            if order["do"] in carry_out:  # a `stop` may come too late
                carry_out[order["do"]](order)

    def _prepare(self, order: Order) -> None:
        """Turn imports towards the copy, as every run would have to."""
        self._places = self._inside.relocate.Places(order["root"], order["tree"])
        self._tree = self._inside.candidate.Tree(order["tree"])
        self._private = order["private"]
        self._inside.launch.leave_own_folder()
        self._inside.relocate.take_over(self._places, order["path"])
        self.tell(order, "prepared")

    def _load(self, order: Order) -> None:
        culprit = self._inside.preload.load(order["modules"], self._places)
        gc.collect()
        gc.freeze()  # what the collector never touches stays shared by all forks
        self.tell(order, "loaded", culprit=culprit)

    def _run(self, order: Order) -> None:
        if self.lay(order, self.files(order)):
            output_fd = self.forked(order)
            if output_fd is not None:
                self._be_the_run(order, output_fd)

    def _collect(self, order: Order) -> None:
        """Collect in this very process; only its forks come back from there."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = 1
        try:
            self._inside.candidate.lay_ground(
                order["request"]["tree"], self.files(order)
            )
            code = self._inside.resident.collect(
                order, self, self._events_fd, self._places, self._inside.launch.session
            )
        except BaseException:  # noqa: BLE001 - whatever it is, the run ends here
            traceback.print_exc()
        finally:
            _leave(code)

    def next_of(self, do: str) -> Order:
        """Wait for such an order; the process ends when there are no more."""
        while True:
            order = self._orders.next()
            if order is None:
                os._exit(0)
            if order["do"] == do:  # a `stop` may come too late
                return order
            if order["do"] == "tidy":
                self._tidy(order)

    def _tidy(self, order: Order) -> None:
        """Have the files as they were; whoever ordered it looks for himself."""
        self._inside.candidate.put_back(
            order["gone"],
            [(place, base64.b64decode(c), *rest) for place, c, *rest in order["back"]],
        )
        self.tell(order, "tidied")

    @staticmethod
    def files(order: Order) -> typing.Dict[str, typing.Optional[bytes]]:
        """The files of a candidate; `None` is one that it deletes."""
        return {
            path: None if text is None else base64.b64decode(text)
            for path, text in order["files"].items()
        }

    def lay(
        self,
        order: Order,
        files: typing.Mapping[str, typing.Optional[bytes]],
    ) -> bool:
        """Lay the order's files over the tree; false, and told, where that fails."""
        try:
            self._tree.lay(files)
        except (OSError, ValueError) as error:
            self.tell(order, "unlaid", message=str(error))
            return False
        return True

    def forked(self, order: Order) -> typing.Optional[int]:
        """Fork; where its output goes, in the fork, and `None` here when it is over."""
        with tempfile.TemporaryFile() as output:
            folder = tempfile.mkdtemp(prefix="run-")
            shared = self._inside.candidate.shared(self._private)
            pid = os.fork()
            if pid == 0:
                output_fd = _raised(os.dup(output.fileno()))
                self._become_ordinary(folder)
                return output_fd
            status, used = self._wait(pid, order)
            clean = _sweep()
            shutil.rmtree(folder, ignore_errors=True)
            new = self._inside.candidate.shared(self._private) - shared
            self._inside.candidate.put_back(new, ())
            self._tree.lay({})
            self.tell(order, "over", clean=clean, **_end(status, used, output))
        return None

    def _wait(self, pid: int, order: Order) -> typing.Tuple[int, typing.Any]:
        """Wait for the run; kill it when that is ordered, or nobody is left to ask."""
        signal.set_wakeup_fd(self._waker)
        try:
            while True:
                ended, status, used = os.wait4(pid, os.WNOHANG)
                if ended:
                    return status, used
                here = self._orders.here()
                both = [self._wake, self._orders.fd]
                ready = select.select(both, [], [], 0 if here else None)[0]
                if self._wake in ready:
                    os.read(self._wake, _CHUNK)
                if here or self._orders.fd in ready:
                    said = self._orders.next()
                    if said is None or said["nonce"] == order["nonce"]:
                        os.kill(pid, signal.SIGKILL)
                    if said is None:
                        os._exit(0)  # whoever supervises us ends what is left
        finally:
            signal.set_wakeup_fd(-1)

    def _be_the_run(self, order: Order, output_fd: int) -> typing.NoReturn:
        """What `launch.main` does, after the fork."""
        code = 1
        try:
            for fd in (1, 2):
                os.dup2(output_fd, fd)
            os.close(output_fd)
            before = set(sys.modules)
            if order["tell"]:  # rewriting changes nothing about what is imported
                own = os.environ.get("PYTEST_ADDOPTS", "")
                os.environ["PYTEST_ADDOPTS"] = own + " --assert=plain"
            channel = self._inside.channel.Channel(self._events_fd, order["nonce"])
            code = self._inside.launch.session(
                order["request"], self._places, channel, self._inside.early
            )
            if order["tell"]:
                modules = self._inside.preload.loaded(self._places, before)
                channel.send("modules", modules=modules)
        except BaseException:  # noqa: BLE001 - whatever it is, the run ends here
            traceback.print_exc()
        finally:
            _leave(code)

    def _become_ordinary(self, folder: str) -> None:
        """Let go of all that tells this process from a freshly started one."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in (self._wake, self._waker, self._orders.fd):
            os.close(fd)
        os.environ.update(TMPDIR=folder, TMP=folder, TEMP=folder)
        tempfile.tempdir = None
        # The tree is ours alone and each version of a file has its own time: what
        # one run compiles may serve the next.
        sys.dont_write_bytecode = False
        importlib.invalidate_caches()

    def tell(self, order: Order, event: str, **fields: object) -> None:
        """Answer an order."""
        line = json.dumps(dict(fields, event=event, nonce=order["nonce"]))
        # A run that was killed may have left half a line.
        left = memoryview(b"\n" + line.encode("ascii") + b"\n")
        while left:
            left = left[os.write(self._events_fd, left) :]


def _leave(code: int) -> typing.NoReturn:
    """End this fork, with what it has printed."""
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    os._exit(code)


def _sweep() -> bool:
    """Kill whatever else is in our process namespace; whether all of it is gone."""
    assert os.getppid() == 1, "not in a process namespace of our own"
    deadline = time.monotonic() + _GONE
    while time.monotonic() < deadline:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return True
        time.sleep(0.001)
    return False


def _end(
    status: int, used: resource.struct_rusage, output: typing.BinaryIO
) -> typing.Dict[str, object]:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL))
    return {
        "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "output": output.read().decode("utf-8", "replace"),
    }


def _flush(stream: typing.Any) -> None:
    try:
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return  # the test has put something else there, or closed it


def _wake_up(_number: int, _frame: typing.Optional[types.FrameType]) -> None:
    """Be there: the wake-up descriptor only hears of signals that are handled."""


def main(control_fd: int, events_fd: int) -> None:
    """Prepare the interpreter, then serve."""
    import launch  # noqa: PLC0415 - our own folder is the first to be imported from

    del sys.modules["launch"]
    names = ("channel", "relocate", "early", "candidate", "preload", "resident")
    inside = types.SimpleNamespace(launch=launch)
    for name, module in zip(names, launch.load(*names)):
        setattr(inside, name, module)
    orders, events = _raised(control_fd), _raised(events_fd)
    Server(Line(orders), events, inside).serve()


def _raised(fd: int) -> int:
    """The same, out of the way of tests and not handed to programs."""
    raised = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(fd)
    return raised


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
