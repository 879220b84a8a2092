"""TIFF and its kin (DNG, most camera raw files, Exif blocks): XMP, IPTC and copyright tags.

Sources: TIFF 6.0 sections 2 and 8; BigTIFF; XMP Specification Part 3 (tag 700).
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tercet.consent.media import irb
from tercet.consent.media.gathering import Gathering, decode_text

_XMP, _IPTC, _PHOTOSHOP, _COPYRIGHT, _ARTIST = 700, 33723, 34377, 33432, 315
_DESCRIPTION, _USER_COMMENT = 270, 0x9286
_LEADS = frozenset({330, 34665})  # SubIFDs, Exif: directories further down
_TEXTS = {
    _COPYRIGHT: "Copyright",
    _ARTIST: "Artist",
    _DESCRIPTION: "ImageDescription",
    _USER_COMMENT: "UserComment",
}
_WANTED = frozenset({_XMP, _IPTC, _PHOTOSHOP, *_TEXTS})
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8,
               13: 4, 16: 8, 17: 8, 18: 8}  # fmt: skip
_IFDS_MAX = 10_000  # pages, their previews
_ENTRIES_MAX = 200_000  # of all directories together
_OFFSETS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class _Form:
    """How numbers are written: byte order, and the widths of TIFF or BigTIFF."""

    order: str
    big: bool

    def number(self, raw: bytes, at: int, letter: str) -> int | None:
        form = self.order + letter
        if at < 0 or at + struct.calcsize(form) > len(raw):
            return None
        return int(struct.unpack_from(form, raw, at)[0])

    @property
    def offset(self) -> str:
        return "Q" if self.big else "I"


def read(gathering: Gathering) -> None:
    """Read a whole TIFF file."""
    read_block(gathering, gathering.raw, 0, "IFD")


def read_block(gathering: Gathering, block: bytes, base: int, member: str) -> None:
    """Read a TIFF structure that starts ``base`` bytes into the file."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    whole = member == "IFD"
    # An Exif block holds a credit line, no permission: a broken one hides nothing that decides.
    problem = gathering.fault if whole else gathering.note
    if order is None or len(block) < 8:
        problem(f"tiff: broken header in {member}")
        return
    big = int(struct.unpack_from(order + "H", block, 2)[0]) == 43
    tree = _Tree(gathering, block, base, member, _Form(order, big), problem)
    tree.walk(tree.form.number(block, 8 if big else 4, tree.form.offset) or 0)
    container = "tiff" if whole else "exif"
    gathering.metadata(container, tree.fields, (base, base + len(block)), member)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The directories of one TIFF structure."""

    gathering: Gathering
    block: bytes
    base: int
    member: str
    form: _Form
    problem: Callable[[str], None]
    fields: list[tuple[str, str]] = field(default_factory=list)
    left: list[int] = field(default_factory=lambda: [_ENTRIES_MAX])  # entries still to look at

    def walk(self, first: int) -> None:
        """Visit every directory once. A loop leads to nothing new, so nothing is missed by it."""
        queue, seen = deque([first]), {0}
        while queue:
            at = queue.popleft()
            if at in seen:
                continue
            if len(seen) > _IFDS_MAX or self.left[0] <= 0:
                self.problem("tiff: more directories than the limit")
                return
            seen.add(at)
            queue += self._directory(at)

    def _directory(self, at: int) -> list[int]:
        """Read one directory; return the offsets of the directories it leads to."""
        form, block = self.form, self.block
        count = form.number(block, at, "Q" if form.big else "H")
        if count is None:
            self.problem("truncated: tiff directory")
            return []
        if count > self.left[0]:
            self.problem("tiff: more directory entries than the limit")
            count = self.left[0]
        self.left[0] -= count
        at += 8 if form.big else 2
        width = 20 if form.big else 12
        leads: list[int] = []
        for entry in range(at, at + count * width, width):
            tag = form.number(block, entry, "H")
            if tag is None or entry + width > len(block):
                self.problem("truncated: tiff directory")
                return leads
            if tag in _WANTED or tag in _LEADS:
                leads += self._entry(tag, entry)
        if self.member != "IFD":
            return leads  # the next directory of an Exif block is its thumbnail's
        return [*leads, form.number(block, at + count * width, form.offset) or 0]

    def _entry(self, tag: int, entry: int) -> list[int]:
        form, block = self.form, self.block
        kind = form.number(block, entry + 2, "H") or 0
        number = form.number(block, entry + 4, form.offset) or 0
        size = number * _TYPE_BYTES.get(kind, 1)
        where, room = (entry + 12, 8) if form.big else (entry + 8, 4)
        start = where if size <= room else form.number(block, where, form.offset) or 0
        if tag in _LEADS:
            step = struct.calcsize(form.offset)
            places = range(start, start + min(number, _OFFSETS_MAX) * step, step)
            return [form.number(block, place, form.offset) or 0 for place in places]
        if start + size > len(block):
            self.problem("truncated: tiff value")
        end = min(start + size, len(block))
        self._value(tag, block[start:end], (self.base + start, self.base + max(start, end)))
        return []

    def _value(self, tag: int, value: bytes, span: tuple[int, int]) -> None:
        if tag == _XMP:
            self.gathering.xmp(value, span, f"{self.member} tag 700")
        elif tag == _PHOTOSHOP:
            irb.read(self.gathering, value, span, problem=self.gathering.note)
        elif tag == _IPTC:
            fields = irb.iim_fields(value)
            self.gathering.metadata("iptc", fields, span, f"{self.member} IPTC")
        elif tag in _TEXTS:
            text = value[8:] if tag == _USER_COMMENT else value
            self.fields.append((_TEXTS[tag], decode_text(text)))
