"""Hostile XML as a tree: no network, no DTD, no entities, bounded depth and size.

The only file of the consent pillar that parses XML documents (RSL, EPUB packages, XMP packets).
libxml2 keeps its own limits (depth 256, text and names, entity amplification); beyond those a
document type with entities is refused before parsing, so that nothing can expand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tercet.core.limits import XML_BYTES_MAX

_ATTRIBUTES_FEW = 32  # up to here lxml's own listing, quadratic in their number, is the faster
# A lenient libxml2 takes references to surrogates (&#xD800;) for characters, which Python is not
# able to decode.
_SURROGATE = re.compile(
    rb"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}|0*5[5-7][0-9]{3})(?![0-9a-fA-F])"
)

Element = Any
"""An lxml element; lxml carries no types of its own."""


@dataclass(frozen=True, slots=True)
class XmlTree:
    """What could be read. ``fault`` is "" for well-formed XML.

    ``root`` is None when nothing could be read; with a fault it holds the part a lenient parser
    recovered, from which a denial may be taken but never a grant.
    """

    root: Element | None
    fault: str = ""


def parse_xml(raw: bytes) -> XmlTree:
    """Parse ``raw``; total: whatever is wrong with it is told in the fault."""
    if len(raw) > XML_BYTES_MAX:
        return XmlTree(None, "larger than the limit for XML")
    if declares_entities(raw):
        return XmlTree(None, "a document type with entities is refused")
    root, fault = _parse(raw, recover=False)
    if root is not None:
        return XmlTree(root)
    root, _ = _parse(_SURROGATE.sub(b"?", raw), recover=True)
    if root is not None and not _is_text(root):
        root = None
    return XmlTree(root, f"not well-formed XML: {fault}")


def _is_text(root: Element) -> bool:
    """Return whether all texts and names can be decoded."""
    from lxml import etree

    try:
        etree.tostring(root, encoding="utf-8").decode()
    except (UnicodeDecodeError, etree.LxmlError):
        return False
    return True


def declares_entities(raw: bytes) -> bool:
    """Return whether an entity declaration stands in ``raw``, in any width of characters."""
    return b"<!ENTITY" in raw or b"<!ENTITY" in raw.replace(b"\x00", b"")


def _parse(raw: bytes, *, recover: bool) -> tuple[Element | None, str]:
    from lxml import etree

    parser = etree.XMLParser(
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(raw.lstrip(b" \t\r\n"), parser), ""
    except (etree.LxmlError, ValueError) as error:
        return None, str(error)[:200]


def names(element: Element) -> tuple[str, str]:
    """Return (namespace, local name) of an element; two empty texts for what is none."""
    tag = element.tag
    if not isinstance(tag, str):  # an entity reference that was not resolved
        return "", ""
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return namespace, local
    return "", tag


def attribute_names(element: Element) -> Iterator[tuple[str, str, str]]:
    """Yield (namespace, local name, value) of every attribute, in linear time."""
    if len(element.attrib) <= _ATTRIBUTES_FEW:
        pairs = element.attrib.items()
    else:
        pairs = [(found.attrname, str(found)) for found in element.xpath("@*")]
    for key, value in pairs:
        namespace, local = "", key
        if key.startswith("{"):
            namespace, _, local = key[1:].partition("}")
        yield namespace, local, value


def text_of(element: Element, characters_max: int = 4 * XML_BYTES_MAX) -> str:
    """Return all text inside an element, cut at a limit, white space at the ends removed."""
    parts: list[str] = []
    left = characters_max
    for part in element.itertext():
        if left <= 0:
            break
        parts.append(part[:left])
        left -= len(part)
    return "".join(parts).strip()
