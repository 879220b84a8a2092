"""How long `tercet quote` takes over ten million offered rows, and how much memory.

    python bench/quote.py [ROWS] [SITES]

Every second site sells by the work and every second by the minute; one in ten items has an offer
of its own, and a desk has an agreement on a tenth of the sites.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tercet.core.terms import Grant, PartyName, Price, RepertoireName, Terms
from tercet.core.usage import Usage
from tercet.flows.quote import PricedTerms, QuoteRequest, quote
from tercet.store.offers import OFFER_SCHEMA
from tercet.store.verdict_parts import VERDICT_SCHEMA

PART_ROWS = 1_000_000
USAGE = Usage.TRAIN_GENERATIVE


def make(folder: Path, rows: int, sites: int) -> None:
    """Write the tables of a clearance in which every row is offered."""
    (folder / "verdicts.parquet").mkdir(parents=True)
    (folder / "corpus").mkdir()
    parts = []
    for index, start in enumerate(range(0, rows, PART_ROWS)):
        count = min(PART_ROWS, rows - start)
        at = range(start, start + count)
        own = [n % 10 == 0 for n in at]
        urls = [f"https://site-{n % sites}.example/videos/{n}.mp4" for n in at]
        ids = [[f"i{n:x}"] if is_own else [f"s{n % sites:x}"]
               for n, is_own in zip(at, own, strict=True)]  # fmt: skip
        table = pa.table(
            [
                pa.array(at, pa.int64()), pa.array(urls),
                pa.array(["offered"] * count).dictionary_encode(),
                pa.array([["consent_conditional"]] * count, VERDICT_SCHEMA.field("reasons").type),
                pa.array(ids, VERDICT_SCHEMA.field("declarations").type),
                pa.array(["strict@1"] * count).dictionary_encode(),
            ],
            schema=VERDICT_SCHEMA,
        )  # fmt: skip
        name = f"verdicts.parquet/{index:05d}.parquet"
        pq.write_table(table, folder / name, compression="zstd", compression_level=1)
        pq.write_table(pa.table({"url": urls, "duration_s": pa.array([90] * count)}),
                       folder / "corpus" / f"{index:05d}.parquet")  # fmt: skip
        parts.append(
            {"file": name, "row_start": start, "rows": count, "sha256": "", "verdicts": {}}
        )
    write_offers(folder, rows, sites)
    document = {
        "type": "tercet/clearance@1", "rows": rows, "usage": str(USAGE), "created_at": "",
        "policy": {}, "corpus": {"inputs": []}, "declarations": {}, "verdicts": {"offered": rows},
        "reasons": {}, "parts": parts, "files": {}, "plan_sha256": "",
    }  # fmt: skip
    (folder / "clearance.json").write_text(json.dumps(document))
    notes = {"type": "tercet/local@1", "places": [str(folder / "corpus")]}
    (folder / "local.json").write_text(json.dumps(notes))


def write_offers(folder: Path, rows: int, sites: int) -> None:
    """Write offers of sites and of single items."""
    with duckdb.connect() as engine:
        engine.execute(f"""
            COPY (SELECT 's' || lower(hex(n)) AS declaration_id,
                         'https://site-' || n || '.example' AS site, '' AS item,
                         'payment' AS kind, 'EUR' AS currency, 20000 + n % 7 AS amount_micros,
                         CASE WHEN n % 2 = 0 THEN 'training' ELSE 'minute' END AS price_unit,
                         '' AS url, '' AS text FROM range({sites}) AS t(n)
                  UNION ALL
                  SELECT 'i' || lower(hex(n * 10)), 'https://site-' || (n * 10 % {sites})
                         || '.example', 'item', 'payment', 'USD', 1000000, 'training', '', ''
                  FROM range({rows // 10}) AS t(n))
            TO '{folder}/offers.parquet'
        """)
    assert pq.read_schema(folder / "offers.parquet").names == OFFER_SCHEMA.names


def agreement(folder: Path, sites: int) -> PricedTerms:
    """Return an agreement on a tenth of the sites."""
    lines = sorted(f"site:https://site-{n}.example" for n in range(0, sites, 10))
    file = folder / "repertoire.txt"
    file.write_text("\n".join(["tercet/repertoire@1", *lines]) + "\n")
    terms = Terms(
        PartyName("urn:tercet:party:0000000000000000", "Owner"),
        RepertoireName("0" * 64, len(lines)),
        grant=Grant(usages=(USAGE,)),
        price=Price("EUR", per_work_micros=10_000),
    )
    return PricedTerms("urn:uuid:00000000-0000-4000-8000-000000000000", "agreement", terms, file)


def main(rows: int = 10_000_000, sites: int = 200_000) -> None:
    """Make the tables, quote them, and print what that took."""
    with TemporaryDirectory(prefix="tercet-bench-") as name:
        folder = Path(name)
        making = Process(target=make, args=(folder, rows, sites))  # its memory is not the quote's
        making.start()
        making.join()
        own = agreement(folder, sites)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall_s, cpu_s = time.monotonic(), time.process_time()
        found = quote(QuoteRequest(folder, negotiated=(own,)))
        wall_s, cpu_s = time.monotonic() - wall_s, time.process_time() - cpu_s
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert found.counts.offered == rows
        print(f"{rows:,} offered rows of {sites:,} sites, {rows // 10:,} offers of single items: "
              f"{cpu_s:.1f} s of processor, {wall_s:.1f} s, peak {peak_kib / 1024:,.0f} MiB "
              f"(before: {before_kib / 1024:,.0f} MiB), {len(found.lines):,} lines listed, "
              f"{found.lines_left_out:,} more in the sums")  # fmt: skip
        print({currency: (total.before_micros, total.after_micros)
               for currency, total in found.totals.items()})  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
