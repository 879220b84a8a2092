"""The rate card as a page: all offers that are served here."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from tercet.api.offers import shelf_of
from tercet.consent.licences.published_prices import published_prices
from tercet.flows.offer_shelf import OfferShelf
from tercet.flows.rate_card import COMPARISON_NOTE, card_offers, compared_prices, marks
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
