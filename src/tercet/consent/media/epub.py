"""EPUB: the package documents, found by META-INF/container.xml. Nothing touches a disk.

Sources: EPUB 3.3 section 4 (OCF), PKWARE APPNOTE 6.3 sections 4.3 to 4.4 (ZIP).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from urllib.parse import unquote

from tercet.consent.media.gathering import Gathering
from tercet.consent.signal import Resource
from tercet.consent.xml_tree import parse_xml
from tercet.core.limits import ARCHIVE_MEMBERS_MAX, XML_BYTES_MAX

MAGIC = b"PK\x03\x04"
CONTAINER = "META-INF/container.xml"
_END_MAGIC, _ENTRY_MAGIC = b"PK\x05\x06", b"PK\x01\x02"
_COMMENT_BYTES_MAX = 65_535
_RATIO_MAX = 1_000  # deflate cannot do better than 1,032; XML stays far below
_RATIO_FREE_BYTES = 64 * 1024
_ROOTFILES_MAX = 16


@dataclass(frozen=True, slots=True)
class _Member:
    """One stored file: ``at`` is where its local header begins."""

    at: int
    method: int
    flags: int
    packed_bytes: int
    open_end: bool = False  # the packed size is not known beforehand


def is_epub(raw: bytes) -> bool:
    """Whether the first member is the EPUB mimetype (EPUB 3.3 section 4.3.4)."""
    return b"application/epub+zip" in raw[:120] or CONTAINER.encode() in raw[:1024]


def read(gathering: Gathering) -> None:
    """Read every package document the container names."""
    members = _central(gathering)
    if members is None:
        gathering.fault("truncated: zip without its directory")
        members = _local(gathering)
    container = _content(gathering, members, CONTAINER)
    if container is None:
        gathering.fault("epub: no META-INF/container.xml")
        return
    tree = parse_xml(container[0])
    if tree.fault:
        gathering.fault(f"epub: container.xml: {tree.fault}")
    found_roots = [] if tree.root is None else tree.root.iter("{*}rootfile")
    paths = [str(node.get("full-path")) for node in found_roots if node.get("full-path")]
    if not paths:
        gathering.fault("epub: container.xml names no package document")
    for path in dict.fromkeys(paths[:_ROOTFILES_MAX]):
        found = _content(gathering, members, path) or _content(gathering, members, unquote(path))
        if found is None:
            gathering.fault("epub: package document missing")
            continue
        raw, span = found
        gathering.add(Resource.OPF, raw, span, path, "application/oebps-package+xml")


def _central(gathering: Gathering) -> dict[str, _Member] | None:
    """Return the members the central directory lists, None when there is none."""
    raw = gathering.raw
    end = raw.rfind(_END_MAGIC, max(0, len(raw) - _COMMENT_BYTES_MAX - 22))
    if end < 0 or end + 22 > len(raw):
        return None
    total, _, at = struct.unpack_from("<HII", raw, end + 10)
    members: dict[str, _Member] = {}
    for _ in range(min(total, ARCHIVE_MEMBERS_MAX)):
        if raw[at : at + 4] != _ENTRY_MAGIC or at + 46 > len(raw):
            return members or None
        flags, method = struct.unpack_from("<HH", raw, at + 8)
        (packed,) = struct.unpack_from("<I", raw, at + 20)
        name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<HHH", raw, at + 28)
        (start,) = struct.unpack_from("<I", raw, at + 42)
        name = raw[at + 46 : at + 46 + name_bytes].decode("utf-8", "replace")
        if name in members and name == CONTAINER:
            gathering.fault("epub: two members of one name")
        members.setdefault(name, _Member(start, method, flags, packed))
        at += 46 + name_bytes + extra_bytes + comment_bytes
    if total > ARCHIVE_MEMBERS_MAX:
        gathering.fault("epub: more members than the limit")
    return members


def _local(gathering: Gathering) -> dict[str, _Member]:
    """Return the members that can be seen from the head of a file, by their local headers."""
    raw, at = gathering.raw, 0
    members: dict[str, _Member] = {}
    for _ in range(ARCHIVE_MEMBERS_MAX):
        if raw[at : at + 4] != MAGIC or at + 30 > len(raw):
            break
        flags, method = struct.unpack_from("<HH", raw, at + 6)
        packed, _, name_bytes, extra_bytes = struct.unpack_from("<IIHH", raw, at + 18)
        name = raw[at + 30 : at + 30 + name_bytes].decode("utf-8", "replace")
        open_end = bool(flags & 8) and packed == 0
        members.setdefault(name, _Member(at, method, flags, packed, open_end))
        start = at + 30 + name_bytes + extra_bytes
        at = raw.find(MAGIC, start) if open_end else start + packed
        if at < 0:
            break
    return members


def _content(
    gathering: Gathering, members: dict[str, _Member], name: str
) -> tuple[bytes, tuple[int, int]] | None:
    """Return a member's bytes and its range in the archive; None where it cannot be had."""
    raw, member = gathering.raw, members.get(name)
    if member is None or raw[member.at : member.at + 4] != MAGIC or member.at + 30 > len(raw):
        return None
    if member.flags & 1:
        gathering.fault("epub: encrypted member")
        return None
    name_bytes, extra_bytes = struct.unpack_from("<HH", raw, member.at + 26)
    start = member.at + 30 + name_bytes + extra_bytes
    end = len(raw) if member.open_end else start + member.packed_bytes
    if end > len(raw):
        gathering.fault("truncated: epub member")
    packed = raw[start : min(end, start + XML_BYTES_MAX)]
    if member.method == 8:
        content = gathering.inflate(packed, "epub member", wbits=-15)
    elif member.method == 0:
        content = packed
    else:
        gathering.fault(f"epub: compression method {member.method} is not read")
        return None
    bomb = len(content) > _RATIO_FREE_BYTES and len(content) > _RATIO_MAX * len(packed)
    if bomb or len(content) > XML_BYTES_MAX:
        gathering.fault("epub: member beyond the limit")
        return None
    return content, (min(start, len(raw)), min(end, len(raw)))
