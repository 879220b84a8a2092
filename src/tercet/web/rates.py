"""The rate card as a page: all offers that are served here."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from tercet.api.offers import OFFERS_PATH, shelf_of
from tercet.consent.licences.published_offer import PublishedOffer
from tercet.consent.licences.published_prices import published_prices
from tercet.flows.offer_shelf import OfferShelf
from tercet.flows.rate_card import (
    COMPARISON_NOTE,
    card_offers,
    compared_prices,
    marks,
    rate_card_page,
)
from tercet.web.contexts import RatesContext
from tercet.web.rendering import page


def rates_context(shelf: OfferShelf) -> RatesContext:
    """Return what the rate card shows."""
    return RatesContext(
        offers=card_offers(shelf.all()),
        compared=compared_prices(),
        marks=marks(),
        note=COMPARISON_NOTE,
        gathered_on=published_prices().gathered_on,
    )


def rates_answer(request: Request) -> Response:
    """Answer a request for the rate card."""
    return HTMLResponse(page(rates_context(shelf_of(request))))


def mount_rate_card(app: FastAPI, title: str) -> None:
    """Serve the rate card by itself at /rates, where a desk is served without the studio."""
    alone = APIRouter(include_in_schema=False)

    @alone.get("/rates")
    def show_card(request: Request) -> Response:
        return HTMLResponse(rate_card_page(shelf_of(request).all(), title, _served_at))

    app.include_router(alone)


def _served_at(published: PublishedOffer) -> tuple[str, str]:
    return f"{OFFERS_PATH}/{published.id}", f"{OFFERS_PATH}/{published.id}/works"
