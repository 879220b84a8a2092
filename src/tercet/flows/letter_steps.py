"""From a signature to more: the mandate that a letter proposes, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tercet.consent.licences.letter import LETTER_TYPE, letter_of
from tercet.consent.licences.letter_export import EXPORT_TYPE, letter_sha256
from tercet.consent.licences.standing import check_signers, require_valid
from tercet.core.errors import InputError, MissingError
from tercet.flows.desk import OpenDesk
from tercet.flows.letter import check_export
from tercet.flows.mandate import MandateDraft, give_mandate


def mandate_from_letter(
    desk: OpenDesk, document: Mapping[str, Any], *, contact: str = ""
) -> dict[str, Any]:
    """Give the mandate that a letter, or an export of one, proposes; return its parcel.

    It is over all works that the member has registered, as the letter says, and no more. Raises
    InputError, StandingError where it is not signed by who wrote it (an export brings along what
    is needed to see that), MissingError for a letter that proposes none.
    """
    kind = document.get("type")
    if kind == EXPORT_TYPE:
        found = check_export(document, desk.clock())
        letter, sha256 = found.letter, found.sha256
    elif kind == LETTER_TYPE:
        letter, sha256 = letter_of(document), letter_sha256(document)
        signer, at = (letter.initiator.id,), desk.clock()
        standing = check_signers(document, signer, desk.store.parties(), letter.made_at, at)
        require_valid(standing, "letter")
    else:
        raise InputError(f"expected a letter or its export, got {str(kind)[:60]!r}")
    proposal = letter.proposal
    if proposal is None:
        raise MissingError("the letter proposes no mandate", hint="give one: `tercet mandate give`")
    return give_mandate(
        desk,
        MandateDraft(
            collective=proposal.collective,
            usages=proposal.usages,
            start=desk.clock()[:10],
            end=proposal.end,
            cut_basis_points=proposal.cut_basis_points,
            notice_days=proposal.notice_days,
            letter=sha256,
            contact=contact,
        ),
    )
