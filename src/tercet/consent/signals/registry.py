"""The registry: what owners say of their registered works, wherever a copy is found.

Source: Tercet's own `tercet/match@1` (consent/registry/match_document.py), which the clearing
writes for every item in which a registered work was found.
"""

from __future__ import annotations

import json
from typing import Any

from tercet.consent.fingerprints.bands import Band
from tercet.consent.plain_text import clean
from tercet.consent.registry.match_document import MATCH_TYPE
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.core.canonical import canonical_json
from tercet.core.condition import Condition, ConditionKind, condition_from_fields
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.usage import ALL_USAGES, Permission, Usage, permit

_SIGNAL = ("registry", "Tercet registry match", "1")

WHOLE_PER_MILLE = 950
"""How much of an item a work must make up before its owner's grant counts for the item.

What is left over may be somebody else's: an owner can only grant what is theirs.
"""
WHOLE_SHARE_BASIS_POINTS = 10_000
_GRANTS = frozenset({Permission.ALLOW, Permission.CONDITIONAL})
_TEXT_CHARACTERS_MAX = 300

Fields = dict[str, Any]


def read_match(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read a match document: one declaration for each claim on each work found.

    A certain match speaks with the claim's terms; a likely one, and any match to a disputed work,
    holds; a possible or rejected one is advisory. Grants count only where the work is the whole
    item, its granting owners hold it whole, and the operator trusts their keys: anybody can claim.
    """
    try:
        document = json.loads(raw)
        if document["type"] != MATCH_TYPE:
            raise ValueError(f"expected {MATCH_TYPE}, got {document['type']!r}")
        return tuple(
            _declaration(raw, source, work, claim)
            for work in document["found"]
            for claim in work["claims"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        fault = f"no match document: {type(error).__name__}"
        return (unreadable(_SIGNAL, raw, source, fault),)


def _declaration(raw: bytes, source: Source, work: Fields, claim: Fields) -> Declaration:
    band = Band(work["band"])
    is_settled = band is Band.CERTAIN and not work["disputed"]
    statements = _terms(work, claim) if is_settled else _hold()
    return declare(
        _SIGNAL,
        raw,
        source,
        (Reading(statements, note=_note(work, band)),),
        span=_span(raw, work, claim),
        advisory=bool(work["rejected"]) or band is Band.POSSIBLE,
        evidence=_evidence(work, claim),
    )


def _hold() -> tuple[Statement, ...]:
    return (Statement(permit(ALL_USAGES, Permission.HOLD)),)


def _note(work: Fields, band: Band) -> str:
    if work["rejected"]:
        return "a person decided that this is no match"
    if work["disputed"]:
        return "claims on this work conflict and the dispute is not settled"
    return f"a {band} match"


def _terms(work: Fields, claim: Fields) -> tuple[Statement, ...]:
    """Return the claim's terms as far as they can hold for the item as a whole."""
    is_whole = work["covers_per_mille"] >= WHOLE_PER_MILLE
    return tuple(
        _statement(
            terms,
            may_grant=is_whole
            and _is_trusted(claim)
            and _granted(work, terms["usage"]) >= WHOLE_SHARE_BASIS_POINTS,
        )
        for terms in claim["terms"]
    )


def _is_trusted(claim: Fields) -> bool:
    return claim.get("trusted") is True


def _granted(work: Fields, usage: str) -> int:
    """Return the shares of the trusted owners who grant a usage: silence grants nothing."""
    return sum(
        int(claim["share_basis_points"])
        for claim in work["claims"]
        if _is_trusted(claim)
        and any(
            terms["usage"] == usage and Permission(terms["permission"]) in _GRANTS
            for terms in claim["terms"]
        )
    )


def _statement(terms: Fields, *, may_grant: bool) -> Statement:
    permission = Permission(terms["permission"])
    conditions = tuple(condition_from_fields(fields) for fields in terms["conditions"])
    if not may_grant and permission is Permission.ALLOW:
        permission = Permission.UNKNOWN
    elif not may_grant and permission is Permission.CONDITIONAL:
        permission, conditions = _of_a_part(conditions)
    return Statement(permit((Usage(terms["usage"]),), permission), conditions=conditions)


def _of_a_part(conditions: tuple[Condition, ...]) -> tuple[Permission, tuple[Condition, ...]]:
    """Conditions still bind whoever uses a part; only to name the creator stands in no way."""
    if conditions and all(c.kind is ConditionKind.ATTRIBUTION for c in conditions):
        return Permission.UNKNOWN, ()
    return Permission.DENY, conditions


def _span(raw: bytes, work: Fields, claim: Fields) -> tuple[int, int]:
    """Return where the claim stands, so that every declaration has a place of its own."""
    after = max(raw.find(canonical_json({"found": work})[9:-1]), 0)
    own = canonical_json(claim)
    start = raw.find(own, after)
    return (start, start + len(own)) if start >= 0 else (0, len(raw))


def _evidence(work: Fields, claim: Fields) -> dict[str, str]:
    named = work["work"]
    facts = {
        "band": str(work["band"]),
        "claim_id": claim["claim_id"],
        "covers": f"{work['covers_per_mille'] / 10:g} % of the item",
        "edits": ", ".join(work["edits"]),
        "method": work["method"],
        "offers": _offers(claim),
        "owner": claim["owner"],
        "score": f"{work['score_thousandths'] / 1000:g} {work['unit']}",
        "work": f"{named['number']}: {named['title']}",
        "work_sha256": named["sha256"],
    }
    return {name: clean(str(value), _TEXT_CHARACTERS_MAX) for name, value in facts.items() if value}


def _offers(claim: Fields) -> str:
    """Say at what price a licence can be had, and where."""
    given = (fields for terms in claim["terms"] for fields in terms["conditions"])
    conditions = sorted({condition_from_fields(fields) for fields in given}, key=str)
    return "; ".join(
        " ".join((f"{each.price} a {each.price_unit or 'work'}", each.url)).strip()
        for each in conditions
        if each.price is not None
    )


SIGNAL = Signal(
    name=_SIGNAL[0],
    title="the registry",
    spec=_SIGNAL[1],
    spec_version=_SIGNAL[2],
    url="",
    readers=((Resource.REGISTRY_MATCH, read_match),),
)
