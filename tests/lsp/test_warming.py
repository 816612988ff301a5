"""The rest of Bonafix is imported piece by piece, while the server answers."""

import json
import subprocess
import sys

PROGRAM = """
import asyncio, json, sys
import bonafix.lsp.main as main

async def measure():
    turns = 0
    def others():
        nonlocal turns
        turns += 1
        asyncio.get_running_loop().call_soon(others)
    others()
    await main._warm()
    return turns

turns = asyncio.run(measure())
before = set(sys.modules)
import bonafix.project, bonafix.propose.search, bonafix.propose.claude
late = sorted(set(sys.modules) - before)
print(json.dumps([turns, late, "anthropic" in sys.modules]))
"""


def test_others_have_their_turns_while_modules_are_imported():
    """The first job has nothing left to import, and nobody waited for all of it."""
    command = [sys.executable, "-P", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    turns, late, anthropic = json.loads(done.stdout)
    assert late == []
    assert not anthropic
    assert turns > 50  # as many as there were steps
