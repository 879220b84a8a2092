"""Story's Programmable IP License: terms as the fields of its struct and of its off-chain file.

What PIL has no field for stands whole in ``additionalParameters``, where PIL lets a licensor add
terms of its own: so a licence that is minted never permits more than the terms. Machines that read
only PIL's fields see less of the limits than there are, which is listed.

Sources: IPILicenseTemplate.sol, struct PILTerms, and "PIL Terms" (docs.story.foundation); the
off-chain files of piplabs/pil-document. Amounts are in base units of a token, shares of
100,000,000.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from tercet.consent.licences.reach import reach_of
from tercet.consent.licences.rsl_terms_export import payable
from tercet.consent.licences.terms_schema import terms_fields
from tercet.consent.licences.unsaid import FormatError, Unsaid, unsaid_of
from tercet.core.money import MICROS
from tercet.core.terms import (
    FOREVER,
    TERMS_TYPE,
    WORLD,
    FieldOfUse,
    Period,
    Purpose,
    Sublicence,
    Terms,
)
from tercet.core.territories import TERRITORIES
from tercet.core.usage import TRAINING

ZERO_ADDRESS = "0x" + "0" * 40
NO_DATA = "0x"
SHARE_OF_BASIS_POINT = 10_000  # 100,000,000 is the whole
DAY_S = 86_400
PIL_URI = (
    "https://github.com/piplabs/pil-document/blob/v1.3.0/"
    "Story%20Foundation%20-%20Programmable%20IP%20License%20(1.31.25).pdf"
)
COMMERCIAL = frozenset({FieldOfUse.CONSUMER, FieldOfUse.ENTERPRISE, FieldOfUse.INTERNAL})
_ADDED = "PIL has no field for it; it stands in additionalParameters"
_BINDING = {
    "licensor": f"who gives the licence: {_ADDED}",
    "repertoire": f"which works: PIL is attached to one work on its chain; {_ADDED}",
    "grant.usages": "PIL knows AI training as one thing, and no other usage of machines; which are "
    "granted stands in additionalParameters",
    "grant.purposes": f"what training is for: {_ADDED}",
    "grant.modalities_in": f"what goes into a model: {_ADDED}",
    "grant.modalities_out": f"what comes out of it: {_ADDED}",
    "grant.fields_of_use": "PIL only tells commercial use from other use; the fields stand in "
    "additionalParameters",
    "grant.models": f"which models: {_ADDED}",
    "grant.territory": "PIL lists places and no exceptions: countries are listed one by one",
    "grant.period": "PIL counts seconds from minting, whole days here; the days stand in "
    "additionalParameters",
    "retention": f"how long copies are kept: {_ADDED}",
    "guards": f"what outputs must not do: {_ADDED}",
    "attribution": "PIL asks for credit or not; how it is measured stands in additionalParameters",
    "reporting": f"reports: {_ADDED}",
    "audit": f"audits: {_ADDED}",
    "wind_down": f"the end of a service: {_ADDED}",
    "law": "PIL names a law, and California's where none is named; courts and steps stand in "
    "additionalParameters",
}
_OPTIONAL = {
    "licensee": f"for whom the licence is: {_ADDED}",
    "mandate": f"the mandate: {_ADDED}",
    "grant.exclusivity": f"exclusivity: {_ADDED}",
    "grant.sublicence": "PIL passes on to anybody or to nobody; to whom stands in "
    "additionalParameters",
    "grant.sublicensees": f"to whom the licence may be passed on: {_ADDED}",
    "most_favoured": f"equal treatment: {_ADDED}",
    "late_interest_basis_points": f"interest: {_ADDED}",
    "grosses_up": f"withheld taxes: {_ADDED}",
    "notes": f"the notes: {_ADDED}",
    "price.base": f"what revenue is shared: {_ADDED}",
    "price.deductions": f"what is taken off revenue: {_ADDED}",
}


@dataclass(frozen=True, slots=True)
class PilToken:
    """What is paid with on the chain: an ERC-20 ``address`` for a ``currency`` with ``decimals``.

    ``royalty_policy`` is the contract that shares revenue, needed where a share is due.
    """

    address: str = ZERO_ADDRESS
    currency: str = ""
    decimals: int = 18
    royalty_policy: str = ZERO_ADDRESS


def pil_of(terms: Terms, token: PilToken | None = None) -> dict[str, Any]:
    """Return terms as ``{"pilTerms": struct, "offChainTerms": file}``.

    Raises FormatError for terms that grant nothing (a licence that is minted always grants
    something), and for a fee or a share without the token that it is paid with.
    """
    grant = terms.grant
    if not (grant.usages and grant.period.start and reach_of(grant.territory)):
        raise FormatError(
            "expected terms that grant some usage, somewhere, for some time; got terms that do not",
            hint="a PIL licence that is minted always permits something",
        )
    token = token or PilToken()
    _check_token(terms, token)
    credits_are_due = bool(terms.attribution.method)
    remixes = Purpose.OUTPUT_FEATURE in grant.purposes
    struct: dict[str, Any] = {
        "transferable": False,
        "royaltyPolicy": token.royalty_policy,
        "defaultMintingFee": str(terms.price.fixed_micros * 10**token.decimals // MICROS),
        "expiration": str(_seconds(grant.period)),
        "commercialUse": bool(COMMERCIAL.intersection(grant.fields_of_use)),
        "commercialAttribution": credits_are_due,
        "commercializerChecker": ZERO_ADDRESS,
        "commercializerCheckerData": NO_DATA,
        "commercialRevShare": terms.price.share_basis_points * SHARE_OF_BASIS_POINT,
        "commercialRevCeiling": "0",
        "derivativesAllowed": remixes,
        "derivativesAttribution": remixes and credits_are_due,
        "derivativesApproval": False,
        "derivativesReciprocal": False,
        "derivativeRevCeiling": "0",
        "currency": token.address,
        "uri": "",
    }
    return {"pilTerms": struct, "offChainTerms": _off_chain(terms)}


def pil_unsaid(terms: Terms) -> tuple[Unsaid, ...]:
    """Return what ``terms`` say and PIL's own fields cannot."""
    return (*_price_unsaid(terms), *unsaid_of(terms, _BINDING, _OPTIONAL))


def _off_chain(terms: Terms) -> dict[str, Any]:
    territory = terms.grant.territory
    is_whole = WORLD in territory.include and not territory.exclude
    return {
        "territory": [] if is_whole else sorted(TERRITORIES & reach_of(territory)),
        "channelsOfDistribution": [],
        "attribution": bool(terms.attribution.method),
        "contentStandards": [],
        "sublicensable": terms.grant.sublicence is Sublicence.ANY,
        "aiLearningModels": bool(TRAINING.intersection(terms.grant.usages)),
        "restrictionOnCrossPlatformUse": False,
        "governingLaw": terms.law.governing,
        "additionalParameters": {TERMS_TYPE: terms_fields(terms)},
        "PILUri": PIL_URI,
    }


def _check_token(terms: Terms, token: PilToken) -> None:
    price = terms.price
    if not price.fixed_micros and not price.share_basis_points:
        return
    lacking = ""
    if token.address == ZERO_ADDRESS or (price.fixed_micros and token.currency != price.currency):
        lacking = f"a token that stands for {price.currency or 'the currency'}"
    elif price.fixed_micros * 10**token.decimals % MICROS:
        lacking = f"a token with more than {token.decimals} decimals"
    elif price.share_basis_points and token.royalty_policy == ZERO_ADDRESS:
        lacking = "the contract of a royalty policy"
    if lacking:
        raise FormatError(
            f"expected {lacking}, got none: PIL would say that nothing is due",
            hint="give --token ADDRESS, --token-decimals and --royalty-policy ADDRESS",
        )


def _seconds(period: Period) -> int:
    """Return how long the licence lasts, 0 for ever."""
    if period.end == FOREVER:
        return 0
    return (date.fromisoformat(period.end) - date.fromisoformat(period.start)).days * DAY_S


def _price_unsaid(terms: Terms) -> Iterator[Unsaid]:
    for name in payable(terms.price):
        if name not in ("fixed_micros", "share_basis_points"):
            yield Unsaid(f"price.{name}", f"an amount of this kind: {_ADDED}")
    if terms.price.currency:
        yield Unsaid("price.currency", "PIL names a token on its chain, not a currency")
