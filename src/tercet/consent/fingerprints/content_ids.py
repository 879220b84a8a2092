"""Content ids: SHA-256 for equality, ISCC (ISO 24138:2024) for interchange with others.

An ISCC names a file by units: one for its content (text or image), one for its bytes by likeness
(Data-Code) and one for its bytes exactly (Instance-Code, a BLAKE3 digest). It is how others name
works, not how works are found here. Source: ISO 24138:2024; iscc-lib computes the units.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import iscc_lib

_CHUNK_BYTES = 1 << 20
UNIT_BITS = 256
LIKE_SHARE_MAX = 0.125
"""Share of bits in which units of like content differ: 8 of 64. Of two unrelated contents with
independent bits one pair in 3.6e9 is as near; ISCC's own search default (0.25) is reached by one
in 25,000."""
_BARE_BITS_MIN = 8  # as iscc-sdk: a 64-bit Image-Code with fewer ones is of a featureless image
_COMPARED = ("content", "data", "instance")

UnitKey = tuple[int, int, int]  # main type, sub type, version


@dataclass(frozen=True, slots=True)
class ContentIds:
    """The ids of one file.

    ``iscc`` is the ISCC-CODE ("ISCC:K..."), ``units`` are the 256-bit units it is made of, each
    with "ISCC:" before it: content first where there is one, then data, then instance.
    """

    sha256: str
    size_bytes: int
    iscc: str
    units: tuple[str, ...]


def content_ids(file: BinaryIO, content_unit: str = "") -> ContentIds:
    """Read ``file`` once from its start and return its ids.

    ``content_unit`` is the Text-Code or Image-Code of what it holds, "" for none: then the ISCC
    consists of Data-Code and Instance-Code (ISO 24138 calls it an ISCC-SUM).
    """
    file.seek(0)
    sha256, size = hashlib.sha256(), 0
    data, instance = iscc_lib.DataHasher(), iscc_lib.InstanceHasher()
    while chunk := file.read(_CHUNK_BYTES):
        size += len(chunk)
        for hasher in (sha256, data, instance):
            hasher.update(chunk)
    units = [data.finalize(UNIT_BITS)["iscc"], instance.finalize(UNIT_BITS)["iscc"]]
    if content_unit:
        units.insert(0, content_unit)
    return ContentIds(
        sha256.hexdigest(), size, iscc_lib.gen_iscc_code_v0(units)["iscc"], tuple(units)
    )


def text_unit(text: str) -> str:
    """Return the 256-bit Text-Code of a text; "" for a text without a word."""
    cleaned = iscc_lib.text_clean(text)
    if not iscc_lib.text_collapse(cleaned):
        return ""
    return str(iscc_lib.gen_text_code_v0(cleaned, UNIT_BITS)["iscc"])


def image_unit(pixels: bytes) -> str:
    """Return the 256-bit Image-Code of 32 x 32 grey pixels (see content_ids_image.py)."""
    return str(iscc_lib.gen_image_code_v0(pixels, UNIT_BITS)["iscc"])


@dataclass(frozen=True, slots=True)
class IsccLikeness:
    """How an ISCC that somebody declared stands to a file's own.

    ``distances`` gives for each unit that both have ("content", "data", "instance") the bits in
    which they differ and the bits compared.
    """

    distances: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_same(self) -> bool:
        """Whether the Instance-Codes agree in 64 bits or more: the very same bytes."""
        differing, compared = self.distances.get("instance", (1, 0))
        return differing == 0 and compared >= 64

    @property
    def is_like(self) -> bool:
        """Whether the bytes are the same, or the content is near enough to be the same work."""
        differing, compared = self.distances.get("content", (1, 0))
        return self.is_same or (compared >= 64 and differing <= LIKE_SHARE_MAX * compared)


def iscc_matches(declared: str, own: str | Iterable[str]) -> IsccLikeness:
    """Compare a declared ISCC with a file's own: its ISCC-CODE, or its units for more bits.

    Units are compared over the bits that both have, where kind and version agree. Featureless
    Image-Codes are like one another whatever they show, so they are not compared. Raises
    ValueError when ``declared`` is no ISCC.
    """
    theirs = _units([declared])
    mine = _units([own] if isinstance(own, str) else own)
    distances: dict[str, tuple[int, int]] = {}
    for kind, digest in theirs.items():
        other = mine.get(kind)
        name = _NAMES.get(kind[0])
        if other is None or name is None or _is_bare(kind, digest) or _is_bare(kind, other):
            continue
        size = min(len(digest), len(other))
        differing = int.from_bytes(digest[:size], "big") ^ int.from_bytes(other[:size], "big")
        distances[name] = (differing.bit_count(), 8 * size)
    return IsccLikeness(distances)


_NAMES = dict(
    zip(
        (int(iscc_lib.MT.CONTENT), int(iscc_lib.MT.DATA), int(iscc_lib.MT.INSTANCE)),
        _COMPARED,
        strict=True,
    )
)


def _units(codes: Iterable[str]) -> dict[UnitKey, bytes]:
    """Return the digests of all units, by main type, sub type and version."""
    found: dict[UnitKey, bytes] = {}
    for code in codes:
        for unit in iscc_lib.iscc_decompose(code):
            main, sub, version, _, digest = iscc_lib.iscc_decode(unit)
            found[int(main), int(sub), int(version)] = digest
    return found


def _is_bare(kind: UnitKey, digest: bytes) -> bool:
    """Whether it is the Image-Code of a flat, striped or shaded picture."""
    if kind[:2] != (int(iscc_lib.MT.CONTENT), int(iscc_lib.ST.IMAGE)):
        return False
    words = (digest[at : at + 8] for at in range(0, len(digest) - 7, 8))
    return any(int.from_bytes(word, "big").bit_count() < _BARE_BITS_MIN for word in words)


def binding_keys(code: str) -> frozenset[str]:
    """Return what ties an ISCC to content: its Content- and Instance-Code, 64 bits of each.

    Two codes that share a key are of the same bytes, or of content that is alike in all 64 bits.
    Featureless Image-Codes tie to nothing. Empty for what is no ISCC.
    """
    try:
        units = _units([code])
    except ValueError:
        return frozenset()
    return frozenset(
        f"{kind[0]}.{kind[1]}.{kind[2]}:{digest[:8].hex()}"
        for kind, digest in units.items()
        if kind[0] in _BINDING and len(digest) >= 8 and not _is_bare(kind, digest)
    )


_BINDING = frozenset({int(iscc_lib.MT.CONTENT), int(iscc_lib.MT.INSTANCE)})
