"""One language's voice: its table of sentences, and how it writes days, amounts, shares and places.

Numbers, dates, units and names of countries and currencies come from the CLDR, by way of Babel,
which is loaded when something is first said. What strangers wrote is quoted, on one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from tercet.consent.licences.terms_words_english import ENGLISH
from tercet.consent.licences.terms_words_vietnamese import VIETNAMESE
from tercet.core.money import MICROS
from tercet.core.terms import PartyName

if TYPE_CHECKING:
    from babel import Locale


class Language(StrEnum):
    """A language that terms are told in (BCP 47)."""

    ENGLISH = "en"
    VIETNAMESE = "vi"


TABLES: dict[Language, Mapping[str, str]] = {
    Language.ENGLISH: ENGLISH,
    Language.VIETNAMESE: VIETNAMESE,
}
_LOCALES = {Language.ENGLISH: "en_GB", Language.VIETNAMESE: "vi_VN"}
_DAY_PATTERNS = {Language.ENGLISH: "d MMMM y", Language.VIETNAMESE: "'ngày' d 'tháng' M 'năm' y"}
_MONEY_PATTERNS = {Language.ENGLISH: "¤¤\u00a0{digits}", Language.VIETNAMESE: "{digits}\u00a0¤¤"}
_QUOTATION_MARKS = "“”"  # one inside a text must not look like its end
_DECIMALS = 6  # of a micro-unit


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and the paths of the fields that it speaks of."""

    paths: tuple[str, ...]
    text: str


class Voice:
    """Speaks one language. Each method returns text; a key that is not in the table is a defect."""

    __slots__ = ("_language", "_table")

    def __init__(self, language: Language) -> None:
        self._language = language
        self._table = TABLES[language]

    def say(self, key: str, **values: str) -> str:
        """Return the sentence of ``key`` with ``values`` in their places."""
        return self._table[key].format_map(values)

    def tell(self, paths: str, key: str, **values: str) -> Sentence:
        """Return the sentence of ``key``, which speaks of ``paths`` (with blanks between them)."""
        return Sentence(tuple(paths.split()), self.say(key, **values))

    def tell_members(
        self, path: str, granted: Iterable[StrEnum], kind: type[StrEnum], **values: str
    ) -> Sentence:
        """Tell which members of a closed set are in a field, and which are not.

        The keys end with ``path``'s last name: as it is, with ``.all`` or with ``.none``.
        """
        chosen = set(granted)
        yes = self.words(member for member in kind if member in chosen)
        no = self.words(member for member in kind if member not in chosen)
        ending = "" if yes and no else ".all" if yes else ".none"
        return self.tell(path, path.rpartition(".")[2] + ending, yes=yes, no=no, **values)

    def word(self, member: StrEnum) -> str:
        """Return the words for a member of a closed set."""
        return self._table[f"{type(member).__name__}.{member}"]

    def words(self, members: Iterable[StrEnum]) -> str:
        """Return the words for members of a closed set, with semicolons between them."""
        return "; ".join(self.word(member) for member in members)

    def free(self, texts: Iterable[str]) -> str:
        """Return texts that people chose freely: in words where there are some, else quoted."""
        return "; ".join(self._table.get(f"free.{text}") or self.quote(text) for text in texts)

    def quote(self, text: str) -> str:
        """Return what somebody wrote, in quotation marks; what cannot be shown becomes escapes."""
        shown = "".join(
            c if c.isprintable() and c not in _QUOTATION_MARKS else f"\\u{{{ord(c):x}}}"
            for c in text
        )
        return self.say("quote", text=shown)

    def quotes(self, texts: Iterable[str]) -> str:
        """Return what somebody wrote, each in quotation marks."""
        return "; ".join(self.quote(text) for text in texts)

    def party(self, party: PartyName) -> str:
        """Return the name a party gave itself, quoted, and its id, which tells who it is."""
        if not party.name:
            return self.say("party.nameless", id=party.id)
        return self.say("party.named", name=self.quote(party.name), id=party.id)

    def count(self, number: int) -> str:
        """Return a whole number."""
        from babel.numbers import format_decimal

        return format_decimal(number, locale=self._locale())

    def counted(self, noun: str, number: int) -> str:
        """Return a number of things: ``works``, ``words``, ``days`` ... and ``every`` so many."""
        form = "one" if number == 1 else "other"
        return self.say(f"{noun}.{form}", count=self.count(number))

    def share(self, part: int, whole: int) -> str:
        """Return ``part`` of ``whole`` in per cent, exactly."""
        from babel.numbers import format_percent

        return format_percent(Decimal(part) / whole, format="#,##0.##%", locale=self._locale())

    def money(self, amount_micros: int, currency: str) -> str:
        """Return an exact amount with its code, as in EUR 1,200.50."""
        from babel.numbers import format_currency, get_currency_precision

        places = get_currency_precision(currency)
        digits = "#,##0." + "0" * places + "#" * (_DECIMALS - places)
        return format_currency(
            Decimal(amount_micros) / MICROS, currency, locale=self._locale(),
            format=_MONEY_PATTERNS[self._language].format(digits=digits), currency_digits=False,
        )  # fmt: skip

    def day(self, day: str) -> str:
        """Return an RFC 3339 full date."""
        from babel.dates import format_date

        return format_date(
            date.fromisoformat(day), _DAY_PATTERNS[self._language], locale=self._locale()
        )

    def day_before(self, day: str) -> str:
        """Return the last day of a period that ends with ``day``, which is not in it."""
        return self.day((date.fromisoformat(day) - timedelta(days=1)).isoformat())

    def country(self, code: str) -> str:
        """Return a country's name with its code, or the code alone where no name is known."""
        name = self._locale().territories.get(code)
        return self.say("country.name", name=name, code=code) if name else code

    def countries(self, codes: Iterable[str]) -> str:
        """Return the names of countries."""
        return "; ".join(self.country(code) for code in codes)

    def currency(self, code: str) -> str:
        """Return a currency's name with its code, or the code alone where no name is known."""
        name = self._table.get(f"currency.{code}") or self._locale().currencies.get(code)
        return self.say("currency.name", name=name, code=code) if name else code

    def _locale(self) -> Locale:
        return _loaded(_LOCALES[self._language])


@cache
def _loaded(name: str) -> Locale:
    from babel import Locale

    return Locale.parse(name)
