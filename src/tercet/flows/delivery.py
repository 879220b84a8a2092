"""From an engine's frames to what is handed over: video, Content Credentials, credits, stills.

The video's own name appears last: where it stands, everything beside it is whole.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError
from tercet.core.ids import sha256_hex
from tercet.credit.content_credentials import (
    EMBEDDING_TYPES,
    Signatory,
    TrainingMining,
    manifest_definition,
    sign,
)
from tercet.credit.credits_file import credits_bytes, credits_document
from tercet.credit.making import Making, Source, prompt_commitment
from tercet.store.certificates import credentials_identity, utc_now
from tercet.store.files import write_atomically
from tercet.store.keys import SigningKey, default_key_path, load_or_make_key
from tercet.studio.engines.engine import Engine, Frame, Order, Origin, Picture, Report, Rights
from tercet.studio.media.decode import coded_sha256
from tercet.studio.media.encode import Container, Encoded, encode
from tercet.studio.media.sprite_sheet import SpriteSheet
from tercet.studio.media.thumbnail import TellingPicture
from tercet.studio.media.whole_file import storage_error, workplace, written_whole

_SOURCES = {Origin.GENERATED: Source.GENERATED, Origin.COMPOSED: Source.COMPOSED}
_SALT_PURPOSE = b"tercet prompt commitment 1\n"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The files of one video. ``manifest`` is None where the video carries its own."""

    video: Path
    credits: Path
    thumbnail: Path
    sprite_sheet: Path
    manifest: Path | None
    encoded: Encoded
    coded_sha256: str
    credits_sha256: str


def credits_path(video: Path) -> Path:
    """Return where the credits of a video lie: beside it."""
    return video.with_suffix(".credits.json")


def thumbnail_path(video: Path) -> Path:
    """Return where the thumbnail of a video lies."""
    return video.with_suffix(".thumbnail.webp")


def sprite_sheet_path(video: Path) -> Path:
    """Return where the sprite sheet of a video lies."""
    return video.with_suffix(".sprites.jpg")


def manifest_path(video: Path) -> Path:
    """Return where the credentials of a video lie that cannot carry them: beside it."""
    return video.with_suffix(".c2pa")


def deliver(
    engine: Engine,
    order: Order,
    out: Path,
    *,
    prompt: str,
    report: Report,
    webm: bool = False,
    training_mining: TrainingMining | None = None,
    key_path: Path | None = None,
    now: datetime | None = None,
) -> Delivered:
    """Have ``engine`` make the ordered video, and write it to ``out`` with all that belongs to it.

    ``prompt`` is what was asked for, in whole; only a salted hash of it is written. The key in
    ``key_path`` signs (the operator's own by default). ``now`` is the time the credentials name.

    Raises StorageError when a disk is full, IntegrityError when the engine's credits do not add
    up, what the engine raises (StoppedError too); then nothing stands under the name ``out``.
    """
    now, key_path = now or utc_now(), key_path or default_key_path()
    container = Container.WEBM if webm else Container.MP4
    seen = _Seen(order.frame_count)
    with workplace(out) as work:
        encoded = encode(
            seen.pictures(engine.frames(order, report)),
            work / "coded",
            frames_per_second=order.frames_per_second,
            container=container,
        )
        key = load_or_make_key(key_path)
        making = _making(engine, order, encoded, prompt, key)
        credits_raw = _credits(engine, making, seen.pixels_by_work, key)
        definition = manifest_definition(
            making,
            title=out.name,
            media_type=container.media_type,
            credits_sha256=sha256_hex(credits_raw),
            training_mining=training_mining or TrainingMining(),
            created_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        identity = credentials_identity(key_path, now)
        signatory = Signatory(identity.chain_pem, identity.key_pem, identity.algorithm)
        _beside(out, credits_raw, seen)
        _sign(encoded.path, out, definition, signatory)
    own = container.media_type in EMBEDDING_TYPES
    return Delivered(
        out, credits_path(out), thumbnail_path(out), sprite_sheet_path(out),
        None if own else manifest_path(out), replace(encoded, path=out), making.coded_sha256, sha256_hex(credits_raw),
    )  # fmt: skip


class _Seen:
    """What is gathered from the frames while they pass on their way to the encoder."""

    def __init__(self, frame_count: int) -> None:
        self.telling, self.sprites = TellingPicture(), SpriteSheet(frame_count)
        self.pixels_by_work: Counter[str] = Counter()

    def pictures(self, frames: Iterable[Frame]) -> Iterator[Picture]:
        for frame in frames:
            self.pixels_by_work.update(frame.pixels_by_work)
            self.telling.see(frame.picture)
            self.sprites.see(frame.picture)
            yield frame.picture


def prompt_salt(key: SigningKey, coded_digest: str) -> bytes:
    """Return the salt of a video's prompt: the operator can make it anew, nobody else can."""
    secret = key.private.private_bytes_raw()
    return hmac.digest(secret, _SALT_PURPOSE + coded_digest.encode(), "sha256")


def _making(engine: Engine, order: Order, encoded: Encoded, prompt: str, key: SigningKey) -> Making:
    said, coded_digest = engine.provenance(), coded_sha256(encoded.path)
    return Making(
        engine=engine.name,
        rights=engine.rights.value,
        source=_SOURCES[engine.origin],
        model=said.get("model", ""),
        checkpoint_sha256=said.get("checkpoint_sha256", ""),
        training_record_sha256=said.get("training_record_sha256", ""),
        prompt_commitment=prompt_commitment(prompt, prompt_salt(key, coded_digest)),
        seed=order.seed,
        width_px=encoded.width_px,
        height_px=encoded.height_px,
        frame_count=encoded.frame_count,
        frames_per_second=encoded.frames_per_second,
        coded_sha256=coded_digest,
    )


def _credits(engine: Engine, making: Making, pixels: Counter[str], key: SigningKey) -> bytes:
    """Return the signed credits as a file. Cleared works are claimed only with what shows it."""
    listed = engine.credits(pixels)
    generated = making.source is Source.GENERATED
    shown = listed and (making.training_record_sha256 or not generated)
    if engine.rights is Rights.CLEARED and not shown:
        missing = "its training record" if listed else "a single work"
        raise IntegrityError(
            f"the engine {engine.name} says {engine.rights.value}, and does not name {missing}",
            hint="a model keeps its training record beside its weights: bring it back",
        )
    document = credits_document(making, listed)
    return credits_bytes(document | {"signature": key.signature(canonical_json(document))})


def _beside(out: Path, credits_raw: bytes, seen: _Seen) -> None:
    """Write what lies beside the video."""
    files = {
        credits_path(out): credits_raw,
        thumbnail_path(out): seen.telling.file_bytes(),
        sprite_sheet_path(out): seen.sprites.file_bytes(),
    }
    for path, raw in files.items():
        try:
            write_atomically(path, raw)
        except OSError as error:
            raise storage_error(path, error) from error


def _sign(coded: Path, out: Path, definition: dict[str, object], signatory: Signatory) -> None:
    try:
        with written_whole(out) as part, coded.open("rb") as source, part.open("w+b") as signed:
            manifest = sign(source, signed, definition, signatory)
            if definition["format"] not in EMBEDDING_TYPES:
                write_atomically(manifest_path(out), manifest)
    except OSError as error:
        raise storage_error(out, error) from error
