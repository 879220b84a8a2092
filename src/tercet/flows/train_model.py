"""The end of a training: the model's files and the signed record of what it was trained on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.flows.train_code import code_entry
from tercet.store.files import sync_folder, write_atomically
from tercet.store.keys import SigningKey
from tercet.studio.model_card import model_card
from tercet.studio.training_record import (
    BATCHES_NAME,
    CARD_NAME,
    GROUND_NAMES,
    PLAN_NAME,
    RECORD_NAME,
    RECORD_TYPE,
    WORKS_NAME,
)


@dataclass(frozen=True, slots=True)
class Account:
    """What a run came to: the model's name, the plan it was begun by, what was done until now.

    ``chain_start`` and ``chain_end`` are the first and the last link; ``loss`` the mean of the
    last steps' losses as decimal text.
    """

    name: str
    plan: dict[str, Any]
    now: str
    steps: int
    chain_start: bytes
    chain_end: bytes
    hardware: dict[str, Any]
    cost: dict[str, Any]
    loss: str
    passed_over: dict[str, int]


def write_model(
    run: Path, files: dict[str, bytes], account: Account, key: SigningKey
) -> dict[str, Any]:
    """Write ``run``/model whole, in place of an earlier one, and return its signed record.

    ``files`` are the model's own (weights, model.json); plan, works and batches are copied to
    them, so that the model's folder can be checked by itself. Raises OSError.
    """
    files = files | {name: (run / name).read_bytes() for name in (PLAN_NAME, WORKS_NAME)}
    # A killed run's chain may be ahead of the checkpoint that it went on from.
    links = (run / BATCHES_NAME).read_bytes().splitlines(keepends=True)
    files[BATCHES_NAME] = b"".join(links[: account.steps])
    document = _record(files, account)
    record = document | {"signature": key.signature(canonical_json(document))}
    half, whole, old = run / ".model", run / "model", run / ".model-before"
    for left in (half, old):
        shutil.rmtree(left, ignore_errors=True)
    half.mkdir()
    for name, raw in files.items():
        write_atomically(half / name, raw)
    write_atomically(half / RECORD_NAME, canonical_json(record) + b"\n")
    write_atomically(half / CARD_NAME, model_card(record, account.name).encode())
    sync_folder(half)
    if whole.exists():
        whole.rename(old)
    half.rename(whole)
    sync_folder(run)
    shutil.rmtree(old, ignore_errors=True)
    return record


def _record(files: dict[str, bytes], account: Account) -> dict[str, Any]:
    plan = account.plan
    return {
        "type": RECORD_TYPE,
        "created_at": account.now,
        "begun_at": plan["created_at"],
        "clearance": plan["clearance"],
        "works": plan["works"],
        "passed_over": account.passed_over,
        "settings": plan["settings"],
        "order": plan["order"],
        **{name: plan[name] for name in GROUND_NAMES if name in plan},
        "plan_sha256": sha256_hex(files[PLAN_NAME]),
        "chain": {
            "file": BATCHES_NAME,
            "first": account.chain_start.hex(),
            "last": account.chain_end.hex(),
        },
        "steps": account.steps,
        "samples": account.steps * int(plan["order"]["batch"]),
        "loss": account.loss,
        "code": {"begun": plan["code"], "ended": code_entry(is_adapter="base" in plan)},
        "hardware": account.hardware,
        "cost": account.cost,
        "files": {name: sha256_hex(raw) for name, raw in sorted(files.items())},
    }
