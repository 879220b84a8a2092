"""200 hours of sound against 200 hours: how many false matches, from the tail of real pairs.

The score of a sound match is -log10 of its chance by the method's own null model. Unrelated real
recordings, also with tempo and pitch changed, are verified directly, pair by pair, with the
threshold lowered: no index saves the pair from being looked at. The share of pairs that reach a
score falls by a steady factor with each unit of it; the fall is fitted where it is measured, and
carried on to the thresholds, and to the pairs of 90 s that 200 h x 200 h are.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from bench.identify_edits import generator_for
from bench.identify_subjects import subject_for
from bench.identify_trials import fingerprint_of

from bench import identify_lists as lists
from tercet.consent.fingerprints import audio
from tercet.consent.fingerprints.fingerprint import Fingerprint

LOWERED = 0.5
HOURS = 200.0
PIECES = 70
VARIANTS = ("", "speed +5 %", "tempo -10 %", "pitch +1 semitone")
TAIL_PAIRS = 10
"""The fit ends where fewer pairs than this are left: beyond, single pairs decide."""


def report(folder: Path, budget_s: float = 90.0) -> str:
    """Measure the tail within the budget and return the lines."""
    subject = subject_for("audio", peers=False)
    pieces = lists.originals("audio", folder)[:PIECES]
    related, _ = lists.relations(pieces)
    edits = {edit.title: edit for edit in subject.edits}
    works = {one.name: fingerprint_of(subject, subject.item(subject.load(one))) for one in pieces}
    fit = {name: found for name, found in works.items() if isinstance(found, Fingerprint)}
    usual = audio.POSSIBLE_SURPRISE
    audio.POSSIBLE_SURPRISE = LOWERED
    scores: list[float] = []
    seconds2 = 0.0
    started = time.monotonic()
    try:
        for at, one in enumerate(pieces):
            variant = VARIANTS[at % len(VARIANTS)]
            content = subject.load(one)
            if variant:
                content = edits[variant].make(content, generator_for(variant, one.name), content)
            query = fingerprint_of(subject, subject.item(content))
            for name, stored in fit.items() if isinstance(query, Fingerprint) else ():
                if name in related[one.name]:
                    continue
                found = audio.METHOD.verify(query, 1, stored)
                scores.append(found.score if found else LOWERED)
                seconds2 += query.extent[0] * stored.extent[0]
            if time.monotonic() - started > budget_s:
                break
    finally:
        audio.POSSIBLE_SURPRISE = usual
    return _lines(np.array(scores), seconds2)


def _lines(scores: np.ndarray, seconds2: float) -> str:
    """Fit log10 of the share of pairs above a score, and carry it on."""
    steps = np.arange(LOWERED + 0.5, scores.max(), 0.25)
    left = np.array([(scores > step).sum() for step in steps])
    used = left >= TAIL_PAIRS
    lines = [
        f"audio: {len(scores):,} unrelated pairs verified one by one, {seconds2 / 3600**2:.1f}"
        f" hours x hours; greatest score {scores.max():.1f}",
        "audio: pairs above a score: "
        + ", ".join(
            f"{step:g}: {count}" for step, count in zip(steps[::4], left[::4], strict=True)
        ),
    ]
    if used.sum() < 4:
        return "\n".join([*lines, "audio: too few pairs for a fit of the tail"])
    last = steps[used][-1]
    upper = used & (steps >= last - 2.0)  # the upper part of the tail, where it is straight
    slope, start = np.polyfit(steps[upper], np.log10(left[upper] / seconds2), 1)
    wanted = (HOURS * 3600) ** 2
    for band, score in (("likely", audio.LIKELY_SURPRISE), ("certain", audio.CERTAIN_SURPRISE)):
        expected = 10 ** (start + slope * score) * wanted
        lines.append(
            f"audio: {HOURS:g} h x {HOURS:g} h by this tail ({slope:.2f} decades a unit, fitted"
            f" to {last:g}): {expected:.2g} false matches expected at {band} ({score:g})"
        )
    return "\n".join(lines)
