"""Drawings (SVG) to pixels, from their bytes alone: no file, no address, no script, no font.

resvg draws them, a static subset of SVG 2. Refused is what refers to anything outside the bytes,
and what would cost too much: entities, embedded pictures, `use` of `use` of `use`.

Sources: SVG 2 sections 5.6 (``use``), 12.3 (``image``), 16.1 (references); CSS Values 4 section
6.2 (96 px to the inch: sizes in points and millimetres mean the same everywhere).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from tercet.core.errors import UndecodableError
from tercet.core.limits import XML_BYTES_MAX
from tercet.studio.scenes.sprite import Pixels

ELEMENTS_MAX = 50_000  # drawn, each `use` counted with what it draws
DEPTH_MAX = 300
DRAWING_SIDE_PX_MAX = 2048
PIXELS_PER_INCH = 96.0
_REFUSED = frozenset(("script", "iframe", "video", "audio", "handler", "image", "feImage"))


def parse_drawing(raw: bytes) -> Any:
    """Return the root element of an SVG that stands for itself.

    Raises UndecodableError when it is none, or one that is refused.
    """
    from lxml import etree

    if len(raw) > XML_BYTES_MAX:
        raise _refused(f"{len(raw):,} bytes, more than {XML_BYTES_MAX:,}")
    if b"<!ENTITY" in raw or b"<!ENTITY" in raw.replace(b"\x00", b""):
        raise _refused("one with entities")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True
    )
    try:
        root = etree.fromstring(raw.lstrip(b" \t\r\n"), parser)
    except (etree.LxmlError, ValueError) as error:
        raise _refused(f"XML that is not well-formed ({str(error)[:120]})") from error
    if local_name(root) != "svg":
        raise _refused(f"another root element than svg ({local_name(root)!r})")
    _drop_foreign(root)
    _check_references(root)
    _check_count(root)
    return root


def local_name(element: Any) -> str:
    """Return an element's name without its namespace; empty for comments."""
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def drawn(root: Any, side_px: int) -> Pixels:
    """Return a parsed drawing fitted into a square, as straight-alpha RGBA.

    Raises UndecodableError where the size asked for or the drawing cannot be drawn.
    """
    import resvg_py
    from lxml import etree

    if not 1 <= side_px <= DRAWING_SIDE_PX_MAX:
        raise _refused(f"a size of {side_px} px, expected 1 to {DRAWING_SIDE_PX_MAX}")
    source = etree.tostring(root, encoding="unicode", with_tail=False)
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=source,
            width=side_px,
            height=side_px,
            skip_system_fonts=True,
            dpi=PIXELS_PER_INCH,
        )
    except ValueError as error:
        raise _refused(str(error)[:200]) from error
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3 or decoded.shape[2] != 4:
        raise _refused("one that could not be drawn with transparency")
    return np.ascontiguousarray(cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA), np.uint8)


def _refused(what: str) -> UndecodableError:
    return UndecodableError(
        f"expected an SVG drawing that stands for itself, got {what}",
        hint="Leave the work out, or have it drawn anew without it.",
    )


def _references(element: Any) -> list[str]:
    found = element.attrib.items()
    return [str(value) for key, value in found if str(key).rpartition("}")[2] == "href"]


def _drop_foreign(root: Any) -> None:
    """Take out ``foreignObject``: no renderer of drawings alone shows it.

    Illustrator keeps its own copy of a drawing there, behind a ``switch``.
    """
    for element in [one for one in root.iter() if local_name(one) == "foreignObject"]:
        element.getparent().remove(element)


def _check_references(root: Any) -> None:
    """Refuse drawings that show more than their own shapes."""
    for element in root.iter():
        name = local_name(element)
        if name in _REFUSED:
            raise _refused(f"one with {name!r} in it")
        for reference in _references(element) if name != "a" else ():
            if not reference.strip().startswith("#"):
                raise _refused(f"one that refers to {reference[:60]!r}")


def _check_count(root: Any) -> None:
    """Refuse drawings that draw too much, or use themselves."""
    named = {str(one.get("id")): one for one in root.iter() if one.get("id")}
    if _count(root, named, {}, 0) > ELEMENTS_MAX:
        raise _refused(f"one that draws more than {ELEMENTS_MAX:,} elements")


def _count(element: Any, named: Mapping[str, Any], known: dict[Any, int], depth: int) -> int:
    """Return how many elements are drawn for one; ``known`` remembers those that are used."""
    if depth > DEPTH_MAX:
        raise _refused(f"elements nested more than {DEPTH_MAX} deep, or that use themselves")
    if element not in known:
        total = 1 + sum(_count(child, named, known, depth + 1) for child in element)
        if local_name(element) == "use":
            targets = [named.get(one.strip()[1:]) for one in _references(element)]
            total += sum(_count(one, named, known, depth + 1) for one in targets if one is not None)
        known[element] = min(total, ELEMENTS_MAX + 1)
    return known[element]
