"""How much of an item a work makes up, and regions as the fields of durable documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tercet.consent.fingerprints.fingerprint import Array, Region

_GRID = 100  # points a side at which a picture is tried
_WHOLE = 1000
_FURTHEST = 1e9  # seconds or picture widths: what lies beyond is said to lie there


def covers_per_mille(regions: Sequence[Region], length: float) -> int:
    """Return how much of an item ``regions`` make up, in thousandths, never rounded up.

    ``length`` is the item's seconds or characters, 0 for a still picture. A region without a
    place of a kind is the whole of that kind: no quad is the whole picture, no range all of it.
    Where pictures move, each region counts for its time and its area.
    """
    if not regions:
        return 0
    if length <= 0:
        return int(_area([region.quad for region in regions]) * _WHOLE)
    edges = sorted({edge for region in regions for edge in _range(region, length)})
    total = 0.0
    for start, end in pairwise(edges):
        quads = [r.quad for r in regions if _range(r, length)[0] <= start < _range(r, length)[1]]
        total += (end - start) * _area(quads)
    return max(0, min(_WHOLE, int(total / length * _WHOLE + 1e-6)))


def _range(region: Region, length: float) -> tuple[float, float]:
    start = region.start_s if region.start_s is not None else region.start_character
    end = region.end_s if region.end_s is not None else region.end_character
    bounds = (start or 0.0, length if end is None else end)
    return max(0.0, min(bounds[0], length)), max(0.0, min(bounds[1], length))


def _area(quads: Iterable[tuple[tuple[float, float], ...]]) -> float:
    """Return the share of a picture that lies in any of ``quads``."""
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(steps, steps)
    inside = np.zeros((_GRID, _GRID), bool)
    found = False
    for quad in quads:
        found = True
        inside |= _inside(quad, x, y) if quad else True
    return float(inside.mean()) if found else 0.0


def _inside(quad: Sequence[tuple[float, float]], x: Array, y: Array) -> Array:
    """Return which points lie in a polygon, by counting crossings."""
    odd = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(quad, [*quad[1:], quad[0]], strict=True):
        if ay == by:
            continue
        crosses = (y < ay) != (y < by)
        odd ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return odd


def region_fields(region: Region) -> dict[str, Any]:
    """Return a region as JSON fields without floats; what does not apply is left out.

    ``quad_per_mille`` are [x, y] in thousandths of width and height (outside 0..1000 where the
    item shows only a part), ``start_ms`` and ``end_ms`` milliseconds, ``start_character`` and
    ``end_character`` code points.
    """
    fields: dict[str, Any] = {}
    if region.quad:
        fields["quad_per_mille"] = [[_thousandths(x), _thousandths(y)] for x, y in region.quad]
    for name, seconds in (("start_ms", region.start_s), ("end_ms", region.end_s)):
        if seconds is not None:
            fields[name] = _thousandths(seconds)
    for name, character in (
        ("start_character", region.start_character),
        ("end_character", region.end_character),
    ):
        if character is not None:
            fields[name] = int(character)
    return fields


def _thousandths(value: float) -> int:
    return round(max(-_FURTHEST, min(_FURTHEST, value)) * 1000)
