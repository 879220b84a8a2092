"""A command that runs as a process of its own: its last line is its last line."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_exit_handlers_run_and_the_interpreter_is_not_taken_apart() -> None:
    """Native libraries report leaks while the interpreter is torn down: here a finalizer does."""
    done = run(
        "import atexit, sys\n"
        "class Late:\n"
        "    def __del__(self): sys.__stderr__.write('torn down')\n"
        "kept = Late()\n"
        "atexit.register(print, 'handler ran')\n"
        "sys.argv = ['tercet', 'policies', 'nowhere']\n"
        "from tercet.cli.main import script\n"
        "script()\n"
    )
    assert done.returncode == 2
    assert done.stdout == "handler ran\n"
    assert done.stderr.splitlines()[-1].startswith("hint: ")


def test_what_was_printed_arrives_whole() -> None:
    done = run(
        "import sys\n"
        "sys.argv = ['tercet', 'policies']\n"
        "from tercet.cli.main import script\n"
        "script()\n"
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1]
    assert not done.stderr
