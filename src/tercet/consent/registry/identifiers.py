"""Registered identifiers of works and owners: checked, and brought into one form.

ISRC (ISO 3901), ISWC (ISO 15707), ISBN (ISO 2108), ISNI (ISO 27729), EIDR (ISO 26324 DOIs of the
prefix 10.5240). A check digit that is right shows that nothing was mistyped; it does not show
that the work is the claimant's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tercet.core.errors import InputError

Identifiers = tuple[tuple[str, str], ...]
"""(scheme, value in its normal form), sorted; schemes are those of SCHEMES."""

_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}\Z")
_ISWC = re.compile(r"T[0-9]{10}\Z")
_ISBN_10 = re.compile(r"[0-9]{9}[0-9X]\Z")
_ISBN_13 = re.compile(r"97[89][0-9]{10}\Z")
_ISNI = re.compile(r"[0-9]{15}[0-9X]\Z")
_EIDR = re.compile(r"[0-9A-F]{20}[0-9A-Z]\Z")
_EIDR_PREFIX = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:|eidr:)?10\.5240/", re.IGNORECASE)
_ISNI_PREFIX = re.compile(r"(?:https?://(?:www\.)?isni\.org/(?:isni/)?|isni[: ]?)", re.IGNORECASE)
_BETWEEN = str.maketrans("", "", " -.\u2010\u2011\u2012\u2013\u00a0")
_LETTERS_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def identifier(scheme: str, text: str) -> str:
    """Return ``text`` as a normalised identifier of ``scheme``.

    Raises InputError, naming what is wrong: the form or the check digit.
    """
    read = SCHEMES.get(scheme)
    if read is None:
        raise InputError(
            f"expected an identifier scheme, got {scheme[:40]!r}",
            hint=f"known are {', '.join(SCHEMES)}",
        )
    return read(text)


def parse_identifier(text: str) -> tuple[str, str]:
    """Return (scheme, value) of "scheme:value", such as "isbn:978-0-306-40615-7"."""
    scheme, colon, value = text.partition(":")
    if not colon:
        raise InputError(
            f"expected SCHEME:VALUE, got {text[:80]!r}", hint="for example isrc:USRC17607839"
        )
    return scheme.strip().lower(), identifier(scheme.strip().lower(), value)


def isrc(text: str) -> str:
    """Return an ISRC as twelve characters; the standard has no check digit."""
    value = _bare(text).removeprefix("ISRC").lstrip(":")
    return _formed(_ISRC, value, text, "an ISRC such as US-RC1-76-07839")


def iswc(text: str) -> str:
    """Return an ISWC as T-DDD.DDD.DDD-C. ISO 15707 annex A: 1 + sum(i * d_i) + C is 0 mod 10."""
    value = _bare(text).removeprefix("ISWC").lstrip(":")
    _formed(_ISWC, value, text, "an ISWC such as T-034.524.680-1")
    digits = [int(digit) for digit in value[1:]]
    weighted = 1 + sum(place * digit for place, digit in enumerate(digits[:9], 1))
    _checked(digits[9], -weighted % 10, text, "ISWC")
    return f"T-{value[1:4]}.{value[4:7]}.{value[7:10]}-{value[10]}"


def isbn(text: str) -> str:
    """Return an ISBN as thirteen digits; one of ten digits is converted (ISO 2108 annex C)."""
    value = re.sub(r"^ISBN(?:1[03])?:?", "", _bare(text))
    if _ISBN_10.match(value):
        total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), value[:9],
                                                                 strict=True))  # fmt: skip
        _checked(value[9], "0123456789X"[-total % 11], text, "ISBN")
        return f"978{value[:9]}{_ean_digit('978' + value[:9])}"
    _formed(_ISBN_13, value, text, "an ISBN of 10 or 13 digits")
    _checked(value[12], str(_ean_digit(value[:12])), text, "ISBN")
    return value


def _ean_digit(digits: str) -> int:
    return -sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits)) % 10


def isni(text: str) -> str:
    """Return an ISNI as sixteen characters (ISO 7064 MOD 11-2, as ORCID's)."""
    value = _bare(_ISNI_PREFIX.sub("", text.strip()))
    _formed(_ISNI, value, text, "an ISNI such as 0000 0001 2150 090X")
    total = 0
    for digit in value[:15]:
        total = (total + int(digit)) * 2
    _checked(value[15], "0123456789X"[(12 - total % 11) % 11], text, "ISNI")
    return value


def eidr(text: str) -> str:
    """Return an EIDR as 10.5240/XXXX-XXXX-XXXX-XXXX-XXXX-C (ISO 7064 MOD 37,36)."""
    stem, count = _EIDR_PREFIX.subn("", text.strip(), count=1)
    value = _bare(stem)
    expected = "an EIDR such as 10.5240/7791-8534-2C23-9030-8610-5"
    if not count:
        raise InputError(f"expected {expected}, got {text[:80]!r}")
    _formed(_EIDR, value, text, expected)
    carry = 36
    for letter in value[:20]:
        carry = (carry + _LETTERS_36.index(letter)) % 36 or 36
        carry = carry * 2 % 37
    _checked(value[20], _LETTERS_36[(37 - carry) % 36], text, "EIDR")
    groups = "-".join(value[start : start + 4] for start in range(0, 20, 4))
    return f"10.5240/{groups}-{value[20]}"


SCHEMES: dict[str, Callable[[str], str]] = {
    "isrc": isrc,
    "iswc": iswc,
    "isbn": isbn,
    "isni": isni,
    "eidr": eidr,
}


def _bare(text: str) -> str:
    return text.strip().upper().translate(_BETWEEN)


def _formed(form: re.Pattern[str], value: str, text: str, expected: str) -> str:
    if not value.isascii() or not form.match(value):
        raise InputError(f"expected {expected}, got {text[:80]!r}")
    return value


def _checked(found: object, expected: object, text: str, scheme: str) -> None:
    if found != expected:
        raise InputError(
            f"the check digit of {scheme} {text[:80]!r} is wrong: expected {expected}, got {found}",
            hint="one character is mistyped; look it up again",
        )
