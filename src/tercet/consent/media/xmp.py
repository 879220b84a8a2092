"""The properties of an XMP packet.

Source: XMP Specification Part 1 (ISO 16684-1) section 7: a property is an element or an
attribute of ``rdf:Description``; its value is text, ``rdf:resource``, ``rdf:value`` or a container.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from tercet.consent.xml_tree import Element, attribute_names, names

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_VALUE_ATTRIBUTES = (f"{{{RDF}}}resource", f"{{{RDF}}}about", f"{{{RDF}}}value")
_ELEMENTS_MAX = 100  # looked at inside one property
_SPACE = b"\x00 \t\r\n"


@dataclass(frozen=True, slots=True)
class Property:
    """One element or attribute of a packet.

    ``text`` is an attribute's value, ``node`` an element (None for attributes). ``top`` tells
    whether it is said of the document itself: a property right below a top ``rdf:Description``,
    not one inside a structure such as the record of an ingredient. ``line`` counts from 1.
    """

    space: str
    local: str
    text: str
    node: Element | None
    top: bool
    line: int

    def values(self) -> list[str]:
        """Return the texts it holds: its own, its resources and those of its members."""
        if self.node is None:
            return [self.text.strip()] if self.text.strip() else []
        found: list[str] = []
        for element in islice(self.node.iter(), _ELEMENTS_MAX):
            texts = [element.text or ""]
            texts += [element.get(key) or "" for key in _VALUE_ATTRIBUTES]
            found += [text.strip() for text in texts if text.strip()]
        return found

    def whole(self) -> bool:
        """Whether ``values`` saw everything the property holds."""
        return (
            self.node is None or next(islice(self.node.iter(), _ELEMENTS_MAX, None), None) is None
        )


def trim(raw: bytes) -> bytes:
    """Drop NULs and white space around a packet, but never half a UTF-16 character."""
    return raw if b"\x00" in raw.lstrip(b"\x00")[:4] else raw.strip(_SPACE)


def properties(root: Element) -> list[Property]:
    """Return every element and attribute in document order."""
    found: list[Property] = []
    for element in root.iter():
        space, local = names(element)
        line = element.sourceline or 0
        found.append(Property(space, local, "", element, _is_top(element.getparent()), line))
        if element.attrib:
            top = _is_top(element)
            found += [
                Property(space, local, value, None, top, line)
                for space, local, value in attribute_names(element)
            ]
    return found


def _is_top(owner: Element | None) -> bool:
    """Whether ``owner`` is an rdf:Description that stands right inside rdf:RDF."""
    if owner is None or names(owner) != (RDF, "Description"):
        return False
    parent = owner.getparent()
    top = parent is not None and names(parent) == (RDF, "RDF")
    return top and not about_another(owner)


def about_another(description: Element) -> bool:
    """Whether an rdf:Description is about something on the web, and not about its own file.

    ISO 16684-1 section 7.4: ``rdf:about`` is empty, or names the file by an id such as a uuid.
    """
    about = description.get(f"{{{RDF}}}about") or ""
    return about.strip().lower().startswith(("http:", "https:", "ftp:"))
