"""`tercet/training-record@1`: what a model was trained on, in which order, by what, for how long.

Pure: documents in, documents out. They are signed and checked by the flows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex

PLAN_TYPE = "tercet/training-plan@1"
RECORD_TYPE = "tercet/training-record@1"
RECORD_NAME = "record.json"
PLAN_NAME = "plan.json"
WORKS_NAME = "works.jsonl"
BATCHES_NAME = "batches.txt"
CARD_NAME = "card.md"
AGREEMENTS_NAME = "agreements.jsonl"  # the duties of the licences a model learned under
NOT_READABLE = "not readable"
BASE_NAMES = ("base", "rights")  # of an adapter's plan and record: what it stands on
GROUND_NAMES = (*BASE_NAMES, "parent")  # all that a model may have begun with

_PLAN_SHAPE: dict[str, type] = {
    "type": str, "created_at": str, "clearance": dict, "works": dict, "settings": dict,
    "order": dict, "code": dict, "signature": dict,
}  # fmt: skip
_RECORD_SHAPE: dict[str, type] = {
    "type": str, "created_at": str, "clearance": dict, "works": dict, "plan_sha256": str,
    "chain": dict, "code": dict, "settings": dict, "order": dict, "hardware": dict, "cost": dict,
    "steps": int, "samples": int, "files": dict, "signature": dict,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One work a model may have learned from: every one is listed, none is left out.

    ``row`` and ``item`` are its place in the clearance; ``use`` is ``sprite`` or ``clip``.
    """

    work: str
    title: str
    owner: str
    licence: str
    source: str
    row: int
    item: str
    use: str
    noun: str = ""

    def line(self) -> bytes:
        """Return the work as one line of works.jsonl."""
        return canonical_json(asdict(self)) + b"\n"


def works_bytes(works: Iterable[WorkLine]) -> bytes:
    """Return works.jsonl: one line a work, by digest and row."""
    return b"".join(work.line() for work in sorted(works, key=lambda work: (work.work, work.row)))


def parse_works(raw: bytes) -> tuple[WorkLine, ...]:
    """Return the works of a works.jsonl. Raises IntegrityError for what is none."""
    works = []
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            works.append(WorkLine(**json.loads(line)))
        except (ValueError, TypeError, RecursionError) as error:
            raise IntegrityError(
                f"line {number} of {WORKS_NAME} is no work: {str(error)[:120]}"
            ) from error
    return tuple(works)


def works_entry(works: Sequence[WorkLine], raw: bytes) -> dict[str, Any]:
    """Return what plan and record say of the works: how many, of whom, and the list's digest."""
    return {
        "file": WORKS_NAME,
        "sha256": sha256_hex(raw),
        "count": len(works),
        "owners": len({work.owner for work in works}),
    }


def clearance_entry(sha256: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what plan and record say of the clearance: its digest, policy, signer and counts."""
    policy = document["policy"]
    return {
        "sha256": sha256,
        "created_at": document["created_at"],
        "key_id": document["signature"]["key_id"],
        "usage": document["usage"],
        "policy": {name: policy.get(name, "") for name in ("id", "version", "sha256")},
        "rows": document["rows"],
        "verdicts": document["verdicts"],
    } | _agreements_entry(document)


def _agreements_entry(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what plan and record say of the agreements that a clearance rests on, if on any."""
    account = document.get("agreements")
    if not account:
        return {}
    listed = account["listed"]
    return {
        "agreements": {
            "use": account["use"],
            "count": account["count"],
            "listed_sha256": document["files"][listed],
        }
    }


def settings_entry(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as canonical JSON takes them: fractions are written as decimal text."""
    return {
        name: repr(value) if isinstance(value, float) else value for name, value in fields.items()
    }


def parse_document(raw: bytes, kind: str) -> dict[str, Any]:
    """Return a plan or record. Raises InputError when it is none, or lacks something."""
    shape = _RECORD_SHAPE if kind == RECORD_TYPE else _PLAN_SHAPE
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected a {kind}, got no JSON: {str(error)[:120]}") from error
    if not isinstance(document, dict) or document.get("type") != kind:
        raise InputError(f"expected a {kind}, got another document")
    for name, expected in shape.items():
        value = document.get(name)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise InputError(f"the {kind} lacks {name!r}, or it is of another kind")
    return document
