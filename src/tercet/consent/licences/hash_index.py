"""Millions of SHA-256 digests, found by their hexadecimal text, each with a number.

Sixty-four octets of text are eight words of a machine. Two of them, mixed, choose a bucket; what
lies there is compared with all eight, so that a digest is found by all of its digits or not at all.
Looking up a column of n digests takes time O(n), however many are known. The loop is compiled where
there is a C compiler (`hash_index.c`), else it is NumPy's; the answers are the same.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.row_matching import octets_of

Array = np.ndarray[Any, np.dtype[Any]]

DIGITS = 64
_WORDS = DIGITS // 8
_SMALL = np.uint64(0x2020202020202020)  # makes A to F small, and leaves digits as they are


def _load() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(Path(__file__).with_name("libhash_index.so")))
    except OSError:
        return None


_library = _load()
COMPILED = _library is not None
_HEX = np.zeros(256, dtype=np.bool_)
_HEX[list(b"0123456789abcdefABCDEF")] = True


@dataclass(frozen=True, slots=True)
class HashIndex:
    """``words`` are the digests' texts, by bucket; ``starts`` says where each bucket begins.

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
        rows, words = hex_words(texts)
        if rows is None:
            found[:] = self._find(words)
        else:
            found[rows] = self._find(words)
        return found

    def _find(self, words: Array) -> Array:
        """Return the numbers of digests given as words."""
        if _library is not None:
            return self._find_compiled(words)
        found = np.full(len(words), -1, dtype=np.int32)
        bits = (len(self.starts) - 1).bit_length() - 1
        bucket = (keys_of(words) >> np.uint64(64 - bits)).astype(np.int64)
        at = self.starts[bucket].astype(np.int64)
        end = self.starts[bucket + 1]
        rows = np.flatnonzero(at < end)
        at, end = at[rows], end[rows]
        while len(rows):
            near = self.words[at, 0] == words[rows, 0] | _SMALL
            hits = rows[near]
            same = (self.words[at[near]] == words[hits] | _SMALL).all(axis=1)
            same &= _are_hex(words[hits])
            found[hits[same]] = self.number[at[near][same]]
            at += 1
            left = at < end
            left &= found[rows] < 0
            rows, at, end = rows[left], at[left], end[left]
        return found

    def _find_compiled(self, words: Array) -> Array:
        found = np.empty(len(words), dtype=np.int32)
        text = np.ascontiguousarray(words)
        arrays = (text, self.words, self.starts, self.number, found)
        places = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        bits = ctypes.c_int64((len(self.starts) - 1).bit_length() - 1)
        _library.find_digests(  # type: ignore[union-attr]
            ctypes.c_int64(len(words)), *places[:3], bits, *places[3:]
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
        mixed = (words[:, 0] | _SMALL) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed += words[:, 1] | _SMALL
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(0x94D049BB133111EB)
    out: Array = mixed
    return out


def hex_words(texts: pa.Array) -> tuple[Array | None, Array]:
    """Return the rows with texts of 64 octets, and these as words; None for "every row".

    Longer texts are taken without the blanks around them.
    """
    data, bounds = octets_of(texts)
    sizes = np.diff(bounds)
    if not texts.null_count and (sizes == DIGITS).all():
        return None, parsed_words(data[bounds[0] : bounds[-1]])
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
    return rows, parsed_words(data[bounds[0] : bounds[-1]])


def parsed_words(octets: Array) -> Array:
    """Return the octets of digests that stand without anything between them, as words."""
    rows: Array = np.ascontiguousarray(octets).reshape(-1, DIGITS).view(np.uint64)
    return rows


def _are_hex(words: Array) -> Array:
    """Say of each text whether all of it is hexadecimal: `_SMALL` lets control characters pass."""
    octets = np.ascontiguousarray(words).view(np.uint8).reshape(-1, _WORDS * 8)
    certain: Array = ((words | _SMALL) == words).all(axis=1)
    doubtful = np.flatnonzero(~certain)
    if len(doubtful):
        certain[doubtful] = _HEX[octets[doubtful]].all(axis=1)
    return certain
