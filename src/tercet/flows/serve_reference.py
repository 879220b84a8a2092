"""A picture that a stranger sends to begin a video with: decoded apart, within bounds."""

from __future__ import annotations

import multiprocessing
import resource
import threading
from multiprocessing.connection import Connection

from tercet.core.errors import FieldError, InputError
from tercet.core.limits import PICTURE_BYTES_MAX
from tercet.flows.generate_picture import decoded_picture
from tercet.studio.engines.fitting import fitted_picture

FIELD = "input_reference"
_SECONDS_MAX = 30.0
_MEMORY_BYTES_MAX = 2 * 1024**3
_AT_ONCE = threading.BoundedSemaphore(2)  # many pictures at a time wait for one another


def reference_png(raw: bytes, width_px: int, height_px: int) -> bytes:
    """Return a picture file as a PNG of exactly this size: scaled to cover it, and cut evenly.

    The file is decoded in a process of its own that dies alone. Raises FieldError.
    """
    if len(raw) > PICTURE_BYTES_MAX:
        raise FieldError(
            FIELD,
            f"expected a picture of at most {PICTURE_BYTES_MAX:,} bytes, got {len(raw):,}",
            hint="send a smaller one",
        )
    with _AT_ONCE:
        found = _decoded_apart(raw, width_px, height_px)
    if isinstance(found, InputError):
        raise FieldError(FIELD, found.message, hint=found.hint)
    if found is None:
        raise FieldError(
            FIELD,
            "expected a picture that can be decoded within the limits of time and memory",
            hint="open it in an image viewer and save it again",
        )
    return found


def _decoded_apart(raw: bytes, width_px: int, height_px: int) -> bytes | InputError | None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, raw, width_px, height_px), daemon=True)
    process.start()
    theirs.close()
    try:
        found: bytes | InputError | None = ours.recv() if ours.poll(_SECONDS_MAX) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()
        ours.close()
    return found


def _answer(connection: Connection, raw: bytes, width_px: int, height_px: int) -> None:
    """Decode in the child; one that dies answers nothing."""
    import cv2

    cv2.setNumThreads(1)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _MEMORY_BYTES_MAX if hard == resource.RLIM_INFINITY else min(hard, _MEMORY_BYTES_MAX)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        picture = fitted_picture(decoded_picture(raw, FIELD), width_px, height_px)
    except InputError as error:
        connection.send(InputError(error.message, hint=error.hint))
        return
    _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    connection.send(bytes(png))
