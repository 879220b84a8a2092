"""A file as an answer: whole, or the one range that was asked for (RFC 9110 section 14)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from tercet.api.problems import ApiError
from tercet.core.errors import MissingError
from tercet.flows.serve import Content

_CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


def file_response(request: Request, content: Content) -> Response:
    """Return a file, or a part of it. Raises ApiError 416 for a range that lies outside.

    A range header of another form, or of several ranges, is ignored, as the RFC allows.
    """
    try:
        file = content.path.open("rb")  # a file that is deleted meanwhile is sent to its end
    except OSError:
        raise MissingError("the file is gone") from None
    status = os.fstat(file.fileno())
    size, etag = status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Content-Disposition": f'inline; filename="{content.file_name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private",
    }
    start, end = 0, size
    wanted = _wanted(request, etag)
    if wanted is not None:
        found = _span(*wanted, size)
        if found is None:
            file.close()
            raise ApiError(416, "bad-range", f"expected a range within {size} bytes",
                           headers={"Content-Range": f"bytes */{size}"})  # fmt: skip
        start, end = found
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(
        _parts(file, start, end), 206 if wanted else 200, headers, media_type=content.media_type
    )


def _wanted(request: Request, etag: str) -> tuple[str, str] | None:
    found = _RANGE.match(request.headers.get("range", "").strip())
    if found is None or found.groups() == ("", ""):
        return None
    if found[1] and found[2] and int(found[1]) > int(found[2]):
        return None
    if request.headers.get("if-range", etag) != etag:
        return None
    return found[1], found[2]


def _span(first: str, last: str, size: int) -> tuple[int, int] | None:
    """Return start and end of a range in a file of ``size`` bytes, None when it lies outside."""
    if not first:
        start, end = max(0, size - int(last)), size
        return (start, end) if int(last) and size else None
    start, end = int(first), min(size, int(last) + 1) if last else size
    return (start, end) if start < size else None


def _parts(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while start < end and (chunk := file.read(min(_CHUNK_BYTES, end - start))):
            start += len(chunk)
            yield chunk
