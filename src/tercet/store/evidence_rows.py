"""The two tables of an evidence directory: their columns, and values written as rows."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from tercet.consent.capture import Capture
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.core.condition import condition_fields, condition_from_fields
from tercet.core.declaration import Carrier, Declaration, Matching, Reading, Statement
from tercet.core.usage import Permission, Usage, permissions

if TYPE_CHECKING:
    import pyarrow as pa

CAPTURE_COLUMNS: tuple[tuple[str, str], ...] = (
    ("resource", "text"),
    ("carrier", "text"),
    ("site", "text"),
    ("item", "text"),
    ("uri", "text"),
    ("media_type", "text"),
    ("fetched_at", "text"),
    ("status", "int32"),
    ("failure", "text"),
    ("raw_sha256", "text"),
    ("raw_bytes", "int64"),
    ("redirects", "texts"),
    ("note", "text"),
)
DECLARATION_COLUMNS: tuple[tuple[str, str], ...] = (
    ("declaration_id", "text"),
    ("ordinal", "int32"),
    ("resource", "text"),
    ("site", "text"),
    ("item", "text"),
    ("signal", "text"),
    ("spec", "text"),
    ("spec_version", "text"),
    ("carrier", "text"),
    ("uri", "text"),
    ("line_start", "int32"),
    ("line_end", "int32"),
    ("byte_start", "int64"),
    ("byte_end", "int64"),
    ("raw_sha256", "text"),
    ("fetched_at", "text"),
    ("agents", "texts"),
    ("fault", "text"),
    ("advisory", "bool"),
    *((str(usage), "text") for usage in Usage),
    ("readings", "text"),
    ("evidence", "text"),
)
_STRICTEST_FIRST = (
    Permission.DENY,
    Permission.HOLD,
    Permission.CONDITIONAL,
    Permission.UNKNOWN,
    Permission.ALLOW,
)


@cache
def capture_schema() -> pa.Schema:
    """Return the Arrow schema of captures.parquet."""
    return _schema(CAPTURE_COLUMNS)


@cache
def declaration_schema() -> pa.Schema:
    """Return the Arrow schema of declarations.parquet."""
    return _schema(DECLARATION_COLUMNS)


def _schema(columns: tuple[tuple[str, str], ...]) -> pa.Schema:
    import pyarrow as pa

    kinds = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in columns])


def __getattr__(name: str) -> Any:
    """Give CAPTURE_SCHEMA and DECLARATION_SCHEMA without importing pyarrow before they are used."""
    if name == "CAPTURE_SCHEMA":
        return capture_schema()
    if name == "DECLARATION_SCHEMA":
        return declaration_schema()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def capture_row(capture: Capture) -> dict[str, Any]:
    """Return a capture as a row of captures.parquet."""
    return {
        "resource": str(capture.resource),
        "carrier": str(capture.carrier),
        "site": _text(capture.site),
        "item": _text(capture.item),
        "uri": _text(capture.uri),
        "media_type": _text(capture.media_type),
        "fetched_at": capture.fetched_at,
        "status": capture.status,
        "failure": str(capture.failure or ""),
        "raw_sha256": capture.raw_sha256,
        "raw_bytes": capture.raw_bytes,
        "redirects": [_text(uri) for uri in capture.redirects],
        "note": _text(capture.note),
    }


def capture_from_row(row: dict[str, Any]) -> Capture:
    """Return the capture that ``capture_row`` wrote, from all its columns or only some.

    Raises ValueError for other rows.
    """
    given = dict(row) | {
        "resource": Resource(row["resource"]),
        "carrier": Carrier(row["carrier"]),
        "failure": Failure(row["failure"]) if row["failure"] else None,
        "redirects": tuple(row["redirects"] or ()),
    }
    return Capture(**given)


def declaration_row(declaration: Declaration, capture: Capture, ordinal: int) -> dict[str, Any]:
    """Return a declaration found in ``capture`` as a row of declarations.parquet.

    ``ordinal`` is its position in what ``declarations_of`` returned for that capture.
    """
    place = declaration.place
    evidence = json.dumps(dict(declaration.evidence), sort_keys=True, separators=(",", ":"))
    return {
        "declaration_id": declaration.declaration_id,
        "ordinal": ordinal,
        "resource": str(capture.resource),
        "site": _text(capture.site),
        "item": _text(capture.item),
        "signal": _text(declaration.signal),
        "spec": _text(declaration.spec),
        "spec_version": _text(declaration.spec_version),
        "carrier": str(declaration.carrier),
        "uri": _text(place.uri),
        "line_start": place.line_start,
        "line_end": place.line_end,
        "byte_start": place.byte_start,
        "byte_end": place.byte_end,
        "raw_sha256": declaration.raw_sha256,
        "fetched_at": declaration.fetched_at,
        "agents": [_text(agent) for agent in declaration.agents],
        "fault": _text(declaration.fault),
        "advisory": declaration.advisory,
        **strictest(declaration.readings),
        "readings": readings_json(declaration.readings),
        "evidence": evidence,
    }


def strictest(readings: tuple[Reading, ...]) -> dict[str, str]:
    """Return per usage the strictest permission said anywhere in ``readings``; "" for silence.

    Deny is stricter than hold, hold than conditional, conditional than unknown, unknown than allow.
    """
    said: dict[Usage, set[Permission]] = {usage: set() for usage in Usage}
    for reading in readings:
        for statement in reading.statements:
            for usage, permission in statement.permissions:
                said[usage].add(permission)
    return {
        str(usage): next((str(p) for p in _STRICTEST_FIRST if p in found), "")
        for usage, found in said.items()
    }


def readings_json(readings: tuple[Reading, ...]) -> str:
    """Return readings as JSON, complete: ``readings_from_json`` gives them back."""
    document = [
        {
            "matching": str(reading.matching),
            "note": reading.note,
            "statements": [_statement(statement) for statement in reading.statements],
        }
        for reading in readings
    ]
    # ASCII escapes keep every string whole, also one with a lone surrogate.
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def readings_from_json(text: str) -> tuple[Reading, ...]:
    """Return the readings ``readings_json`` wrote. Raises ValueError or KeyError for other text."""
    return tuple(
        Reading(
            tuple(_read_statement(statement) for statement in reading["statements"]),
            Matching(reading["matching"]),
            reading["note"],
        )
        for reading in json.loads(text)
    )


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "pattern": statement.pattern,
        "line": statement.line,
        "permissions": {str(usage): str(value) for usage, value in statement.permissions},
        "conditions": [condition_fields(condition) for condition in statement.conditions],
    }


def _read_statement(value: dict[str, Any]) -> Statement:
    said = {Usage(usage): Permission(p) for usage, p in value["permissions"].items()}
    return Statement(
        permissions(said),
        value["pattern"],
        tuple(condition_from_fields(condition) for condition in value["conditions"]),
        value["line"],
    )


def _text(value: str) -> str:
    """Return ``value`` as text Arrow can hold: a lone surrogate becomes its escape."""
    return value.encode("utf-8", "backslashreplace").decode()
