"""The ASGI app: every route of the API on one studio, and the guards in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from tercet.api.guards import BodyLimit, KeyGuard, SiteGuard
from tercet.api.negotiations import add_negotiations
from tercet.api.offers import add_offers
from tercet.api.problems import Problem, add_problems, json_response, problems
from tercet.api.shapes import Health, Model, ModelList
from tercet.api.videos import studio_of, videos
from tercet.api.webhooks import webhooks
from tercet.core.version import __version__
from tercet.flows.license_service import DeskService
from tercet.flows.offer_shelf import OfferShelf
from tercet.flows.serve import Studio

about = APIRouter(tags=["about"])


def make_app(
    studio: Studio,
    *,
    api_key: str = "",
    hosts: tuple[str, ...] = (),
    shelf: OfferShelf | None = None,
    desk: DeskService | None = None,
) -> FastAPI:
    """Return the app for a studio that has been started; it is closed with the app.

    ``api_key``, where there is one, is asked of every request that is not for everybody. ``hosts``
    are the names by which the server may be called; empty: any. ``shelf`` has the offers to show;
    ``desk`` is the desk that negotiates here.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        studio.close()

    app = FastAPI(
        title="Tercet",
        version=__version__,
        description="Videos from prompts, with the works behind them. After OpenAI's /v1/videos.",
        lifespan=lifespan,
        docs_url=None,  # the page would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.studio = studio
    for router in (videos, webhooks, about):
        app.include_router(router)
    add_offers(app, shelf or OfferShelf())
    if desk is not None:
        add_negotiations(app, desk)
    add_problems(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(KeyGuard, key=api_key)
    app.add_middleware(SiteGuard, hosts=hosts)
    _describe(app, needs_key=bool(api_key))
    return app


@about.get("/healthz", response_model=Health, responses={503: {"model": Health}})
def health(request: Request) -> Response:
    """Tell whether videos are made; 503 when the queue has stopped."""
    studio = studio_of(request)
    document = Health(
        status="stopped" if studio.fault else "ok",
        engine=studio.model,
        queued=studio.waiting_count(),
    )
    return json_response(document, status=503 if studio.fault else 200)


@about.get("/v1/models", response_model=ModelList, responses=problems())
def list_models(request: Request) -> Response:
    """List what is served: one model."""
    return json_response(ModelList(object="list", data=[_model(studio_of(request))]))


def _model(studio: Studio) -> Model:
    return Model(
        id=studio.model,
        object="model",
        created=0,
        owned_by="tercet",
        rights=studio.about.get("rights", ""),
    )


def _describe(app: FastAPI, *, needs_key: bool) -> None:
    """Put what FastAPI cannot see into the OpenAPI document."""
    inner = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = inner()
            from pydantic import TypeAdapter

            schema = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas |= schema.pop("$defs", {}) | {"Problem": schema}
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None) if _is_fastapis_own(
                        operation["responses"].get("422", {})
                    ) else None
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            if needs_key:
                document["components"]["securitySchemes"] = {
                    "key": {"type": "http", "scheme": "bearer"}
                }
                document["security"] = [{"key": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _is_fastapis_own(answer: dict[str, Any]) -> bool:
    return "application/json" in answer.get("content", {})
