"""`/v1/offers`: what is offered here, for everybody, as the OpenAPI document says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "flows"))

from licence_offers import MADE_AT, OFFER_ID, offered

from tercet.api.guards import KeyGuard
from tercet.api.offers import add_offers, offer_schema
from tercet.api.problems import add_problems
from tercet.consent.licences.published_offer import published_offer_of
from tercet.core.terms import Modality
from tercet.flows.offer_shelf import OfferShelf
from tercet.store.keys import load_or_make_key
from tercet.store.registry import Registry, Signing
from tercet.store.registry_offers import publish_offer
from tercet.web.rates import mount_rate_card, rates_context
from tercet.web.rendering import page

HOSTILE = "site:https://films.example"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> OfferShelf:
    folder = tmp_path_factory.mktemp("offers")
    signing = Signing(load_or_make_key(folder / "key"), MADE_AT)
    registry = Registry.make(folder / "registry", signing)
    made = offered(HOSTILE, modalities_in=(Modality.VIDEO,))
    publish_offer(registry, made.published, made.repertoire, signing)
    return OfferShelf(registry.folder, clock=lambda: MADE_AT)


@pytest.fixture(scope="module")
def client(shelf: OfferShelf) -> Any:
    app = FastAPI()
    add_offers(app, shelf)
    add_problems(app)
    app.add_middleware(KeyGuard, key="a key that nobody here has")
    return TestClient(app)


def test_offers_are_listed_without_a_key(client: Any) -> None:
    answer = client.get("/v1/offers").json()
    assert [each["offer"]["id"] for each in answer["data"]] == [OFFER_ID]
    assert (answer["first_id"], answer["has_more"]) == (OFFER_ID, False)
    jsonschema_rs.validator_for(offer_schema()).validate(answer["data"][0])
    assert published_offer_of(answer["data"][0], MADE_AT).id == OFFER_ID


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("owner=own", 1), ("owner=nobody", 0), ("usage=train_generative", 1), ("usage=search", 0),
        ("modality=video", 1), ("modality=text", 0), (f"after={OFFER_ID}", 0),
    ],
)  # fmt: skip
def test_offers_are_found_by_what_is_asked(client: Any, asked: str, count: int) -> None:
    assert len(client.get(f"/v1/offers?{asked}").json()["data"]) == count


@pytest.mark.parametrize("asked", ["usage=anything", "modality=smell", "limit=0", "limit=101"])
def test_what_is_no_question_is_told(client: Any, asked: str) -> None:
    answer = client.get(f"/v1/offers?{asked}")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == asked.partition("=")[0]


def test_one_offer_and_its_works(client: Any) -> None:
    assert client.get(f"/v1/offers/{OFFER_ID}").json()["offer"]["id"] == OFFER_ID
    works = client.get(f"/v1/offers/{OFFER_ID}/works")
    assert works.text == f"tercet/repertoire@1\n{HOSTILE}\n"
    assert works.headers["content-type"].startswith("text/plain")
    for place in ("/v1/offers/nothing", "/v1/offers/nothing/works"):
        assert client.get(place).status_code == 404


def test_the_openapi_document_says_what_terms_are(client: Any) -> None:
    paths = client.app.openapi()["paths"]
    answer = paths["/v1/offers/{offer_id}"]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema["properties"]["offer"]["properties"]["terms"]["title"] == "tercet/terms@1"


def test_the_rate_card_shows_offers_and_where_prices_come_from(shelf: OfferShelf) -> None:
    context = rates_context(shelf)
    text = page(context)
    assert "EUR 0.05</strong> a work" in text
    assert OFFER_ID in text
    assert len(context.compared) == 20
    for row in context.compared:
        assert row.source
        assert row.date
        assert row.mark in dict(context.marks)
    assert "USD 0.75 to 3.00 a minute" in text


def test_an_empty_rate_card_says_so() -> None:
    assert "Nothing is offered here yet" in page(rates_context(OfferShelf()))


def test_a_desk_alone_shows_its_rate_card(shelf: OfferShelf) -> None:
    app = FastAPI()
    add_offers(app, shelf)
    mount_rate_card(app, "Owner")
    client = TestClient(app)
    card = client.get("/rates").text
    assert "<h1>Owner: rate card</h1>" in card
    assert client.get(f"/v1/offers/{OFFER_ID}").status_code == 200
    assert f'href="/v1/offers/{OFFER_ID}"' in card
