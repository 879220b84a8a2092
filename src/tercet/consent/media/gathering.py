"""What extraction yields, and the bounded basket every container reader puts its finds into."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from tercet.consent.media import xmp
from tercet.consent.signal import Resource
from tercet.core.canonical import canonical_json
from tercet.core.limits import METADATA_BYTES_MAX

PACKETS_MAX = 64  # from one file
FIELD_TEXT_MAX = 16 * 1024  # characters of one metadata field that are kept
FIELDS_MAX = 256  # rights fields of one container that are kept
_INFLATE_STEP_BYTES = 64 * 1024

_RIGHTS_WORDS = (
    "copyright", "licen", "rights", "datamining", "data-mining", "data mining", "usageterms",
    "usage terms", "webstatement", "disclaimer", "author", "artist", "creator", "credit",
    "tdm", "rsl", "cprt", "©cpy", "contact", "xmp:", "plus:",
)  # fmt: skip
_RIGHTS_NAMES = ("user", "tcop", "wcop")  # whole names of ID3 frames
_RIGHTS_VALUES = ("dmi-", "tdm-reservation", "creativecommons.org", "useplus.org")


@dataclass(frozen=True, slots=True)
class Packet:
    """One block of rights metadata found in a file.

    ``raw`` is what a signal reader gets; ``byte_start`` and ``byte_end`` are the half-open range
    it takes up in the file (for compressed or scattered packets the range of the carrier);
    ``member`` says which part of the container it is.
    """

    resource: Resource
    raw: bytes
    byte_start: int
    byte_end: int
    member: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """All packets of one file.

    ``faults`` say what could not be read, so that something may have been missed ("truncated:
    ..." where the bytes end too early); ``notes`` are harmless oddities. ``media_type`` is what
    the bytes are, "" when unknown.
    """

    packets: tuple[Packet, ...]
    faults: tuple[str, ...]
    media_type: str
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Gathering:
    """The basket: counts packets and bytes, and refuses more than the limits allow."""

    raw: bytes
    packets: list[Packet] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    bytes_left: int = METADATA_BYTES_MAX
    inflated_left: int = METADATA_BYTES_MAX  # one budget a file, so many small bombs add up
    notes: list[str] = field(default_factory=list)
    has_c2pa: bool | None = None  # set by readers that see every place a manifest can stand in

    def fault(self, text: str) -> None:
        """Record once that ``text`` could not be read."""
        if text not in self.faults and len(self.faults) < PACKETS_MAX:
            self.faults.append(text)

    def note(self, text: str) -> None:
        """Record once an oddity that cannot hide a permission statement."""
        if text not in self.notes and len(self.notes) < PACKETS_MAX:
            self.notes.append(text)

    def add(
        self,
        resource: Resource,
        raw: bytes,
        span: tuple[int, int],
        member: str,
        media_type: str = "application/rdf+xml",
    ) -> None:
        """Keep a packet, unless the limits are reached."""
        if len(self.packets) >= PACKETS_MAX or len(raw) > self.bytes_left:
            self.fault("more metadata than the limit")
            return
        self.bytes_left -= len(raw)
        self.packets.append(Packet(resource, raw, *span, member, media_type))

    def xmp(self, raw: bytes, span: tuple[int, int], member: str) -> None:
        """Keep an XMP packet without the NUL padding some writers add."""
        self.add(Resource.XMP, xmp.trim(raw), span, member)

    def inflate(self, raw: bytes, member: str, *, wbits: int = zlib.MAX_WBITS) -> bytes:
        """Return what ``raw`` inflates to, as far as the budget of the file goes."""
        stream = zlib.decompressobj(wbits)
        parts: list[bytes] = []
        rest = raw
        try:
            while not stream.eof and self.inflated_left > 0:
                step = stream.decompress(rest, min(_INFLATE_STEP_BYTES, self.inflated_left))
                rest = stream.unconsumed_tail
                if not step and not rest:
                    break
                parts.append(step)
                self.inflated_left -= len(step)
        except zlib.error:
            self.fault(f"{member}: broken compressed data")
            return b"".join(parts)
        if not stream.eof:
            beyond = self.inflated_left <= 0
            self.fault(f"{member}: inflates beyond the limit" if beyond else f"truncated: {member}")
        return b"".join(parts)

    def metadata(
        self, container: str, fields: list[tuple[str, str]], span: tuple[int, int], member: str
    ) -> None:
        """Keep the fields that speak of rights as canonical JSON objects of text values.

        A field that occurs again with another value goes into a further packet.
        """
        objects: list[dict[str, str]] = []
        seen: set[tuple[str, str]] = set()
        for name, value in fields:
            if len(seen) >= FIELDS_MAX:
                self.fault(f"more than {FIELDS_MAX} rights fields in {container}")
                break
            pair = (_plain(name)[:200], _plain(value)[:FIELD_TEXT_MAX])
            if pair[0] == "container" or pair in seen or not _speaks_of_rights(*pair):
                continue
            seen.add(pair)
            free = next((item for item in objects if pair[0] not in item), None)
            if free is None:
                free = {"container": container}
                objects.append(free)
            free[pair[0]] = pair[1]
        for item in objects:
            self.add(Resource.METADATA, canonical_json(item), span, member, "application/json")


def decode_text(raw: bytes) -> str:
    """Return ``raw`` as UTF-8, or as Latin-1 where it is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _plain(text: str) -> str:
    """Drop NULs and lone surrogates, which no JSON document may hold."""
    clean = text.replace("\x00", "").strip()
    return clean.encode("utf-8", "replace").decode("utf-8")


def _speaks_of_rights(name: str, value: str) -> bool:
    low = name.casefold()
    if not value:
        return "dmi-" in low  # a bare PLUS value as the name of an empty field
    if low in _RIGHTS_NAMES or any(word in low for word in _RIGHTS_WORDS):
        return True
    low = value.casefold()
    return any(word in low for word in _RIGHTS_VALUES)
