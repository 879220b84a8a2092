"""Text about people that is shown, printed and signed: one form for each, nothing invisible in it.

Unlike names of parties (see `names`), names of people may mix scripts: nothing is decided by them.
"""

from __future__ import annotations

import unicodedata

from tercet.consent.licences.closed_fields import DocumentError

_JOINERS = "\u200c\u200d"  # letters of several scripts need them
_STEERING = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_MARKS_IN_A_ROW_MAX = 4  # Vietnamese, Hebrew and Thai need two or three


def person_text(text: str, where: str) -> str:
    """Return one line of text as it is. Raises DocumentError where it is not fit to be shown.

    It is in NFC, has no control, bidirectional or unassigned characters, begins and ends with no
    space, and heaps no marks on one letter.
    """
    return _checked(text, where, "")


def prose_text(text: str, where: str) -> str:
    """Return text of several lines (LF) as it is. Raises DocumentError like person_text."""
    return _checked(text, where, "\n\t")


def tidy_person_text(text: str) -> str:
    """Return what somebody typed in the form that person_text takes, as far as that can be made."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _checked(text: str, where: str, allowed: str) -> str:
    if unicodedata.normalize("NFC", text) != text:
        raise DocumentError(
            f"the text at {where} is not in normalisation form C",
            hint="one text has one form, so that a hash names it",
        )
    if text != text.strip():
        raise DocumentError(f"the text at {where} begins or ends with a space or an empty line")
    marks = 0
    for at, character in enumerate(text):
        category = unicodedata.category(character)
        if category in _STEERING and character not in _JOINERS and character not in allowed:
            raise DocumentError(
                f"the text at {where} has the character U+{ord(character):04X} at {at}: it is "
                "invisible, steers the direction of reading, or is none"
            )
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > _MARKS_IN_A_ROW_MAX:
            raise DocumentError(f"the text at {where} heaps marks on one letter")
    return text
