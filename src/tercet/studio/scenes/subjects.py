"""Which works of a corpus are pictures of a thing, and of which thing; why each other is not.

A rule reads folders, file names, title and keywords, and looks at the picture. Where somebody has
looked, `looked_at.csv` says what is right and, where the rule errs, why; it counts first.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

import numpy as np

from tercet.core.errors import UndecodableError
from tercet.studio.scenes.about import About, about_drawing
from tercet.studio.scenes.cutting import colour_name, cut_root
from tercet.studio.scenes.drawing import parse_drawing
from tercet.studio.scenes.sprite import Pixels, Sprite
from tercet.studio.scenes.vocabulary import noun_of, nouns


class Reason(StrEnum):
    """Why a work is left out. Stable strings."""

    DUPLICATE = "duplicate"  # the same bytes stand elsewhere in the corpus
    SAME_PICTURE = "same_picture"  # other bytes, the same pixels
    NOT_DRAWABLE = "not_drawable"  # no SVG that stands for itself, or an empty one
    NO_CREATOR = "no_creator"  # nobody is named who could be credited
    NO_TITLE = "no_title"
    TEXT = "text"
    FRAME = "frame"  # a frame or an opaque background
    FLAG = "flag"
    LOGO = "logo"
    BRAND = "brand"
    SYMBOL = "symbol"  # signs, playing cards, smileys: they stand for something else
    INTERFACE = "interface"  # icons, buttons, windows of computer programs
    SHAPE = "shape"  # geometry, arrows, speech bubbles
    PATTERN = "pattern"  # patterns, gradients, borders, ornaments
    MAP = "map"
    DIAGRAM = "diagram"
    STICK_FIGURE = "stick_figure"
    EMBLEM = "emblem"  # of a religion, a party, a state
    WEAPON = "weapon"
    REAL_PERSON = "real_person"  # somebody named, or drawn after a photograph
    BODY_PART = "body_part"
    SEVERAL = "several"  # a scene, or several things
    PART = "part"  # a head or another part of the thing its title names
    LINES = "lines"  # lines without colour or filling
    UNCLEAR = "unclear"  # not told at 64 pixels
    NO_NOUN = "no_noun"  # the rule finds no word for it


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A work that is not learned from, and why."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody saw who looked at a work: a noun and where its front is, or why not.

    ``why`` tells what was wrong with the rule's answer, empty where it was right.
    """

    noun: str
    faces: int
    reason: Reason | None
    why: str


_FOLDERS = (
    ("buttons", Reason.INTERFACE),
    ("computer/buttons", Reason.INTERFACE),
    ("computer/folders", Reason.INTERFACE),
    ("computer/icons", Reason.INTERFACE),
    ("computer/diagrams", Reason.DIAGRAM),
    ("computer/network", Reason.DIAGRAM),
    ("decorations", Reason.PATTERN),
    ("geography", Reason.MAP),
    ("logos", Reason.LOGO),
    ("people/bodypart", Reason.BODY_PART),
    ("people/clothing/pantyhose", Reason.BODY_PART),
    ("people/smilies", Reason.SYMBOL),
    ("people/stickmen", Reason.STICK_FIGURE),
    ("recreation/games/cards", Reason.SYMBOL),
    ("recreation/religion", Reason.EMBLEM),
    ("shapes", Reason.SHAPE),
    ("signs_and_symbols/flags", Reason.FLAG),
    ("signs_and_symbols/map_symbols", Reason.MAP),
    ("signs_and_symbols/clocks", None),
    ("signs_and_symbols/weather", None),
    ("signs_and_symbols", Reason.SYMBOL),
    ("special", Reason.PATTERN),
    ("tools/weapons", Reason.WEAPON),
    ("transportation/aiga-symbols", Reason.SYMBOL),
    ("transportation/roadsigns", Reason.SYMBOL),
)  # the first that fits counts
_KEYWORDS = {
    "logo": Reason.LOGO,
    "brand": Reason.BRAND,
    "flag": Reason.FLAG,
    "flags": Reason.FLAG,
    "signalflag": Reason.FLAG,
    "icon": Reason.INTERFACE,
    "icons": Reason.INTERFACE,
    "button": Reason.INTERFACE,
    "buttons": Reason.INTERFACE,
    "arrow": Reason.SHAPE,
    "arrows": Reason.SHAPE,
    "flowchart": Reason.DIAGRAM,
    "roadsign": Reason.SYMBOL,
    "symbol": Reason.SYMBOL,
    "sign": Reason.SYMBOL,
    "mapsym": Reason.MAP,
    "map": Reason.MAP,
    "pattern": Reason.PATTERN,
    "gradients": Reason.PATTERN,
    "religion": Reason.EMBLEM,
    "christianity": Reason.EMBLEM,
    "politics": Reason.EMBLEM,
    "weapon": Reason.WEAPON,
    "weapons": Reason.WEAPON,
    "gun": Reason.WEAPON,
    "stickmen": Reason.STICK_FIGURE,
    "bodypart": Reason.BODY_PART,
}
_EDGE_PART_MIN = 0.9  # of each edge that a background fills
_PLAIN_PART_MIN = 0.97  # of the pixels seen, without colour, in a drawing of lines
_SEEN_PART_MIN = 0.18  # of the box around it, for more than lines
_GREY_SPREAD_MAX = 24  # between the channels of a pixel without colour, of 255


def sprite_of(raw: bytes, *, work: str, paths: tuple[str, ...]) -> Sprite | LeftOut:
    """Return the sprite of a work, or why it is left out. Pure: the same bytes, the same answer.

    ``work`` is the SHA-256 of ``raw``, ``paths`` where it stands in its corpus. Rights are not
    judged here: title, creator and licence are handed on as the work's own RDF states them.
    """
    seen = looked_at().get(work)
    if seen is not None and seen.reason is not None:
        return LeftOut(seen.reason, seen.why or "looked at")
    try:
        root = parse_drawing(raw)
        about = about_drawing(root)
        found = _uncredited(about) or _subject(about, paths, seen)
        if isinstance(found, LeftOut):
            return found
        pixels = cut_root(root)
    except UndecodableError as error:
        return LeftOut(Reason.NOT_DRAWABLE, error.message)
    if seen is None and (unfit := _unfit(pixels)):
        return unfit
    return Sprite(
        work=work,
        title=about.title,
        owner=about.creator,
        licence=about.licence,
        noun=found,
        kind=nouns()[found].kind,
        faces=seen.faces if seen else 0,
        colour=colour_name(pixels),
        pixels=pixels,
    )


def _uncredited(about: About) -> LeftOut | None:
    if not about.creator:
        return LeftOut(Reason.NO_CREATOR, "its RDF names no creator")
    if not about.title:
        return LeftOut(Reason.NO_TITLE, "its RDF gives no title")
    return None


def _subject(about: About, paths: tuple[str, ...], seen: Seen | None) -> str | LeftOut:
    """Return the noun of what a work shows."""
    if seen is not None:
        return seen.noun
    for folder in (path.rpartition("/")[0] for path in paths):
        if reason := folder_reason(folder):
            return LeftOut(reason, f"stands in {folder}")
    for word in about.keywords:
        if word in _KEYWORDS:
            return LeftOut(_KEYWORDS[word], f"keyword {word!r}")
    if about.has_text:
        return LeftOut(Reason.TEXT, "there are letters in it")
    names = [path.rpartition("/")[2].removesuffix(".svg") for path in paths]
    noun = noun_of(about.title, about.keywords, names)
    return noun or LeftOut(
        Reason.NO_NOUN, f"no noun in its names, {about.title!r} and its keywords"
    )


def folder_reason(folder: str) -> Reason | None:
    """Return why works of a folder of the corpus are left out, None where they are not."""
    for name, reason in _FOLDERS:
        if folder == name or folder.startswith(f"{name}/"):
            return reason
    return None


def _unfit(pixels: Pixels) -> LeftOut | None:
    """Return what is wrong with a picture that nobody has looked at."""
    seen = pixels[..., 3] > 127
    edges = (seen[0], seen[-1], seen[:, 0], seen[:, -1])
    if min(float(edge.mean()) for edge in edges) >= _EDGE_PART_MIN:
        return LeftOut(Reason.FRAME, "opaque along all four edges")
    if float(seen.mean()) < _SEEN_PART_MIN:
        return LeftOut(Reason.LINES, f"only {seen.mean():.0%} of its box is filled")
    rgb = pixels[seen][:, :3].astype(np.int16)
    plain = (rgb.max(axis=1) - rgb.min(axis=1)) <= _GREY_SPREAD_MAX
    if float(plain.mean()) >= _PLAIN_PART_MIN:
        return LeftOut(Reason.LINES, "black, white and grey only")
    return None


@lru_cache(maxsize=1)
def looked_at() -> Mapping[str, Seen]:
    """Return what was seen of each work that somebody looked at, by its SHA-256."""
    text = resources.files("tercet.studio.scenes").joinpath("looked_at.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType(
        {
            row["work"]: Seen(
                row["noun"],
                int(row["faces"] or 0),
                Reason(row["left_out"]) if row["left_out"] else None,
                row["why"],
            )
            for row in rows
        }
    )
