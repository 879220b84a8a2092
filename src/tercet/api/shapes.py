"""What the API answers, field by field: these are the schemas of the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from tercet.flows.serve import Studio
from tercet.flows.serve_request import asked_of_document, seconds_text
from tercet.store.jobs_rows import Job, Status
from tercet.store.jobs_webhooks import Endpoint


class VideoError(TypedDict):
    """Why a video was not made."""

    code: str
    message: str


class UnknownWord(TypedDict):
    """A word of the prompt that means nothing to the engine, and known ones near it."""

    word: str
    near: list[str]


class Video(TypedDict):
    """A video job as OpenAI's clients know it; the fields from ``engine`` on are Tercet's own.

    ``queue_position`` is 0 while it is made, and null when it is finished; ``eta_s`` is null while
    nothing can be said. ``restarts`` counts how often it was begun again after a crash;
    ``unknown_words`` are told when the video is made.
    """

    id: str
    object: Literal["video"]
    model: str
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int
    created_at: int
    completed_at: int | None
    expires_at: int | None
    prompt: str
    seconds: str
    size: str
    remixed_from_video_id: str | None
    error: VideoError | None
    engine: str
    rights: str
    seed: int
    fps: int
    queue_position: int | None
    eta_s: float | None
    restarts: int
    unknown_words: list[UnknownWord]


class VideoList(TypedDict):
    """A page of videos; ``last_id`` is the cursor for the next one."""

    object: Literal["list"]
    data: list[Video]
    first_id: str | None
    last_id: str | None
    has_more: bool


class VideoDeleted(TypedDict):
    """A video is gone."""

    id: str
    object: Literal["video.deleted"]
    deleted: bool


class Model(TypedDict):
    """A model that is served; ``rights`` says what is known of the works behind it."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    rights: str


class ModelList(TypedDict):
    """All models that are served."""

    object: Literal["list"]
    data: list[Model]


class Health(TypedDict):
    """Whether videos are made, and how many wait."""

    status: Literal["ok", "stopped"]
    engine: str
    queued: int


class WebhookEndpoint(TypedDict):
    """An address that is told of events."""

    id: str
    object: Literal["webhook_endpoint"]
    name: str
    url: str
    event_types: list[str]
    created_at: int
    updated_at: int
    signing_secret_hint: str


class WebhookEndpointWithSecret(WebhookEndpoint):
    """The same with the secret, which is shown this once."""

    signing_secret: str


def video_of(job: Job, studio: Studio) -> Video:
    """Return a job as it is answered."""
    asked = asked_of_document(job.request)
    outlook = studio.outlook(job)
    failed = job.status is Status.FAILED
    return Video(
        id=job.video_id,
        object="video",
        model=job.result.get("engine", studio.model),
        status=job.status.value,
        progress=job.progress_percent,
        created_at=int(job.created_at),
        completed_at=None if job.completed_at is None else int(job.completed_at),
        expires_at=None,
        prompt=asked.prompt,
        seconds=seconds_text(asked.duration_s),
        size=asked.size,
        remixed_from_video_id=job.remixed_from or None,
        error=VideoError(code=job.error_code, message=job.error_message) if failed else None,
        engine=job.result.get("engine", studio.model),
        rights=job.result.get("rights", studio.about.get("rights", "")),
        seed=asked.seed,
        fps=asked.frames_per_second,
        queue_position=outlook.queue_position,
        eta_s=outlook.eta_s,
        restarts=job.restarts,
        unknown_words=job.result.get("unknown", []),
    )


def endpoint_of(endpoint: Endpoint) -> WebhookEndpoint:
    """Return a webhook endpoint as it is answered, without its secret."""
    return WebhookEndpoint(
        id=endpoint.endpoint_id,
        object="webhook_endpoint",
        name=endpoint.name,
        url=endpoint.url,
        event_types=list(endpoint.event_types),
        created_at=int(endpoint.created_at),
        updated_at=int(endpoint.updated_at),
        signing_secret_hint=f"...{endpoint.secret[-4:]}",
    )
