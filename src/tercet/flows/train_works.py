"""From cleared rows to what a model learns from: sprites of drawings, windows of real clips.

Each work's bytes pass the gate (read, digest compared) and only then are looked at. What is made
of them is kept in the run's folder under the work's SHA-256, so that a second start is quick.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tercet.core.errors import InputError, RefusedError, UndecodableError
from tercet.core.ids import sha256_hex
from tercet.flows.guarded_pool import Guard, bounded
from tercet.flows.train_kept import Kept
from tercet.flows.training_gate import ClearedItem, Gate
from tercet.studio.clip_windows import clip_windows
from tercet.studio.clips_manifest import CLIPS_TYPE, parse_clip
from tercet.studio.scenes.cutting import cut
from tercet.studio.scenes.sprite import Kind, Pixels, Sprite
from tercet.studio.scenes.stage import Stage
from tercet.studio.scenes.subjects import LeftOut, sprite_of
from tercet.studio.training_record import WorkLine
from tercet.studio.training_samples import (
    HOUSE_CLIPS,
    ClipSize,
    MixedSamples,
    SampleSource,
    SceneSamples,
    Windows,
    WindowSamples,
)

DRAWING_GUARD = Guard(seconds=120.0, memory_bytes=2 * 1024 * 1024 * 1024)  # of one drawing
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
    gate: Gate,
    run: Path,
    *,
    nouns: Collection[str] | None,
    progress: Progress,
    size: ClipSize = HOUSE_CLIPS,
    secret: bytes = b"",
) -> Works:
    """Return the works behind the rows that passed the gate; ``nouns`` are those wanted, if any.

    Sprites and windows are kept in the folder ``run``, sealed with ``secret``: nobody without it
    can put other pictures in their place. Without a secret nothing kept is used. Raises
    IntegrityError when a work was changed since it was cleared, RefusedError when nothing is left
    to learn from.
    """
    tables, kept = _tables(gate), Kept.within(run, secret)
    sprites: list[Sprite] = []
    clips: list[Windows] = []
    lines: list[WorkLine] = []
    passed_over: dict[str, int] = {}
    if gate.contradicted:
        passed_over["the same bytes stand in a row that is not cleared"] = gate.contradicted
    seen: set[str] = set()
    for at, item in enumerate(gate.items, 1):
        progress("reading works", at, len(gate.items))
        record = tables.get((item.item, item.sha256), {})
        made: Sprite | Windows | str = "the same work stands in another row"
        if item.sha256 not in seen:
            made = _made(item, record, nouns, kept, size)
        if isinstance(made, str):
            passed_over[made] = passed_over.get(made, 0) + 1
            continue
        seen.add(item.sha256)
        lines.append(_line(item, record, made))
        if isinstance(made, Sprite):
            sprites.append(made)
        else:
            clips.append(made)
    if not lines:
        raise RefusedError(
            f"none of {len(gate.items)} cleared works can be learned from: {passed_over}",
            hint="name nouns that the works show, or check their table (docs/training.md)",
        )
    return Works(tuple(sprites), tuple(clips), tuple(lines), passed_over)


def alone_count(settings: Mapping[str, Any], batch: int) -> int:
    """Return how many samples show one actor, before several stand together.

    ``settings`` are those of a run, as they are or as its signed plan and record write them.
    """
    return int(float(settings.get("alone_part", 0)) * int(settings["steps"])) * batch


def sample_source(
    works: Works, seed: int, *, alone_count: int = 0, size: ClipSize = HOUSE_CLIPS
) -> SampleSource:
    """Return what a run with this seed is shown: scenes, windows of clips, or both by turns.

    The first ``alone_count`` scenes show one actor.
    """
    stage = Stage.of(works.sprites) if works.sprites else None
    scenes = SceneSamples(stage, seed, alone_count, size) if stage else None
    windows = WindowSamples(works.clips, seed) if works.clips else None
    if scenes and windows:
        return MixedSamples(scenes, windows)
    found = scenes or windows
    if found is None:
        raise InputError("expected works to learn from, got none")
    return found


def _made(
    item: ClearedItem,
    record: Mapping[str, Any],
    nouns: Collection[str] | None,
    kept: Kept,
    size: ClipSize,
) -> Sprite | Windows | str:
    """Return what a model may learn of a work, or why it learns nothing of it."""
    is_clip = record.get("type") == CLIPS_TYPE
    if not is_clip and Path(item.item).suffix.lower() != ".svg":
        return "neither a drawing nor a clip with a caption"
    raw = item.read()
    try:
        if is_clip:
            return _clip(item, raw, record, kept, size)
        made = _sprite(item, raw, record, kept)
    except UndecodableError as error:
        return f"cannot be read: {error.message}"[:120]
    if isinstance(made, LeftOut):
        return str(made.reason)
    if isinstance(made, Sprite) and nouns is not None and made.noun not in nouns:
        return "another noun than asked for"
    return made


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
                found.setdefault(
                    (str(record.get("path", "")), str(record.get("sha256", ""))), record
                )
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


def _line(item: ClearedItem, record: Mapping[str, Any], made: Sprite | Windows) -> WorkLine:
    texts = {key: _text(record, key) for key in ("title", "owner", "licence", "source")}
    if isinstance(made, Sprite):
        texts |= {"title": made.title, "owner": made.owner, "licence": made.licence}
    return WorkLine(
        work=item.sha256,
        row=item.row,
        item=item.item,
        use="sprite" if isinstance(made, Sprite) else "clip",
        noun=made.noun if isinstance(made, Sprite) else "",
        **texts,
    )


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _sprite(
    item: ClearedItem, raw: bytes, record: Mapping[str, Any], kept: Kept
) -> Sprite | LeftOut:
    """Return the sprite of a drawing.

    Where its table gives noun and kind, these say what it shows; else the rule of `subjects`
    reads the drawing's own title, keywords and paths.
    """
    given = record.get("paths")
    paths = tuple(map(str, given)) if isinstance(given, list) and given else (item.item,)
    if not (record.get("noun") and record.get("kind")):
        described = json.dumps(paths)
        return kept.sprite(
            item.sha256,
            described,
            lambda: bounded(partial(sprite_of, raw, work=item.sha256, paths=paths), DRAWING_GUARD),
        )
    keys = ("title", "owner", "licence", "stated_licence", "noun", "kind", "faces")
    described = json.dumps([record.get(key) for key in keys])
    make = partial(_described, item, raw, record)
    return kept.sprite(item.sha256, described, lambda: bounded(make, DRAWING_GUARD))


def _described(item: ClearedItem, raw: bytes, record: Mapping[str, Any]) -> Sprite:
    try:
        kind, faces = Kind(record["kind"]), int(record.get("faces") or 0)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{item.item}: {error}", hint=f"kinds are {', '.join(Kind)}; faces -1, 0 or 1"
        ) from error
    return cut(
        raw,
        work=item.sha256,
        title=_text(record, "title"),
        owner=_text(record, "owner"),
        licence=_text(record, "licence") or _text(record, "stated_licence"),
        noun=_text(record, "noun"),
        kind=kind,
        faces=max(-1, min(1, faces)),
    )


def _clip(
    item: ClearedItem, raw: bytes, record: Mapping[str, Any], kept: Kept, size: ClipSize
) -> Windows:
    """Return the windows of a real clip."""
    entry = parse_clip(json.dumps(record).encode(), item.row + 1)

    def windows() -> Pixels:
        with TemporaryDirectory(prefix="tercet-") as folder:
            path = Path(folder, "clip")
            path.write_bytes(raw)  # what is decoded is what was compared
            return clip_windows(
                path,
                start_s=entry.start_s,
                end_s=entry.end_s,
                side_px=size.side_px,
                frame_count=size.frame_count,
            )

    part = f"{entry.start_s:g}-{entry.end_s:g}"
    pixels = kept.large_windows(item.sha256, part, size, windows)
    return Windows(item.sha256, entry.owner, entry.caption, pixels)
