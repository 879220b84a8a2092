"""What a clearance says of the agreements it rests on: rows, dates and duties; with their copies.

    "agreements": {"use": {...}, "checked": 12, "listed": [
        {"id", "sha256", "declaration_id", "rows", "licensor", "licensee", "repertoire", "mandate",
         "period": {"start", "end", "training_end", "generation_end"}, "terminated_on",
         "duties": <key>}],
     "duties": {<key>: {"retention", "guards", "attribution", "reporting", "audit", "price",
                        "wind_down", "late_interest_basis_points", "grosses_up"}}}

Many agreements have the same duties, so each set of them stands there once, by its SHA-256.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tercet.consent.licences.agreement_standing import KnownAgreement, use_fields
from tercet.consent.licences.reach import days_of
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.core.terms import Terms
from tercet.flows.agreement_rows import AgreementEntry
from tercet.flows.agreements import Prepared
from tercet.store.agreement_evidence import DOCUMENTS, PARTIES, agreement_counts, write_lines

DUTY_NAMES = (
    "retention", "guards", "attribution", "reporting", "audit", "price", "most_favoured",
    "wind_down", "late_interest_basis_points", "grosses_up",
)  # fmt: skip


def keep_account(out: Path, agreements: Prepared, part_count: int) -> dict[str, Any]:
    """Return the account of a clearing, and keep the documents of what it rests on.

    Raises OSError.
    """
    counts = agreement_counts(out, range(part_count), len(agreements.known))
    rested = [at for at, rows in enumerate(counts) if rows]
    duties: dict[str, dict[str, Any]] = {}
    listed = []
    for at in rested:
        known = agreements.known[at]
        own = duties_of(known.terms)
        key = sha256_hex(canonical_json(own))[:16]
        duties[key] = own
        listed.append(_entry(known, agreements.task.entries[at], counts[at]) | {"duties": key})
    _keep_copies(out, agreements, rested)
    return {
        "use": use_fields(agreements.use),
        "checked": len(agreements.known),
        "listed": listed,
        "duties": duties,
    }


def duties_of(terms: Terms) -> dict[str, Any]:
    """Return what terms oblige the licensee to, as the fields of `tercet/terms@1`."""
    fields = terms_fields(terms)
    return {name: fields[name] for name in DUTY_NAMES}


def _entry(known: KnownAgreement, entry: AgreementEntry, rows: int) -> dict[str, Any]:
    terms = known.terms
    days = days_of(terms.grant.period)
    names = ("start", "end", "training_end", "generation_end")
    licensee = terms.licensee
    return {
        "id": known.id,
        "sha256": known.sha256,
        "declaration_id": entry.declaration_id,
        "rows": rows,
        "licensor": {"id": terms.licensor.id, "name": terms.licensor.name},
        "licensee": {"id": licensee.id, "name": licensee.name} if licensee else {},
        "repertoire": terms.repertoire.sha256,
        "mandate": terms.mandate,
        "period": {name: getattr(days, name) for name in names} if days else {},
        "terminated_on": known.terminated_on,
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
