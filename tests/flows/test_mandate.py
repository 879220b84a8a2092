"""A collective's year: mandates in, a snapshot, an agreement, members told, one who leaves."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path
from typing import Any

import pytest
from collectives import TRAIN, Clock, agreed, desk, digest, know, registry_with

from tercet.consent.licences.closed_fields import DocumentError
from tercet.consent.licences.repertoire import repertoire_of
from tercet.consent.licences.standing import StandingError
from tercet.core.errors import ConflictError, RefusedError
from tercet.core.usage import Usage
from tercet.flows.desk import OpenDesk
from tercet.flows.mandate import (
    MandateDraft,
    give_mandate,
    lapsed,
    make_snapshot,
    party_name,
    revoke_mandate,
    take_parcel,
    tell_members,
    write_notices,
)
from tercet.flows.mandate_handover import hand_over, take_hand_over
from tercet.flows.reserve import RESERVE_ALL, reserve_all
from tercet.store.desk_mandates import Mandates
from tercet.store.keys import load_or_make_key
from tercet.store.registry import Signing


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def collective(tmp_path: Path, clock: Clock) -> OpenDesk:
    return desk(tmp_path / "collective", "Collective", clock)


@pytest.fixture
def member(tmp_path: Path, clock: Clock) -> OpenDesk:
    return desk(tmp_path / "member", "Composer", clock)


@pytest.fixture
def licensee(tmp_path: Path, clock: Clock) -> OpenDesk:
    return desk(tmp_path / "licensee", "Studio", clock)


def draft(collective: OpenDesk, **changes: Any) -> MandateDraft:
    fields = {
        "collective": party_name(collective),
        "usages": (TRAIN,),
        "start": "2026-06-01",
        "cut_basis_points": 1250,
        "notice_days": 90,
        "contact": "composer@member.example",
    }
    return MandateDraft(**(fields | changes))


def lines(desk_: OpenDesk, sha256: str) -> list[str]:
    return desk_.store.repertoires.read(sha256).decode().splitlines()[1:]


def test_a_year_of_a_collective(
    tmp_path: Path, clock: Clock, collective: OpenDesk, member: OpenDesk, licensee: OpenDesk
) -> None:
    registry = registry_with(tmp_path / "registry", member, ["one", "two"], clock)
    know(collective, licensee)
    held = take_parcel(collective, give_mandate(member, draft(collective)))
    taken = make_snapshot(collective, [TRAIN], registry=registry)
    works = sorted(f"sha256:{digest(word)}" for word in ("one", "two"))
    assert lines(collective, taken.snapshot.repertoire.sha256) == works

    agreed(collective, licensee, taken.snapshot)
    assert (tell_members(collective), tell_members(collective)) == (1, 0)  # told once
    ((kept, path),) = write_notices(collective, tmp_path / "mail", sender="office@c.example")
    assert write_notices(collective, tmp_path / "mail", sender="office@c.example") == []
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body().get_content()  # type: ignore[union-attr]
    assert message["To"] == "composer@member.example"
    assert "Studio covers 2 works" in body
    attached = json.loads(next(message.iter_attachments()).get_content())
    assert attached["terms"]["licensee"]["name"] == "Studio"
    assert attached == kept.document

    clock.now = "2026-07-01T00:00:00Z"
    held = take_parcel(collective, revoke_mandate(member, held.mandate.id, "enough"))
    assert held.lapses_on == "2026-09-29"
    with pytest.raises(RefusedError, match="no mandate"):
        make_snapshot(collective, [TRAIN], registry=registry)
    assert lapsed(collective, taken.snapshot, "2026-09-28", registry) == repertoire_of(())
    assert lapsed(collective, taken.snapshot, "2026-09-29", registry) == taken.works
    ((kept, _),) = write_notices(collective, tmp_path / "mail", sender="office@c.example")
    assert (kept.notice.kind, kept.notice.effective_on) == ("revocation received", "2026-09-29")


def test_a_licensee_checks_a_snapshot_by_itself(
    collective: OpenDesk, member: OpenDesk, licensee: OpenDesk
) -> None:
    works = repertoire_of([f"sha256:{digest('one')}"])
    take_parcel(collective, give_mandate(member, draft(collective, works=works)))
    taken = make_snapshot(collective, [TRAIN], registry=None)
    parcel = json.loads(json.dumps(hand_over(collective, taken.snapshot.id)))
    raised = parcel["mandates"][0] | {"cut_basis_points": 0}
    with pytest.raises(StandingError):
        take_hand_over(licensee, parcel | {"mandates": [raised]})
    assert take_hand_over(licensee, parcel) == taken.snapshot
    take_parcel(collective, revoke_mandate(member, taken.snapshot.parts[0].mandate, ""))
    take_hand_over(licensee, hand_over(collective, taken.snapshot.id))
    assert Mandates(licensee.store).all()[0].revoked_on


def test_works_of_others_and_disputed_ones_are_not_brought(
    tmp_path: Path, clock: Clock, collective: OpenDesk, member: OpenDesk
) -> None:
    registry = registry_with(tmp_path / "registry", member, ["mine", "disputed"], clock)
    number = registry.works_by_sha256([digest("disputed")])[digest("disputed")][0]
    rival = Signing(load_or_make_key(tmp_path / "rival.key"), clock.now)
    registry.open_dispute(number, "it is mine", rival)
    listed = repertoire_of(
        [f"sha256:{digest(word)}" for word in ("mine", "disputed", "somebody else's")]
        + ["site:https://somebody.example", "url:https://somebody.example/x"]
    )
    take_parcel(collective, give_mandate(member, draft(collective, works=listed)))
    taken = make_snapshot(collective, [TRAIN], registry=registry)
    assert lines(collective, taken.snapshot.repertoire.sha256) == [f"sha256:{digest('mine')}"]


def test_a_mandate_by_somebody_else_or_altered_is_refused(
    tmp_path: Path, collective: OpenDesk, member: OpenDesk, licensee: OpenDesk
) -> None:
    parcel = give_mandate(member, draft(collective))
    raised = parcel["document"] | {"cut_basis_points": 9_000}
    with pytest.raises(StandingError, match="altered") as caught:
        take_parcel(collective, parcel | {"document": raised})
    assert caught.value.code == "mandate-wrongly-signed"
    theirs = [version.document for version in licensee.history.versions]
    with pytest.raises(StandingError, match="not known"):
        take_parcel(licensee, parcel | {"versions": theirs})  # whose key it is, nobody says
    renamed = parcel["document"] | {"member": {"id": member.party.id, "name": "Another"}}
    with pytest.raises(StandingError):
        take_parcel(collective, parcel | {"document": renamed})
    held = take_parcel(collective, parcel)
    assert take_parcel(collective, parcel) == held  # the same once more changes nothing
    with pytest.raises(DocumentError):
        take_parcel(collective, parcel | {"document": {"type": "tercet/offer@1"}})


def test_only_who_gave_a_mandate_revokes_it(
    collective: OpenDesk, member: OpenDesk, licensee: OpenDesk
) -> None:
    take_parcel(collective, give_mandate(member, draft(collective)))
    mandate = Mandates(member.store).all()[0].mandate
    forged = revoke_mandate(member, mandate.id, "")
    taken_over = {"id": licensee.party.id, "name": licensee.party.name}
    with pytest.raises(ConflictError, match="nobody else"):
        take_parcel(collective, forged | {"document": forged["document"] | {"member": taken_over}})
    assert Mandates(collective.store).held(mandate.id).revoked_on == ""


def test_a_reservation_denies_every_usage_of_every_work_that_is_mine(
    tmp_path: Path, clock: Clock, member: OpenDesk, licensee: OpenDesk
) -> None:
    registry = registry_with(tmp_path / "registry", member, ["a", "b"], clock, allows=True)
    registry_with(tmp_path / "registry", licensee, ["c"], clock, allows=True)
    key = load_or_make_key(member.folder / "keys" / f"{member.signer().key_id}.pem")
    later = Signing(key, "2026-06-02T00:00:00Z")
    tried = reserve_all(registry, later, dry_run=True)
    assert (tried.amended, tried.opened) == ((1, 2), (1, 2))
    assert registry.standing(1)[0][0].claim.terms != RESERVE_ALL
    assert reserve_all(registry, later).amended == (1, 2)
    assert reserve_all(registry, later).unchanged == (1, 2)
    for number in (1, 2):
        (claim,), _ = registry.standing(number)
        assert {terms.usage for terms in claim.claim.terms} == set(Usage)
        assert {str(terms.permission) for terms in claim.claim.terms} == {"deny"}
        assert claim.claim.previous  # an amendment: the claim before is in the log
    assert registry.standing(3)[0][0].claim.terms != RESERVE_ALL
