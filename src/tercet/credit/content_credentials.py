"""Content Credentials in: a C2PA manifest that says how a video was made, signed into the file.

Source: C2PA Technical Specification 2.4, CAWG Training and Data Mining Assertion 1.1. The library
never reaches the network here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO

from tercet.core.errors import InputError, StorageError, TercetError, UncheckedError
from tercet.core.version import __version__
from tercet.credit.making import Making, Source

MAKING_LABEL = "org.tercet.making"
MAKING_TYPE = "tercet/making@1"
SPEC_VERSION = "2.4"
EMBEDDING_TYPES = frozenset({"video/mp4"})
"""Media types that carry the manifest inside; others (WebM) get it in a file beside them."""

MINING_KEYS = (
    "cawg.ai_generative_training",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.data_mining",
)
_SETTINGS: dict[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 8},
    "builder": {"thumbnail": {"enabled": False}},
}


class Use(StrEnum):
    """What the operator lets others do with the video. CAWG's own words."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "notAllowed"
    CONSTRAINED = "constrained"


@dataclass(frozen=True, slots=True)
class TrainingMining:
    """What the operator says of training on the video and of mining it; denied where not said.

    ``constraint`` tells, for what is constrained, under which terms.
    """

    generative_training: Use = Use.NOT_ALLOWED
    inference: Use = Use.NOT_ALLOWED
    training: Use = Use.NOT_ALLOWED
    data_mining: Use = Use.NOT_ALLOWED
    constraint: str = ""

    def entries(self) -> dict[str, dict[str, str]]:
        """Return the entries of the assertion."""
        values = (self.generative_training, self.inference, self.training, self.data_mining)
        terms = {"constraint_info": self.constraint} if self.constraint else {}
        return {
            key: {"use": value.value} | (terms if value is Use.CONSTRAINED else {})
            for key, value in zip(MINING_KEYS, values, strict=True)
        }


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs: the certificate chain (end entity first) and its key, both PEM.

    ``algorithm`` is C2PA's name of the signature algorithm, such as ed25519 or es256.
    """

    chain_pem: str
    key_pem: str = field(repr=False)
    algorithm: str


def manifest_definition(
    making: Making,
    *,
    title: str,
    media_type: str,
    credits_sha256: str,
    training_mining: TrainingMining,
    created_at: str = "",
) -> dict[str, Any]:
    """Return what the manifest says, as the library takes it.

    ``credits_sha256`` binds the credits file; ``created_at`` is RFC 3339, left out when empty.
    Every assertion is marked as made by the claim generator itself, and all actions as included:
    without both, validators of the specification 2.4 object.
    """
    assertions = [
        ("c2pa.actions.v2", {"allActionsIncluded": True, "actions": [_action(making, created_at)]}),
        *(
            [("c2pa.ai-disclosure", _disclosure(making))]
            if making.source is Source.GENERATED
            else []
        ),
        ("cawg.training-mining", {"entries": training_mining.entries()}),
        (
            MAKING_LABEL,
            {"type": MAKING_TYPE, **making.document(), "credits_sha256": credits_sha256},
        ),
    ]
    return {
        "claim_generator_info": [
            {"name": "tercet", "version": __version__, "specVersion": SPEC_VERSION}
        ],
        "title": title,
        "format": media_type,
        "assertions": [
            {"label": label, "created": True, "data": data} for label, data in assertions
        ],
    }


def sign(
    source: BinaryIO,
    destination: BinaryIO,
    definition: dict[str, Any],
    signatory: Signatory,
) -> bytes:
    """Copy ``source`` to ``destination`` (opened w+b) with the manifest in it; return the manifest.

    Both are read and written in pieces, but an MP4 is held in memory once while it is hashed
    (c2pa-rs 0.91; hashed in pieces it gave, now and then, a manifest that did not hold). Where the
    media type cannot carry a manifest the copy is equal, and the manifest is bound by its hash.

    The library validates signature and assertions, not the hash of the file: read it back. Raises
    InputError when the certificate or key will not do, StorageError when ``destination`` cannot be
    written, UncheckedError when the manifest does not validate.
    """
    import c2pa

    media_type = definition["format"]
    noted = _Noting(destination)
    try:
        signer = c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(
                alg=signatory.algorithm.encode(),
                sign_cert=signatory.chain_pem.encode(),
                private_key=signatory.key_pem.encode(),
                ta_url=None,
            )
        )
    except c2pa.C2paError as error:
        raise InputError(
            f"the certificate cannot sign Content Credentials: {error}",
            hint="it needs a chain of two or more, for signing, for e-mail or documents",
        ) from error
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(_SETTINGS))
        builder = c2pa.Builder(json.dumps(definition), context)
        if media_type not in EMBEDDING_TYPES:
            builder.set_no_embed()
        manifest: bytes = builder.sign(signer, media_type, source, noted)
    except c2pa.C2paError as error:
        raise _why(noted, error) from error
    if noted.error:
        raise _why(noted, noted.error)
    return manifest


def _action(making: Making, created_at: str) -> dict[str, Any]:
    how = "Generated" if making.source is Source.GENERATED else "Composed"
    parameters = {"org.tercet.engine": making.engine, "org.tercet.rights": making.rights}
    if making.prompt_commitment:
        parameters["org.tercet.prompt_commitment"] = making.prompt_commitment
    action = {
        "action": "c2pa.created",
        "digitalSourceType": making.source.uri,
        "softwareAgent": {"name": "tercet", "version": __version__},
        "description": f"{how} from a written prompt by the engine {making.engine}"
        f" ({making.rights}).",
        "parameters": parameters,
    }
    return action | ({"when": created_at} if created_at else {})


def _disclosure(making: Making) -> dict[str, Any]:
    """C2PA 2.4 section 18.28: which model, and who led it."""
    identifier = f"sha256:{making.checkpoint_sha256}" if making.checkpoint_sha256 else ""
    return {
        "modelType": "c2pa.types.model",
        "modelName": making.model or making.engine,
        **({"modelIdentifier": identifier} if identifier else {}),
        "contentProfile": {"humanOversightLevel": "prompt_guided"},
    }


def _why(noted: _Noting, error: Exception) -> TercetError:
    if noted.error:
        return StorageError(
            f"cannot write the signed video: {noted.error.strerror or noted.error}",
            hint="free some space, or write to another disk",
        )
    return UncheckedError(
        f"the Content Credentials could not be made: {error}",
        hint="look at this machine's clock, and until when the certificate is valid",
    )


class _Noting:
    """A binary file that remembers the first error of writing: the library loses its cause."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, raw: bytes) -> int:
        try:
            return self._file.write(raw)
        except OSError as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            self.error = self.error or error
            raise

    def read(self, count: int = -1) -> bytes:
        return self._file.read(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
