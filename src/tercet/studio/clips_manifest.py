"""`tercet/clips@1`: a manifest of real clips, one JSON object a line, with the rights of each.

The same file is a corpus table for `tercet clear`: it names local files by ``path`` and
``sha256``, and its ``licence`` column is what clears them. docs/clips.md is the format.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tercet.core.errors import InputError

CLIPS_TYPE = "tercet/clips@1"
LINE_BYTES_MAX = 65_536
TEXT_CHARACTERS_MAX = 1000
SECONDS_MAX = 86_400.0
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_TEXTS = ("path", "sha256", "owner", "licence", "caption")
_OPTIONAL_TEXTS = ("title", "source")
_KEYS = frozenset({"type", *_TEXTS, *_OPTIONAL_TEXTS, "start_s", "end_s"})
_HINT = "docs/clips.md shows a line with every key"


@dataclass(frozen=True, slots=True)
class ClipEntry:
    """One clip: a file below the manifest's folder, whose it is, under what, and what it shows.

    ``start_s`` and ``end_s`` bound the part that is learned from, in seconds; an ``end_s`` of 0
    means to the end. ``source`` says where it comes from, for people.
    """

    path: str
    sha256: str
    owner: str
    licence: str
    caption: str
    title: str = ""
    source: str = ""
    start_s: float = 0.0
    end_s: float = 0.0


def parse_clips(lines: Iterable[bytes]) -> Iterator[tuple[int, ClipEntry | InputError]]:
    """Yield each line's number, from 1, with its clip, or with what is wrong with it.

    Blank lines are passed over. A path that stands twice is wrong at its second line: one file
    is one row, because a row is what gets a verdict.
    """
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = parse_clip(line, number)
            if entry.path in seen:
                raise _wrong(number, f"{entry.path!r} stands in line {seen[entry.path]} already")
            seen[entry.path] = number
        except InputError as error:
            yield number, error
        else:
            yield number, entry


def parse_clip(line: bytes, number: int) -> ClipEntry:
    """Return the clip of one line. Raises InputError that names the line and the key."""
    record = _object(line, number)
    if record.get("type") != CLIPS_TYPE:
        raise _wrong(number, f"expected type {CLIPS_TYPE!r}, got {_shown(record.get('type'))}")
    unknown = sorted(record.keys() - _KEYS)
    if unknown:
        raise _wrong(number, f"no key of {CLIPS_TYPE}: {', '.join(map(_shown, unknown[:5]))}")
    texts = {key: _text(record, key, number, needed=True) for key in _TEXTS}
    texts |= {key: _text(record, key, number, needed=False) for key in _OPTIONAL_TEXTS}
    if not _SHA256.match(texts["sha256"]):
        raise _wrong(number, f"sha256: expected 64 hex digits, lower case, got {texts['sha256']!r}")
    parts = texts["path"].split("/")
    if texts["path"].startswith("/") or ".." in parts or "\\" in texts["path"]:
        raise _wrong(number, f"path: expected one below the manifest's folder, got {parts!r}")
    start_s, end_s = (_seconds(record, key, number) for key in ("start_s", "end_s"))
    if end_s and end_s <= start_s:
        raise _wrong(number, f"end_s: expected more than start_s ({start_s}), got {end_s}")
    return ClipEntry(**texts, start_s=start_s, end_s=end_s)


def _wrong(number: int, what: str) -> InputError:
    return InputError(f"line {number}: {what}", hint=_HINT)


def _shown(value: object) -> str:
    return repr(value)[:80]


def _object(line: bytes, number: int) -> dict[str, Any]:
    if len(line) > LINE_BYTES_MAX:
        raise _wrong(number, f"expected at most {LINE_BYTES_MAX} bytes, got {len(line)}")
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise _wrong(number, f"expected UTF-8, got byte {line[error.start]:#x}") from None
    except (ValueError, RecursionError) as error:
        raise _wrong(number, f"expected a JSON object: {str(error)[:120]}") from None
    if not isinstance(record, dict):
        raise _wrong(number, f"expected a JSON object, got {_shown(record)}")
    return record


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in it")
    return found


def _text(record: dict[str, Any], key: str, number: int, *, needed: bool) -> str:
    value = record.get(key, "")
    if not isinstance(value, str):
        raise _wrong(number, f"{key}: expected text, got {_shown(value)}")
    if needed and not value.strip():
        raise _wrong(number, f"{key}: expected text, got none")
    if len(value) > TEXT_CHARACTERS_MAX:
        raise _wrong(number, f"{key}: expected at most {TEXT_CHARACTERS_MAX} characters")
    if any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in value):
        raise _wrong(number, f"{key}: control characters or lone surrogates in {_shown(value)}")
    return value


def _seconds(record: dict[str, Any], key: str, number: int) -> float:
    value = record.get(key, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(number, f"{key}: expected seconds, got {_shown(value)}")
    if not (math.isfinite(value) and 0 <= value <= SECONDS_MAX):
        raise _wrong(number, f"{key}: expected 0 to {SECONDS_MAX:.0f} seconds, got {value}")
    return float(value)
