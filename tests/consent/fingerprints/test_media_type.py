"""What a file is follows from its bytes, whatever its name says."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import iscc_samples
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.fingerprints.media_type import CONTAINER_OPTIONS, UNKNOWN, medium_of, sniff
from tercet.core.work import Medium

SAMPLES = Path(iscc_samples.__file__).parent / "files"
# Folders say what others hold them for; GIF is among the pictures once as a still one, and among
# the videos once as a moving one.
OF_FOLDER = {
    "image": Medium.IMAGE,
    "video": Medium.VIDEO,
    "audio": Medium.AUDIO,
}
READ_AS_TEXT = ("html", "json", "md", "txt", "xhtml", "xml", "epub", "pdf")
OFFICE = ("doc", "docx", "odt", "ppt", "pptx", "xls", "xlsx", "sqlite", "mobi")


@pytest.mark.parametrize("folder", OF_FOLDER)
def test_samples_of_others_are_what_their_makers_say(folder: str) -> None:
    wrong = []
    for path in sorted((SAMPLES / folder).iterdir()):
        with path.open("rb") as file:
            found = medium_of(file)
        if found.medium is not OF_FOLDER[folder]:
            wrong.append((path.name, found))
    assert not wrong


def test_a_recording_with_a_cover_is_sound() -> None:
    with (SAMPLES / "audio" / "withcover.mp3").open("rb") as file:
        assert medium_of(file).medium is Medium.AUDIO


@pytest.mark.parametrize("suffix", READ_AS_TEXT)
def test_documents_are_text(suffix: str) -> None:
    raw = (SAMPLES / "text" / f"demo.{suffix}").read_bytes()
    assert sniff(raw[:4096]).medium is Medium.TEXT


@pytest.mark.parametrize("suffix", OFFICE)
def test_office_files_are_unknown_and_so_held(suffix: str) -> None:
    raw = (SAMPLES / "text" / f"demo.{suffix}").read_bytes()
    assert sniff(raw[:4096]) == UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        b"BMW built it, and MAC addresses were TTA1 in FLV and FWS times.",
        b"ID3 is a tag. fLaC is another word, RIFF a third, OggS a fourth.",
        b"MZ is how some programs begin, GIF89a how some pictures do.",
        "\ufeffMit Marke".encode(),
        "Wide, with its mark".encode("utf-16"),
        "Wide, and without one".encode("utf-16-le"),
        "Тихий Дон, окончание".encode("cp1251"),
        "吾輩は猫である。名前はまだ無い。".encode("shift-jis"),
    ],
)
def test_text_that_begins_like_something_else_is_text(text: bytes) -> None:
    assert sniff(text).medium is Medium.TEXT


@pytest.mark.parametrize("raw", [b"", b"\x89", b"\x00" * 64, b"\xff", b"RIFF\0", b"PK\x03\x04" * 9])
def test_what_shows_nothing_is_unknown(raw: bytes) -> None:
    assert medium_of(io.BytesIO(raw)) == UNKNOWN


def still_and_moving_gif(frames: int) -> bytes:
    frame = b"!\xf9\x04\x04\x0a\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"
    screen = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    return screen + b"!\xfe\x04note\x00" + frame * frames + b";"


def animated_png(frames: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    control = chunk(b"acTL", struct.pack(">II", frames, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tEXt", b"a\x00b") + control + chunk(b"IDAT", b"")


def webp(flags: int) -> bytes:
    return b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes([flags]) + bytes(9)


@pytest.mark.parametrize(
    ("still", "moving"),
    [
        (still_and_moving_gif(1), still_and_moving_gif(2)),
        (animated_png(1), animated_png(2)),
        (webp(0x10), webp(0x12)),
        (b"\x00\x00\x00\x1cftypavif" + bytes(16), b"\x00\x00\x00\x1cftypavis" + bytes(16)),
    ],
    ids=["gif", "png", "webp", "avif"],
)
def test_a_moving_picture_is_video(still: bytes, moving: bytes) -> None:
    assert medium_of(io.BytesIO(still)).medium is Medium.IMAGE
    assert medium_of(io.BytesIO(moving)).medium is Medium.VIDEO


def test_formats_that_name_other_files_are_not_asked_for() -> None:
    allowed = set(CONTAINER_OPTIONS["format_whitelist"].split(","))
    assert not allowed & {"hls", "dash", "concat", "sdp", "rtsp", "rtp", "imf", "image2", "tee",
                          "lavfi", "webm_dash_manifest", "applehttp"}  # fmt: skip


@given(st.binary(max_size=600), st.sampled_from([b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF"]))
def test_any_bytes_have_an_answer(raw: bytes, head: bytes) -> None:
    found = medium_of(io.BytesIO(head + raw))
    assert bool(found.name) == (found.medium is not None)
