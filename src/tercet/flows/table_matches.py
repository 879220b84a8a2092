"""What a registry says of the rows of a table, by what the table tells: hash, URL and domain.

A row with the SHA-256 of a registered work is that work. A row whose URL a claim names is the work
where the owner has shown control of the URL's domain, else it is likely. Where an owner has shown
control of a domain and claims all on it, rows of that domain are theirs. All of these reserve and
none grants: nobody has looked at what really stands behind a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tercet.consent.capture import Capture, capture_of, declarations_of
from tercet.consent.fingerprints.bands import Band
from tercet.consent.registry.claim import Check, EvidenceKind
from tercet.consent.registry.match_document import MatchedWork, match_document
from tercet.consent.rulebook import compile_rulebook
from tercet.consent.signal import Resource
from tercet.consent.table_columns import ColumnText
from tercet.consent.urls import split_url
from tercet.core.declaration import Carrier
from tercet.core.usage import Usage
from tercet.flows.identify import matched_work, registry_fields

if TYPE_CHECKING:
    from tercet.flows.claim_offers import ClaimOffers
    from tercet.store.registry import Registry

Array = np.ndarray[Any, np.dtype[Any]]

_NO_GRANT_PER_MILLE = 0  # nobody has looked at what stands behind the row
_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#\\]*@)?(?P<host>[^/?#:@\\]+)"


def registry_state(folder: Path) -> dict[str, Any]:
    """Return what the registry in ``folder`` is at now: entries of its log, and its head.

    Raises IntegrityError where works were lost that nothing would be compared with any more.
    """
    from tercet.store.registry import Registry
    from tercet.store.registry_check import check_findable

    registry = Registry.open(folder)
    try:
        check_findable(registry)
        return registry_fields(registry)
    finally:
        registry.close()


class TableMatches:
    """Looks up the rows of batches in a registry, for one usage; ``offers`` stand beside claims."""

    def __init__(self, registry: Registry, usage: Usage, offers: ClaimOffers | None = None) -> None:
        self.registry = registry
        self.usage = usage
        self.offers = offers
        self._state = registry_fields(registry)
        self._hashes = _Column(registry.hash_table(), "sha256")
        self._urls = _Column(registry.url_table(), "url")
        self._domains = _Column(registry.domain_table(), "domain")
        self._known: dict[tuple[int, ...], ColumnText] = {}

    def of_batch(self, batch: pa.RecordBatch) -> Iterator[tuple[Array, ColumnText]]:
        """Yield rows of ``batch`` (their positions in it) with what the registry says of them."""
        found = np.column_stack(
            (
                self._hashes.find(pc.utf8_lower(pc.utf8_trim_whitespace(batch["sha256"]))),
                self._urls.find(pc.utf8_trim_whitespace(batch["url"])),
                self._domains.find(_hosts(batch["url"])) if len(self._domains) else _none(batch),
            )
        )
        rows = np.flatnonzero((found >= 0).any(axis=1))
        if not len(rows):
            return
        keys, inverse = np.unique(found[rows], axis=0, return_inverse=True)
        for at, key in enumerate(keys.tolist()):
            yield rows[inverse.ravel() == at], self._said(tuple(key))

    def _said(self, key: tuple[int, ...]) -> ColumnText:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._read(*key)
        return known

    def _read(self, hash_at: int, url_at: int, domain_at: int) -> ColumnText:
        sha256, url = self._hashes.value(hash_at), self._urls.value(url_at)
        found = {
            work: self._matched(work, "sha256", Band.CERTAIN)
            for work in self._hashes.works(hash_at)
        }
        for work in self._urls.works(url_at):
            if work not in found:
                found[work] = self._matched(work, "url", self._band(work, url))
        for work in self._domains.works(domain_at):
            if work not in found:
                found[work] = self._matched(work, "domain", Band.CERTAIN)
        domain = self._domains.value(domain_at)
        item = {"name": url, "sha256": sha256, "domain": domain}
        works = list(found.values())
        works = works if self.offers is None else self.offers.beside(works)
        raw = match_document(item, self._state, works)
        place = url or domain or f"sha256:{sha256}"
        captured = capture_of(Capture(Resource.REGISTRY_MATCH, Carrier.REGISTRY, uri=place), raw)
        rulebook = compile_rulebook([captured], self.usage, of_site=False)
        return ColumnText(rulebook, captured, declarations_of(*captured))

    def _band(self, work: int, url: str) -> Band:
        """Return how sure a URL is: anybody can name one, not everybody controls its domain."""
        split = split_url(url)
        claims, _ = self.registry.standing(work)
        shown = {
            evidence.value
            for claim in claims
            for evidence, check, _ in self.registry.evidence(claim.claim_id)
            if evidence.kind is EvidenceKind.DOMAIN and check is Check.VERIFIED
        }
        return Band.CERTAIN if split is not None and _host(split.origin) in shown else Band.LIKELY

    def _matched(self, work: int, method: str, band: Band) -> MatchedWork:
        return matched_work(
            self.registry, work, band=band, method=method, covers_per_mille=_NO_GRANT_PER_MILLE
        )


def _none(batch: pa.RecordBatch) -> Array:
    return np.full(len(batch), -1, dtype=np.int32)


def _hosts(urls: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.struct_field(pc.extract_regex(urls, _HOST), "host"))


def _host(origin: str) -> str:
    return origin.partition("://")[2].partition(":")[0]


class _Column:
    """Distinct values of one column of a registry, each with its works."""

    def __init__(self, table: pa.Table, name: str) -> None:
        grouped = table.group_by(name).aggregate([("work", "list")])
        self._values = grouped[name].combine_chunks()
        self._works = grouped["work_list"].combine_chunks()

    def __len__(self) -> int:
        return len(self._values)

    def find(self, values: pa.Array) -> Array:
        """Return where each of ``values`` stands, -1 for those that are not there."""
        at = pc.fill_null(pc.index_in(values, value_set=self._values, skip_nulls=True), -1)
        found: Array = at.to_numpy(zero_copy_only=False)
        return found

    def value(self, at: int) -> str:
        """Return a value, "" for -1."""
        return str(self._values[at].as_py()) if at >= 0 else ""

    def works(self, at: int) -> list[int]:
        """Return the works of a value, in order; none for -1."""
        return sorted(self._works[at].as_py()) if at >= 0 else []
