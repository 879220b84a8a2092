"""`/v1/offers`: signed offers in the open, found by owner, usage and modality. No key is asked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.responses import FileResponse, Response
from typing_extensions import TypedDict

from tercet.api.problems import json_response, problems
from tercet.consent.licences.published_offer import PUBLISHED_OFFER_TYPE, PublishedOffer
from tercet.consent.licences.terms_schema import terms_schema
from tercet.core.terms import Modality
from tercet.core.usage import Usage
from tercet.flows.offer_shelf import OFFERS_MAX, OfferShelf

OFFERS_PATH = "/v1/offers"
offers = APIRouter(prefix=OFFERS_PATH, tags=["offers"])
Id = Annotated[str, Path(description="The id of an offer: urn:uuid:...", max_length=80)]
Owner = Annotated[str, Query(description="A party's id, or part of its name.", max_length=200)]
Limit = Annotated[int, Query(ge=1, le=OFFERS_MAX)]
After = Annotated[str, Query(description="The id that the page begins behind.", max_length=80)]

_PARTY = {"type": "object", "description": "tercet/party@1: one version of its maker's document."}
_SIGNATURE: dict[str, Any] = {
    "type": "object", "required": ["party", "key_id", "jws"], "additionalProperties": False,
    "properties": {name: {"type": "string"} for name in ("party", "key_id", "jws")},
}  # fmt: skip


class OfferList(TypedDict):
    """A page of offers; ``last_id`` is the cursor for the next one."""

    object: Literal["list"]
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


def offer_schema() -> dict[str, Any]:
    """Return the JSON Schema of a published offer, its terms whole."""
    texts = {name: {"type": "string"} for name in ("id", "made_at", "valid_until", "previous")}
    offer = {
        "type": "object",
        "required": ["type", *texts, "terms", "signatures"],
        "additionalProperties": False,
        "properties": texts
        | {
            "type": {"const": "tercet/offer@1"},
            "terms": terms_schema(),
            "signatures": {"type": "array", "items": _SIGNATURE, "minItems": 1, "maxItems": 1},
        },
    }
    return {
        "type": "object",
        "required": ["type", "offer", "parties"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": PUBLISHED_OFFER_TYPE},
            "offer": offer,
            "parties": {"type": "array", "items": _PARTY, "minItems": 1},
        },
    }


def _list_schema() -> dict[str, Any]:
    text: dict[str, Any] = {"type": ["string", "null"]}
    return {
        "type": "object",
        "required": ["object", "data", "first_id", "last_id", "has_more"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": offer_schema()},
            "first_id": text,
            "last_id": text,
            "has_more": {"type": "boolean"},
        },
    }


def add_offers(app: FastAPI, shelf: OfferShelf) -> None:
    """Serve the offers of ``shelf``."""
    app.state.offers = shelf
    app.include_router(offers)


def shelf_of(request: Request) -> OfferShelf:
    """Return the offers that this app serves."""
    shelf: OfferShelf = request.app.state.offers
    return shelf


def _answers(schema: dict[str, Any], *statuses: int) -> dict[int | str, dict[str, Any]]:
    answer = {"description": "Signed offers.", "content": {"application/json": {"schema": schema}}}
    return {200: answer, **problems(*statuses)}


@offers.get("", responses=_answers(_list_schema(), 400))
def list_offers(
    request: Request,
    owner: Owner = "",
    usage: Usage | None = None,
    modality: Modality | None = None,
    limit: Limit = 20,
    after: After = "",
) -> Response:
    """List the offers in force, by their ids."""
    page = shelf_of(request).find(
        owner=owner, usage=usage or "", modality=modality or "", limit=limit, after=after
    )
    document = OfferList(
        object="list",
        data=[each.fields() for each in page.offers],
        first_id=_id_at(page.offers, 0),
        last_id=_id_at(page.offers, -1),
        has_more=page.has_more,
    )
    return json_response(document)


@offers.get("/{offer_id}", responses=_answers(offer_schema(), 400, 404))
def show_offer(request: Request, offer_id: Id) -> Response:
    """Give one offer, with what anybody needs to check it."""
    return json_response(shelf_of(request).one(offer_id).fields())


@offers.get(
    "/{offer_id}/works",
    response_class=FileResponse,
    responses={200: {"content": {"text/plain": {}}}, **problems(400, 404)},
)
def send_works(request: Request, offer_id: Id) -> Response:
    """Give the list of works that the offer is about."""
    return FileResponse(
        shelf_of(request).works(offer_id),
        media_type="text/plain; charset=utf-8",
        headers={"X-Content-Type-Options": "nosniff"},
    )


def _id_at(found: tuple[PublishedOffer, ...], at: int) -> str | None:
    return found[at].id if found else None
