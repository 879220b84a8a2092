"""What lies beside a checked video: its credits, its model and the record of the model's training.

Everything is compared with what the video's credentials say.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, TercetError
from tercet.core.ids import sha256_hex
from tercet.credit.credits_file import CREDITS_BYTES_MAX, read_credits
from tercet.flows.credentials import credits_path
from tercet.flows.verify import Check
from tercet.flows.verify_model import MODEL_NAME, read_record, verify_record
from tercet.store.keys import signature_holds
from tercet.studio.engines.engines import model_folder
from tercet.studio.training_record import RECORD_NAME

_MODEL_BYTES_MAX = 64 * 1024 * 1024
_MODEL_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\Z")


@dataclass(frozen=True, slots=True)
class CreditsFound:
    """The credits beside a video: how many works, and whether they are of these very pictures."""

    path: Path
    works: int
    owners: int
    methods: tuple[str, ...]
    engine: str
    rights: str
    key_id: str
    of_these_pictures: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class ModelFound:
    """The model a video names, and the record of its training. ``record`` is as it was signed."""

    folder: Path
    record_sha256: str
    key_id: str
    record: dict[str, Any]
    checks: tuple[Check, ...]


def find_credits(video: Path, coded: str, making: dict[str, Any]) -> CreditsFound | None:
    """Return the credits beside ``video``, checked; None where there are none.

    ``coded`` is the digest of its coded pictures, ``making`` what its credentials say, if anything.
    """
    path = credits_path(video)
    if not path.is_file():
        return None
    try:
        raw = _read(path, CREDITS_BYTES_MAX)
        document = read_credits(raw)
    except TercetError as error:
        failed = Check("credits", False, f"{path.name}: {error.message}")
        return CreditsFound(path, 0, 0, (), "", "", "", False, (failed,))
    named = document["video"]["coded_sha256"].values()
    key_id, signed = _signed(document)
    checks = [Check("credits signature", signed, f"key {key_id}" if signed else "does not fit")]
    if making:
        expected, got = str(making.get("credits_sha256", "")), sha256_hex(raw)
        checks.append(_same("credits", expected, got))
    else:
        found = "of these pictures" if coded in named else "of other pictures than these"
        checks.append(Check("credits", coded in named, found))
    lines = document["credits"]
    return CreditsFound(
        path=path,
        works=len(lines),
        owners=len({line["owner"] for line in lines}),
        methods=tuple(sorted({str(line["method"]) for line in lines})),
        engine=str(document.get("engine", "")),
        rights=str(document.get("rights", "")),
        key_id=key_id,
        of_these_pictures=bool(coded) and coded in named and signed,
        checks=tuple(checks),
    )


def find_model(making: dict[str, Any], folder: Path | None) -> ModelFound | None:
    """Return the model that ``making`` names and its training record, checked.

    Without a ``folder``, one that was shipped under the name; None where there is none, or the
    video names no model. Raises InputError for a ``folder`` that is none.
    """
    if folder is not None and not folder.is_dir():
        raise InputError(f"there is no folder {folder}", hint="give the folder of a model")
    if folder is None:
        folder = _shipped(making)
    if folder is None:
        return None
    expected = str(making.get("training_record_sha256", ""))
    try:
        verified, record = verify_record(folder), read_record(folder)
        raw = _read(folder / RECORD_NAME, CREDITS_BYTES_MAX)
        model = _read(folder / MODEL_NAME, _MODEL_BYTES_MAX)
    except TercetError as error:
        return ModelFound(folder, "", "", {}, (Check("training record", False, error.message),))
    failed = [check for check in verified if not check.holds]
    whole = failed[0].name + ": " + failed[0].found if failed else f"{len(verified)} checks hold"
    digest = sha256_hex(canonical_json(record))
    digest = expected if expected == sha256_hex(raw) else digest
    named = (
        _same("training record", expected, digest)
        if expected
        else Check("training record", False, "the video names none")
    )
    key_id = str(record["signature"].get("key_id", ""))
    checks = [Check("model folder", not failed, whole), named]
    if making.get("checkpoint_sha256"):
        checks.append(_same("checkpoint", str(making["checkpoint_sha256"]), sha256_hex(model)))
    return ModelFound(folder, digest, key_id, record, tuple(checks))


def _shipped(making: dict[str, Any]) -> Path | None:
    """Return the shipped model of the name in ``making``; a name that is a path is not one."""
    name = str(making.get("model", ""))
    if not _MODEL_NAME.match(name) or not making.get("training_record_sha256"):
        return None
    try:
        return model_folder(name)
    except InputError:
        return None


def _signed(document: dict[str, Any]) -> tuple[str, bool]:
    """Return the id of the key, and whether its signature fits the rest of the document."""
    signature = document.get("signature")
    if not isinstance(signature, dict):
        return "", False
    try:
        public = base64.b64decode(str(signature.get("public_key", "")), validate=True)
        value = base64.b64decode(str(signature.get("value", "")), validate=True)
        rest = {name: entry for name, entry in document.items() if name != "signature"}
        message = canonical_json(rest)
    except (binascii.Error, TercetError):
        return "", False
    return sha256_hex(public)[:16], signature_holds(public, value, message)


def _read(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(bytes_max + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    if len(raw) > bytes_max:
        raise InputError(f"expected at most {bytes_max:,} bytes")
    return raw


def _same(name: str, expected: str, got: str) -> Check:
    found = f"sha256 {got[:16]}"
    return Check(
        name, expected == got, found if expected == got else f"expected {expected[:16]}, {found}"
    )
