"""SVG: the RDF inside ``metadata`` as an XMP packet of its own.

Source: SVG 2 section 5.9 (metadata). XML is read without entities, network or external files.
"""

from __future__ import annotations

from tercet.consent.media import xmp
from tercet.consent.media.gathering import Gathering
from tercet.consent.xml_tree import parse_xml

_SVG = "{http://www.w3.org/2000/svg}"


def read(gathering: Gathering) -> None:
    """Serialise each metadata element, with the namespaces its ancestors declare."""
    tree = parse_xml(xmp.trim(gathering.raw))
    if tree.fault:
        gathering.fault(f"svg: {tree.fault}")
    if tree.root is None:
        return
    from lxml import etree

    raw = gathering.raw
    at = 0
    for element in tree.root.iter(f"{_SVG}metadata", "metadata"):
        start = raw.find(b"metadata", at)
        end = raw.find(b"metadata>", start + 8)
        at = end + 9 if end > 0 else at
        span = (start - 1, at) if start > 0 and end > 0 else (0, len(raw))
        if len(element):
            gathering.xmp(etree.tostring(element, with_tail=False), span, "svg metadata")
