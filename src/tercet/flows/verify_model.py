"""verify_model: check a model's training record offline, from its own folder and a public key."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, RefusedError, TercetError
from tercet.core.ids import sha256_hex
from tercet.flows.clearance import signed_bytes
from tercet.flows.verify import Check
from tercet.store.files import sha256_of_file
from tercet.store.keys import signature_holds
from tercet.studio.adapter_base import ADAPTER_TYPE, BASE_MARK
from tercet.studio.batch_chain import chain_end, parse_batches
from tercet.studio.training_record import (
    AGREEMENTS_NAME,
    BASE_NAMES,
    BATCHES_NAME,
    GROUND_NAMES,
    PLAN_NAME,
    PLAN_TYPE,
    RECORD_NAME,
    RECORD_TYPE,
    WORKS_NAME,
    parse_document,
    parse_works,
)

MODEL_NAME = "model.json"
_FROM_PLAN = ("clearance", "works", "settings", "order", *GROUND_NAMES)


def holds_model(folder: Path) -> bool:
    """Say whether ``folder`` is that of a model, judged by the names in it."""
    return (folder / RECORD_NAME).is_file() or (folder / MODEL_NAME).is_file()


def read_record(folder: Path) -> dict[str, Any]:
    """Return the training record in ``folder``. Raises InputError when there is none to read."""
    path = folder / RECORD_NAME
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"no training record in {folder}: {error.strerror or error}",
            hint="give the folder `model` of a run of `tercet train`",
        ) from error
    return parse_document(raw, RECORD_TYPE)


def verify_record(folder: Path, *, public_key: str = "") -> list[Check]:
    """Check the record in ``folder``: signature, every file, the plan, the chain, the works.

    ``public_key`` (Base64) is the key it must be signed with; without it the check shows only
    that the record is whole. Every check is made, also after one failed. Raises InputError when
    there is no readable record.
    """
    record = read_record(folder)
    checks = [_signature("signature", record, public_key)]
    checks += [_file(folder, name, record["files"][name]) for name in sorted(record["files"])]
    checks += _weights(folder, record) + _base(folder, record)
    checks += _plan(folder, record)
    checks.append(_chain(folder, record))
    checks.append(_works(folder, record))
    checks += _licences(record)
    batch = record["order"].get("batch")
    is_sum = isinstance(batch, int) and record["samples"] == record["steps"] * batch
    checks.append(Check("samples", is_sum, f"{record['samples']} in {record['steps']} steps"))
    return checks


def require_record(folder: Path, *, public_key: str = "") -> dict[str, Any]:
    """Return the record in ``folder`` once every check of it holds.

    Raises IntegrityError where one does not, RefusedError for a model that stands on a base
    model: nobody can say that it has learned from cleared works only.
    """
    failed = [check for check in verify_record(folder, public_key=public_key) if not check.holds]
    if failed:
        raise IntegrityError(
            f"the training record in {folder} does not hold: {failed[0].name}: {failed[0].found}",
            hint=f"`tercet verify {folder}` shows every check",
        )
    record = read_record(folder)
    if any(name in record for name in BASE_NAMES):
        raise RefusedError(
            f"what lies in {folder} stands on a base model of unknown rights",
            hint="use it with --engine diffusers, --model BASE and --lora; it is marked so",
        )
    return record


def _signature(name: str, document: dict[str, Any], public_key: str) -> Check:
    try:
        public, value, message = signed_bytes(document)
    except TercetError as error:
        return Check(name, False, error.message)
    if public_key and base64.b64encode(public).decode() != public_key:
        return Check(name, False, "signed with another key than the one given")
    key = f"key {document['signature']['key_id']}"
    holds = signature_holds(public, value, message)
    return Check(name, holds, key if holds else f"does not fit the document and {key}")


def _file(folder: Path, name: str, expected: object) -> Check:
    if Path(name).name != name:
        return Check(name, False, "the name leads out of the folder")
    try:
        found = sha256_of_file(folder / name)
    except OSError as error:
        return Check(name, False, f"cannot be read: {error.strerror or error}")
    said = f"sha256 {found[:16]}"
    return Check(
        name, found == expected, said if found == expected else f"{expected!s:.16}, {said}"
    )


def _weights(folder: Path, record: dict[str, Any]) -> list[Check]:
    """The shards that the model loads are exactly those of the record."""
    try:
        listed = json.loads((folder / MODEL_NAME).read_bytes())["weights"]
        shards = {str(shard["name"]): shard["sha256"] for shard in listed}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [Check("weights", False, f"{MODEL_NAME} cannot be read: {error}"[:200])]
    signed = {n: d for n, d in record["files"].items() if n.endswith(".safetensors")}
    holds = bool(shards) and shards == signed and MODEL_NAME in record["files"]
    return [Check("weights", holds, f"{len(shards)} shards, {len(signed)} in the record")]


def _base(folder: Path, record: dict[str, Any]) -> list[Check]:
    """An adapter names its base model, the same everywhere, and says: rights unknown.

    A record without a base model has none of an adapter's weights.
    """
    try:
        document = json.loads((folder / MODEL_NAME).read_bytes())
        named = {name: document[name] for name in BASE_NAMES if name in document}
        is_adapter = document.get("type") == ADAPTER_TYPE or bool(named)
    except (OSError, ValueError, TypeError, AttributeError):
        return []  # told by the check of the weights
    base, rights = record.get("base"), record.get("rights")
    if not is_adapter and base is None and rights is None:
        return []
    if not isinstance(base, dict):
        return [Check("base model", False, "the record names none")]
    files = base.get("files")
    digest = sha256_hex(canonical_json(files)) if isinstance(files, dict) else ""
    said = {"pipeline": base.get("pipeline"), "sha256": digest}
    holds = named == {"base": said, "rights": BASE_MARK} and rights == BASE_MARK
    holds = holds and base.get("sha256") == digest
    return [Check("base model", holds, f"sha256 {digest[:16]}; {rights}")]


def _plan(folder: Path, record: dict[str, Any]) -> list[Check]:
    """The plan was signed by the same key before the first step, and says the same."""
    try:
        raw = (folder / PLAN_NAME).read_bytes()
        plan = parse_document(raw, PLAN_TYPE)
    except (OSError, TercetError) as error:
        return [Check("plan", False, str(error)[:200])]
    block = record["signature"]
    key = str(block.get("public_key", ""))
    differing = [name for name in _FROM_PLAN if plan.get(name) != record.get(name)]
    digest = sha256_hex(raw)
    committed = digest == record["plan_sha256"] == record["chain"].get("first")
    return [
        _signature("plan signature", plan, key),
        Check("plan", not differing, f"other {', '.join(differing)}" if differing else "as signed"),
        Check("plan begins the chain", committed, f"sha256 {digest[:16]}"),
    ]


def _chain(folder: Path, record: dict[str, Any]) -> Check:
    """The chain made again from every batch's hash ends where the record says."""
    try:
        hashes = parse_batches((folder / BATCHES_NAME).read_bytes())
        end = chain_end(bytes.fromhex(str(record["chain"].get("first"))), hashes).hex()
    except (OSError, ValueError, TercetError) as error:
        return Check("batch chain", False, str(error)[:200])
    holds = len(hashes) == record["steps"] and end == record["chain"].get("last")
    return Check("batch chain", holds, f"{len(hashes)} batches, last link {end[:16]}")


def _licences(record: dict[str, Any]) -> list[Check]:
    """Whatever licences the clearance rests on, the model carries the very list that it signed."""
    account = record["clearance"].get("agreements")
    if not account or not account.get("count"):
        return []
    listed = account.get("listed_sha256")
    holds = bool(listed) and record["files"].get(AGREEMENTS_NAME) == listed
    found = f"{account['count']} in {AGREEMENTS_NAME}" if holds else "not the list of the clearance"
    return [Check("licences", holds, found)]


def _works(folder: Path, record: dict[str, Any]) -> Check:
    try:
        raw = (folder / WORKS_NAME).read_bytes()
        works = parse_works(raw)
    except (OSError, TercetError) as error:
        return Check("works", False, str(error)[:200])
    told = record["works"]
    owners = len({work.owner for work in works})
    same = (told.get("sha256"), told.get("count"), told.get("owners"))
    holds = same == (sha256_hex(raw), len(works), owners)
    holds = holds and len({work.work for work in works}) == len(works)
    return Check("works", holds, f"{len(works)} works by {owners} owners")
