"""A run's folder: the signed plan, the batch chain and the checkpoints, whole after any kill.

plan.json         what the run is: signed before its first step, never changed
works.jsonl       every work it may learn from
batches.txt       the hash of every batch, a line a step, appended to only
checkpoints/      the last two states, each a folder that appears when it is whole
samples/          pictures made on the way
sprites/, clips/  what was made of the works, by their SHA-256
model/            the model, once the run has ended
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, RefusedError, TercetError
from tercet.core.ids import sha256_hex
from tercet.flows.clearance import signed_bytes
from tercet.store.files import sha256_of_file, sync_folder, write_atomically
from tercet.store.keys import SigningKey, signature_holds
from tercet.studio.training_record import PLAN_NAME, PLAN_TYPE, parse_document

CHECKPOINTS_KEPT = 2
_STATE, _LEARNER = "state.json", "learner.pt"
_NOT_COMPARED = ("created_at", "signature", "code")
_OTHER_FOLDER = "choose another folder with -o, or delete this one"


class Savable(Protocol):
    """What can be saved whole and loaded again: a learner."""

    def save(self, path: Path) -> None:
        """Write everything that `load` needs."""
        ...

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        ...


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run's folder for this process alone. Raises RefusedError when another has it."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                f"another process is training in {run}", hint="wait for it, or stop it first"
            ) from None
        yield


def keep_plan(run: Path, plan: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """Return the run's signed plan: written now, or read and compared where there is one.

    Raises InputError when the folder holds another training, IntegrityError when its plan was
    altered, OSError.
    """
    path = run / PLAN_NAME
    if path.exists():
        old = parse_document(path.read_bytes(), PLAN_TYPE)
        check_signature(old, path.name, key.public_raw)
        names = [n for n in plan if n not in _NOT_COMPARED and old.get(n) != plan[n]]
        if names:
            raise InputError(
                f"{run} holds a training with other {', '.join(names)}: {_differing(old, plan)}",
                hint=_OTHER_FOLDER,
            )
        return old
    signed = plan | {"signature": key.signature(canonical_json(plan))}
    write_atomically(path, canonical_json(signed) + b"\n")
    sync_folder(run)
    return signed


def _differing(old: dict[str, Any], new: dict[str, Any]) -> str:
    told = []
    for name, after in new.items():
        before = old.get(name)
        if name in _NOT_COMPARED or before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            keys = sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
            told += [
                f"{key} {before.get(key)!s:.20} there, {after.get(key)!s:.20} here" for key in keys
            ]
    return "; ".join(told)[:300]


def check_signature(document: dict[str, Any], name: str, public_raw: bytes | None) -> None:
    """Raise IntegrityError unless ``document`` is signed, by ``public_raw`` where given."""
    try:
        public, value, message = signed_bytes(document)
        holds = signature_holds(public, value, message)
    except TercetError as error:
        raise IntegrityError(f"{name}: {error.message}") from error
    if not holds:
        raise IntegrityError(f"{name} was changed after it was signed")
    if public_raw is not None and public != public_raw:
        raise IntegrityError(
            f"{name} is signed with key {sha256_hex(public)[:16]}, expected "
            f"{sha256_hex(public_raw)[:16]}",
            hint="go on with the key the run was begun with (--key)",
        )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state to go on from: the steps done, the chain there, and notes on what was spent."""

    step: int
    link: bytes
    notes: dict[str, Any]
    path: Path


class Checkpoints:
    """The checkpoints of a run, sealed with its key: weights from elsewhere are no checkpoint."""

    def __init__(self, run: Path, key: SigningKey) -> None:
        self.folder = run / "checkpoints"
        plan = (run / PLAN_NAME).read_bytes()
        self._secret = key.secret(f"checkpoints of {sha256_hex(plan)}")
        self.folder.mkdir(parents=True, exist_ok=True)
        for half in self.folder.glob(".*"):
            shutil.rmtree(half)

    def write(self, learner: Savable, step: int, link: bytes, notes: dict[str, Any]) -> None:
        """Write the state whole or not at all, and forget all but the last two. Raises OSError."""
        half, whole = self.folder / f".{step:09d}", self.folder / f"{step:09d}"
        if whole.exists():
            return
        try:
            half.mkdir()
            learner.save(half / _LEARNER)
            state = {
                "step": step,
                "link": link.hex(),
                "notes": notes,
                "sha256": sha256_of_file(half / _LEARNER),
            }
            state["seal"] = _seal(self._secret, state)
            (half / _STATE).write_text(json.dumps(state))
            for name in (_LEARNER, _STATE):
                _sync_file(half / name)
            sync_folder(half)
            half.rename(whole)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        sync_folder(self.folder)
        for old in sorted(self.folder.glob("[0-9]*"))[:-CHECKPOINTS_KEPT]:
            shutil.rmtree(old)

    def newest(self, tell: Callable[[str], None]) -> Checkpoint | None:
        """Return the newest checkpoint that is as it was written; ``tell`` of those that are not.

        Raises IntegrityError when there are some and none is whole.
        """
        found = sorted(self.folder.glob("[0-9]*"), reverse=True)
        for path in found:
            checkpoint = _read(path, self._secret)
            if checkpoint is not None:
                return checkpoint
            tell(f"checkpoint {path.name} was altered or is not whole; an earlier one is taken")
        if found:
            raise IntegrityError(
                f"no checkpoint in {self.folder} is whole",
                hint="delete that folder to train again from the first step, by the same plan",
            )
        return None


def load_checkpoint(checkpoint: Checkpoint, learner: Savable) -> None:
    """Put the learner into the state of a checkpoint."""
    try:
        learner.load(checkpoint.path / _LEARNER)
    except (RuntimeError, KeyError, ValueError) as error:
        raise IntegrityError(
            f"checkpoint {checkpoint.path.name} is of another model: {str(error)[:200]}",
            hint=_OTHER_FOLDER,
        ) from error


def _seal(secret: bytes, state: dict[str, Any]) -> str:
    """Return what only who holds the key can write beside a state."""
    return hmac.digest(secret, json.dumps(state, sort_keys=True).encode(), "sha256").hex()


def _read(path: Path, secret: bytes) -> Checkpoint | None:
    try:
        state = json.loads((path / _STATE).read_bytes())
        is_ours = hmac.compare_digest(str(state.pop("seal")), _seal(secret, state))
        is_whole = is_ours and sha256_of_file(path / _LEARNER) == state["sha256"]
        found = Checkpoint(int(state["step"]), bytes.fromhex(state["link"]), state["notes"], path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if is_whole else None


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
