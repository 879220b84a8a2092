"""Millions of SHA-256 digests, found by their hexadecimal text, each with a number.

A digest is four words of a machine. The first of them, mixed, chooses a bucket; what lies there is
compared with all four, so that a digest is found by all of its digits or not at all.
Looking up a column of n digests takes time O(n), however many are known. The loop is compiled where
there is a C compiler (`hash_index.c`), else it is NumPy's; the answers are the same.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.row_matching import octets_of

Array = np.ndarray[Any, np.dtype[Any]]

DIGITS = 64
_WORDS = DIGITS // 16
_NONE = 0xFF


def _load() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(Path(__file__).with_name("libhash_index.so")))
    except OSError:
        return None
    # One that was compiled from an older file has no such function, and reads the arrays amiss.
    is_fit = sys.byteorder == "little" and hasattr(library, "find_digest_words")
    return library if is_fit else None


_library = _load()
COMPILED = _library is not None
_VALUES = np.full(256, _NONE, dtype=np.uint8)
_VALUES[list(b"0123456789")] = range(10)
_VALUES[list(b"abcdef")] = _VALUES[list(b"ABCDEF")] = range(10, 16)


@dataclass(frozen=True, slots=True)
class HashIndex:
    """``words`` are the digests, by bucket; ``starts`` says where each bucket begins.

    ``number`` is what each digest leads to. The arrays may lie in files.
    """

    words: Array
    starts: Array
    number: Array

    def __len__(self) -> int:
        return len(self.number)

    def find(self, texts: pa.Array) -> Array:
        """Return the number of each text, -1 where it is null, unknown or no digest.

        Capital letters and blanks around a digest do not matter.
        """
        found = np.full(len(texts), -1, dtype=np.int32)
        if not len(self) or not len(texts):
            return found
        rows, octets = digit_octets(texts)
        if rows is None:
            return self._find(octets)
        found[rows] = self._find(octets)
        return found

    def _find(self, octets: Array) -> Array:
        """Return the numbers of digests given as text, one after another."""
        if _library is not None:
            return self._find_compiled(octets)
        words, are_hex = decoded(octets)
        found = np.full(len(words), -1, dtype=np.int32)
        bits = (len(self.starts) - 1).bit_length() - 1
        bucket = (keys_of(words) >> np.uint64(64 - bits)).astype(np.int64)
        at = self.starts[bucket].astype(np.int64)
        end = self.starts[bucket + 1]
        rows = np.flatnonzero(at < end)
        at, end = at[rows], end[rows]
        while len(rows):
            near = self.words[at, 0] == words[rows, 0]
            hits = rows[near]
            same = (self.words[at[near]] == words[hits]).all(axis=1)
            same &= are_hex[hits]
            found[hits[same]] = self.number[at[near][same]]
            at += 1
            left = at < end
            left &= found[rows] < 0
            rows, at, end = rows[left], at[left], end[left]
        return found

    def _find_compiled(self, octets: Array) -> Array:
        found = np.empty(len(octets) // DIGITS, dtype=np.int32)
        text = np.ascontiguousarray(octets)
        arrays = (text, self.words, self.starts, self.number, found)
        places = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        bits = ctypes.c_int64((len(self.starts) - 1).bit_length() - 1)
        _library.find_digest_words(  # type: ignore[union-attr]
            ctypes.c_int64(len(found)), *places[:3], bits, *places[3:]
        )
        return found


def bucket_starts(keys: Array) -> Array:
    """Return where each bucket begins among digests that are sorted by their ``keys``."""
    bits = max(4, len(keys).bit_length())
    bucket = (keys >> np.uint64(64 - bits)).astype(np.int64)
    counts = np.bincount(bucket, minlength=1 << bits)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.uint32)


def grouped(words: Array) -> tuple[Array, Array, Array]:
    """Return an order that puts the same digests side by side, by key: (order, starts, keys).

    Group i are the digests from ``order[starts[i]]`` on, in the order given; ``keys`` are those of
    the groups, sorted. ``starts`` ends with the number of digests.
    """
    keys = keys_of(words)
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    near = np.flatnonzero(sorted_keys[1:] == sorted_keys[:-1])
    alike = (words[order[near]] == words[order[near + 1]]).all(axis=1)
    if not alike.all():  # one key, several digests: put those of the key in order
        runs = np.unique(sorted_keys[near[~alike]])
        at = np.flatnonzero(np.isin(sorted_keys, runs))
        own = order[at]
        columns = [words[own, column] for column in reversed(range(_WORDS))]
        order[at] = own[np.lexsort([np.arange(len(own)), *columns, sorted_keys[at]])]
        alike = (words[order[near]] == words[order[near + 1]]).all(axis=1)
    begins = np.ones(len(order), dtype=np.bool_)
    begins[near[alike] + 1] = False
    starts = np.flatnonzero(begins)
    return order, np.append(starts, len(order)), sorted_keys[starts]


def keys_of(words: Array) -> Array:
    """Return 64 bits for each digest, from its first sixteen digits; their first bits choose.

    The digits are mixed: who makes up digests can put many into one bucket, which slows down the
    search for these very digests and for no others.
    """
    with np.errstate(over="ignore"):
        mixed = words[:, 0] * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(0x94D049BB133111EB)
    out: Array = mixed
    return out


def digit_octets(texts: pa.Array) -> tuple[Array | None, Array]:
    """Return the rows with texts of 64 octets, and these octets; None for "every row".

    Longer texts are taken without the blanks around them.
    """
    data, bounds = octets_of(texts)
    sizes = np.diff(bounds)
    if not texts.null_count and (sizes == DIGITS).all():
        return None, data[bounds[0] : bounds[-1]]
    known = pc.is_valid(texts).to_numpy(zero_copy_only=False)
    long = np.flatnonzero(known & (sizes > DIGITS))
    if len(long):
        trimmed = pc.utf8_trim_whitespace(texts.take(pa.array(long)))
        fits = np.flatnonzero(pc.equal(pc.binary_length(trimmed), DIGITS))
        rows = np.concatenate((np.flatnonzero(known & (sizes == DIGITS)), long[fits]))
        whole = pa.concat_arrays(
            [texts.filter(pa.array(known & (sizes == DIGITS))), trimmed.take(pa.array(fits))]
        )
    else:
        rows = np.flatnonzero(known & (sizes == DIGITS))
        whole = texts.take(pa.array(rows))
    data, bounds = octets_of(whole)
    return rows, data[bounds[0] : bounds[-1]]


def parsed_words(octets: Array) -> Array:
    """Return digests, given as text one after another, as words. Their digits are taken as good."""
    return decoded(octets)[0]


def words_of(digests: Array) -> Array:
    """Return digests, given as rows of octets, as words."""
    rows: Array = np.ascontiguousarray(digests, dtype=np.uint8).reshape(-1, DIGITS // 2)
    return rows.view(np.uint64)


def decoded(octets: Array) -> tuple[Array, Array]:
    """Return the words of digests given as text, and which of them are hexadecimal throughout."""
    values = _VALUES[np.ascontiguousarray(octets).reshape(-1, DIGITS)]
    are_hex: Array = (values != _NONE).all(axis=1)
    return words_of(values[:, ::2] << 4 | values[:, 1::2]), are_hex
