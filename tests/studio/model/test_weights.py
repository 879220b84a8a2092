"""A model on disk: it comes back as it was, in small shards; a damaged one is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from tercet.core.errors import InputError, IntegrityError
from tercet.core.ids import sha256_hex
from tercet.studio.model import weights
from tercet.studio.model.size import WIDTH_AND_DEPTH, Shape, shape_of
from tercet.studio.model.transformer import VideoTransformer
from tercet.studio.model.weights import model_files, read_model
from tercet.studio.model.words import Vocabulary

WORDS = Vocabulary.of(["a red car drives"])
SMALL = Shape("tiny", 32, 1, frame_count=4, side_px=16, word_count=len(WORDS), owner_count=2)


def written(folder: Path, shape: Shape = SMALL, seed: int = 0) -> VideoTransformer:
    torch.manual_seed(seed)
    network = VideoTransformer(shape)
    for name, raw in model_files("tiny", network, WORDS, {"car": "vehicle"}).items():
        (folder / name).write_bytes(raw)
    return network


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "model.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def test_a_model_comes_back(tmp_path: Path) -> None:
    network = written(tmp_path)
    model = read_model(tmp_path)
    assert (model.name, model.vocabulary, model.nouns) == ("tiny", WORDS, {"car": "vehicle"})
    assert model.network.shape == SMALL
    assert model.sha256 == sha256_hex((tmp_path / "model.json").read_bytes())
    was, now = network.state_dict(), model.network.state_dict()
    assert list(was) == list(now)
    for key, part in was.items():
        assert torch.equal(part.half().float(), now[key]), key
        # half precision keeps 11 significant bits, and 2^-24 near zero
        assert torch.all((part - now[key]).abs() <= part.abs() * 2**-11 + 2**-24), key


def test_writing_what_was_read_gives_the_same_bytes(tmp_path: Path) -> None:
    written(tmp_path)
    model = read_model(tmp_path)
    again = model_files(model.name, model.network, model.vocabulary, model.nouns)
    assert {name: (tmp_path / name).read_bytes() for name in again} == again


def test_shards_keep_to_their_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "SHARD_BYTES_MAX", 110_000)
    network = written(tmp_path)
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) > 2
    assert [shard.name for shard in shards] == [
        f"weights-{at:05}-of-{len(shards):05}.safetensors" for at in range(1, len(shards) + 1)
    ]
    assert max(shard.stat().st_size for shard in shards) <= 110_000
    found = read_model(tmp_path).network.state_dict()
    assert all(torch.equal(found[k], v.half().float()) for k, v in network.state_dict().items())


@pytest.mark.parametrize("size", WIDTH_AND_DEPTH)
def test_no_single_tensor_outgrows_a_shard(size: str) -> None:
    """The shards of every size fit in 16 MiB, with thousands of words and owners."""
    with torch.device("meta"):
        network = VideoTransformer(shape_of(size, word_count=8000, owner_count=8000))
    largest = max(part.numel() * 2 for part in network.state_dict().values())
    assert largest + weights._HEADER_BYTES <= 16 * 1024 * 1024


def test_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no model\.json"):
        read_model(tmp_path)


def test_a_missing_shard(tmp_path: Path) -> None:
    written(tmp_path)
    next(tmp_path.glob("*.safetensors")).unlink()
    with pytest.raises(IntegrityError, match="it is missing"):
        read_model(tmp_path)


@pytest.mark.parametrize("at", [0, 9, 500, -1])
def test_a_flipped_bit(tmp_path: Path, at: int) -> None:
    written(tmp_path)
    path = next(tmp_path.glob("*.safetensors"))
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    with pytest.raises(IntegrityError, match="SHA-256"):
        read_model(tmp_path)


def test_swapped_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "SHARD_BYTES_MAX", 110_000)
    written(tmp_path)
    first, second = sorted(tmp_path.glob("*.safetensors"))[:2]
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)
    with pytest.raises(IntegrityError, match="SHA-256"):
        read_model(tmp_path)


def test_a_shard_of_the_right_digest_that_holds_no_weights(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "other").write_bytes(b"no tensors at all")
    listed = {"name": "other", "bytes": 17, "sha256": sha256_hex(b"no tensors at all")}
    edit(tmp_path, lambda document: document.update(weights=[listed]))
    with pytest.raises(IntegrityError, match="no tensors"):
        read_model(tmp_path)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path: Path, bad: float) -> None:
    network = written(tmp_path)
    state = {key: part.half() for key, part in network.state_dict().items()}
    state["place"][0, 0] = bad
    raw = save(state)
    path = next(tmp_path.glob("*.safetensors"))
    path.write_bytes(raw)
    edit(tmp_path, lambda document: document["weights"][0].update(sha256=sha256_hex(raw)))
    with pytest.raises(IntegrityError, match="no numbers"):
        read_model(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(type="tercet/clips@1"),
        lambda document: document.pop("words"),
        lambda document: document["shape"].update(width=64),
        lambda document: document["shape"].update(width="wide"),
        lambda document: document["shape"].update(patch_px=0),
        lambda document: document["shape"].update(colour="red"),
        lambda document: document.update(weights=[]),
        lambda document: document["weights"][0].pop("sha256"),
    ],
)
def test_a_description_of_another_model(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    written(tmp_path)
    edit(tmp_path, change)
    with pytest.raises(IntegrityError, match="expected a whole model"):
        read_model(tmp_path)


def test_a_name_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    """Of a shard's name only its last part counts: nothing outside the folder is read."""
    (tmp_path / "model").mkdir()
    written(tmp_path / "model")
    shard = next((tmp_path / "model").glob("*.safetensors"))
    shard.rename(tmp_path / shard.name)
    edit(tmp_path / "model", lambda found: found["weights"][0].update(name=f"../{shard.name}"))
    with pytest.raises(IntegrityError, match="missing"):
        read_model(tmp_path / "model")
