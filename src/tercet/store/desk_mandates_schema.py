"""The tables of a desk for mandates: what members gave, took back, and were told."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from tercet.store.desk_schema import METADATA, append_only

MANDATES = append_only(
    Table(
        "mandates",
        METADATA,
        Column("mandate_id", String, primary_key=True),
        Column("sha256", String, nullable=False),  # of the document unsigned
        Column("member", String, nullable=False, index=True),
        Column("collective", String, nullable=False, index=True),
        Column("document", LargeBinary, nullable=False),
        Column("received_at", String, nullable=False),
    )
)

REVOCATIONS = append_only(
    Table(
        "mandate_revocations",
        METADATA,
        Column("mandate_id", String, ForeignKey("mandates.mandate_id"), primary_key=True),
        Column("document", LargeBinary, nullable=False),
        Column("received_at", String, nullable=False),  # the notice runs from here
    )
)

SNAPSHOTS = append_only(
    Table(
        "collective_snapshots",
        METADATA,
        Column("snapshot_id", String, primary_key=True),
        Column("sha256", String, nullable=False),
        Column("collective", String, nullable=False),
        Column("repertoire", String, nullable=False),
        Column("document", LargeBinary, nullable=False),
        Column("received_at", String, nullable=False),
    )
)

NOTICES = Table(
    "member_notices",
    METADATA,
    Column("notice_id", String, primary_key=True),
    Column("mandate_id", String, nullable=False, index=True),
    Column("member", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("made_at", String, nullable=False),
    Column("delivered_at", String, nullable=False, index=True),  # "": not yet
)
"""What members are to be told, and when it was handed over."""
