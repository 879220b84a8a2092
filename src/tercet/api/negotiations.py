"""`/dsp`: the HTTPS binding of the Dataspace Protocol 2025-1 for negotiations, both roles.

Parse, call the desk's service, render. Who may do what is decided by signatures, so that no key of
this server is asked for. Errors are ContractNegotiationErrors, as the protocol has them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from tercet.consent.licences.dsp_json import MESSAGE_BYTES_MAX, dsp_answer
from tercet.consent.licences.messages import Answer
from tercet.core.errors import MissingError, StorageError, TercetError
from tercet.flows.license_service import DeskService, Place

negotiations = APIRouter(prefix="/dsp", tags=["negotiations"])
Pid = Annotated[str, Path(description="This side's id of the negotiation.", max_length=80)]
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]

_RETRY_AFTER_S = "1"
_NEW = {Place.REQUEST_FIRST, Place.OFFER_FIRST}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


def add_negotiations(app: FastAPI, service: DeskService) -> None:
    """Serve the desk of ``service``."""
    app.state.desk = service
    app.include_router(negotiations)


def service_of(request: Request) -> DeskService:
    """Return the service of the desk that this app serves."""
    service: DeskService = request.app.state.desk
    return service


@negotiations.post("/negotiations/request", status_code=201, openapi_extra=_BODY)
async def request_first(request: Request) -> Response:
    """A consumer begins a negotiation: ContractRequestMessage."""
    return await _taken(request, Place.REQUEST_FIRST, "")


@negotiations.post("/negotiations/offers", status_code=201, openapi_extra=_BODY)
async def offer_first(request: Request) -> Response:
    """A provider begins a negotiation: ContractOfferMessage."""
    return await _taken(request, Place.OFFER_FIRST, "")


@negotiations.post("/negotiations/{pid}/request", openapi_extra=_BODY)
async def request_again(request: Request, pid: Pid) -> Response:
    """A consumer makes a counter-offer: ContractRequestMessage."""
    return await _taken(request, Place.REQUEST, pid)


@negotiations.post("/negotiations/{pid}/offers", openapi_extra=_BODY)
async def offer_again(request: Request, pid: Pid) -> Response:
    """A provider makes an offer or a counter-offer: ContractOfferMessage."""
    return await _taken(request, Place.OFFER, pid)


@negotiations.post("/negotiations/{pid}/events", openapi_extra=_BODY)
async def event(request: Request, pid: Pid) -> Response:
    """A consumer accepts, or a provider finalizes: ContractNegotiationEventMessage."""
    return await _taken(request, Place.EVENT, pid)


@negotiations.post("/negotiations/{pid}/agreement", openapi_extra=_BODY)
async def agreement(request: Request, pid: Pid) -> Response:
    """A provider agrees, with its signature: ContractAgreementMessage."""
    return await _taken(request, Place.AGREEMENT, pid)


@negotiations.post("/negotiations/{pid}/agreement/verification", openapi_extra=_BODY)
async def verification(request: Request, pid: Pid) -> Response:
    """A consumer signs the agreement too: ContractAgreementVerificationMessage."""
    return await _taken(request, Place.VERIFICATION, pid)


@negotiations.post("/negotiations/{pid}/termination", openapi_extra=_BODY)
async def termination(request: Request, pid: Pid) -> Response:
    """Either side ends it: ContractNegotiationTerminationMessage."""
    return await _taken(request, Place.TERMINATION, pid)


@negotiations.post("/terminations", openapi_extra=_BODY)
async def end_agreement(request: Request) -> Response:
    """Take the signed end of an agreement that stands: tercet/termination@1 (ours)."""
    try:
        raw = await _body(request)
    except _NotTakenError as error:
        return _error(error.status, error.code, error.message)
    service = service_of(request)
    return await run_in_threadpool(
        lambda: _shielded(lambda: _json(service.end_agreement(raw), 200))
    )


@negotiations.get("/negotiations/{pid}")
def state(request: Request, pid: Pid) -> Response:
    """Tell the state of a negotiation, to who knows its id: a ContractNegotiation."""
    service = service_of(request)
    return _shielded(lambda: _json(dsp_answer(service.state(pid)), 200))


@negotiations.get("/party")
def party(request: Request) -> Response:
    """Tell who is served here: every version of its party document, the first one first."""
    service = service_of(request)
    return _shielded(lambda: _json({"versions": service.party_documents()}, 200))


@negotiations.get("/repertoires/{sha256}", response_class=FileResponse)
def repertoire(request: Request, sha256: Sha256) -> Response:
    """Give the list of works that terms name by its digest."""
    service = service_of(request)
    return _shielded(
        lambda: FileResponse(
            service.repertoire(sha256),
            media_type="text/plain; charset=utf-8",
            headers={"X-Content-Type-Options": "nosniff"},
        )
    )


async def _taken(request: Request, place: Place, pid: str) -> Response:
    """Hand one message to the desk and answer what it says."""
    try:
        raw = await _body(request)
    except _NotTakenError as error:
        return _error(error.status, error.code, error.message)
    service = service_of(request)
    return await run_in_threadpool(
        lambda: _shielded(lambda: _answered(service.receive(raw, place, pid), place))
    )


def _answered(answer: Answer, place: Place) -> Response:
    if answer.is_acknowledged:
        return _json(dsp_answer(answer), 201 if place in _NEW else 200)
    # The protocol: 400 for what does not fit the state, 404 for who may not know the negotiation.
    status = 409 if answer.retry else 404 if answer.state is None and place not in _NEW else 400
    return _json(dsp_answer(answer), status)


def _shielded(render: Callable[[], Response]) -> Response:
    """Return an answer, or what is wrong as a ContractNegotiationError."""
    try:
        return render()
    except MissingError as error:
        return _error(404, error.code, error.message)
    except StorageError:
        return _error(503, "storage", "the desk cannot be used at the moment")
    except TercetError as error:
        return _error(400, error.code, error.message)


class _NotTakenError(TercetError):
    """A body that is not read."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


async def _body(request: Request) -> bytes:
    """Return the body of a request: JSON by its media type, and within bounds."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/ld+json"):
        raise _NotTakenError(415, "bad-media-type", "expected application/json")
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MESSAGE_BYTES_MAX:
                words = f"expected at most {MESSAGE_BYTES_MAX:,} bytes, got more"
                raise _NotTakenError(413, "too-large", words)
    except ClientDisconnect:
        raise _NotTakenError(400, "bad-input", "the message ended early") from None
    return bytes(raw)


def _error(status: int, code: str, message: str) -> Response:
    answer = Answer("", "", "", None, code=code, reason=message)
    return _json(dsp_answer(answer), status)


def _json(document: dict[str, Any], status: int) -> Response:
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    if status in (409, 503):
        headers["Retry-After"] = _RETRY_AFTER_S
    raw = json.dumps(document).encode("ascii")
    return Response(raw, status, headers, media_type="application/json")
