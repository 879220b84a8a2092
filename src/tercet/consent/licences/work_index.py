"""Which repertoires name a row of a corpus: by its SHA-256, its URL or its site.

Every digest, URL and site leads to a *combination*: the numbers of all repertoires that hold it.
Repertoires are named by their digest and never change, so an index holds for as long as the same
ones are asked about, whatever becomes of the agreements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.licences.hash_index import HashIndex
from tercet.consent.row_matching import ODD, PLAIN, TextIndex, UrlCuts, octets_of
from tercet.consent.site_index import SiteIndex
from tercet.consent.urls import split_url

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(slots=True)
class Combinations:
    """Sets of repertoires by number; number 0 is the empty set. ``members`` of n stand from
    ``starts[n]`` to ``starts[n + 1]``."""

    members: Array
    starts: Array

    def __len__(self) -> int:
        return len(self.starts) - 1

    def at(self, number: int) -> tuple[int, ...]:
        """Return the repertoires of a combination."""
        return tuple(self.members[self.starts[number] : self.starts[number + 1]].tolist())


@dataclass(slots=True)
class WorkIndex:
    """Digests, URLs and sites of all repertoires. ``url_number`` and ``site_number`` are the
    combinations of ``urls`` (in normal form) and ``sites`` (origins, sorted)."""

    hashes: HashIndex
    urls: pa.Array
    url_number: Array
    sites: pa.Array
    site_number: Array
    combinations: Combinations
    _url_index: TextIndex = field(init=False)
    _site_index: SiteIndex = field(init=False)

    def __post_init__(self) -> None:
        self._url_index = TextIndex(self.urls)
        nothing = np.zeros(len(self.sites), dtype=np.int64)
        self._site_index = SiteIndex(self.sites, nothing, nothing, pa.array([], pa.string()), [])

    def find(self, sha256: pa.Array, url: pa.Array) -> tuple[Array, Array, Array]:
        """Return three combinations for each row: of its digest, of its URL and of its site.

        Both columns may hold nulls. Total: what cannot be understood is in no repertoire.
        """
        hashes = self.hashes.find(sha256) if len(self.hashes) else _none(len(url))
        found = np.maximum(hashes, 0)
        if not len(self.urls) and not len(self.sites):
            return found, _none(len(url)), _none(len(url))
        cuts = UrlCuts.of(texts := pc.fill_null(url, ""))
        urls = self._find_urls(cuts, texts) if len(self.urls) else _none(len(url))
        sites = self._find_sites(cuts, texts) if len(self.sites) else _none(len(url))
        return found, urls, sites

    def find_one(self, sha256: str) -> tuple[int, ...]:
        """Return the repertoires that hold one digest."""
        (number,) = self.hashes.find(pa.array([sha256], pa.string())).tolist()
        return self.combinations.at(number) if number > 0 else ()

    def _find_urls(self, cuts: UrlCuts, texts: pa.Array) -> Array:
        at = self._url_index.find(cuts.data, cuts.offset[:-1], cuts.end)
        strange = (at < 0) & ((cuts.flags & PLAIN == 0) | (cuts.flags & ODD != 0))
        rows = np.flatnonzero(strange)
        if len(rows):
            normal = pa.array([normal_url(texts[row].as_py()) for row in rows.tolist()])
            data, bounds = octets_of(normal)
            at[rows] = self._url_index.find(data, bounds[:-1], bounds[1:])
        return np.where(at >= 0, self.url_number[np.maximum(at, 0)], 0).astype(np.int32)

    def _find_sites(self, cuts: UrlCuts, texts: pa.Array) -> Array:
        site, _ = self._site_index.find(cuts, texts)
        return np.where(site >= 0, self.site_number[np.maximum(site, 0)], 0).astype(np.int32)


def normal_url(text: str) -> str:
    """Return a URL in normal form without its fragment, "" for what is none."""
    split = split_url(text)
    return f"{split.origin}{split.path}" if split else ""


def _none(count: int) -> Array:
    return np.zeros(count, dtype=np.int32)


def combine(numbers: Array, starts: Array) -> tuple[Array, Sequence[tuple[int, ...]]]:
    """Return for each group of ``numbers`` the position of its set among the distinct sets.

    Group i stands from ``starts[i]`` to ``starts[i + 1]``, sorted. The distinct sets come second.
    """
    if not len(starts) - 1:
        return np.zeros(0, dtype=np.int64), ()
    signature = np.column_stack(
        [np.add.reduceat(_mixed(numbers, salt), starts[:-1]) for salt in (1, 2)]
        + [np.diff(starts).astype(np.uint64)]
    )
    whole = np.ascontiguousarray(signature).view([(name, "u8") for name in "abc"]).ravel()
    _, example, number = np.unique(whole, return_index=True, return_inverse=True)
    sets = [tuple(numbers[starts[at] : starts[at + 1]].tolist()) for at in example.tolist()]
    return number.ravel(), sets


def _mixed(numbers: Array, salt: int) -> Array:
    """SplitMix64's finaliser (Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out: Array = mixed ^ (mixed >> np.uint64(31))
    return out
