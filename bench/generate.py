"""How fast videos are made: the whole of `tercet generate`, in a process of its own.

    python bench/generate.py                 a minute at 512 px by house, at 720p by compose
    python bench/generate.py --seconds 10    the same for ten seconds
    python bench/generate.py --engine house  one engine only
    python bench/generate.py --peer          beside a Wan pipeline of diffusers, 7.5 M weights

Counted is everything: start, reading the model, sampling, enlarging, frames between frames,
encoding, thumbnail, Content Credentials. The targets are printed beside: a minute in under 3
minutes (house) and 4 (compose) of two cores, both in under 2 GB. The peer makes 17 frames of
128 px by 20 steps with guidance; a second of video is set as long as one of ours, 3.2 new frames.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.clear import PeakMemory, machine

PROMPT = "a red car drives past a house at night"
SIZES = {"house": "512x512", "compose": "1280x720"}
TARGET_S = {"house": 180.0, "compose": 240.0}  # for a minute
MEMORY_TARGET_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """What one video cost."""

    video_s: float
    wall_s: float
    cpu_s: float
    peak_bytes: int


def timed(command: list[str]) -> tuple[str, float, float, int]:
    """Run a command; return what it printed, seconds, seconds of processor and peak bytes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        memory = PeakMemory(process.pid)
        memory.start()
        printed, said = process.communicate()
        wall_s = time.perf_counter() - start
        memory.running = False
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:6])} ... failed:\n{said[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return printed, wall_s, cpu_s, memory.peak_bytes


def generate(engine: str, asked: argparse.Namespace, folder: Path) -> Run:
    """Make one video by an engine."""
    command = [
        sys.executable, "-m", "tercet", "generate", PROMPT, "--engine", engine,
        "--size", SIZES[engine], "--seconds", str(asked.seconds), "--seed", "1",
        "-o", str(folder / f"{engine}.mp4"), "--key", str(folder / "key"), "--json",
    ]  # fmt: skip
    command += ["--model", asked.model] if asked.model else []
    _, wall_s, cpu_s, peak_bytes = timed(command)
    return Run(asked.seconds, wall_s, cpu_s, peak_bytes)


def run_peer(steps: int) -> Run:
    """Make one clip by the peer."""
    file = Path(__file__).with_name("generate_peer.py")
    printed, *_ = timed([sys.executable, str(file), "--steps", str(steps)])
    told = json.loads(printed.strip().splitlines()[-1])
    return Run(told["video_s"], told["wall_s"], told["cpu_s"], told["peak_bytes"])


def show(name: str, run: Run) -> None:
    """Print one line."""
    print(
        f"{name}: {run.video_s:.1f} s of video in {run.wall_s:.1f} s, {run.cpu_s:.1f} CPU s "
        f"({run.cpu_s / run.video_s:.2f} a second of video), peak {run.peak_bytes / 1e9:.2f} GB"
    )


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--engine", choices=list(SIZES), action="append")
    parser.add_argument("--model", default="", help="name or folder; default: the shipped one")
    parser.add_argument("--peer", action="store_true", help="measure a diffusers pipeline too")
    parser.add_argument("--peer-steps", type=int, default=20)
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = options()
    print(f"machine: {machine()}")
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory(prefix="tercet-bench-") as folder:
        for engine in asked.engine or list(SIZES):
            run = runs[engine] = generate(engine, asked, Path(folder))
            show(f"{engine} {SIZES[engine]}", run)
            minute_s = run.wall_s * 60 / run.video_s
            print(
                f"  a minute: {minute_s:.0f} s (target {TARGET_S[engine]:.0f} s: "
                f"{TARGET_S[engine] / minute_s:.1f} times as fast); memory "
                f"{run.peak_bytes / MEMORY_TARGET_BYTES:.0%} of the 2 GB allowed"
            )
    if asked.peer:
        peer = run_peer(asked.peer_steps)
        show("peer: diffusers WanPipeline, 7.5 M random weights, 128x128", peer)
        for engine, run in runs.items():
            ratio = (peer.cpu_s / peer.video_s) / (run.cpu_s / run.video_s)
            print(f"  CPU seconds a second of video, peer to {engine}: {ratio:.1f}")


if __name__ == "__main__":
    main()
