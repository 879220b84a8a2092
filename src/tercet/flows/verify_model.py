"""verify_model: check a model's training record offline, from its own folder and a public key."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tercet.core.errors import InputError, IntegrityError, TercetError
from tercet.core.ids import sha256_hex
from tercet.flows.clearance import signed_bytes
from tercet.flows.verify import Check
from tercet.store.files import sha256_of_file
from tercet.store.keys import signature_holds
from tercet.studio.batch_chain import chain_end, parse_batches
from tercet.studio.training_record import (
    BATCHES_NAME,
    PLAN_NAME,
    PLAN_TYPE,
    RECORD_NAME,
    RECORD_TYPE,
    WORKS_NAME,
    parse_document,
    parse_works,
)

MODEL_NAME = "model.json"
_FROM_PLAN = ("clearance", "works", "settings", "order")


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
    checks += _weights(folder, record)
    checks += _plan(folder, record)
    checks.append(_chain(folder, record))
    checks.append(_works(folder, record))
    batch = record["order"].get("batch")
    is_sum = isinstance(batch, int) and record["samples"] == record["steps"] * batch
    checks.append(Check("samples", is_sum, f"{record['samples']} in {record['steps']} steps"))
    return checks


def require_record(folder: Path, *, public_key: str = "") -> dict[str, Any]:
    """Return the record in ``folder`` once every check of it holds. Raises IntegrityError."""
    failed = [check for check in verify_record(folder, public_key=public_key) if not check.holds]
    if failed:
        raise IntegrityError(
            f"the training record in {folder} does not hold: {failed[0].name}: {failed[0].found}",
            hint=f"`tercet verify {folder}` shows every check",
        )
    return read_record(folder)


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


def _plan(folder: Path, record: dict[str, Any]) -> list[Check]:
    """The plan was signed by the same key before the first step, and says the same."""
    try:
        raw = (folder / PLAN_NAME).read_bytes()
        plan = parse_document(raw, PLAN_TYPE)
    except (OSError, TercetError) as error:
        return [Check("plan", False, str(error)[:200])]
    block = record["signature"]
    key = str(block.get("public_key", ""))
    differing = [name for name in _FROM_PLAN if plan.get(name) != record[name]]
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
