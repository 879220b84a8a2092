"""Learning an adapter: low-rank weights on the attention of a frozen text-to-video pipeline.

LoRA (arXiv 2106.09685) beside the projections of every attention layer, learned by flow matching
(arXiv 2210.02747) as the base model was: noise and latents are mixed along a straight line, and
the velocity from one to the other is predicted. Noise levels are logit-normal and shifted towards
noise (arXiv 2403.03206, sections 3.1 and 5.3.2). What a step draws follows from seed and step.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.core.ids import sha256_hex
from tercet.studio.adapter_base import ADAPTER_TYPE, BASE_MARK
from tercet.studio.engines.diffusers import loaded_pipeline
from tercet.studio.training import Batch, Settings, rate_factor

ADAPTER_FILE = "adapter.safetensors"
TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
REMEMBERED_BYTES = 2 * 1024**3  # of latents and embedded captions
_TEXT_TOKENS = 512  # as the pipeline itself reads prompts
_NOISE_STEPS = 1000  # what the transformer calls a level of 1


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """What the training of an adapter is told. ``steps`` is where the rate reaches zero."""

    steps: int
    seed: int = 0
    rank: int = 16
    rate: float = 1e-4
    warm_part: float = 0.05
    cool_part: float = 0.3
    caption_dropout: float = 0.1
    level_shift: float = 3.0

    def fields(self) -> dict[str, Any]:
        """Return the settings for a JSON document."""
        return asdict(self)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: up, level, and down to zero."""
        warm = int(self.warm_part * self.steps)
        course = Settings(steps=self.steps, warm_steps=warm, cool_part=self.cool_part)
        return self.rate * rate_factor(step, course)


class AdapterLearner:
    """An adapter in training, on a pipeline whose own weights stay as they are."""

    def __init__(self, pipeline: Any, settings: AdapterSettings, *, device: str = "cpu") -> None:
        """Raises InputError for a pipeline of two transformers, or with a level for each token."""
        _check(pipeline)
        from peft import LoraConfig

        torch.manual_seed(settings.seed)
        self.pipeline, self.settings = pipeline, settings
        self.device = torch.device(device)
        for part in (pipeline.vae, pipeline.text_encoder, pipeline.transformer):
            part.requires_grad_(False).eval()
        self.model: Any = pipeline.transformer
        self._type: torch.dtype = self.model.dtype
        self.model.add_adapter(
            LoraConfig(r=settings.rank, lora_alpha=settings.rank, target_modules=list(TARGETS))
        )
        self.weights: dict[str, nn.Parameter] = {
            name: part for name, part in self.model.named_parameters() if part.requires_grad
        }
        for part in self.weights.values():
            part.data = part.data.float()  # steps are too small for sixteen bits
        if self.device.type == "cuda":
            self.model.enable_gradient_checkpointing()
        self.optimizer = torch.optim.AdamW(self.weights.values(), lr=0.0, weight_decay=0.01)
        self.steps_done = 0
        self._remembered = _Remembered(REMEMBERED_BYTES)

    def step(self, batch: Batch, model: Callable[..., Any] | None = None) -> float:
        """Learn from one batch, clip by clip, and return its loss."""
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.steps_done)
        losses = []
        for clip, caption in zip(batch.clips, batch.captions, strict=True):
            unsaid = float(torch.rand((), generator=generator)) < self.settings.caption_dropout
            loss = self.loss(clip, "" if unsaid else caption, generator, model)
            (loss / len(batch.clips)).backward()
            losses.append(float(loss.detach()))
        nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate_at(self.steps_done)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.steps_done += 1
        return sum(losses) / len(losses)

    def loss(
        self,
        clip: NDArray[np.uint8],
        caption: str,
        generator: torch.Generator,
        model: Callable[..., Any] | None = None,
    ) -> Tensor:
        """Return the mean squared error of the velocity at a level and noise from ``generator``.

        ``clip`` is RGB (frames, height, width, 3); the number of frames is 4 k + 1.
        """
        clean, words = self._latents(clip), self._words(caption)
        level = self._level(generator)
        noise = torch.randn(clean.shape, generator=generator).to(self.device)
        mixed = (1 - level) * clean + level * noise
        guess = (model or self.model)(
            hidden_states=mixed.to(self._type),
            timestep=torch.tensor([level * _NOISE_STEPS], device=self.device),
            encoder_hidden_states=words,
            return_dict=False,
        )[0]
        return (guess.float() - (noise - clean)).square().mean()

    def _level(self, generator: torch.Generator) -> float:
        level = float(torch.randn((), generator=generator).sigmoid())
        shift = self.settings.level_shift
        return shift * level / (1 + (shift - 1) * level)

    def _latents(self, clip: NDArray[np.uint8]) -> Tensor:
        """Return a clip as the transformer sees it: (1, channels, frames, height, width)."""
        key = hashlib.sha256(f"{clip.shape}".encode() + clip.tobytes()).hexdigest()
        return self._remembered.get(key, lambda: self._encoded(clip)).to(self.device)

    @torch.no_grad()
    def _encoded(self, clip: NDArray[np.uint8]) -> Tensor:
        vae = self.pipeline.vae
        pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        found = vae.encode(pixels.to(self.device, vae.dtype)).latent_dist.mode().float().cpu()
        mean, deviation = (
            torch.tensor(values).view(1, -1, 1, 1, 1)
            for values in (vae.config.latents_mean, vae.config.latents_std)
        )
        latents: Tensor = (found - mean) / deviation
        return latents

    def _words(self, caption: str) -> Tensor:
        return self._remembered.get(f"words {caption}", lambda: self._read(caption)).to(self.device)

    @torch.no_grad()
    def _read(self, caption: str) -> Tensor:
        words: Tensor = self.pipeline.encode_prompt(
            caption,
            do_classifier_free_guidance=False,
            max_sequence_length=_TEXT_TOKENS,
            device=self.device,
            dtype=self._type,
        )[0]
        return words.cpu()

    def save(self, path: Path) -> None:
        """Write everything a later `load` needs to go on as if nothing had happened."""
        state = {name: part.data for name, part in self.weights.items()}
        torch.save(
            {
                "steps_done": self.steps_done,
                "weights": state,
                "optimizer": self.optimizer.state_dict(),
            },
            path,
        )

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        kept = torch.load(path, map_location=self.device, weights_only=True)
        if kept["weights"].keys() != self.weights.keys():
            raise ValueError("its adapter is of another model")
        for name, part in self.weights.items():
            part.data.copy_(kept["weights"][name])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.steps_done = kept["steps_done"]

    def files(self, name: str, base: dict[str, Any]) -> dict[str, bytes]:
        """Return the files of the adapter by name: weights as diffusers loads them, `model.json`.

        ``base`` is the entry of the base model, as `base_entry` gives it.
        """
        from peft.utils import get_peft_model_state_dict
        from safetensors.torch import save

        state = get_peft_model_state_dict(self.model)
        raw = save({f"transformer.{key}": part.cpu().contiguous() for key, part in state.items()})
        document = {
            "type": ADAPTER_TYPE,
            "name": name,
            "rights": BASE_MARK,
            "base": {"pipeline": base["pipeline"], "sha256": base["sha256"]},
            "rank": self.settings.rank,
            "weights": [{"name": ADAPTER_FILE, "bytes": len(raw), "sha256": sha256_hex(raw)}],
        }
        return {ADAPTER_FILE: raw, "model.json": canonical_json(document)}


def open_learner(
    folder: Path, class_name: str, settings: AdapterSettings, device: str
) -> AdapterLearner:
    """Return a new adapter on the pipeline in a folder. Raises InputError if it does not load."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when the library is imported
    return AdapterLearner(loaded_pipeline(folder, class_name, device), settings, device=device)


def _check(pipeline: Any) -> None:
    several = getattr(pipeline, "transformer_2", None) is not None or pipeline.transformer is None
    if several or pipeline.config.get("expand_timesteps"):
        raise InputError(
            "adapters are trained on Wan pipelines of one transformer and one noise level",
            hint="take Wan 2.1; those of 2.2 have two, or a level for each token",
        )


class _Remembered:
    """The results last asked for, by key, as many as ``bytes_max`` has room for."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max, self._bytes = bytes_max, 0
        self._found: OrderedDict[str, Tensor] = OrderedDict()

    def get(self, key: str, make: Callable[[], Tensor]) -> Tensor:
        """Return what is remembered for ``key``, or what ``make`` gives."""
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        made = make()
        self._found[key] = made
        self._bytes += made.nbytes
        while self._bytes > self._bytes_max:
            self._bytes -= self._found.popitem(last=False)[1].nbytes
        return made
