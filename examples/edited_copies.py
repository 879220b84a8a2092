"""Edited copies of four works, as they turn up in a corpus, and things that are nobody's.

    python examples/edited_copies.py SAMPLES FOLDER

SAMPLES holds image/demo.jpg, video/demo.mp4, audio/demo.mp3 and text/demo.epub (the iscc-samples
package has them). Into FOLDER go a collage, a mirrored copy, a cropped excerpt of the video, a
faster excerpt of the music and a text that quotes; beside them silence, a blank picture and a
licence, which no registered work may claim.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tercet.consent.fingerprints.documents import text_of

ROOT = Path(__file__).resolve().parent.parent
RATE = 44_100  # samples a second


def make_copies(samples: Path, folder: Path) -> None:
    """Write all of them below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = cv2.imread(str(samples / "image" / "demo.jpg"))
    cv2.imwrite(str(folder / "collage.jpg"), collage(picture))
    mirrored = cv2.flip(picture, 1)
    cv2.imwrite(str(folder / "mirrored.jpg"), mirrored, [cv2.IMWRITE_JPEG_QUALITY, 40])
    write_excerpt(samples / "video" / "demo.mp4", folder / "excerpt.mp4", 10, 16)
    sound = read_sound(samples / "audio" / "demo.mp3")
    write_sound(faster(sound[3 * RATE : 13 * RATE], 1.05), folder / "faster.mp3")
    text = text_of((samples / "text" / "demo.epub").read_bytes(), "demo.epub")
    (folder / "quotation.txt").write_text(quoting(text), "utf-8")
    write_sound(np.zeros(8 * RATE, np.float32), folder / "silence.mp3")
    cv2.imwrite(str(folder / "blank.png"), np.full((400, 600, 3), 200, np.uint8))
    (folder / "licence.txt").write_bytes((ROOT / "LICENSE").read_bytes())


def collage(picture: Any) -> Any:
    """Return a page with the picture, enlarged and turned a little, between two captions."""
    across = np.linspace(60, 200, 900)
    page = np.stack([np.add.outer(np.linspace(0, 40, 700), across)] * 3, axis=2).astype(np.uint8)
    turn = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), 6, 2.2)
    turn[:, 2] += (220, 200)
    seen = cv2.warpAffine(picture, turn, (900, 700), flags=cv2.INTER_CUBIC)
    mask = cv2.warpAffine(np.full(picture.shape[:2], 255, np.uint8), turn, (900, 700))
    page[mask > 0] = seen[mask > 0]
    for at, words in ((90, "FOUND THIS ONE"), (660, "what a day")):
        cv2.putText(page, words, (60, at), cv2.FONT_HERSHEY_DUPLEX, 2, (20, 20, 20), 3)
    return page


def write_excerpt(source: Path, target: Path, start_s: float, end_s: float) -> None:
    """Write seconds of a video without its sound: the middle of the picture, and a subtitle."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = made.add_stream("libx264", 25, options={"crf": "30"})
        for frame in given.decode(video=0):
            if frame.time is None or frame.time < start_s:
                continue
            if frame.time >= end_s:
                break
            image = cropped(frame.to_ndarray(format="bgr24"))
            if not stream.codec_context.is_open:
                stream.height, stream.width = image.shape[:2]
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                made.mux(packet)
        for packet in stream.encode():
            made.mux(packet)


def cropped(image: Any) -> Any:
    """Return the middle of a picture, in even sizes, with words below."""
    height, width = image.shape[:2]
    top, left = height // 10, width // 10
    inner = image[top : height - top, left : width - left]
    inner = np.ascontiguousarray(inner[: inner.shape[0] // 2 * 2, : inner.shape[1] // 2 * 2])
    place = (inner.shape[1] // 5, inner.shape[0] - 12)
    cv2.putText(inner, "somebody else's words", place, cv2.FONT_HERSHEY_SIMPLEX, 0.6,
                (255, 255, 255), 2)  # fmt: skip
    return inner


def read_sound(path: Path) -> Any:
    """Return the sound of a file, one channel of float32."""
    resampler = av.AudioResampler("flt", "mono", RATE)
    with av.open(str(path)) as given:
        parts = [
            part.to_ndarray()[0]
            for frame in given.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    return np.concatenate(parts)


def faster(sound: Any, speed: float) -> Any:
    """Return the sound as a record player at another speed gives it: pitch and tempo together."""
    at = np.arange(0, len(sound) - 1, speed)
    return np.interp(at, np.arange(len(sound)), sound).astype(np.float32)


def write_sound(sound: Any, path: Path) -> None:
    """Write a sound as MP3."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libmp3lame", RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound[None, :], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
        for packet in (*stream.encode(frame), *stream.encode()):
            made.mux(packet)


def quoting(text: str) -> str:
    """Return a text of ours that quotes some ninety words from the middle of ``text``."""
    words = text.split()
    middle = len(words) // 2
    passage = " ".join(words[middle : middle + 90])
    return (
        "A reader writes about what was found on a shelf last week, and asks whether it may be\n"
        f"learned from. This is the passage in question:\n\n    {passage}\n\n"
        "Nobody in our small office had seen it before, and so we went looking for its owner.\n"
    )


if __name__ == "__main__":
    make_copies(Path(sys.argv[1]), Path(sys.argv[2]))
