"""Errors as answers: one body that is a problem document (RFC 9457) and what OpenAI clients read.

{"type": "urn:tercet:error:bad-field", "title": "...", "status": 400, "hint": "...",
 "error": {"message": "...", "type": "invalid_request_error", "param": "size",
           "code": "bad-field"}}
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict

from tercet.core.errors import (
    BusyError,
    ConflictError,
    FieldError,
    InputError,
    MissingError,
    RefusedError,
    StorageError,
    TercetError,
    UncheckedError,
)
from tercet.store.jobs import KeyReusedError

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger("tercet.serve")

_STATUS: tuple[tuple[type[TercetError], int, str], ...] = (
    (KeyReusedError, 422, "invalid_request_error"),
    (MissingError, 404, "invalid_request_error"),
    (InputError, 400, "invalid_request_error"),
    (ConflictError, 409, "conflict_error"),
    (BusyError, 429, "rate_limit_error"),
    (RefusedError, 403, "permission_error"),
    (StorageError, 503, "server_error"),
)


class ErrorObject(TypedDict):
    """The error as OpenAI clients read it."""

    message: str
    type: str
    param: str | None
    code: str


class Problem(TypedDict, total=False):
    """An error: the members of RFC 9457, a hint, and ``error`` for OpenAI clients."""

    type: str
    title: str
    status: int
    hint: str
    error: ErrorObject


class ApiError(TercetError):
    """An error that belongs to HTTP alone; ``status`` is its code."""

    def __init__(self, status: int, code: str, message: str, *, hint: str = "",
                 headers: Mapping[str, str] | None = None) -> None:  # fmt: skip
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def problem_response(error: TercetError) -> Response:
    """Return an error as the answer to a request."""
    status, kind = _status_of(error)
    document = {
        **error.problem(),
        "status": status,
        "error": {
            "message": f"{error.message} ({error.hint})" if error.hint else error.message,
            "type": kind,
            "param": error.field if isinstance(error, FieldError) else None,
            "code": error.code,
        },
    }
    headers = dict(error.headers) if isinstance(error, ApiError) else {}
    if isinstance(error, BusyError):
        headers["Retry-After"] = str(error.retry_after_s)
    if status == 409:
        headers["x-should-retry"] = "false"  # clients that wait for a lock would ask in vain
    return json_response(document, status=status, headers=headers, media_type=MEDIA_TYPE)


def json_response(
    document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:  # fmt: skip
    """Return JSON in ASCII: also text that is no valid Unicode can be told back."""
    headers = {"X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(json.dumps(document).encode("ascii"), status, headers, media_type=media_type)


def add_problems(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(TercetError, _on_ours)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(Exception, _on_defect)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of error answers."""
    words = {
        400: "The request cannot be used; `error.param` names the field.",
        401: "An API key is needed.",
        403: "The request comes from another site.",
        404: "There is no such thing.",
        408: "The request came too slowly.",
        409: "Not in its present state.",
        413: "The request is too large.",
        415: "A request body of another kind.",
        416: "The range lies outside the file.",
        422: "The Idempotency-Key came with another request before.",
        429: "The queue is full; try again after `Retry-After` seconds.",
        503: "The store, or the engine, cannot do its work.",
    }
    headers = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": words[status], "content": {MEDIA_TYPE: reference}}
        | ({"headers": headers} if status == 429 else {})
        for status in (*statuses, 401, 403, 503)
    }


def _status_of(error: TercetError) -> tuple[int, str]:
    if isinstance(error, ApiError):
        kind = "authentication_error" if error.status == 401 else "invalid_request_error"
        return error.status, kind
    for kind_of_error, status, kind in _STATUS:
        if isinstance(error, kind_of_error):
            return status, kind
    return 500, "server_error"


async def _on_ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, TercetError)
    return problem_response(error)


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "missing", 405: "method-not-allowed"}
    code = codes.get(error.status_code, "bad-input")
    return problem_response(
        ApiError(error.status_code, code, str(error.detail), headers=error.headers)
    )


async def _on_validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = str(first["loc"][-1])
    return problem_response(FieldError(name, f"{name}: {first['msg']}"))


async def _on_defect(_: Request, error: Exception) -> Response:
    _LOG.error("a defect: %s: %s", type(error).__name__, error)
    return problem_response(
        UncheckedError(f"a defect in tercet: {type(error).__name__}", hint="please report it")
    )
