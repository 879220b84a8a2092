"""Offers of a registry beside the claims on its works: who reserves a work may sell a licence.

An offer in force puts its price beside the denial of its maker's claim, and the denial stays: it
can make `offered` of `blocked` and clears nothing. Where anybody else's claim on what was found
offers nothing, no offer is put beside any: a licence of one owner would not do.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from tercet.consent.fingerprints.bands import Band
from tercet.consent.licences.dues import has_price
from tercet.consent.licences.offer_files import offer_address, simple_price
from tercet.consent.licences.published_offer import PublishedOffer
from tercet.consent.licences.repertoire import Repertoire, holds, read_repertoire, repertoire_of
from tercet.consent.registry.match_document import MatchedClaim, MatchedWork, UsageTerms
from tercet.core.condition import Condition, ConditionKind
from tercet.core.errors import TercetError
from tercet.core.money import Money
from tercet.core.terms import Terms
from tercet.core.usage import Permission, Usage
from tercet.store.registry import Registry
from tercet.store.registry_offers import OfferQuery, find_offers, repertoire_path

_OFFERS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class ClaimOffer:
    """What an offer in force says beside claims of ``public_keys`` (Base64) on its works.

    ``works`` is the file of the list named ``works_sha256``, less the lines ``exclusions``.
    """

    id: str
    made_at: str
    public_keys: frozenset[str]
    works: Path
    works_sha256: str
    exclusions: tuple[str, ...]
    condition: Condition


@dataclass(frozen=True, slots=True)
class ClaimOffers:
    """The offers of a registry that grant one usage and are in force, the preferred ones first."""

    usage: Usage
    offers: tuple[ClaimOffer, ...]

    @property
    def ids(self) -> list[str]:
        """Their ids, in order."""
        return sorted(offer.id for offer in self.offers)

    def beside(self, works: Sequence[MatchedWork]) -> list[MatchedWork]:
        """Return the works found in one item, with offers beside the claims on them.

        No price is put there where a claim that could bind neither grants nor offers anything.
        """
        if not self.offers:
            return list(works)
        offered = [self._beside_claims(work) for work in works]
        binding = [each for each in offered if not each.rejected and each.band is not Band.POSSIBLE]
        is_offered = all(self._offers(claim) for work in binding for claim in work.claims)
        adds_price = _prices(offered) != _prices(works)
        return list(works) if adds_price and not is_offered else offered

    def _beside_claims(self, work: MatchedWork) -> MatchedWork:
        claims = tuple(self._beside_claim(work, claim) for claim in work.claims)
        return replace(work, claims=claims)

    def _beside_claim(self, work: MatchedWork, claim: MatchedClaim) -> MatchedClaim:
        if not any(self._is_denial(terms) for terms in claim.terms):
            return claim
        condition = self._condition(work.sha256, claim.public_key)
        if condition is None:
            return claim
        terms = tuple(
            replace(each, conditions=(*each.conditions, condition))
            if self._is_denial(each)
            else each
            for each in claim.terms
        )
        return replace(claim, terms=terms)

    def _condition(self, sha256: str, public_key: str) -> Condition | None:
        for offer in self.offers if public_key and sha256 else ():
            if public_key in offer.public_keys and _names(offer, sha256):
                return offer.condition
        return None

    def _is_denial(self, terms: UsageTerms) -> bool:
        return terms.usage == self.usage and terms.permission is Permission.DENY

    def _offers(self, claim: MatchedClaim) -> bool:
        """Say whether a claim grants the usage or has a price for it; silence does not."""
        spoken = [terms for terms in claim.terms if terms.usage == self.usage]
        return bool(spoken) and all(
            terms.permission is Permission.ALLOW
            or any(each.price is not None for each in terms.conditions)
            for terms in spoken
        )


def claim_offers(folder: Path, usage: Usage, now: str) -> ClaimOffers:
    """Return the offers of the registry in ``folder`` that are in force at ``now``.

    Those that are not as they were signed are left out. What has a price comes first, then what was
    made last.
    """
    registry = Registry.open(folder)
    try:
        query = OfferQuery(now, usage=str(usage), limit=_OFFERS_MAX)
        published = find_offers(registry, query, skips_altered=True)
        found = [_offer(registry, each) for each in published if _grants(each.terms, now[:10])]
    finally:
        registry.close()
    found.sort(key=lambda each: each.id)
    found.sort(key=lambda each: (each.condition.price is not None, each.made_at), reverse=True)
    return ClaimOffers(usage, tuple(found))


def _prices(works: Sequence[MatchedWork]) -> frozenset[Condition]:
    return frozenset(
        condition
        for work in works
        for claim in work.claims
        for terms in claim.terms
        for condition in terms.conditions
        if condition.price is not None
    )


def _grants(terms: Terms, day: str) -> bool:
    """Say whether the offer grants anything anywhere on ``day`` or after it."""
    period = terms.grant.period
    return bool(terms.grant.territory.include) and (not period.end or day < period.end)


def _offer(registry: Registry, published: PublishedOffer) -> ClaimOffer:
    named = published.terms.repertoire
    return ClaimOffer(
        id=published.id,
        made_at=published.offer.made_at,
        public_keys=frozenset(
            base64.b64encode(key.public_raw).decode()
            for key in published.maker.keys
            if not key.revoked_at
        ),
        works=repertoire_path(registry, named.sha256),
        works_sha256=named.sha256,
        exclusions=named.exclusions,
        condition=_condition_of(published),
    )


def _condition_of(published: PublishedOffer) -> Condition:
    address = published.maker.address
    url = offer_address(published, "", address) if address else published.id
    price = published.terms.price
    if not has_price(price) or not price.currency:
        return Condition(ConditionKind.LICENCE, url)
    unit, micros = simple_price(published.terms)
    return Condition(ConditionKind.PAYMENT, url, "", Money(price.currency, micros), unit)


def _names(offer: ClaimOffer, sha256: str) -> bool:
    """Say whether an offer is about a work.

    A list that is not here, or altered, names none; nor does one that leaves out addresses: the
    work may lie there.
    """
    try:
        works = _works(offer.works, offer.works_sha256)
        excluded = repertoire_of(offer.exclusions)
    except (OSError, TercetError):
        return False
    if excluded.sites or excluded.urls or holds(excluded, sha256=sha256):
        return False
    return holds(works, sha256=sha256)


@lru_cache(maxsize=64)
def _works(path: Path, sha256: str) -> Repertoire:
    return read_repertoire(path.read_bytes(), sha256)
