"""From cleared rows to what a model learns from: sprites of drawings, windows of real clips.

Each work's bytes pass the gate (read, digest compared) and only then are looked at. What is made
of them is kept in the run's folder under the work's SHA-256, so that a second start is quick.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tercet.core.errors import InputError, RefusedError, UndecodableError
from tercet.core.ids import sha256_hex
from tercet.flows.training_gate import ClearedItem, Gate
from tercet.store.files import written_whole
from tercet.studio.clip_windows import clip_windows
from tercet.studio.clips_manifest import CLIPS_TYPE, ClipEntry, parse_clip
from tercet.studio.scenes.cutting import colour_name, cut_pixels
from tercet.studio.scenes.sprite import Kind, Pixels, Sprite
from tercet.studio.training_record import WorkLine
from tercet.studio.training_samples import Windows

TABLE_SUFFIXES = (".jsonl", ".ndjson")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Works:
    """All that may be learned from. ``passed_over`` counts cleared rows not used, by reason."""

    sprites: tuple[Sprite, ...]
    clips: tuple[Windows, ...]
    lines: tuple[WorkLine, ...]
    passed_over: dict[str, int]


def read_works(
    gate: Gate, kept: Path, *, nouns: Collection[str] | None, progress: Progress
) -> Works:
    """Return the works behind the rows that passed the gate; ``nouns`` are those wanted, if any.

    Sprites and windows are kept below ``kept``. Raises IntegrityError when a work was changed
    since it was cleared, RefusedError when nothing is left to learn from.
    """
    tables = _tables(gate)
    sprites: list[Sprite] = []
    clips: list[Windows] = []
    lines: list[WorkLine] = []
    passed_over: dict[str, int] = {}
    seen: set[str] = set()
    for at, item in enumerate(gate.items, 1):
        progress("reading works", at, len(gate.items))
        record = tables.get((item.item, item.sha256))
        reason = _left_out(item, record, nouns, seen)
        if record is not None and not reason:
            seen.add(item.sha256)
            try:
                if record.get("type") == CLIPS_TYPE:
                    clips.append(_clip(item, parse_clip(json.dumps(record).encode(), at), kept))
                else:
                    sprites.append(_sprite(item, record, kept))
                lines.append(_line(item, record))
            except UndecodableError as error:
                reason = f"could not be read: {error.message}"[:120]
        if reason:
            passed_over[reason] = passed_over.get(reason, 0) + 1
    if not lines:
        raise RefusedError(
            f"none of {len(gate.items)} cleared works can be learned from: {passed_over}",
            hint="name nouns that the works show, or check their table (docs/training.md)",
        )
    return Works(tuple(sprites), tuple(clips), tuple(lines), passed_over)


def _left_out(
    item: ClearedItem,
    record: Mapping[str, Any] | None,
    nouns: Collection[str] | None,
    seen: set[str],
) -> str:
    """Return why a cleared row is not learned from; "" when it is."""
    if record is None:
        return "no table says what it shows"
    if item.sha256 in seen:
        return "the same work stands in another row"
    if record.get("type") == CLIPS_TYPE:
        return ""
    if not record.get("noun"):
        return "no noun names what it shows"
    wanted = nouns is None or record["noun"] in nouns
    return "" if wanted else "another noun than asked for"


def _tables(gate: Gate) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of the tables by path and digest, from the bytes that were cleared."""
    signed = {each["sha256"] for each in gate.clearance.document["corpus"]["inputs"]}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for place in gate.places:
        for path in _table_files(place):
            raw = path.read_bytes()
            if sha256_hex(raw) not in signed:
                continue  # it was not part of what was cleared: nothing in it counts
            for line in raw.splitlines():
                record = _record(line)
                found[str(record.get("path", "")), str(record.get("sha256", ""))] = record
    return found


def _table_files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        return (path for path in sorted(place.rglob("*")) if path.suffix in TABLE_SUFFIXES)
    return iter((place,) if place.suffix in TABLE_SUFFIXES else ())


def _record(line: bytes) -> dict[str, Any]:
    """Return a row as an object; a row that is none has a fault and was not cleared."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _line(item: ClearedItem, record: Mapping[str, Any]) -> WorkLine:
    is_clip = record.get("type") == CLIPS_TYPE
    texts = {key: str(record.get(key, "") or "") for key in ("title", "owner", "licence", "source")}
    return WorkLine(
        work=item.sha256,
        row=item.row,
        item=item.item,
        use="clip" if is_clip else "sprite",
        noun="" if is_clip else str(record["noun"]),
        **texts,
    )


def _sprite(item: ClearedItem, record: Mapping[str, Any], kept: Path) -> Sprite:
    """Return the sprite of a drawing; its table says what it shows and which way it looks."""
    pixels = _kept(kept / "sprites", item, cut_pixels, ndim=3)
    try:
        kind, faces = Kind(record.get("kind", Kind.THING)), int(record.get("faces", 0))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{item.item}: {error}", hint=f"kinds are {', '.join(Kind)}; faces -1, 0 or 1"
        ) from error
    texts = {key: str(record.get(key, "") or "") for key in ("title", "owner", "licence")}
    return Sprite(
        work=item.sha256,
        noun=str(record["noun"]),
        kind=kind,
        faces=max(-1, min(1, faces)),
        colour=colour_name(pixels),
        pixels=pixels,
        **texts,
    )


def _clip(item: ClearedItem, entry: ClipEntry, kept: Path) -> Windows:
    """Return the windows of a real clip."""
    window = f"-{entry.start_s:g}-{entry.end_s:g}"

    def cut(raw: bytes) -> Pixels:
        with TemporaryDirectory(prefix="tercet-") as folder:
            path = Path(folder, "clip")
            path.write_bytes(raw)  # what is decoded is what was compared
            return clip_windows(path, start_s=entry.start_s, end_s=entry.end_s)

    pixels = _kept(kept / "clips", item, cut, ndim=5, window=window)
    return Windows(item.sha256, entry.owner, entry.caption, pixels)


def _kept(
    folder: Path, item: ClearedItem, make: Callable[[bytes], Pixels], ndim: int, window: str = ""
) -> Pixels:
    """Return what was made of a work, from its file in ``folder`` or anew.

    The work itself is read and compared every time.
    """
    raw = item.read()
    path = folder / f"{item.sha256}{window}.npy"
    try:
        pixels = np.load(path, allow_pickle=False)
        if pixels.ndim == ndim and pixels.dtype == np.uint8:
            return np.asarray(pixels)
    except (OSError, ValueError, EOFError):
        path.unlink(missing_ok=True)
    made = make(raw)
    with written_whole(path, folder) as temporary, temporary.open("wb") as file:
        np.save(file, made)
    return made
