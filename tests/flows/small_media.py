"""Small texts, videos and recordings of every kind that can be written here, made by code."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import numpy as np


def prose(seed: int, count: int = 400) -> str:
    """Return words that nobody else wrote in this order."""
    random = np.random.default_rng(seed)
    syllables = ("ka", "lo", "mi", "ter", "sen", "dor", "vi", "na", "pul", "gar", "est", "rim")
    words = ("".join(random.choice(syllables, random.integers(1, 4))) for _ in range(count))
    return " ".join(words)


def moving(count: int) -> list[np.ndarray[Any, np.dtype[Any]]]:
    """Return frames of a textured picture that moves."""
    chance = np.random.default_rng(7)
    coarse = chance.integers(0, 255, (16, 20, 3), dtype=np.uint8)
    wide = np.kron(coarse, np.ones((12, 12, 1), np.uint8))
    return [np.ascontiguousarray(np.roll(wide, at * 3, 1)[:128, :176]) for at in range(count)]


def film(kind: str, codec: str, sound: str, *, seconds: int = 2) -> bytes:
    """Return video and sound; b"" where this build has no such encoder, or neither is asked for."""
    import av

    written = io.BytesIO()
    try:
        with av.open(written, "w", format=kind) as container:
            streams = [container.add_stream(codec, rate=25)] if codec else []
            rate = 48_000 if sound == "libopus" else 44_100
            heard = container.add_stream(sound, rate=rate) if sound else None
            for stream in streams:
                _write_frames(container, stream, seconds)
            if heard is not None:
                _write_sound(container, heard, rate, seconds)
    except (av.FFmpegError, ValueError, TypeError):
        return b""
    return written.getvalue()


def _write_frames(container: Any, stream: Any, seconds: int) -> None:
    import av

    codec = stream.codec_context.name
    stream.width, stream.height = 176, 128
    formats = {"gif": "rgb8", "apng": "rgb24", "mjpeg": "yuvj420p"}
    stream.pix_fmt = formats.get(codec, "yuv420p")
    for at, pixels in enumerate(moving(25 * seconds)):
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format=stream.pix_fmt)
        frame.pts, frame.time_base = at, Fraction(1, 25)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _write_sound(container: Any, stream: Any, rate: int, seconds: int) -> None:
    import av

    times_s = np.arange(rate * seconds) / rate
    chance = np.random.default_rng(3)
    tones = sum(np.sin(2 * np.pi * times_s * pitch * (1 + 0.1 * np.sin(times_s * pitch / 90)))
                for pitch in chance.uniform(200, 2_000, 6))  # fmt: skip
    samples_of = (tones * 4_000).astype(np.int16)[None]
    resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=rate)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples_of), format="s16", layout="mono"
    )
    frame.sample_rate = rate
    fifo = av.AudioFifo()
    for part in resampler.resample(frame):
        fifo.write(part)
    size = stream.codec_context.frame_size or 1_024
    while (part := fifo.read(size, partial=True)) is not None:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))
