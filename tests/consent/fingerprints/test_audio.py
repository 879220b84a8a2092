"""Sounds are found in edited copies, with their times; noise, tones and silence claim nothing."""

from __future__ import annotations

import io
import wave
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tercet.consent.fingerprints import audio
from tercet.consent.fingerprints.fingerprint import (
    Array,
    Band,
    Fingerprint,
    Hits,
    Match,
    Track,
    UndecodableError,
    Unfit,
    probes,
)

RATE = 16_000
SECONDS = 16


@cache
def tune(seed: int, seconds: float = SECONDS) -> Array:
    """Return notes with overtones at random pitches and times: a recording like no other."""
    random = np.random.default_rng(seed)
    sound = np.zeros(int((seconds + 2) * RATE))
    for start in np.cumsum(random.uniform(0.05, 0.25, int(seconds * 6.5))):
        length = int(random.uniform(0.2, 0.8) * RATE)
        time_s = np.arange(length) / RATE
        pitch_hz = 150 * 2 ** (random.integers(0, 36) / 12)
        tone = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 5))
        at = int(start * RATE)
        if at + length < len(sound):
            sound[at : at + length] += 0.15 * tone * np.exp(-4 * time_s)
    return sound[: int(seconds * RATE)]


def wav(sound: Array, rate: int = RATE) -> io.BytesIO:
    """Return float sound, (samples,) or (samples, channels), as a 16-bit WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return io.BytesIO(out.getvalue())


def fingerprint(sound: Array, rate: int = RATE) -> Fingerprint:
    return audio.fingerprint(wav(sound, rate))


@cache
def work(seed: int = 1) -> Fingerprint:
    return fingerprint(tune(seed))


def found(sound: Array, stored: Fingerprint | None = None, rate: int = RATE) -> Match | None:
    return audio.METHOD.verify(fingerprint(sound, rate), 7, stored or work())


def certain(sound: Array, rate: int = RATE) -> Match:
    match = found(sound, rate=rate)
    assert match is not None
    assert match.band is Band.CERTAIN
    assert match.work == 7
    return match


def noise(count: int, seed: int = 5) -> Array:
    return np.random.default_rng(seed).standard_normal(count)


def test_a_recording_is_found_in_itself_at_its_own_time() -> None:
    match = certain(tune(1))
    [(item, mine)] = match.pairs
    assert match.edits == ()
    assert item.start_s == pytest.approx(0, abs=0.5)
    assert item.end_s == pytest.approx(SECONDS, abs=0.5)
    assert mine.start_s == pytest.approx(item.start_s, abs=0.05)
    assert mine.end_s == pytest.approx(item.end_s, abs=0.05)


def test_three_seconds_are_found_at_their_place() -> None:
    [(_, mine)] = certain(tune(1)[7 * RATE : 10 * RATE]).pairs
    assert mine.start_s == pytest.approx(7.0, abs=0.3)


@pytest.mark.parametrize("speed", [0.92, 1.05, 1.08])
def test_other_speed_is_found_and_named(speed: float) -> None:
    match = certain(tune(1), rate=int(RATE * speed))
    assert match.edits == (f"speed {speed:.2f}",)


def test_noise_of_a_third_of_its_power_does_not_hide_it() -> None:
    power = float(np.sqrt(np.mean(tune(1) ** 2)))
    certain(tune(1) + 0.57 * power * noise(len(tune(1))))


def test_a_louder_recording_on_top_does_not_hide_it() -> None:
    match = certain(tune(1) + 1.5 * tune(2))
    assert "over other sound" in match.edits


def test_a_passage_between_other_things_is_found_with_its_times() -> None:
    sound = np.concatenate([tune(3)[: 6 * RATE], tune(1)[4 * RATE : 10 * RATE], tune(2)])
    [(item, mine)] = certain(sound).pairs
    assert item.start_s == pytest.approx(6.0, abs=1.0)
    assert item.end_s == pytest.approx(12.0, abs=1.0)
    assert mine.start_s is not None
    assert item.start_s is not None
    assert mine.start_s - item.start_s == pytest.approx(-2.0, abs=0.1)


def test_two_passages_in_another_order_are_two_pairs() -> None:
    one, two = tune(1)[8 * RATE : 14 * RATE], tune(1)[: 6 * RATE]
    pairs = certain(np.concatenate([one, two])).pairs
    offsets = {round((mine.start_s or 0) - (item.start_s or 0)) for item, mine in pairs}
    assert {8, -6} <= offsets


def test_a_channel_turned_upside_down_does_not_silence_a_recording() -> None:
    certain(np.stack([tune(1), -tune(1)], axis=1))


def test_other_recordings_are_not_found() -> None:
    for seed in range(2, 8):
        assert found(tune(seed)) is None


def test_the_same_notes_played_at_other_times_are_not_found() -> None:
    random = np.random.default_rng(3)
    parts = np.split(tune(1), SECONDS * 2)
    random.shuffle(parts)
    match = found(np.concatenate(parts))
    assert match is None or match.band is not Band.CERTAIN


# ---- what claims nothing --------------------------------------------------------------------

_TIME_S = np.arange(12 * RATE) / RATE


def _click_track() -> Array:
    sound = np.zeros(12 * RATE)
    tick = np.sin(2 * np.pi * 1000 * _TIME_S[:320]) * np.exp(-np.arange(320) / 80)
    for start in range(0, len(sound) - 320, RATE // 2):
        sound[start : start + 320] = 0.7 * tick
    return sound


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (np.zeros(12 * RATE), Unfit.SILENCE),
        (noise(12 * RATE) / 32768, Unfit.SILENCE),
        (0.002 * noise(12 * RATE), Unfit.STATIONARY),
        (0.1 * noise(12 * RATE), Unfit.STATIONARY),
        (0.1 * np.cumsum(noise(12 * RATE)) / 200, Unfit.STATIONARY),
        (0.5 * np.sin(2 * np.pi * 440 * _TIME_S), Unfit.STATIONARY),
        (0.3 * np.sign(np.sin(2 * np.pi * 220 * _TIME_S)), Unfit.STATIONARY),
        (0.5 * np.sin(2 * np.pi * (200 + 60 * (_TIME_S % 4)) * (_TIME_S % 4)), Unfit.STATIONARY),
        (_click_track(), Unfit.STATIONARY),
        (tune(1)[: 2 * RATE], Unfit.TOO_SHORT),
    ],
    ids=[
        "nothing",
        "dither",
        "room",
        "white",
        "brown",
        "sine",
        "square",
        "sweep",
        "clicks",
        "short",
    ],
)
def test_what_can_identify_nothing_is_unfit(sound: Array, why: Unfit) -> None:
    unfit = fingerprint(sound)
    assert unfit.unfit == (why,)
    assert not unfit.tracks
    assert audio.METHOD.verify(unfit, 1, work()) is None
    assert audio.METHOD.verify(work(), 1, unfit) is None
    assert not probes(audio.METHOD, unfit)


def _room(seed: int, knock_seed: int) -> Array:
    """Return quiet noise, hum and knocks at random times."""
    random = np.random.default_rng(seed)
    hum = sum(np.sin(2 * np.pi * 50 * k * _TIME_S + random.uniform(0, 6)) / k for k in range(1, 20))
    knock = 0.8 * np.exp(-np.arange(3000) / 600) * noise(3000, knock_seed)
    knocks = np.zeros(len(_TIME_S))
    knocks[random.integers(0, len(knocks), 30)] = 1.0
    return 0.01 * noise(len(_TIME_S), seed) + 0.01 * hum + np.convolve(knocks, knock, "same")


def test_a_registered_silent_room_claims_no_other_silent_room() -> None:
    """Room tone with hum and knocks, turned up until it is fit, claims its own recording only."""
    rooms = [fingerprint(_room(seed, seed + 10)) for seed in range(4)]
    assert not any(room.unfit for room in rooms)
    for mine in rooms:
        for theirs in rooms:
            assert mine is theirs or audio.METHOD.verify(mine, 1, theirs) is None


def test_one_sample_at_other_times_is_no_sure_match() -> None:
    match = found(_room(1, 9), fingerprint(_room(2, 9)))
    assert match is None or match.band is Band.POSSIBLE


def test_the_silent_passage_of_a_work_has_no_keys() -> None:
    sound = np.concatenate([tune(1), 0.00002 * noise(10 * RATE), tune(2)])
    times = fingerprint(sound).tracks["quads"].places[:, 0]
    assert not np.any((times > SECONDS + 1) & (times < SECONDS + 9))


# ---- as a method ----------------------------------------------------------------------------


def searched(query: Fingerprint, works: dict[int, Fingerprint]) -> list[int]:
    """Search as an index does, and return the candidates."""
    asked = probes(audio.METHOD, query)["quads"].keys
    rows: list[tuple[int, int, int]] = []
    for number, stored in works.items():
        keys = stored.tracks["quads"].keys
        _, mine, theirs = np.intersect1d(asked, keys, return_indices=True)
        rows += [(int(a), number, int(b)) for a, b in zip(mine, theirs, strict=True)]
    columns = np.array(rows, np.int64).reshape(-1, 3)
    hits = Hits(columns[:, 0], columns[:, 1], columns[:, 2], np.zeros(len(columns), np.uint8))
    return list(audio.METHOD.candidates(query, {"quads": hits}))


def test_the_work_is_the_first_candidate() -> None:
    works = {number: work(number) for number in (1, 2, 3, 4)}
    query = fingerprint(tune(3)[5 * RATE : 9 * RATE], int(RATE * 1.04))
    assert searched(query, works)[0] == 3
    assert audio.METHOD.candidates(query, {}) == []


def test_a_second_of_sound_is_kept_in_a_kilobyte() -> None:
    kept = sum(track.keys.nbytes + track.places.nbytes for track in work().tracks.values())
    assert kept < 1024 * SECONDS


def test_the_same_bytes_have_the_same_fingerprint() -> None:
    again = fingerprint(tune(1))
    for name, track in work().tracks.items():
        assert np.array_equal(track.keys, again.tracks[name].keys)
        assert np.array_equal(track.places, again.tracks[name].places)


def test_fingerprints_of_other_methods_are_not_compared() -> None:
    other = Fingerprint("audio-0", work().tracks, work().extent)
    assert audio.METHOD.verify(work(), 1, other) is None


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_a_damaged_stored_track_does_not_match(kept: int) -> None:
    tracks = {n: Track(t.keys[:kept], t.places[:kept]) for n, t in work().tracks.items()}
    damaged = Fingerprint("audio-1", tracks, work().extent)
    assert audio.METHOD.verify(work(), 1, damaged) is None


def test_re_encoded_samples_match_and_name_no_edit() -> None:
    samples = pytest.importorskip("iscc_samples")
    folder = Path(samples.__file__).parent / "files" / "audio"
    with (folder / "demo.wav").open("rb") as file:
        original = audio.fingerprint(file)
    for name in ("demo.mp3", "demo.opus", "demo.aac"):
        with (folder / name).open("rb") as file:
            match = audio.METHOD.verify(audio.fingerprint(file), 1, original)
        assert match is not None
        assert match.band is Band.CERTAIN
        assert match.edits == ()


def test_what_is_no_sound_is_undecodable() -> None:
    with pytest.raises(UndecodableError):
        audio.fingerprint(io.BytesIO(b"RIFF" + bytes(3000)))
