"""What a drawing says of itself in its RDF: title, creator, licence, keywords.

Sources: RDF/XML (W3C, 2014) section 2; Dublin Core elements 1.1; ccREL, and the vocabulary that
Creative Commons used before it (http://web.resource.org/cc/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tercet.studio.scenes.drawing import local_name

TEXT_CHARACTERS_MAX = 300
KEYWORDS_MAX = 50
_DC = "{http://purl.org/dc/elements/1.1/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_CC = ("{http://web.resource.org/cc/}", "{http://creativecommons.org/ns#}")


@dataclass(frozen=True, slots=True)
class About:
    """What stands in the file; empty where nothing stands. ``licence`` is as it is written.

    ``has_text`` tells whether the drawing holds letters, which are not drawn without a font.
    """

    title: str
    creator: str
    licence: str
    keywords: tuple[str, ...]
    has_text: bool


def about_drawing(root: Any) -> About:
    """Return what a parsed drawing says of itself."""
    work = next((one for name in _CC for one in root.iter(f"{name}Work")), None)
    has_text = any(
        local_name(one) == "text" and "".join(one.itertext()).strip() for one in root.iter()
    )
    if work is None:
        return About("", "", "", (), has_text)
    licences = [one for name in _CC for one in work.findall(f"{name}license")]
    stated = [str(one.get(f"{_RDF}resource") or "") or _text(one) for one in licences]
    names = [_text(one) for one in work.findall(f"{_DC}creator")]
    keywords = [_text(one) for one in work.findall(f"{_DC}subject/{_RDF}Bag/{_RDF}li")]
    return About(
        title=_text(work.find(f"{_DC}title")),
        creator=", ".join(dict.fromkeys(name for name in names if name)),
        licence=" ".join(dict.fromkeys(one for one in stated if one)),
        keywords=tuple(word.lower() for word in keywords if word)[:KEYWORDS_MAX],
        has_text=has_text,
    )


def _text(element: Any) -> str:
    """Return the words within an element, in one line, without control characters."""
    if element is None:
        return ""
    words = " ".join("".join(element.itertext()).split())
    return "".join(letter for letter in words if letter.isprintable())[:TEXT_CHARACTERS_MAX]
