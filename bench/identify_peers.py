"""The other tools that bench/identify.py runs beside Tercet, each at its recommended threshold."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from bench.identify_av import RATE, decoded
from bench.identify_trials import Peer

Array = np.ndarray[Any, np.dtype[Any]]


def image_peers() -> tuple[Peer, ...]:
    """PDQ at 31 bits, pHash, and the ISCC image code at ISCC search's 0.75."""
    return (
        Peer("PDQ", _pdq, _near, 256 - 31),
        Peer("pHash 64", _phash(8), _near, 64 - 10),
        Peer("pHash 256", _phash(16), _near, 256 - 31),
        Peer("ISCC 64", _iscc_image(64), _near, 64 - 16),
        Peer("ISCC 256", _iscc_image(256), _near, 256 - 64),
    )


def _near(code: Array, stored: Sequence[Array]) -> Array:
    """Return how many bits agree with each stored code."""
    if not len(stored):
        return np.zeros(0)
    differ = np.bitwise_count(np.stack(stored) ^ code).sum(axis=1, dtype=np.int64)
    return 8.0 * len(code) - differ


def _picture(item: bytes) -> Array:
    return cv2.imdecode(np.frombuffer(item, np.uint8), cv2.IMREAD_COLOR)


def _pdq(item: bytes) -> Array:
    return _pdq_of(_picture(item), 512)[0]


def _pdq_of(picture: Array, side: int) -> tuple[Array, int]:
    import pdqhash

    scale = min(1.0, side / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    vector, quality = pdqhash.compute(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
    return np.packbits(np.asarray(vector, np.uint8)), int(quality)


def _phash(size: int) -> Callable[[bytes], Array]:
    def code(item: bytes) -> Array:
        import imagehash
        from PIL import Image

        with Image.open(io.BytesIO(item)) as picture:
            return np.packbits(imagehash.phash(picture, hash_size=size).hash)

    return code


def _iscc_image(bits: int) -> Callable[[bytes], Array]:
    def code(item: bytes) -> Array:
        import iscc_lib
        from PIL import Image, ImageChops

        with Image.open(io.BytesIO(item)) as opened:
            picture = opened.convert("RGB")
        ground = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
        box = ImageChops.difference(picture, ground).getbbox()  # as iscc-sdk trims borders
        small = (picture.crop(box) if box else picture).convert("L").resize((32, 32), 3)
        return _iscc_bits(iscc_lib.gen_image_code_v0(small.tobytes(), bits)["iscc"])

    return code


def _iscc_bits(iscc: str) -> Array:
    """Return the body of an ISCC unit: what follows the two octets of its header."""
    import base64

    text = iscc.removeprefix("ISCC:")
    return np.frombuffer(base64.b32decode(text + "=" * (-len(text) % 8))[2:], np.uint8)


def video_peers() -> tuple[Peer, ...]:
    """PDQ of frames as in vPDQ (a fifth of the frames), and the MPEG-7 signature of ffmpeg."""
    frames = Peer("frame PDQ", _frame_codes, _frames_near, 0.2)
    mpeg7 = Peer("MPEG-7", lambda item: item, _mpeg7, 1.0, originals_max=8, others_max=1)
    return (frames, mpeg7) if shutil.which("ffmpeg") else (frames,)


def _frame_codes(item: bytes) -> Array:
    """Return the PDQ codes of two frames a second, of good quality, at 256 px."""
    import av

    codes, wanted = [], 0.0
    with av.open(io.BytesIO(item)) as opened:
        for frame in opened.decode(video=0):
            if float(frame.time or 0.0) >= wanted:
                wanted += 0.5
                code, quality = _pdq_of(frame.to_ndarray(format="bgr24"), 256)
                codes += [code] if quality >= 50 else []
    return np.array(codes, np.uint8).reshape(-1, 32)


def _frames_near(codes: Array, stored: Sequence[Array]) -> Array:
    """Return for each stored video the share of frames that stand in it (31 bits)."""
    values = np.zeros(len(stored))
    for at, other in enumerate(stored):
        if len(codes) and len(other):
            differ = np.bitwise_count(codes[:, None] ^ other[None]).sum(axis=2, dtype=np.int64)
            values[at] = (differ.min(axis=1) <= 31).mean()
    return values


def _mpeg7(item: bytes, stored: Sequence[bytes]) -> Array:
    """Return the matching frames that ffmpeg's signature filter reports for each pair."""
    values = np.zeros(len(stored))
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "a.mp4"), Path(folder, "b.mp4")
        first.write_bytes(item)
        for at, other in enumerate(stored):
            second.write_bytes(other)
            done = subprocess.run(
                ["ffmpeg", "-nostdin", "-hide_banner", "-threads", "1", "-i", str(first),
                 "-i", str(second), "-filter_complex",
                 "[0:v][1:v]signature=nb_inputs=2:detectmode=full[out]", "-map", "[out]",
                 "-f", "null", "-"],
                capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
            found = re.findall(r"(\d+) frames matching", done.stderr)
            values[at] = max(map(int, found), default=0)
    return values


def audio_peers() -> tuple[Peer, ...]:
    """Chromaprint, the best sliding bit error rate; below 0.25 it says yes."""
    import ctypes.util

    if not ctypes.util.find_library("chromaprint"):
        return ()
    return (Peer("Chromaprint", _chromaprint, _alike, 0.75, others_max=12),)


def _chromaprint(item: bytes) -> Array:
    import chromaprint

    samples = np.clip(decoded(item) * 32767, -32768, 32767).astype(np.int16)
    printer = chromaprint.Fingerprinter()
    printer.start(RATE, 1)
    printer.feed(samples.tobytes())
    raw, _ = chromaprint.decode_fingerprint(printer.finish())
    return np.array(raw, np.int64).astype(np.uint32)


def _alike(code: Array, stored: Sequence[Array]) -> Array:
    """Return for each stored print the largest share of equal bits at any offset.

    At least the half of the shorter print lies over the other, 25 words (3 s) or more if it has.
    """
    values = np.zeros(len(stored))
    for at, other in enumerate(stored):
        short, long = sorted((code, other), key=len)
        least = max(len(short) // 2, min(25, len(short)))
        for shift in range(least - len(short), len(long) - least + 1) if len(short) else ():
            start, stop = max(0, shift), min(len(long), shift + len(short))
            differ = np.bitwise_count(long[start:stop] ^ short[start - shift : stop - shift])
            values[at] = max(values[at], 1 - differ.mean() / 32)
    return values


def text_peers() -> tuple[Peer, ...]:
    """Datasketch's MinHash (128 values of 5-grams) at 0.5, the ISCC text code at 0.75."""
    return (
        Peer("MinHash", _minhash, _minhash_alike, 0.5),
        Peer("ISCC text 256", _iscc_text, _near, 256 - 64),
    )


def _minhash(item: str) -> Array:
    from datasketch import MinHash

    words = re.findall(r"\w+", item.lower())
    dense = sum(len(word) for word in words) > 12 * max(1, len(words))
    parts = list("".join(words)) if dense else words  # scripts without spaces: characters
    made = MinHash(num_perm=128)
    made.update_batch(
        [" ".join(parts[at : at + 5]).encode() for at in range(max(1, len(parts) - 4))]
    )
    return np.asarray(made.hashvalues)


def _minhash_alike(code: Array, stored: Sequence[Array]) -> Array:
    return (np.stack(stored) == code).mean(axis=1) if len(stored) else np.zeros(0)


def _iscc_text(item: str) -> Array:
    import iscc_lib

    return _iscc_bits(iscc_lib.gen_text_code_v0(item, 256)["iscc"])
