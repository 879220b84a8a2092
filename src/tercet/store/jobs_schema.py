"""The tables of the queue, `jobs.sqlite`: videos to be made and made, and who is told of them.

All that the service knows stands here: a server that is killed has forgotten nothing.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table

SCHEMA_VERSION = 1  # PRAGMA user_version
METADATA = MetaData()

JOBS = Table(
    "jobs",
    METADATA,
    Column("number", Integer, primary_key=True),  # the order of the queue, never used twice
    Column("video_id", String, nullable=False, unique=True),
    Column("status", String, nullable=False),  # queued, in_progress, completed, failed
    Column("request", String, nullable=False),  # JSON: what was asked for
    Column("duration_s", Float, nullable=False),
    Column("created_at", Float, nullable=False),  # seconds of Unix time, as all times here
    Column("started_at", Float),
    Column("completed_at", Float),
    Column("steps_done", Integer, nullable=False, default=0),
    Column("steps_total", Integer, nullable=False, default=0),
    Column("restarts", Integer, nullable=False, default=0),
    Column("cancel_asked", Integer, nullable=False, default=0),
    Column("error_code", String, nullable=False, default=""),
    Column("error_message", String, nullable=False, default=""),
    Column("remixed_from", String, nullable=False, default=""),
    Column("extended_from", String, nullable=False, default=""),
    Column("file_sha256", String, nullable=False, default="", index=True),  # of the video
    Column("result", String, nullable=False, default="{}"),  # JSON: what was made, and by what
    Index("jobs_by_status", "status", "number"),
    sqlite_autoincrement=True,
)

KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("key", String, primary_key=True),
    Column("digest", String, nullable=False),  # SHA-256 of what was asked with it
    Column("video_id", String, nullable=False),
    Column("created_at", Float, nullable=False),
)

ENDPOINTS = Table(
    "webhook_endpoints",
    METADATA,
    Column("endpoint_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("url", String, nullable=False),
    Column("event_types", String, nullable=False),  # JSON list
    Column("secret", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)

DELIVERIES = Table(
    "webhook_deliveries",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column(
        "endpoint_id",
        String,
        ForeignKey("webhook_endpoints.endpoint_id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("event_id", String, nullable=False),
    Column("body", String, nullable=False),  # JSON, sent as it stands
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Float, nullable=False),
    sqlite_autoincrement=True,
)
"""What is still to be told. A row is written with the end of a job, in one transaction."""
