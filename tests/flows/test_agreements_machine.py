"""Agreements in the verdict, as a machine: whatever comes, nothing is cleared but by a grant."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from licensed import GRANT, OTHER, OWNER, STUDIO, TRAINS

from tercet.consent.capture import Capture, capture_of
from tercet.consent.facts import Facts
from tercet.consent.fingerprints.bands import Band
from tercet.consent.licences.agreement_standing import Effect, KnownAgreement, standing_of
from tercet.consent.licences.obstacle import Obstacle
from tercet.consent.licences.repertoire import repertoire_of
from tercet.consent.policy import decide
from tercet.consent.policy_file import built_in
from tercet.consent.registry.match_document import (
    MatchedClaim,
    MatchedWork,
    UsageTerms,
    match_document,
)
from tercet.consent.rulebook import Rulebook, compile_rulebook
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.core.terms import Exclusivity, ModelScope, Period, RepertoireName, Terms, Territory
from tercet.core.terms import Versions as ModelVersions
from tercet.core.usage import Permission, Usage
from tercet.core.verdict import Outcome
from tercet.core.work import Medium
from tercet.flows import agreement_rows
from tercet.flows.agreement_rows import AgreementEntry, AgreementRows, AgreementTask, Represented
from tercet.store.work_index_files import keep_index, open_index

WORKS = [hashlib.sha256(b"work %d" % at).hexdigest() for at in range(3)]
LISTS = ({0}, {0, 1}, {1, 2}, {1})
DAYS = ("2026-11-22", "2027-05-31", "2027-06-01", "2028-01-01")
LICENSOR, MEMBER, RIVAL = "licensor's key", "member's key", "rival's key"
POLICY = built_in("strict")
SITES = {"silent": "", "forbids": "X-Robots-Tag: noai", "grants": "Content-Usage: train-ai=y"}
DOCUMENT_FLAWS = tuple(Obstacle)[: tuple(Obstacle).index(Obstacle.PARTY_UNTRUSTED)]
FAULTS = (*DOCUMENT_FLAWS, Obstacle.NO_MANDATE, Obstacle.UNFINISHED)
OUT_OF_SCOPE = {
    "usage": replace(GRANT, usages=(Usage.SEARCH,)),
    "purpose": replace(GRANT, purposes=()),
    "model": replace(GRANT, models=ModelScope(ModelVersions.FAMILY, "Another")),
    "territory": replace(GRANT, territory=Territory(("SE",))),
    "not begun": replace(GRANT, period=Period("2028-06-01", "2029-01-01")),
    "over": replace(GRANT, period=Period("2025-01-01", "2026-01-01")),
    "training over": replace(GRANT, period=Period("2025-01-01", "2028-01-01", "2026-02-01")),
}
FLAWS = (*FAULTS, *OUT_OF_SCOPE, "untrusted", "superseded", "other licensee", "nobody's",
         "exclusive to another")  # fmt: skip


@dataclass(frozen=True)
class Agreed:
    """An agreement as the machine knows it. ``member_list`` is of the works that a member mandated,
    -1 for no member; ``is_left`` that the mandate has lapsed.
    """

    works: int
    flaw: str = ""
    member_list: int = -1
    is_left: bool = False
    terminated_on: str = ""

    def known(self, number: int) -> KnownAgreement:
        """Return what the check of a desk would have found."""
        grant = OUT_OF_SCOPE.get(self.flaw, GRANT)
        licensee = OTHER.name if self.flaw in ("other licensee", "exclusive to another") else None
        if self.flaw == "exclusive to another":
            grant = replace(grant, exclusivity=Exclusivity.EXCLUSIVE)
        if self.flaw not in ("other licensee", "exclusive to another", "nobody's"):
            licensee = STUDIO.name
        terms = Terms(OWNER.name, RepertoireName("0" * 64, 1), licensee, grant=grant)
        return KnownAgreement(
            f"agreement {number}", "0" * 64, terms,
            fault=Obstacle(self.flaw) if self.flaw in FAULTS else None,
            superseded_by="another" if self.flaw == "superseded" else "",
            terminated_on=self.terminated_on, is_trusted=self.flaw != "untrusted",
        )  # fmt: skip

    def entry(self, number: int, day: str) -> AgreementEntry:
        """Return it as rows are asked about it; works of a mandate that lapsed are not meant."""
        whom = [Represented(frozenset({LICENSOR}))]
        if self.member_list >= 0 and not self.is_left:
            whom.append(Represented(frozenset({MEMBER}), self.member_list))
        standing = standing_of(
            self.known(number), replace(TRAINS, licensee=STUDIO.party.id, on=day)
        )
        lapsed = (self.member_list,) if self.is_left and self.member_list >= 0 else ()
        return AgreementEntry(standing, f"declaration {number}", self.works, lapsed, tuple(whom))

    # ---- what must be so, said once more and in other words ----------------------------------

    def holds(self, day: str) -> bool:
        """Say whether it is good on a day: `GRANT` is for training until 2027-06-01."""
        is_over = bool(self.terminated_on) and self.terminated_on <= day
        return not self.flaw and not is_over and day < "2027-06-01"

    def means(self, work: int) -> bool:
        """Say whether it is about a work."""
        lapsed = LISTS[self.member_list] if self.is_left and self.member_list >= 0 else set()
        return work in LISTS[self.works] - lapsed

    def speaks_for(self, key: str, works: set[int]) -> bool:
        """Say whether its licensor speaks for who has a key, on one of these works."""
        is_member = key == MEMBER and self.member_list >= 0 and not self.is_left
        return key == LICENSOR or (is_member and bool(LISTS[self.member_list] & works))

    def excludes(self, day: str) -> bool:
        """Say whether somebody else has it all on a day."""
        is_over = bool(self.terminated_on) and self.terminated_on <= day
        return self.flaw == "exclusive to another" and not is_over and day < "2028-01-01"


@dataclass(frozen=True)
class Claimed:
    """A claim of who has a key on a work that is found in a row, as a whole or as a part of it."""

    row: int
    work: int
    key: str
    permission: Permission
    is_whole: bool


@pytest.fixture(scope="module", autouse=True)
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Lay the lists of works down once, and open them once."""
    lists = [[f"sha256:{WORKS[work]}" for work in sorted(those)] for those in LISTS]
    sources = [(f"list {at}", partial(repertoire_of, each)) for at, each in enumerate(lists)]
    AgreementsMachine.place = keep_index(tmp_path_factory.mktemp("index"), sources).place
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement_rows, "open_index", cache(open_index))
        yield


@cache
def site(says: str) -> Facts:
    """Return what a site says of everything on it."""
    base = Capture(Resource.HTTP_HEADERS, Carrier.HEADER, site="https://s.example", status=200)
    raw = f"HTTP/1.1 200 OK\r\n{SITES[says]}\r\n".encode()
    return compile_rulebook([capture_of(base, raw)], TRAINS.usage, of_site=False).everywhere.facts


@cache
def claims_on(row: int, claims: tuple[Claimed, ...]) -> Rulebook:
    """Return what a registry says of a row, through the document that it says it in."""
    found = [
        MatchedWork(
            number=work + 1, title="", sha256=WORKS[work], iscc="", medium=Medium.TEXT,
            band=Band.CERTAIN, method="sha256", covers_per_mille=1000 if is_whole else 300,
            disputed=False, rejected=False, score_thousandths=1000, unit="", edits=(), regions=(),
            claims=tuple(
                MatchedClaim(f"{at:064x}", claim.key, 10_000,
                             (UsageTerms(TRAINS.usage, claim.permission),), public_key=claim.key)
                for at, claim in enumerate(claims)
                if (claim.row, claim.work, claim.is_whole) == (row, work, is_whole)
            ),
        )
        for row_, work, is_whole in sorted({(c.row, c.work, c.is_whole) for c in claims})
        if row_ == row
    ]  # fmt: skip
    raw = match_document({"name": str(row)}, {"entries": 1, "head": "0" * 64}, found)
    captured = capture_of(Capture(Resource.REGISTRY_MATCH, Carrier.REGISTRY, uri="r"), raw)
    return compile_rulebook([captured], TRAINS.usage, of_site=False)


class AgreementsMachine(RuleBasedStateMachine):
    """Three rows, each a work; agreements and claims that come, agreements and mandates that go."""

    place: Path

    def __init__(self) -> None:
        super().__init__()
        self.agreements: list[Agreed] = []
        self.claims: list[Claimed] = []
        self.says = "silent"
        self.day = DAYS[0]

    def verdicts(self) -> list[Outcome]:
        """Return the verdict of each row, joined as the clearing of a shard does."""
        entries = [each.entry(at, self.day) for at, each in enumerate(self.agreements)]
        rows = AgreementRows(AgreementTask(self.place, tuple(entries)))
        sha256 = pa.array(WORKS, pa.string())
        named, keys = rows.of_rows(sha256, pa.nulls(len(WORKS), pa.string()))
        return [
            self._verdict(rows, at, int(named[at]), [int(column[at]) for column in keys])
            for at in range(len(WORKS))
        ]

    def _verdict(self, rows: AgreementRows, row: int, named: int, keys: list[int]) -> Outcome:
        facts = site(self.says)
        rulebook = claims_on(row, tuple(self.claims))
        if rulebook.claims:
            named, lifted = rows.with_claims(named, rows.sources(keys), rulebook.claims)
            facts |= rulebook.without(lifted, b"/").facts
        return decide(facts | rows.finding(named).facts, POLICY).outcome

    def cleared(self) -> set[int]:
        return {at for at, found in enumerate(self.verdicts()) if found is Outcome.CLEARED}

    # ---- what can come -----------------------------------------------------------------------

    @rule(works=st.integers(0, 2), member_list=st.integers(-1, 3))
    def agree(self, works: int, member_list: int) -> None:
        self.agreements.append(Agreed(works, member_list=member_list))

    @rule(works=st.integers(0, 2), member_list=st.integers(-1, 3), flaw=st.sampled_from(FLAWS))
    def add_one_that_grants_nothing(self, works: int, member_list: int, flaw: str) -> None:
        before = self.cleared()
        self.agreements.append(Agreed(works, str(flaw), member_list))
        assert self.agreements[-1].entry(0, self.day).standing.effect is not Effect.GRANTS
        assert self.cleared() <= before

    @rule(pick=st.integers(0, 99), on=st.sampled_from(DAYS))
    def terminate(self, pick: int, on: str) -> None:
        self._change(pick, lambda each: replace(each, terminated_on=on))

    @rule(pick=st.integers(0, 99))
    def supersede(self, pick: int) -> None:
        self._change(pick, lambda each: replace(each, flaw=each.flaw or "superseded"))

    @rule(pick=st.integers(0, 99))
    def revoke_a_mandate(self, pick: int) -> None:
        self._change(pick, lambda each: replace(each, is_left=True))

    def _change(self, pick: int, change: Callable[[Agreed], Agreed]) -> None:
        """Let an agreement lose something: of a good one, that clears nothing more."""
        if not self.agreements:
            return
        at = pick % len(self.agreements)
        before, was_exclusive = self.cleared(), self.agreements[at].excludes(self.day)
        self.agreements[at] = change(self.agreements[at])
        assert was_exclusive or self.cleared() <= before

    @rule(
        claim=st.builds(
            Claimed, st.integers(0, 2), st.integers(0, 2),
            st.sampled_from((LICENSOR, MEMBER, RIVAL)),
            st.sampled_from((Permission.DENY, Permission.ALLOW)), st.booleans(),
        )
    )  # fmt: skip
    def claim(self, claim: Claimed) -> None:
        before = self.cleared()
        self.claims.append(claim)
        is_found = any(each.is_whole and each.row == claim.row for each in self.claims)
        assert self.cleared() <= before | ({claim.row} if is_found else set())

    @rule(says=st.sampled_from(sorted(SITES)))
    def say(self, says: str) -> None:
        self.says = says

    @rule(day=st.sampled_from(DAYS))
    def pass_time(self, day: str) -> None:
        self.day = max(self.day, day)

    # ---- what must always be so --------------------------------------------------------------

    @invariant()
    def nothing_is_cleared_but_by_a_grant(self) -> None:
        good = [each for each in self.agreements if each.holds(self.day)]
        for row in self.cleared():
            found = [claim for claim in self.claims if claim.row == row]
            whole = {row, *(claim.work for claim in found if claim.is_whole)}
            is_agreed = any(each.means(work) for each in good for work in whole)
            assert is_agreed or self.says == "grants"
            for claim in found:
                assert claim.permission is Permission.ALLOW or any(
                    (each.means(row) and each.speaks_for(claim.key, {row, claim.work}))
                    or (each.means(claim.work) and each.speaks_for(claim.key, {claim.work}))
                    for each in good
                )
            assert not any(e.excludes(self.day) and e.means(row) for e in self.agreements)


AgreementsMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=15, deadline=None
)
TestAgreements = AgreementsMachine.TestCase


def test_a_good_agreement_clears_what_is_denied_and_no_other_does() -> None:
    machine = AgreementsMachine()
    machine.says = "forbids"
    machine.claims = [Claimed(1, 1, MEMBER, Permission.DENY, is_whole=True)]
    machine.agreements = [Agreed(1, member_list=3)]
    assert machine.cleared() == {0, 1}
    machine.claims.append(Claimed(0, 0, RIVAL, Permission.DENY, is_whole=True))
    assert machine.cleared() == {1}
    machine.agreements = [Agreed(1, member_list=3, is_left=True)]
    assert machine.cleared() == set()
    for flaw in FLAWS:
        machine.agreements = [Agreed(1, str(flaw), member_list=3)]
        assert machine.cleared() == set(), flaw
