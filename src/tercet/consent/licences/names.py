"""Names of parties: readable in one way only, and not mistaken for another party's.

After UTS 39 (Unicode Security Mechanisms, version 15.0): characters of Identifier_Status Allowed
and a little punctuation (section 3.1), one script or the combinations of the level Highly
Restrictive (5.2), digits of one system (5.3), no pile of marks (5.4), and the skeleton of section
4, by which names that look alike are found. A name is for people; what counts is a party's id.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from tercet.core.errors import InputError, RefusedError
from tercet.core.ids import sha256_hex
from tercet.core.limits import PARTY_NAME_CHARACTERS_MAX

_TABLE = "name_characters.json"
_PUNCTUATION = frozenset(" &,()/+!–")  # besides what UTS 39 allows: ' - . : · ’ and others
_MARKS_MAX = 4  # UTS 39 section 5.4: in a row
_MARKS = ("Mn", "Me")
_HIDDEN = ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")  # controls, bidi and invisible ones, private use
_WIDER = {  # UTS 39 section 5.1: scripts that are written together in one language
    "Hani": {"Hanb", "Jpan", "Kore"},
    "Hira": {"Jpan"},
    "Kana": {"Jpan"},
    "Bopo": {"Hanb"},
    "Hang": {"Kore"},
}
_WITH_LATIN = frozenset({"Hanb", "Jpan", "Kore"})  # UTS 39 section 5.2, Highly Restrictive


class NameTextError(InputError):
    """A name that is empty, too long, not in NFC, or spaced oddly."""

    code = "name-text"


class NameHiddenError(NameTextError):
    """A name with characters that cannot be seen or that turn the text around."""

    code = "name-hidden-character"


class NameCharacterError(NameTextError):
    """A name with a character that names are not written with."""

    code = "name-character"


class NameScriptError(NameTextError):
    """A name that mixes scripts, or digits of two systems."""

    code = "name-mixed-scripts"


class NameLookalikeError(RefusedError):
    """A name that looks like that of another party."""

    code = "name-look-alike"


def check_name(name: str) -> None:
    """Make sure that a name can be read in one way. Raises NameTextError or one of its kinds."""
    if not 1 <= len(name) <= PARTY_NAME_CHARACTERS_MAX:
        raise NameTextError(
            f"expected a name of 1 to {PARTY_NAME_CHARACTERS_MAX} characters, got {len(name)}"
        )
    for character in name:
        _check_character(character)
    if unicodedata.normalize("NFC", name) != name:
        raise NameTextError(
            "expected a name in Unicode's composed form (NFC), got another",
            hint="normalise it before it is signed: the same letters can be written in two ways",
        )
    if name != " ".join(name.split()) or not any(c.isalpha() for c in name):
        raise NameTextError(f"expected a name of words with single spaces, got {name!r:.80}")
    _check_marks(name)
    _check_scripts(name)


def skeleton(name: str) -> str:
    """Return what a name looks like: names with one skeleton look alike (UTS 39 section 4)."""
    confusables = _characters()[1]
    shown = (c for c in unicodedata.normalize("NFD", name) if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFD", "".join(confusables.get(c, c) for c in shown))


def look_alikes(name: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of the ``known`` names that ``name`` may be mistaken for, itself included.

    Besides the skeleton, case, spaces and punctuation make no difference to a person's eye.
    """
    sights = sights_of(name)
    return tuple(key for key, other in known.items() if sights & sights_of(other))


def check_not_alike(
    party: str, name: str, known: Mapping[str, str], confirmed: frozenset[str] = frozenset()
) -> None:
    """Make sure that a party's name is not mistaken for one of the ``known`` names, by party id.

    ``confirmed`` are ids of parties that a person has told apart from this one: there are people of
    the same name. Raises NameLookalikeError.
    """
    others = [key for key in look_alikes(name, known) if key not in confirmed and key != party]
    if others:
        raise NameLookalikeError(
            f"the name {name!r} of {party} looks like {known[others[0]]!r} of {others[0]}",
            hint="ask both by another way than this one which of them is whom",
        )


def _check_character(character: str) -> None:
    if unicodedata.category(character) in _HIDDEN:
        raise NameHiddenError(
            f"expected a name without hidden characters, got U+{ord(character):04X}",
            hint="controls, marks of direction, joiners and private characters are not for names",
        )
    if character not in _PUNCTUATION and not _scripts_of(character):
        raise NameCharacterError(
            f"expected the letters, digits and marks that names are written with, "
            f"got U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"
        )


def _check_marks(name: str) -> None:
    marks: list[str] = []
    for character in unicodedata.normalize("NFD", name):
        marks = [*marks, character] if unicodedata.category(character) in _MARKS else []
        if len(marks) > _MARKS_MAX or any(a == b for a, b in pairwise(marks)):
            raise NameCharacterError(f"expected letters with their marks, got too many in {name!r}")


def _check_scripts(name: str) -> None:
    sets = [_wider(scripts) for scripts in _script_sets(name)]
    beside_latin = [scripts for scripts in sets if "Latn" not in scripts]
    is_one = not sets or frozenset.intersection(*sets)
    if not is_one and not frozenset.intersection(_WITH_LATIN, *beside_latin):
        raise NameScriptError(
            f"expected a name in one script, got several in {name!r}",
            hint="write all of it in one; Latin may stand beside Chinese, Japanese or Korean",
        )
    zeros = {ord(c) - unicodedata.decimal(c) for c in name if c.isdecimal()}
    if len(zeros) > 1:
        raise NameScriptError(f"expected digits of one system, got several in {name!r}")


def _script_sets(name: str) -> Iterator[frozenset[str]]:
    """Yield the scripts that each character can belong to, but for those that belong to all."""
    for character in name:
        scripts = _scripts_of(character)
        if scripts and not scripts & {"Zyyy", "Zinh"}:
            yield scripts


def _wider(scripts: frozenset[str]) -> frozenset[str]:
    return scripts.union(*(_WIDER.get(script, ()) for script in scripts))


@lru_cache(maxsize=65_536)
def sights_of(name: str) -> frozenset[str]:
    """Return what a name looks like at a glance: names that share one of these look alike."""
    letters = "".join(c for c in name if unicodedata.category(c)[0] not in "PZ")
    seen = skeleton(letters.casefold()).casefold()  # the digit 0 is confusable with a capital O
    return frozenset({skeleton(letters), "\n" + seen})


@cache
def sights_version() -> str:
    """Return what `sights_of` goes by, as a text without spaces: it may change with a release."""
    table = (files(__package__) / _TABLE).read_bytes()
    return f"1/{unicodedata.unidata_version}/{sha256_hex(table)[:16]}"


@cache
def _characters() -> tuple[list[tuple[int, int, frozenset[str]]], dict[str, str]]:
    """Return the ranges of allowed characters with their scripts, and the confusable ones."""
    table = json.loads((files(__package__) / _TABLE).read_text("utf-8"))
    ranges = []
    for names, text in table["scripts"].items():
        for part in text.split():
            first, _, last = part.partition("-")
            ranges.append((int(first, 16), int(last or first, 16), frozenset(names.split())))
    return sorted(ranges, key=lambda each: each[0]), table["confusables"]


@lru_cache(maxsize=8_192)
def _scripts_of(character: str) -> frozenset[str]:
    """Return the scripts of an allowed character, nothing for another one."""
    point = ord(character)
    found = (scripts for first, last, scripts in _characters()[0] if first <= point <= last)
    return next(found, frozenset())
