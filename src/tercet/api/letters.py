"""`/v1/letters`: open letters with who signed them, signed by their keeper; for everybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from tercet.api.problems import json_response, problems
from tercet.core.canonical import canonical_json
from tercet.core.strict_json import read_json_object
from tercet.flows.letter_service import LetterService

letters = APIRouter(prefix="/v1/letters", tags=["letters"])
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The letter's hash.")]
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


def add_letters(app: FastAPI, service: LetterService) -> None:
    """Serve the letters of a desk."""
    app.state.letters = service
    app.include_router(letters)


def letters_service(request: Request) -> LetterService:
    """Return the letters that this app serves."""
    service: LetterService = request.app.state.letters
    return service


@letters.get("", responses=problems())
def list_letters(request: Request) -> Response:
    """List the letters that are kept here."""
    return json_response({"object": "list", "data": letters_service(request).listed()})


@letters.get("/{sha256}", responses=problems(404))
def show_letter(request: Request, sha256: Sha256) -> Response:
    """Return a letter's signed export: text, counts, and who signed by name."""
    document = letters_service(request).export(sha256)
    return Response(canonical_json(document), media_type="application/json")


@letters.post(
    "/{sha256}/signatures", status_code=201, openapi_extra=_BODY, responses=problems(400, 403, 404)
)
async def take_signature(request: Request, sha256: Sha256) -> Response:
    """Take a signature, or a withdrawal of one, made by a key: what `tercet letter sign` writes."""
    parcel = read_json_object(await request.body())
    signature = await run_in_threadpool(letters_service(request).take, sha256, parcel)
    return json_response({"signature": signature}, status=201)
