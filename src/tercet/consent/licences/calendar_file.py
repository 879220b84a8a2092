"""Dues as an iCalendar file (RFC 5545), for whatever calendar people use."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from tercet.consent.licences.due_dates import Due, day_after

_FOLD_BYTES = 75  # RFC 5545 section 3.1
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})


def calendar_file(dues: Iterable[Due], made_at: str) -> bytes:
    """Return one all-day event for each due. ``made_at`` is an RFC 3339 time in UTC.

    An event's UID is the same whenever the same due is written, so that taking the file in again
    changes nothing.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tercet//duties//EN"]
    stamp = made_at.replace("-", "").replace(":", "")
    for due in dues:
        uid = sha256(f"{due.agreement} {due.kind} {due.on}".encode()).hexdigest()[:32]
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid}@tercet",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{due.on.replace('-', '')}",
            f"DTEND;VALUE=DATE:{day_after(due.on, 1).replace('-', '')}",
            f"SUMMARY:{due.words.translate(_ESCAPES)}",
            f"DESCRIPTION:{due.kind} by the agreement {due.agreement}",
            f"CATEGORIES:{due.kind}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line.encode()) for line in lines)


def _folded(line: bytes) -> bytes:
    """Return a content line, folded between characters where it is long."""
    parts: list[bytes] = []
    room = _FOLD_BYTES
    while len(line) > room:
        cut = room
        while line[cut] & 0xC0 == 0x80:
            cut -= 1
        parts.append(line[:cut])
        line, room = line[cut:], _FOLD_BYTES - 1
    return b"\r\n ".join([*parts, line]) + b"\r\n"
