"""Texts that everybody may repeat: licences, notices, the King James Bible, lorem ipsum.

Their n-grams are shipped as a sorted list of 36-bit hashes (text_boilerplate.bin, rebuilt by
scripts/build_text_boilerplate.py). What they cover in a text gives no keys and no evidence, so a
licence inside two works connects nothing, and nobody's claim covers it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array
from tercet.consent.fingerprints.text_keys import Grams

FILE = Path(__file__).with_name("text_boilerplate.bin")
HASH_BITS = 36
"""A page of 500 n-grams meets a list of 150,000 by chance once in 900 pages: one n-gram is lost."""
STEP_BYTES = 3  # the list is kept as steps from one hash to the next
BRIDGE_WORDS = 24
"""Between listed n-grams no farther apart everything is boilerplate. The list keeps one n-gram at
least of any 20 words, so a few words may have been changed: a name, a version, a year."""
_RUN_GRAMS_MIN = 3  # fewer make no passage: only they themselves are left out
_FILTER_BITS = 21

_HASH_MASK = np.uint64((1 << HASH_BITS) - 1)


def packed(hashes: Array) -> bytes:
    """Return a list of n-gram hashes as the bytes of the file."""
    short = np.unique(hashes & _HASH_MASK).astype(np.int64)
    steps = np.diff(short, prepend=0)
    if len(steps) and int(steps.max()) >= 1 << 8 * STEP_BYTES:
        raise ValueError("two neighbours are too far apart for the file: the list is too short")
    return steps.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :STEP_BYTES].tobytes()


def unpacked(raw: bytes) -> Array:
    """Return the sorted 36-bit hashes (uint64) that `packed` wrote."""
    steps = np.zeros((len(raw) // STEP_BYTES, 4), np.uint8)
    steps[:, :STEP_BYTES] = np.frombuffer(raw, np.uint8).reshape(-1, STEP_BYTES)
    return np.cumsum(steps.view("<u4").ravel(), dtype=np.uint64)


@cache
def _listed() -> tuple[Array, Array]:
    """Return the list, and which leading bits occur in it."""
    hashes = unpacked(FILE.read_bytes())
    seen = np.zeros(1 << _FILTER_BITS, bool)
    seen[(hashes >> np.uint64(HASH_BITS - _FILTER_BITS)).astype(np.int64)] = True
    return hashes, seen


def boilerplate_words(grams: Grams) -> Array | None:
    """Return which words are boilerplate, None when none is."""
    listed, seen = _listed()
    short = grams.hashes & _HASH_MASK
    near = np.flatnonzero(seen[(short >> np.uint64(HASH_BITS - _FILTER_BITS)).astype(np.int64)])
    near = near[grams.telling[near]]
    at = np.searchsorted(listed, short[near])
    hit = near[listed[np.minimum(at, len(listed) - 1)] == short[near]]
    if not len(hit):
        return None
    ends = hit + grams.sizes[hit]
    run = np.append(0, np.cumsum(hit[1:] - ends[:-1] > BRIDGE_WORDS))
    long = (np.bincount(run) >= _RUN_GRAMS_MIN)[run]
    bridged = np.append((run[1:] == run[:-1]) & long[1:], [False])
    ends[:-1] = np.where(bridged[:-1], np.maximum(hit[1:], ends[:-1]), ends[:-1])
    change = np.zeros(len(grams.hashes) + 1, np.int64)
    np.add.at(change, hit, 1)
    np.add.at(change, np.minimum(ends, len(grams.hashes)), -1)
    covered: Array = np.cumsum(change[:-1]) > 0
    return covered
