"""Pictures of a match page: what was found, outlined in the item and in the work."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from tercet.consent.fingerprints.fingerprint import Array
from tercet.flows.report_markup import Markup, element, join

SIDE_PIXELS_MAX = 880
_WIDTH_SHOWN_MIN = 420  # pixels; small pictures are enlarged to it
_QUALITY = 82
_PER_MILLE = 1000.0

Quad = Sequence[Sequence[float]]


def picture(pixels: Array, quads: Iterable[Quad], label: str) -> Markup:
    """Return a picture with ``quads`` outlined, as one SVG with the JPEG in it.

    ``pixels`` are uint8 (height, width, 3) BGR; the corners of a quad are in thousandths of width
    and height. ``label`` says what it shows, for those who do not see it.
    """
    raw, width, height = _jpeg(pixels)
    data = base64.b64encode(raw).decode("ascii")
    image = Markup(
        f'<image href="data:image/jpeg;base64,{data}" width="{width}" height="{height}"/>'
    )
    outlines = [_outline(quad, width, height) for quad in quads]
    return element(
        "svg", element("title", label), image, *outlines,
        viewBox=f"0 0 {width} {height}", class_="picture", role="img",
        style=f"max-width:{max(width, _WIDTH_SHOWN_MIN)}px",
    )  # fmt: skip


def _jpeg(pixels: Array) -> tuple[bytes, int, int]:
    import cv2

    height, width = pixels.shape[:2]
    share = min(1.0, SIDE_PIXELS_MAX / max(height, width, 1))
    width, height = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    _, raw = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return raw.tobytes(), width, height


def _outline(quad: Quad, width: int, height: int) -> Markup:
    """Draw a quad twice, dark under bright, so that it stands out on any picture.

    A dot marks what is the upper left corner in the work: a mirrored or turned copy shows by it.
    """
    inset = max(width, height) / 200
    shares = clipped([(x / _PER_MILLE, y / _PER_MILLE) for x, y in quad])
    if len(shares) < 3:
        return Markup("")
    points = [
        (
            min(max(x * width, inset), width - inset),
            min(max(y * height, inset), height - inset),
        )
        for x, y in shares
    ]
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    thick = max(width, height) / 90
    under = element("polygon", points=text, class_="under", stroke_width=f"{thick:.1f}")
    over = element("polygon", points=text, class_="over", stroke_width=f"{thick / 2.2:.1f}")
    x, y = quad[0][0] / _PER_MILLE * width, quad[0][1] / _PER_MILLE * height
    if not (0 <= x <= width and 0 <= y <= height):
        return join([under, over])
    size = 1.5 * thick
    x, y = min(max(x, size), width - size), min(max(y, size), height - size)
    dot = element(
        "circle", class_="corner", cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{size:.1f}",
        stroke_width=f"{thick / 4:.1f}",
    )  # fmt: skip
    return join([under, over, dot])


def clipped(polygon: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the part of a polygon inside the unit square (Sutherland and Hodgman 1974)."""
    points = list(polygon)
    for axis, limit, sign in ((0, 0.0, 1), (0, 1.0, -1), (1, 0.0, 1), (1, 1.0, -1)):
        points = _cut(points, axis, limit, sign)
    return points


def _cut(
    points: list[tuple[float, float]], axis: int, limit: float, sign: int
) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for at, point in enumerate(points):
        before = points[at - 1]
        inside = sign * (point[axis] - limit) >= 0
        if inside != (sign * (before[axis] - limit) >= 0):
            share = (limit - before[axis]) / (point[axis] - before[axis])
            kept.append(
                (
                    before[0] + share * (point[0] - before[0]),
                    before[1] + share * (point[1] - before[1]),
                )
            )
        if inside:
            kept.append(point)
    return kept


def decoded(raw: bytes) -> Array | None:
    """Return the pixels of a picture file, or None; ``raw`` is within the limits."""
    import cv2
    import numpy as np

    try:
        found: Array | None = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return found
