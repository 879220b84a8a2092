"""An owner's desk publishes; a studio's desk negotiates; a quote takes what stands on its table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from tercet.consent.licences.negotiation import State
from tercet.consent.licences.published_offer import OfferTakenError, read_published_offer
from tercet.consent.licences.signing import SignatureWrongError
from tercet.consent.licences.termination import TerminationReason
from tercet.core.errors import ConflictError, InputError, MissingError
from tercet.flows import license as talks
from tercet.flows.desk import OpenDesk, make_desk
from tercet.flows.license_answer import keep_reserve
from tercet.flows.license_delivery import deliver
from tercet.flows.license_places import offer_at, peer_at
from tercet.flows.offer_publishing import PublishRequest, publish, withdraw
from tercet.flows.offer_shelf import OfferShelf
from tercet.flows.quote_sources import desk_terms, signed_terms
from tercet.store.keys import load_or_make_key
from tercet.store.registry import Registry, Signing

ROOT = Path(__file__).resolve().parents[2]
TERMS = ROOT / "examples" / "terms" / "press-agency.toml"
SITE = "http://press-agency.example"
VALID_UNTIL = "2999-01-01T00:00:00Z"


@pytest.fixture
def owner(tmp_path: Path) -> OpenDesk:
    return make_desk(tmp_path / "owner", "Owner")


@pytest.fixture
def studio(tmp_path: Path) -> OpenDesk:
    return make_desk(tmp_path / "studio", "Studio")


def said(desk: OpenDesk, step: Callable[..., object], *given: object, **more: object) -> str:
    """Do a step and deliver it; return the id of the only negotiation."""
    step(desk, *given, **more)
    assert all(each.is_done for each in deliver(desk))
    return desk.store.negotiations()[0].pid


def published_by(owner: OpenDesk, **fields: object) -> str:
    request = PublishRequest(owner, (TERMS,), SITE, VALID_UNTIL)
    return publish(replace(request, **fields)).offers[0].published.id


def priced(desk: OpenDesk) -> list[tuple[str, int, bool]]:
    return [
        (each.state, each.terms.price.per_work_micros, each.repertoire is not None)
        for each in desk_terms(desk.folder, desk.clock())
    ]


def test_what_stands_on_the_table_is_the_price(owner: OpenDesk, studio: OpenDesk) -> None:
    offer_id = published_by(owner)
    assert priced(studio) == []
    peer = peer_at(studio, str(owner.folder))
    terms = offer_at(studio, offer_id, peer).terms
    low = replace(terms, price=replace(terms.price, per_work_micros=10_000))
    ours = said(studio, talks.request, peer, low, previous=offer_id)
    assert priced(studio) == [("requested", 10_000, True)]  # the list was fetched for it
    theirs = owner.store.negotiations()[0].pid
    asked = talks.offers_of(owner.store.negotiation(theirs))[-1].terms
    mid = replace(asked, price=replace(asked.price, per_work_micros=15_000))
    said(owner, talks.counter, theirs, mid)
    assert priced(studio) == [("offered", 15_000, True)]
    assert priced(owner) == []  # who grants pays nothing
    said(studio, talks.accept, ours)
    said(owner, talks.sign, theirs)
    said(studio, talks.sign, ours)
    assert priced(studio) == [("verified", 15_000, True)]
    said(owner, talks.sign, theirs)
    assert studio.store.negotiation(ours).state is State.FINALIZED
    assert priced(studio) == [("agreement", 15_000, True)]
    (kept,) = studio.store.agreements()
    ends_on = (date.fromisoformat(studio.clock()[:10]) + timedelta(days=91)).isoformat()
    talks.end_agreement(studio, kept.id, TerminationReason.SURRENDER, ends_on)
    assert priced(studio) == [("agreement", 15_000, True)]
    assert desk_terms(studio.folder, f"{ends_on}T00:00:00Z") == ()


def test_a_talk_that_ended_sets_no_price(owner: OpenDesk, studio: OpenDesk) -> None:
    offer_id = published_by(owner)
    peer = peer_at(studio, str(owner.folder))
    ours = said(studio, talks.request, peer, offer_at(studio, offer_id, peer).terms)
    said(studio, talks.terminate, ours)
    assert priced(studio) == []


def test_an_offer_is_in_desk_registry_folder_and_shelf(owner: OpenDesk, tmp_path: Path) -> None:
    signing = Signing(load_or_make_key(tmp_path / "key"), owner.clock())
    registry = Registry.make(tmp_path / "registry", signing)
    offer_id = published_by(owner, registry=registry, signing=signing, out=tmp_path / "upload")
    uuid = offer_id.removeprefix("urn:uuid:")
    raw = (tmp_path / "upload" / "offers" / f"{uuid}.json").read_bytes()
    assert read_published_offer(raw, owner.clock()).id == offer_id
    for shelf in (OfferShelf(registry.folder), OfferShelf(desk=owner.folder)):
        assert [each.id for each in shelf.find().offers] == [offer_id]
        assert shelf.works(offer_id).is_file()
    file = tmp_path / "offer.json"
    file.write_bytes(raw)
    now = owner.clock()
    found = signed_terms((registry.folder,), (file,), now)
    assert [each.id for each in found] == [offer_id]
    withdraw(owner, offer_id, "sold", registry, signing)
    for shelf in (OfferShelf(registry.folder), OfferShelf(desk=owner.folder)):
        assert shelf.find().offers == ()
    with pytest.raises(ConflictError):
        withdraw(owner, offer_id, "again", registry, signing)


def test_nothing_is_published_for_a_site_without_works(owner: OpenDesk, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no work at"):
        published_by(owner, works=("site:https://elsewhere.example",), out=tmp_path / "upload")
    assert owner.store.offers() == ()
    assert not (tmp_path / "upload").exists()


def test_an_offer_that_has_ended_is_refused_at_once(owner: OpenDesk) -> None:
    with pytest.raises(InputError, match="valid until after"):
        published_by(owner, valid_until="2000-01-01T00:00:00Z")


def test_terms_for_somebody_in_particular_are_not_for_the_open(
    owner: OpenDesk, studio: OpenDesk, tmp_path: Path
) -> None:
    file = tmp_path / "terms.toml"
    named = f'[licensee]\nid = "{studio.party.id}"\nname = "Studio"\n\n'
    file.write_text(named + TERMS.read_text("utf-8"), "utf-8")
    with pytest.raises(OfferTakenError):
        published_by(owner, terms_files=(file,))


def test_a_file_of_an_altered_offer_is_refused(owner: OpenDesk, tmp_path: Path) -> None:
    published_by(owner, out=tmp_path / "upload")
    (file,) = (tmp_path / "upload" / "offers").glob("*.json")
    document = json.loads(file.read_bytes())
    document["offer"]["valid_until"] = "2999-01-02T00:00:00Z"
    file.write_text(json.dumps(document))
    with pytest.raises(SignatureWrongError):
        signed_terms((), (file,), owner.clock())
    with pytest.raises(InputError, match="cannot read"):
        signed_terms((), (tmp_path / "nothing.json",), owner.clock())


def test_a_shelf_without_works_says_so(owner: OpenDesk) -> None:
    with pytest.raises(MissingError):
        OfferShelf(desk=owner.folder).works("urn:uuid:nothing")


def test_an_offer_nobody_published_is_not_taken_back(owner: OpenDesk) -> None:
    with pytest.raises(MissingError):
        withdraw(owner, "urn:uuid:00000000-0000-4000-8000-000000000000", "", None, None)
    withdraw(owner, published_by(owner), "sold", None, None)


def test_a_reserve_is_kept_for_what_is_known_alone(owner: OpenDesk) -> None:
    with pytest.raises(MissingError):
        keep_reserve(owner, "urn:uuid:00000000-0000-4000-8000-000000000000", {"fixed_micros": 1})
    offer_id = published_by(owner)
    keep_reserve(owner, offer_id, {"fixed_micros": 1})
    assert owner.store.reserve(offer_id)
