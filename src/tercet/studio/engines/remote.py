"""Any other server that speaks `/v1/videos`, as an engine. Base model: rights unknown.

What another server says of its model cannot be checked from here, so nothing it answers changes
the mark of this engine: it is a fact of its class.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from tercet.core.credit import Credit
from tercet.core.errors import TercetError, UncheckedError
from tercet.core.limits import REMOTE_SECONDS_MAX
from tercet.studio.engines.engine import Frame, Order, Origin, Picture, Progress, Report, Rights
from tercet.studio.engines.fitting import fitted_picture
from tercet.studio.engines.remote_server import Job, RemoteServer, parse_address
from tercet.studio.engines.segments import Segment, segments_of
from tercet.studio.media.decode import facts_of, pictures_of

RUN_S = 12.0  # the longest video that every server's API knows
_SHORT_S = 0.5  # a video may be this much shorter than asked: its last picture then stays
_SLICE_S = 0.5  # between two chances to stop while a server works
_WHOLE = 100  # per cent
_WORKING = frozenset({"queued", "in_progress", "processing", "running", "pending"})


def open_engine(source: str) -> RemoteEngine:
    """Return the engine for the server at ``source``: ``http://host:port/v1#model``.

    Nothing is asked of the server yet. Raises InputError for what is no address.
    """
    return RemoteEngine(RemoteServer(parse_address(source)))


class RemoteEngine:
    """Another server as an engine. Its rights cannot be set: they are a fact."""

    __slots__ = ("_model", "_server")

    def __init__(self, server: RemoteServer) -> None:
        self._server, self._model = server, server.address.model

    @property
    def name(self) -> str:
        """Always `remote`: where the server is, is nobody's business but the operator's."""
        return "remote"

    @property
    def rights(self) -> Rights:
        """Always unknown."""
        return Rights.UNKNOWN

    @property
    def origin(self) -> Origin:
        """Always generated: nothing else is known."""
        return Origin.GENERATED

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return no credits: there is nobody who could be named."""
        return ()

    def provenance(self) -> Mapping[str, str]:
        """Return the model as the server calls it."""
        named = "".join(letter for letter in self._model if letter.isprintable())
        return {"model": named or "remote"}

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        """Yield the frames; each shot is one job of the server, or several of bounded length.

        A job is deleted on the server when ``report`` raises. Raises UncheckedError where the
        server fails, RefusedError where it says no.
        """
        segments = segments_of(order, RUN_S)
        for segment in segments:
            with tempfile.TemporaryDirectory(prefix="tercet-remote-") as folder:
                video = Path(folder) / "video"
                self._make(order, segment, video, _Told(report, segment.index, len(segments)))
                yield from self._frames_of(video, order, segment)

    def _make(self, order: Order, segment: Segment, video: Path, told: _Told) -> None:
        """Have the server make one video and fetch it; delete the job if anything stops that."""
        job = self._server.create(self._fields(order, segment), _png(order, segment))
        self._model = job.model or self._model
        try:
            self._wait(job, told)
            self._server.fetch(job.job_id, video)
        except BaseException:
            with suppress(TercetError):  # what stopped us is what is told
                self._server.delete(job.job_id)
            raise

    def _wait(self, job: Job, told: _Told) -> None:
        until_s = time.monotonic() + REMOTE_SECONDS_MAX
        while job.status in _WORKING:
            told.progress(job.progress)
            ask_at_s = time.monotonic() + job.poll_s
            while (left_s := ask_at_s - time.monotonic()) > 0:
                time.sleep(min(left_s, _SLICE_S))
                told.progress(job.progress)
            if time.monotonic() > until_s:
                raise UncheckedError(
                    f"the server took more than {REMOTE_SECONDS_MAX:,} seconds for one video",
                    hint="ask for a shorter or smaller one",
                )
            job = self._server.job(job.job_id)
        if job.status != "completed":
            raise UncheckedError(
                f"the server did not make the video ({job.status}): {job.problem or 'no reason'}",
                hint="look at the server's own log",
            )
        told.progress(_WHOLE)

    def _fields(self, order: Order, segment: Segment) -> dict[str, str | float]:
        """Return the fields of a job; what is not ordered is left to the server."""
        seconds = -(-segment.frame_count // order.frames_per_second)
        fields: dict[str, str | float] = {
            "prompt": segment.prompt,
            "model": self._server.address.model,
            "seconds": str(seconds),
            "size": f"{order.width_px}x{order.height_px}",
            "seed": (order.seed + segment.index) % 2**31,
            "fps": order.frames_per_second,
            "negative_prompt": order.negative_prompt,
            "num_inference_steps": order.steps,
            "guidance_scale": order.guidance,
        }
        return {name: value for name, value in fields.items() if value or name == "seed"}

    def _frames_of(self, video: Path, order: Order, segment: Segment) -> Iterator[Frame]:
        """Yield the ordered frames of a fetched video: the nearest in time, made to fit."""
        rate = facts_of(video).frames_per_second or order.frames_per_second
        given, made, picture = 0, 0, None
        for at, picture in enumerate(pictures_of(video)):
            fitted: Picture | None = None
            while (
                given < segment.frame_count and round(given * rate / order.frames_per_second) <= at
            ):
                if fitted is None:
                    fitted = fitted_picture(picture, order.width_px, order.height_px)
                yield Frame(fitted)
                given += 1
            made = at + 1
            if given == segment.frame_count:
                return
        if (
            picture is None
            or made / rate + _SHORT_S < segment.frame_count / order.frames_per_second
        ):
            raise UncheckedError(
                f"the server gave {made / rate:g} seconds of video, asked for "
                f"{segment.frame_count / order.frames_per_second:g}",
                hint="ask for a length that the server can make, shot by shot (--storyboard)",
            )
        for _ in range(segment.frame_count - given):
            yield Frame(fitted_picture(picture, order.width_px, order.height_px))


class _Told:
    """Passes the server's per cent on as steps over all jobs."""

    def __init__(self, report: Report, run: int, runs: int) -> None:
        self._report, self._run, self._runs = report, run, runs

    def progress(self, percent: int) -> None:
        """Tell how far it is; whatever ``report`` raises passes."""
        self._report(Progress(self._run * _WHOLE + percent, self._runs * _WHOLE))


def _png(order: Order, segment: Segment) -> bytes:
    """Return the picture that the first job begins with as a PNG, b"" where there is none."""
    import cv2

    picture = order.earlier[-1] if order.earlier else order.first_picture
    if picture is None or segment.index:
        return b""
    _, raw = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    return bytes(raw)
