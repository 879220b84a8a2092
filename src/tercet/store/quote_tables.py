"""The offered rows of a clearance, grouped by the offers they rest on; streamed by DuckDB.

Rows are read once, in bounded memory: what does not fit is spilled beside the temporary files.

    offered rows ──▶ groups (same declarations, same negotiated source) ──▶ lines (same offer)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from tercet.core.errors import IntegrityError
from tercet.store.files import literal_path
from tercet.store.lookup import VERIFY_HINT

MEMORY = "1GB"
_FETCHED = 10_000
REPERTOIRE_HEADER_LINES = 1

_CHOSEN = """
    CREATE TABLE chosen AS
    SELECT declaration_id, unnest(min({{
        'rank': rank, 'currency': currency, 'amount': amount, 'word': word, 'url': url,
        'kind': kind, 'offer_id': offer_id, 'owner': owner, 'site': site
    }})), count(*) AS alternatives
    FROM (
        SELECT DISTINCT o.declaration_id,
            CASE WHEN s.offer_id IS NOT NULL THEN -1 WHEN o.amount_micros IS NULL THEN 99
                 ELSE coalesce(w.rank, 50) END AS rank,
            CASE WHEN s.offer_id IS NULL THEN o.amount_micros ELSE 0 END AS amount,
            coalesce(s.currency, o.currency) AS currency,
            CASE WHEN s.offer_id IS NULL THEN coalesce(o.price_unit, '') ELSE '' END AS word,
            CASE WHEN s.offer_id IS NULL THEN coalesce(o.url, '') ELSE '' END AS url,
            CASE WHEN s.offer_id IS NULL THEN o.kind ELSE '' END AS kind,
            coalesce(s.offer_id, '') AS offer_id,
            coalesce(s.owner, r.owner, '') AS owner,
            CASE WHEN s.offer_id IS NULL THEN o.site ELSE '' END AS site
        FROM read_parquet($offers) AS o
        LEFT JOIN words AS w ON w.word = coalesce(o.price_unit, '')
        LEFT JOIN registered AS r ON r.declaration_id = o.declaration_id
        LEFT JOIN signed AS s ON s.offer_id = {offer_id}
    )
    GROUP BY declaration_id
"""
_OFFER_ID = (
    "'urn:uuid:' || regexp_extract(lower(coalesce(o.url, '')), "
    "'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')"
)
_REGISTERED = """
    INSERT INTO registered
    SELECT declaration_id, max(coalesce(json_extract_string(evidence, '$.owner'), '')),
           max(coalesce(json_extract_string(evidence, '$.work_sha256'), ''))
    FROM read_parquet($1, union_by_name = true) WHERE signal = 'registry' GROUP BY declaration_id
"""
_WORDS = """
    SELECT DISTINCT coalesce(price_unit, '') FROM read_parquet($1) WHERE amount_micros IS NOT NULL
"""
_OFFERED = """
    CREATE VIEW offered AS
    SELECT item_id, item, declarations::VARCHAR[] AS declarations
    FROM read_parquet({files}) WHERE verdict = 'offered'
"""
_KEYS = """
    INSERT INTO keys SELECT line, {source}::INTEGER FROM read_csv($1, header = false, skip = {skip},
        columns = {{'line': 'VARCHAR'}}, delim = '\\x01', quote = '', escape = '',
        auto_detect = false)
"""
_SITE = (
    "regexp_replace(lower(regexp_extract(item, '^[A-Za-z]+://[^/?#]+')), "
    "'^(http://.*):80$|^(https://.*):443$', '\\1\\2')"
)
_FOUND_BY = f"""
    SELECT o.item_id, k.source FROM offered AS o JOIN {{keys}} AS k ON k.line = 'url:' || o.item
    UNION
    SELECT o.item_id, k.source FROM (SELECT item_id, {_SITE} AS site FROM offered) AS o
    JOIN {{keys}} AS k ON k.line = 'site:' || o.site
    UNION
    SELECT o.item_id, k.source
    FROM (SELECT item_id, unnest(declarations) AS declaration_id FROM offered) AS o
    JOIN registered AS r ON r.declaration_id = o.declaration_id
    JOIN {{keys}} AS k ON k.line = 'sha256:' || r.sha256
"""
_COVERED = f"""
    CREATE TABLE covered AS SELECT item_id, min(source) AS source FROM (
        ({_FOUND_BY.format(keys="keys")}) EXCEPT ({_FOUND_BY.format(keys="excluded")})
    ) GROUP BY item_id
"""
_GROUPS = """
    CREATE TABLE groups AS
    SELECT row_number() OVER () AS g, * FROM (
        SELECT o.declarations, {source} AS source, count(*) AS items,
               {ms} AS ms, {ms_missing} AS ms_missing,
               {tokens} AS tokens, {tokens_missing} AS tokens_missing
        FROM offered AS o {joins} GROUP BY o.declarations, {source}
    )
"""
_PAIRS = """
    CREATE TABLE pairs AS
    SELECT p.g, c.offer_id, c.owner, c.site, c.word, c.currency, c.amount, c.url, c.kind,
           max(c.alternatives) AS alternatives
    FROM (SELECT g, unnest(declarations) AS declaration_id FROM groups) AS p
    JOIN chosen AS c ON c.declaration_id = p.declaration_id
    GROUP BY ALL
"""
_PRICED = "(SELECT DISTINCT g FROM pairs WHERE currency IS NOT NULL)"
_LINES = """
    SELECT any_value(p.offer_id), any_value(p.owner), any_value(p.site), any_value(p.word),
           any_value(p.currency), any_value(p.amount), any_value(p.url), any_value(p.kind),
           max(p.alternatives),
           sum(q.items), sum(q.ms), sum(q.ms_missing), sum(q.tokens), sum(q.tokens_missing),
           sum(CASE WHEN q.source IS NULL THEN q.items ELSE 0 END),
           sum(CASE WHEN q.source IS NULL THEN q.ms ELSE 0 END),
           sum(CASE WHEN q.source IS NULL THEN q.ms_missing ELSE 0 END),
           sum(CASE WHEN q.source IS NULL THEN q.tokens ELSE 0 END),
           sum(CASE WHEN q.source IS NULL THEN q.tokens_missing ELSE 0 END)
    FROM ({pairs}) AS p JOIN groups AS q ON q.g = p.g
    GROUP BY p.offer_id, p.owner, p.site, p.word, p.currency, p.amount, p.url, p.kind
    ORDER BY 10 DESC, 2, 3, 4, 5, 6, 7
"""
_UNPRICED = f"""
    SELECT g, min({{'owner': owner, 'site': site, 'url': url, 'kind': kind}}) AS best
    FROM pairs WHERE g NOT IN {_PRICED} GROUP BY g
"""
_UNPRICED_LINES = f"""
    SELECT p.best.owner, p.best.site, p.best.url, p.best.kind, sum(q.items),
           sum(CASE WHEN q.source IS NULL THEN q.items ELSE 0 END)
    FROM ({_UNPRICED}) AS p JOIN groups AS q ON q.g = p.g GROUP BY p.best ORDER BY 5 DESC, 1, 2, 3
"""
_SOURCES = """
    SELECT source, sum(items), sum(ms), sum(ms_missing), sum(tokens), sum(tokens_missing)
    FROM groups WHERE source IS NOT NULL GROUP BY source ORDER BY source
"""
_COUNTS = f"""
    SELECT coalesce(sum(items), 0),
           coalesce(sum(items) FILTER (g IN {_PRICED}), 0),
           coalesce(sum(items) FILTER (g IN {_PRICED}
               AND g IN (SELECT g FROM pairs WHERE currency IS NULL)), 0),
           coalesce(sum(items) FILTER (g NOT IN (SELECT g FROM pairs)), 0)
    FROM groups
"""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is meant: works, and what of them was measured (see ``Measures``)."""

    items: int
    duration_ms: int
    without_duration: int
    tokens: int
    without_tokens: int


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One offer with what rests on it. ``rest`` is what no negotiated source covers.

    ``offer_id`` names a signed offer; else ``word`` is the unit in the signal's own word and
    ``amount_micros`` the price of one. ``alternatives`` counts the offers of the declaration it
    was chosen from.
    """

    offer_id: str
    owner: str
    site: str
    word: str
    currency: str
    amount_micros: int
    url: str
    kind: str
    alternatives: int
    all: Amounts
    rest: Amounts


@dataclass(frozen=True, slots=True)
class UnpricedLine:
    """An offer without a price, and how many items have no other; ``rest`` as in OfferLine."""

    owner: str
    site: str
    url: str
    kind: str
    items: int
    rest: int


@dataclass(frozen=True, slots=True)
class SignedPrice:
    """What the tables need of a signed offer that is in force."""

    offer_id: str
    owner: str
    currency: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Offered rows: all, with a price, of these with an offer without one beside it, and those
    of which no offer is known."""

    offered: int
    priced: int
    also_without_price: int
    without_offer: int


class QuoteTables:
    """The tables of one quote. Made by `quote_tables`; call `group` before asking for lines."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, out: Path, parts: Sequence[Path]) -> None:
        self._engine = engine
        self._out = out
        self._has_measures = False
        self._has_sources = False
        engine.execute(_OFFERED.format(files=_literal(parts)))
        for statement in (
            "CREATE TABLE words (word VARCHAR, rank INTEGER)",
            "CREATE TABLE signed (offer_id VARCHAR, owner VARCHAR, currency VARCHAR)",
            "CREATE TABLE registered (declaration_id VARCHAR, owner VARCHAR, sha256 VARCHAR)",
            "CREATE TABLE keys (line VARCHAR, source INTEGER)",
            "CREATE TABLE excluded (line VARCHAR, source INTEGER)",
            "CREATE TABLE measures (item VARCHAR, ms BIGINT, tokens BIGINT)",
        ):
            engine.execute(statement)

    def take_words(self, ranks: Mapping[str, int]) -> None:
        """Take which unit words are preferred where offers are alternatives: the lowest rank."""
        self._engine.executemany("INSERT INTO words VALUES (?, ?)", list(ranks.items()))

    def take_signed(self, offers: Iterable[SignedPrice]) -> None:
        """Take the signed offers in force; offers found in the open may name them by their id."""
        rows = [(each.offer_id, each.owner, each.currency) for each in offers]
        if rows:
            self._engine.executemany("INSERT INTO signed VALUES (?, ?, ?)", rows)

    def take_repertoire(self, source: int, file: Path, exclusions: Sequence[str] = ()) -> None:
        """Take the works of a negotiated source; where several hold an item the lowest counts."""
        query = _KEYS.format(source=int(source), skip=REPERTOIRE_HEADER_LINES)
        self._engine.execute(query, [literal_path(file)])
        if exclusions:
            self._engine.execute(
                "INSERT INTO excluded SELECT unnest($1), $2", [list(exclusions), source]
            )
        self._has_sources = True

    def take_measures(self, rows: Iterable[tuple[str, int | None, int | None]]) -> None:
        """Take (item, milliseconds, tokens); None: not known."""
        batch = list(rows)
        if batch:
            self._engine.executemany("INSERT INTO measures VALUES (?, ?, ?)", batch)
        self._has_measures = True

    def take_measured_table(self, query: str, files: Sequence[Path]) -> None:
        """Take (item, milliseconds, tokens) of a table that DuckDB reads; see quote_measures."""
        names = [literal_path(file) for file in files]
        self._engine.execute(f"INSERT INTO measures {query}", [names])
        self._has_measures = True

    def unit_words(self) -> list[str]:
        """Return the words in which offers found in the open name what is paid for."""
        offers = literal_path(self._out / "offers.parquet")
        rows = self._engine.execute(_WORDS, [offers]).fetchall()
        return [str(row[0]) for row in rows]

    def group(self) -> None:
        """Read the offered rows and join them with their offers. Raises IntegrityError."""
        self._read_registered()
        query = _CHOSEN.format(offer_id=_OFFER_ID)
        offers = literal_path(self._out / "offers.parquet")
        self._engine.execute(query, {"offers": offers})
        joins = ""
        if self._has_sources:
            self._engine.execute(_COVERED)
            joins += " LEFT JOIN covered AS v ON v.item_id = o.item_id"
        if self._has_measures:
            self._keep_certain_measures()
            joins += " LEFT JOIN certain AS m ON m.item = o.item"
        measured = self._has_measures
        self._engine.execute(
            _GROUPS.format(
                joins=joins,
                source="v.source" if self._has_sources else "NULL::INTEGER",
                ms="coalesce(sum(m.ms), 0)" if measured else "0",
                ms_missing="count(*) - count(m.ms)" if measured else "count(*)",
                tokens="coalesce(sum(m.tokens), 0)" if measured else "0",
                tokens_missing="count(*) - count(m.tokens)" if measured else "count(*)",
            )
        )
        self._engine.execute(_PAIRS)

    def _read_registered(self) -> None:
        folders = (self._out / "evidence", self._out / "matches")
        files = [folder / "declarations.parquet" for folder in folders]
        found = [literal_path(file) for file in files if file.is_file()]
        if found:
            self._engine.execute(_REGISTERED, [found])

    def _keep_certain_measures(self) -> None:
        """An item that stands twice with different measures has none: which one is not said."""
        self._engine.execute("""
            CREATE TABLE certain AS SELECT item,
                CASE WHEN min(ms) = max(ms) AND count(ms) = count(*) THEN min(ms) END AS ms,
                CASE WHEN min(tokens) = max(tokens) AND count(tokens) = count(*)
                     THEN min(tokens) END AS tokens
            FROM measures GROUP BY item
        """)

    def counts(self) -> Counts:
        """Return how many offered rows there are, and how many of them have a price."""
        row = self._engine.execute(_COUNTS).fetchone() or (0, 0, 0, 0)
        return Counts(*map(int, row))

    def lines(self) -> Iterator[OfferLine]:
        """Yield every offer with a price, those of most items first."""
        query = _LINES.format(pairs="SELECT * FROM pairs WHERE currency IS NOT NULL")
        for row in self._rows(query):
            offer_id, owner, site, word, currency = map(str, row[:5])
            yield OfferLine(
                offer_id, owner, site, word, currency, int(row[5]), str(row[6]), str(row[7]),
                int(row[8]), Amounts(*map(int, row[9:14])), Amounts(*map(int, row[14:19])),
            )  # fmt: skip

    def unpriced(self) -> Iterator[UnpricedLine]:
        """Yield the offers of items that have no offer with a price."""
        for row in self._rows(_UNPRICED_LINES):
            owner, site, url, kind = map(str, row[:4])
            yield UnpricedLine(owner, site, url, kind, int(row[4]), int(row[5]))

    def sources(self) -> dict[int, Amounts]:
        """Return how much every negotiated source covers."""
        return {int(row[0]): Amounts(*map(int, row[1:])) for row in self._rows(_SOURCES)}

    def offered_items(self) -> Iterator[str]:
        """Yield the items that are offered, as they stand in the corpus."""
        for row in self._rows("SELECT DISTINCT item FROM offered"):
            yield row[0]

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        result = self._engine.cursor().execute(query)  # sees all tables but temporary ones
        while rows := result.fetchmany(_FETCHED):
            yield from rows


@contextmanager
def quote_tables(out: Path, parts: Sequence[Path]) -> Iterator[QuoteTables]:
    """Give the tables over the verdict ``parts`` of the clearance in ``out``.

    Raises IntegrityError where a file of the clearance cannot be read.
    """
    with TemporaryDirectory(prefix="tercet-") as spill, duckdb.connect() as engine:
        engine.execute(f"SET memory_limit = '{MEMORY}'")
        engine.execute("SET temp_directory = ?", [spill])
        engine.execute("SET preserve_insertion_order = false")
        try:
            yield QuoteTables(engine, out, parts)
        except duckdb.Error as error:
            text = str(error).splitlines()[0][:200]
            raise IntegrityError(f"cannot read the tables: {text}", hint=VERIFY_HINT) from error


def _literal(paths: Sequence[Path]) -> str:
    quoted = ", ".join("'" + literal_path(path).replace("'", "''") + "'" for path in paths)
    return f"[{quoted}]"
