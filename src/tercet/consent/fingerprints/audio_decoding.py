"""Sound as a stream of blocks at a low rate: from any file, or from a video's sound.

Two channels are kept apart until they are mixed: a recording whose second channel is the first
one upside down sums to silence, and would go unheard.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, UndecodableError
from tercet.consent.fingerprints.media_type import CONTAINER_OPTIONS

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

RATE_HZ = 8_000
"""Telephone rate: what lies above 3.7 kHz is cut first by every edit, and is not used."""

SECONDS_MAX = 6 * 3600.0
"""Sound is read up to here. Longer media are held: their end was not looked at."""

BLOCK_SAMPLES = 30 * RATE_HZ
PIECE_SAMPLES = 8_192  # the resampler hands out pieces of this size: small ones cost calls
FAULTS_MAX = 1_000  # packets that do not decode, before the rest is given up
STREAMS_MAX = 64
SOURCE_RATE_HZ_MAX = 768_000
CHANNELS_MAX = 64

_SIDE_SHARE = 0.05  # a mix with less power than this share of the channels' has cancelled


def blocks_of(file: BinaryIO) -> Iterator[Array]:
    """Yield the sound of ``file`` as float32 blocks, one channel, RATE_HZ; the last may be short.

    Nothing is yielded where the file has no sound stream. A stream that breaks gives what stands
    before, and behind it where the decoder recovers. Raises UndecodableError when nothing of a
    stream can be decoded, or it is longer than SECONDS_MAX.
    """
    import av

    try:
        with av.open(
            file, "r", metadata_errors="ignore", options=dict(CONTAINER_OPTIONS)
        ) as opened:
            if not opened.streams.audio:
                return
            yield from _gathered(_mixed(_frames(opened)))
    except (av.FFmpegError, ValueError, OverflowError, EOFError) as error:
        raise _undecodable(type(error).__name__) from error


def _undecodable(why: str) -> UndecodableError:
    return UndecodableError(
        f"expected sound, got data that no decoder here reads ({why})",
        hint="Convert it to WAV, FLAC, MP3 or Ogg, or take it out of the corpus.",
    )


def _frames(opened: InputContainer) -> Iterator[AudioFrame]:
    """Yield decoded frames; a packet that does not decode is skipped."""
    import av

    if len(opened.streams) > STREAMS_MAX:
        raise _undecodable(f"{len(opened.streams)} streams")
    stream = opened.streams.audio[0]
    stream.codec_context.thread_type = "NONE"
    faults = count = 0
    packets = opened.demux(stream)
    while faults < FAULTS_MAX:
        try:
            for frame in next(packets).decode():
                yield frame
                count += 1
        except (StopIteration, EOFError):
            break
        except av.FFmpegError:
            faults += 1
    if faults and not count:
        raise _undecodable("no packet decodes")


def _mixed(frames: Iterator[AudioFrame]) -> Iterator[Array]:
    """Yield pieces of one channel at RATE_HZ, float32, of any length."""
    import av

    resampler: Any = None
    shape: tuple[object, ...] = ()
    seconds = 0.0
    for frame in frames:
        if (
            not 0 < frame.sample_rate <= SOURCE_RATE_HZ_MAX
            or frame.layout.nb_channels > CHANNELS_MAX
        ):
            raise _undecodable(f"{frame.sample_rate} Hz, {frame.layout.nb_channels} channels")
        seconds += frame.samples / frame.sample_rate
        if seconds > SECONDS_MAX:
            raise UndecodableError(
                f"more than {SECONDS_MAX / 3600:.0f} hours of sound",
                hint="Cut it into shorter pieces.",
            )
        if shape != (frame.format.name, frame.layout.name, frame.sample_rate):
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
            resampler = av.AudioResampler(
                format="fltp", layout=layout, rate=RATE_HZ, frame_size=PIECE_SAMPLES
            )
        frame.pts = None
        for piece in resampler.resample(frame):
            yield piece.to_ndarray()
    if resampler is not None:
        for piece in resampler.resample(None):
            yield piece.to_ndarray()


def _gathered(pieces: Iterator[Array]) -> Iterator[Array]:
    """Yield one channel in blocks of BLOCK_SAMPLES."""
    held: list[Array] = []
    count = 0
    for piece in pieces:
        if held and held[-1].shape[0] != piece.shape[0]:  # the stream changed its channels
            yield _one_channel(held)
            held, count = [], 0
        held.append(piece)
        count += piece.shape[1]
        if count >= BLOCK_SAMPLES:
            yield _one_channel(held)
            held, count = [], 0
    if count:
        yield _one_channel(held)


def _one_channel(pieces: list[Array]) -> Array:
    """Mix the channels of a block, or take the first where mixing would cancel them."""
    both = np.concatenate(pieces, axis=1)
    both = np.nan_to_num(both, nan=0.0, posinf=1.0, neginf=-1.0)
    np.clip(
        both, -8.0, 8.0, out=both
    )  # float samples know no bound; eight times full scale is noise
    if len(both) == 1:
        return np.ascontiguousarray(both[0], np.float32)
    mid = both.mean(axis=0)
    power = float(np.square(both).mean())
    if float(np.square(mid).mean()) >= _SIDE_SHARE * power:
        return np.ascontiguousarray(mid, np.float32)
    return np.ascontiguousarray(both[int(np.argmax(np.square(both).mean(axis=1)))], np.float32)
