"""The tables of a desk for open letters. Unlike all else in a desk they hold persons: what somebody
withdraws is erased, so nothing here is append-only but the letters themselves.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table

from tercet.store.desk_schema import METADATA, append_only

LETTERS = append_only(
    Table(
        "letters",
        METADATA,
        Column("sha256", String, primary_key=True),  # the letter's hash
        Column("letter_id", String, nullable=False, unique=True),
        Column("document", LargeBinary, nullable=False),
        Column("received_at", String, nullable=False),
    )
)

LETTER_SIGNATURES = Table(
    "letter_signatures",
    METADATA,
    Column("signature_id", String, primary_key=True),
    Column("letter", String, ForeignKey("letters.sha256"), nullable=False),
    Column("signer", String, nullable=False),  # a keyed digest of who it is: one signs once
    Column("document", LargeBinary, nullable=False),  # empty once withdrawn
    Column("keys", String, nullable=False),  # of who signed by key: JSON, Base64; else "[]"
    Column("email", String, nullable=False),  # where the link goes; empty once withdrawn
    Column("signed_at", String, nullable=False),
    Column("withdrawn_at", String, nullable=False),
    Index("letter_signers", "letter", "signer", unique=True),
)

LETTER_PROOFS = Table(
    "letter_proofs",
    METADATA,
    Column("signature_id", String, ForeignKey("letter_signatures.signature_id"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("checked_at", String, nullable=False),
    Column("note", String, nullable=False),
)

LETTER_TOKENS = Table(
    "letter_tokens_used",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("used_at", String, nullable=False),
)
"""Links that were followed, as digests: none is followed twice."""

LETTER_MAILS = Table(
    "letter_mails",
    METADATA,
    Column("digest", String, primary_key=True),  # a keyed digest of the address and the letter
    Column("sent_at", String, nullable=False),
)
"""When an address was last written to: nobody is made to get many messages."""
