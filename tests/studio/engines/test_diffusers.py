"""Pipelines of diffusers, tiny and random: frames as ordered, stopped in time, never "cleared"."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tercet.core.errors import InputError, RefusedError, StoppedError, UncheckedError
from tercet.flows.generate import generate
from tercet.flows.generate_request import Request
from tercet.studio.engines import engines
from tercet.studio.engines.engine import Order, Origin, Progress, Rights, Shot

pytest.importorskip("diffusers")
pytest.importorskip("transformers")

from tiny_pipelines import PIPELINES, saved

from tercet.studio.engines.diffusers import DiffusersEngine, open_engine

SHOTS = (Shot("a red car", 0.25), Shot("a boat", 0.125))
FROM_TEXT = [name for name in PIPELINES if "Image" not in name]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("pipelines")
    return {name: saved(name, root / name) for name in PIPELINES}


@pytest.fixture
def wan(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A folder to be spoilt."""
    return shutil.copytree(folders["WanPipeline"], tmp_path / "wan")


def order(**changes: Any) -> Order:
    wanted: dict[str, Any] = {
        "shots": SHOTS, "width_px": 66, "height_px": 64, "frames_per_second": 8, "steps": 2,
    }  # fmt: skip
    return Order(**wanted | changes)


def pictures(engine: DiffusersEngine, wanted: Order) -> np.ndarray[Any, Any]:
    return np.stack([frame.picture for frame in engine.frames(wanted, lambda progress: None)])


@pytest.mark.parametrize("name", FROM_TEXT)
def test_frames_are_as_ordered_and_told_step_by_step(name: str, folders: dict[str, Path]) -> None:
    engine = open_engine(str(folders[name]), device="cpu")
    told: list[Progress] = []
    made = list(engine.frames(order(), told.append))
    assert [frame.picture.shape for frame in made] == [(64, 66, 3)] * 3
    assert all(frame.picture.dtype == np.uint8 for frame in made)
    assert engine.name == f"diffusers:{name}"
    assert engine.origin is Origin.GENERATED
    assert [(p.done, p.total) for p in told if p.preview is None] == [(i, 4) for i in (1, 2, 3, 4)]
    assert told[-1].preview is not None


@pytest.mark.parametrize("name", FROM_TEXT)
def test_a_seed_gives_the_same_frames_and_another_one_others(
    name: str, folders: dict[str, Path]
) -> None:
    first = pictures(open_engine(str(folders[name])), order(seed=3))
    assert np.array_equal(first, pictures(open_engine(str(folders[name])), order(seed=3)))
    assert not np.array_equal(first, pictures(open_engine(str(folders[name])), order(seed=4)))


def test_work_stops_at_the_next_step(folders: dict[str, Path]) -> None:
    told = 0

    def stop(progress: Progress) -> None:
        nonlocal told
        told += 1
        raise StoppedError("stopped")

    engine = open_engine(str(folders["WanPipeline"]))
    with pytest.raises(StoppedError):
        next(iter(engine.frames(order(steps=50), stop)))
    assert told == 1
    assert len(pictures(engine, order())) == 3, "it can be used again"


def test_a_pipeline_that_begins_with_a_picture_goes_on_from_the_last(
    folders: dict[str, Path],
) -> None:
    engine = open_engine(str(folders["LTXImageToVideoPipeline"]))
    first = pictures(engine, order(first_picture=np.zeros((64, 66, 3), np.uint8)))
    other = pictures(engine, order(first_picture=np.full((64, 66, 3), 255, np.uint8)))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[2:], other[2:]), "the second run began with the first's end"


def test_one_that_begins_with_text_refuses_a_picture(folders: dict[str, Path]) -> None:
    engine = open_engine(str(folders["WanPipeline"]))
    with pytest.raises(InputError, match="from text alone"):
        pictures(engine, order(first_picture=np.zeros((64, 66, 3), np.uint8)))


def test_weights_that_are_not_numbers_give_no_video(wan: Path) -> None:
    from safetensors.numpy import load_file, save_file

    file = wan / "transformer" / "diffusion_pytorch_model.safetensors"
    save_file({name: value * np.nan for name, value in load_file(file).items()}, file)
    with pytest.raises(UncheckedError, match="gave no pictures"):
        pictures(open_engine(str(wan)), order())


# Never "cleared works only"


def test_nothing_can_set_the_rights(folders: dict[str, Path]) -> None:
    engine = open_engine(str(folders["WanPipeline"]))
    for name in ("rights", "name", "origin"):
        with pytest.raises(AttributeError):
            setattr(engine, name, Rights.CLEARED)
        with pytest.raises(AttributeError):
            object.__setattr__(engine, name, Rights.CLEARED)
    assert not hasattr(engine, "__dict__")
    assert engine.rights is Rights.UNKNOWN
    assert engine.credits({"ab" * 32: 1}) == ()


def test_no_file_and_no_argument_can_set_the_rights(wan: Path) -> None:
    index = json.loads((wan / "model_index.json").read_text())
    claims = {"rights": "cleared works only", "_rights": "cleared works only", "name": "house"}
    (wan / "model_index.json").write_text(json.dumps(index | claims))
    (wan / "record.json").write_text(json.dumps({"type": "tercet/training-record@1"}))
    engine = engines.open_engine("diffusers", str(wan))
    assert engine.rights is Rights.UNKNOWN
    assert engine.name == "diffusers:WanPipeline"
    assert "training_record_sha256" not in engine.provenance()
    with pytest.raises(InputError, match="takes no rights"):
        engines.open_engine("diffusers", str(wan), rights="cleared works only")


def test_a_subclass_that_claims_more_is_refused(wan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Boasting(DiffusersEngine):
        @property
        def rights(self) -> Rights:
            return Rights.CLEARED

    boasting = Boasting(open_engine(str(wan))._pipeline, wan)
    monkeypatch.setattr("tercet.studio.engines.diffusers.open_engine", lambda source: boasting)
    with pytest.raises(RefusedError, match="may not claim"):
        engines.open_engine("diffusers", str(wan))
    with pytest.raises(RefusedError, match="may not claim"):
        generate(
            Request("a car", 1.0, 64, 64, 8, engine="diffusers", model=str(wan)),
            wan.parent / "out.mp4", lambda progress: None, engine=boasting,
        )  # fmt: skip


def test_the_mark_stands_on_everything_that_is_written(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    request = Request(
        "a red car", 0.5, 64, 64, 8, engine="diffusers", model=str(folders["WanPipeline"]), steps=2
    )
    made = generate(request, tmp_path / "out.mp4", lambda progress: None, key_path=tmp_path / "key")
    assert made.rights is Rights.UNKNOWN
    assert made.document()["rights"] == "base model: rights unknown"
    credited = json.loads((tmp_path / "out.credits.json").read_text())
    assert credited["rights"] == "base model: rights unknown"
    assert credited["engine"] == "diffusers:WanPipeline"
    assert credited["credits"] == []
    assert b"base model: rights unknown" in (tmp_path / "out.mp4").read_bytes()
    for file in made.files:
        assert b"cleared works only" not in file.read_bytes(), file


# What a folder may hold


def spoil(folder: Path, **changes: object) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | changes))


@pytest.mark.parametrize(
    "component",
    [["os", "system"], ["subprocess", "Popen"], ["my_code", "Model"], ["diffusers"], ["", ""],
     ["diffusers.loaders", "X"], ["../x", "Y"], [None, "X"], [["diffusers"], "X"]],
)  # fmt: skip
def test_a_component_of_another_library_is_not_imported(wan: Path, component: object) -> None:
    spoil(wan, vae=component)
    with pytest.raises(InputError, match="the component vae"):
        open_engine(str(wan))


@pytest.mark.parametrize("name", [["pipeline", "Mine"], "os.system", "", None, 3, "x" * 200])
def test_a_pipeline_of_its_own_code_is_not_run(wan: Path, name: object) -> None:
    spoil(wan, _class_name=name)
    with pytest.raises(InputError, match="names no class"):
        open_engine(str(wan))


@pytest.mark.parametrize("name", ["StableDiffusionPipeline", "AutoencoderKLWan", "NoSuchPipeline",
                                  "logging"])  # fmt: skip
def test_a_class_that_makes_no_videos_is_refused(wan: Path, name: str) -> None:
    spoil(wan, _class_name=name)
    with pytest.raises(InputError, match="no text-to-video pipeline"):
        open_engine(str(wan))


def test_code_in_the_folder_is_refused(wan: Path) -> None:
    (wan / "transformer" / "my_model.py").write_text("raise SystemExit('was run')")
    with pytest.raises(InputError, match="code of its own"):
        open_engine(str(wan))


def test_pickled_weights_are_not_read(wan: Path) -> None:
    import torch

    (wan / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save({}, wan / "vae" / "diffusion_pytorch_model.bin")
    with pytest.raises(InputError, match="cannot be loaded"):
        open_engine(str(wan))


def test_torn_weights_are_an_error_of_input(wan: Path) -> None:
    file = wan / "transformer" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be loaded"):
        open_engine(str(wan))


def test_a_missing_component_is_an_error_of_input(wan: Path) -> None:
    shutil.rmtree(wan / "text_encoder")
    with pytest.raises(InputError, match="cannot be loaded"):
        open_engine(str(wan))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff"])
def test_an_index_that_is_none(wan: Path, raw: bytes) -> None:
    (wan / "model_index.json").write_bytes(raw)
    with pytest.raises(InputError):
        open_engine(str(wan))


def test_no_folder_and_no_hub_name_is_taken(tmp_path: Path) -> None:
    for source in ("", str(tmp_path), "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", str(tmp_path / "none")):
        with pytest.raises(InputError) as caught:
            open_engine(source)
        assert "model_index.json" in caught.value.hint


def test_devices_are_known_and_there(wan: Path) -> None:
    import torch

    with pytest.raises(InputError, match="expected a device"):
        open_engine(str(wan), device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA device"):
            open_engine(str(wan), device="cuda")


# LoRA weights


def lora_file(folder: Path, name: str, to: Path, *, scale: float = 0.5) -> Path:
    """Write random LoRA weights for a pipeline, as diffusers' own training scripts do."""
    import torch
    from diffusers import DiffusionPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipeline: Any = DiffusionPipeline.from_pretrained(str(folder), local_files_only=True)
    pipeline.transformer.add_adapter(
        LoraConfig(r=2, lora_alpha=2, init_lora_weights=False, target_modules=["to_q", "to_v"])
    )
    torch.manual_seed(1)
    layers = {
        key: torch.randn_like(value) * scale
        for key, value in get_peft_model_state_dict(pipeline.transformer).items()
    }
    type(pipeline).save_lora_weights(str(to), transformer_lora_layers=layers, weight_name=name)
    return to / name


def test_lora_weights_change_the_frames_and_not_the_rights(wan: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    file = lora_file(wan, "mine.safetensors", tmp_path)
    plain, tuned = open_engine(str(wan)), open_engine(str(wan), lora=str(file))
    assert not np.array_equal(pictures(plain, order()), pictures(tuned, order()))
    assert tuned.rights is Rights.UNKNOWN
    assert tuned.provenance()["model"].endswith("+ mine.safetensors")
    assert tuned.provenance()["checkpoint_sha256"] != plain.provenance()["checkpoint_sha256"]


def test_lora_weights_of_another_model_are_refused(
    folders: dict[str, Path], wan: Path, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    from safetensors.numpy import save_file

    file = lora_file(folders["LTXPipeline"], "ltx.safetensors", tmp_path)
    with pytest.raises(InputError, match="LoRA weights"):
        open_engine(str(wan), lora=str(file))
    save_file({"something": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="LoRA weights"):
        open_engine(str(wan), lora=str(tmp_path / "other.safetensors"))


@pytest.mark.parametrize("name", ["none.safetensors", "lora.bin", "lora.pt"])
def test_lora_weights_are_a_safetensors_file(wan: Path, tmp_path: Path, name: str) -> None:
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match="LoRA weights"):
        open_engine(str(wan), lora=str(tmp_path / name))
