"""Drawings (SVG) rendered to a picture of at most a megapixel, with nothing read but their bytes.

resvg draws them, a static subset of SVG 2: no scripts, no network. Refused is what would make
the picture another one elsewhere: references to files and addresses, scripts, foreign content;
and what would cost too much: entities, pictures inside that are too large, `use` of `use` of `use`.
Fonts are not loaded, so text is not drawn: the same bytes give the same picture on any machine.

Sources: SVG 2 sections 5.6 (``use``), 12.3 (``image``), 16.1 (references); RFC 2397 (data URLs).
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from tercet.consent.fingerprints.fingerprint import UndecodableError
from tercet.consent.fingerprints.picture_decoding import check_size
from tercet.consent.fingerprints.picture_header import picture_header
from tercet.consent.xml_tree import parse_xml
from tercet.core.limits import IMAGE_PIXELS_MAX

SIDE_PX = 1000
"""Of the square that a drawing is fitted into, whatever size it asks for."""
ELEMENTS_MAX = 50_000
"""Drawn, each `use` counted with what it draws: a second of CPU time."""
PIXELS_PER_INCH = 96.0  # CSS Values 4, 6.2: sizes in points and millimetres mean the same
DEPTH_MAX = 300  # of elements within elements, and in what they use
_DATA = re.compile(r"\s*data:image/(?:png|jpeg|jpg|gif|webp)[^,]*?(;base64)?,(.*)", re.I | re.S)
_ELSEWHERE = frozenset(("script", "foreignObject", "iframe", "video", "audio", "handler"))


def rendered(raw: bytes) -> bytes:
    """Return a drawing as a PNG, transparent where nothing is drawn.

    Raises UndecodableError when it is no drawing, or one that is refused.
    """
    import resvg_py
    from lxml import etree

    tree = parse_xml(raw)
    if tree.root is None or tree.fault or _name(tree.root) != "svg":
        raise _refused(tree.fault or "another root element than svg")
    _check_references(tree.root)
    _check_count(tree.root)
    source = etree.tostring(tree.root, encoding="unicode", with_tail=False)
    try:
        return resvg_py.svg_to_bytes(
            svg_string=source,
            width=SIDE_PX,
            height=SIDE_PX,
            skip_system_fonts=True,
            dpi=PIXELS_PER_INCH,
        )
    except ValueError as error:
        raise _refused(str(error)[:200]) from error


def _refused(what: str) -> UndecodableError:
    return UndecodableError(
        f"expected an SVG drawing that stands for itself, got {what}",
        hint="Convert it to PNG to have it looked at.",
    )


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _references(element: Any) -> list[str]:
    found = element.attrib.items()
    return [str(value) for key, value in found if str(key).rpartition("}")[2] == "href"]


def _check_references(root: Any) -> None:
    """Refuse drawings that show more than what stands in them, or pictures beyond the limits."""
    pixels = 0
    for element in root.iter():
        name = _name(element)
        if name in _ELSEWHERE:
            raise _refused(f"one with {name!r} in it")
        for reference in _references(element) if name != "a" else ():
            if not reference.strip().startswith("#"):
                pixels += _pixels(reference)
    if pixels > IMAGE_PIXELS_MAX:
        raise _refused(f"pictures of {pixels:,} pixels in it, more than {IMAGE_PIXELS_MAX:,}")


def _pixels(reference: str) -> int:
    """Return how many pixels a picture in a data URL has."""
    found = _DATA.fullmatch(reference)
    if found is None:
        raise _refused(f"one that refers to {reference[:60]!r}")
    try:
        raw = b64decode(unquote_to_bytes(found[2])) if found[1] else unquote_to_bytes(found[2])
    except Base64Error as error:
        raise _refused("a picture in it that is no base64") from error
    header = picture_header(raw)
    if header is None or header.kind not in ("png", "jpeg", "gif", "webp"):
        raise _refused("a picture in it of a kind that is not known")
    check_size(header.width_px, header.height_px)
    return header.width_px * header.height_px


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
        if _name(element) == "use":
            targets = [named.get(one.strip()[1:]) for one in _references(element)]
            total += sum(_count(one, named, known, depth + 1) for one in targets if one is not None)
        known[element] = min(total, ELEMENTS_MAX + 1)
    return known[element]
