"""Who is told when a video is done, and what is still to be told them."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from tercet.core.errors import MissingError
from tercet.store.jobs_schema import DELIVERIES, ENDPOINTS
from tercet.store.sqlite_database import SqliteDatabase

EVENT_TYPES = ("video.completed", "video.failed")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that is told of events. ``secret`` signs what it is sent."""

    endpoint_id: str
    name: str
    url: str
    event_types: tuple[str, ...]
    secret: str
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    number: int
    endpoint: Endpoint
    event_id: str
    body: str
    attempts: int


class Webhooks:
    """The endpoints and deliveries of a queue."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database

    def add(self, endpoint: Endpoint) -> None:
        """Keep a new endpoint."""
        with self.database.writing() as connection:
            connection.execute(insert(ENDPOINTS).values(**_row(endpoint)))

    def change(self, endpoint: Endpoint) -> None:
        """Replace an endpoint. Raises MissingError."""
        with self.database.writing() as connection:
            done = connection.execute(
                update(ENDPOINTS)
                .where(ENDPOINTS.c.endpoint_id == endpoint.endpoint_id)
                .values(**_row(endpoint))
            )
            if not done.rowcount:
                raise _missing(endpoint.endpoint_id)

    def get(self, endpoint_id: str) -> Endpoint:
        """Return an endpoint. Raises MissingError."""
        with self.database.reading() as connection:
            query = select(ENDPOINTS).where(ENDPOINTS.c.endpoint_id == endpoint_id)
            row = connection.execute(query).first()
        if row is None:
            raise _missing(endpoint_id)
        return _endpoint(row)

    def all(self) -> tuple[Endpoint, ...]:
        """Return every endpoint, oldest first."""
        with self.database.reading() as connection:
            query = select(ENDPOINTS).order_by(ENDPOINTS.c.created_at, ENDPOINTS.c.endpoint_id)
            return tuple(map(_endpoint, connection.execute(query)))

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint and what it was still to be told. Raises MissingError."""
        with self.database.writing() as connection:
            query = delete(ENDPOINTS).where(ENDPOINTS.c.endpoint_id == endpoint_id)
            if not connection.execute(query).rowcount:
                raise _missing(endpoint_id)

    def due(self, *, now: float, limit: int) -> tuple[Delivery, ...]:
        """Return deliveries whose time has come, oldest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(DELIVERIES, ENDPOINTS)
                .join(ENDPOINTS, DELIVERIES.c.endpoint_id == ENDPOINTS.c.endpoint_id)
                .where(DELIVERIES.c.due_at <= now)
                .order_by(DELIVERIES.c.number)
                .limit(limit)
            ).all()
        return tuple(
            Delivery(row.number, _endpoint(row), row.event_id, row.body, row.attempts)
            for row in rows
        )

    def delivered(self, number: int) -> None:
        """Note that an event arrived, or that nobody will try any more."""
        with self.database.writing() as connection:
            connection.execute(delete(DELIVERIES).where(DELIVERIES.c.number == number))

    def postpone(self, number: int, *, due_at: float) -> None:
        """Note a failed attempt and when to try again."""
        with self.database.writing() as connection:
            connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.number == number)
                .values(attempts=DELIVERIES.c.attempts + 1, due_at=due_at)
            )


def event_body(event_type: str, video_id: str, event_id: str, *, now: float) -> str:
    """Return an event as JSON, in the shape of the webhooks that `/v1/videos` clients know."""
    return json.dumps(
        {
            "object": "event",
            "id": event_id,
            "type": event_type,
            "created_at": int(now),
            "data": {"id": video_id},
        }
    )


def note_event(connection: Connection, event_type: str, video_id: str, *, now: float) -> None:
    """Write a delivery for every endpoint that asked for events of this type."""
    event_id = f"evt_{secrets.token_hex(16)}"
    for endpoint in map(_endpoint, connection.execute(select(ENDPOINTS))):
        if event_type in endpoint.event_types:
            connection.execute(insert(DELIVERIES).values(
                endpoint_id=endpoint.endpoint_id, event_id=event_id, due_at=now,
                body=event_body(event_type, video_id, event_id, now=now)))  # fmt: skip


def _missing(endpoint_id: str) -> MissingError:
    return MissingError(f"there is no webhook endpoint {endpoint_id[:80]!r}")


def _row(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint_id": endpoint.endpoint_id,
        "name": endpoint.name,
        "url": endpoint.url,
        "event_types": json.dumps(endpoint.event_types),
        "secret": endpoint.secret,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        row.endpoint_id, row.name, row.url, tuple(json.loads(row.event_types)), row.secret,
        row.created_at, row.updated_at,
    )  # fmt: skip
