"""What is said of the making of one video: its Content Credentials and its credits agree on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from tercet.core.errors import InputError

SEED_MAX = 2**53 - 1  # what JSON numbers carry exactly
_SALT_BYTES_MIN = 16
_NEWSCODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_DIGESTS = (
    "checkpoint_sha256",
    "training_record_sha256",
    "works_sha256",
    "clearance_sha256",
    "prompt_commitment",
)
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Source(StrEnum):
    """How the pictures came to be: terms of IPTC's Digital Source Type NewsCodes."""

    GENERATED = "trainedAlgorithmicMedia"
    COMPOSED = "compositeSynthetic"

    @property
    def uri(self) -> str:
        """The term as C2PA writes it."""
        return _NEWSCODES + self.value


@dataclass(frozen=True, slots=True)
class Making:
    """How one video was made.

    ``rights`` says what is known of the works behind it, in the words that stand on the video.
    ``model`` and the digests are empty where there is none: a composed video has no checkpoint.
    ``prompt_commitment`` comes from `prompt_commitment`; ``coded_sha256`` holds, for each kind of
    file ("mp4", "webm"), the digest of the coded pictures: it stays when credentials are stripped.
    ``works_sha256`` and ``clearance_sha256`` name the pack of works that a video was composed
    from, and the clearance they passed by.
    """

    engine: str
    rights: str
    source: Source
    model: str
    checkpoint_sha256: str
    training_record_sha256: str
    prompt_commitment: str
    seed: int
    width_px: int
    height_px: int
    frame_count: int
    frames_per_second: int
    coded_sha256: Mapping[str, str]
    works_sha256: str = ""
    clearance_sha256: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= SEED_MAX:
            raise InputError(f"expected a seed of 0 to {SEED_MAX}, got {self.seed}")
        if not (self.engine and self.rights):
            raise InputError("expected the engine's name and what is known of the rights")
        for name in _DIGESTS:
            _check_digest(name, getattr(self, name))
        for name, digest in self.coded_sha256.items():
            _check_digest(name, digest)
        if not self.coded_sha256 or not all(self.coded_sha256.values()):
            raise InputError("expected the SHA-256 of the coded pictures")

    def document(self) -> dict[str, object]:
        """Return it as the fields that credentials and credits carry."""
        return {
            "engine": self.engine,
            "rights": self.rights,
            "digital_source_type": self.source.value,
            "model": self.model,
            "checkpoint_sha256": self.checkpoint_sha256,
            "training_record_sha256": self.training_record_sha256,
            "works_sha256": self.works_sha256,
            "clearance_sha256": self.clearance_sha256,
            "prompt_commitment": self.prompt_commitment,
            "seed": self.seed,
            "video": {
                "coded_sha256": dict(self.coded_sha256),
                "width_px": self.width_px,
                "height_px": self.height_px,
                "frame_count": self.frame_count,
                "frames_per_second": self.frames_per_second,
            },
        }


def prompt_commitment(prompt: str, salt: bytes) -> str:
    """Return SHA-256(salt || prompt in UTF-8) as hex digits.

    A prompt is short and can be guessed, so a bare hash would give it away. Who keeps the salt
    can show later that this was the prompt, by giving both. Raises InputError for a short salt.
    """
    if len(salt) < _SALT_BYTES_MIN:
        raise InputError(f"expected a salt of {_SALT_BYTES_MIN} bytes or more, got {len(salt)}")
    return sha256(salt + prompt.encode("utf-8", "surrogatepass")).hexdigest()


def _check_digest(name: str, value: str) -> None:
    if value and not _DIGEST.match(value):
        raise InputError(f"expected {name} to be 64 hex digits or empty, got {value[:80]!r}")
