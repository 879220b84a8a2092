"""Offers found at sites: under which price or terms a licence can be had.

offers.parquet   declaration_id, site, kind, currency, amount_micros, price_unit, url, text
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tercet.consent.site_index import SiteIndex
from tercet.store.files import written_whole

OFFER_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("declaration_id", pa.string(), nullable=False),
        pa.field("site", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("currency", pa.string()),
        pa.field("amount_micros", pa.int64()),
        pa.field("price_unit", pa.string()),
        pa.field("url", pa.string()),
        pa.field("text", pa.string()),
    ]
)
_ROWS_MAX = 50_000  # written at a time


def write_offers(folder: Path, sites: SiteIndex) -> None:
    """Write the offers of all surveyed sites. Raises OSError."""
    path = folder / "offers.parquet"
    with (
        written_whole(path, folder / "work") as temporary,
        pq.ParquetWriter(temporary, OFFER_SCHEMA) as writer,
    ):
        rows: list[dict[str, object]] = []
        for number, book in enumerate(sites.rulebooks):
            for site in np.flatnonzero(sites.book == number).tolist() if book.offers else ():
                rows += offer_rows(sites, site)
                if len(rows) >= _ROWS_MAX:
                    writer.write_table(pa.Table.from_pylist(rows, schema=OFFER_SCHEMA))
                    rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema=OFFER_SCHEMA))


def offer_rows(sites: SiteIndex, site: int) -> list[dict[str, object]]:
    """Return the offers of one site."""
    book = sites.rulebooks[int(sites.book[site])]
    start = int(sites.id_start[site])
    return [
        {
            "declaration_id": sites.ids[start + position].as_py(),
            "site": sites.origins[site].as_py(),
            "kind": str(condition.kind),
            "currency": condition.price.currency if condition.price else None,
            "amount_micros": condition.price.amount_micros if condition.price else None,
            "price_unit": condition.price_unit,
            "url": condition.url,
            "text": condition.text,
        }
        for position, condition in book.offers
    ]
