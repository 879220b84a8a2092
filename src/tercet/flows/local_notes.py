"""local.json: what a clearing remembers of this machine. Not signed, not part of the result.

It says where the survey lies, so that `tercet explain` finds it, where corpus and desk lie, so that
`tercet train` does, and in which state the inputs were, so that a run that was stopped never goes
on with other ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tercet.consent.corpora import Corpus
from tercet.consent.corpora.folder import FolderRows
from tercet.core.errors import InputError
from tercet.store.files import write_atomically

_NAME = "local.json"
_TYPE = "tercet/local@1"


def inputs_state(corpus: Corpus) -> list[list[str]]:
    """Return for each input a text that changes when its size, time or listing does.

    Raises InputError when an input is gone.
    """
    return [[each.name, _state(Path(each.path))] for each in corpus.inputs]


def _state(path: Path) -> str:
    try:
        if path.is_dir():
            return FolderRows(path).listing_sha256
        status = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return f"{status.st_size} bytes, {status.st_mtime_ns} ns"


def keep_notes(
    out: Path,
    inputs: list[list[str]],
    declarations: Path | None,
    places: Sequence[Path] = (),
    *,
    desk: Path | None = None,
) -> None:
    """Write the notes of the first run, or check them: the inputs must be as they were.

    Raises InputError when they were changed since, OSError when the notes cannot be written.
    """
    old = _read(out)
    if old.get("inputs", inputs) != inputs:
        raise changed_inputs(out)
    notes = {
        "type": _TYPE,
        "inputs": inputs,
        "declarations": os.path.abspath(declarations) if declarations else "",
        "places": [os.path.abspath(place) for place in places],
    }
    if desk is not None:
        notes["desk"] = os.path.abspath(desk)
    if notes != old:
        write_atomically(out / _NAME, json.dumps(notes, indent=1).encode() + b"\n")


def changed_inputs(out: Path) -> InputError:
    """Return the error for inputs that are not what ``out`` was begun with."""
    return InputError(
        f"the corpus was changed after its clearing in {out} began",
        hint="choose another folder with -o, or delete this one",
    )


def declarations_folder(out: Path) -> Path | None:
    """Return the survey's folder as noted, or None."""
    noted = _read(out).get("declarations")
    return Path(noted) if noted else None


def desk_folder(out: Path) -> Path | None:
    """Return the desk whose agreements were asked about, as noted, or None."""
    noted = _read(out).get("desk")
    return Path(noted) if noted else None


def corpus_places(out: Path) -> tuple[Path, ...]:
    """Return where the corpus lay, as noted; empty when nothing is noted."""
    noted = _read(out).get("places")
    return tuple(Path(place) for place in noted) if isinstance(noted, list) else ()


def _read(out: Path) -> dict[str, Any]:
    try:
        notes = json.loads((out / _NAME).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return notes if isinstance(notes, dict) and notes.get("type") == _TYPE else {}
