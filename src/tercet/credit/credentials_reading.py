"""Content Credentials out: what a file says of its making, and whether that still holds.

Source: C2PA Technical Specification 2.4 section 15 (validation). The library never reaches the
network here: credentials that lie elsewhere are named, not fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, BinaryIO

from tercet.credit.content_credentials import MAKING_LABEL, MAKING_TYPE

_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},
}
_TEXT_CHARACTERS_MAX = 300
_LIST_MAX = 50
_CHUNK_BYTES = 1 << 20
_STORE = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq"
"""How a manifest store begins: its description box and type (C2PA 2.4 section 11.1)."""


class State(StrEnum):
    """What validation found."""

    TRUSTED = "trusted"  # every hash holds, and a trusted authority vouches for the signer
    VALID = "valid"  # every hash holds; who signed is not vouched for
    INVALID = "invalid"  # the file or its manifest was changed after signing
    BROKEN = "broken"  # bytes of a manifest are there, and cannot be read
    REMOTE = "remote"  # the credentials lie elsewhere
    NONE = "none"  # there are none


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was read. Texts are as others wrote them, cut to a limit; none of it is trusted here.

    ``making`` is our own assertion, empty where another maker signed; ``faults`` are codes of the
    specification with what they mean.
    """

    state: State
    signer: str = ""
    issuer: str = ""
    algorithm: str = ""
    signed_at: str = ""
    generator: str = ""
    title: str = ""
    source_types: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    training_mining: dict[str, str] = field(default_factory=dict)
    making: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def read_credentials(
    file: BinaryIO, media_type: str, *, manifest: bytes | None = None, anchors_pem: str = ""
) -> Credentials:
    """Read and validate the credentials of ``file``; ``manifest`` is one that lies beside it.

    ``anchors_pem`` are the certificates that are trusted to vouch for signers. The file is read
    in pieces. Raises OSError.
    """
    import c2pa

    settings: dict[str, Any] = dict(_OFFLINE)
    if anchors_pem:
        settings["trust"] = {"user_anchors": anchors_pem}
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
        reader = c2pa.Reader.try_create(media_type, file, manifest, context)
        if reader is None:
            return Credentials(State.NONE)
        with reader:
            state = str(reader.get_validation_state() or "")
            return credentials_of(json.loads(reader.json()), state)
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return _unread(file, str(error), given=manifest is not None)


def _unread(file: BinaryIO, error: str, *, given: bool) -> Credentials:
    """What is left to say where the library fails: remote, broken, or none at all."""
    if "emote" in error:  # RemoteManifestUrl, RemoteManifestFetch
        return Credentials(State.REMOTE, faults=(_text(error),))
    if given or _shows_store(file):
        return Credentials(State.BROKEN, faults=(_text(error),))
    return Credentials(State.NONE)


def _shows_store(file: BinaryIO) -> bool:
    """Whether a manifest store begins anywhere in the file."""
    file.seek(0)
    tail = b""
    while chunk := file.read(_CHUNK_BYTES):
        if _STORE in tail + chunk:
            return True
        tail = chunk[-len(_STORE) :]
    return False


def credentials_of(report: dict[str, Any], state: str) -> Credentials:
    """Return what a validator's report and its state come down to. Total: any report is read."""
    manifest = _dict(_dict(report.get("manifests")).get(str(report.get("active_manifest"))))
    signature = _dict(manifest.get("signature_info"))
    data = dict(_assertions(manifest))
    actions = [_dict(a) for a in _list(_dict(_first(data, "c2pa.actions")).get("actions"))]
    mining = _dict(
        _dict(_first(data, "cawg.training-mining", "c2pa.training-mining")).get("entries")
    )
    making = _dict(data.get(MAKING_LABEL))
    return Credentials(
        state=_state(report, state),
        signer=_text(signature.get("common_name")),
        issuer=_text(signature.get("issuer")),
        algorithm=_text(signature.get("alg")),
        signed_at=_text(signature.get("time")),
        generator=_generator(manifest),
        title=_text(manifest.get("title")),
        source_types=_texts(a.get("digitalSourceType") for a in actions),
        actions=_texts(a.get("action") for a in actions),
        training_mining={
            _text(key): _text(_dict(entry).get("use")) for key, entry in mining.items()
        },
        making=making if making.get("type") == MAKING_TYPE else {},
        faults=tuple(_faults(report)),
    )


def _assertions(manifest: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for assertion in _list(manifest.get("assertions")):
        yield str(_dict(assertion).get("label", "")), _dict(assertion).get("data")


def _first(data: dict[str, Any], *beginnings: str) -> Any:
    """Return the first assertion whose label begins so: labels carry versions at their end."""
    return next((data[label] for label in data if label.startswith(beginnings)), None)


def _generator(manifest: dict[str, Any]) -> str:
    info = [_dict(one) for one in _list(manifest.get("claim_generator_info"))]
    if info:
        return _text(" ".join(str(info[0].get(key, "")) for key in ("name", "version")).strip())
    return _text(manifest.get("claim_generator"))


def _state(report: dict[str, Any], state: str) -> State:
    """Return what validation found; a certificate that expired since leaves the file as it was."""
    if state in ("Trusted", "Valid"):
        return State.TRUSTED if state == "Trusted" else State.VALID
    results = _dict(_dict(report.get("validation_results")).get("activeManifest"))
    held = {str(_dict(one).get("code", "")) for one in _list(results.get("success"))}
    whole = "claimSignature.validated" in held and any(
        code.startswith("assertion.") and code.endswith("Hash.match") for code in held
    )
    failed = [code for code, _ in _failures(report)]
    signer_only = bool(failed) and all(code.startswith("signingCredential.") for code in failed)
    return State.VALID if whole and signer_only else State.INVALID


def _faults(report: dict[str, Any]) -> Iterator[str]:
    """Yield what fails, except that the signer is not known."""
    for code, why in islice(_failures(report), _LIST_MAX):
        if code != "signingCredential.untrusted":
            yield _text(f"{code}: {why}")


def _failures(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield code and explanation of each failure, of the file and then of its ingredients."""
    results = _dict(report.get("validation_results"))
    deltas = [_dict(_dict(one).get("validationDeltas")) for one in _list(
        results.get("ingredientDeltas"))]  # fmt: skip
    for part in (_dict(results.get("activeManifest")), *deltas):
        for fault in _list(part.get("failure")):
            yield str(_dict(fault).get("code", "")), str(_dict(fault).get("explanation", ""))


def _texts(values: Iterator[Any]) -> tuple[str, ...]:
    found = (_text(value) for value in values if value)
    return tuple(dict.fromkeys(found))[:_LIST_MAX]


def _text(value: object) -> str:
    return str(value)[:_TEXT_CHARACTERS_MAX] if value is not None else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
