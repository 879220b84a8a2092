"""What is kept of a video: three tracks, made in one pass over its frames.

- ``whole``, indexed: the code of the whole picture without its borders, a few times a second where
  something changes. Places: seconds; then left, top, right and bottom of what was left without
  borders, as shares of the frame. `turned_bits` gives the codes to probe for.
- ``marks``, indexed: codes of small places (`same_sense`: mirroring does not change them) of one
  frame every few seconds of a shot. Places: seconds; x, y and diameter in longer sides of the
  frame; angle in degrees, clockwise; 1 where the mark turns to the left.
- ``thumbnails``, not indexed: each frame as THUMBNAIL_PX rows of 32 grey levels: what an alignment
  in time and in the picture is checked with. Places: seconds.

Frames that are blank or hardly show anything give thumbnails, but no codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tercet.consent.fingerprints.fingerprint import CODE_BYTES, Array, Fingerprint, Track, Unfit
from tercet.consent.fingerprints.frames import SIDE_MAX, STEP_S, Frame
from tercet.consent.fingerprints.picture import MARKS_MIN, is_striped
from tercet.consent.fingerprints.picture_code import (
    COEFFICIENTS,
    QUALITY_MIN,
    trimmed_box,
    whole_code,
)
from tercet.consent.fingerprints.picture_marks import find_marks, same_sense

METHOD_NAME = "video-1"
THUMBNAIL_PX = 32
MARKS_MAX = 256  # of one frame
MARKS_STEP_S = 3.0  # between two frames of one shot whose marks are kept
MARKS_STEP_SMALL_S = 1.25  # the same for small pictures, which cost little
SMALL_PIXELS_MAX = 320 * 240
MARKS_SIDE_LARGE_PX = 320  # in which marks of larger pictures are sought
SHOT_S_MIN = 0.75  # cuts that come faster are not followed
STILL_S_MAX = 10.0  # a picture that stands still is looked at again after so many seconds
CUT_LIKENESS_MAX = 0.5  # correlation of thumbnails to either side of a cut
STILL_LIKENESS_MIN = 0.985
SAME_BITS_MAX = 6  # a code so near to the one before is kept only every few seconds
SAME_S_MAX = 2.0
LIVELY = 30  # levels along an edge of the thumbnail: no border
FLAT_LEVELS_MAX = 4.0  # standard deviation of the thumbnail of a blank frame


@dataclass(slots=True)
class _Recorder:
    """The tracks as they grow, and what must be remembered from frame to frame."""

    whole: list[tuple[Array, Array]] = field(default_factory=list)
    marks: list[tuple[Array, Array]] = field(default_factory=list)
    thumbnails: list[Array] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    size_px: tuple[int, int] = (0, 0)
    last_code: Array | None = None
    last_code_s: float = 0.0
    last_marked: Array | None = None
    last_marked_s: float = -STILL_S_MAX
    due_s: float = STEP_S
    blank_frames: int = 0

    def take(self, frame: Frame) -> None:
        import cv2

        grey = frame.grey
        self.size_px = self.size_px if self.times_s else (grey.shape[1], grey.shape[0])
        small = cv2.resize(grey, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
        before = self.thumbnails[-1] if self.thumbnails else None
        self.thumbnails.append(small)
        self.times_s.append(frame.time_s)
        blank = bool(small.std() <= FLAT_LEVELS_MAX)
        if blank or is_striped(grey):
            self.blank_frames += blank
            self.due_s = max(self.due_s, frame.time_s + STEP_S)
            return
        if before is not None and likeness(before, small) < CUT_LIKENESS_MAX:
            after_s = max(frame.time_s + STEP_S, self.last_marked_s + SHOT_S_MIN)
            self.due_s = min(self.due_s, after_s)
        self._take_whole(frame, small)
        if frame.time_s >= self.due_s - 1e-6:
            self._take_marks(frame, small)

    def _take_whole(self, frame: Frame, small: Array) -> None:
        left, top, right, bottom = box = _box(frame.grey, small)
        whole = whole_code(frame.grey[top:bottom, left:right])
        if whole.quality < QUALITY_MIN:
            return
        code = whole.code()
        if self.last_code is not None and frame.time_s - self.last_code_s < SAME_S_MAX:
            bits = int(np.bitwise_count(code ^ self.last_code).sum())
            if bits <= SAME_BITS_MAX:
                return
        self.last_code, self.last_code_s = code, frame.time_s
        height, width = frame.grey.shape
        place = (frame.time_s, *(np.array(box) / (width, height, width, height)))
        self.whole.append((code[None], np.array([place], np.float32)))

    def _take_marks(self, frame: Frame, small: Array) -> None:
        still = (
            self.last_marked is not None
            and likeness(self.last_marked, small) > STILL_LIKENESS_MIN
            and frame.time_s - self.last_marked_s < STILL_S_MAX
        )
        step_s = MARKS_STEP_SMALL_S if frame.grey.size <= SMALL_PIXELS_MAX else MARKS_STEP_S
        if still:
            return
        self.due_s = frame.time_s + step_s
        self.last_marked, self.last_marked_s = small, frame.time_s
        side_px = SIDE_MAX if step_s == MARKS_STEP_SMALL_S else MARKS_SIDE_LARGE_PX
        marks = find_marks(frame.grey, MARKS_MAX, side_px=side_px)
        if len(marks) < MARKS_MIN:
            return
        side = max(frame.grey.shape)
        places = marks.places / (side, side, side, 1, 1)
        at_s = np.full((len(marks), 1), frame.time_s)
        self.marks.append((same_sense(marks), np.hstack([at_s, places]).astype(np.float32)))

    def fingerprint(self) -> Fingerprint:
        seconds = self.times_s[-1] - self.times_s[0] + STEP_S
        whole, marks = _track(self.whole, 5), _track(self.marks, 6)
        unfit: tuple[Unfit, ...] = ()
        if not len(whole) and not len(marks):
            blank = self.blank_frames >= 0.9 * len(self.times_s)
            unfit = (Unfit.BLANK if blank else Unfit.LOW_TEXTURE,)
        rows = np.concatenate(self.thumbnails)
        times = np.repeat(np.array(self.times_s, np.float32), THUMBNAIL_PX)[:, None]
        if unfit:
            rows, times = rows[:0], times[:0]
        tracks = {"whole": whole, "marks": marks, "thumbnails": Track(rows, times)}
        return Fingerprint(METHOD_NAME, tracks, (seconds, *self.size_px), unfit)


def fingerprint_of(frames: Iterable[Frame]) -> Fingerprint:
    """Return the fingerprint of at least one frame, in order."""
    recorder = _Recorder()
    for frame in frames:
        recorder.take(frame)
    return recorder.fingerprint()


def turned_bits(codes: Array) -> Array:
    """Return the codes of works that, turned, would look like this: uint8 (8, n, 32).

    Row i belongs to ``picture_code.ORIENTATIONS[i]``. As the bits tell signs about a median that is
    near zero, turning swaps or inverts them; only coefficients next to zero come out wrong.
    """
    here = np.unpackbits(codes, axis=1).reshape(-1, COEFFICIENTS, COEFFICIENTS)
    inverted = (np.arange(COEFFICIENTS) % 2 == 0).astype(np.uint8)
    across, down = here ^ inverted, here ^ inverted[:, None]
    both = across ^ inverted[:, None]
    turned = [here, across, down, both]
    turned += [bits.transpose(0, 2, 1) for bits in turned]
    return np.packbits(np.stack(turned).reshape(8, len(codes), COEFFICIENTS**2), axis=2)


def likeness(one: Array, other: Array) -> float:
    """Return the correlation of two thumbnails, -1 to 1; 0 where either is flat."""
    first, second = one - one.mean(dtype=np.float32), other - other.mean(dtype=np.float32)
    scale = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / scale if scale > 0 else 0.0


def _track(parts: list[tuple[Array, Array]], columns: int) -> Track:
    if not parts:
        return Track(np.zeros((0, CODE_BYTES), np.uint8), np.zeros((0, columns), np.float32))
    places = np.concatenate([place for _, place in parts]).astype(np.float32)
    return Track(np.concatenate([codes for codes, _ in parts]), places)


def _box(grey: Array, small: Array) -> tuple[int, int, int, int]:
    """Return what is left of a frame without its borders; sought in a small copy, to be cheap."""
    import cv2

    height, width = grey.shape
    if min(int(np.ptp(line)) for line in (small[0], small[-1], small[:, 0], small[:, -1])) > LIVELY:
        return 0, 0, width, height  # the thumbnail's edges show that there is no border
    scale = 128 / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    left, top, right, bottom = trimmed_box(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
    if (left, top, right, bottom) == (0, 0, *size):
        return 0, 0, width, height
    across, down = width / size[0], height / size[1]
    box = round(left * across), round(top * down), round(right * across), round(bottom * down)
    return box if min(box[2] - box[0], box[3] - box[1]) >= 16 else (0, 0, width, height)
