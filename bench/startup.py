"""CPU time of `import tercet` and `tercet --help`, against a bare interpreter.

    python bench/startup.py

Exits 1 when `tercet --help` takes 0.2 s of CPU or more.
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

RUNS = 7
HELP_CPU_S_MAX = 0.2
COMMAND = str(Path(sys.executable).parent / "tercet")


def cpu_s(command: list[str]) -> float:
    """Return the least CPU time, user and system, of RUNS runs of ``command``, in seconds."""
    spent = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def main() -> int:
    """Print the figures; return the exit status."""
    cases = {
        "bare interpreter": [sys.executable, "-c", ""],
        "import tercet": [sys.executable, "-c", "import tercet"],
        "tercet --help": [COMMAND, "--help"],
    }
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"least of {RUNS} runs, CPU seconds")
    figures = {name: cpu_s(command) for name, command in cases.items()}
    for name, figure in figures.items():
        print(f"{name:18} {figure:6.3f} s")
    return 0 if figures["tercet --help"] < HELP_CPU_S_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
