"""`/v1/webhook_endpoints`: who is told of events, in the shape that the OpenAI package uses."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict

from tercet.api.bodies import read_body
from tercet.api.documents import ENDPOINT_BODY, ENDPOINT_CHANGE_BODY, ENDPOINT_TEST_BODY
from tercet.api.problems import json_response, problems
from tercet.api.shapes import WebhookEndpoint, WebhookEndpointWithSecret, endpoint_of
from tercet.api.videos import studio_of
from tercet.core.errors import MissingError
from tercet.flows.serve_request import check_names

webhooks = APIRouter(prefix="/v1/webhook_endpoints", tags=["webhooks"])
Id = Annotated[str, Path(description="The id of a webhook endpoint.", max_length=80)]


class WebhookEndpointList(TypedDict):
    """All webhook endpoints, oldest first."""

    object: Literal["list"]
    data: list[WebhookEndpoint]
    first_id: str | None
    last_id: str | None
    has_more: bool


class WebhookEndpointDeleted(TypedDict):
    """An endpoint is gone."""

    id: str
    object: Literal["webhook_endpoint.deleted"]
    deleted: bool


class WebhookTested(TypedDict):
    """What an endpoint answered to a sample event."""

    object: Literal["webhook_endpoint.test"]
    webhook_endpoint_id: str
    event_type: str
    status_code: int
    success: Literal[True]


@webhooks.post(
    "", response_model=WebhookEndpointWithSecret, openapi_extra=ENDPOINT_BODY,
    responses=problems(400, 409, 413, 415),
)  # fmt: skip
async def create_endpoint(request: Request) -> Response:
    """Add an address that is told of events; the answer alone shows its secret."""
    studio = studio_of(request)
    fields = (await read_body(request)).fields
    endpoint = await run_in_threadpool(lambda: studio.notices.add(fields))
    return json_response({**endpoint_of(endpoint), "signing_secret": endpoint.secret})


@webhooks.get("", response_model=WebhookEndpointList, responses=problems(400, 404))
def list_endpoints(
    request: Request,
    after: Annotated[str, Query(description="The id of the last one of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """List the endpoints, oldest first."""
    every = [endpoint_of(endpoint) for endpoint in studio_of(request).notices.all()]
    start = 0
    if after:
        ids = [endpoint["id"] for endpoint in every]
        if after not in ids:
            raise MissingError(f"there is no webhook endpoint {after[:80]!r}")
        start = ids.index(after) + 1
    data = every[start : start + limit]
    return json_response(
        WebhookEndpointList(
            object="list",
            data=data,
            first_id=data[0]["id"] if data else None,
            last_id=data[-1]["id"] if data else None,
            has_more=start + limit < len(every),
        )
    )


@webhooks.get("/{endpoint_id}", response_model=WebhookEndpoint, responses=problems(400, 404))
def retrieve_endpoint(request: Request, endpoint_id: Id) -> Response:
    """Show an endpoint, without its secret."""
    return json_response(endpoint_of(studio_of(request).notices.get(endpoint_id)))


@webhooks.post(
    "/{endpoint_id}", response_model=WebhookEndpoint, openapi_extra=ENDPOINT_CHANGE_BODY,
    responses=problems(400, 404, 413, 415),
)  # fmt: skip
async def change_endpoint(request: Request, endpoint_id: Id) -> Response:
    """Change name, address or events of an endpoint."""
    studio = studio_of(request)
    fields = (await read_body(request)).fields
    endpoint = await run_in_threadpool(lambda: studio.notices.change(endpoint_id, fields))
    return json_response(endpoint_of(endpoint))


@webhooks.post(
    "/{endpoint_id}/rotate_secret",
    response_model=WebhookEndpointWithSecret,
    responses=problems(400, 404),
)
def rotate_secret(request: Request, endpoint_id: Id) -> Response:
    """Give an endpoint a new secret, which this answer alone shows; the old one ends at once."""
    endpoint = studio_of(request).notices.rotate_secret(endpoint_id)
    return json_response({**endpoint_of(endpoint), "signing_secret": endpoint.secret})


@webhooks.post(
    "/{endpoint_id}/test", response_model=WebhookTested, openapi_extra=ENDPOINT_TEST_BODY,
    responses=problems(400, 404, 409, 413, 415),
)  # fmt: skip
async def send_test_event(request: Request, endpoint_id: Id) -> Response:
    """Send a sample event now, about a video that does not exist, and tell what was answered."""
    studio = studio_of(request)
    fields = (await read_body(request)).fields
    check_names(fields, ("event_type",))
    event_type = str(fields.get("event_type"))
    status = await run_in_threadpool(lambda: studio.notices.test(endpoint_id, event_type))
    return json_response(
        WebhookTested(
            object="webhook_endpoint.test",
            webhook_endpoint_id=endpoint_id,
            event_type=event_type,
            status_code=status,
            success=True,
        )
    )


@webhooks.delete(
    "/{endpoint_id}", response_model=WebhookEndpointDeleted, responses=problems(400, 404)
)
def delete_endpoint(request: Request, endpoint_id: Id) -> Response:
    """Remove an endpoint, and what it was still to be told."""
    studio_of(request).notices.remove(endpoint_id)
    return json_response(
        WebhookEndpointDeleted(id=endpoint_id, object="webhook_endpoint.deleted", deleted=True)
    )
