"""Both sides of a match, drawn for people: the item on the left, the registered work on the right.

Drawing decodes media that strangers made, so it runs in a child like fingerprinting does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from io import BufferedReader
from typing import Any, BinaryIO

from tercet.consent.fingerprints.fingerprint import Array, UndecodableError
from tercet.consent.fingerprints.media_type import medium_of
from tercet.consent.fingerprints.moving_pictures import PICTURE_KINDS, as_video
from tercet.consent.fingerprints.stills import duration_s, frames_at
from tercet.consent.registry.match_document import Document, MatchedWork
from tercet.core.limits import MEDIA_FILE_BYTES_MAX
from tercet.core.work import Medium
from tercet.flows.fingerprinting import MediaPlace, opened_media
from tercet.flows.match_drawing_pictures import decoded, picture
from tercet.flows.match_drawing_text import missing, passages
from tercet.flows.match_drawing_time import peaks, strip, time_bar
from tercet.flows.match_words import clock
from tercet.flows.report_markup import Markup, element, join

MOMENTS_MAX = 3
PASSAGES_MAX = 4

_GONE = "The registered file is not where it was, or was changed"
Ranges = list[tuple[float, float]]
Regions = Sequence[tuple[Document, Document]]


@dataclass(frozen=True, slots=True)
class WorkMedia:
    """What can be shown of a work: the file it was registered from, and the preview kept of it."""

    path: str
    size: int
    sha256: str
    medium: Medium
    preview: bytes


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn: one work found in one item."""

    item: MediaPlace
    item_medium: Medium
    work: WorkMedia
    match: MatchedWork

    @property
    def size(self) -> int:
        """The bytes to be decoded, by which its time is limited."""
        return self.item.size + self.work.size


def draw(drawing: Drawing) -> Markup:
    """Return both sides of a match as a figure. Never raises for what media contain."""
    try:
        with opened_media(drawing.item) as item, _opened_work(drawing.work) as work:
            return _drawer(drawing)(drawing, item, work)
    except (OSError, UndecodableError) as error:
        return missing(f"It could not be drawn: {error}")


def _drawer(drawing: Drawing) -> Callable[[Drawing, BinaryIO, BinaryIO | None], Markup]:
    """Return how to draw it: by what was compared, else by what the item is."""
    compared = drawing.match.method.partition("-")[0]
    kind = Medium(compared) if compared in set(Medium) else drawing.item_medium
    return {
        Medium.IMAGE: _images,
        Medium.VIDEO: _videos,
        Medium.AUDIO: _sounds,
        Medium.TEXT: _texts,
    }[kind]


@contextmanager
def _opened_work(work: WorkMedia) -> Iterator[BufferedReader[Any] | None]:
    """Give the registered file where it still lies and is the same, else None."""
    try:
        with opened_media(MediaPlace(work.path, 0, work.size, "")) as file:
            same = file_digest(file, "sha256").hexdigest() == work.sha256
            yield file if same else None
    except OSError:
        yield None


def _sides(item: Markup, work: Markup, item_text: str, work_text: str) -> Markup:
    left = element("figure", element("figcaption", element("b", "Item"), item_text), item)
    right = element("figure", element("figcaption", element("b", "Work"), work_text), work)
    return element("div", left, right, class_="sides")


def _images(drawing: Drawing, item: BinaryIO, work: BinaryIO | None) -> Markup:
    regions = drawing.match.regions
    shown = _picture(item, [a.get("quad_per_mille", ()) for a, _ in regions], "the item")
    theirs = [b.get("quad_per_mille", ()) for _, b in regions]
    if work is not None:
        return _sides(shown, _picture(work, theirs, "the work"), "", "")
    preview = decoded(drawing.work.preview) if drawing.work.preview else None
    if preview is None:
        return _sides(shown, missing(f"{_GONE}, and no picture of it is kept."), "", "")
    kept = picture(preview, theirs, "the work, from the small picture that is kept of it")
    return _sides(shown, kept, "", ", as the registry keeps it")


def _picture(file: BinaryIO, quads: Sequence[Any], label: str) -> Markup:
    file.seek(0)
    pixels = decoded(file.read(MEDIA_FILE_BYTES_MAX))
    return (
        missing("This picture cannot be shown.")
        if pixels is None
        else picture(pixels, [quad for quad in quads if quad], label)
    )


def _videos(drawing: Drawing, item: BinaryIO, work: BinaryIO | None) -> Markup:
    regions = drawing.match.regions
    item, work = _shown_as_video(item), work and _shown_as_video(work)
    lengths = (duration_s(item), duration_s(work) if work else 0.0)
    moments = list(_moments(regions)) or [(lengths[0] / 2, lengths[1] / 2, (), ())]
    if work is None:
        moments = moments[:1]  # one picture is kept of the work, not one of each moment
    parts = [_moment(drawing, item, work, moment) for moment in moments]
    return join([*parts, _bars(regions, lengths)])


def _shown_as_video(file: BinaryIO) -> BinaryIO:
    return as_video(file) if medium_of(file).name in PICTURE_KINDS else file


def _moments(regions: Regions) -> Iterator[tuple[float, float, Any, Any]]:
    """Yield (seconds in the item, in the work, quad in either) worth looking at."""
    chosen = _spread(regions, MOMENTS_MAX)
    share_of = {1: (0.2, 0.5, 0.8), 2: (0.3, 0.7)}.get(len(chosen), (0.5,))
    for a, b in chosen:
        for share in share_of[: max(1, MOMENTS_MAX // len(chosen))]:
            mine, theirs = _range_s(a), _range_s(b)
            yield (
                mine[0] + share * (mine[1] - mine[0]),
                theirs[0] + share * (theirs[1] - theirs[0]),
                a.get("quad_per_mille", ()),
                b.get("quad_per_mille", ()),
            )


def _spread(regions: Regions, count: int) -> list[tuple[Document, Document]]:
    """Return ``count`` of the regions: the longest, in the order of the item's time."""
    longest = sorted(regions, key=lambda pair: _length(pair[0]), reverse=True)[:count]
    return sorted(longest, key=lambda pair: _range_s(pair[0]))


def _length(region: Document) -> float:
    start, end = _range_s(region)
    characters = region.get("end_character", 0) - region.get("start_character", 0)
    return max(end - start, float(characters))


def _range_s(region: Document) -> tuple[float, float]:
    start = region.get("start_ms", 0) / 1000
    return start, region.get("end_ms", region.get("start_ms", 0)) / 1000


def _moment(
    drawing: Drawing, item: BinaryIO, work: BinaryIO | None, moment: tuple[float, float, Any, Any]
) -> Markup:
    item_s, work_s, item_quad, work_quad = moment
    shown = _still(item, item_s, item_quad, f"the item at {clock(item_s)}")
    if work is not None:
        theirs = _still(work, work_s, work_quad, f"the work at {clock(work_s)}")
        return _sides(shown, theirs, f" at {clock(item_s)}", f" at {clock(work_s)}")
    preview = decoded(drawing.work.preview) if drawing.work.preview else None
    if preview is None:
        theirs = missing(f"{_GONE}, and no picture of it is kept.")
        return _sides(shown, theirs, f" at {clock(item_s)}", f" at {clock(work_s)}")
    theirs = picture(preview, (), "frames of the work that are kept of it")
    kept = f", frames from all of it, as the registry keeps them; found is {clock(work_s)}"
    return _sides(shown, theirs, f" at {clock(item_s)}", kept)


def _still(file: BinaryIO, time_s: float, quad: Any, label: str) -> Markup:
    frames: list[Array] = frames_at(file, [time_s]) or frames_at(file, [0.0])
    if not frames:
        return missing("This frame cannot be shown.")
    return picture(frames[0], [quad] if quad else [], label)


def _bars(regions: Regions, lengths: tuple[float, float]) -> Markup:
    mine, theirs = _ranges(regions, 0), _ranges(regions, 1)
    item_s = max([lengths[0], *(end for _, end in mine)])
    work_s = max([lengths[1], *(end for _, end in theirs)])
    return _sides(
        time_bar(mine, item_s, _said(mine, item_s)),
        time_bar(theirs, work_s, _said(theirs, work_s)),
        f", {clock(item_s)} long: {_listed(mine)}",
        _long(lengths[1], work_s, theirs),
    )


def _long(known_s: float, length_s: float, ranges: Ranges) -> str:
    """Say how long it is, where that is known, and what was found of it."""
    long = f"{clock(length_s)} long" if known_s else "of unknown length"
    return f", {long}: {_listed(ranges)}"


def _ranges(regions: Regions, side: int) -> Ranges:
    return sorted({_range_s(pair[side]) for pair in regions if "end_ms" in pair[side]})


def _listed(ranges: Ranges) -> str:
    shown = ", ".join(f"{clock(start)} to {clock(end)}" for start, end in ranges[:3])
    return shown + (f" and {len(ranges) - 3} more" if len(ranges) > 3 else "") or "all of it"


def _said(ranges: Ranges, length_s: float) -> str:
    return f"marked: {_listed(ranges)} of {clock(length_s)}"


def _sounds(drawing: Drawing, item: BinaryIO, work: BinaryIO | None) -> Markup:
    regions = drawing.match.regions
    item_s, work_s = duration_s(item), duration_s(work) if work else 0.0
    parts = [_strips(item, work, regions, (item_s, work_s))]
    for a, b in _spread(regions, 1):
        if "end_ms" in a and "end_ms" in b:
            parts.append(_closer(item, work, _range_s(a), _range_s(b)))
    return join(parts)


def _strips(
    item: BinaryIO, work: BinaryIO | None, regions: Regions, lengths: tuple[float, float]
) -> Markup:
    sides = []
    for file, side in ((item, 0), (work, 1)):
        ranges = _ranges(regions, side)
        length_s = max([lengths[side], 0.001, *(end for _, end in ranges)])
        levels = None if file is None else peaks(file, 0.0, length_s)
        said = _said(ranges, length_s)
        drawn = (
            time_bar(ranges, length_s, said)
            if levels is None
            else strip(levels, ranges, length_s, said)
        )
        text = _long(lengths[side], length_s, ranges)
        sides.append((drawn, text + ("" if file else f". {_GONE}")))
    return _sides(sides[0][0], sides[1][0], sides[0][1], sides[1][1])


def _closer(
    item: BinaryIO, work: BinaryIO | None, mine: tuple[float, float], theirs: tuple[float, float]
) -> Markup:
    """The longest stretch found, of both, as wide as the page: the same should look the same."""
    sides = []
    for file, (start, end) in ((item, mine), (work, theirs)):
        levels = None if file is None else peaks(file, start, end)
        label = f"sound from {clock(start)} to {clock(end)}"
        sides.append(
            missing("It cannot be drawn.")
            if levels is None
            else strip(levels, (), end - start, label)
        )
    return _sides(
        sides[0],
        sides[1],
        f" from {clock(mine[0])} to {clock(mine[1])}, enlarged",
        f" from {clock(theirs[0])} to {clock(theirs[1])}, enlarged",
    )


def _texts(drawing: Drawing, item: BinaryIO, work: BinaryIO | None) -> Markup:
    mine = _text(item, drawing.item.name)
    theirs = "" if work is None else _text(work, drawing.work.path)
    parts = []
    for a, b in _spread(drawing.match.regions, PASSAGES_MAX) or [({}, {})]:
        item_span, work_span = _span(a, mine), _span(b, theirs)
        left, right = passages(mine, item_span, theirs, work_span)
        if not theirs:
            right = missing(f"{_GONE}; the registry keeps no copy of texts.")
        parts.append(_sides(left, right, _characters(item_span), _characters(work_span)))
    return join(parts)


def _text(file: BinaryIO, name: str) -> str:
    from tercet.consent.fingerprints.documents import text_of

    file.seek(0)
    return text_of(file.read(MEDIA_FILE_BYTES_MAX), name)


def _span(region: Document, text: str) -> tuple[int, int]:
    return region.get("start_character", 0), region.get("end_character", len(text))


def _characters(span: tuple[int, int]) -> str:
    return f", characters {span[0]:,} to {span[1]:,}"
