"""The inner loops of the clearing over whole columns: compiled where possible, else plain Python.

`row_matching.c` is compiled when Tercet is installed, if the machine has a C compiler. `COMPILED`
says which of the two is at work; the answers are the same.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tercet.consent import row_matching_plain as plain
from tercet.consent.row_matching_plain import ESCAPED, ODD, PLAIN, SECURE

Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["COMPILED", "ESCAPED", "ODD", "PLAIN", "SECURE", "PathMatcher", "TextIndex", "UrlCuts"]


def _load() -> ctypes.CDLL | None:
    place = Path(__file__).with_name("librow_matching.so")
    try:
        return ctypes.CDLL(str(place))
    except OSError:
        return None


_library = _load()
COMPILED = _library is not None

_SECOND_LOOK = b"%/"
_KINDS = np.zeros(256, dtype=np.uint8)
_KINDS[[c for c in range(128) if chr(c).isalnum() or chr(c) in "-._~:?[]@!&()+,;="]] = 1
_KINDS[list(_SECOND_LOOK)] = 2


def _call(name: str, *values: Any) -> None:
    """Call a compiled function: integers as int64, arrays by their address."""
    converted = [
        ctypes.c_void_p(value.ctypes.data)
        if isinstance(value, np.ndarray)
        else ctypes.c_int64(value)
        for value in values
    ]
    getattr(_library, name)(*converted)


def _contiguous(values: Array, kind: type[np.generic]) -> Array:
    return np.ascontiguousarray(values, dtype=kind)


@dataclass(frozen=True, slots=True)
class UrlCuts:
    """URLs cut at their slashes: octets, and for each URL its flags and bounds in them.

    The path with its slash is ``data[host_end:end]``. ``flags`` join PLAIN (the cut is right as
    it stands), SECURE (https), ODD (WHATWG would change the path, or there is none) and ESCAPED
    (RFC 9309 would write its escapes in another way).
    """

    data: Array
    offset: Array
    flags: Array
    host_start: Array
    host_end: Array

    @classmethod
    def of(cls, texts: pa.Array) -> UrlCuts:
        """Cut a string array without nulls. Total."""
        data, offset = octets_of(texts)
        count = len(texts)
        flags = np.empty(count, dtype=np.uint8)
        host_start, host_end = (np.empty(count, dtype=np.int32) for _ in range(2))
        if _library is None:
            plain.cut_urls(data, offset, flags, host_start, host_end)
        else:
            _call("cut_urls", count, data, offset, _KINDS, flags, host_start, host_end)
        return cls(data, offset, flags, host_start, host_end)

    @property
    def end(self) -> Array:
        """Where each URL ends."""
        return self.offset[1:]

    def path(self, row: int) -> bytes:
        """Return the path and what follows, with its first slash."""
        return self.data[self.host_end[row] : self.offset[row + 1]].tobytes()

    def host(self, row: int) -> str:
        """Return the text between the second and third slash."""
        return bytes(self.data[self.host_start[row] : self.host_end[row]]).decode("utf-8")


def octets_of(texts: pa.Array) -> tuple[Array, Array]:
    """Return a string array's octets and the bounds of its texts in them (int32)."""
    if not len(texts):
        return np.zeros(1, dtype=np.uint8), np.zeros(1, dtype=np.int32)
    bounds = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    bounds = bounds[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    octets = np.frombuffer(data, dtype=np.uint8) if data else np.zeros(1, dtype=np.uint8)
    return octets, _contiguous(bounds, np.int32)


@dataclass(slots=True)
class TextIndex:
    """Distinct texts, found by their octets."""

    texts: pa.Array
    _table: Array = field(init=False)
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = 1 << max(4, (len(self.texts) * 2).bit_length())
        self._table = np.full(size, -1, dtype=np.int32)
        data, offset = octets_of(self.texts)
        if _library is None:
            self._numbers = {text.encode(): at for at, text in enumerate(self.texts.to_pylist())}
        else:
            _call("index_texts", len(self.texts), data, offset, size, self._table)

    def find(self, data: Array, start: Array, end: Array) -> Array:
        """Return the number of each text ``data[start:end]``, -1 where it is not one of them."""
        found = np.empty(len(start), dtype=np.int32)
        if _library is None:
            octets = data.tobytes()
            bounds = zip(start.tolist(), end.tolist(), strict=True)
            found[:] = [self._numbers.get(octets[first:last], -1) for first, last in bounds]
        else:
            known, offset = octets_of(self.texts)
            size = len(self._table)
            _call(
                "find_texts", len(start), data, _contiguous(start, np.int32),
                _contiguous(end, np.int32), known, offset, size, self._table, found,
            )  # fmt: skip
        return found


@dataclass(frozen=True, slots=True)
class PathMatcher:
    """The path rules of all rulebooks as arrays; see row_matching.c for their meaning."""

    reading_of_book: Array
    matching: Array
    rule_of_reading: Array
    broad: Array
    second: Array
    pattern: Array
    text: Array

    def keys(self, data: Array, start: Array, end: Array, book: Array) -> Array:
        """Return for each path ``data[start:end]`` which rules of its rulebook hold there.

        Rows of one rulebook with equal keys are told the same; 0: no narrower rule holds.
        Rows with a negative rulebook number get 0.
        """
        key = np.empty(len(book), dtype=np.uint64)
        start, end = _contiguous(start, np.int32), _contiguous(end, np.int32)
        book = _contiguous(book, np.int32)
        if _library is None:
            plain.match_paths(data, start, end, book, self, key)
        else:
            _call(
                "match_paths", len(book), data, start, end, book, self.reading_of_book,
                self.matching, self.rule_of_reading, self.broad, self.second, self.pattern,
                self.text, key,
            )  # fmt: skip
        return key


def second_octets(pattern: Array, text: Array) -> Array:
    """Return the second octet of each pattern that begins with a slash and a plain octet, else 0.

    Eight spare zeros follow. ``pattern`` are the bounds in ``text`` of patterns, each ended by a
    line feed.
    """
    first, second = text[pattern[:-1]], text[np.minimum(pattern[:-1] + 1, len(text) - 1)]
    plain_start = (first == ord("/")) & ~np.isin(second, np.frombuffer(b"*$\n", dtype=np.uint8))
    return np.append(np.where(plain_start, second, 0), np.zeros(8)).astype(np.uint8)
