"""What an edit is, whatever the medium: a name, a strength, and how it is made, by a fixed seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 20261122


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit at one strength.

    ``make`` takes the original, a generator of random numbers and an unrelated original, and
    returns what is to be identified. ``listed``: it is on the list that the stated targets are
    about. ``strict``: it is left out of the worst edit, as the targets do with blends.
    """

    name: str
    strength: str
    make: Callable[[Any, np.random.Generator, Any], Any]
    listed: bool = False
    strict: bool = True

    @property
    def title(self) -> str:
        """Return name and strength in one."""
        return f"{self.name} {self.strength}".strip()


def generator_for(edit: str, item: str) -> np.random.Generator:
    """Return the random numbers of one edit of one item: the same in every run."""
    return np.random.default_rng([SEED, zlib.crc32(f"{edit}\0{item}".encode())])
