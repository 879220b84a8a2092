"""Evidence from local media: what files and their sidecars declare, in an evidence directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.corpora import Corpus, Member
from tercet.consent.failures import Failure
from tercet.consent.media.packets import extract
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.core.limits import (
    DECLARATION_FILE_BYTES_MAX,
    MEDIA_FILE_BYTES_MAX,
    MEDIA_FILE_MEMORY_BYTES_MAX,
    MEDIA_FILE_SECONDS_MAX,
)
from tercet.flows.guarded_pool import Guard
from tercet.flows.member_evidence import MemberReader, gather_from_media


def gather_local_evidence(
    corpus: Corpus,
    folder: Path,
    *,
    now: str,
    workers: int,
    progress: Callable[[int, int], None],
) -> list[Path]:
    """Read what all media of ``corpus`` declare; return the evidence directory, or none."""
    guard = Guard(MEDIA_FILE_SECONDS_MAX, MEDIA_FILE_MEMORY_BYTES_MAX)
    reader = MemberReader(capture_member, guard, Resource.METADATA, Carrier.EMBEDDED)
    return gather_from_media(corpus, folder, reader, now=now, workers=workers, progress=progress)


def capture_member(member: Member) -> list[Captured]:
    """Return everything captured from one media file and its sidecars; at least one capture."""
    sidecars = (_from_sidecar(member, place) for place in member.sidecars)
    return _without_copies([*_from_media(member), *sidecars])


def _without_copies(captured: list[Captured]) -> list[Captured]:
    """Leave out the same bytes found twice in one file: they declare the same."""
    first: dict[tuple[object, ...], Captured] = {}
    for capture, raw in captured:
        place = (capture.resource, capture.carrier, capture.uri, capture.raw_sha256)
        first.setdefault((*place, capture.failure) if raw else (*place, capture), (capture, raw))
    return list(first.values())


def _from_media(member: Member) -> Iterator[Captured]:
    base = Capture(Resource.METADATA, Carrier.EMBEDDED, item=member.item, uri=member.item)
    try:
        raw = _read(member.path, member.offset, min(member.size, MEDIA_FILE_BYTES_MAX))
    except OSError as error:
        note = f"cannot read: {error.strerror or error}"
        yield capture_of(replace(base, failure=Failure.UNREACHABLE, note=note), None)
        return
    extraction = extract(raw, member.item)
    faults = list(extraction.faults)
    if member.size > MEDIA_FILE_BYTES_MAX:
        faults.append(f"only the first {MEDIA_FILE_BYTES_MAX} bytes were read")
    for packet in extraction.packets:
        found = replace(
            base, resource=packet.resource, media_type=packet.media_type, note=packet.member
        )
        yield capture_of(found, packet.raw)
    failure = Failure.PARSE_ERROR if faults else None
    note = "; ".join([*faults, *extraction.notes])
    yield capture_of(
        replace(base, media_type=extraction.media_type, failure=failure, note=note), None
    )


def _from_sidecar(member: Member, place: str) -> Captured:
    path, offset, size = _sidecar_place(place)
    suffix = path.rpartition(".")[2].lower()
    resource = Resource.DECLARATION_JSON if suffix == "json" else Resource.XMP
    base = Capture(resource, Carrier.SIDECAR, item=member.item, uri=Path(path).name)
    try:
        raw = _read(path, offset, DECLARATION_FILE_BYTES_MAX + 1 if size is None else size)
    except OSError as error:
        note = f"cannot read: {error.strerror or error}"
        return capture_of(replace(base, failure=Failure.UNREACHABLE, note=note), None)
    if len(raw) > DECLARATION_FILE_BYTES_MAX:
        return capture_of(replace(base, failure=Failure.OVERSIZE), None)
    return capture_of(base, raw)


def _sidecar_place(place: str) -> tuple[str, int, int | None]:
    """Return (path, offset, size): "path:offset:size" for members of an archive, else a path."""
    head, _, size = place.rpartition(":")
    path, _, offset = head.rpartition(":")
    if path and offset.isdigit() and size.isdigit():
        return path, int(offset), int(size)
    return place, 0, None


def _read(path: str, offset: int, size: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)
