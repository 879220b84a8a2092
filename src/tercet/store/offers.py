"""Offers found at sites and items: under which price or terms a licence can be had.

offers.parquet                     declaration_id, site, item, kind, currency, amount_micros,
                                   price_unit, url, text
completions/00000.offers.parquet   those of the items of one shard, until they are joined
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tercet.consent.rulebook import Rulebook
from tercet.consent.site_index import SiteIndex
from tercet.core.condition import ConditionKind
from tercet.store.files import written_whole

OFFER_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("declaration_id", pa.string(), nullable=False),
        pa.field("site", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("currency", pa.string()),
        pa.field("amount_micros", pa.int64()),
        pa.field("price_unit", pa.string()),
        pa.field("url", pa.string()),
        pa.field("text", pa.string()),
    ]
)
"""``item`` is "" where the offer is of the whole site; ``site`` is "" for local files."""
_OFFERING = frozenset({ConditionKind.PAYMENT, ConditionKind.CONTRIBUTION, ConditionKind.LICENCE})
_ROWS_MAX = 50_000  # written at a time


def write_offers(folder: Path, sites: SiteIndex) -> None:
    """Write the offers of all surveyed sites, and those of items kept by shard. Raises OSError."""
    with (
        written_whole(folder / "offers.parquet", folder / "work") as temporary,
        pq.ParquetWriter(temporary, OFFER_SCHEMA) as writer,
    ):
        rows: list[dict[str, object]] = []
        for number, book in enumerate(sites.rulebooks):
            for site in np.flatnonzero(sites.book == number).tolist() if book.offers else ():
                rows += site_offers(sites, site)
                if len(rows) >= _ROWS_MAX:
                    writer.write_table(pa.Table.from_pylist(rows, schema=OFFER_SCHEMA))
                    rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema=OFFER_SCHEMA))
        for path in sorted((folder / "completions").glob("[0-9]*.offers.parquet")):
            writer.write_table(pq.read_table(path, schema=OFFER_SCHEMA))


def write_item_offers(folder: Path, index: int, rows: list[dict[str, object]]) -> None:
    """Keep the offers of one shard's items; nothing when there are none. Raises OSError."""
    if rows:
        path = folder / "completions" / f"{index:05d}.offers.parquet"
        with written_whole(path, folder / "work") as temporary:
            pq.write_table(pa.Table.from_pylist(rows, schema=OFFER_SCHEMA), temporary)


def site_offers(sites: SiteIndex, site: int) -> list[dict[str, object]]:
    """Return the offers of one site as rows."""
    book = sites.rulebooks[int(sites.book[site])]
    start = int(sites.id_start[site])
    ids = {position: sites.ids[start + position].as_py() for position, _ in book.offers}
    return _rows(book, ids, sites.origins[site].as_py(), "")


def item_offers(
    book: Rulebook, ids: Sequence[str], site: str, item: str
) -> list[dict[str, object]]:
    """Return the offers that were captured from one item as rows; ``ids`` by position."""
    return _rows(book, dict(enumerate(ids)), site, item)


def _rows(book: Rulebook, ids: dict[int, str], site: str, item: str) -> list[dict[str, object]]:
    return [
        {
            "declaration_id": ids[position],
            "site": site,
            "item": item,
            "kind": str(condition.kind),
            "currency": condition.price.currency if condition.price else None,
            "amount_micros": condition.price.amount_micros if condition.price else None,
            "price_unit": condition.price_unit,
            "url": condition.url,
            "text": condition.text,
        }
        for position, condition in book.offers
        if condition.price is not None or condition.kind in _OFFERING
    ]
