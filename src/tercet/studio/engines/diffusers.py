"""Any text-to-video pipeline of diffusers, from a local folder. Base model: rights unknown.

Nobody outside can say which works Wan, LTX, Hunyuan or CogVideoX have learned from, and LoRA
weights on top change nothing about that: the mark of this engine is a fact of its class.
Nothing is fetched, no code in a model's folder is run, and weights are read from safetensors only.
"""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tercet.core.credit import Credit
from tercet.core.errors import InputError, TercetError, UncheckedError
from tercet.studio.engines.diffusers_folder import checked_folder, checked_lora, weights_sha256
from tercet.studio.engines.engine import Frame, Order, Origin, Picture, Progress, Report, Rights
from tercet.studio.engines.segments import Segment, segments_of

_SIDE_MULTIPLE_PX = 32  # what every video model of diffusers can make
_TEMPORAL_RATIO = 4
_FRAMES_MAX = 81  # of one run, where the pipeline's own default says nothing
_RATE = 16
# Frames a second that the models of a family were trained on, by the beginning of the class name:
# each model's own card.
_RATES = (
    ("CogVideoX", 8), ("Latte", 8), ("Allegro", 15), ("Wan", 16), ("Sana", 16), ("LTX2", 24),
    ("LTX", 25), ("Hunyuan", 24), ("SkyReels", 24), ("Kandinsky", 24), ("Mochi", 30),
    ("Cosmos", 30),
)  # fmt: skip
_RUN_FRAMES_MAX = {"CogVideoX": 49, "LTX2": 121, "Mochi": 85}
DEVICES = ("cpu", "cuda")


def open_engine(source: str, *, lora: str = "", device: str = "") -> DiffusersEngine:
    """Return the engine for the pipeline in the folder ``source``, with LoRA weights if given.

    Raises InputError for a folder that holds no text-to-video pipeline of diffusers, one that
    wants code of its own to be run, weights that are no safetensors, or an unknown device.
    """
    folder, class_name = checked_folder(source)
    weights = checked_lora(lora) if lora else None
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when the library is imported
    import torch

    if device and device not in DEVICES:
        raise InputError(f"expected a device of {', '.join(DEVICES)}, got {device[:80]!r}")
    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if chosen == "cuda" and not torch.cuda.is_available():
        raise InputError("there is no CUDA device", hint="leave out --device")
    pipeline = loaded_pipeline(folder, class_name, chosen)
    if weights is not None:
        _add_lora(pipeline, weights)
    return DiffusersEngine(pipeline, folder, weights)


class DiffusersEngine:
    """A pipeline of diffusers as an engine. Its rights cannot be set: they are a fact."""

    __slots__ = ("_folder", "_lora", "_parameters", "_pipeline", "_provenance")

    def __init__(self, pipeline: Any, folder: Path, lora: Path | None = None) -> None:
        self._pipeline, self._folder, self._lora = pipeline, folder, lora
        self._parameters: Mapping[str, inspect.Parameter] = MappingProxyType(
            dict(inspect.signature(type(pipeline).__call__).parameters)
        )
        self._provenance: Mapping[str, str] = MappingProxyType({})

    @property
    def name(self) -> str:
        """`diffusers:` and the pipeline's class."""
        return f"diffusers:{type(self._pipeline).__name__}"

    @property
    def rights(self) -> Rights:
        """Always unknown: whoever trained the base model keeps the list of works."""
        return Rights.UNKNOWN

    @property
    def origin(self) -> Origin:
        """Always generated."""
        return Origin.GENERATED

    def credits(self, pixels_by_work: Mapping[str, int]) -> tuple[Credit, ...]:
        """Return no credits: there is nobody who could be named."""
        return ()

    def provenance(self) -> Mapping[str, str]:
        """Return the pipeline's class and folder, and one digest over all its weights."""
        if not self._provenance:
            added = f" + {self._lora.name}" if self._lora else ""
            files = [*sorted(self._folder.rglob("*.safetensors")), *filter(None, [self._lora])]
            self._provenance = MappingProxyType(
                {
                    "model": f"{type(self._pipeline).__name__} {self._folder.name}{added}",
                    "checkpoint_sha256": weights_sha256(files),
                }
            )
        return self._provenance

    def frames(self, order: Order, report: Report) -> Iterator[Frame]:
        """Yield the frames; each shot is made in runs of the model's own length.

        A pipeline that begins with a picture continues from the last one; others begin each run
        anew. Raises InputError for what the pipeline cannot do, UncheckedError for pictures that
        are none, or not enough memory.
        """
        self._check(order)
        segments = segments_of(order, self._run_s())
        picture = order.first_picture
        if order.earlier:
            picture = order.earlier[-1]
        for at, segment in enumerate(segments):
            made = self._run(order, segment, picture, _Steps(report, at, len(segments)))
            for frame in self._resampled(made, segment, order):
                picture = frame
                yield Frame(frame)

    def _check(self, order: Order) -> None:
        begins = order.first_picture is not None or bool(order.earlier)
        wants_picture = "image" in self._parameters
        if begins and not wants_picture:
            raise InputError(
                f"{self.name} makes videos from text alone",
                hint="leave out the picture, or use an image-to-video pipeline",
            )
        needed = wants_picture and self._parameters["image"].default is inspect.Parameter.empty
        if needed and not begins:
            raise InputError(f"{self.name} begins with a picture", hint="give --input PICTURE")
        if order.negative_prompt and "negative_prompt" not in self._parameters:
            raise InputError(f"{self.name} takes no negative prompt", hint="leave it out")
        if order.guidance and "guidance_scale" not in self._parameters:
            raise InputError(f"{self.name} takes no guidance", hint="leave it out")

    def _family(self, facts: Mapping[str, int], default: int) -> int:
        name = type(self._pipeline).__name__
        return next((value for start, value in facts.items() if name.startswith(start)), default)

    def _rate(self) -> int:
        return self._family(dict(_RATES), _RATE)

    def _run_s(self) -> float:
        """Return how many seconds one run of the model lasts."""
        default = self._parameters[self._length_name()].default
        frames = default if isinstance(default, int) else _FRAMES_MAX
        return self._family(_RUN_FRAMES_MAX, frames) / self._rate()

    def _length_name(self) -> str:
        return next(name for name in LENGTH_NAMES if name in self._parameters)

    def _run(
        self, order: Order, segment: Segment, picture: Picture | None, steps: _Steps
    ) -> NDArray[np.float32]:
        """Return the pictures of one run: (frames, height, width, 3), 0 to 1."""
        import torch

        wanted = self._wanted(order, segment, picture)
        wanted["generator"] = torch.Generator("cpu").manual_seed(
            (order.seed + segment.index) % 2**63
        )
        if "callback_on_step_end" in self._parameters:
            wanted["callback_on_step_end"] = steps.told
        try:
            made = self._pipeline(**wanted).frames[0]
        except TercetError:
            raise
        except torch.OutOfMemoryError as error:
            raise UncheckedError(
                f"{self.name} ran out of memory", hint="ask for a smaller size"
            ) from error
        except (ValueError, RuntimeError, TypeError) as error:
            raise UncheckedError(
                f"{self.name} failed: {_first_line(error)}", hint="another size may do"
            ) from error
        pictures = np.asarray(made, np.float32)
        if pictures.ndim != 4 or pictures.shape[-1] != 3 or not np.isfinite(pictures).all():
            raise UncheckedError(f"{self.name} gave no pictures", hint="are its weights whole?")
        steps.ended(_small(pictures[0]))
        return pictures

    def _wanted(self, order: Order, segment: Segment, picture: Picture | None) -> dict[str, Any]:
        """Return the arguments of one run; what is not ordered is left to the pipeline."""
        ratio = next(
            (
                int(getattr(self._pipeline, name))
                for name in ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
                if hasattr(self._pipeline, name)
            ),
            _TEMPORAL_RATIO,
        )
        needed = max(1, -(-segment.frame_count * self._rate() // order.frames_per_second))
        values: dict[str, Any] = {
            "prompt": segment.prompt,
            "negative_prompt": order.negative_prompt,
            "width": _rounded_up(order.width_px),
            "height": _rounded_up(order.height_px),
            self._length_name(): -(-max(needed - 1, ratio) // ratio) * ratio + 1,
            "frame_rate": self._rate(),
            "fps": self._rate(),
            "num_inference_steps": order.steps,
            "guidance_scale": order.guidance,
            "max_sequence_length": self._text_length(),
            "output_type": "np",
        }
        if picture is not None and "image" in self._parameters:
            from PIL import Image

            values["image"] = Image.fromarray(picture)
        return {name: value for name, value in values.items() if value and name in self._parameters}

    def _text_length(self) -> int:
        """Return the length of prompts in tokens where the model fixes it, else 0."""
        config = getattr(getattr(self._pipeline, "transformer", None), "config", {})
        return int(config.get("max_text_seq_length", 0) or 0)

    def _resampled(
        self, made: NDArray[np.float32], segment: Segment, order: Order
    ) -> Iterator[Picture]:
        """Yield the ordered frames: the nearest one in time, cut around the middle."""
        for at in range(segment.frame_count):
            source = min(round(at * self._rate() / order.frames_per_second), len(made) - 1)
            yield _cut(made[source], order.width_px, order.height_px)


LENGTH_NAMES = ("num_frames", "video_length", "frames")


class _Steps:
    """Counts denoising steps over all runs, and passes them on."""

    def __init__(self, report: Report, run: int, runs: int) -> None:
        self._report, self._run, self._runs = report, run, runs
        self._steps = 1

    def told(self, pipeline: Any, step: int, timestep: Any, values: Any) -> Any:
        """Take what diffusers calls at each step's end; whatever ``report`` raises passes."""
        self._steps = int(getattr(pipeline, "num_timesteps", 0) or step + 1)
        done = min(step + 1, self._steps)
        self._report(Progress(self._run * self._steps + done, self._runs * self._steps))
        return {}

    def ended(self, preview: Picture) -> None:
        """A run has ended; ``preview`` is its first picture, small."""
        total = self._runs * self._steps
        self._report(Progress((self._run + 1) * self._steps, total, preview))


def loaded_pipeline(folder: Path, class_name: str, device: str) -> Any:
    """Return the pipeline on its device. Raises InputError for whatever does not load."""
    import diffusers
    import torch

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    found: Any = getattr(diffusers, class_name, None)
    parameters = inspect.signature(found.__call__).parameters if inspect.isclass(found) else {}
    if "prompt" not in parameters or not any(name in parameters for name in LENGTH_NAMES):
        raise InputError(
            f"{class_name[:80]} is no text-to-video pipeline of diffusers {diffusers.__version__}",
            hint="for example WanPipeline, LTXPipeline, HunyuanVideoPipeline, CogVideoXPipeline",
        )
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
            pipeline = found.from_pretrained(
                str(folder),
                dtype=torch.bfloat16 if device == "cuda" else torch.float32,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
    except Exception as error:  # libraries raise what they like; the folder is the caller's input
        raise InputError(
            f"the pipeline in {folder} cannot be loaded: {_first_line(error)}",
            hint="fetch it again with all its components, weights as safetensors",
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def _add_lora(pipeline: Any, weights: Path) -> None:
    """Put LoRA weights on the pipeline. Raises InputError where they change nothing."""
    try:
        pipeline.load_lora_weights(
            str(weights.parent), weight_name=weights.name, local_files_only=True,
            use_safetensors=True,
        )  # fmt: skip
        adapters = pipeline.get_list_adapters()
    except Exception as error:  # as above
        raise InputError(
            f"the LoRA weights {weights} do not fit {type(pipeline).__name__}:"
            f" {_first_line(error)}",
            hint="they were trained for another model; loading them needs the package peft",
        ) from error
    if not adapters:
        raise InputError(
            f"the LoRA weights {weights} change nothing in {type(pipeline).__name__}",
            hint="they were trained for another model",
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


def _rounded_up(side_px: int) -> int:
    return -(-side_px // _SIDE_MULTIPLE_PX) * _SIDE_MULTIPLE_PX


def _small(picture: NDArray[np.float32]) -> Picture:
    step = max(1, max(picture.shape[:2]) // 256)
    return _bytes(picture[::step, ::step])


def _bytes(picture: NDArray[np.float32]) -> Picture:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _cut(picture: NDArray[np.float32], width_px: int, height_px: int) -> Picture:
    """Return the middle of a picture that was made larger than ordered."""
    top = max(0, picture.shape[0] - height_px) // 2
    left = max(0, picture.shape[1] - width_px) // 2
    return np.ascontiguousarray(_bytes(picture[top : top + height_px, left : left + width_px]))
