"""A server as a process of its own, to be killed: prints its address when it can be asked."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from serving import serving

if __name__ == "__main__":
    with serving(Path(sys.argv[1])) as served:
        print(served.url, flush=True)
        while True:
            time.sleep(1)
