"""Run one reader on many damaged inputs in a child process, and say what became of it.

Every input follows from the campaign's seed, the reader's name and the input's number alone, so
whatever kills the child can be made again by the parent and is kept in a file. An input that
takes more than its CPU time, or a child that asks for more than its memory, is an error like any
other.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import resource
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

INPUT_CPU_SECONDS_MAX = 1.0
STALL_SECONDS_MAX = 120.0  # without one finished input, measured by the clock on the wall
MEMORY_BYTES_MAX = 3 * 1024 * 1024 * 1024  # address space, of which much is only reserved
INPUT_BYTES_MAX = 256 * 1024
FLAWS = (
    b"\x00", b"\xff", b"\x80", b"\xc3", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\r", b"\n",
    b"\r\n", b"\t", b" ", b'"', b"'", b"<", b">", b"&", b"=", b":", b";", b",", b"*", b"$", b"%",
    b"/", b"\\", b"[", b"]", b"{", b"}", b"(", b")", b"-", b"0", b"1", b"9" * 400, b"\\ud800",
    b"&#xD800;", b"&amp;", b"<!--", b"<![CDATA[", b"\xe2\x80\xa8", b"\xc2\xa0", b"*a" * 40,
    b"%2A", b"%zz", b"1e999", b"-0", b"NaN", b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(4),
)  # fmt: skip
_STATE = struct.Struct("<qqd")  # input being tried, slowest input, its CPU seconds


@dataclass(frozen=True, slots=True)
class Reader:
    """What is tried: ``seeds`` are tried as they are, then damaged; ``attempt`` raises on error.

    ``words`` are the format's own tokens, put in and swapped as wholes; ``bombs`` are hostile
    inputs too big to damage, tried as they are.
    """

    name: str
    seeds: Sequence[bytes]
    attempt: Callable[[bytes], object]
    words: Sequence[bytes] = ()
    bombs: Sequence[bytes] = ()


def options(description: str | None) -> argparse.Namespace:
    """Read the command line that every campaign has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=2_000, help="for each reader (2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="readers whose name contains this")
    parser.add_argument("--files", type=Path, help="a folder of further files to start from")
    parser.add_argument("--keep", type=Path, default=Path("."), help="where bad inputs are kept")
    return parser.parse_args()


def run(readers: Sequence[Reader], chosen: argparse.Namespace) -> None:
    """Try every reader; print a line for each. Exits with 1 when an input broke one."""
    print(f"seed {chosen.seed}, {chosen.inputs} inputs a reader")
    print(f"{'reader':38} {'seeds':>5} {'inputs':>8} {'seconds':>8} {'slowest':>10} {'peak':>9}")
    broken = [
        reader.name
        for reader in readers
        if chosen.only in reader.name and not _campaign(reader, chosen)
    ]
    if broken:
        print(f"broken: {', '.join(broken)}")
        sys.exit(1)


def made(reader: Reader, seed: int, number: int) -> bytes:
    """Return input ``number`` of a campaign: the seeds themselves first, then damaged ones."""
    whole = len(reader.bombs)
    if number < whole:
        return reader.bombs[number]
    if number - whole < len(reader.seeds):
        return reader.seeds[number - whole]
    return damaged(random.Random(f"{seed}:{reader.name}:{number}"), reader.seeds, reader.words)


def damaged(chance: random.Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Return one of ``seeds`` after a few changes to its bytes, words or lines."""
    raw = bytearray(chance.choice(seeds)[:INPUT_BYTES_MAX])
    for _ in range(chance.choice((1, 1, 2, 3, 5, 12))):
        near = min(len(raw), 600) if chance.random() < 0.5 else len(raw)
        at = chance.randrange(near + 1)
        _change(chance, raw, at, seeds, words)
    return bytes(raw[:INPUT_BYTES_MAX])


def _change(
    chance: random.Random,
    raw: bytearray,
    at: int,
    seeds: Sequence[bytes],
    words: Sequence[bytes],
) -> None:
    match chance.randrange(11):
        case 0:
            raw[at : at + 1] = bytes([chance.randrange(256)])
        case 1:
            del raw[at : at + chance.choice((1, 2, 5, 20, 200))]
        case 2:
            raw[at:at] = chance.choice(FLAWS)
        case 3:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            raw[at:at] = other[start : start + chance.choice((3, 20, 200, 2_000))]
        case 4:
            raw[at:at] = raw[max(0, at - 60) : at]
        case 5 if chance.random() < 0.2:
            del raw[at:]
        case 6 if words:
            raw[at:at] = chance.choice(words)
        case 7 if words:
            old, new = chance.choice(words), chance.choice((*words, b""))
            raw[:] = raw.replace(old, new, chance.choice((1, 1, 3)))
        case 8:
            _move_line(chance, raw)
        case 9:
            raw[at : at + 8] = raw[at : at + 8].swapcase()
        case 10 if chance.random() < 0.05:
            piece = raw[at : at + chance.choice((1, 2, 8, 60))]
            raw[at:at] = piece * chance.choice((10, 100, 1_000, 10_000))
        case _:
            raw[at : at + 1] = chance.choice(FLAWS)


def _move_line(chance: random.Random, raw: bytearray) -> None:
    lines = raw.split(b"\n")
    line = lines[chance.randrange(len(lines))]
    if chance.random() < 0.5:
        lines.remove(line)
    lines.insert(chance.randrange(len(lines) + 1), line)
    raw[:] = b"\n".join(lines)


def _campaign(reader: Reader, chosen: argparse.Namespace) -> bool:
    state = mmap.mmap(-1, _STATE.size)
    started = time.perf_counter()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os._exit(_try_all(reader, chosen, state))
    status, peak_kib = _awaited(child, state)
    number, _, seconds = _STATE.unpack(state[:])
    print(
        f"{reader.name:38} {len(reader.seeds):5} {number:8} {time.perf_counter() - started:8.0f}"
        f" {seconds * 1000:7.1f} ms {peak_kib / 1024:5.0f} MiB",
        flush=True,
    )
    if status == 0:
        return True
    kept = chosen.keep / f"fuzz-{reader.name.replace(' ', '-')}-{number}.bin"
    kept.write_bytes(made(reader, chosen.seed, number))
    print(f"  input {number} broke it (status {status}), kept as {kept}", flush=True)
    return False


def _try_all(reader: Reader, chosen: argparse.Namespace, state: mmap.mmap) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    signal.signal(signal.SIGPROF, _too_slow)
    number, slowest, most = 0, 0, 0.0
    try:
        for number in range(chosen.inputs):
            state[:] = _STATE.pack(number, slowest, most)
            raw = made(reader, chosen.seed, number)
            signal.setitimer(signal.ITIMER_PROF, INPUT_CPU_SECONDS_MAX)
            before = time.process_time()
            reader.attempt(raw)
            spent = time.process_time() - before
            signal.setitimer(signal.ITIMER_PROF, 0)
            if spent > most:
                slowest, most = number, spent
            if spent > INPUT_CPU_SECONDS_MAX:
                raise TimeoutError(f"{spent:.1f} s of CPU")
    except BaseException:  # noqa: BLE001  whatever it is, it is this input's
        traceback.print_exc()
        return 1
    state[:] = _STATE.pack(number + 1, slowest, most)
    return 0


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {INPUT_CPU_SECONDS_MAX} s of CPU")


def _awaited(child: int, state: mmap.mmap) -> tuple[int, int]:
    """Wait for the child; end it when no input gets done. Returns (wait status, peak KiB)."""
    last, since = bytes(state[:8]), time.monotonic()
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return status, usage.ru_maxrss
        if bytes(state[:8]) != last:
            last, since = bytes(state[:8]), time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS_MAX:
            os.kill(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            return status, usage.ru_maxrss
        time.sleep(0.05)
