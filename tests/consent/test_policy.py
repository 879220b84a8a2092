"""decide(): total, closed, monotone; policy files: every error names line and key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.facts import Facts, Standing, State
from tercet.consent.licences.obstacle import OBSTACLE_BITS, Obstacle, obstacles_in
from tercet.consent.policy import Policy, decide
from tercet.consent.policy_file import BUILT_IN, built_in, parse_policy
from tercet.consent.reasons import all_reasons, explain_reason
from tercet.consent.signals import SIGNALS
from tercet.core.errors import PolicyError
from tercet.core.verdict import Outcome

POLICIES = [built_in(name) for name in BUILT_IN]
NAMES = [signal.name for signal in SIGNALS]

BITS = sum(bits for name, bits in vars(Standing).items() if name.isupper())
standings = st.integers(0, (1 << 19) - 1).map(lambda bits: bits & BITS)
facts = st.builds(
    lambda states, said: Facts(frozenset(states), tuple(sorted(said.items()))),
    st.sets(st.sampled_from(State), max_size=2),
    st.dictionaries(
        st.sampled_from([(name, rank) for name in NAMES for rank in (0, 1)]), standings, max_size=4
    ),
)
policies = st.sampled_from(POLICIES)


@given(facts, policies)
def test_every_verdict_is_one_of_four_with_known_reasons(known: Facts, policy: Policy) -> None:
    verdict = decide(known, policy)
    assert verdict.outcome in set(Outcome)
    assert verdict.reasons
    assert set(verdict.reasons) <= set(all_reasons())


@given(facts, policies, st.sampled_from(NAMES))
def test_one_more_denial_never_clears(known: Facts, policy: Policy, name: str) -> None:
    more = known | Facts(standings=(((name, 0), Standing.DENIES),))
    if decide(known, policy).outcome is not Outcome.CLEARED:
        assert decide(more, policy).outcome is not Outcome.CLEARED
    agreed = known.by_signal().get("agreement", Standing.NONE) & Standing.ALLOWS
    lifted = agreed and name not in {"agreement", "registry"}
    if policy.binds(name) and name != "tdmrep" and not lifted:
        assert decide(more, policy).outcome is not Outcome.CLEARED


@given(facts, facts, facts)
def test_order_and_repetition_of_facts_do_not_matter(a: Facts, b: Facts, c: Facts) -> None:
    assert (a | b) | c == a | (b | c)
    assert a | b == b | a
    assert (a | b) | b == a | b


@given(policies, st.sampled_from(NAMES), standings)
def test_what_cannot_be_read_never_clears_by_itself(
    policy: Policy, name: str, standing: int
) -> None:
    read = Standing.UNREADABLE | (standing & ~(Standing.ALLOWS | Standing.CONDITIONAL))
    verdict = decide(Facts(standings=(((name, 0), read),)), policy)
    if policy.binds(name) or name in policy.grants_from:
        assert verdict.outcome is not Outcome.CLEARED


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)
def test_silence(policy: Policy) -> None:
    outcome = decide(Facts(), policy).outcome
    opt_out = {"eu-tdm", "research", "uk-optout", "us-fair-use-asserted"}
    assert outcome is (Outcome.CLEARED if policy.id in opt_out else Outcome.BLOCKED)
    for state in (State.NOT_SURVEYED, State.UNCHECKED, State.ROW_FAULT, State.URL_INVALID):
        assert decide(Facts(frozenset({state})), policy).outcome is Outcome.HELD


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)
def test_contested_policies_say_so(policy: Policy) -> None:
    assert policy.sources
    assert policy.summary
    contested = {"eu-tdm", "research", "uk-optout", "us-fair-use-asserted"}
    assert bool(policy.assertion) is (policy.id in contested)


def grant(name: str, *bits: int) -> Facts:
    standing = Standing.NONE
    for bit in bits:
        standing |= bit
    return Facts(standings=(((name, 0), standing),))


def test_a_licence_whose_conditions_are_met_clears_and_names_its_duty() -> None:
    by = grant("licence", Standing.CONDITIONAL, Standing.ATTRIBUTION)
    verdict = decide(by, built_in("strict"))
    assert verdict.outcome is Outcome.CLEARED
    assert verdict.reasons == ("granted_by_licence", "duty_attribution")
    assert verdict.deciding == ("licence",)


def test_a_non_commercial_licence_does_not_clear_commercial_use() -> None:
    by_nc = grant("licence", Standing.CONDITIONAL, Standing.ATTRIBUTION, Standing.NON_COMMERCIAL)
    verdict = decide(by_nc, built_in("strict"))
    assert verdict.outcome is Outcome.BLOCKED
    assert "needs_non_commercial" in verdict.reasons


def test_a_denial_outranks_a_grant_of_another_signal() -> None:
    both = grant("licence", Standing.ALLOWS) | grant("robots", Standing.DENIES)
    verdict = decide(both, built_in("strict"))
    assert verdict.outcome is Outcome.BLOCKED
    assert verdict.reasons == ("denied_by_robots",)


def test_a_known_price_turns_a_denial_into_an_offer() -> None:
    priced = grant("rsl", Standing.CONDITIONAL, Standing.PAYMENT, Standing.PRICED)
    verdict = decide(priced | grant("robots", Standing.DENIES), built_in("strict"))
    assert verdict.outcome is Outcome.OFFERED
    assert "offer_from_rsl" in verdict.reasons
    assert verdict.deciding == ("robots", "rsl")


def test_one_of_two_readings_denying_blocks_under_strict() -> None:
    verdict = decide(grant("robots", Standing.MAY_DENY), built_in("strict"))
    assert verdict.outcome is Outcome.BLOCKED
    assert verdict.reasons == ("may_be_denied_by_robots",)


def test_tdmrep_inner_zero_lifts_outer_one_only_inside_tdmrep() -> None:
    file, header = (("tdmrep", 0), Standing.DENIES), (("tdmrep", 1), Standing.ALLOWS)
    policy = built_in("eu-tdm")
    assert decide(Facts(standings=(file,)), policy).outcome is Outcome.BLOCKED
    assert decide(Facts(standings=(file, header)), policy).outcome is Outcome.CLEARED
    other = grant("robots", Standing.DENIES)
    assert decide(Facts(standings=(file, header)) | other, policy).outcome is Outcome.BLOCKED


def test_tdmrep_unreadable_inner_value_does_not_lift() -> None:
    file, header = (("tdmrep", 0), Standing.DENIES), (("tdmrep", 1), Standing.UNREADABLE)
    verdict = decide(Facts(standings=(file, header)), built_in("eu-tdm"))
    assert verdict.outcome is Outcome.BLOCKED


def test_nothing_clears_before_the_item_itself_was_looked_at() -> None:
    """A site's silence, or its grant, says nothing of a denial inside the file."""
    unasked = Facts(frozenset({State.ITEM_NOT_ASKED}))
    for policy in POLICIES:
        for facts_known in (unasked, unasked | grant("licence", Standing.ALLOWS)):
            verdict = decide(facts_known, policy)
            assert verdict.outcome is not Outcome.CLEARED
            if verdict.outcome is Outcome.HELD:
                assert verdict.reasons == ("item_not_asked",)
    denied = unasked | grant("robots", Standing.DENIES)
    assert decide(denied, built_in("strict")).reasons == ("denied_by_robots",)


def test_research_records_reservations_but_they_do_not_block() -> None:
    assert decide(grant("tdmrep", Standing.DENIES), built_in("research")).outcome is Outcome.CLEARED


def test_every_reason_has_plain_words() -> None:
    for code in all_reasons():
        assert explain_reason(code) != code


GOOD = b"""id = "mine"
version = "1"
date = 2026-01-01
title = "T"
summary = "S"
usages = "all"
silence = "blocked"
ambiguity = "held"
grants_from = ["licence"]
reservations_from = "all"
reservations_except = []
conditions_met = []
must_ask_items = true
assertion = ""
[[sources]]
title = "A law"
url = "https://example.org/law"
"""


def test_a_policy_file_is_read() -> None:
    policy = parse_policy(GOOD, "mine.toml")
    assert (policy.id, policy.silence, policy.reservations_from) == ("mine", "blocked", None)


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        (b'silence = "blocked"', b'silence = "maybe"', 7, "silence"),
        (b"date = 2026-01-01", b'date = "soon"', 3, "date"),
        (b'usages = "all"', b'usages = ["fly"]', 6, "usages"),
        (b'grants_from = ["licence"]', b"grants_from = [1]", 9, "grants_from"),
        (b'version = "1"', b'versoin = "1"', 2, "versoin"),
        (b'title = "T"', b'title = ""', 4, "title"),
        (b"conditions_met = []", b'conditions_met = ["luck"]', 12, "conditions_met"),
    ],
)
def test_a_wrong_value_is_named_with_line_and_key(
    old: bytes, new: bytes, line: int, key: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(GOOD.replace(old, new), "mine.toml")
    assert f"mine.toml:{line}: {key}: expected" in caught.value.message


@pytest.mark.parametrize("raw", [b"\xff", b"= 1", b"[[[", b"", b"id = 1"])
def test_broken_policy_files_are_policy_errors(raw: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(raw, "broken.toml")


# ---- agreements ---------------------------------------------------------------------------------

OBSTACLES = st.sets(st.sampled_from(Obstacle), min_size=1).map(
    lambda found: sum(OBSTACLE_BITS[obstacle] for obstacle in found)
)


def agreement(bits: int) -> Facts:
    return Facts(standings=((("agreement", 0), bits),))


@given(facts, policies, OBSTACLES)
def test_an_agreement_that_grants_nothing_changes_no_outcome(
    known: Facts, policy: Policy, bits: int
) -> None:
    before, after = decide(known, policy), decide(known | agreement(bits), policy)
    assert after.outcome is before.outcome
    assert set(before.reasons) <= set(after.reasons)
    assert set(after.reasons) <= set(all_reasons())


@given(facts, policies, OBSTACLES)
def test_every_way_of_granting_nothing_is_named_where_it_matters(
    known: Facts, policy: Policy, bits: int
) -> None:
    said = known.by_signal().get("agreement", Standing.NONE)
    usable = not known.states & {State.ROW_FAULT, State.URL_INVALID}
    verdict = decide(known | agreement(bits), policy)
    if usable and not said and verdict.outcome is not Outcome.CLEARED:
        assert set(obstacles_in(bits)) <= set(verdict.reasons)
        assert "agreement" in verdict.deciding


@given(facts, policies)
def test_one_more_claim_never_clears_more_also_with_an_agreement(
    known: Facts, policy: Policy
) -> None:
    granted = known | agreement(Standing.ALLOWS)
    more = granted | grant("registry", Standing.DENIES)
    if decide(granted, policy).outcome is not Outcome.CLEARED:
        assert decide(more, policy).outcome is not Outcome.CLEARED
    if policy.binds("registry"):
        assert decide(more, policy).outcome is not Outcome.CLEARED


@given(facts, policies)
def test_what_another_holds_exclusively_never_clears(known: Facts, policy: Policy) -> None:
    both = known | agreement(Standing.ALLOWS) | agreement(Standing.DENIES)
    assert decide(both, policy).outcome is not Outcome.CLEARED


@given(facts, policies)
def test_a_grant_by_agreement_never_clears_less(known: Facts, policy: Policy) -> None:
    """It lifts what was said to everybody; the policy's own list of grants does not matter."""
    said = known.by_signal()
    is_doubtful = said.get("registry") or State.UNCOMPARED in known.states
    if decide(known, policy).outcome is Outcome.CLEARED and not is_doubtful:
        assert decide(known | agreement(Standing.ALLOWS), policy).outcome is Outcome.CLEARED


def test_an_agreement_lifts_denials_and_silence_of_all_signals_but_the_registry() -> None:
    states = frozenset({State.NOT_SURVEYED, State.UNCHECKED, State.ITEM_NOT_ASKED, State.NO_SOURCE})
    for policy in POLICIES:
        for name in NAMES:
            denied = Facts(states) | grant(name, Standing.DENIES) | agreement(Standing.ALLOWS)
            outcome = decide(denied, policy).outcome
            stands = name == "agreement" or (name == "registry" and policy.binds(name))
            assert outcome is (Outcome.BLOCKED if stands else Outcome.CLEARED), (policy.id, name)


@pytest.mark.parametrize("state", [State.ROW_FAULT, State.URL_INVALID, State.UNCOMPARED])
def test_what_cannot_be_read_or_compared_stays_held(state: State) -> None:
    for policy in POLICIES:
        verdict = decide(Facts(frozenset({state})) | agreement(Standing.ALLOWS), policy)
        assert (verdict.outcome, verdict.reasons) == (Outcome.HELD, (str(state),))


def test_a_lifted_claim_is_said_where_silence_clears() -> None:
    verdict = decide(agreement(Standing.LIFTS), built_in("eu-tdm"))
    assert verdict.outcome is Outcome.CLEARED
    assert "lifted_by_agreement" in verdict.reasons
    assert decide(agreement(Standing.LIFTS), built_in("strict")).reasons == ("no_grant",)
