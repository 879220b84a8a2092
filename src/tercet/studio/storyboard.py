"""Storyboards: a prompt becomes shots by rule, or a list of shots is given. Pure."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import Any

from tercet.core.errors import InputError
from tercet.core.limits import VIDEO_SECONDS_MAX
from tercet.studio.engines.engine import Shot
from tercet.studio.scenes.recipe import CLIP_DURATION_S

SCENE_S = CLIP_DURATION_S
SHOT_S_MIN = SCENE_S / 2  # of a shot found by rule: below it, neighbours share a shot
SHOTS_MAX = 240  # of a storyboard that is given
STORYBOARD_BYTES_MAX = 1024 * 1024
_GRID_S = 1 / 64  # a power of two: such times add up without rounding

_NUMBERED = re.compile(r"(?:^|(?<=\s))(\d{1,2})[.)]\s+")
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+")
_THEN = re.compile(
    r"\s*[,;]\s*(?:and\s+)?then\b,?\s+"
    r"|(?<!\bback)(?<!\bsince)(?<!\buntil)(?<!\bby)\s(?:and\s+)?then,?\s+"
    r"|\s*;\s+",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|no|vs|e\.g|i\.e)|(?:^|\W)\w)\.$", re.IGNORECASE
)
_LEAD = re.compile(
    r"^(?:(?:and\s+)?then|next|finally|afterwards|after\s+that)\b[,:]?\s+", re.IGNORECASE
)
_FORM = 'a list like [{"prompt": "a red car drives", "seconds": 5}, ...]'


def split_prompt(prompt: str) -> tuple[str, ...]:
    """Return the parts of a prompt that follow one another in time, in order, none empty.

    A list (lines, or numbers from 1 up) is split at its items; anything else at `, then`, ` then `,
    `; ` and the ends of sentences.
    """
    items = _list_items(prompt)
    if len(items) < 2:
        items = [part for line in items for part in _parts(line)]
    cleaned = (_cleaned(item) for item in items)
    return tuple(item for item in cleaned if any(character.isalnum() for character in item))


def _list_items(prompt: str) -> list[str]:
    lines = [line for line in prompt.splitlines() if line.strip()]
    bulleted = [line for line in lines if _BULLET.match(line)]
    if len(bulleted) > 1:
        return [_BULLET.sub("", line) for line in lines]
    text = " ".join(prompt.split())
    marks = list(_NUMBERED.finditer(text))
    counts_up = [int(mark[1]) for mark in marks] == list(range(1, len(marks) + 1))
    if len(marks) < 2 or marks[0].start() != 0 or not counts_up:
        return [text]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]


def _parts(text: str) -> list[str]:
    sentences: list[str] = []
    for piece in _SENTENCE_END.split(text):
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] += f" {piece}"
        else:
            sentences.append(piece)
    return [part for sentence in sentences for part in _THEN.split(_LEAD.sub("", sentence))]


def _cleaned(part: str) -> str:
    text = _LEAD.sub("", " ".join(part.split())).strip(" ,;!")
    return text if text.count(".") > 1 else text.strip(" .")  # J. S. Bach plays.


def storyboard(prompt: str, duration_s: float) -> tuple[Shot, ...]:
    """Return the shots of a prompt; their durations add up to ``duration_s`` exactly.

    Every cut lies at a whole number of scenes where there is time for one scene a shot; else shots
    are of one length. Where a shot would last less than half a scene, neighbours share one.
    Raises InputError for a prompt that says nothing.
    """
    parts = split_prompt(prompt)
    if not parts:
        raise InputError(
            "the prompt says nothing", hint="describe what is to be seen: a red car drives"
        )
    parts = _joined(parts, max(1, math.floor(duration_s / SHOT_S_MIN)))
    cuts = [0.0, *_cuts(len(parts), duration_s), duration_s]
    return tuple(
        Shot(part, end - start) for part, (start, end) in zip(parts, pairwise(cuts), strict=True)
    )


def _joined(parts: tuple[str, ...], count_max: int) -> tuple[str, ...]:
    """Return at most ``count_max`` parts: neighbours are joined, as evenly as may be."""
    count = min(len(parts), count_max)
    edges = [len(parts) * at // count for at in range(count + 1)]
    return tuple(", ".join(parts[start:end]) for start, end in pairwise(edges))


def _cuts(count: int, duration_s: float) -> list[float]:
    """Return the times between ``count`` shots.

    All but the end are whole numbers of a grid, so that differences and their sum are exact.
    """
    step_s = SCENE_S if count * SCENE_S <= duration_s else _GRID_S
    even_s = duration_s / count
    return [math.floor(even_s * at / step_s + 0.5) * step_s for at in range(1, count)]


def given_storyboard(raw: bytes) -> tuple[Shot, ...]:
    """Return the shots of a storyboard file: UTF-8 JSON, a list of prompts with their seconds.

    Raises InputError that says which entry is wrong and how it should look.
    """
    if len(raw) > STORYBOARD_BYTES_MAX:
        raise InputError(f"a storyboard of {len(raw):,} bytes", hint=f"give {_FORM}")
    try:
        document = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"the storyboard is not JSON: {error}", hint=f"give {_FORM}") from error
    return shots_of(document)


def shots_of(document: Any) -> tuple[Shot, ...]:
    """Return the shots that a storyboard's JSON value lists. Raises InputError, as above."""
    if not isinstance(document, list) or not 0 < len(document) <= SHOTS_MAX:
        raise InputError(f"a storyboard is a list of 1 to {SHOTS_MAX} shots", hint=f"give {_FORM}")
    return tuple(_shot(entry, at) for at, entry in enumerate(document, 1))


def _shot(entry: Any, at: int) -> Shot:
    if not isinstance(entry, dict) or set(entry) != {"prompt", "seconds"}:
        raise InputError(
            f"shot {at} of the storyboard has not exactly a prompt and seconds",
            hint=f"give {_FORM}",
        )
    prompt, seconds = entry["prompt"], entry["seconds"]
    if not isinstance(prompt, str) or not any(character.isalnum() for character in prompt):
        raise InputError(f"shot {at} of the storyboard says nothing", hint=f"give {_FORM}")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    # Compared as it is: a whole number of hundreds of digits is no float.
    if not is_number or not 0 < seconds <= VIDEO_SECONDS_MAX:
        raise InputError(
            f"shot {at} of the storyboard: expected seconds above 0 and at most "
            f"{VIDEO_SECONDS_MAX}, got {seconds!r}"[:200],
            hint=f"give {_FORM}",
        )
    return Shot(prompt, float(seconds))
