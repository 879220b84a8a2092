"""Ranks: the processes that share one training, each with its part of every batch.

torchrun starts them and tells each its number (RANK, WORLD_SIZE, LOCAL_RANK); without torchrun
there is one. Gradients are averaged over all (PyTorch's DistributedDataParallel).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tercet.core.errors import InputError

DEVICES = ("cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among ``count``; rank 0 writes everything that is written."""

    rank: int
    count: int
    device: str

    def part(self, batch: int) -> range:
        """Return which places of a batch are this rank's."""
        size = batch // self.count
        return range(self.rank * size, (self.rank + 1) * size)

    def gathered(self, own: list[Any]) -> list[Any]:
        """Return what all ranks have, in the order of ranks. Every rank must call this."""
        if self.count == 1:
            return own
        parts: list[list[Any]] = [[] for _ in range(self.count)]
        distributed.all_gather_object(parts, own)
        return [each for part in parts for each in part]

    def agreed(self, value: Any) -> Any:
        """Return what rank 0 says. Every rank must call this."""
        if self.count == 1:
            return value
        said = [value]
        distributed.broadcast_object_list(said, src=0)
        return said[0]

    def shared(self, model: nn.Module) -> nn.Module:
        """Return the model with its gradients averaged over all ranks."""
        return model if self.count == 1 else DistributedDataParallel(model)

    def leave(self) -> None:
        """Take leave of the other ranks."""
        if self.count > 1:
            distributed.destroy_process_group()


def join_ranks(device: str, batch: int) -> Ranks:
    """Return this process' place among the ranks; ``device`` "" means a GPU where there is one.

    Raises InputError when the device is not there, or a batch cannot be shared out evenly.
    """
    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if chosen == "cuda" and not torch.cuda.is_available():
        raise InputError("expected a GPU, PyTorch finds none", hint="train with --device cpu")
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if batch % count:
        raise InputError(
            f"expected a batch that {count} processes can share, got {batch}",
            hint=f"give a multiple of {count} with --batch",
        )
    if count > 1:
        if chosen == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group("nccl" if chosen == "cuda" else "gloo")
    return Ranks(rank, count, chosen)


def gpu_name() -> str:
    """Return the name of the GPU in use."""
    return str(torch.cuda.get_device_name())


def torch_version() -> str:
    """Return the version of PyTorch, with its build."""
    return str(torch.__version__)
