"""The batch chain: a committed, replayable account of everything a training run was shown.

Each step's batch is hashed, and the hashes are chained: h(n) = SHA-256(h(n-1) || batch(n)), from
h(0), the digest of the plan, which was signed before the first step. So nobody can leave out,
add, change or reorder a batch afterwards and keep the last link; and whoever has the works can
make every batch again from the plan and compare.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError
from tercet.core.ids import sha256_hex

HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """What one sample of a batch was: all that is needed to tell it from any other.

    ``source`` is what it was made from (a recipe's index, a clip's window), ``caption`` and
    ``pixels`` are SHA-256 of its caption (UTF-8) and of its pixels, ``works`` the SHA-256 of
    every work in it, in their order.
    """

    index: int
    source: str
    caption: str
    works: tuple[str, ...]
    pixels: str

    @classmethod
    def of(
        cls,
        index: int,
        source: str,
        caption: str,
        works: tuple[str, ...],
        pixels: NDArray[np.uint8],
    ) -> SampleRecord:
        """Return the record of a sample: its caption and pixels are hashed."""
        shape = ",".join(str(size) for size in pixels.shape).encode()
        digest = hashlib.sha256(shape + b"\n")
        digest.update(np.ascontiguousarray(pixels).data)
        return cls(index, source, sha256_hex(caption.encode()), works, digest.hexdigest())

    def document(self) -> dict[str, object]:
        """Return the record as canonical JSON takes it."""
        return {
            "index": self.index,
            "source": self.source,
            "caption_sha256": self.caption,
            "works": list(self.works),
            "pixels_sha256": self.pixels,
        }


def batch_hash(step: int, samples: Sequence[SampleRecord]) -> bytes:
    """Return the SHA-256 of a step's batch: of its canonical JSON. Steps count from 1."""
    document = {
        "type": "tercet/batch@1",
        "step": step,
        "samples": [sample.document() for sample in samples],
    }
    return hashlib.sha256(canonical_json(document)).digest()


def next_link(link: bytes, batch: bytes) -> bytes:
    """Return h(n) from h(n-1) and the hash of batch n."""
    return hashlib.sha256(link + batch).digest()


def chain_end(start: bytes, batches: Iterable[bytes]) -> bytes:
    """Return the last link of a chain over ``batches``."""
    link = start
    for batch in batches:
        link = next_link(link, batch)
    return link


def parse_batches(raw: bytes) -> list[bytes]:
    """Return the batch hashes in a chain file: one line of 64 hex digits a step, from step 1.

    Raises IntegrityError for a line that is no hash; a last line without its end is one.
    """
    lines = raw.split(b"\n")
    if lines.pop() != b"":
        raise IntegrityError(f"line {len(lines) + 1} of the batch chain is cut off")
    hashes = []
    for number, line in enumerate(lines, 1):
        try:
            value = bytes.fromhex(line.decode("ascii"))
        except ValueError:
            value = b""
        if len(value) != HASH_BYTES or value.hex().encode() != line:
            raise IntegrityError(f"line {number} of the batch chain is no SHA-256: {line[:80]!r}")
        hashes.append(value)
    return hashes
