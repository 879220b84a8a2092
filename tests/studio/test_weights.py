"""A model's files, as somebody hostile would write them: refused in words, and nothing built."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.studio.model.size import Shape
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.weights import SHARD_BYTES_MAX, model_files, read_model
from tercet.studio.model.words import Vocabulary

WORDS = Vocabulary.of(["a red car"])
SHARD = "weights-00001-of-00001.safetensors"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shape = Shape("tiny", 32, 1, word_count=len(WORDS), owner_count=2)
    return model_files("small", VideoTransformer(shape), WORDS, {"car": "vehicle"})


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return folder


def edited(folder: Path, files: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> Path:
    document = json.loads(files["model.json"])
    change(document)
    return written(folder, files | {"model.json": json.dumps(document).encode()})


def test_a_model_comes_back(tmp_path: Path, files: dict[str, bytes]) -> None:
    found = read_model(written(tmp_path, files))
    assert (found.name, found.sha256) == ("small", sha256_hex(files["model.json"]))
    assert found.vocabulary == WORDS
    assert found.nouns == {"car": "vehicle"}
    again = model_files("small", found.network, WORDS, found.nouns)
    assert again == files


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 10**9},
        {"width": 4096, "depth": 64},
        {"depth": 10**9},
        {"depth": -1},
        {"depth": True},
        {"width": 33},
        {"side_px": 10**6},
        {"patch_px": 0},
        {"patch_px": 7},
        {"patch_frames": 3},
        {"frame_count": "16"},
        {"word_count": 10**12},
        {"owner_count": 9_000_000},
        {"caption_words": 1.5},
        {"strange": 1},
    ],
    ids=str,
)
def test_a_shape_that_would_fill_the_memory_is_never_built(
    tmp_path: Path, files: dict[str, bytes], fields: dict[str, Any]
) -> None:
    folder = edited(tmp_path, files, lambda document: document["shape"].update(fields))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(IntegrityError, match="expected a whole model"):
        read_model(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b"null", b"[" * 99_999, b'{"type": 1}', b"\xff", b" " * (16 * 2**20 + 1)],
    ids=range(8),
)
def test_a_description_that_is_none(tmp_path: Path, files: dict[str, bytes], raw: bytes) -> None:
    with pytest.raises(IntegrityError):
        read_model(written(tmp_path, files | {"model.json": raw}))


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(weights=[{}]),
        lambda document: document.update(weights=5),
        lambda document: document.update(weights=[]),
        lambda document: document["weights"][0].update(name=""),
        lambda document: document["weights"][0].update(name="../model.json"),
        lambda document: document["weights"][0].update(sha256="0" * 64),
        lambda document: document.update(nouns={"car": "nothing known"}),
        lambda document: document.update(nouns=[1]),
        lambda document: document.update(type="tercet/model@9"),
    ],
)
def test_a_description_that_leads_astray(
    tmp_path: Path, files: dict[str, bytes], change: Callable[[dict[str, Any]], None]
) -> None:
    with pytest.raises(IntegrityError, match="expected a whole model"):
        read_model(edited(tmp_path, files, change))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff" * 64,
        (2**63).to_bytes(8, "little") + b"{}",
        (60).to_bytes(8, "little")
        + b'{"a":{"dtype":"F16","shape":[9999999],"data_offsets":[0,2]}}',
        b"\0" * (SHARD_BYTES_MAX + 1),
    ],
    ids=range(5),
)
def test_shards_that_are_none_though_their_digest_fits(
    tmp_path: Path, files: dict[str, bytes], raw: bytes
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["weights"][0]["sha256"] = sha256_hex(raw)

    with pytest.raises(IntegrityError, match="expected a whole model"):
        read_model(edited(tmp_path, files | {SHARD: raw}, change))


def test_weights_of_another_model(tmp_path: Path, files: dict[str, bytes]) -> None:
    torch.manual_seed(2)
    shape = Shape("tiny", 32, 1, word_count=len(WORDS), owner_count=2)
    other = model_files("other", VideoTransformer(shape), WORDS, {})
    assert other[SHARD] != files[SHARD]
    with pytest.raises(IntegrityError, match="its SHA-256 is not"):
        read_model(written(tmp_path, files | {SHARD: other[SHARD]}))


def test_no_model_and_a_shard_that_is_gone(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(InputError, match="found no model"):
        read_model(tmp_path)
    written(tmp_path, files)
    (tmp_path / SHARD).unlink()
    with pytest.raises(IntegrityError, match="it is missing"):
        read_model(tmp_path)
    (tmp_path / SHARD).mkdir()
    with pytest.raises(IntegrityError, match="cannot be read"):
        read_model(tmp_path)


def test_the_description_is_canonical(files: dict[str, bytes]) -> None:
    assert canonical_json(json.loads(files["model.json"])) == files["model.json"]
