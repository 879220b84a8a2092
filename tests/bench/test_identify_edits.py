"""The edits of bench/identify.py do what their names say: what they measure rests on it."""

from __future__ import annotations

import re
from functools import cache

import cv2
import numpy as np
import pytest
from bench.identify_av import RATE, decoded, write_sound, write_video
from bench.identify_edits import Edit, generator_for
from bench.identify_never import colour_bars

from bench import identify_audio_edits, identify_image_edits, identify_text_edits
from bench import identify_video_edits as clips

MEDIA = {
    "image": identify_image_edits.EDITS,
    "video": clips.EDITS,
    "audio": identify_audio_edits.EDITS,
    "text": identify_text_edits.EDITS,
}
LISTED = {"image": 24, "video": 12, "audio": 14, "text": 11}
"""How many edits the targets of each medium are about."""


@cache
def original(medium: str, number: int = 0):
    random = np.random.default_rng(number)
    if medium == "text":
        return " ".join(f"word{at}x{number}" for at in random.integers(0, 900, 400)).replace(
            "7x", "7x."
        )
    if medium == "audio":
        at = np.arange(14 * RATE) / RATE
        tone = np.sin(2 * np.pi * (440 + 110 * number) * at) * (0.5 + 0.5 * np.sin(at * 3))
        return (0.3 * tone).astype(np.float32)
    rough = random.integers(0, 256, (12, 16, 3)).astype(np.uint8)
    picture = cv2.resize(rough, (160, 120), interpolation=cv2.INTER_CUBIC)
    if medium == "image":
        return picture
    return np.stack([np.roll(picture, 3 * at, axis=1) for at in range(40)]), 12.5


def made(medium: str, edit: Edit):
    return edit.make(original(medium), generator_for(edit.title, "x"), original(medium, 1))


def raw(value) -> bytes:
    if isinstance(value, tuple):
        return value[0].tobytes() + repr(value[1]).encode()
    return value.encode() if isinstance(value, str) else bytes(value)


def edit_of(medium: str, title: str) -> Edit:
    return next(edit for edit in MEDIA[medium] if edit.title == title)


@pytest.mark.parametrize("medium", MEDIA)
def test_edits_have_their_own_names_and_the_lists_are_whole(medium: str) -> None:
    titles = [edit.title for edit in MEDIA[medium]]
    assert len(set(titles)) == len(titles)
    assert sum(edit.listed for edit in MEDIA[medium]) == LISTED[medium]


@pytest.mark.parametrize(
    ("medium", "edit"),
    [(medium, edit) for medium in MEDIA for edit in MEDIA[medium]],
    ids=lambda value: value if isinstance(value, str) else value.title,
)
def test_an_edit_changes_its_item_and_is_the_same_in_every_run(medium: str, edit: Edit) -> None:
    before = raw(original(medium))
    first = raw(made(medium, edit))
    assert len(first) > 20
    assert first != before
    assert raw(original(medium)) == before, "the original was changed"
    if not isinstance(made(medium, edit), bytes):  # encoders may write the time of day
        assert raw(made(medium, edit)) == first


def test_pictures_have_the_size_the_edit_says() -> None:
    assert made("image", edit_of("image", "crop 50 %")).shape == (60, 80, 3)
    assert made("image", edit_of("image", "rotate 90")).shape == (160, 120, 3)
    assert made("image", edit_of("image", "resize x0.25")).shape == (30, 40, 3)
    assert made("image", edit_of("image", "letterbox 25 %")).shape == (180, 160, 3)


def test_a_crop_is_a_part_of_the_picture() -> None:
    part = made("image", edit_of("image", "crop 50 %"))
    assert cv2.matchTemplate(original("image"), part, cv2.TM_SQDIFF).min() == 0


def test_speeds_and_pitches_are_what_they_say() -> None:
    def hertz(sound: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        return float(np.argmax(spectrum) * RATE / len(sound))

    length = len(original("audio"))
    faster = made("audio", edit_of("audio", "speed +8 %"))
    assert len(faster) == pytest.approx(length / 1.08, rel=0.001)
    assert hertz(faster) == pytest.approx(440 * 1.08, rel=0.005)
    tempo = made("audio", edit_of("audio", "tempo +25 %"))
    assert len(tempo) == pytest.approx(length / 1.25, rel=0.01)
    assert hertz(tempo) == pytest.approx(440, rel=0.005)
    higher = made("audio", edit_of("audio", "pitch +1 semitone"))
    assert len(higher) == pytest.approx(length, rel=0.01)
    assert hertz(higher) == pytest.approx(440 * 2 ** (1 / 12), rel=0.005)


def test_noise_and_bands_are_what_they_say() -> None:
    sound = original("audio")
    noise = made("audio", edit_of("audio", "white noise 10 dB")) - sound
    decibels = 10 * np.log10((sound**2).mean() / (noise**2).mean())
    assert decibels == pytest.approx(10, abs=0.2)
    high = made("audio", edit_of("audio", "highpass 1 kHz"))
    assert (high**2).mean() < (sound**2).mean() / 1000, "440 Hz is below 1 kHz"


@pytest.mark.parametrize("codec", ["pcm_s16le", "libmp3lame", "libopus", "aac"])
def test_sounds_come_back_from_their_files(codec: str) -> None:
    sound = original("audio")[: 5 * RATE]
    back = decoded(write_sound(sound, codec, 0 if codec == "pcm_s16le" else 64_000))
    assert len(back) == pytest.approx(len(sound), abs=0.1 * RATE)
    spectra = [np.abs(np.fft.rfft(each[: 4 * RATE])) for each in (sound, back)]
    assert abs(int(spectra[0].argmax()) - int(spectra[1].argmax())) <= 2


def test_clips_come_back_from_their_files() -> None:
    import io

    import av

    frames, rate = original("video")
    with av.open(io.BytesIO(write_video(frames, rate))) as opened:
        back = [frame.to_ndarray(format="bgr24") for frame in opened.decode(video=0)]
    assert len(back) == len(frames)
    assert np.abs(back[7].astype(int) - frames[7]).mean() < 8


def test_an_excerpt_of_fifty_words_is_fifty_words_of_the_text() -> None:
    part = made("text", edit_of("text", "excerpt 50 words"))
    assert len(part.split()) == 50
    assert part in original("text")
    chinese = "我们都是中国人，" * 60
    short = identify_text_edits.excerpt(chinese, np.random.default_rng(1), words=50)
    assert 98 <= len(re.sub(r"\s", "", short)) <= 102


def test_a_third_of_the_words_is_replaced() -> None:
    before = original("text").split()
    after = made("text", edit_of("text", "words replaced 30 %")).split()
    changed = sum(a != b for a, b in zip(before, after, strict=True)) / len(before)
    assert 0.22 < changed < 0.38


def test_colour_bars_are_those_of_the_norm() -> None:
    """SMPTE EG 1: 75 % bars white, yellow, cyan, green, magenta, red, blue, from the left."""
    row = colour_bars()[10, 45::91][:, ::-1]  # RGB
    assert (row > 0).tolist() == [
        [True, True, True], [True, True, False], [False, True, True], [False, True, False],
        [True, False, True], [True, False, False], [False, False, True],
    ]  # fmt: skip
