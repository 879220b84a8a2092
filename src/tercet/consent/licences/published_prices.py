"""Prices that others published or paid, for comparison: data with a source, a date and a mark.

None of them is an offer, and none is a fair price: reported, worked out or weak, as marked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PRICES_TYPE = "tercet/published-prices@1"
_FILE = Path(__file__).with_name("published_prices.json")


@dataclass(frozen=True, slots=True)
class PublishedPrice:
    """A price for one ``unit`` of what is named. ``high_micros`` 0: no upper end was said.

    ``share_basis_points`` stands alone where a share was said and no amount. ``mark`` is how well
    it is known: a key of ``PublishedPrices.marks``; ``date`` a year, or a year with its month.
    """

    subject: str
    unit: str
    what: str
    currency: str
    low_micros: int
    high_micros: int
    source: str
    date: str
    mark: str
    note: str = ""
    share_basis_points: int = 0


@dataclass(frozen=True, slots=True)
class PublishedPrices:
    """All of them, the day they were gathered on, and what the marks mean."""

    gathered_on: str
    marks: tuple[tuple[str, str], ...]
    rows: tuple[PublishedPrice, ...]


@cache
def published_prices() -> PublishedPrices:
    """Return the prices that come with Tercet."""
    document = json.loads(_FILE.read_bytes())
    rows = []
    for fields in document["rows"]:
        subject = fields.pop("for")
        rows.append(PublishedPrice(subject=subject, **fields))
    return PublishedPrices(document["gathered_on"], tuple(document["marks"].items()), tuple(rows))
