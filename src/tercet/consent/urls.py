"""URLs as the clearing needs them: whose site, and which path, for a whole batch at once.

A URL that is already in WHATWG normal form is only cut at its slashes, vectorised. Everything
else (upper case, ports, user names, escapes, dot segments, IDNA ...) goes to a library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray[Any, np.dtype[Any]]

_CLEAN_HOST = re.compile(r"[a-z0-9.-]+(:[0-9]+)?\Z")
_PLAIN = b"-._~:/?[]@!&()+,;=%" + bytes(
    c for c in range(128) if chr(c).isalnum()
)  # what WHATWG would not change in a path; RFC 9309 might change escapes
_ODD = bytes(0 if c in _PLAIN else 1 for c in range(256))
_HEX_VALUE = np.full(256, 16, dtype=np.int16)
for _digit in b"0123456789abcdefABCDEF":
    _HEX_VALUE[_digit] = int(chr(_digit), 16)
_UNRESERVED = np.zeros(256, dtype=np.bool_)  # RFC 3986 section 2.3
_UNRESERVED[[c for c in range(128) if chr(c).isalnum() or chr(c) in "-._~"]] = True


@dataclass(frozen=True, slots=True)
class SplitUrl:
    """One URL in normal form: its origin ("https://example.org") and its path with query."""

    origin: str
    path: str


def split_url(url: str) -> SplitUrl | None:
    """Return the parts of an absolute http or https URL (WHATWG URL, IDNA), else None."""
    import can_ada

    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):  # TypeError: text that is not Unicode
        return None
    if parsed.protocol not in ("http:", "https:") or not parsed.hostname:
        return None
    whole = parsed.href.partition("#")[0]
    path = whole[whole.index("/", len(parsed.protocol) + 2) :]  # keeps an empty query's "?"
    return SplitUrl(f"{parsed.protocol}//{parsed.host}", path)


def origin_of(scheme: str, host: str) -> str | None:
    """Return the origin in normal form, None when the host is not one."""
    split = split_url(f"{scheme}://{host}/")
    return split.origin if split else None


@dataclass(frozen=True, slots=True)
class UrlColumns:
    """A batch of URLs cut at their slashes.

    ``hosts`` is the text between the second and third slash, ``secure`` whether the scheme is
    https, ``plain`` whether the cut is right as it stands (else use ``split_url``). The path
    after its first slash lies in ``octets[start:end]``; ``odd`` says that WHATWG would change
    it, ``escaped`` that it holds escapes which RFC 9309 writes in another way.
    """

    hosts: pa.Array
    secure: Array
    plain: Array
    octets: Array
    start: Array
    end: Array
    odd: Array
    escaped: Array

    def paths(self, rows: Array) -> tuple[str, Array]:
        """Return the paths of ``rows`` as one Latin-1 text, and where each begins in it.

        The last bound is the text's length. Each path has its first slash.
        """
        size = self.end[rows] - self.start[rows] + 1
        bound = np.concatenate(([0], np.cumsum(size)))
        from_slash = self.start[rows] - 1  # what lies before a path is overwritten
        at = np.arange(bound[-1]) + np.repeat(from_slash - bound[:-1], size)
        gathered = self.octets[at]
        gathered[bound[:-1]] = ord("/")
        return gathered.tobytes().decode("latin-1"), bound

    def words(self) -> Array:
        """Return the first eight octets of each path as little-endian integers, zero-filled."""
        reach = np.minimum(self.end - self.start, 8)
        words: Array = _word_view(self.octets)[self.start] & _WORD_MASKS[reach]
        return words


_WORD_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)
_HTTP = int.from_bytes(b"http:", "little")
_HTTPS = int.from_bytes(b"https:", "little")


def _word_view(octets: Array) -> Array:
    """View every eight neighbouring octets as one integer; octets end in eight spare ones."""
    words: Array = np.ndarray((len(octets) - 7,), dtype="<u8", buffer=octets, strides=(1,))
    return words


def split_batch(urls: pa.Array) -> UrlColumns:
    """Cut a string array without nulls. Total: rows it cannot cut are not ``plain``."""
    parts = pc.split_pattern(urls, pattern="/", max_splits=3)
    first = np.frombuffer(parts.offsets.buffers()[1], dtype=np.int32)[parts.offsets.offset :]
    first = first[: len(urls) + 1].astype(np.int64)
    values = parts.values
    bounds = np.frombuffer(values.buffers()[1], dtype=np.int32)[values.offset :]
    bounds = np.append(bounds[: len(values) + 1], np.repeat(bounds[len(values)], 4))
    count = first[1:] - first[:-1]
    head = first[:-1]
    octets = _padded(values, int(bounds[len(values)]))
    scheme_length = bounds[head + 1] - bounds[head]
    scheme = _word_view(octets)[bounds[head]] & _WORD_MASKS[np.minimum(scheme_length, 8)]
    secure = (scheme == _HTTPS) & (scheme_length == 6)
    known = secure | ((scheme == _HTTP) & (scheme_length == 5))
    empty = bounds[head + 1] == bounds[head + 2]
    plain = known & empty & (count >= 3)
    hosts = pc.take(values, pa.array(np.where(plain, head + 2, head)))
    has_path = count >= 4
    start = np.where(has_path, bounds[np.minimum(head + 3, len(bounds) - 1)], 0)
    end = np.where(has_path, bounds[np.minimum(head + 4, len(bounds) - 1)], 0)
    return UrlColumns(hosts, secure, plain, octets, start, end, *_marks(octets, start, end))


def _padded(values: pa.Array, size: int) -> Array:
    """Return the octets of a string array with eight zero octets behind them."""
    octets = np.zeros(size + 8, dtype=np.uint8)
    data = values.buffers()[2]
    if data is not None:
        octets[:size] = np.frombuffer(data, dtype=np.uint8)[:size]
    return octets


def _marks(octets: Array, start: Array, end: Array) -> tuple[Array, Array]:
    """Return for each path whether WHATWG would change it, and whether it has escapes."""
    odd = np.frombuffer(octets.tobytes().translate(_ODD), dtype=np.bool_)
    dots = (octets[:-1] == ord("/")) & (octets[1:] == ord("."))
    percent = np.flatnonzero(octets == ord("%"))
    high, low = octets[percent + 1], octets[percent + 2]  # spare octets follow the last path
    escape = _HEX_VALUE[high] * 16 + _HEX_VALUE[low]
    is_escape = (_HEX_VALUE[high] < 16) & (_HEX_VALUE[low] < 16)
    lower = (high >= ord("a")) | (low >= ord("a"))
    changed = percent[is_escape & (lower | _UNRESERVED[escape & 0xFF])]
    dotted = percent[is_escape & (escape == ord("."))]  # WHATWG: "%2e" counts as a dot
    strange = _any_within(np.flatnonzero(odd), start, end)
    strange |= _any_within(np.flatnonzero(dots), start, end) | _any_within(dotted, start, end)
    strange |= (octets[start] == ord(".")) & (end > start)
    return strange, _any_within(changed, start, end)


def _any_within(positions: Array, start: Array, end: Array) -> Array:
    """Return for each half-open range whether one of the sorted positions lies in it."""
    at = np.searchsorted(positions, start)
    nearest = np.append(positions, np.iinfo(np.int64).max)[at]
    return np.asarray(nearest < end)


def is_clean_host(host: str) -> bool:
    """Say whether ``host`` (with an optional port) can be looked at apart from its URL."""
    return _CLEAN_HOST.match(host) is not None
