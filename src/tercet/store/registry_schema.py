"""The tables of a registry, `registry.sqlite`. The log is what counts; the rest follows from it.

Every change appends signed documents to the log in the same transaction that changes the other
tables. Triggers forbid to change or delete what the log holds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

SCHEMA_VERSION = 1  # PRAGMA user_version
METADATA = MetaData()

NUMBERS = Table(
    "numbers",
    METADATA,
    Column("name", String, primary_key=True),
    Column("next", Integer, nullable=False),
)
"""Counters. Work numbers are taken from here before a work is written, and never given back."""

WORKS = Table(
    "works",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("medium", String, nullable=False),
    Column("sha256", String, nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("creators", String, nullable=False),  # JSON list
    Column("identifiers", String, nullable=False),  # JSON object
    Column("source_url", String, nullable=False),
    Column("iscc", String, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("path", String, nullable=False),
    Column("registered_at", String, nullable=False),
    Column("methods", String, nullable=False),  # JSON list
    Column("unfit", String, nullable=False),  # JSON list
    Column("flags", String, nullable=False),  # JSON list
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("claim_id", String, primary_key=True),
    Column("work", Integer, ForeignKey("works.number"), nullable=False),
    Column("sha256", String, nullable=False, index=True),
    Column("public_key", String, nullable=False, index=True),
    Column("owner", String, nullable=False),
    Column("share_basis_points", Integer, nullable=False),
    Column("state", String, nullable=False),  # live, withdrawn, amended, set_aside
    Column("previous", String, nullable=False),
    Column("log_index", Integer, ForeignKey("log.position"), nullable=False),
    Index("claims_by_work", "work", "state"),
)

EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("claim_id", String, ForeignKey("claims.claim_id"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("covers_all", Integer, nullable=False),
    Column("checked", String, nullable=False),  # unchecked, verified, failed
    Column("checked_at", String, nullable=False),
)

DISPUTES = Table(
    "disputes",
    METADATA,
    Column("dispute_id", String, primary_key=True),
    Column("state", String, nullable=False, index=True),
    Column("deadline", String, nullable=False),
    Column("document", String, nullable=False),  # the dispute as JSON
)

SIDES = Table(
    "dispute_sides",
    METADATA,
    Column("dispute_id", String, ForeignKey("disputes.dispute_id"), primary_key=True),
    Column("claim_id", String, ForeignKey("claims.claim_id"), primary_key=True, index=True),
)

REJECTIONS = Table(
    "rejections",
    METADATA,
    Column("item_sha256", String, primary_key=True),
    Column("work", Integer, ForeignKey("works.number"), primary_key=True),
    Column("who", String, nullable=False),
    Column("at", String, nullable=False),
    Column("log_index", Integer, ForeignKey("log.position"), nullable=False),
)
"""What a person looked at and called no match."""

LOG = Table(
    "log",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("type", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("digest", String, nullable=False),
    Column("chain", String, nullable=False),
)
"""Append-only. ``chain`` is the SHA-256 over position, type, digest and the chain before."""

TRIGGERS = (
    *(
        f"CREATE TRIGGER log_no_{verb} BEFORE {verb.upper()} ON log "
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
        for verb in ("update", "delete")
    ),
    # INSERT OR REPLACE deletes without asking the trigger above.
    "CREATE TRIGGER log_no_replace BEFORE INSERT ON log "
    "WHEN NEW.position <> (SELECT coalesce(max(position) + 1, 0) FROM log) "
    "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
)
