"""The Fréchet distance between two sets of features, and what it is when nothing is wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tercet.core.errors import InputError

Features = NDArray[np.float64]  # (clips, width)


def frechet_distance(first: Features, second: Features) -> float:
    """Return the squared Fréchet distance between normal distributions fitted to two sets.

    |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)), Dowson & Landau 1982, as in FID (Heusel et al.,
    arXiv 1706.08500) and FVD (Unterthiner et al., arXiv 1812.01717). It is relative to its
    features: numbers of other features are not to be compared with it. Few clips give a larger
    distance, so that sets to be compared with one another must be of one size.

    Raises `InputError` for sets of fewer than two clips or of different widths.
    """
    _check(first, second)
    mean = first.mean(0) - second.mean(0)
    covariance_1, covariance_2 = _covariance(first), _covariance(second)
    root = _square_root(covariance_1)
    inner = np.linalg.eigvalsh(root @ covariance_2 @ root)
    cross = np.sqrt(np.clip(inner, 0.0, None)).sum()
    spread = float(np.trace(covariance_1) + np.trace(covariance_2) - 2.0 * cross)
    return max(0.0, float(mean @ mean) + spread)


def _check(first: Features, second: Features) -> None:
    for features in (first, second):
        if features.ndim != 2 or len(features) < 2:
            raise InputError(
                f"expected features of two clips or more, got an array {features.shape}",
                hint="measure with more samples",
            )
    if first.shape[1] != second.shape[1]:
        raise InputError(f"expected features of one width, got {first.shape} and {second.shape}")


def _covariance(features: Features) -> Features:
    return np.atleast_2d(np.cov(features.astype(np.float64), rowvar=False))


def _square_root(covariance: Features) -> Features:
    """Return the symmetric root of a covariance."""
    values, vectors = np.linalg.eigh(covariance)
    root: Features = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return root
