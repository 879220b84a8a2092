"""The tables of a desk, `desk.sqlite`: what one party said, heard, signed and agreed to.

What happened is append-only, by triggers (``append_only``); the other tables say where things
stand. Other modules put tables of their own into METADATA, and are named in store/desk_database.
Documents are kept as the bytes that were signed: canonical JSON. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

SCHEMA_VERSION = 1  # PRAGMA user_version
METADATA = MetaData()
TRIGGERS: dict[str, str] = {}  # name -> SQL


def append_only(table: Table) -> Table:
    """Return ``table``, of which rows are never changed, taken out or written over."""
    abort = f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    for verb in ("update", "delete"):
        name = f"{table.name}_no_{verb}"
        TRIGGERS[name] = f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON {table.name} {abort}"
    unique = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    for at, columns in enumerate([table.primary_key.columns, *(each.columns for each in unique)]):
        same = " AND ".join(f"{column.name} = NEW.{column.name}" for column in columns)
        name = f"{table.name}_no_replace_{at}"  # INSERT OR REPLACE deletes without asking
        TRIGGERS[name] = (
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table.name} "
            f"WHEN EXISTS (SELECT 1 FROM {table.name} WHERE {same}) {abort}"
        )
    return table


SETTINGS = Table(
    "settings",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
"""``party``: the id of the party whose desk this is."""

PARTY_VERSIONS = append_only(
    Table(
        "party_versions",
        METADATA,
        Column("party", String, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("name", String, nullable=False, index=True),
        Column("sha256", String, nullable=False, unique=True),
        Column("document", LargeBinary, nullable=False),
        Column("received_at", String, nullable=False),
    )
)

CONFIRMED_NAMES = Table(
    "confirmed_names",
    METADATA,
    Column("party", String, primary_key=True),
    Column("other", String, primary_key=True),
    Column("at", String, nullable=False),
)
"""Parties of similar names that a person told apart."""

OFFERS = append_only(
    Table(
        "offers",
        METADATA,
        Column("number", Integer, primary_key=True),
        Column("offer_id", String, nullable=False),
        Column("sha256", String, nullable=False),  # of the document unsigned
        Column("maker", String, nullable=False),
        Column("licensor", String, nullable=False, index=True),
        Column("licensee", String, nullable=False, index=True),  # "": to everybody
        Column("repertoire", String, nullable=False, index=True),
        Column("made_at", String, nullable=False),
        Column("valid_until", String, nullable=False),
        Column("pid", String, nullable=False, index=True),  # "": published, in no negotiation
        Column("document", LargeBinary, nullable=False),
        Column("seen_at", String, nullable=False),
        UniqueConstraint("offer_id", "sha256", "pid"),
        sqlite_autoincrement=True,
    )
)

OFFERS_WITHDRAWN = append_only(
    Table(
        "offers_withdrawn",
        METADATA,
        Column("offer_id", String, primary_key=True),
        Column("at", String, nullable=False),
    )
)

RESERVES = Table(
    "reserves",
    METADATA,
    Column("subject", String, primary_key=True),  # an offer's id, a negotiation's pid, ...
    Column("price", LargeBinary, nullable=False),  # canonical JSON
    Column("at", String, nullable=False),
)
"""What this party would still take. Never in a document, a message or an answer."""

NEGOTIATIONS = Table(
    "negotiations",
    METADATA,
    Column("pid", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("party", String, nullable=False),
    Column("peer", String, nullable=False),
    Column("peer_pid", String, nullable=False),
    Column("peer_address", String, nullable=False),
    Column("supersedes", String, nullable=False, index=True),
    Column("state", String, nullable=False, index=True),  # "" before the first message took effect
    Column("pending", String, nullable=False),  # the id of our message under way, or ""
    Column("pending_step", String, nullable=False),
    Column("opened_at", String, nullable=False),
    Column("changed_at", String, nullable=False),
    Index("negotiations_by_peer", "peer", "peer_pid"),
)

MESSAGES = append_only(
    Table(
        "messages",
        METADATA,
        Column("number", Integer, primary_key=True),
        Column("pid", String, ForeignKey("negotiations.pid"), nullable=False),
        Column("sender", String, nullable=False),  # consumer, provider
        Column("message_id", String, nullable=False),
        Column("step", String, nullable=False),
        Column("sha256", String, nullable=False),
        Column("message", LargeBinary, nullable=False),
        Column("at", String, nullable=False),
        UniqueConstraint("pid", "sender", "message_id"),
        sqlite_autoincrement=True,
    )
)

HISTORY = append_only(
    Table(
        "history",
        METADATA,
        Column("pid", String, ForeignKey("negotiations.pid"), primary_key=True),
        Column("position", Integer, primary_key=True),
        Column("happening", String, nullable=False),
        Column("state", String, nullable=False),
        Column("message", Integer, ForeignKey("messages.number")),
        Column("words", String, nullable=False),
        Column("at", String, nullable=False),
    )
)

ANSWERS = append_only(
    Table(
        "answers",
        METADATA,
        Column("pid", String, ForeignKey("negotiations.pid"), primary_key=True),
        Column("message_id", String, primary_key=True),
        Column("sha256", String, nullable=False),  # of the message that was answered
        Column("answer", LargeBinary, nullable=False),
        Column("at", String, nullable=False),
    )
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("message", Integer, ForeignKey("messages.number"), primary_key=True),
    Column("pid", String, ForeignKey("negotiations.pid"), nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", String, nullable=False),
    Column("note", String, nullable=False),  # what came of the last attempt
    Index("outbox_by_time", "due_at"),
)
"""The messages under way: at most one of each negotiation, sent until it is answered."""

AGREEMENTS = append_only(
    Table(
        "agreements",
        METADATA,
        Column("agreement_id", String, primary_key=True),
        Column("sha256", String, nullable=False, unique=True),  # of the document unsigned
        Column("pid", String, nullable=False, index=True),  # "": not negotiated here
        Column("assigner", String, nullable=False, index=True),
        Column("assignee", String, nullable=False, index=True),
        Column("repertoire", String, nullable=False, index=True),
        Column("supersedes", String, nullable=False, index=True),
        Column("document", LargeBinary, nullable=False),  # unsigned; see agreement_signatures
        Column("seen_at", String, nullable=False),
    )
)

AGREEMENT_SIGNATURES = append_only(
    Table(
        "agreement_signatures",
        METADATA,
        Column("number", Integer, primary_key=True),
        Column("agreement_id", String, ForeignKey("agreements.agreement_id"), nullable=False),
        Column("party", String, nullable=False),
        Column("key_id", String, nullable=False),
        Column("jws", String, nullable=False),
        Column("seen_at", String, nullable=False),  # when it was first here: see key_standing
        UniqueConstraint("agreement_id", "key_id"),
        sqlite_autoincrement=True,
    )
)

AGREEMENTS_FINAL = append_only(
    Table(
        "agreements_final",
        METADATA,
        Column("agreement_id", String, ForeignKey("agreements.agreement_id"), primary_key=True),
        Column("at", String, nullable=False),
    )
)
"""The agreements whose negotiation was finalized, or that were taken in as whole documents."""

TERMINATIONS = append_only(
    Table(
        "terminations",
        METADATA,
        Column("number", Integer, primary_key=True),
        Column("agreement_id", String, nullable=False, index=True),
        Column("sha256", String, nullable=False),  # of the document unsigned
        Column("signers", String, nullable=False),  # party ids, sorted, with spaces between
        Column("document", LargeBinary, nullable=False),
        Column("seen_at", String, nullable=False),
        UniqueConstraint("sha256", "signers"),
        sqlite_autoincrement=True,
    )
)

REPERTOIRES = append_only(
    Table(
        "repertoires",
        METADATA,
        Column("sha256", String, primary_key=True),
        Column("bytes", Integer, nullable=False),
        Column("seen_at", String, nullable=False),
    )
)
"""The lists of works that lie in the folder `repertoires`, by the SHA-256 of their bytes."""
