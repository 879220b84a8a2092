"""A video that was encoded gets its Content Credentials and its signed credits."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from tercet.core.canonical import canonical_json
from tercet.core.credit import Credit
from tercet.core.errors import InputError, IntegrityError, UncheckedError
from tercet.core.ids import sha256_hex
from tercet.credit.content_credentials import (
    EMBEDDING_TYPES,
    Signatory,
    TrainingMining,
    Use,
    manifest_definition,
    sign,
)
from tercet.credit.credentials_reading import State, read_credentials
from tercet.credit.credits_file import credits_bytes, credits_document
from tercet.credit.making import Making, Source, prompt_commitment
from tercet.store.certificates import credentials_identity, utc_now
from tercet.store.files import write_atomically
from tercet.store.keys import SigningKey, default_key_path, load_or_make_key
from tercet.studio.engines.engine import Engine, Order, Origin, Rights
from tercet.studio.media.decode import coded_sha256
from tercet.studio.media.encode import Container, Encoded
from tercet.studio.media.whole_file import storage_error, written_whole

CREDITS_SUFFIX, MANIFEST_SUFFIX = ".credits.json", ".c2pa"
_SOURCES = {Origin.GENERATED: Source.GENERATED, Origin.COMPOSED: Source.COMPOSED}
MINING_VARIABLE, TERMS_VARIABLE = "TERCET_TRAINING_MINING", "TERCET_TRAINING_MINING_TERMS"
_MINING_FIELDS = {
    "ai_generative_training": "generative_training",
    "ai_inference": "inference",
    "ai_training": "training",
    "data_mining": "data_mining",
}
_SALT_PURPOSE = b"tercet prompt commitment 1\n"


@dataclass(frozen=True, slots=True)
class Attached:
    """What was written: ``files`` are the credits, and manifests that videos cannot carry."""

    making: Making
    credits_sha256: str
    files: tuple[Path, ...]


def credits_path(video: Path) -> Path:
    """Return where the credits of a video lie: beside it."""
    return video.with_suffix(CREDITS_SUFFIX)


def manifest_path(video: Path) -> Path:
    """Return where the credentials of a video lie that cannot carry them: beside it."""
    return video.with_suffix(MANIFEST_SUFFIX)


def attach_credentials(
    videos: Sequence[Encoded],
    *,
    engine: Engine,
    order: Order,
    credited: Sequence[Credit],
    prompt: str,
    title: str = "",
    training_mining: TrainingMining | None = None,
    key_path: Path | None = None,
    now: datetime | None = None,
) -> Attached:
    """Sign ``videos`` in place, codings of one making, and write their credits beside them.

    MP4 carries its credentials; those of WebM lie beside it. ``prompt`` is what was asked for, in
    whole: only a salted hash of it is written. ``title`` is the file's name by default;
    ``training_mining`` what the operator set (`training_mining_setting`). The key in
    ``key_path`` signs, the operator's own by default. ``now`` is the time that is named.

    Raises IntegrityError when the credits do not add up, or claim more than they show; StorageError
    when the disk is full; InputError for a key or certificate that will not do. A video is then
    whole, signed or not: call this before it gets its final name.
    """
    if not videos:
        raise InputError("expected at least one video to sign, got none")
    now, key_path = now or utc_now(), key_path or default_key_path()
    mining = training_mining or training_mining_setting(os.environ)
    key = load_or_make_key(key_path)
    making = _making(engine, order, videos, prompt, key)
    credits_raw = _credits(engine, making, credited, key)
    identity = credentials_identity(key_path, now)
    signatory = Signatory(identity.chain_pem, identity.key_pem, identity.algorithm)
    files = [credits_path(videos[0].path)]
    _write(files[0], credits_raw)
    for video in videos:
        definition = manifest_definition(
            making,
            title=title or video.path.name,
            media_type=_container(video.path).media_type,
            credits_sha256=sha256_hex(credits_raw),
            training_mining=mining,
            created_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        files += _sign(video.path, definition, signatory)
    return Attached(making, sha256_hex(credits_raw), tuple(files))


def training_mining_setting(environment: Mapping[str, str]) -> TrainingMining:
    """Return what the operator lets others do with videos, as ``TERCET_TRAINING_MINING`` says it.

    One word for every use (``allowed``, ``notAllowed``, ``constrained``), or a list of uses with
    theirs: ``data_mining=allowed, ai_training=constrained``; what is not listed is not allowed.
    ``TERCET_TRAINING_MINING_TERMS`` says under which terms. Raises InputError for anything else.
    """
    said = environment.get(MINING_VARIABLE, "").strip() or Use.NOT_ALLOWED.value
    entries = said.split(",") if "=" in said else [f"{name}={said}" for name in _MINING_FIELDS]
    values: dict[str, Use] = {}
    for entry in entries:
        name, _, use = (part.strip() for part in entry.partition("="))
        if name not in _MINING_FIELDS or use not in set(Use) or name in values:
            raise InputError(
                f"expected uses of {MINING_VARIABLE} like ai_training=allowed, got {entry[:80]!r}",
                hint=f"uses: {', '.join(_MINING_FIELDS)}; each {', '.join(Use)}",
            )
        values[name] = Use(use)
    fields = {_MINING_FIELDS[name]: use for name, use in values.items()}
    return TrainingMining(**fields, constraint=environment.get(TERMS_VARIABLE, "").strip())


def prompt_salt(key: SigningKey, coded: dict[str, str]) -> bytes:
    """Return the salt of a video's prompt: the operator can make it anew, nobody else can."""
    secret = key.private.private_bytes_raw()
    return hmac.digest(secret, _SALT_PURPOSE + canonical_json(coded), "sha256")


def _container(path: Path) -> Container:
    try:
        return Container(path.suffix.lower().removeprefix("."))
    except ValueError:
        raise InputError(f"expected a name that ends in .mp4 or .webm, got {path}") from None


def _making(
    engine: Engine, order: Order, videos: Sequence[Encoded], prompt: str, key: SigningKey
) -> Making:
    said = engine.provenance()
    coded = {_container(video.path).value: coded_sha256(video.path) for video in videos}
    return Making(
        engine=engine.name,
        rights=engine.rights.value,
        source=_SOURCES[engine.origin],
        model=said.get("model", ""),
        checkpoint_sha256=said.get("checkpoint_sha256", ""),
        training_record_sha256=said.get("training_record_sha256", ""),
        works_sha256=said.get("works_sha256", ""),
        clearance_sha256=said.get("clearance_sha256", ""),
        prompt_commitment=prompt_commitment(prompt, prompt_salt(key, coded)),
        seed=order.seed,
        width_px=videos[0].width_px,
        height_px=videos[0].height_px,
        frame_count=videos[0].frame_count,
        frames_per_second=videos[0].frames_per_second,
        coded_sha256=coded,
    )


def _credits(engine: Engine, making: Making, credited: Sequence[Credit], key: SigningKey) -> bytes:
    """Return the signed credits as a file. Cleared works are claimed only with what shows it."""
    generated = making.source is Source.GENERATED
    proof = making.training_record_sha256 if generated else making.clearance_sha256
    if engine.rights is Rights.CLEARED and not (credited and proof):
        needed = "its training record" if generated else "the clearance of its works"
        missing = needed if credited else "a single work"
        raise IntegrityError(
            f"the engine {engine.name} says {engine.rights.value}, and does not name {missing}",
            hint="that lies beside the model or the works: bring it back",
        )
    document = credits_document(making, credited)
    return credits_bytes(document | {"signature": key.signature(canonical_json(document))})


def _sign(video: Path, definition: dict[str, Any], signatory: Signatory) -> list[Path]:
    """Sign one video in place, read it back, and return what lies beside it for that."""
    if definition["format"] not in EMBEDDING_TYPES:
        with video.open("rb") as source, open(os.devnull, "w+b") as nowhere:
            manifest = sign(source, nowhere, definition, signatory)
            _require_whole(source, definition["format"], manifest)
        _write(manifest_path(video), manifest)
        return [manifest_path(video)]
    with written_whole(video) as part, video.open("rb") as source, part.open("w+b") as signed:
        sign(source, signed, definition, signatory)
        _require_whole(signed, definition["format"], None)
    return []


def _require_whole(file: BinaryIO, media_type: str, manifest: bytes | None) -> None:
    file.seek(0)
    read = read_credentials(file, media_type, manifest=manifest)
    if read.state not in (State.VALID, State.TRUSTED):
        raise UncheckedError(
            f"the Content Credentials do not hold: {'; '.join(read.faults) or read.state}",
            hint="make the video again",
        )


def _write(path: Path, raw: bytes) -> None:
    try:
        write_atomically(path, raw)
    except OSError as error:
        raise storage_error(path, error) from error
