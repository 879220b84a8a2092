"""Signed offers in a registry: published, searched, taken back, and checked against the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from licence_offers import (
    MADE_AT,
    OFFER_ID,
    VALID_UNTIL,
    offered,
    party_documents,
    signer_of,
)
from sqlalchemy import text

from tercet.consent.licences.names import NameLookalikeError
from tercet.consent.licences.published_offer import (
    OfferMakerError,
    published_offer_of,
    read_published_offer,
)
from tercet.consent.licences.signing import SignatureWrongError, signed
from tercet.core.canonical import canonical_json
from tercet.core.errors import ConflictError, InputError, MissingError, RefusedError
from tercet.core.terms import Modality, PartyName, Price
from tercet.core.usage import Usage
from tercet.flows.offer_shelf import OfferShelf
from tercet.store.keys import SigningKey
from tercet.store.registry import Registry, Signing
from tercet.store.registry_check import differences
from tercet.store.registry_offers import (
    OfferQuery,
    find_offers,
    offer_named,
    publish_offer,
    retract_offer,
)

OTHER_ID = "urn:uuid:00000000-5b1e-4f0a-9c39-0d5f0a3f7a12"
LATER = "2028-01-01T00:00:00Z"


def by(seed: int, at: str = MADE_AT) -> Signing:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return Signing(SigningKey(private, private.public_key().public_bytes_raw()), at)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry.make(tmp_path / "registry", by(100))


def put(registry: Registry, made: Any, signing: Signing | None = None) -> bool:
    return publish_offer(registry, made.published, made.repertoire, signing or by(1))


def found(registry: Registry, **asked: Any) -> list[str]:
    return [each.id for each in find_offers(registry, OfferQuery(MADE_AT, **asked))]


def test_an_offer_is_found_by_what_it_grants(registry: Registry) -> None:
    films = offered("site:https://a.example", modalities_in=(Modality.VIDEO,))
    texts = offered(
        "site:https://b.example", seed=2, name="Owner of texts", offer_id=OTHER_ID,
        usages=(Usage.AI_INPUT,),
    )  # fmt: skip
    assert put(registry, films)
    assert not put(registry, films)
    assert put(registry, texts)
    assert found(registry) == [OTHER_ID, OFFER_ID]
    assert found(registry, usage="ai_input") == [OTHER_ID]
    assert found(registry, modality="video") == [OFFER_ID]
    assert found(registry, owner=signer_of(2).party) == [OTHER_ID]
    assert found(registry, owner="own") == [OTHER_ID, OFFER_ID]
    assert found(registry, owner="nobody") == []
    assert found(registry, limit=1) == [OTHER_ID]
    assert found(registry, after=OTHER_ID) == [OFFER_ID]
    assert differences(registry) == []


def test_what_has_ended_is_not_found_but_can_be_read(registry: Registry) -> None:
    put(registry, offered("site:https://a.example"))
    assert find_offers(registry, OfferQuery(VALID_UNTIL)) == []
    assert offer_named(registry, OFFER_ID).terms.price.per_work_micros == 50_000


def test_only_who_published_it_or_the_keeper_takes_it_back(registry: Registry) -> None:
    made = offered("site:https://a.example")
    put(registry, made)
    with pytest.raises(RefusedError, match="only the key that published"):
        retract_offer(registry, OFFER_ID, "", by(9))
    retract_offer(registry, OFFER_ID, "sold", by(1))
    assert found(registry) == []
    with pytest.raises(MissingError):
        offer_named(registry, OFFER_ID)
    with pytest.raises(ConflictError):
        put(registry, made)
    with pytest.raises(ConflictError):
        retract_offer(registry, OFFER_ID, "again", by(100))
    assert differences(registry) == []


def test_a_later_offer_takes_the_place_of_an_earlier_one(registry: Registry) -> None:
    put(registry, offered("site:https://a.example"))
    put(registry, offered("site:https://a.example", offer_id=OTHER_ID, previous=OFFER_ID))
    assert found(registry) == [OTHER_ID]


def test_another_party_replaces_nothing(registry: Registry) -> None:
    put(registry, offered("site:https://a.example"))
    made = offered(
        "site:https://a.example", seed=2, name="Rival", offer_id=OTHER_ID, previous=OFFER_ID
    )
    put(registry, made)
    assert found(registry) == [OTHER_ID, OFFER_ID]


@pytest.mark.parametrize("name", ["Owner", "OWNER", "0wner"])
def test_a_name_like_anothers_is_refused_until_a_person_tells_them_apart(
    registry: Registry, name: str
) -> None:
    first = offered("site:https://a.example")
    put(registry, first)
    alike = offered("site:https://b.example", seed=2, name=name, offer_id=OTHER_ID)
    with pytest.raises(NameLookalikeError):
        put(registry, alike)
    told_apart = frozenset({first.published.maker.id})
    assert publish_offer(registry, alike.published, alike.repertoire, by(2), confirmed=told_apart)
    assert differences(registry) == []


def test_other_works_than_the_terms_name_are_refused(registry: Registry) -> None:
    made, other = offered("site:https://a.example"), offered("site:https://b.example")
    with pytest.raises(InputError, match="expected the works"):
        publish_offer(registry, made.published, other.repertoire, by(1))


def test_an_edited_table_is_found_out(registry: Registry) -> None:
    put(registry, offered("site:https://a.example"))
    with registry.database.writing() as connection:
        connection.execute(text("UPDATE published_offers SET valid_until = :at"), {"at": LATER})
    assert differences(registry) == [f"offer {OFFER_ID}: log and table differ"]
    with registry.database.writing() as connection:
        connection.execute(text("DELETE FROM published_offers"))
    assert differences(registry) == [f"offer {OFFER_ID}: log and table differ"]


def test_a_price_altered_after_signing_is_refused() -> None:
    fields = offered("site:https://a.example").published.fields()
    fields["offer"]["terms"]["price"]["per_work_micros"] = 1
    with pytest.raises(SignatureWrongError):
        published_offer_of(fields, MADE_AT)


def test_an_offer_of_somebody_elses_works_by_name_is_refused() -> None:
    """The licensor in the terms is not the one who signs."""
    made = offered("site:https://a.example").published
    thief = signer_of(7)
    stolen = signed({**made.document, "signatures": []}, thief)
    fields = {**made.fields(), "offer": stolen, "parties": party_documents(thief, "Somebody")}
    with pytest.raises(OfferMakerError):
        published_offer_of(fields, MADE_AT)


def test_an_offer_signed_twice_or_not_at_all_is_refused() -> None:
    fields = offered("site:https://a.example").published.fields()
    unsigned = {**fields, "offer": {**fields["offer"], "signatures": []}}
    with pytest.raises(OfferMakerError):
        published_offer_of(unsigned, MADE_AT)


def test_its_bytes_are_read_strictly() -> None:
    raw = canonical_json(offered("site:https://a.example").published.fields())
    assert read_published_offer(raw, MADE_AT).id == OFFER_ID
    doubled = raw.replace(b'{"offer"', b'{"type":"tercet/published-offer@1","offer"', 1)
    with pytest.raises(InputError):
        read_published_offer(doubled, MADE_AT)


def test_a_shelf_pages_through_a_registry(registry: Registry) -> None:
    for number in range(5):
        name = f"urn:uuid:00000000-0000-4000-8000-00000000000{number}"
        put(registry, offered("site:https://a.example", offer_id=name))
    shelf = OfferShelf(registry.folder, clock=lambda: MADE_AT)
    first = shelf.find(limit=3)
    assert ([each.id[-1] for each in first.offers], first.has_more) == (["0", "1", "2"], True)
    rest = shelf.find(limit=3, after=first.offers[-1].id)
    assert ([each.id[-1] for each in rest.offers], rest.has_more) == (["3", "4"], False)
    assert shelf.works(first.offers[0].id).read_bytes().endswith(b"site:https://a.example\n")
    assert OfferShelf().find().offers == ()
    with pytest.raises(MissingError):
        shelf.one("urn:uuid:nothing")


def test_a_name_the_party_never_had_is_refused() -> None:
    made = offered("site:https://a.example").published
    terms = replace(made.terms, licensor=PartyName(made.maker.id, "A better known owner"))
    assert terms.price == Price("EUR", per_work_micros=50_000)
    with pytest.raises(OfferMakerError, match="gave itself"):
        offered("site:https://a.example", licensor=terms.licensor)
