"""The ASGI app of a desk alone: negotiations and offers, for owners who make no videos."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response

from tercet.api.guards import BodyLimit, SiteGuard
from tercet.api.negotiations import add_negotiations
from tercet.api.offers import add_offers
from tercet.api.problems import add_problems, json_response
from tercet.consent.licences.dsp_json import MESSAGE_BYTES_MAX
from tercet.core.version import __version__
from tercet.flows.license_service import DeskService
from tercet.flows.offer_shelf import OfferShelf

_BODY_GRACE_S = 10.0
about = APIRouter(tags=["about"])


def make_desk_app(
    desk: DeskService, *, hosts: tuple[str, ...] = (), shelf: OfferShelf | None = None
) -> FastAPI:
    """Return the app for a desk. ``hosts`` are the names it may be called by; empty: any.

    No key is asked: everything here is either for everybody or signed.
    """
    app = FastAPI(
        title="Tercet desk",
        version=__version__,
        description="Negotiations after the Dataspace Protocol 2025-1, and signed offers.",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(about)
    add_negotiations(app, desk)
    add_offers(app, shelf or OfferShelf())
    add_problems(app)
    app.add_middleware(BodyLimit, bytes_max=MESSAGE_BYTES_MAX, grace_s=_BODY_GRACE_S)
    app.add_middleware(SiteGuard, hosts=hosts)
    return app


@about.get("/healthz")
def health() -> Response:
    """Tell that it runs."""
    return json_response({"status": "ok"})
