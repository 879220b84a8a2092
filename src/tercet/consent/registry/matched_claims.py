"""The claims that a match document names: whose they are, on which work, on how much of the item.

An agreement with an owner lifts that owner's claims and no others, so they must be told apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tercet.consent.capture import Captured
from tercet.consent.fingerprints.bands import Band
from tercet.consent.signal import Resource
from tercet.core.declaration import Declaration
from tercet.core.usage import Permission, Usage

_GRANTS = frozenset({Permission.ALLOW, Permission.CONDITIONAL})


@dataclass(frozen=True, slots=True)
class WorkClaim:
    """One claim on one registered work in an item.

    ``position`` is that of its declaration among those of the rulebook; ``public_key`` (Base64)
    the claimant's, "" where it is not known; ``is_certain`` that the match is and stands;
    ``grants`` that its own terms grant the usage, by a key that the operator trusts.
    """

    position: int
    work: int
    work_sha256: str
    public_key: str
    share_basis_points: int
    covers_per_mille: int
    is_certain: bool
    grants: bool


def work_claims(
    captures: Sequence[Captured], declarations: Sequence[Sequence[Declaration]], usage: Usage
) -> tuple[WorkClaim, ...]:
    """Return the claims in the match documents among ``captures``.

    ``declarations`` are those of each capture. A document that could not be read, or reads as other
    declarations than it has claims, names none: nothing is lifted of what is not understood.
    """
    found: list[WorkClaim] = []
    start = 0
    for (capture, raw), declared in zip(captures, declarations, strict=True):
        if capture.resource is Resource.REGISTRY_MATCH and declared:
            claims = _claims(raw, start, usage)
            found += claims if len(claims) == len(declared) else ()
        start += len(declared)
    return tuple(found)


def _claims(raw: bytes, start: int, usage: Usage) -> list[WorkClaim]:
    try:
        pairs = [(work, claim) for work in json.loads(raw)["found"] for claim in work["claims"]]
        return [
            WorkClaim(
                position=start + at,
                work=int(work["work"]["number"]),
                work_sha256=str(work["work"]["sha256"]),
                public_key=str(claim.get("public_key", "")),
                share_basis_points=int(claim["share_basis_points"]),
                covers_per_mille=int(work["covers_per_mille"]),
                is_certain=work["band"] == Band.CERTAIN and not work["rejected"],
                grants=claim.get("trusted") is True
                and any(
                    terms["usage"] == usage and terms["permission"] in _GRANTS
                    for terms in claim["terms"]
                ),
            )
            for at, (work, claim) in enumerate(pairs)
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
