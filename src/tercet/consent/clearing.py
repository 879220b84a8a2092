"""The clearing of one batch: rows in, the same number of rows out, each with one verdict.

Everything a row's verdict depends on becomes a Finding with a small number; `decide` runs once
for each distinct combination of findings, and the result is joined back by indexing. No row is
ever looked at by Python alone unless one of its site's narrower path rules might match it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.evaluation import Winner
from tercet.consent.facts import Facts, State
from tercet.consent.paths import normalise_path
from tercet.consent.policy import Policy, decide
from tercet.consent.prefix_filter import PrefixFilter
from tercet.consent.rulebook import NOTHING, Finding
from tercet.consent.site_index import NOT_SURVEYED, URL_INVALID, SiteIndex
from tercet.consent.urls import UrlColumns, split_url, split_urls
from tercet.core.verdict import Outcome, Verdict

Array = np.ndarray[Any, np.dtype[Any]]

OUTCOMES = tuple(Outcome)
UNSURVEYED = Finding(Facts(frozenset({State.NOT_SURVEYED})))
INVALID = Finding(Facts(frozenset({State.URL_INVALID})))
SOURCELESS = Finding(Facts(frozenset({State.NO_SOURCE})))
FAULTY = Finding(Facts(frozenset({State.ROW_FAULT})))


class Interned:
    """Numbers for values, in order of appearance."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = []
        self._number: dict[Any, int] = {}
        for value in values:
            self.number(value)

    def number(self, value: Any) -> int:
        """Return the number of ``value``, a new one when it is new."""
        number = self._number.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


@dataclass(frozen=True, slots=True)
class Ground:
    """One place where something is said about rows: the site, the item itself, a column.

    ``finding`` numbers each row's finding; ``id_start`` is where the ids of its declarations
    begin in the shard's list of ids.
    """

    finding: Array
    id_start: Array


@dataclass(frozen=True, slots=True)
class DecidedRows:
    """Verdicts of some rows by number, and what evidence they rest on.

    ``site`` is the site's number, negative when there is none. ``evidence`` are positions in
    the shard's list of declaration ids; row i has those from ``evidence_start[i]`` on.
    """

    verdict: Array
    site: Array
    evidence: Array
    evidence_start: Array


class Clearing:
    """Decides batches under one policy for one usage. Deterministic; keeps only memory aids."""

    def __init__(self, sites: SiteIndex, policy: Policy) -> None:
        self.sites = sites
        self.policy = policy
        self.findings = Interned(NOTHING, UNSURVEYED, INVALID, SOURCELESS, FAULTY)
        self.verdicts = Interned()
        self._everywhere = np.array(
            [self.findings.number(book.everywhere) for book in sites.rulebooks] or [0],
            dtype=np.int32,
        )
        ruled = [(at, book.patterns) for at, book in enumerate(sites.rulebooks) if book.patterns]
        self._ruled = np.zeros(max(len(sites.rulebooks), 1), dtype=np.bool_)
        self._ruled[[at for at, _ in ruled]] = True
        self._filter = PrefixFilter.build(ruled, len(sites.rulebooks))
        self._pieced = np.zeros_like(self._ruled)
        self._pieced[list(self._filter.pieces)] = True
        self._answers: list[dict[tuple[Winner, ...], int]] = [{} for _ in sites.rulebooks]
        self._decided: dict[tuple[int, ...], int] = {}
        self._positions: list[tuple[tuple[int, ...], ...]] = []

    def site_ground(self, urls: pa.Array, faulty: Array) -> tuple[Ground, Array]:
        """Return what the sites say of each row, and the site numbers.

        ``urls`` may hold nulls: those rows have no source. ``faulty`` rows are not looked at.
        """
        absent = pc.is_null(urls).to_numpy(zero_copy_only=False)
        texts = pc.fill_null(urls, "")
        columns = split_urls(texts)
        site, respelt = self.sites.find(columns, texts)
        site[absent | faulty] = URL_INVALID
        known = np.maximum(site, 0)
        if len(self.sites.book):
            book = self.sites.book[known]
            finding = self._everywhere[book]
            self._follow_paths(columns, texts, respelt, site >= 0, book, finding)
        else:
            finding = np.zeros(len(urls), dtype=np.int32)
        finding[site == NOT_SURVEYED] = self.findings.number(UNSURVEYED)
        finding[site == URL_INVALID] = self.findings.number(INVALID)
        finding[absent] = self.findings.number(SOURCELESS)
        finding[faulty] = self.findings.number(FAULTY)
        start = self.sites.id_start[known] if len(self.sites.book) else np.zeros(len(urls), int)
        return Ground(finding, start), site

    def _follow_paths(
        self,
        columns: UrlColumns,
        texts: pa.Array,
        respelt: dict[int, str],
        known: Array,
        book: Array,
        finding: Array,
    ) -> None:
        """Ask the rulebook for each row that one of its narrower rules might match.

        ``respelt`` are the paths of URLs that were normalised one by one.
        """
        rows = np.flatnonzero(known & self._ruled[book])
        rows = rows[np.argsort(book[rows], kind="stable")]
        odd = columns.odd[rows] | ~columns.plain[rows]
        odd |= np.isin(rows, np.fromiter(respelt, dtype=np.int64, count=len(respelt)))
        for row in rows[odd].tolist():
            path = respelt[row] if row in respelt else _path(texts[row].as_py())
            normal = normalise_path(path.encode()).decode("latin-1")
            finding[row] = self._ask(int(book[row]), normal)
        rows = rows[~odd]
        rows = rows[self._may_match(columns, rows, book)]
        finding[rows] = self._answers_of(columns, rows, book[rows])

    def _answers_of(self, columns: UrlColumns, rows: Array, books: Array) -> list[int]:
        """Return the findings' numbers for rows sorted by rulebook."""
        paths, bounds = columns.paths(rows)
        ends, escaped = bounds.tolist(), columns.escaped[rows].tolist()
        answers: list[int] = []
        edges = np.flatnonzero(np.diff(books, prepend=-1, append=-1)).tolist()
        for first, last in pairwise(edges):
            book = int(books[first])
            winners, known = self.sites.rulebooks[book].winners, self._answers[book]
            for at in range(first, last):
                path = paths[ends[at] : ends[at + 1]]
                if escaped[at]:
                    path = normalise_path(path.encode("latin-1")).decode("latin-1")
                won = winners(path)
                answers.append(known[won] if won in known else self._learn(book, won))
        return answers

    def _may_match(self, columns: UrlColumns, rows: Array, book: Array) -> Array:
        """Return which of ``rows``, sorted by rulebook, need an exact look."""
        found = columns.escaped[rows].copy()
        found |= self._filter.by_prefix(book[rows], columns.words[rows], columns.lengths[rows])
        rest = np.flatnonzero(~found & self._pieced[book[rows]])
        paths, bounds = columns.paths(rows[rest])
        found[rest] = self._filter.by_piece(book[rows[rest]], paths, bounds)
        return found

    def _ask(self, book: int, path: str) -> int:
        """Return the number of the finding at a path in normal form."""
        winners = self.sites.rulebooks[book].winners(path)
        known = self._answers[book]
        return known[winners] if winners in known else self._learn(book, winners)

    def _learn(self, book: int, winners: tuple[Winner, ...]) -> int:
        number = self.findings.number(self.sites.rulebooks[book].finding(winners))
        self._answers[book][winners] = number
        return number

    def decide_rows(self, grounds: Sequence[Ground], site: Array) -> DecidedRows:
        """Join the grounds of each row and decide once per distinct combination."""
        combined, inverse = _distinct([ground.finding for ground in grounds])
        numbers = np.array([self._decide(tuple(row)) for row in combined], dtype=np.int32)
        counts = np.zeros(len(site), dtype=np.int64)
        parts = []
        for at, ground in enumerate(grounds):
            positions = [self._positions_of(tuple(row))[at] for row in combined]
            sizes = np.array([len(p) for p in positions], dtype=np.int64)
            if not sizes.any():
                continue
            flat = np.array([p for group in positions for p in group], dtype=np.int64)
            first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
            parts.append((sizes[inverse], first[inverse], flat, ground.id_start))
            counts += sizes[inverse]
        start = np.concatenate(([0], np.cumsum(counts)))
        return DecidedRows(numbers[inverse], site, _gathered(parts, start), start)

    def _decide(self, findings: tuple[int, ...]) -> int:
        number = self._decided.get(findings)
        if number is None:
            facts = Facts()
            for finding in findings:
                facts |= self.findings.values[finding].facts
            number = self.verdicts.number(decide(facts, self.policy))
            self._decided[findings] = number
        return number

    def _positions_of(self, findings: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Return for each ground the positions of the declarations that decided."""
        verdict: Verdict = self.verdicts.values[self._decide(findings)]
        return tuple(
            tuple(
                position
                for signal, positions in self.findings.values[finding].speakers
                if signal in verdict.deciding
                for position in positions
            )
            for finding in findings
        )


def _path(url: str) -> str:
    split = split_url(url)
    return split.path if split else "/"


def _distinct(columns: list[Array]) -> tuple[list[list[int]], Array]:
    """Return the distinct combinations of the columns and each row's number among them."""
    present, inverse = _compact(columns[0])
    combined = present.reshape(-1, 1)
    for column in columns[1:]:
        values, index = _compact(column)
        if len(values) == 1:
            combined = np.column_stack((combined, np.full(len(combined), values[0])))
            continue
        pairs, inverse = np.unique(inverse * np.int64(len(values)) + index, return_inverse=True)
        combined = np.column_stack((combined[pairs // len(values)], values[pairs % len(values)]))
    return combined.tolist(), inverse


def _compact(column: Array) -> tuple[Array, Array]:
    """Return the distinct small numbers in ``column`` and each row's index among them."""
    used = np.zeros(int(column.max(initial=0)) + 1, dtype=np.bool_)
    used[column] = True
    index = np.cumsum(used) - 1
    return np.flatnonzero(used), index[column]


def _gathered(parts: list[tuple[Array, Array, Array, Array]], start: Array) -> Array:
    """Lay the positions of all grounds side by side, row by row."""
    gathered = np.empty(int(start[-1]), dtype=np.int64)
    filled = start[:-1].copy()
    for sizes, first, flat, id_start in parts:
        rows = np.repeat(np.arange(len(sizes)), sizes)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        gathered[filled[rows] + within] = flat[first[rows] + within] + id_start[rows]
        filled += sizes
    return gathered
