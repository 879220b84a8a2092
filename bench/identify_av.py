"""Frames and samples in and out of files by PyAV, for the edits of bench/identify.py."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
RATE = 44_100
WIDTH_MAX = 640


def read_frames(path: Path, start_s: float, seconds: float) -> tuple[Array, float]:
    """Return frames, BGR uint8 (n, height, width, 3), at most 640 wide, and frames a second."""
    frames = []
    with av.open(str(path)) as opened:
        stream = opened.streams.video[0]
        rate = float(stream.average_rate or 25)
        first = None
        for frame in opened.decode(stream):
            time = float(frame.time or 0.0)
            first = time if first is None else first
            if time - first >= start_s + seconds:
                break
            if time - first >= start_s:
                frames.append(_even(frame.to_ndarray(format="bgr24")))
    return np.stack(frames), min(60.0, rate)


def _even(picture: Array) -> Array:
    factor = min(1.0, WIDTH_MAX / picture.shape[1])
    height, width = (2 * round(side * factor / 2) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def write_video(frames: Array, rate: float, crf: int = 20) -> bytes:
    """Return the frames as an H.264 file."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        options = {"crf": str(crf), "preset": "veryfast"}
        stream = file.add_stream(
            "libx264", rate=Fraction(rate).limit_denominator(1001), options=options
        )
        stream.height, stream.width = (side // 2 * 2 for side in frames.shape[1:3])
        stream.pix_fmt, stream.thread_count = "yuv420p", 1
        for picture in frames:
            cut = np.ascontiguousarray(picture[: stream.height, : stream.width])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="bgr24")))
        file.mux(stream.encode())
    return out.getvalue()


def read_sound(paths: tuple[Path, ...], start_s: float, seconds: float) -> Array:
    """Return samples, mono float32 at 44.1 kHz, of recordings one after the other."""
    parts: list[Array] = []
    wanted = round((start_s + seconds) * RATE)
    for path in paths:
        parts.append(decoded(str(path), (wanted - sum(map(len, parts))) / RATE))
    return np.concatenate(parts)[round(start_s * RATE) : wanted]


def decoded(source: str | bytes, seconds: float = 1e9) -> Array:
    """Return the sound of a file or of its bytes, mono float32 at 44.1 kHz."""
    parts = [np.zeros(0, np.float32)]
    count = 0
    with av.open(io.BytesIO(source) if isinstance(source, bytes) else source) as opened:
        resampler = av.AudioResampler("flt", "mono", RATE)
        for frame in opened.decode(audio=0):
            for part in resampler.resample(frame):
                parts.append(part.to_ndarray()[0])
                count += len(parts[-1])
            if count >= seconds * RATE:
                break
    return np.concatenate(parts)[: round(min(seconds, 1e6) * RATE)]


def write_sound(samples: Array, codec: str = "pcm_s16le", bit_rate: int = 0) -> bytes:
    """Return the samples as a file: WAV, MP3 (libmp3lame) or Ogg Opus (libopus)."""
    containers = {"pcm_s16le": "wav", "libmp3lame": "mp3", "libopus": "ogg", "aac": "adts"}
    out = io.BytesIO()
    with av.open(out, "w", format=containers[codec]) as file:
        stream = file.add_stream(codec, rate=48_000 if codec == "libopus" else RATE)
        stream.layout = "mono"
        if bit_rate:
            stream.bit_rate = bit_rate
        whole = np.clip(samples * 32767, -32768, 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole), "s16", "mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(
            stream.codec_context.format.name, "mono", stream.rate,
            frame_size=stream.codec_context.frame_size or 4096,
        )  # fmt: skip
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return out.getvalue()
