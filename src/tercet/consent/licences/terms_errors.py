"""What can be wrong with terms: one error for each kind of flaw, with the path of the field."""

from __future__ import annotations

from tercet.core.errors import InputError


class TermsError(InputError):
    """Terms that cannot be used. ``path`` names the field, as in ``grant.usages[0]``.

    ``place`` is what was read, and where: "terms" for a document, file and line for a file.
    """

    code = "bad-terms"

    def __init__(
        self, path: str, expected: str, got: str, *, hint: str = "", place: str = "terms"
    ) -> None:
        super().__init__(f"{place}: {path}: expected {expected}; got {got}", hint=hint)
        self.path = path
        self.expected = expected
        self.got = got

    def found_at(self, place: str) -> TermsError:
        """Return the same error, told of another place."""
        return type(self)(self.path, self.expected, self.got, hint=self.hint, place=place)


class UnknownMemberError(TermsError):
    """A member that the schema does not have: it may mean something we would not obey."""

    code = "unknown-member"


class MissingMemberError(TermsError):
    """A member that is not there. In a document each one is said, so that it has one text."""

    code = "missing-member"


class WrongTypeError(TermsError):
    """A value of another type: a fraction, a truth value or a text where a number belongs."""

    code = "wrong-type"


class UnknownValueError(TermsError):
    """A value that a closed list does not have."""

    code = "unknown-value"


class UnknownUsageError(UnknownValueError):
    """A usage that nobody defined."""

    code = "unknown-usage"


class UnknownTerritoryError(UnknownValueError):
    """A territory that ISO 3166-1 does not assign."""

    code = "unknown-territory"


class UnknownCurrencyError(UnknownValueError):
    """A currency that ISO 4217 does not have, or that nobody pays with."""

    code = "unknown-currency"


class BadTextError(TermsError):
    """A text that is not written as its field demands, or that shows otherwise than it reads."""

    code = "bad-text"


class BadDateError(TermsError):
    """A day that the calendar does not have, or that is not written YYYY-MM-DD."""

    code = "bad-date"


class OutOfRangeError(TermsError):
    """A number below 0 or beyond what the field can mean."""

    code = "out-of-range"


class ShareError(OutOfRangeError):
    """A share of more than the whole."""

    code = "share-over-whole"


class PeriodError(TermsError):
    """A period that ends before it begins, or training that goes on after its end."""

    code = "end-before-start"


class NoCurrencyError(TermsError):
    """An amount that is in no currency."""

    code = "amount-without-currency"


class ContradictionError(TermsError):
    """Two fields that cannot both be meant."""

    code = "contradicting-terms"


class RepeatedError(TermsError):
    """A list that says the same twice."""

    code = "repeated-value"


class TooManyError(TermsError):
    """A list that is longer than terms may be."""

    code = "too-many-values"


class TermsFileError(InputError):
    """A terms file that cannot be read at all: too large, not UTF-8, not TOML."""

    code = "bad-terms-file"
