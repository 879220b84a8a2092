"""A model on disk: `model.json` says what it is, safetensors shards hold its numbers.

    {"type": "tercet/model@1", "name": ..., "shape": {...}, "words": [...],
     "nouns": {noun: kind}, "weights": [{"name", "bytes", "sha256"}, ...]}

Weights are kept as 16-bit floats, in shards of at most 16 MiB. The digest of `model.json` binds
all of it, so it is what videos and records name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.studio.model.size import Shape
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.words import Vocabulary

MODEL_TYPE = "tercet/model@1"
MODEL_FILE = "model.json"
SHARD_BYTES_MAX = 16 * 1024 * 1024
_HEADER_BYTES = 64 * 1024  # room for the names and places of a shard's tensors


@dataclass(frozen=True, slots=True, eq=False)
class StudioModel:
    """A model that can be asked for clips. ``nouns`` are the things it has seen, and their kinds.

    ``sha256`` is the digest of its `model.json`.
    """

    name: str
    sha256: str
    network: VideoTransformer
    vocabulary: Vocabulary
    nouns: Mapping[str, str]


def model_files(
    name: str, network: VideoTransformer, vocabulary: Vocabulary, nouns: Mapping[str, str]
) -> dict[str, bytes]:
    """Return the files of a model by name: its shards, and `model.json` last."""
    from safetensors.torch import save

    groups = _groups({key: part.half() for key, part in network.state_dict().items()})
    files = {
        f"weights-{at:05}-of-{len(groups):05}.safetensors": save(group)
        for at, group in enumerate(groups, start=1)
    }
    listed = [
        {"name": file, "bytes": len(raw), "sha256": sha256_hex(raw)} for file, raw in files.items()
    ]
    document = {
        "type": MODEL_TYPE,
        "name": name,
        "shape": network.shape.fields(),
        "words": list(vocabulary.words),
        "nouns": dict(nouns),
        "weights": listed,
    }
    return files | {MODEL_FILE: canonical_json(document)}


def read_model(folder: Path) -> StudioModel:
    """Return the model in a folder, every shard checked against its digest.

    Raises InputError where there is no model, IntegrityError where one is damaged.
    """
    from safetensors.torch import load

    raw = _bytes(folder / MODEL_FILE)
    try:
        document = json.loads(raw)
        shape = Shape(**document["shape"])
        vocabulary = Vocabulary(tuple(document["words"]))
        shards, nouns, name = document["weights"], dict(document["nouns"]), str(document["name"])
        is_known = document["type"] == MODEL_TYPE
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder / MODEL_FILE, f"it cannot be read ({error})") from error
    if not is_known:
        raise _damaged(folder / MODEL_FILE, f"its type is {document['type']!r}, not {MODEL_TYPE}")
    state: dict[str, Tensor] = {}
    for shard in shards:
        state |= load(_shard(folder, shard))
    network = VideoTransformer(shape)
    try:
        network.load_state_dict({key: part.float() for key, part in state.items()})
    except RuntimeError as error:
        raise _damaged(folder, "its weights do not fit its shape") from error
    return StudioModel(name, sha256_hex(raw), network.eval(), vocabulary, nouns)


def _groups(state: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return the tensors in their order, cut where a shard would grow too large."""
    groups: list[dict[str, Tensor]] = [{}]
    size = _HEADER_BYTES
    for key, part in state.items():
        if size + part.nbytes > SHARD_BYTES_MAX and groups[-1]:
            groups.append({})
            size = _HEADER_BYTES
        groups[-1][key] = part.contiguous()
        size += part.nbytes
    return groups


def _shard(folder: Path, listed: Mapping[str, Any]) -> bytes:
    path = folder / Path(str(listed["name"])).name
    raw = _bytes(path)
    if sha256_hex(raw) != listed["sha256"]:
        raise _damaged(path, f"its SHA-256 is not {listed['sha256']}, as {MODEL_FILE} says")
    return raw


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        if path.name == MODEL_FILE:
            raise InputError(
                f"expected a model in {path.parent}, found no {MODEL_FILE}",
                hint="name the folder that tercet train wrote its model to",
            ) from error
        raise _damaged(path, "it is missing") from error


def _damaged(path: Path, what: str) -> IntegrityError:
    return IntegrityError(
        f"expected a whole model, but of {path}: {what}",
        hint="copy or train the model again; nothing was made with it",
    )
