"""`tercet/termination@1`: the end of an agreement before its term. Both sides keep it.

    {"type": "tercet/termination@1", "agreement": id, "reason": <code>, "effective_on": date,
     "made_at": RFC 3339, "signatures": [...]}

The agreed rules, all of them; what they do not allow ends nothing:

- ``mutual``: signed by both, effective on any day from the one it was made on.
- ``discontinuation``: the licensee gives the service up, and signs alone. Effective not before
  ``wind_down.notice_days`` after the day it was made on.
- ``surrender``: the licensee gives up what it was granted, and signs alone, with the same notice.
  What it owes for the time before, and what survives (``wind_down.survival``), it goes on owing.

A licensor never ends an agreement alone: not for a breach either, for whether there is one is for
both, or for a court, to say (``law.steps``). Then both sign, or the judgment is kept elsewhere.
A termination by one, where both must sign, is a proposal and has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tercet.consent.licences.agreement import Agreement
from tercet.consent.licences.closed_fields import DOCUMENT_ID, ClosedFields
from tercet.consent.licences.mandate import day_after
from tercet.consent.licences.party_history import Parties
from tercet.consent.licences.signing import Document, signatures_of
from tercet.consent.licences.standing import check_signers, require_valid
from tercet.core.errors import RefusedError

TERMINATION_TYPE = "tercet/termination@1"
_UUID = "an id such as urn:uuid:00000000-0000-4000-8000-000000000000"
_FIELDS = ("type", "agreement", "reason", "effective_on", "made_at", "signatures")


class TerminationReason(StrEnum):
    """Why an agreement ends."""

    MUTUAL = "mutual"
    DISCONTINUATION = "discontinuation"
    SURRENDER = "surrender"


class TerminationError(RefusedError):
    """A termination that the agreement does not allow."""

    code = "termination-not-agreed"


@dataclass(frozen=True, slots=True)
class Termination:
    """A termination as it was read. ``effective_on`` is the first day without the agreement."""

    agreement: str
    reason: TerminationReason
    effective_on: str
    made_at: str


def termination_document(termination: Termination) -> dict[str, Any]:
    """Return a termination as the fields of its document, not signed yet."""
    return {
        "type": TERMINATION_TYPE,
        "agreement": termination.agreement,
        "reason": str(termination.reason),
        "effective_on": termination.effective_on,
        "made_at": termination.made_at,
        "signatures": [],
    }


def termination_of(document: Document) -> Termination:
    """Read a termination. Raises DocumentError; its signatures are not looked at."""
    fields = ClosedFields(document, "termination", _FIELDS)
    fields.constant("type", TERMINATION_TYPE)
    return Termination(
        agreement=fields.matching("agreement", DOCUMENT_ID, _UUID),
        reason=fields.choice("reason", TerminationReason),
        effective_on=fields.day("effective_on"),
        made_at=fields.time("made_at"),
    )


def check_termination(
    document: Document, agreement: Agreement, parties: Parties, seen_at: str
) -> bool:
    """Say whether a termination has effect; a good one that both must sign may lack a signature.

    Its date is counted from the day it was made, and from the day it was seen where that is later:
    who is given notice has it in whole. ``seen_at`` is when the store first saw it so signed.
    Raises DocumentError, TerminationError, or StandingError for its signatures.
    """
    termination = termination_of(document)
    if termination.agreement != agreement.id:
        raise TerminationError(f"expected a termination of {agreement.id}, got another's")
    signers = tuple(dict.fromkeys(each.party for each in signatures_of(document)))
    both = {agreement.assigner, agreement.assignee}
    if not signers or not set(signers) <= both:
        raise TerminationError("expected the signature of a party of the agreement, got none")
    standing = check_signers(document, signers, parties, termination.made_at, seen_at)
    require_valid(standing, "termination")
    begins = max(termination.made_at, seen_at)[:10]
    if termination.reason is TerminationReason.MUTUAL:
        if termination.effective_on < termination.made_at[:10]:
            raise TerminationError(
                f"expected an end from {termination.made_at[:10]} on, got "
                f"{termination.effective_on}",
                hint="what was used under an agreement stays used under it",
            )
        return set(signers) == both
    if agreement.assignee not in signers:
        raise TerminationError(
            f"expected the licensee to sign a termination for {termination.reason}, got the "
            "licensor alone",
            hint="a licensor ends an agreement together with the licensee: reason mutual",
        )
    days = agreement.terms.wind_down.notice_days
    earliest = day_after(begins, days)
    if termination.effective_on < earliest and set(signers) != both:
        raise TerminationError(
            f"expected an end from {earliest} on ({days} days of notice), got "
            f"{termination.effective_on}"
        )
    return True
