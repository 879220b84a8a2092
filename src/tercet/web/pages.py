"""The pages: routes that read a request, ask the studio, and render one context each.

/                       the studio               POST /videos              order a video
/videos                 the gallery              POST /videos/ID/cancel    stop it
/videos/ID              a job, or a video        POST /videos/ID/delete    remove it
/videos/ID/progress     the part of a job's page that changes
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from tercet.api.files import file_response
from tercet.api.problems import ApiError
from tercet.core.errors import (
    BusyError,
    ConflictError,
    FieldError,
    InputError,
    MissingError,
    RefusedError,
    StorageError,
    TercetError,
)
from tercet.core.limits import PROMPT_CHARACTERS_MAX, VIDEO_SECONDS_MAX
from tercet.flows.serve import Studio
from tercet.flows.serve_files import Variant
from tercet.flows.serve_request import (
    FPS_DEFAULT,
    SECONDS_DEFAULT,
    SIZE_DEFAULT,
    SIZES,
    seconds_text,
)
from tercet.store.jobs_rows import Job, Status
from tercet.web.contexts import (
    GalleryContext,
    JobContext,
    Problem,
    ProblemContext,
    SizeGroup,
    StudioContext,
    Typed,
)
from tercet.web.credentials_line import credentials_line
from tercet.web.order_form import (
    FORM_BYTES_MAX,
    form_field,
    key_of,
    order_of,
    problem_of,
    problems_of,
    typed_like,
    typed_of_body,
    with_new_key,
)
from tercet.web.rates import rates_answer
from tercet.web.rendering import HEADERS, STATIC, Context, page, progress
from tercet.web.same_origin import check_same_origin
from tercet.web.showing import card, engine_line, job_context, video_context

CARDS = 24  # on one page of the gallery
SAME_ORDER_S = 10.0  # a form that comes again within this time was sent twice by mistake
RATES = (8, 12, 16, 24, 30)
EXAMPLES = (
    "a red car drives past the hills at dusk, then a balloon rises over the sea",
    "a butterfly flies through the forest in the rain",
    "two fish swim in the sea, then a sailboat sails to the left at dawn",
)
_STATUS: tuple[tuple[type[TercetError], int], ...] = (
    (MissingError, 404),
    (InputError, 400),
    (ConflictError, 409),
    (BusyError, 429),
    (RefusedError, 403),
    (StorageError, 503),
)
_STATIC_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class PageRoute(APIRoute):
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
                response = _problem_answer(error)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handle


pages = APIRouter(route_class=PageRoute, include_in_schema=False)


def mount(app: FastAPI, studio: Studio) -> None:
    """Add the pages to ``app``: `/`, `/videos...` and `/static/...`. They ask ``studio``."""
    app.state.pages_studio = studio
    app.include_router(pages)


def _studio(request: Request) -> Studio:
    studio: Studio = request.app.state.pages_studio
    return studio


@pages.get("/")
def show_studio(request: Request, prompt: str = "", like: str = "") -> Response:
    """Show the form: empty, with an example, or like another video."""
    studio = _studio(request)
    if like:
        return _answer(_studio_context(studio, typed_like(studio.get(like))))
    typed = Typed(
        prompt=prompt[:PROMPT_CHARACTERS_MAX],
        seconds=seconds_text(SECONDS_DEFAULT),
        size=SIZE_DEFAULT,
        frames_per_second=str(FPS_DEFAULT),
    )
    return _answer(_studio_context(studio, typed))


@pages.post("/videos")
async def order_video(request: Request) -> Response:
    """Order a video and lead to its page, or show the form again with what is wrong."""
    typed = typed_of_body(await _body(request))
    return await run_in_threadpool(_order, _studio(request), typed)


def _order(studio: Studio, typed: Typed) -> Response:
    problems = problems_of(typed)
    if problems:
        return _answer(_studio_context(studio, typed, problems), 422)
    try:
        job = _create(studio, typed)
    except (InputError, RefusedError, StorageError) as error:
        name = form_field(error) if isinstance(error, FieldError) else ""
        shown = problem_of(error)
        return _answer(
            _studio_context(studio, typed, {name: shown}), _status_of(error), _headers_of(error)
        )
    return RedirectResponse(f"/videos/{job.video_id}", 303)


def _create(studio: Studio, typed: Typed) -> Job:
    """Order the video. A form sent twice in a row orders one; sent again later, another take."""
    try:
        job, is_new = _remix_or_create(studio, typed, key_of(typed))
        if is_new or time.time() - job.created_at < SAME_ORDER_S:
            return job
    except ConflictError:
        return _remix_or_create(studio, typed, key_of(with_new_key(typed)))[0]  # it was deleted
    return _remix_or_create(studio, typed, key_of(with_new_key(typed)))[0]


def _remix_or_create(studio: Studio, typed: Typed, key: str) -> tuple[Job, bool]:
    """Order a remix where nothing but the words differ from the video this one is like."""
    if typed.like:
        try:
            like = studio.get(typed.like)
        except MissingError:
            return studio.create(order_of(typed), key=key)
        same = order_of(typed_like(like)) | {"prompt": ""} == order_of(typed) | {"prompt": ""}
        if same and like.status is Status.COMPLETED:
            return studio.remix(typed.like, {"prompt": typed.prompt}, key=key)
    return studio.create(order_of(typed), key=key)


@pages.get("/videos")
def show_gallery(request: Request, after: str = "") -> Response:
    """Show the videos, newest first."""
    studio = _studio(request)
    listed = studio.list(after=after, limit=CARDS)
    older = urlencode({"after": listed.jobs[-1].video_id}) if listed.has_more else ""
    context = GalleryContext(
        cards=tuple(card(job, studio.outlook(job)) for job in listed.jobs),
        newest_url="/videos" if after else "",
        older_url=f"/videos?{older}" if older else "",
    )
    return _answer(context)


@pages.get("/videos/{video_id}")
def show_video(request: Request, video_id: str) -> Response:
    """Show a finished video, or how far it is."""
    studio = _studio(request)
    job = studio.get(video_id)
    if job.status is not Status.COMPLETED:
        return _answer(_job_context(studio, job))
    credentials = credentials_line(studio.content(video_id).path)
    return _answer(video_context(job, studio.credits(video_id), credentials))


@pages.get("/videos/{video_id}/progress")
def show_progress(request: Request, video_id: str) -> Response:
    """Answer the page that asks again and again; it is told to load anew when all is done."""
    studio = _studio(request)
    job = studio.get(video_id)
    if job.status is Status.COMPLETED:
        return HTMLResponse("", headers={"HX-Refresh": "true"})
    return HTMLResponse(progress(_job_context(studio, job)))


@pages.post("/videos/{video_id}/cancel")
def cancel_video(request: Request, video_id: str) -> Response:
    """Stop a video that waits or is being made, and show what became of it."""
    _studio(request).cancel(video_id)
    return RedirectResponse(f"/videos/{video_id}", 303)


@pages.post("/videos/{video_id}/delete")
def delete_video(request: Request, video_id: str) -> Response:
    """Remove a video and its files."""
    _studio(request).delete(video_id)
    return RedirectResponse("/videos", 303)


@pages.get("/videos/{video_id}/video.mp4")
def send_video(request: Request, video_id: str) -> Response:
    """Send the video; ranges are served."""
    return file_response(request, _studio(request).content(video_id))


@pages.get("/videos/{video_id}/thumbnail")
def send_thumbnail(request: Request, video_id: str) -> Response:
    """Send the picture that stands for the video."""
    return file_response(request, _studio(request).content(video_id, Variant.THUMBNAIL))


@pages.get("/videos/{video_id}/preview.jpg")
def send_preview(request: Request, video_id: str) -> Response:
    """Send the newest picture of a video that is being made."""
    raw = _studio(request).preview(video_id)
    if not raw:
        raise MissingError(f"there is no preview of {video_id[:80]!r}")
    return Response(raw, media_type="image/jpeg")


@pages.get("/videos/{video_id}/credits.json")
def send_credits(request: Request, video_id: str) -> Response:
    """Send the whole list of credits."""
    return JSONResponse(_studio(request).credits(video_id))


@pages.get("/rates")
def show_rates(request: Request) -> Response:
    """Show the rate card: what the offers that are served here cost."""
    return rates_answer(request)


@pages.get("/static/{name}")
def send_static(request: Request, name: str) -> Response:
    """Send a file of ours; browsers keep it and ask whether it is still the same."""
    held = static_files().get(name)
    if held is None:
        raise MissingError(f"there is no file {name[:80]!r}")
    raw, tag = held
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(raw, headers=headers, media_type=_STATIC_TYPES[name.rpartition(".")[2]])


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Return the files that pages load, by name, each with its entity tag."""
    found = [file for file in STATIC.iterdir() if file.suffix[1:] in _STATIC_TYPES]
    return {
        file.name: (raw := file.read_bytes(), f'"{hashlib.sha256(raw).hexdigest()[:32]}"')
        for file in found
    }


def _studio_context(
    studio: Studio, typed: Typed, problems: dict[str, Problem] | None = None
) -> StudioContext:
    fault = studio.fault
    return StudioContext(
        typed=typed if typed.order_key else with_new_key(typed),
        engine=engine_line(studio.about),
        sizes=size_groups(SIZES),
        rates=RATES,
        examples=EXAMPLES,
        prompt_characters_max=PROMPT_CHARACTERS_MAX,
        seconds_max=VIDEO_SECONDS_MAX,
        fault=Problem(fault.message, fault.hint) if fault else None,
        problems=problems or {},
    )


def size_groups(sizes: tuple[str, ...]) -> tuple[SizeGroup, ...]:
    """Return sizes such as `512x512` by their shape."""
    groups: dict[str, list[tuple[str, str]]] = {"square": [], "wide": [], "tall": []}
    for size in sizes:
        width, height = (int(side) for side in re.findall(r"\d+", size))
        shape = "square" if width == height else "wide" if width > height else "tall"
        groups[shape].append((size, f"{width} × {height}"))
    return tuple(SizeGroup(shape, tuple(listed)) for shape, listed in groups.items() if listed)


def _job_context(studio: Studio, job: Job) -> JobContext:
    return job_context(job, studio.outlook(job), studio.preview(job.video_id))


async def _body(request: Request) -> bytes:
    """Return the body of a form; what is too long is not read to its end."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > FORM_BYTES_MAX:
            break
    return bytes(raw)


def _answer(context: Context, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(page(context), status, headers)


def _problem_answer(error: TercetError) -> Response:
    status = _status_of(error)
    return _answer(
        ProblemContext(status, Problem(error.message, error.hint)), status, _headers_of(error)
    )


def _status_of(error: TercetError) -> int:
    if isinstance(error, ApiError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _headers_of(error: TercetError) -> dict[str, str]:
    if isinstance(error, BusyError):
        return {"Retry-After": str(error.retry_after_s)}
    return error.headers if isinstance(error, ApiError) else {}
