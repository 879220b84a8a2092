"""PDF: the catalog's XMP stream and the information dictionary.

The cross-reference table is not trusted: objects are found by their own headers, the last
definition holds (as in incremental updates), and compressed object streams are opened within the
file's inflation budget. So broken, truncated and looping files read the same way as sound ones.

Source: ISO 32000-2 sections 7.5 (file structure), 7.6 (encryption), 14.3 (metadata).
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field

from tercet.consent.media.gathering import Gathering
from tercet.consent.media.pdf_crypt import Cipher, unlock
from tercet.consent.media.pdf_objects import (
    BrokenObjectError,
    ObjectReader,
    PdfName,
    Reference,
    text,
)

MAGIC = b"%PDF-"
_OBJECT = re.compile(rb"(?<!\d)(\d{1,10})[\x00\t\n\x0c\r ]{1,4}\d{1,5}[\x00\t\n\x0c\r ]{1,4}obj\b")
_LENGTH = re.compile(rb"/Length[\x00\t\n\x0c\r ]{1,4}(\d{1,12})(?![\d\x00\t\n\x0c\r ]{1,16}R)")
_HEAD_BYTES = 512  # of an object, looked at for what kind of stream it is
_OBJECTS_MAX = 2_000_000
_OBJECT_STREAMS_MAX = 1_000
_TRAILERS_MAX = 64
_LOOKUP_DEPTH_MAX = 8
_METADATA = "pdf metadata"
_TRAILER_KEYS = ("Root", "Info", "Encrypt", "ID")
_OWNER = re.compile(rb"(\d{1,10})[\x00\t\n\x0c\r ]{1,4}(\d{1,5})[\x00\t\n\x0c\r ]{1,4}obj\Z")


@dataclass(slots=True)
class _File:
    """Where objects are: in the file by offset, or in an inflated object stream."""

    gathering: Gathering
    offsets: dict[int, int]
    inflated: list[tuple[int, bytes, dict[int, int]]] = field(default_factory=list)
    streams: list[int] = field(default_factory=list)  # object streams not opened yet
    cipher: Cipher | None = None

    def get(self, value: object) -> object:
        """Follow references to the object they mean; None where there is none."""
        for _ in range(_LOOKUP_DEPTH_MAX):
            if not isinstance(value, Reference):
                return value
            value = self._load(value.number)
        return None

    def _load(self, number: int) -> object:
        """Return the newest definition: object streams further down than a plain one count."""
        plain = self.offsets.get(number, -1)
        while True:
            for at, block, places in self.inflated:
                if number in places and at > plain:
                    return _read_at(block, places[number])
            if not self.streams or self.streams[-1] < plain:
                return _read_at(self.gathering.raw, plain) if plain >= 0 else None
            self._open(self.streams.pop())

    def _open(self, at: int) -> None:
        """Inflate one object stream and note what it holds."""
        header, content, _ = self.stream(at, "pdf object stream")
        first, count = header.get("First"), header.get("N")
        if not isinstance(first, int) or not isinstance(count, int):
            return
        numbers = [int(n) for n in content[:first].split()[: 2 * count] if n.isdigit()]
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        self.inflated.append((at, content, {number: first + place for number, place in pairs}))

    def stream(self, at: int, member: str) -> tuple[dict[str, object], bytes, tuple[int, int]]:
        """Return a stream's dictionary, its decoded bytes and where they stand in the file."""
        raw = self.gathering.raw
        reader = ObjectReader(raw, at)
        try:
            header = reader.read()
        except BrokenObjectError:
            return {}, b"", (at, at)
        start = raw.find(b"stream", reader.at, reader.at + 64)
        if not isinstance(header, dict) or start < 0:
            return {}, b"", (at, at)
        start += 6
        start += 2 if raw[start : start + 2] == b"\r\n" else raw[start : start + 1] == b"\n"
        length = header.get("Length")
        if isinstance(length, Reference):
            place = self.offsets.get(length.number)
            length = _read_at(raw, place) if place is not None else None
        end = start + length if isinstance(length, int) else -1
        if end < 0 or raw[end : end + 2].strip() not in (b"", b"e", b"en"):
            end = raw.find(b"endstream", start)
        if end < 0 or end > len(raw):
            self.gathering.fault(f"truncated: {member}")
            end = len(raw)
        content = raw[start:end]
        if self.cipher is not None and (self.cipher.metadata or member != _METADATA):
            content = self.decrypted(content, at)
        return header, self._decoded(header, content, member), (start, end)

    def decrypted(self, content: bytes, at: int) -> bytes:
        """Return ``content`` of the object that begins at ``at`` in the clear."""
        owner = _OWNER.search(self.gathering.raw[max(0, at - 40) : at])
        if self.cipher is None or owner is None:
            return content
        return self.cipher.decrypt(content, int(owner.group(1)), int(owner.group(2)))

    def _decoded(self, header: dict[str, object], content: bytes, member: str) -> bytes:
        filters = header.get("Filter")
        names = filters if isinstance(filters, list) else [filters] if filters else []
        for name in names[:4]:
            if name in (PdfName("FlateDecode"), PdfName("Fl")):
                content = self.gathering.inflate(content, member)
            elif name != PdfName("Crypt"):
                self.gathering.fault(f"{member}: filter {text(name)[:20]} is not read")
                return b""
        return content


def _read_at(raw: bytes, at: int) -> object:
    try:
        return ObjectReader(raw, at).read()
    except BrokenObjectError:
        return None


@dataclass(slots=True)
class _Map:
    """Where things are, as the objects' own headers tell."""

    offsets: dict[int, int] = field(default_factory=dict)
    streams: list[int] = field(default_factory=list)  # object streams
    trailers: list[int] = field(default_factory=list)  # cross-reference streams
    ends: list[int] = field(default_factory=list)  # stream contents: ends, ascending
    starts: list[int] = field(default_factory=list)  # and where each begins

    def inside_stream(self, at: int) -> bool:
        """Whether ``at`` lies inside a stream: what looks like an object there is content."""
        index = bisect.bisect_right(self.ends, at)
        return index < len(self.ends) and self.starts[index] <= at


def _survey(gathering: Gathering) -> _Map:
    """Find every object; those inside the content of a stream (an attached PDF) are no objects."""
    raw = gathering.raw
    found = _Map()
    for count, match in enumerate(_OBJECT.finditer(raw)):
        if count >= _OBJECTS_MAX:
            gathering.fault("pdf: more objects than the limit")
            break
        at = match.end()
        if found.ends and match.start() < found.ends[-1]:
            continue
        found.offsets[int(match.group(1))] = at
        head, mark, _ = raw[at : at + _HEAD_BYTES].partition(b"stream")
        if not mark or b"endobj" in head:
            continue
        if b"/ObjStm" in head:
            found.streams.append(at)
        elif b"/XRef" in head:
            found.trailers.append(at)
        length = _LENGTH.search(head)
        start = at + len(head) + len(mark)
        end = start + int(length.group(1)) if length else 0
        if length and raw.find(b"endstream", end, end + 16) >= 0:
            found.starts.append(start)
            found.ends.append(end)
    return found


def read(gathering: Gathering) -> None:
    """Find the newest trailer, then the catalog's metadata and the information dictionary."""
    raw = gathering.raw
    found = _survey(gathering)
    if b"%%EOF" not in raw[-2048:]:
        gathering.fault("truncated: pdf without its end")
    file = _File(gathering, found.offsets, streams=found.streams[-_OBJECT_STREAMS_MAX:])
    trailer = _trailer(raw, found)
    locked = False
    if "Encrypt" in trailer:
        ids = file.get(trailer.get("ID"))
        first = ids[0] if isinstance(ids, list) and ids else b""
        encrypt = file.get(trailer["Encrypt"])
        file.cipher = unlock(encrypt, first if isinstance(first, bytes) else b"")
        locked = file.cipher is None
    _read_metadata(file, trailer, locked)
    if not locked:
        _read_information(file, trailer.get("Info"))


def _read_information(file: _File, lead: object) -> None:
    info = file.get(lead)
    if not isinstance(info, dict):
        return
    # Strings of an object of its own are encrypted one by one; in an object stream they are not.
    at = file.offsets.get(lead.number) if isinstance(lead, Reference) else None
    fields = []
    for name, value in info.items():
        said = file.get(value)
        if at is not None and isinstance(said, bytes):
            said = file.decrypted(said, at)
        fields.append((name, text(said)))
    file.gathering.metadata("pdf", fields, (0, len(file.gathering.raw)), "Info")


def _trailer(raw: bytes, found: _Map) -> dict[str, object]:
    """Return the entries of all trailers, the ones further down in the file winning."""
    places = found.trailers[-_TRAILERS_MAX:]
    at = len(raw)
    for _ in range(_TRAILERS_MAX):
        at = raw.rfind(b"trailer", 0, at)
        if at < 0:
            break
        if not found.inside_stream(at):
            places.append(at + 7)
    merged: dict[str, object] = {}
    for place in sorted(places):
        entries = _read_at(raw, place)
        if isinstance(entries, dict):
            merged |= {k: v for k, v in entries.items() if k in _TRAILER_KEYS}
    return merged


def _read_metadata(file: _File, trailer: dict[str, object], locked: bool) -> None:
    catalog = file.get(trailer.get("Root"))
    if not isinstance(catalog, dict):
        file.gathering.fault("pdf: encrypted" if locked else "pdf: no catalog")
        return
    lead = catalog.get("Metadata")
    at = file.offsets.get(lead.number) if isinstance(lead, Reference) else None
    if at is None:
        if lead is not None:
            file.gathering.fault("pdf: metadata stream not found")
        return
    faults = len(file.gathering.faults)
    _, content, span = file.stream(at, _METADATA)
    if locked and not any(mark in content for mark in (b"<rdf:RDF", b"xmpmeta", b"xpacket")):
        del file.gathering.faults[faults:]  # ciphertext is no broken stream, it is ciphertext
        file.gathering.fault("pdf: encrypted metadata")
    elif not content:
        file.gathering.fault("pdf: metadata stream without content")
    else:
        file.gathering.xmp(content, span, "catalog Metadata")
