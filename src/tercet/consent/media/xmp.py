"""The properties of an XMP packet.

Sources: XMP Specification Part 1 (ISO 16684-1) section 7: a property is an element or an
attribute of ``rdf:Description``; its value is text, ``rdf:resource``, ``rdf:value`` or a container.
"""

from __future__ import annotations

from typing import Any

from tercet.consent.xml_tree import attribute_names, names

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_VALUE_ATTRIBUTES = (f"{{{RDF}}}resource", f"{{{RDF}}}about", f"{{{RDF}}}value")
_VALUES_MAX = 1_000

Name = tuple[str, str]
"""Namespace ("" for none) and local name."""


def trim(raw: bytes) -> bytes:
    """Drop NULs and white space around a packet, but never half a UTF-16 character."""
    return raw if b"\x00" in raw.lstrip(b"\x00")[:4] else raw.strip(b"\x00 \t\r\n")


def properties(root: Any) -> list[tuple[Name, Any]]:
    """Return every element and attribute as (name, element or text), in document order."""
    found: list[tuple[Name, Any]] = []
    for element in root.iter():
        found.append((names(element), element))
        found += [((space, local), value) for space, local, value in attribute_names(element)]
    return found


def values(node: Any) -> list[str]:
    """Return the texts of a property: its own, its resources and those of its members."""
    if isinstance(node, str):
        return [node.strip()] if node.strip() else []
    found: list[str] = []
    for element in node.iter():
        if not isinstance(element.tag, str) or len(found) >= _VALUES_MAX:
            continue
        texts = [element.text or "", *(element.get(key) or "" for key in _VALUE_ATTRIBUTES)]
        found += [text.strip() for text in texts if text.strip()]
    return found
