"""What licences let a model make: their days and their guards, asked before each video.

A model that learned under agreements carries what they oblige to (`agreements.jsonl`, named by its
training record). Other guards than those on prompts are duties of whoever publishes the video.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tercet.consent.licences.guards import Breach, BreachCode, prompt_breaches
from tercet.consent.licences.terms_schema import guards_of
from tercet.core.errors import InputError, IntegrityError, RefusedError
from tercet.studio.engines.engine import Engine, KeepsRecord
from tercet.studio.training_record import AGREEMENTS_NAME

_BREACH_WORDS = {
    BreachCode.BLOCKED_WORD: "the word {!r}",
    BreachCode.STYLE_BY_NAME: "a style asked for by the name of {!r}",
}


def require_licences(
    engine: Engine, prompts: Iterable[str], *, lora: str = "", now: datetime | None = None
) -> None:
    """Make sure that every licence behind ``engine`` lets it answer ``prompts`` today.

    Raises RefusedError where a licence's time to generate has not begun or has ended, or where a
    prompt breaks one of its guards; IntegrityError where the list of licences cannot be read.
    """
    day = (now or datetime.now(UTC)).date().isoformat()
    said = list(prompts)
    for folder in _folders(engine, lora):
        for licence in _licences(folder / AGREEMENTS_NAME):
            _require(licence, day, said)


def _folders(engine: Engine, lora: str) -> Iterator[Path]:
    if isinstance(engine, KeepsRecord) and engine.record_folder is not None:
        yield engine.record_folder
    if lora:
        yield Path(lora).parent


def _licences(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_bytes().splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise IntegrityError(
            f"cannot read the licences that the model learned under, {path}: {error}"[:300],
            hint="copy or train the model again; nothing was made with it",
        ) from error


def _require(licence: dict[str, Any], day: str, prompts: list[str]) -> None:
    try:
        name = str(licence["licensor"]["name"])
        period = licence["period"]
        ends = (str(period["generation_end"]), str(licence["terminated_on"]))
        start, end = str(period["start"]), min(day for day in ends if day)
        guards = guards_of(licence["duties"]["guards"])
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise IntegrityError(f"a licence that the model learned under lacks {error}") from error
    if not start <= day < end:
        raise RefusedError(
            f"the licence of {name!r} lets the model generate from {start} until {end}, "
            f"today is {day}",
            hint="agree on a longer one, or use a model that did not learn from these works",
        )
    for prompt in prompts:
        breaches = prompt_breaches(guards, [name], prompt)
        if breaches:
            raise RefusedError(
                f"the licence of {name!r} does not let the model answer {_words(breaches[0])}",
                hint="say it otherwise",
            )


def _words(breach: Breach) -> str:
    return _BREACH_WORDS[breach.code].format(breach.words)
