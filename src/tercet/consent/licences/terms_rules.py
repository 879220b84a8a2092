"""What each text and number of terms may be, field by field: read by the codec and the schema.

A rule says it twice, once for code (``known``, ``pattern``) and once for people (``words``).
Patterns mean the same in Python and in ECMA 262, as JSON Schema wants them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from tercet.consent.licences.terms_errors import (
    BadDateError,
    BadTextError,
    OutOfRangeError,
    ShareError,
    TermsError,
    UnknownCurrencyError,
    UnknownTerritoryError,
)
from tercet.core.canonical import SAFE_INTEGER_MAX
from tercet.core.currencies import CURRENCIES
from tercet.core.terms import WORLD
from tercet.core.territories import TERRITORIES

LIST_ITEMS_MAX = 10_000
TEXT_CHARACTERS_MAX = 2_000
NAME_CHARACTERS_MAX = 200
DAYS_MAX = 36_525  # a hundred years
MONTHS_MAX = 1_200
YEARS_MAX = 100
PARTS_MAX = 10_000  # basis points of the whole
PER_MILLE_MAX = 1_000

# Controls, line and paragraph separators, and the marks that reorder what is shown (UAX 9).
_HIDING = r"\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_SHOWN = rf"[^\s{_HIDING}]"
_LINE = rf"{_SHOWN}(?:[^{_HIDING}]*{_SHOWN})?"  # neither begins nor ends with a blank
PARTY_ID = r"urn:tercet:party:[0-9a-f]{16}"
WORK_LINE = r"sha256:[0-9a-f]{64}|url:https?://[!-~]+|site:https?://[!-.0-~]+"


@dataclass(frozen=True)
class TextRule:
    """How a text is written. ``known`` closes the list of texts; ``optional``: "" is one too."""

    words: str
    pattern: str = _LINE
    characters_max: int = NAME_CHARACTERS_MAX
    optional: bool = False
    known: frozenset[str] | None = None
    error: type[TermsError] = BadTextError
    hint: str = ""

    @cached_property
    def _matches(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def check(self, value: str, path: str) -> None:
        """Raise the rule's error if ``value`` is not such a text."""
        if self.optional and not value:
            return
        if len(value) > self.characters_max:
            limit, got = f"at most {self.characters_max} characters", f"{len(value)}"
            raise self.error(path, f"{self.words}, {limit}", got, hint=self.hint)
        fits = self._matches.fullmatch(value) is not None
        if fits and self.known is not None:
            fits = value in self.known
        if fits and not value.isascii():
            fits = unicodedata.is_normalized("NFC", value) and not _has_surrogate(value)
        if fits and self.error is BadDateError:
            fits = _is_day(value)
        if not fits:
            is_known = self.known is not None and value.upper() in self.known
            hint = f"write {value.upper()}" if is_known else self.hint
            raise self.error(path, self.words, f"{value!a:.80}", hint=hint)


@dataclass(frozen=True)
class NumberRule:
    """A whole number from 0 to ``maximum``."""

    maximum: int = SAFE_INTEGER_MAX
    words: str = ""
    error: type[TermsError] = OutOfRangeError

    def check(self, value: int, path: str) -> None:
        """Raise the rule's error if ``value`` is out of its range."""
        if not 0 <= value <= self.maximum:
            error = self.error if value > 0 else OutOfRangeError
            raise error(path, self.words or f"a whole number from 0 to {self.maximum}", str(value))


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


TERRITORY_HINT = "ISO 3166-1 alpha-2, as in VN, SE, GB; the EU is named by its member states"

NAME = TextRule("a name on one line without blanks around it, in NFC", optional=True)
WORD = TextRule("a text on one line without blanks around it, in NFC, not empty")
LONG = TextRule(WORD.words, characters_max=TEXT_CHARACTERS_MAX)
PARTY = TextRule("a party's id, urn:tercet:party: and 16 hex digits", PARTY_ID)
SHA256 = TextRule("a SHA-256 as 64 small hex digits, or nothing", r"[0-9a-f]{64}", optional=True)
DAY = TextRule(
    "a day as YYYY-MM-DD, or nothing", r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    optional=True, error=BadDateError,
)  # fmt: skip
COUNTRY = TextRule(
    "a country of ISO 3166-1", r"[A-Z]{2}",
    known=TERRITORIES, error=UnknownTerritoryError, hint=TERRITORY_HINT,
)  # fmt: skip
COUNTRY_OR_WORLD = TextRule(
    'a country of ISO 3166-1, or "*" for all', r"[A-Z]{2}|\*",
    known=TERRITORIES | {WORLD}, error=UnknownTerritoryError, hint=TERRITORY_HINT,
)  # fmt: skip
JURISDICTION = TextRule(
    "a country of ISO 3166-1, or nothing", COUNTRY.pattern, optional=True,
    known=TERRITORIES, error=UnknownTerritoryError, hint=TERRITORY_HINT,
)  # fmt: skip
CURRENCY = TextRule(
    "a currency of ISO 4217 that people pay with", r"[A-Z]{3}", optional=True,
    known=CURRENCIES, error=UnknownCurrencyError, hint="as in EUR, USD, VND",
)  # fmt: skip
WORK = TextRule(
    "sha256:<64 hex digits>, url:<absolute URL> or site:<origin>", WORK_LINE,
    characters_max=16 * 1024,
)  # fmt: skip

COUNT = NumberRule()
DAYS = NumberRule(DAYS_MAX)
MONTHS = NumberRule(MONTHS_MAX)
YEARS = NumberRule(YEARS_MAX)
BASIS_POINTS = NumberRule(PARTS_MAX, "0 to 10000 basis points (100 %)", ShareError)
PER_MILLE = NumberRule(PER_MILLE_MAX, "0 to 1000 per mille (100 %)", ShareError)

Rule = TextRule | NumberRule

_BY_FIELD: dict[str, Rule] = {
    "PartyName.id": PARTY,
    "PartyName.name": NAME,
    "RepertoireName.sha256": SHA256,
    "RepertoireName.exclusions": WORK,
    "ModelScope.model": NAME,
    "ModelScope.version": NAME,
    "Territory.include": COUNTRY_OR_WORLD,
    "Territory.exclude": COUNTRY,
    "Period.start": DAY,
    "Period.end": DAY,
    "Period.training_end": DAY,
    "Grant.sublicensees": PARTY,
    "Guards.blocked_words": WORD,
    "AttributionTerms.method": NAME,
    "Price.currency": CURRENCY,
    "Price.deductions": WORD,
    "Reporting.fields": WORD,
    "Law.governing": JURISDICTION,
    "Law.forum": JURISDICTION,
    "Law.steps": WORD,
    "Terms.mandate": NAME,
    "Terms.notes": LONG,
}
_BY_UNIT: dict[str, NumberRule] = {
    "days": DAYS,
    "months": MONTHS,
    "years": YEARS,
    "basis_points": BASIS_POINTS,
    "per_mille": PER_MILLE,
}


def rule_of(owner: str, name: str) -> Rule:
    """Return what the values of a field may be: of a text by its name, of a number by its unit."""
    found = _BY_FIELD.get(f"{owner}.{name}")
    if found is not None:
        return found
    for unit, rule in _BY_UNIT.items():
        if name.endswith(f"_{unit}"):
            return rule
    return COUNT
