"""Request bodies: JSON or multipart, as clients of `/v1/videos` send them, to one set of fields.

The OpenAI package writes nested values of a multipart form with brackets: ``video[id]=...``,
``storyboard[][prompt]=...``. A list of objects comes field by field: all prompts, then all seconds.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from tercet.api.problems import ApiError
from tercet.core.errors import FieldError, InputError
from tercet.core.limits import JSON_DEPTH_MAX, PICTURE_BYTES_MAX
from tercet.flows.serve_reference import FIELD as REFERENCE

BODY_BYTES_MAX = PICTURE_BYTES_MAX * 4 // 3 + 1024 * 1024  # a picture in base64, and the rest
_FIELDS_MAX = 1000
_JSON_VALUES_MAX = 100_000
_NESTED = re.compile(r"([A-Za-z_]+)((?:\[[A-Za-z_]*\])+)\Z")
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Body:
    """The fields of a request, and the files that came with it by field."""

    fields: dict[str, Any]
    files: dict[str, bytes]


async def read_body(request: Request) -> Body:
    """Return the fields of a request. Raises InputError, or ApiError for other kinds of body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return Body(_json_fields(await request.body()), {})
    if kind == "multipart/form-data":
        return await _form(request)
    raise ApiError(
        415, "bad-media-type",
        f"expected application/json or multipart/form-data, got {kind[:80]!r}",
    )  # fmt: skip


def take_reference(body: Body) -> tuple[dict[str, Any], bytes]:
    """Return the fields without `input_reference`, and its bytes: a file or a data URL."""
    fields = dict(body.fields)
    given = fields.pop(REFERENCE, None)
    raw = body.files.get(REFERENCE, b"")
    for name in body.files:
        if name != REFERENCE:
            raise FieldError(name, f"expected no file in {name!r}")
    if raw and given is not None:
        raise FieldError(REFERENCE, "expected one picture, got two")
    if REFERENCE in body.files and not raw:
        raise FieldError(REFERENCE, "expected a picture, got an empty file")
    return fields, raw or _data_url(given)


def _data_url(given: Any) -> bytes:
    if given is None or given == "":
        return b""
    url = given.get("image_url") if isinstance(given, dict) else given
    if not isinstance(url, str) or (isinstance(given, dict) and set(given) != {"image_url"}):
        raise FieldError(
            REFERENCE, "expected a file, or an object with image_url",
            hint="file_id is not served: send the picture itself",
        )  # fmt: skip
    found = _DATA_URL.match(url)
    if found is None:
        raise FieldError(
            REFERENCE, "expected a data URL: data:image/png;base64,...",
            hint="pictures elsewhere are not fetched: send the picture itself",
        )  # fmt: skip
    try:
        return base64.b64decode(url[found.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise FieldError(REFERENCE, "expected base64 in the data URL, got other text") from None


def _json_fields(raw: bytes) -> dict[str, Any]:
    if sum(raw.count(mark) for mark in (b",", b"[", b"{")) > _JSON_VALUES_MAX:
        # Two bytes of it become a hundred in memory; a picture in base64 has none of these.
        raise InputError(f"expected JSON of at most {_JSON_VALUES_MAX:,} values")
    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the request is not JSON in UTF-8: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise InputError(f"expected a JSON object, got {type(document).__name__}")
    if _depth(document) > JSON_DEPTH_MAX:
        raise InputError(f"expected JSON of at most {JSON_DEPTH_MAX} levels")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _depth(value: Any) -> int:
    levels, depth = [value], 0
    while levels and depth <= JSON_DEPTH_MAX:
        inner = []
        for each in levels:
            inner += list(each.values()) if isinstance(each, dict) else []
            inner += each if isinstance(each, list) else []
        levels, depth = inner, depth + 1
    return depth


async def _form(request: Request) -> Body:
    try:
        form = await _parser(request).parse()
    except (HTTPException, MultiPartException, ValueError, KeyError, AssertionError) as error:
        detail = getattr(error, "detail", None) or getattr(error, "message", None) or str(error)
        raise InputError(f"the request is not a multipart form: {str(detail)[:200]}") from None
    files: dict[str, bytes] = {}
    values: dict[str, list[str]] = {}
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                named = _utf8(name)
                if named in files:
                    raise FieldError(named[:80], f"expected one file in {named[:80]!r}, got two")
                files[named] = await value.read()
            else:
                values.setdefault(_utf8(name), []).append(_utf8(value, name))
    finally:
        await form.close()
    return Body(form_fields(values.items()), files)


def _parser(request: Request) -> MultiPartParser:
    """Return a parser that keeps every byte of text as one character, whatever is said of it.

    Left alone, it would take bytes that are no UTF-8 for other letters and say nothing.
    """
    _, given = parse_options_header(request.headers["content-type"])
    boundary = given.get(b"boundary", b"").decode("latin-1")
    if not boundary:
        raise ValueError("it names no boundary")
    quoted = boundary.replace("\\", "\\\\").replace('"', '\\"')
    said = f'multipart/form-data; charset=latin-1; boundary="{quoted}"'
    return MultiPartParser(
        Headers({"content-type": said}), request.stream(), max_files=2, max_fields=_FIELDS_MAX
    )


def _utf8(text: str, field: str = "") -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        name = field[:80] or text[:80]
        raise FieldError(name, f"expected {name!r} in UTF-8, got other bytes") from None


def form_fields(values: Iterable[tuple[str, list[str]]]) -> dict[str, Any]:
    """Return the fields of a form, with nested names put together again. Raises FieldError."""
    fields: dict[str, Any] = {}
    lists: dict[str, dict[str, list[str]]] = {}
    for name, given in values:
        found = _NESTED.match(name)
        parts = re.findall(r"\[([A-Za-z_]*)\]", found[2]) if found else []
        if found and len(parts) == 2 and not parts[0] and parts[1]:
            lists.setdefault(found[1], {})[parts[1]] = given
        elif len(given) > 1:
            raise FieldError(name[:80], f"expected {name[:80]!r} once, got it {len(given)} times")
        elif found and len(parts) == 1 and parts[0]:
            fields.setdefault(found[1], {})
            if isinstance(fields[found[1]], dict):
                fields[found[1]][parts[0]] = given[0]
        else:
            fields[name] = given[0]
    return fields | {name: _objects(name, columns) for name, columns in lists.items()}


def _objects(name: str, columns: dict[str, list[str]]) -> list[dict[str, str]]:
    if len({len(column) for column in columns.values()}) > 1:
        raise FieldError(
            name, f"expected every entry of {name} to have the same fields",
            hint="send it as JSON text where they differ",
        )  # fmt: skip
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
