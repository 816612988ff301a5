"""How a session begins and ends: a real process, real streams, real deaths."""

import asyncio
import signal
import sys

import pytest

from tests.lsp.editor import SERVER, Editor, alive, until


@pytest.fixture
async def busy(start, workspace):
    """A server process in the middle of a fix, and the fix's own process."""
    (workspace / "test_calc.py").write_text("def test_slow():\n    assert 0\n")
    editor = await start("--trust", process=True)
    await editor.diagnostics("test_calc.py")
    await editor.command("fix", {"test": "test_calc.py::test_slow"})
    await until((workspace / "sleep.pid").exists)
    return editor, int((workspace / "sleep.pid").read_text())


async def test_shutdown_and_exit_leave_no_process(busy):
    """After `shutdown` and `exit` the code is 0 and the work is gone."""
    editor, pid = busy
    assert await editor.leave() == 0
    assert not alive(pid)


async def test_a_vanished_client_leaves_no_process(busy):
    """The end of the input ends the work and the server."""
    editor, pid = busy
    assert await editor.vanish() == 1
    assert not alive(pid)


async def test_a_signal_leaves_no_process(busy):
    """SIGTERM ends the work before the server."""
    editor, pid = busy
    editor.process.send_signal(signal.SIGTERM)
    assert await editor.process.wait() == 1
    assert not alive(pid)


async def test_the_death_of_the_parent_ends_the_server(start):
    """The server goes when the process that `initialize` names does."""
    parent = await asyncio.create_subprocess_exec("sleep", "30")
    editor = await start("--trust", process=True, processId=parent.pid)
    await editor.diagnostics("test_calc.py")
    parent.kill()
    await parent.wait()
    assert await asyncio.wait_for(editor.process.wait(), 10) == 1


async def test_a_parent_of_another_namespace_is_not_missed(start):
    """A process id that never existed here does not end the server."""
    editor = await start("--trust", processId=2**22 + 1)
    await editor.diagnostics("test_calc.py")
    assert await editor.leave() == 0


async def test_exit_without_shutdown_is_an_error(start):
    """`exit` alone ends with code 1, as the protocol asks."""
    editor = await start("--trust")
    await editor.notify("exit", None)
    assert await editor.session == 1


async def test_tcp_serves_one_client_and_ends(workspace):
    """With `--tcp` the server speaks to the first client, then it is done."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVER),
        "--trust",
        "--tcp",
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    greeting = (await process.stderr.readline()).decode()
    host, _, port = greeting.split()[-1].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    editor = Editor(workspace).attach(reader, writer, process)
    await editor.initialize()
    await editor.diagnostics("test_calc.py")
    second, closing = await asyncio.open_connection(host, int(port))
    assert await second.read() == b""
    closing.close()
    assert await editor.leave() == 0
    assert await process.stdout.read() == b""
    writer.close()
    await editor.stop()


async def test_unknown_messages_do_no_harm(start):
    """Notifications without a handler, and broken parameters, are survived."""
    editor = await start("--trust")
    await editor.notify("$/unknown", {"a": 1})
    await editor.notify("textDocument/didChange", {"nothing": "here"})
    missing = {"uri": editor.uri("calc.py"), "version": 2}
    change = {"textDocument": missing, "contentChanges": [{"text": ""}]}
    await editor.notify("textDocument/didChange", change)
    await editor.diagnostics("test_calc.py")


async def test_stray_output_does_not_reach_the_client():
    """What anybody prints goes to standard error, not into the protocol."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVER),
        "--chatty",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert await process.stderr.readline() == b"a stray line\n"
    process.stdin.close()
    assert await process.stdout.read() == b""
    assert await process.wait() == 1


async def test_a_plain_file_is_no_client(tmp_path):
    """Standard input from a file is refused in words."""
    empty = tmp_path / "empty"
    empty.touch()
    with empty.open("rb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SERVER), stdin=file, stderr=asyncio.subprocess.PIPE
        )
        _, complained = await process.communicate()
    assert b"must be pipes" in complained
    assert process.returncode == 1
