"""The pages of letters. They need no script, load nothing, and stand alone.

/letters/HASH           the letter               POST /letters/HASH/sign       sign by e-mail
/letters/HASH/confirm   behind a link that was   POST /letters/HASH/confirm    confirm
/letters/HASH/withdraw  sent: a button           POST /letters/HASH/withdraw   withdraw
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from tercet.api.letters import Sha256, letters_service
from tercet.consent.licences.letter_token import TokenPurpose
from tercet.core.errors import (
    ConflictError,
    FieldError,
    InputError,
    MissingError,
    RefusedError,
    StorageError,
    TercetError,
)
from tercet.flows.letter_form import Fault
from tercet.flows.letter_service import problem_page
from tercet.flows.letter_style import STYLE
from tercet.web.same_origin import check_same_origin

FORM_BYTES_MAX = 16 * 1024
_FIELDS_MAX = 10
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    # The one style sheet by its hash, our own forms, and nothing else at all.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # a link's token leaves this server with nobody
    "Cache-Control": "no-store",  # what was withdrawn is not shown again by going back
}
_STATUS: tuple[tuple[type[TercetError], int], ...] = (
    (MissingError, 404),
    (InputError, 400),
    (ConflictError, 409),
    (RefusedError, 403),
    (StorageError, 503),
)


class LetterRoute(APIRoute):
    """A route whose errors are pages too, and which only our own pages may change things by."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                if request.method not in {"GET", "HEAD"}:
                    check_same_origin(request.headers)
                response = await inner(request)
            except TercetError as error:
                status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
                response = HTMLResponse(problem_page(error.message, error.hint), status)
            response.headers.update(HEADERS)
            return response

        return handle


letter_pages = APIRouter(prefix="/letters", route_class=LetterRoute, include_in_schema=False)


def mount_letters(app: FastAPI) -> None:
    """Add the pages of the letters that the app serves (see api.letters.add_letters)."""
    app.include_router(letter_pages)


@letter_pages.get("/{sha256}")
def show_letter(request: Request, sha256: Sha256) -> Response:
    """Show a letter with its counts, names and, where it can be signed, the form."""
    return HTMLResponse(letters_service(request).page(sha256))


@letter_pages.post("/{sha256}/sign")
async def sign_letter(request: Request, sha256: Sha256) -> Response:
    """Take a signature, or show the form again with what is wrong."""
    typed = await _form(request)
    return await run_in_threadpool(_sign, request, sha256, typed)


def _sign(request: Request, sha256: str, typed: dict[str, str]) -> Response:
    service = letters_service(request)
    try:
        return HTMLResponse(service.sign(sha256, typed))
    except MissingError:
        raise
    except (InputError, RefusedError) as error:
        field = error.field if isinstance(error, FieldError) else ""
        fault = Fault(field, error.message, error.hint)
        return HTMLResponse(service.page(sha256, typed=typed, fault=fault), 422)


@letter_pages.get("/{sha256}/{purpose}")
def show_link(request: Request, sha256: Sha256, purpose: TokenPurpose, token: str = "") -> Response:
    """Show the button behind a link; opening the link alone does nothing."""
    return HTMLResponse(letters_service(request).link_page(sha256, token, purpose))


@letter_pages.post("/{sha256}/{purpose}")
async def follow_link(request: Request, sha256: Sha256, purpose: TokenPurpose) -> Response:
    """Confirm or withdraw."""
    token = (await _form(request)).get("token", "")
    return HTMLResponse(
        await run_in_threadpool(letters_service(request).follow, sha256, token, purpose)
    )


async def _form(request: Request) -> dict[str, str]:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > FORM_BYTES_MAX:
            raise InputError(f"expected a form of at most {FORM_BYTES_MAX:,} bytes, got more")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise InputError("expected a form as browsers send it, got something else") from error
    return dict(pairs)
