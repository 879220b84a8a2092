"""What a clearance says of the agreements it rests on: rows, dates and duties; with their copies.

    "agreements": {"use": {...}, "trusted_keys": [...], "checked": 12, "count": 2,
                   "listed": "agreements/listed.jsonl"}

listed.jsonl, whose digest the clearance signs, has one line for each of them:

    {"id", "sha256", "declaration_id", "rows", "licensor", "licensee", "repertoire", "mandate",
     "made_at", "period": {"start", "end", "training_end", "generation_end"}, "terminated_on",
     "duties": {"retention", "guards", "attribution", "reporting", "audit", "price",
                "most_favoured", "wind_down", "late_interest_basis_points", "grosses_up"}}
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.consent.licences.agreement_standing import KnownAgreement, use_fields
from tercet.consent.licences.reach import days_of
from tercet.consent.licences.terms_schema import terms_fields
from tercet.store.agreement_evidence import (
    DOCUMENTS,
    FOLDER,
    LISTED,
    PARTIES,
    STANDINGS,
    agreement_counts,
)
from tercet.store.desk_documents import KeptAgreement
from tercet.store.files import write_atomically

if TYPE_CHECKING:
    from tercet.flows.agreements_kept import Prepared

DUTY_NAMES = (
    "retention", "guards", "attribution", "reporting", "audit", "price", "most_favoured",
    "wind_down", "late_interest_basis_points", "grosses_up",
)  # fmt: skip


def keep_account(
    out: Path, agreements: Prepared, part_count: int, trusted_keys: frozenset[str]
) -> dict[str, Any]:
    """Return the account of a clearing, and keep the list and the documents of what it rests on.

    Raises OSError.
    """
    counts = agreement_counts(out, range(part_count), len(agreements.task.entries))
    rested = [at for at, rows in enumerate(counts) if rows]
    place = out / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    for name in (LISTED, DOCUMENTS):
        lines = agreements.files[name].splitlines(keepends=True)
        chosen = [lines[at] for at in rested]
        if name == LISTED:
            chosen = [_with_rows(line, counts[at]) for at, line in zip(rested, chosen, strict=True)]
        write_atomically(place / name, b"".join(chosen))
    for name in (STANDINGS, PARTIES):
        write_atomically(place / name, agreements.files[name])
    return {
        "use": use_fields(agreements.use),
        "trusted_keys": sorted(trusted_keys),
        "checked": len(agreements.task.entries),
        "count": len(rested),
        "listed": f"{FOLDER}/{LISTED}",
    }


def _with_rows(line: bytes, rows: int) -> bytes:
    """Return a listed line with its number of rows: no text in JSON can look like the member."""
    return line.replace(b'"rows":0', b'"rows":%d' % rows, 1)


def listed_fields(known: KnownAgreement, kept: KeptAgreement, name: str) -> dict[str, Any]:
    """Return what a clearance says of an agreement whose declaration has this id; rows are 0."""
    terms = known.terms
    days = days_of(terms.grant.period)
    names = ("start", "end", "training_end", "generation_end")
    licensee = terms.licensee
    fields = terms_fields(terms)
    return {
        "id": known.id,
        "sha256": known.sha256,
        "declaration_id": name,
        "rows": 0,
        "licensor": {"id": terms.licensor.id, "name": terms.licensor.name},
        "licensee": {"id": licensee.id, "name": licensee.name} if licensee else {},
        "repertoire": terms.repertoire.sha256,
        "mandate": terms.mandate,
        "made_at": str(kept.document.get("made_at", "")),
        "period": {each: getattr(days, each) for each in names} if days else {},
        "terminated_on": known.terminated_on,
        "duties": {each: fields[each] for each in DUTY_NAMES},
    }
