"""Edits of recordings by numpy and PyAV: the reference's list, and others.

A recording is mono float32 at 44.1 kHz; an edited one is that, or the bytes of a file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bench.identify_av import RATE, decoded, write_sound
from bench.identify_edits import Edit

Sound = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator


def _file(sound: Sound, _r: Random, _o: Sound, *, codec: str, bit_rate: int) -> bytes:
    return write_sound(sound, codec, bit_rate)


def excerpt(sound: Sound, random: Random, _o: Sound = None, *, seconds: float) -> Sound:
    """Return a random piece, from where something is to be heard."""
    count = round(seconds * RATE)
    starts = random.integers(0, max(1, len(sound) - count + 1), 8)
    loud = [float(np.abs(sound[at : at + count]).mean()) for at in starts]
    typical = float(np.abs(sound).mean())
    start = next((at for at, value in zip(starts, loud, strict=True) if value > typical / 2),
                 starts[int(np.argmax(loud))])  # fmt: skip
    return sound[start : start + count]


def _filtered(sound: Sound, gain: Callable[[Sound], Sound]) -> Sound:
    """Return the sound with each frequency (Hz) multiplied by ``gain``."""
    spectrum = np.fft.rfft(sound)
    spectrum *= gain(np.fft.rfftfreq(len(sound), 1 / RATE))
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def _equalised(sound: Sound, _r: Random, _o: Sound) -> Sound:
    """Quieter by 6 dB; basses up by 6 dB, trebles down by 6 dB, a dip at 1 kHz."""

    def gain(hertz: Sound) -> Sound:
        octaves = np.log2(np.maximum(hertz, 20) / 1000)
        return 10 ** ((-np.clip(octaves, -3, 3) * 2 - 8 * np.exp(-(octaves**2)) - 6) / 20)

    return _filtered(sound, gain)


def _noise(sound: Sound, random: Random, _o: Sound, *, decibels: float) -> Sound:
    power = float(np.sqrt((sound**2).mean())) * 10 ** (-decibels / 20)
    return (sound + random.normal(0, power, len(sound))).astype(np.float32)


def _band(sound: Sound, _r: Random, _o: Sound, *, low: float, high: float) -> Sound:
    return _filtered(sound, lambda hertz: ((hertz >= low) & (hertz <= high)).astype(float))


def _telephone(sound: Sound, random: Random, other: Sound) -> Sound:
    """300-3,400 Hz, mu-law of 8 bits, a little noise."""
    narrow = _band(sound, random, other, low=300, high=3400)
    narrow = narrow / max(1e-6, float(np.abs(narrow).max()))
    law = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    coarse = np.round(law * 127) / 127
    back = np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255
    return _noise(back, random, other, decibels=30)


def _speed(sound: Sound, _r: Random, _o: Sound, *, factor: float) -> Sound:
    """Faster and higher, as a tape: linear interpolation at twice the rate."""
    at = np.arange(0, len(sound) - 1, factor)
    return np.interp(at, np.arange(len(sound)), sound).astype(np.float32)


def _tempo(sound: Sound, _r: Random, _o: Sound, *, factor: float) -> Sound:
    """Faster at the same pitch: overlapping windows laid where they fit best (WSOLA)."""
    size, hop = 2048, 1024
    seek = 512
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    count = int((len(sound) - size - 2 * seek) / (hop * factor))
    out = np.zeros(count * hop + size, np.float32)
    wanted = sound[:size]
    for step in range(count):
        middle = round(step * hop * factor) + seek
        around = sound[middle - seek : middle + seek + size]
        shift = int(np.argmax(np.correlate(around[::4], wanted[::4], "valid"))) * 4
        start = middle - seek + min(shift, 2 * seek)
        out[step * hop : step * hop + size] += sound[start : start + size] * window
        wanted = sound[start + hop : start + hop + size]
        if len(wanted) < size:
            break
    return out


def _pitch(sound: Sound, random: Random, other: Sound, *, semitones: float) -> Sound:
    factor = 2 ** (semitones / 12)
    return _speed(_tempo(sound, random, other, factor=1 / factor), random, other, factor=factor)


def _over(sound: Sound, random: Random, other: Sound, *, decibels: float) -> Sound:
    """Speech, or another sound, over the recording: louder than it by ``decibels``."""
    voice = np.resize(other, len(sound)) if len(other) else np.zeros_like(sound)
    power = [float(np.sqrt((each**2).mean())) + 1e-9 for each in (sound, voice)]
    mixed = sound + voice * (power[0] / power[1] * 10 ** (decibels / 20))
    return (mixed / max(1.0, float(np.abs(mixed).max()))).astype(np.float32)


def _reverb(sound: Sound, random: Random, _o: Sound, *, seconds: float) -> Sound:
    """A room of so many seconds (60 dB), three parts of it to one of the dry sound."""
    count = round(seconds * RATE)
    tail = random.normal(0, 1, count) * 10 ** (-3 * np.arange(count) / count)
    size = 1 << (len(sound) + count).bit_length()
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
    wet *= float(np.sqrt((sound**2).mean())) / (float(np.sqrt((wet**2).mean())) + 1e-9)
    return (0.5 * sound + 0.9 * wet).astype(np.float32)


def _clipped(sound: Sound, _r: Random, _o: Sound, *, decibels: float) -> Sound:
    peak = float(np.abs(sound).max()) + 1e-9
    return np.clip(sound / peak * 10 ** (decibels / 20), -1, 1).astype(np.float32)


def _echoed(sound: Sound, _r: Random, _o: Sound) -> Sound:
    late = round(0.25 * RATE)
    return sound + 0.5 * np.concatenate([np.zeros(late, np.float32), sound[:-late]])


def _padded(sound: Sound, random: Random, other: Sound, *, seconds: float) -> Sound:
    """An excerpt between pieces of another recording: a programme, an advertisement."""
    around = round(12 * RATE)
    piece = excerpt(sound, random, seconds=seconds)
    return np.concatenate([other[:around], piece, other[around : 2 * around]])


def _chain(sound: Sound, random: Random, other: Sound, *, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        made = step(sound, random, other)
        sound = decoded(made) if isinstance(made, bytes) else made
    return sound


def _listed(name: str, strength: str, make: Callable[..., Any]) -> Edit:
    return Edit(name, strength, make, listed=True)


def _codec(codec: str, bit_rate: int) -> Callable[..., bytes]:
    return partial(_file, codec=codec, bit_rate=bit_rate)


EDITS = (
    _listed("mp3", "64k", _codec("libmp3lame", 64_000)),
    _listed("mp3", "32k", _codec("libmp3lame", 32_000)),
    _listed("opus", "24k", _codec("libopus", 24_000)),
    _listed("excerpt", "10 s", partial(excerpt, seconds=10.0)),
    _listed("excerpt", "5 s", partial(excerpt, seconds=5.0)),
    _listed("volume and EQ", "", _equalised),
    _listed("white noise", "10 dB", partial(_noise, decibels=10.0)),
    _listed("lowpass", "3 kHz", partial(_band, low=0, high=3000)),
    _listed("speed", "+2 %", partial(_speed, factor=1.02)),
    _listed("speed", "+5 %", partial(_speed, factor=1.05)),
    _listed("tempo", "+5 %", partial(_tempo, factor=1.05)),
    _listed("tempo", "+25 %", partial(_tempo, factor=1.25)),
    _listed("pitch", "+1 semitone", partial(_pitch, semitones=1.0)),
    _listed("speech over music", "+6 dB", partial(_over, decibels=6.0)),
    Edit("speech over music", "0 dB", partial(_over, decibels=0.0)),
    Edit("excerpt", "3 s", partial(excerpt, seconds=3.0)),
    Edit("speed", "+8 %", partial(_speed, factor=1.08)),
    Edit("speed", "-8 %", partial(_speed, factor=0.92)),
    Edit("tempo", "-10 %", partial(_tempo, factor=0.9)),
    Edit("pitch", "-1 semitone", partial(_pitch, semitones=-1.0)),
    Edit("pitch", "+2 semitones", partial(_pitch, semitones=2.0)),
    Edit("white noise", "0 dB", partial(_noise, decibels=0.0)),
    Edit("reverb", "1.5 s", partial(_reverb, seconds=1.5)),
    Edit("clipping", "12 dB", partial(_clipped, decibels=12.0)),
    Edit("echo", "0.25 s", _echoed),
    Edit("telephone", "", _telephone),
    Edit("highpass", "1 kHz", partial(_band, low=1000, high=22_050)),
    Edit("in a programme", "5 s", partial(_padded, seconds=5.0)),
    Edit("chain", "10 s, speed +5 %, mp3 32k", partial(_chain, steps=(
        partial(excerpt, seconds=10.0), partial(_speed, factor=1.05),
        _codec("libmp3lame", 32_000)))),
    Edit("chain", "10 s, pitch +1, speech 0 dB", partial(_chain, steps=(
        partial(excerpt, seconds=10.0), partial(_pitch, semitones=1.0),
        partial(_over, decibels=0.0)))),
)  # fmt: skip
