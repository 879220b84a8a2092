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
from typing import Any

from tercet.consent.licences.agreement_standing import KnownAgreement, use_fields
from tercet.consent.licences.reach import days_of
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.terms import Terms
from tercet.flows.agreement_rows import AgreementEntry
from tercet.flows.agreements import Prepared
from tercet.store.agreement_evidence import (
    DOCUMENTS,
    FOLDER,
    LISTED,
    PARTIES,
    agreement_counts,
    write_lines,
)
from tercet.store.desk_documents import KeptAgreement

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
    counts = agreement_counts(out, range(part_count), len(agreements.known))
    rested = [at for at, rows in enumerate(counts) if rows]
    write_lines(
        out,
        LISTED,
        (
            _entry(agreements.known[at], agreements.kept[at], agreements.task.entries[at])
            | {"rows": counts[at]}
            for at in rested
        ),
    )
    _keep_copies(out, agreements, rested)
    return {
        "use": use_fields(agreements.use),
        "trusted_keys": sorted(trusted_keys),
        "checked": len(agreements.known),
        "count": len(rested),
        "listed": f"{FOLDER}/{LISTED}",
    }


def duties_of(terms: Terms) -> dict[str, Any]:
    """Return what terms oblige the licensee to, as the fields of `tercet/terms@1`."""
    fields = terms_fields(terms)
    return {name: fields[name] for name in DUTY_NAMES}


def _entry(known: KnownAgreement, kept: KeptAgreement, entry: AgreementEntry) -> dict[str, Any]:
    terms = known.terms
    days = days_of(terms.grant.period)
    names = ("start", "end", "training_end", "generation_end")
    licensee = terms.licensee
    return {
        "id": known.id,
        "sha256": known.sha256,
        "declaration_id": entry.declaration_id,
        "licensor": {"id": terms.licensor.id, "name": terms.licensor.name},
        "licensee": {"id": licensee.id, "name": licensee.name} if licensee else {},
        "repertoire": terms.repertoire.sha256,
        "mandate": terms.mandate,
        "made_at": str(kept.document["made_at"]),
        "period": {name: getattr(days, name) for name in names} if days else {},
        "terminated_on": known.terminated_on,
        "duties": duties_of(terms),
    }


def _keep_copies(out: Path, agreements: Prepared, rested: list[int]) -> None:
    """Keep the signed agreements, and the documents of the parties that signed them."""
    chosen = [agreements.kept[at] for at in rested]
    write_lines(
        out,
        DOCUMENTS,
        (
            {
                "agreement": each.document,
                "seen_at": each.seen_at,
                "terminated_on": agreements.known[at].terminated_on,
            }
            for at, each in zip(rested, chosen, strict=True)
        ),
    )
    names = {each.assigner for each in chosen} | {each.assignee for each in chosen}
    write_lines(
        out,
        PARTIES,
        (
            {"party": version.document, "received_at": version.received_at}
            for name in sorted(names)
            for version in agreements.parties[name].versions
        ),
    )
