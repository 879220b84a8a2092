"""`/v1/videos`: parse, call the studio, render. The rules are the studio's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from tercet.api.bodies import Body, read_body, take_reference
from tercet.api.documents import CREATE_BODY, EDIT_BODY, EXTEND_BODY, REMIX_BODY
from tercet.api.files import file_response
from tercet.api.problems import json_response, problems
from tercet.api.shapes import Video, VideoDeleted, VideoList, video_of
from tercet.core.errors import FieldError
from tercet.flows.serve import Studio
from tercet.flows.serve_files import Variant
from tercet.store.jobs_rows import Job

videos = APIRouter(prefix="/v1/videos", tags=["videos"])
_KEY_CHARACTERS_MAX = 255

Id = Annotated[str, Path(description="The id of a video.", max_length=80)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Makes it safe to send a request again: the same key gives the same video.",
    ),
]


def studio_of(request: Request) -> Studio:
    """Return the studio that the app was made with."""
    studio: Studio = request.app.state.studio
    return studio


def _checked_key(key: str) -> str:
    if len(key) > _KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        raise FieldError(
            "Idempotency-Key", f"expected at most {_KEY_CHARACTERS_MAX} printable characters"
        )
    return key


def _answer(job: Job, studio: Studio, *, is_replay: bool = False) -> Response:
    headers = {"openai-poll-after-ms": str(studio.poll_after_ms(job))}
    if is_replay:
        headers["Idempotent-Replayed"] = "true"
    return json_response(video_of(job, studio), headers=headers)


@videos.post(
    "", response_model=Video, openapi_extra=CREATE_BODY,
    responses=problems(400, 409, 413, 415, 422, 429),
)  # fmt: skip
async def create_video(request: Request, key: Key = "") -> Response:
    """Put a video into the queue: JSON, or a multipart form with a picture to begin with."""
    studio = studio_of(request)
    fields, reference = take_reference(await read_body(request))

    def create() -> Response:
        job, is_new = studio.create(fields, reference=reference, key=_checked_key(key))
        return _answer(job, studio, is_replay=not is_new)

    return await run_in_threadpool(create)


@videos.get("", response_model=VideoList, responses=problems(400, 404))
def list_videos(
    request: Request,
    after: Annotated[str, Query(description="The id of the last video of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
) -> Response:
    """List videos, newest first unless ``order`` is ``asc``."""
    studio = studio_of(request)
    page = studio.list(after=after, limit=limit, newest_first=order == "desc")
    data = [video_of(job, studio) for job in page.jobs]
    return json_response(
        VideoList(
            object="list",
            data=data,
            first_id=data[0]["id"] if data else None,
            last_id=data[-1]["id"] if data else None,
            has_more=page.has_more,
        )
    )


@videos.post(
    "/extensions", response_model=Video, openapi_extra=EXTEND_BODY,
    responses=problems(400, 404, 409, 413, 415, 422, 429),
)  # fmt: skip
async def extend_video(request: Request, key: Key = "") -> Response:
    """Continue a completed video; the new one shows both, one after the other."""
    studio = studio_of(request)
    body = await read_body(request)

    def extend() -> Response:
        fields, source = _source(body, studio)
        job, is_new = studio.extend(source, fields, key=_checked_key(key))
        return _answer(job, studio, is_replay=not is_new)

    return await run_in_threadpool(extend)


@videos.post(
    "/edits", response_model=Video, openapi_extra=EDIT_BODY,
    responses=problems(400, 404, 409, 413, 415),
)  # fmt: skip
async def edit_video(request: Request) -> Response:
    """Refuse: no engine that is served changes a video and keeps the rest of it."""
    _source(await read_body(request), studio_of(request))
    raise FieldError(
        "video", "expected another call: no engine served here edits videos",
        hint="POST /v1/videos/{id}/remix makes it again with another prompt",
    )  # fmt: skip


@videos.post("/characters", responses=problems(400))
@videos.get("/characters/{name}", responses=problems(400))
def characters() -> Response:
    """Refuse: there are no characters here."""
    raise FieldError("name", "expected another call: characters are not served here")


@videos.get("/{video_id}", response_model=Video, responses=problems(400, 404))
def retrieve_video(request: Request, video_id: Id) -> Response:
    """Tell how a video stands. `openai-poll-after-ms` says when it is worth to ask again."""
    studio = studio_of(request)
    return _answer(studio.get(video_id), studio)


@videos.delete("/{video_id}", response_model=VideoDeleted, responses=problems(400, 404, 409))
def delete_video(request: Request, video_id: Id) -> Response:
    """Remove a video and its files; one that is being made is stopped first."""
    studio_of(request).delete(video_id)
    return json_response(VideoDeleted(id=video_id, object="video.deleted", deleted=True))


@videos.post("/{video_id}/cancel", response_model=Video, responses=problems(400, 404, 409))
def cancel_video(request: Request, video_id: Id) -> Response:
    """Stop a video that waits or is being made: it has failed, with the code ``cancelled``.

    A finished one stays as it is.
    """
    studio = studio_of(request)
    return _answer(studio.cancel(video_id), studio)


@videos.post(
    "/{video_id}/remix", response_model=Video, openapi_extra=REMIX_BODY,
    responses=problems(400, 404, 409, 413, 415, 422, 429),
)  # fmt: skip
async def remix_video(request: Request, video_id: Id, key: Key = "") -> Response:
    """Make a completed video again with another prompt: same seed, size and length."""
    studio = studio_of(request)
    fields = (await read_body(request)).fields

    def remix() -> Response:
        job, is_new = studio.remix(video_id, fields, key=_checked_key(key))
        return _answer(job, studio, is_replay=not is_new)

    return await run_in_threadpool(remix)


_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@videos.get(
    "/{video_id}/content",
    response_class=Response,
    responses={
        200: {"description": "The file.", "content": {"video/mp4": _FILE, "image/jpeg": _FILE}},
        206: {
            "description": "A range of it.",
            "content": {"video/mp4": _FILE, "image/jpeg": _FILE},
        },
        **problems(400, 404, 409, 416),
    },
)
def video_content(request: Request, video_id: Id, variant: Variant = Variant.VIDEO) -> Response:
    """Send the video, its thumbnail or its sprite sheet; ranges are served."""
    return file_response(request, studio_of(request).content(video_id, variant))


@videos.get("/{video_id}/credits", response_model=dict[str, Any], responses=problems(400, 404, 409))
def video_credits(request: Request, video_id: Id) -> Response:
    """Tell who stands behind a completed video: works, owners, licences and shares."""
    return json_response(studio_of(request).credits(video_id))


def _source(body: Body, studio: Studio) -> tuple[dict[str, Any], str]:
    """Return the other fields and the id of the video that a request is about.

    It is named by its id, or sent back as the file that was downloaded.
    """
    fields = {name: value for name, value in body.fields.items() if name != "video"}
    if set(body.files) == {"video"} and "video" not in body.fields:
        return fields, studio.known_video(body.files["video"])
    given = body.fields.get("video")
    video_id = given.get("id") if isinstance(given, dict) and not body.files else None
    if not isinstance(video_id, str) or not video_id:
        raise FieldError("video", 'expected a video that was made here: {"id": "video_..."}')
    return fields, video_id
