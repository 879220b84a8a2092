"""Collectives in clearing: a member is spoken for as far as its own signed mandate goes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from licensed import GRANT, STUDIO, TODAY, TRAINS, Somebody, agreed, desk_in, identifier
from registered import drawing, register, save
from small_corpora import NOW, run, verdicts

from tercet.consent.licences.collective import Snapshot, SnapshotPart, snapshot_document
from tercet.consent.licences.mandate import Mandate, mandate_document
from tercet.consent.licences.repertoire import repertoire_bytes, repertoire_of
from tercet.consent.licences.signing import signed
from tercet.core.terms import RepertoireName, Terms
from tercet.core.usage import Usage
from tercet.flows.agreements import AgreementsAsked
from tercet.store.desk import Desk
from tercet.store.desk_mandates import Mandates
from tercet.store.keys import load_or_make_key

COLLECTIVE, ACCOMPLICE = Somebody("Collective of makers"), Somebody("Accomplice")
CLEARED, DENIED = ("cleared", "granted_by_agreement"), ("blocked", "denied_by_registry")


class Case:
    """A member's two registered works, copies of which stand in a corpus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.works = []
        for seed in (1, 2):
            path = save(folder / f"work{seed}.png", drawing(seed))
            register(folder, path)
            save(folder / "corpus" / f"{seed}.jpg", drawing(seed), 60)
            self.works.append(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
        self.member = Somebody("Member", load_or_make_key(folder / "owner.key").private)
        self.desk: Desk = desk_in(folder, STUDIO, COLLECTIVE, ACCOMPLICE, self.member)

    def list_of(self, lines: list[str], exclusions: tuple[str, ...] = ()) -> RepertoireName:
        works = repertoire_of(lines)
        self.desk.repertoires.add(repertoire_bytes(works), NOW)
        return RepertoireName(works.sha256, works.work_count, exclusions)

    def mandate(self, lines: list[str], *, by: Somebody | None = None, **fields: Any) -> Mandate:
        """Let a member give a mandate over some works; the desk keeps it."""
        giver = by or self.member
        works = self.list_of(lines, fields.pop("exclusions", ()))
        kept: dict[str, Any] = {
            "usages": (Usage.TRAIN_GENERATIVE,), "start": "2026-01-01", "works": works,
        }  # fmt: skip
        mandate = Mandate(
            id=identifier(fields.pop("name", "m")),
            made_at=NOW,
            member=giver.name,
            collective=COLLECTIVE.name,
            **(kept | fields),
        )
        Mandates(self.desk).take(signed(mandate_document(mandate), giver.signer), NOW)
        return mandate

    def agree(self, mandate: Mandate, lines: list[str], *more: Mandate) -> None:
        """Put an agreement into the desk that rests on a snapshot as the collective states it.

        ``more`` mandates bring a list of one work each.
        """
        listed = self.list_of(lines)
        brought = [(mandate, listed), *((m, self.list_of(self.works[:1])) for m in more)]
        held = Mandates(self.desk).held
        parts = tuple(
            SnapshotPart(each.id, held(each.id).sha256, self.member.name, works)
            for each, works in brought
        )
        snapshot = Snapshot(
            identifier("s"), NOW, COLLECTIVE.name, (Usage.TRAIN_GENERATIVE,), listed, parts
        )
        document = signed(snapshot_document(snapshot), COLLECTIVE.signer)
        Mandates(self.desk).take_snapshot(document, NOW)
        self.agree_under(snapshot.id, listed)

    def agree_under(self, mandate: str, listed: RepertoireName) -> None:
        terms = Terms(COLLECTIVE.name, listed, STUDIO.name, mandate=mandate, grant=GRANT)
        self.desk.take_agreement(agreed(terms, licensor=COLLECTIVE), NOW)

    def cleared(self) -> list[tuple[str, str]]:
        """Clear the copies; return verdict and first reason of each."""
        run(
            self.folder, self.folder / "corpus", registry=self.folder / "registry",
            agreements=AgreementsAsked(self.folder / "desk", TRAINS),
            trusted_keys=frozenset({COLLECTIVE.public_key}),
        )  # fmt: skip
        return [(row["verdict"], row["reasons"][0]) for row in verdicts(self.folder / "out")]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_a_collective_lifts_the_claims_of_a_member_that_lets_it(case: Case) -> None:
    case.agree(case.mandate(case.works), case.works)
    assert case.cleared() == [CLEARED, CLEARED]


def test_a_member_is_not_spoken_for_by_the_mandate_of_another(case: Case) -> None:
    case.agree(case.mandate(case.works, by=ACCOMPLICE), case.works)
    assert case.cleared() == [DENIED, DENIED]


@pytest.mark.parametrize("exclusions", [False, True])
def test_a_member_is_spoken_for_only_on_the_works_of_its_mandate(
    case: Case, exclusions: bool
) -> None:
    one, two = case.works
    mandate = case.mandate(case.works, exclusions=(two,)) if exclusions else case.mandate([one])
    case.agree(mandate, case.works)
    assert case.cleared() == [CLEARED, DENIED]


@pytest.mark.parametrize(
    "fields",
    [{"usages": (Usage.SEARCH,)}, {"excluded_licensees": (STUDIO.party.id,)}],
    ids=["usage", "licensee"],
)
def test_a_member_is_spoken_for_only_for_what_and_whom_it_lets(
    case: Case, fields: dict[str, Any]
) -> None:
    case.agree(case.mandate(case.works, **fields), case.works)
    assert case.cleared() == [DENIED, DENIED]


@pytest.mark.parametrize("exclusions", [False, True])
def test_under_one_mandate_an_agreement_reaches_no_further(case: Case, exclusions: bool) -> None:
    one, two = case.works
    mandate = case.mandate(case.works, exclusions=(two,)) if exclusions else case.mandate([one])
    case.agree_under(mandate.id, case.list_of(case.works))
    assert case.cleared() == [CLEARED, DENIED]


@pytest.mark.parametrize("is_list_lost", [False, True])
def test_works_of_a_mandate_that_lapsed_are_not_meant(case: Case, is_list_lost: bool) -> None:
    ended = case.mandate(case.works[:1], name="m2", end=TODAY)
    case.agree(case.mandate(case.works), case.works, ended)
    if is_list_lost:  # then nobody can say which works have lapsed
        case.desk.repertoires.path(ended.works.sha256).unlink()
        assert case.cleared() == [DENIED, DENIED]
    else:
        assert case.cleared() == [DENIED, CLEARED]
