"""Kill register, index merges and clearing at random moments; nothing acknowledged may be lost.

    python fuzz/kills.py --kills 100

Each of the three is killed (SIGKILL) again and again while it works. After each kill the registry
must verify, and hold every work that was acknowledged on standard output before; the clearing must
end with the very verdicts of one that was never disturbed. Exit status 1 when anything is lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

COMMAND = Path(sys.executable).parent / "tercet"
WORKS = 120
SYLLABLES = ("ba", "cor", "dal", "en", "fir", "gan", "hol", "in", "ket", "lum", "mar", "nor", "os",
             "pel", "rin", "sul", "tam", "ur", "vex", "wil")  # fmt: skip
_ONE_BY_ONE = """
import sys
from pathlib import Path
from tercet.cli.main import main
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        main(["register", str(path), "--owner", "Somebody", "--registry", sys.argv[2]])
    except SystemExit as stop:
        if stop.code:
            raise
    sys.stdout.flush()
"""


def write_works(folder: Path, dice: random.Random) -> None:
    """Write texts that nobody else wrote: random words in random order."""
    folder.mkdir()
    for at in range(WORKS):
        words = ["".join(dice.choices(SYLLABLES, k=3)) for _ in range(150)]
        (folder / f"{at:03}.txt").write_text(" ".join(words), "utf-8")


def write_corpus(works: Path, folder: Path) -> None:
    """Write copies that are cut, and texts of others."""
    folder.mkdir()
    for path in sorted(works.iterdir())[: WORKS // 2]:
        words = path.read_text("utf-8").split()
        (folder / f"copy-{path.name}").write_text(" ".join(words[20:120]), "utf-8")
        other = " ".join(reversed(words))
        (folder / f"other-{path.name}").write_text(other, "utf-8")


def run_killed(command: list[str], after_s: float, output: Path) -> int:
    """Run a command and kill it after a while; return its status (-9: it was killed)."""
    with output.open("ab") as kept:
        child = subprocess.Popen(command, stdout=kept, stderr=subprocess.DEVNULL,
                                 start_new_session=True)  # fmt: skip
        try:
            return child.wait(after_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            return child.wait()


def acknowledged(output: Path) -> set[str]:
    """Return the names that standard output said were registered, whole lines only."""
    lines = output.read_text("utf-8", "replace").split("\n")[:-1]
    return {line.partition(":")[0] for line in lines if ": registered as work" in line}


def faults_of(registry: Path, named: set[str]) -> list[str]:
    """Return what is wrong with a registry: what does not verify, and what it has lost."""
    if not (registry / "registry.sqlite").exists():
        return [f"{len(named)} works were acknowledged, and there is no registry"] if named else []
    checked = subprocess.run([COMMAND, "registry", "verify", "--registry", registry, "--json"],
                             capture_output=True, text=True, check=False)  # fmt: skip
    faults = [] if checked.returncode == 0 else [(checked.stdout + checked.stderr)[-2_000:]]
    from tercet.store.registry import Registry

    works = Registry.open(registry).works(limit=10 * WORKS)
    lost = named - {Path(work.path).name for work in works}
    return [*faults, *(f"lost: {name}" for name in sorted(lost))]


def registering(folder: Path, command: list[str], registry: Path, kills: int, dice: random.Random,
                show: Callable[[str], None]) -> list[str]:  # fmt: skip
    """Kill registering until it was killed ``kills`` times; return what was lost."""
    output = folder / "acknowledged"
    faults: list[str] = []
    done = rounds = 0
    whole_s = 3.0
    while done < kills:
        began = time.monotonic()
        status = run_killed(command, dice.uniform(0.3, whole_s), output)
        if status == -9:
            done += 1
            faults += faults_of(registry, acknowledged(output))
            continue
        if status != 0:
            return [*faults, f"ended with status {status}"]
        rounds += 1
        whole_s = max(time.monotonic() - began, 1.0)
        faults += faults_of(registry, acknowledged(output))
        shutil.rmtree(registry)
        output.unlink()
    show(f"{done} kills, {rounds} times to the end, {len(faults)} faults")
    return faults


def clearing(corpus: Path, registry: Path, folder: Path, kills: int, dice: random.Random,
             show: Callable[[str], None]) -> list[str]:  # fmt: skip
    """Kill clearing; return where its verdicts differ from those of an undisturbed one."""

    def command(out: Path) -> list[str]:
        return [str(COMMAND), "clear", str(corpus), "--registry", str(registry), "-o", str(out)]

    began = time.monotonic()
    subprocess.run(command(folder / "whole"), check=True, capture_output=True)
    whole_s = time.monotonic() - began
    expected = verdicts(folder / "whole")
    faults: list[str] = []
    done = rounds = 0
    out = folder / "out"
    while done < kills:
        status = run_killed(command(out), dice.uniform(0.3, whole_s), folder / "cleared")
        done += status == -9
        if status == 0:
            rounds += 1
            faults += [] if verdicts(out) == expected else [f"round {rounds}: other verdicts"]
            shutil.rmtree(out)
        elif status != -9:
            return [*faults, f"ended with status {status}"]
    show(f"{done} kills, {rounds} times to the end, {len(faults)} faults")
    return faults


def verdicts(out: Path) -> list[tuple[str, str, list[str]]]:
    """Return item, verdict and reasons of every row of a clearing."""
    import pyarrow.parquet as pq

    rows = pq.read_table(out / "verdicts.parquet").to_pylist()
    return [(row["item"], row["verdict"], row["reasons"]) for row in rows]


def main() -> int:
    """Run all three; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=100, help="of each of the three (100)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    dice = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["TERCET_HOME"] = str(folder / "home")
        write_works(folder / "works", dice)
        write_corpus(folder / "works", folder / "corpus")
        registry = folder / "registry"
        together = [str(COMMAND), "register", str(folder / "works"), "--owner", "Somebody",
                    "--registry", str(registry)]  # fmt: skip
        one_by_one = [sys.executable, "-c", _ONE_BY_ONE, str(folder / "works"), str(registry)]
        faults = {
            "register": registering(folder, together, registry, given.kills, dice,
                                    lambda text: print("register:", text, flush=True)),
            "merge": registering(folder, one_by_one, registry, given.kills, dice,
                                 lambda text: print("register one by one, merging:", text,
                                                    flush=True)),
        }  # fmt: skip
        subprocess.run(together, check=True, capture_output=True)
        faults["clear"] = clearing(folder / "corpus", registry, folder, given.kills, dice,
                                   lambda text: print("clear:", text, flush=True))  # fmt: skip
    print(json.dumps(faults, indent=1))
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
