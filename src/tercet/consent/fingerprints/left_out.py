"""What decoders leave out of a file: further pages of a TIFF, further tracks of a film.

They may be anybody's, so a grant for what was looked at is none for the file.
Source: TIFF 6.0 section 2 (chain of image file directories); BigTIFF for the wider offsets.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from tercet.consent.fingerprints.media_type import CONTAINER_OPTIONS


def has_more_pages(raw: bytes) -> bool:
    """Say whether a TIFF holds more than its first picture, previews among them.

    A chain that is damaged behind the first directory counts as more.
    """
    order = {b"II": "<", b"MM": ">"}.get(raw[:2])
    if order is None or len(raw) < 8:
        return False
    is_big = struct.unpack_from(order + "H", raw, 2)[0] == 43
    offset, count, entry_bytes = ("Q", "Q", 20) if is_big else ("I", "H", 12)
    try:
        first = struct.unpack_from(order + offset, raw, 8 if is_big else 4)[0]
        entries = struct.unpack_from(order + count, raw, first)[0]
        end = first + struct.calcsize(order + count) + entry_bytes * entries
        return bool(struct.unpack_from(order + offset, raw, end)[0])
    except struct.error:
        return True


def tracks_left_out(file: BinaryIO) -> str:
    """Say in words that a film or recording has several tracks of a kind; "" when it has not.

    Cover pictures are no track. What cannot be opened is for whoever decodes it to say.
    """
    import av

    file.seek(0)
    try:
        with av.open(file, "r", options=dict(CONTAINER_OPTIONS)) as container:
            cover = av.stream.Disposition.attached_pic
            pictures = [one for one in container.streams.video if not one.disposition & cover]
            sounds = list(container.streams.audio)
    except (av.FFmpegError, ValueError, OSError, LookupError):
        return ""
    kinds = [name for name, found in (("picture", pictures), ("sound", sounds)) if len(found) > 1]
    return f"only the first track of {' and '.join(kinds)} was looked at" if kinds else ""
