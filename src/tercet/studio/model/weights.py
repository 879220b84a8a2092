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

import torch
from torch import Tensor

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.studio.model import size
from tercet.studio.model.size import Shape
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.words import Vocabulary
from tercet.studio.scenes.sprite import Kind

MODEL_TYPE = "tercet/model@1"
MODEL_FILE = "model.json"
SHARD_BYTES_MAX = 16 * 1024 * 1024
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
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
    raw = _bytes(folder / MODEL_FILE, DOCUMENT_BYTES_MAX)
    try:
        document = json.loads(raw)
        if document["type"] != MODEL_TYPE:
            raise ValueError(f"its type is {document['type']!r:.60}, not {MODEL_TYPE}")
        shape = size.checked_shape(document["shape"])
        vocabulary = Vocabulary(tuple(map(str, document["words"])))
        nouns = {str(noun): str(Kind(kind)) for noun, kind in document["nouns"].items()}
        listed = {str(each["name"]): str(each["sha256"]) for each in document["weights"]}
        name = str(document["name"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(folder / MODEL_FILE, f"it cannot be read ({error!s:.200})") from error
    state: dict[str, Tensor] = {}
    for shard, digest in listed.items():
        state |= _tensors(folder, shard, digest)
    network = _network(folder, shape, state)
    return StudioModel(name, sha256_hex(raw), network, vocabulary, nouns)


def _network(folder: Path, shape: Shape, state: Mapping[str, Tensor]) -> VideoTransformer:
    """Return the network with its weights. What it would need is compared before it is built."""
    with torch.device("meta"):
        planned = {key: part.shape for key, part in VideoTransformer(shape).state_dict().items()}
    if planned != {key: part.shape for key, part in state.items()}:
        raise _damaged(folder, "its weights do not fit its shape")
    if not all(bool(part.isfinite().all()) for part in state.values()):
        raise _damaged(folder, "some of its weights are no numbers")
    network = VideoTransformer(shape)
    network.load_state_dict({key: part.float() for key, part in state.items()})
    return network.eval()


def _groups(state: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return the tensors in their order, cut where a shard would grow too large."""
    groups: list[dict[str, Tensor]] = [{}]
    byte_count = _HEADER_BYTES
    for key, part in state.items():
        if byte_count + part.nbytes > SHARD_BYTES_MAX and groups[-1]:
            groups.append({})
            byte_count = _HEADER_BYTES
        groups[-1][key] = part.contiguous()
        byte_count += part.nbytes
    return groups


def _tensors(folder: Path, name: str, digest: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = folder / Path(name).name
    raw = _bytes(path, SHARD_BYTES_MAX)
    if sha256_hex(raw) != digest:
        raise _damaged(path, f"its SHA-256 is not {digest:.64}, as {MODEL_FILE} says")
    try:
        return load(raw)
    except (SafetensorError, KeyError, ValueError) as error:
        raise _damaged(path, f"it holds no tensors that can be read ({error!s:.120})") from error


def _bytes(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(bytes_max + 1)
    except FileNotFoundError as error:
        if path.name == MODEL_FILE:
            raise InputError(
                f"expected a model in {path.parent}, found no {MODEL_FILE}",
                hint="name the folder that tercet train wrote its model to",
            ) from error
        raise _damaged(path, "it is missing") from error
    except OSError as error:
        raise _damaged(path, f"it cannot be read ({error.strerror or error})") from error
    if len(raw) > bytes_max:
        raise _damaged(path, f"it has more than {bytes_max:,} bytes")
    return raw


def _damaged(path: Path, what: str) -> IntegrityError:
    return IntegrityError(
        f"expected a whole model, but of {path}: {what}",
        hint="copy or train the model again; nothing was made with it",
    )
