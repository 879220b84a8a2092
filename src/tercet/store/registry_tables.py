"""The registry as Arrow tables, for joins with whole corpora."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from tercet.consent.registry.claim import Check, EvidenceKind
from tercet.store.registry_rows import LIVE
from tercet.store.registry_schema import CLAIMS, EVIDENCE, LOG

if TYPE_CHECKING:
    import pyarrow as pa


def hash_table(connection: Connection) -> pa.Table:
    """Return (work int64, sha256 string) of every work on which a claim stands."""
    import pyarrow as pa

    query = (
        select(CLAIMS.c.work, CLAIMS.c.sha256)
        .where(CLAIMS.c.state == LIVE)
        .distinct()
        .order_by(CLAIMS.c.work)
    )
    rows = connection.execute(query).all()
    return pa.table(
        {
            "work": pa.array([row[0] for row in rows], pa.int64()),
            "sha256": pa.array([row[1] for row in rows], pa.string()),
        }
    )


def url_table(connection: Connection) -> pa.Table:
    """Return (work int64, url string): the source URLs that standing claims name."""
    import pyarrow as pa

    query = (
        select(CLAIMS.c.work, LOG.c.document)
        .join(LOG, LOG.c.position == CLAIMS.c.log_index)
        .where(CLAIMS.c.state == LIVE)
        .order_by(CLAIMS.c.work)
    )
    found: dict[tuple[int, str], None] = {}
    for work, document in connection.execute(query):
        url = json.loads(document)["work"]["source_url"]
        if url:
            found[work, url] = None
    return pa.table(
        {
            "work": pa.array([work for work, _ in found], pa.int64()),
            "url": pa.array([url for _, url in found], pa.string()),
        }
    )


def domain_table(connection: Connection) -> pa.Table:
    """Return (domain string, work int64): one work for each owner and terms of a domain."""
    import pyarrow as pa

    query = (
        select(EVIDENCE.c.value, CLAIMS.c.work, CLAIMS.c.public_key, LOG.c.document)
        .join(CLAIMS, CLAIMS.c.claim_id == EVIDENCE.c.claim_id)
        .join(LOG, LOG.c.position == CLAIMS.c.log_index)
        .where(CLAIMS.c.state == LIVE)
        .where(EVIDENCE.c.kind == str(EvidenceKind.DOMAIN), EVIDENCE.c.covers_all == 1)
        .where(EVIDENCE.c.checked == str(Check.VERIFIED))
        .order_by(CLAIMS.c.work)
    )
    found: dict[tuple[str, str, str], int] = {}
    for domain, work, public_key, document in connection.execute(query):
        terms = json.dumps(json.loads(document)["terms"])
        found.setdefault((domain, public_key, terms), work)
    return pa.table(
        {
            "domain": pa.array([domain for domain, _, _ in found], pa.string()),
            "work": pa.array(list(found.values()), pa.int64()),
        }
    )
