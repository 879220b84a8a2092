"""The registry's match documents: written by us, read back; doubt holds, parts never grant."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.capture import Capture, capture_of
from tercet.consent.facts import Facts, Standing
from tercet.consent.fingerprints.bands import Band
from tercet.consent.policy import decide
from tercet.consent.policy_file import built_in
from tercet.consent.registry.match_document import (
    MatchedClaim,
    MatchedWork,
    UsageTerms,
    match_document,
)
from tercet.consent.rulebook import compile_rulebook
from tercet.consent.signal import Resource
from tercet.consent.signals.registry import read_match
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Carrier, Source
from tercet.core.money import Money
from tercet.core.usage import Permission, Usage
from tercet.core.verdict import Outcome
from tercet.core.work import Medium

SOURCE = Source("a.jpg", Carrier.REGISTRY)
PRICE = Condition(ConditionKind.PAYMENT, price=Money("EUR", 5_000_000), price_unit="work")


def work(*claims: MatchedClaim, band: Band = Band.CERTAIN, **changes: object) -> MatchedWork:
    fields: dict[str, object] = {
        "number": 1, "title": "River", "sha256": "", "iscc": "", "medium": Medium.IMAGE,
        "band": band, "method": "image-1", "covers_per_mille": 1000, "disputed": False,
        "rejected": False, "score_thousandths": 1, "unit": "inliers", "edits": (),
        "regions": (), "claims": claims,
    }  # fmt: skip
    return MatchedWork(**(fields | changes))  # type: ignore[arg-type]


def claim(
    permission: Permission,
    *conditions: Condition,
    share: int = 10_000,
    name: str = "c1",
    trusted: bool = True,
) -> MatchedClaim:
    terms = (UsageTerms(Usage.TRAIN_GENERATIVE, permission, conditions),)
    return MatchedClaim(name, "Ada", share, terms, trusted)


def facts_of(*found: MatchedWork) -> Facts:
    raw = match_document({"name": "a.jpg"}, {"head": ""}, found)
    capture = Capture(Resource.REGISTRY_MATCH, Carrier.REGISTRY, item="a.jpg", uri="a.jpg")
    book = compile_rulebook([capture_of(capture, raw)], Usage.TRAIN_GENERATIVE, of_site=False)
    return book.everywhere.facts


def outcome_of(*found: MatchedWork) -> Outcome:
    return decide(facts_of(*found), built_in("strict")).outcome


def test_a_denial_blocks_even_where_the_place_allows_everything() -> None:
    place = Facts(standings=((("robots", 0), Standing.ALLOWS),))
    verdict = decide(place | facts_of(work(claim(Permission.DENY))), built_in("strict"))
    assert (verdict.outcome, verdict.reasons) == (Outcome.BLOCKED, ("denied_by_registry",))


def test_the_owners_own_grant_clears() -> None:
    assert outcome_of(work(claim(Permission.ALLOW))) is Outcome.CLEARED


def test_anybody_can_claim_so_only_a_trusted_key_grants() -> None:
    assert outcome_of(work(claim(Permission.ALLOW, trusted=False))) is Outcome.BLOCKED
    assert outcome_of(work(claim(Permission.CONDITIONAL, PRICE, trusted=False))) is Outcome.OFFERED
    halves = (
        claim(Permission.ALLOW, share=5_000),
        claim(Permission.ALLOW, share=5_000, name="c2", trusted=False),
    )
    assert outcome_of(work(*halves)) is Outcome.BLOCKED


def test_a_price_is_an_offer_also_for_a_part() -> None:
    priced = claim(Permission.CONDITIONAL, PRICE)
    assert outcome_of(work(priced)) is Outcome.OFFERED
    assert outcome_of(work(priced, covers_per_mille=300)) is Outcome.OFFERED


def test_a_grant_for_a_part_does_not_clear_the_rest() -> None:
    granted = work(claim(Permission.ALLOW), covers_per_mille=300)
    assert outcome_of(granted) is Outcome.BLOCKED


def test_likely_and_disputed_are_held() -> None:
    assert outcome_of(work(claim(Permission.ALLOW), band=Band.LIKELY)) is Outcome.HELD
    assert outcome_of(work(claim(Permission.DENY), disputed=True)) is Outcome.HELD


claims = st.builds(
    claim,
    st.sampled_from([Permission.ALLOW, Permission.DENY, Permission.CONDITIONAL]),
    share=st.integers(1, 10_000),
    name=st.sampled_from(["c1", "c2", "c3"]),
)
works = st.builds(
    lambda claims, band, covers, disputed, rejected: work(
        *claims, band=band, covers_per_mille=covers, disputed=disputed, rejected=rejected
    ),
    st.lists(claims, min_size=1, max_size=3),
    st.sampled_from(Band),
    st.integers(0, 1000),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(works, max_size=3))
def test_one_more_denied_work_never_clears_more(found: list[MatchedWork]) -> None:
    denied = work(claim(Permission.DENY))
    assert outcome_of(*found, denied) is not Outcome.CLEARED


@given(st.lists(works, max_size=3))
def test_every_claim_found_is_declared_at_its_own_place(found: list[MatchedWork]) -> None:
    raw = match_document({"name": "a.jpg"}, {"head": ""}, found)
    declarations = read_match(raw, SOURCE)
    assert len(declarations) == sum(len(each.claims) for each in found)
    for declaration in declarations:
        span = raw[declaration.place.byte_start : declaration.place.byte_end]
        assert span.startswith(b'{"claim_id":')


@given(st.binary(max_size=200))
def test_other_bytes_never_grant(raw: bytes) -> None:
    (declaration,) = read_match(raw, SOURCE)
    assert declaration.fault


def test_an_owner_who_says_nothing_of_a_usage_grants_no_share_of_it() -> None:
    silent = replace(claim(Permission.DENY, share=4_000, name="c2"), terms=())
    granted = claim(Permission.ALLOW, share=6_000)
    assert outcome_of(work(granted, silent)) is not Outcome.CLEARED
    both = replace(silent, terms=granted.terms)
    assert outcome_of(work(granted, both)) is Outcome.CLEARED
