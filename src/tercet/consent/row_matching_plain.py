"""The functions of row_matching.c in Python: the same arrays in, the same arrays out.

Used where no compiler was found when Tercet was installed, and by the tests, to hold the compiled
functions to the rules as they are written in urls.py and paths.py.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tercet.consent.paths import matches

Array = np.ndarray[Any, np.dtype[Any]]

ODD, ESCAPED, PLAIN, SECURE = 1, 2, 4, 8
LONGEST, FIRST, STRICTEST = 0, 1, 2

_PLAIN_OCTETS = b"A-Za-z0-9._~:/?\\[\\]@!&()+,;=%\\-"
_NOT_PLAIN = re.compile(b"[^" + _PLAIN_OCTETS + b"]|/\\.|^\\.|%2[eE]")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]")
_MASK = (1 << 64) - 1


def look_at_path(rest: bytes) -> int:
    """Return ODD and ESCAPED for a path without its first slash."""
    if _NOT_PLAIN.search(rest):
        return ODD
    for digits in _ESCAPE.findall(rest):
        if digits != digits.upper() or _UNRESERVED.match(bytes([int(digits, 16)])):
            return ESCAPED
    return 0


def cut_urls(data: Array, offset: Array, flags: Array, host_start: Array, host_end: Array) -> None:
    """See row_matching.c."""
    octets = data.tobytes()
    for i, (start, end) in enumerate(zip(offset[:-1].tolist(), offset[1:].tolist(), strict=True)):
        flags[i], host_start[i], host_end[i] = 0, end, end
        skip = 7 if octets.startswith(b"http://", start, end) else 0
        skip = 8 if octets.startswith(b"https://", start, end) else skip
        if not skip:
            continue
        slash = octets.find(b"/", start + skip, end)
        host_start[i], host_end[i] = start + skip, slash if slash >= 0 else end
        path = look_at_path(octets[slash + 1 : end]) if slash >= 0 else ODD
        flags[i] = PLAIN | (SECURE if skip == 8 else 0) | path


def match_paths(
    data: Array, path_start: Array, path_end: Array, book: Array, rules: Any, key: Array
) -> None:
    """See row_matching.c; ``rules`` has its arrays as attributes."""
    octets = data.tobytes()
    text = rules.text.tobytes()
    bounds = rules.pattern.tolist()
    for i in range(len(book)):
        key[i] = 0
        number = int(book[i])
        if number < 0:
            continue
        path = octets[path_start[i] : path_end[i]]
        found = 0
        for reading in range(rules.reading_of_book[number], rules.reading_of_book[number + 1]):
            mode = rules.matching[reading]
            for rule in range(rules.rule_of_reading[reading], rules.rule_of_reading[reading + 1]):
                broad = rules.broad[rule]
                if mode == STRICTEST and broad:
                    continue
                if not matches(text[bounds[rule] : bounds[rule + 1] - 1], path):
                    continue
                if broad:
                    break
                found = _mix(found ^ reading, rule + 1) | 1
                if mode != STRICTEST:
                    break
        key[i] = found


def _mix(left: int, right: int) -> int:
    mixed = (left * 0x9E3779B97F4A7C15 + right) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)
