"""Throw damaged media files at identification: no row may be lost, and none may hang.

    python fuzz/fingerprints.py --inputs 10000 --seed 1

Starts from small pictures, videos, recordings and documents of every kind that can be written
here, and from the installed iscc-samples, and damages them: flipped bits, cuts, pieces of one in
another, numbers in headers that lie, wrong extensions. Every file goes the way of a corpus's: a
file on disk, decoded in a guarded child, and compared with a registry in which the undamaged ones
are registered. A child that dies or runs out of time costs its file and is told; a file without a
result, or a run that stops, is an error.
"""

from __future__ import annotations

import random
import runpy
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from campaign import damaged, options

from tercet.flows.fingerprinting import MediaPlace, fingerprint_file
from tercet.flows.match import ItemMatches, match_places

ROOT = Path(__file__).resolve().parent.parent
SEED_BYTES_MAX = 96 * 1024
WORDS = (
    b"moov", b"trak", b"stsz", b"stts", b"stco", b"mdat", b"ftyp", b"avcC", b"\x1a\x45\xdf\xa3",
    b"OggS", b"RIFF", b"LIST", b"movi", b"idx1", b"fmt ", b"data", b"IHDR", b"IDAT", b"acTL",
    b"fcTL", b"fdAT", b"IEND", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"GIF89a", b"!\xff\x0b",
    b"\xff\xd8", b"\xff\xc2", b"\xff\xda", b"\xff\xd9", b"ID3", b"fLaC", b"PK\x03\x04",
    b"PK\x01\x02", b"%PDF-1.7", b"stream", b"endstream", b"/FlateDecode", b"/Kids", b"/Contents",
    b"<<", b">>", b"<html", b"<svg", b"#EXTM3U\n", b"ffconcat version 1.0\n", b"v=0\r\n", b"<MPD",
)  # fmt: skip
EXTENSIONS = ("jpg", "png", "gif", "webp", "tif", "mp4", "mkv", "avi", "mp3", "wav", "ogg", "flac",
              "txt", "html", "pdf", "epub", "m3u8", "svg", "")  # fmt: skip
LIES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 100_000)


def main() -> None:
    chosen = options(__doc__)
    seeds = {**made(), **samples(chosen.files)}
    names = sorted(name for name in seeds if chosen.only in name)
    print(f"seed {chosen.seed}, {len(names)} files to start from, {chosen.inputs} inputs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{registered(seeds, names, folder)} of them registered", flush=True)
        tally = Tally(chosen.keep, time.perf_counter())
        places = inputs(seeds, names, folder, chosen.seed, chosen.inputs)
        for found in match_places(places, folder / "registry", workers=1):
            tally.take(found)
            Path(found.place.path).unlink()
    tally.tell()
    if tally.count != chosen.inputs:
        print(f"lost: {chosen.inputs - tally.count} of {chosen.inputs} inputs have no result")
        sys.exit(1)


def registered(seeds: dict[str, bytes], names: list[str], folder: Path) -> int:
    """Register what can be decoded of the files to start from; return how many could."""
    sys.path.insert(0, str(ROOT / "tests" / "flows"))
    from registered import register

    count = 0
    for name in names:
        path = folder / name
        path.write_bytes(seeds[name])
        media = fingerprint_file(str(path), 0, len(seeds[name]), name)
        if media.medium is not None and any(not each.unfit for each in media.fingerprints):
            count += bool(register(folder, path).number)
    return count


def inputs(
    seeds: dict[str, bytes], names: list[str], folder: Path, seed: int, count: int
) -> Iterator[MediaPlace]:
    """Yield damaged files one after the other, the first ones as they are."""
    everything = [seeds[name] for name in names]
    for number in range(count):
        chance = random.Random(f"{seed}:{number}")
        name = names[number] if number < len(names) else chance.choice(names)
        raw = seeds[name] if number < len(names) else worse(chance, seeds[name], everything)
        extension = chance.choice(EXTENSIONS) if chance.random() < 0.3 else name.rpartition(".")[2]
        path = folder / f"{number}.{extension}"
        path.write_bytes(raw)
        yield MediaPlace(str(path), 0, len(raw), f"{number} from {name} as .{extension}")


def worse(chance: random.Random, raw: bytes, others: list[bytes]) -> bytes:
    """Return ``raw`` with a few lies in it."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        changed = bytearray(raw)
        at = (
            chance.randrange(len(changed) + 1)
            if chance.random() < 0.5
            else chance.randrange(min(len(changed), 400) + 1)
        )
        match chance.randrange(6):
            case 0:
                for _ in range(chance.choice((1, 8, 200))):
                    if changed:
                        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                size = chance.choice((16, 400, 8_000, 50_000))
                changed[at : at + size] = other[start : start + size]
            case 3:
                number = struct.pack(chance.choice(("<I", ">I", "<H", ">H", ">Q")),
                                     chance.choice(LIES) & 0xFFFF)  # fmt: skip
                changed[at : at + len(number)] = number
            case 4:
                changed[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(LIES))
            case _:
                changed[:] = damaged(chance, [raw], WORDS)
        raw = bytes(changed)
    return raw


class Tally:
    """What became of the inputs; those that ended a child are kept."""

    def __init__(self, keep: Path, started: float) -> None:
        self.keep, self.last = keep, started
        self.started = started
        self.count, self.slowest, self.slowest_name = 0, 0.0, ""
        self.outcomes: Counter[str] = Counter()
        self.casualties: list[str] = []

    def take(self, found: ItemMatches) -> None:
        place = found.place
        now = time.perf_counter()
        if now - self.last > self.slowest:
            self.slowest, self.slowest_name = now - self.last, place.name
        self.last = now
        self.count += 1
        ended = found.medium is None and not found.sha256
        kind = "looked at, a work found" if found.found else "looked at"
        if ended or found.problem:
            kind = "a child ended" if ended else "a problem"
        if "could not be compared" in found.problem:
            self.keep_input(place, found.problem)
        self.outcomes[f"{found.medium or 'unknown'}: {kind}"] += 1
        if ended:
            self.keep_input(place, found.problem)
        if self.count % 500 == 0:
            print(f"{self.count} after {now - self.started:.0f} s", flush=True)

    def keep_input(self, place: MediaPlace, problem: str) -> None:
        kept = self.keep / f"fuzz-fingerprints-{place.name.replace(' ', '-')}"
        kept.write_bytes(Path(place.path).read_bytes())
        self.casualties.append(f"{place.name}: {problem}")

    def tell(self) -> None:
        print(f"{self.count} inputs in {time.perf_counter() - self.started:.0f} s; "
              f"slowest {self.slowest:.1f} s: {self.slowest_name}")  # fmt: skip
        for name, count in sorted(self.outcomes.items()):
            print(f"  {count:6} {name}")
        for casualty in self.casualties:
            print(f"  {casualty}")


# ---- what it starts from --------------------------------------------------------------------


def samples(files: Path | None) -> dict[str, bytes]:
    """Return the heads of the installed samples, and of the files given."""
    import iscc_samples

    folders = [Path(iscc_samples.__file__).parent / "files", *([files] if files else [])]
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {f"{path.parent.name}-{path.name}": path.read_bytes()[:SEED_BYTES_MAX] for path in paths}


def made() -> dict[str, bytes]:
    """Return small media of every kind that can be written here."""
    import cv2

    media = runpy.run_path(str(ROOT / "tests" / "flows" / "small_media.py"))
    picture = media["moving"](1)[0]
    found: dict[str, bytes] = {}
    for kind in ("jpg", "png", "webp", "tiff", "bmp", "gif", "jp2", "avif", "ppm", "hdr", "exr"):
        shown = picture.astype(np.float32) / 255 if kind in ("hdr", "exr") else picture
        try:
            done, raw = cv2.imencode(f".{kind}", shown)
        except cv2.error:
            continue  # this build writes fewer kinds
        if done:
            found[f"made.{kind}"] = raw.tobytes()
    done, raw = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    found["progressive.jpg"] = raw.tobytes()
    for name, codec, sound in (
        ("mp4", "libx264", "aac"), ("matroska", "libvpx-vp9", "libopus"), ("avi", "mpeg4", "mp2"),
        ("mpeg", "mpeg1video", "mp2"), ("flv", "flv1", "aac"), ("ogg", "libtheora", "libvorbis"),
        ("gif", "gif", ""), ("apng", "apng", ""), ("webm", "libvpx", "libvorbis"),
        ("mov", "mjpeg", "pcm_s16le"), ("mpegts", "mpeg2video", "mp2"),
    ):  # fmt: skip
        if raw := media["film"](name, codec, sound):
            found[f"film.{name}"] = raw
    for name, sound in (("mp3", "libmp3lame"), ("flac", "flac"), ("wav", "pcm_s16le"),
                        ("ogg", "libvorbis"), ("ipod", "aac"), ("adts", "aac")):  # fmt: skip
        if raw := media["film"](name, "", sound, seconds=3):
            found[f"sound.{name}"] = raw
    hostile = runpy.run_path(str(ROOT / "tests" / "flows" / "hostile_media.py"))
    found["page.pdf"] = hostile["page_of"](
        hostile["stream"](
            zlib.compress(b"BT /F1 12 Tf (" + b"These are the words of a page. " * 20 + b") Tj ET")
        )
    )
    found["book.epub"] = hostile["epub"](
        {
            "META-INF/container.xml": hostile["CONTAINER"],
            "a.opf": hostile["opf"](["a.xhtml"]),
            "a.xhtml": b"<html><body><p>"
            + b"These are the words of a chapter. " * 40
            + b"</p></body></html>",
        }
    )
    found["page.html"] = b"<!doctype html><title>t</title><p>" + b"Words of a page, and more. " * 40
    found["words.srt"] = b"1\n00:00:01,000 --> 00:00:03,000\nWhat is said in a film.\n\n" * 30
    return found


if __name__ == "__main__":
    main()
