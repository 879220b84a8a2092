"""`import tercet` and `tercet --help` stay light: no heavy library is loaded for them.

How long they take is measured by bench/startup.py; a busy machine must not fail a test.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "numpy", "pyarrow", "duckdb", "lxml", "can_ada", "http_sf", "httpx2", "h2", "c2pa", "pypdf",
    "babel", "zstandard", "cryptography", "rich", "sqlite3", "asyncio", "ssl", "http", "xml",
}  # fmt: skip

PROBE = """
import json, sys, time
before = set(sys.modules)
start = time.process_time()
{code}
spent = time.process_time() - start
loaded = sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})
print(json.dumps({{"cpu_s": spent, "loaded": loaded}}), file=sys.stderr)
"""
IMPORT = "import tercet"
HELP = """
from tercet.cli.main import main
try:
    main(["--help"])
except SystemExit as done:
    assert not done.code, done.code
"""


@pytest.mark.parametrize("code", [IMPORT, HELP], ids=["import tercet", "tercet --help"])
def test_no_heavy_library_is_loaded(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(code=code)], capture_output=True, text=True, check=True
    )
    seen = json.loads(done.stderr.splitlines()[-1])
    print(f"{code.strip().splitlines()[0]}: {seen['cpu_s'] * 1000:.0f} ms of CPU")
    assert "tercet" in seen["loaded"]
    assert not HEAVY & set(seen["loaded"])
