"""How well works are found again: Tercet beside its peers, on real media, in one run.

    python bench/identify.py                         everything, about 25 minutes on 2 free cores
    python bench/identify.py --medium image --full    every original queried (hours)
    python bench/identify.py --medium never           what must never be claimed

Originals are registered in a real registry; edited copies of some of them, and media that were
never registered, are looked for in it. For every edit the table gives the share of copies found:
certain, likely or surer, and above the best match of any unrelated pair. docs/identify-bench.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.identify_subjects import subject_for
from bench.identify_trials import Plan, run

from bench import identify_augly as augly
from bench import identify_lists as lists
from bench import identify_media as media
from bench import identify_never as never
from bench import identify_simulation as simulation
from bench import identify_speed as speed
from bench import identify_table as tables

MEDIA = ("image", "video", "audio", "text")
OTHERS = ("never", "simulation", "speed")
QUERIES = {"image": 110, "video": 24, "audio": 40, "text": 160}
STRANGERS_SHARE = 0.15
SECONDS = {"image": 480.0, "video": 240.0, "audio": 150.0, "text": 60.0}


def machine() -> str:
    """Return a line about the machine."""
    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere the plain name must do
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    model = names[0] if names else platform.processor() or platform.machine()
    return f"{model}, {len(os.sched_getaffinity(0))} processors, Python {platform.python_version()}"


def plan_for(medium: str, folder: Path, queries: int, gallery: int) -> Plan:
    """Draw what is registered, queried and kept out; a third of the pictures asked are graphics.

    Of sounds that are kept out speech comes first: that is what is laid over music.
    """
    found = lists.originals(medium, folder)
    if not found:
        raise SystemExit(f"no {medium} originals in {folder}: run bench/identify_media.py first")
    strangers = tuple(found[: max(2, round(len(found) * STRANGERS_SHARE))])
    strangers = tuple(sorted(strangers, key=lambda one: "speech" not in one.name))
    registered = tuple(found[len(strangers) :][:gallery])
    photos = [one for one in registered if one.kind != "graphic"]
    graphics = [one for one in registered if one.kind == "graphic"]
    third = min(len(graphics), queries // 3)
    queried = (*photos[: queries - third], *graphics[:third])
    count = max(4, queries // 4)
    return Plan(registered, queried, strangers[:count], *lists.relations(found))


def measure(medium: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Run one medium and print its table and claims."""
    subject = subject_for(medium, peers=not asked.no_peers)
    queries = 10**9 if asked.full else asked.queries or QUERIES[medium]
    plan = plan_for(medium, asked.media, queries, asked.gallery)
    known = subject.edits + (augly.prepare(asked.media) if medium == "image" else ())
    edits = [e for e in known if not asked.edits or any(w in e.title for w in asked.edits)]
    budget_s = float("inf") if asked.full else asked.seconds or SECONDS[medium]
    start = time.monotonic()
    outcome = run(subject, plan, tuple(edits), asked.processes, budget_s)
    kinds = sorted({one.kind for one in plan.queried} - {""}) if medium == "image" else [""]
    first = kinds[-1] if kinds else ""
    found = tables.findings(medium, outcome, edits, subject.peers, first)
    print(f"\n## {medium}{f', {first}s' if first else ''}\n")
    print(lists.summary("registered", list(plan.registered)))
    print(f"strangers asked: {len(plan.strangers)}; wall time {time.monotonic() - start:.0f} s\n")
    print(tables.table(found, edits, subject.peers))
    result = tables.fields_of(found)
    for kind in kinds[:-1]:
        second = tables.findings(medium, outcome, edits, subject.peers, kind)
        print(f"\n### {kind}s: screens, figures, drawings on one colour\n")
        print(tables.table(second, edits, subject.peers))
        result[kind] = tables.fields_of(second)
    print(f"\n{tables.claims(found, outcome)}")
    if asked.misses:
        print(tables.misses(outcome, edits))
    for name, reason in outcome.unfit[:20]:
        print(f"  unfit: {name}: {reason}")
    return result


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path, default=media.FOLDER)
    parser.add_argument("--medium", choices=(*MEDIA, *OTHERS, "all"), default="all")
    parser.add_argument("--queries", type=int, default=0, help="originals asked for, per medium")
    parser.add_argument("--gallery", type=int, default=10**9, help="originals registered at most")
    parser.add_argument("--edits", nargs="*", default=[], help="only edits with these words")
    parser.add_argument("--seconds", type=float, default=0.0, help="budget per medium")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--full", action="store_true", help="every original, no budget")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--fetch", action="store_true", help="fetch the packages that are missing")
    parser.add_argument("--misses", action="store_true", help="name what was not found")
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = options()
    if asked.fetch:
        media.fetch(asked.media)
    print(f"machine: {machine()}; processes: {asked.processes}", flush=True)
    figures: dict[str, Any] = {"machine": machine()}
    for medium in MEDIA:
        if asked.medium in {medium, "all"}:
            figures[medium] = measure(medium, asked)
            sys.stdout.flush()
    if asked.medium in {"never", "all"}:
        print("\n## never to be claimed\n")
        for medium in MEDIA:
            found = lists.originals(medium, asked.media)
            print(never.report(subject_for(medium, peers=False), found), flush=True)
    if asked.medium in {"simulation", "all"}:
        print(f"\n{simulation.report(asked.media)}", flush=True)
    if asked.medium in {"speed", "all"}:
        print(f"\n{speed.report(asked.media)}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1), "utf-8")


if __name__ == "__main__":
    main()
