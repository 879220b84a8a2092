"""Mandates and snapshots: only what was given, and nothing that was taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licences.closed_fields import DocumentError
from tercet.consent.licences.collective import (
    LeftOut,
    MandatedWorks,
    SnapshotRefusal,
    SnapshotTaken,
    check_parts,
    lapsed_works,
    snapshot_document,
    snapshot_of,
    snapshot_refusals,
    take_snapshot,
)
from tercet.consent.licences.mandate import (
    HeldMandate,
    Mandate,
    mandate_document,
    mandate_of,
)
from tercet.consent.licences.repertoire import Repertoire, holds, repertoire_of, union
from tercet.core.terms import Grant, PartyName, RepertoireName, Terms
from tercet.core.usage import Usage

COLLECTIVE = PartyName("urn:tercet:party:c000000000000000", "Collective")
TRAIN, INDEX = Usage.TRAIN_GENERATIVE, Usage.AI_INDEX
NOBODY = repertoire_of(())
LICENSEE = "urn:tercet:party:1111111111111111"


def member(number: int) -> PartyName:
    return PartyName(f"urn:tercet:party:{number:016x}", f"Member {number}")


def work(number: int) -> str:
    return f"sha256:{number:064x}"


def works(*numbers: int) -> Repertoire:
    return repertoire_of(map(work, numbers))


def given_mandate(
    number: int, *numbers: int, revoked_on: str = "", who: int | None = None, **changes: object
) -> MandatedWorks:
    listed = works(*numbers)
    fields = {
        "id": f"urn:uuid:00000000-0000-4000-8000-{number:012x}",
        "made_at": "2026-01-01T00:00:00Z",
        "member": member(number if who is None else who),
        "collective": COLLECTIVE,
        "usages": (TRAIN,),
        "start": "2026-01-01",
        "works": RepertoireName(listed.sha256, listed.work_count),
        "notice_days": 90,
    }
    mandate = Mandate(**(fields | changes))  # type: ignore[arg-type]
    return MandatedWorks(HeldMandate(mandate, f"{number:064x}", revoked_on), listed, NOBODY)


def snapshot(
    *mandated: MandatedWorks, on: str = "2026-06-01", usages: tuple[Usage, ...] = (TRAIN,),
    licensee: str = "",
) -> SnapshotTaken:  # fmt: skip
    return take_snapshot(
        mandated,
        snapshot_id="urn:uuid:00000000-0000-4000-8000-00000000ffff",
        made_at=f"{on}T00:00:00Z",
        collective=COLLECTIVE,
        usages=usages,
        licensee=licensee,
    )


def test_the_union_of_mandated_works_and_nothing_else() -> None:
    taken = snapshot(given_mandate(1, 1, 2), given_mandate(2, 2, 3))
    assert taken.works == works(1, 2, 3)
    assert [part.member.name for part in taken.snapshot.parts] == ["Member 1", "Member 2"]
    assert snapshot_of(snapshot_document(taken.snapshot)) == taken.snapshot
    check_parts(taken.snapshot, taken.works, taken.parts)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"revoked_on": "2026-05-31"}, LeftOut.REVOKED),
        ({"revoked_on": "2026-06-02"}, LeftOut.REVOKED),  # known already: it counts at once
        ({"start": "2026-06-02"}, LeftOut.NOT_BEGUN),
        ({"end": "2026-06-01"}, LeftOut.ENDED),
        ({"usages": (INDEX,)}, LeftOut.USAGE),
        ({"collective": member(9)}, LeftOut.OTHER_COLLECTIVE),
        ({"excluded_licensees": (LICENSEE,)}, LeftOut.LICENSEE),
    ],
)
def test_a_mandate_that_does_not_speak_for_this_brings_nothing(
    changes: dict[str, object], why: LeftOut
) -> None:
    taken = snapshot(given_mandate(1, 1), given_mandate(2, 2, **changes), licensee=LICENSEE)
    assert taken.works == works(1)
    assert [reason for _, reason in taken.left_out] == [why]


def test_what_a_member_excludes_is_out_and_others_may_bring_what_is_not_theirs() -> None:
    one = given_mandate(1, 1, 2)
    named = replace(one.held.mandate.works, exclusions=(work(2),))
    one = replace(one, held=replace(one.held, mandate=replace(one.held.mandate, works=named)))
    assert snapshot(one, given_mandate(2, 2)).works == works(1, 2)  # member 1 has no claim on 2
    withheld = replace(one, withheld=works(2))
    assert snapshot(withheld, given_mandate(2, 2)).works == works(1)


def test_an_excluded_address_of_a_site_is_said_beside_the_list() -> None:
    one = given_mandate(1, 1)
    sites = repertoire_of([work(1), "site:https://a.example", "url:https://b.example/x"])
    out = ("site:https://b.example", "url:https://a.example/private")
    named = RepertoireName(sites.sha256, sites.work_count, out)
    held = replace(one.held, mandate=replace(one.held.mandate, works=named))
    taken = snapshot(MandatedWorks(held, sites, NOBODY))
    assert taken.works.urls == ()  # the whole site b is out, and so is what is on it
    assert taken.snapshot.repertoire.exclusions == ("url:https://a.example/private",)


def test_terms_must_fit_the_snapshot_they_rest_on() -> None:
    taken = snapshot(given_mandate(1, 1, excluded_licensees=(LICENSEE,))).snapshot
    good = Terms(COLLECTIVE, taken.repertoire, member(7), taken.id, Grant(usages=(TRAIN,)))
    assert snapshot_refusals(good, taken) == ()
    excluded = replace(good, licensee=PartyName(LICENSEE, "Excluded"))
    assert snapshot_refusals(excluded, taken) == (SnapshotRefusal.EXCLUDED_LICENSEE,)
    wider = replace(good, grant=Grant(usages=(TRAIN, INDEX)))
    assert snapshot_refusals(wider, taken) == (SnapshotRefusal.USAGE,)
    swapped = replace(good, repertoire=RepertoireName(works(1, 2).sha256, 2))
    assert snapshot_refusals(swapped, taken) == (SnapshotRefusal.OTHER_WORKS,)


def test_a_member_without_a_mandate_cannot_be_slipped_into_a_snapshot() -> None:
    taken = snapshot(given_mandate(1, 1))
    padded = works(1, 2)
    named = RepertoireName(padded.sha256, padded.work_count)
    forged = replace(taken.snapshot, repertoire=named)
    with pytest.raises(DocumentError, match="not the union"):
        check_parts(forged, padded, taken.parts)


def lapsed(taken: SnapshotTaken, mandates: list[MandatedWorks], day: str) -> Repertoire:
    parts = {each.sha256: each for each in taken.parts}
    return lapsed_works(taken.snapshot, parts, mandates, day)


def test_revocation_follows_its_notice_in_running_agreements() -> None:
    one, two = given_mandate(1, 1, 2), given_mandate(2, 3)
    taken = snapshot(one, two)
    gone = replace(one, held=replace(one.held, revoked_on="2026-07-01"))
    assert snapshot(gone, two, on="2026-07-01").works == works(3)  # at once in a later snapshot
    assert gone.held.lapses_on == "2026-09-29"  # 90 days after the first of July
    assert lapsed(taken, [gone, two], "2026-09-28") == NOBODY
    assert lapsed(taken, [gone, two], "2026-09-29") == works(1, 2)


def test_a_new_mandate_of_the_same_member_carries_what_it_names() -> None:
    one = given_mandate(1, 1, 2, revoked_on="2026-07-01")
    taken = snapshot(replace(one, held=replace(one.held, revoked_on="")))
    again = given_mandate(5, 1, who=1, start="2026-08-01")
    assert lapsed(taken, [one, again], "2026-10-01") == works(2)
    stranger = given_mandate(6, 1, 2, who=6)
    assert lapsed(taken, [one, stranger], "2026-10-01") == works(1, 2)


def test_a_mandate_that_nobody_can_show_has_lapsed() -> None:
    taken = snapshot(given_mandate(1, 1), given_mandate(2, 2))
    assert lapsed(taken, [given_mandate(2, 2)], "2026-06-02") == works(1)


@st.composite
def mandates(draw: st.DrawFn) -> list[MandatedWorks]:
    count = draw(st.integers(1, 5))
    days = st.sampled_from(["", "2026-05-01", "2026-07-01", "2026-12-01"])
    return [
        given_mandate(
            number,
            *draw(st.sets(st.integers(1, 6))),
            who=draw(st.integers(1, 3)),
            revoked_on=draw(days),
            notice_days=draw(st.integers(0, 200)),
            usages=draw(st.sampled_from([(TRAIN,), (INDEX,), (INDEX, TRAIN)])),
        )
        for number in range(1, count + 1)
    ]


@given(mandates())
def test_no_work_is_in_a_snapshot_without_a_mandate_in_force(given_: list[MandatedWorks]) -> None:
    taken = snapshot(*given_)
    for at in range(taken.works.work_count):
        digest = taken.works.line(at).removeprefix("sha256:")
        assert any(
            holds(each.works, sha256=digest)
            and not each.held.revoked_on
            and TRAIN in each.held.mandate.usages
            for each in given_
        )
    assert union(taken.parts) == taken.works
    # One mandate more never takes away what another one brings; one revoked never adds.
    fewer = snapshot(*given_[1:])
    assert set(map(bytes, fewer.works.digests)) <= set(map(bytes, taken.works.digests))


@given(mandates(), st.sampled_from(["2026-06-02", "2026-09-01"]))
def test_what_has_lapsed_stays_lapsed(given_: list[MandatedWorks], day: str) -> None:
    before = [replace(each, held=replace(each.held, revoked_on="")) for each in given_]
    taken = snapshot(*before)
    early, late = (
        {bytes(row) for row in lapsed(taken, given_, when).digests} for when in (day, "2027-08-01")
    )
    assert early <= late <= {bytes(row) for row in taken.works.digests}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("cut_basis_points", 10_001, "from 0 to 10000"),
        ("usages", ["train_generative", "ai_index"], "sorted"),
        ("usages", ["everything"], "expected one of"),
        ("usages", [], "at least one usage"),
        ("end", "2025-12-31", "not after"),
        ("start", "2026-02-30", "a date"),
        ("notice_days", True, "whole number"),
        ("contact", "a@b.example\nBcc: c@d.example", "mail address"),
        ("more", 1, "no field"),
    ],
)
def test_a_mandate_that_says_something_else_is_refused(
    field: str, value: object, words: str
) -> None:
    document = mandate_document(given_mandate(1, 1).held.mandate)
    assert mandate_document(mandate_of(document)) == document
    with pytest.raises(DocumentError, match=words):
        mandate_of(document | {field: value})
