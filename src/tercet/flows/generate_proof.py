"""Proof of rights: what an engine claims of its training is checked before it makes anything."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tercet.core.errors import InputError, IntegrityError
from tercet.flows.verify_model import MODEL_NAME, require_record
from tercet.store.files import sha256_of_file
from tercet.studio.engines.engine import Engine, KeepsRecord, Origin, Rights
from tercet.studio.training_record import RECORD_NAME

_MODELS_REMEMBERED = 16


def proven(engine: Engine) -> Engine:
    """Return ``engine`` once it is shown that it learned from cleared works only, if it says so.

    Its training record is checked whole: signature, weights, plan, works and batch chain, and that
    these are the very record and weights the engine has in use. Once a model and process: a later
    call costs nothing. Raises IntegrityError where anything is missing or differs.
    """
    if engine.rights is not Rights.CLEARED or engine.origin is not Origin.GENERATED:
        return engine  # nothing is claimed, or it is shown by the clearance of what is seen
    folder = engine.record_folder if isinstance(engine, KeepsRecord) else None
    if folder is None:
        raise IntegrityError(
            f"the engine {engine.name} says {engine.rights}, and keeps no training record",
            hint="a model comes with the record that tercet train signed; bring it back",
        )
    said = engine.provenance()
    _prove(folder, said.get("training_record_sha256", ""), said.get("checkpoint_sha256", ""))
    return engine


@lru_cache(maxsize=_MODELS_REMEMBERED)
def _prove(folder: Path, record_sha256: str, checkpoint_sha256: str) -> None:
    try:
        require_record(folder)
    except InputError as error:
        raise IntegrityError(
            error.message, hint=f"copy or train the model in {folder} again; nothing was made"
        ) from error
    for name, used in ((RECORD_NAME, record_sha256), (MODEL_NAME, checkpoint_sha256)):
        if sha256_of_file(folder / name) != used:
            raise IntegrityError(
                f"{folder / name} is not the one that the engine was opened with",
                hint="it was exchanged since; start again",
            )
