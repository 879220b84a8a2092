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
    """Many URLs cut at their slashes.

    ``hosts`` is the text between the second and third slash, ``secure`` whether the scheme is
    https, ``plain`` whether the cut is right as it stands (else use ``split_url``). ``rests`` are
    the paths after their first slash, ``lengths`` their octets, ``words`` their first eight as
    little-endian integers, zero-filled. ``odd`` says that WHATWG would change the path,
    ``escaped`` that it holds escapes which RFC 9309 writes in another way.
    """

    hosts: pa.Array
    secure: Array
    plain: Array
    rests: pa.Array
    lengths: Array
    words: Array
    odd: Array
    escaped: Array

    def paths(self, rows: Array) -> tuple[str, Array]:
        """Return the paths of ``rows`` as one Latin-1 text, and where each begins in it.

        The last bound is the text's length. Each path has its first slash.
        """
        chosen = self.rests.take(pa.array(rows))
        whole = pc.binary_join_element_wise("/", chosen, "")
        if not len(whole):
            return "", np.zeros(1, dtype=np.int32)
        bound = _offsets(whole)
        data = whole.buffers()[2]
        return str(data[bound[0] : bound[-1]].to_pybytes(), "latin-1"), bound - bound[0]


_WORD_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)
_HTTP = int.from_bytes(b"http:", "little")
_HTTPS = int.from_bytes(b"https:", "little")
_CHUNK_ROWS = 32_768  # cut at a time, so that everything stays in the processor's cache


def split_urls(urls: pa.Array) -> UrlColumns:
    """Cut a string array without nulls. Total: rows it cannot cut are not ``plain``."""
    starts = range(0, max(len(urls), 1), _CHUNK_ROWS)
    cuts = [_split_chunk(urls.slice(start, _CHUNK_ROWS)) for start in starts]
    columns = zip(*cuts, strict=True)
    joined = [
        pa.concat_arrays(column) if isinstance(column[0], pa.Array) else np.concatenate(column)
        for column in columns
    ]
    return UrlColumns(*joined)


def _split_chunk(urls: pa.Array) -> tuple[Any, ...]:
    """Return the fields of UrlColumns for some rows."""
    parts = pc.split_pattern(urls, pattern="/", max_splits=3)
    first = np.frombuffer(parts.offsets.buffers()[1], dtype=np.int32)[parts.offsets.offset :]
    first = first[: len(urls) + 1].astype(np.int64)
    values = parts.values
    bounds = np.append(_offsets(values), np.full(4, _offsets(values)[-1]))
    head, count = first[:-1], np.diff(first)
    octets = _padded(values, int(bounds[-1]))
    scheme_length = bounds[head + 1] - bounds[head]
    scheme = _word_view(octets)[bounds[head]] & _WORD_MASKS[np.minimum(scheme_length, 8)]
    secure = (scheme == _HTTPS) & (scheme_length == 6)
    known = secure | ((scheme == _HTTP) & (scheme_length == 5))
    plain = known & (bounds[head + 1] == bounds[head + 2]) & (count >= 3)
    hosts = values.take(pa.array(np.where(plain, head + 2, head)))
    # Without a third slash the path is empty: the part before, cut to nothing, stands for it.
    rest = np.where(count >= 4, head + 3, head)
    rests = values.take(pa.array(np.where(count >= 4, rest, -1), mask=count < 4)).fill_null("")
    start = np.where(count >= 4, bounds[rest], 0)
    end = np.where(count >= 4, bounds[rest + 1], 0)
    lengths = end - start
    words = _word_view(octets)[start] & _WORD_MASKS[np.minimum(lengths, 8)]
    return hosts, secure, plain, rests, lengths, words, *_marks(octets, start, end)


def _offsets(texts: pa.Array) -> Array:
    """Return the bounds of a string array's texts in its data, one more than there are texts."""
    if not len(texts):
        return np.zeros(1, dtype=np.int32)
    whole = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    return whole[texts.offset : texts.offset + len(texts) + 1]


def _word_view(octets: Array) -> Array:
    """View every eight neighbouring octets as one integer; octets end in eight spare ones."""
    words: Array = np.ndarray((len(octets) - 7,), dtype="<u8", buffer=octets, strides=(1,))
    return words


def _padded(values: pa.Array, size: int) -> Array:
    """Return the octets of a string array with eight zero octets behind them."""
    octets = np.zeros(size + 8, dtype=np.uint8)
    data = values.buffers()[2]
    if data is not None:
        octets[:size] = np.frombuffer(data, dtype=np.uint8)[:size]
    return octets


def _marks(octets: Array, start: Array, end: Array) -> tuple[Array, Array]:
    """Return for each path whether WHATWG would change it, and whether RFC 9309 would."""
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
