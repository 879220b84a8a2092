"""`tercet/match@1`: which registered works stand in an item, and what their owners say.

Canonical JSON, so it has no floats: shares are per mille, times milliseconds, scores thousandths.

    {"type": "tercet/match@1",
     "item": {"name": ..., "sha256": ..., "medium": ...},
     "registry": {"entries": 12, "head": <SHA-256 of the log's head>},
     "found": [{"work": {"number", "title", "sha256", "iscc", "medium"},
                "band": "certain|likely|possible", "method": "image-1|sha256|iscc|url|domain",
                "covers_per_mille": 0..1000, "disputed": bool, "rejected": bool,
                "score_thousandths": int, "unit": ..., "edits": [...],
                "regions": [{"item": <region>, "work": <region>}],
                "claims": [{"claim_id", "owner", "share_basis_points", "terms": [
                    {"usage", "permission", "conditions": [<condition>]}], "trusted": bool,
                    "public_key": Base64 or ""}]}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tercet.consent.fingerprints.bands import Band
from tercet.core.canonical import canonical_json
from tercet.core.condition import Condition, condition_fields
from tercet.core.usage import Permission, Usage
from tercet.core.work import Medium

MATCH_TYPE = "tercet/match@1"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UsageTerms:
    """What an owner says of one usage."""

    usage: Usage
    permission: Permission
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchedClaim:
    """A live claim on a matched work. ``share_basis_points`` is the owner's part of 10,000.

    ``trusted`` means that whoever asked trusts the key it is signed with to be the owner's: only
    then does a grant of it count. ``public_key`` (Base64) is that key.
    """

    claim_id: str
    owner: str
    share_basis_points: int
    terms: tuple[UsageTerms, ...]
    trusted: bool = False
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class MatchedWork:
    """A registered work found in an item.

    ``covers_per_mille`` says how much of the item it is: a grant for a part of an item is no
    grant for the whole. ``rejected`` means that a person looked and said it is no match.
    ``regions`` are pairs (in the item, in the work) of `region_fields`.
    """

    number: int
    title: str
    sha256: str
    iscc: str
    medium: Medium
    band: Band
    method: str
    covers_per_mille: int
    disputed: bool
    rejected: bool
    score_thousandths: int
    unit: str
    edits: tuple[str, ...]
    regions: tuple[tuple[Document, Document], ...]
    claims: tuple[MatchedClaim, ...]


def match_document(item: Document, registry: Document, found: Sequence[MatchedWork]) -> bytes:
    """Return the document as canonical JSON. ``item`` and ``registry`` as in the module's text."""
    return canonical_json(
        {
            "type": MATCH_TYPE,
            "item": dict(item),
            "registry": dict(registry),
            "found": [_work_fields(work) for work in found],
        }
    )


def _work_fields(work: MatchedWork) -> dict[str, Any]:
    return {
        "work": {
            "number": work.number,
            "title": work.title,
            "sha256": work.sha256,
            "iscc": work.iscc,
            "medium": str(work.medium),
        },
        "band": str(work.band),
        "method": work.method,
        "covers_per_mille": work.covers_per_mille,
        "disputed": work.disputed,
        "rejected": work.rejected,
        "score_thousandths": work.score_thousandths,
        "unit": work.unit,
        "edits": list(work.edits),
        "regions": [{"item": dict(a), "work": dict(b)} for a, b in work.regions],
        "claims": [claim_fields(claim) for claim in work.claims],
    }


def claim_fields(claim: MatchedClaim) -> dict[str, Any]:
    """Return a matched claim as JSON fields."""
    return {
        "claim_id": claim.claim_id,
        "owner": claim.owner,
        "share_basis_points": claim.share_basis_points,
        "trusted": claim.trusted,
        "public_key": claim.public_key,
        "terms": [
            {
                "usage": str(terms.usage),
                "permission": str(terms.permission),
                "conditions": [condition_fields(c) for c in terms.conditions],
            }
            for terms in claim.terms
        ],
    }
