"""A job as the worker gets it, and what it comes down to: a request, and an engine to make it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tercet.core.credit import WHOLE_PARTS, Credit
from tercet.flows.generate_picture import decoded_picture
from tercet.flows.generate_request import Request
from tercet.flows.serve_request import asked_of_document
from tercet.studio.engines.engine import (
    Engine,
    Frame,
    KeepsRecord,
    KnowsWords,
    Order,
    Origin,
    Picture,
    Report,
    Rights,
    Shot,
)
from tercet.studio.media.decode import pictures_of
from tercet.studio.scenes.parsing import Understood
from tercet.studio.storyboard import storyboard

EARLIER_S = 1.0  # of a video that is continued: so much of its end the engine sees


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job for the worker: what is asked for, and the folder its files are made in.

    ``reference`` is the picture to begin with; ``continues`` is the video to go on from; what
    was asked and made of that stands in ``request``.
    """

    video_id: str
    request: Mapping[str, Any]
    folder: Path
    reference: Path | None = None
    continues: Path | None = None


def prepared(assignment: Assignment, kind: str, engine: Engine) -> tuple[Request, Engine]:
    """Return the request with its pictures, and the engine that makes it."""
    request = replace(asked_of_document(assignment.request).request(), engine=kind)
    if assignment.reference is not None:
        picture = decoded_picture(assignment.reference.read_bytes(), "input_reference")
        request = replace(request, first_picture=picture)
    source = assignment.request.get("continues")
    if assignment.continues is None or source is None:
        return request, engine
    return _continuing(request, assignment.continues, source, engine)


def _continuing(
    request: Request, video: Path, source: Mapping[str, Any], engine: Engine
) -> tuple[Request, Engine]:
    """Return a request for both videos in one, and an engine that shows the first, then goes on.

    Durations are whole numbers of frames, so that both parts keep theirs.
    """
    rate, count = request.frames_per_second, int(source["frame_count"])
    shots = request.shots or storyboard(request.prompt, request.duration_s - count / rate)
    last = deque(pictures_of(video), maxlen=max(1, round(EARLIER_S * rate)))
    whole = (Shot(source["prompt"], count / rate), *(_whole_frames(shot, rate) for shot in shots))
    credited = tuple(Credit(**credit) for credit in source["credits"])
    both = replace(request, prompt=request.prompt, shots=whole, earlier=tuple(last))
    kind = _ContinuedKnowing if isinstance(engine, KnowsWords) else ContinuedEngine
    return both, kind(engine, video, count, credited)


def _whole_frames(shot: Shot, rate: int) -> Shot:
    return replace(shot, duration_s=max(1, round(shot.duration_s * rate)) / rate)


class ContinuedEngine:
    """Shows a video that was made before, and then what ``engine`` makes after it."""

    def __init__(
        self, engine: Engine, video: Path, frame_count: int, credited: Sequence[Credit]
    ) -> None:
        self._engine = engine
        self._video = video
        self._frame_count = frame_count
        self._credited = credited
        self._new_count = 0

    @property
    def name(self) -> str:
        """The engine's own."""
        return self._engine.name

    @property
    def rights(self) -> Rights:
        """The engine's own: a video is continued only by the engine that made it."""
        return self._engine.rights

    @property
    def origin(self) -> Origin:
        """The engine's own."""
        return self._engine.origin

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        """Yield the frames of the video, then the engine's."""
        yield from (Frame(picture) for picture in self._pictures())
        for frame in self._engine.frames(replace(order, shots=order.shots[1:]), report):
            self._new_count += 1
            yield frame

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return the credits of both parts, each weighed by its number of frames."""
        return merged_credits(
            (self._credited, self._frame_count),
            (self._engine.credits(pixels_by_work), self._new_count),
        )

    def provenance(self) -> Mapping[str, str]:
        """Return the engine's own."""
        return self._engine.provenance()

    @property
    def record_folder(self) -> Path | None:
        """The engine's own: its rights stand on the same training record."""
        return self._engine.record_folder if isinstance(self._engine, KeepsRecord) else None

    def _pictures(self) -> Iterator[Picture]:
        return pictures_of(self._video, count_max=self._frame_count)


class _ContinuedKnowing(ContinuedEngine):
    """The same for an engine that knows a list of words."""

    def understood(self, prompt: str) -> Understood:
        """Return the engine's own."""
        assert isinstance(self._engine, KnowsWords)
        return self._engine.understood(prompt)


def merged_credits(*parts: tuple[Sequence[Credit], int]) -> tuple[Credit, ...]:
    """Return the credits of several parts of a video as one list; a part counts by its weight.

    Shares add up to the whole: what rounding leaves goes to the largest ones.
    """
    weighed: dict[tuple[str, str], int] = {}
    known: dict[tuple[str, str], Credit] = {}
    for credited, weight in parts:
        for credit in credited:
            key = (credit.work, credit.method)
            known[key] = credit
            weighed[key] = weighed.get(key, 0) + credit.share_parts * weight
    total = sum(weighed.values())
    if not total:
        return ()
    shares = {key: value * WHOLE_PARTS // total for key, value in weighed.items()}
    largest = sorted(shares, key=lambda key: (-shares[key], key))
    for key in largest[: WHOLE_PARTS - sum(shares.values())]:
        shares[key] += 1
    return tuple(replace(known[key], share_parts=shares[key]) for key in largest)
