"""Sound is decoded in bounded blocks; broken files give what could be decoded."""

from __future__ import annotations

import io
import wave
from typing import Any

import av
import numpy as np
import pytest

from tercet.consent.fingerprints import audio, audio_decoding
from tercet.consent.fingerprints.audio_decoding import BLOCK_SAMPLES, RATE_HZ, blocks_of
from tercet.consent.fingerprints.fingerprint import Array, UndecodableError, Unfit


def wav(sound: Array, rate: int = RATE_HZ) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return out.getvalue()


def tone(seconds: float, rate: int = RATE_HZ, channels: int = 1, hz: float = 300) -> Array:
    one = 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)
    return np.repeat(one[:, None], channels, axis=1)


def whole(raw: bytes) -> Array:
    return np.concatenate(list(blocks_of(io.BytesIO(raw))))


def encoded(codec: str, form: str, sound: Array, rate: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        planar = np.ascontiguousarray(sound[:, 0][None].astype(np.float32))
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return out.getvalue()


def test_sound_keeps_its_length_and_level_at_the_low_rate() -> None:
    sound = whole(wav(tone(3, 44_100, 2), 44_100))
    assert len(sound) == pytest.approx(3 * RATE_HZ, abs=50)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_blocks_are_bounded() -> None:
    blocks = list(blocks_of(io.BytesIO(wav(tone(70)))))
    assert len(blocks) == 3
    assert max(map(len, blocks)) < BLOCK_SAMPLES + 8192


def test_channels_that_cancel_are_heard() -> None:
    sound = tone(2, channels=2)
    sound[:, 1] *= -1
    assert np.sqrt(np.mean(whole(wav(sound)) ** 2)) > 0.3


def test_a_cut_file_gives_what_stands_before_the_cut() -> None:
    raw = encoded("libmp3lame", "mp3", tone(8, 44_100), 44_100)
    assert len(whole(raw[: len(raw) // 2])) == pytest.approx(4 * RATE_HZ, rel=0.1)


def test_damage_in_the_middle_costs_only_the_middle() -> None:
    raw = bytearray(encoded("libmp3lame", "mp3", tone(8, 44_100), 44_100))
    raw[len(raw) // 2 : len(raw) // 2 + 2000] = bytes(2000)
    assert len(whole(bytes(raw))) > 6 * RATE_HZ


@pytest.mark.parametrize(
    "raw", [b"", b"\0" * 5000, b"OggS" + b"\x07" * 4000, b"#EXTM3U\nfile:///x"]
)
def test_what_is_no_media_is_undecodable(raw: bytes) -> None:
    with pytest.raises(UndecodableError):
        whole(raw)


def test_a_playlist_reads_no_other_file(tmp_path: Any) -> None:
    (tmp_path / "other.wav").write_bytes(wav(tone(3)))
    playlist = f"ffconcat version 1.0\nfile '{tmp_path}/other.wav'\n".encode()
    with pytest.raises(UndecodableError):
        whole(playlist)


def test_a_film_without_sound_is_silent_not_broken() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=5)
        stream.width = stream.height = 64
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    found = audio.fingerprint(io.BytesIO(out.getvalue()))
    assert found.unfit == (Unfit.SILENCE,)
    assert found.extent == (0.0,)


def test_endless_sound_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_decoding, "SECONDS_MAX", 5.0)
    with pytest.raises(UndecodableError, match="more than"):
        whole(wav(tone(6)))


def test_infinite_and_missing_samples_are_no_sound() -> None:
    sound = tone(1).astype("<f4")
    sound[100:200] = np.nan
    sound[300] = np.inf
    raw = sound.tobytes()
    head = (
        b"RIFF" + (36 + len(raw)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    )
    form = (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + RATE_HZ.to_bytes(4, "little")
    form += (
        (RATE_HZ * 4).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    )
    assert np.isfinite(whole(head + form + b"data" + len(raw).to_bytes(4, "little") + raw)).all()
