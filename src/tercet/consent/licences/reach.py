"""How far terms reach in time and space: days and countries that fields stand for together."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date

from tercet.core.terms import FOREVER, WORLD, Period, Tail, Territory
from tercet.core.territories import TERRITORIES

COUNTRIES_TO_COME = "countries to come"  # of WORLD, beside those that are known now


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a period, as YYYY-MM-DD: each end is the first day that is outside."""

    start: str
    end: str
    training_end: str
    generation_end: str


def is_day(value: str) -> bool:
    """Say whether ``value`` is an RFC 3339 full date that the calendar has."""
    if len(value) != len(FOREVER) or value[4] != "-" or value[7] != "-":
        return False  # fromisoformat also takes weeks and dates without hyphens
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def days_of(period: Period) -> Days | None:
    """Return the days of a period, None when it grants no day or one of them cannot be read."""
    training_end = period.training_end or period.end
    if not all(is_day(day) for day in (period.start, period.end, training_end)):
        return None
    if period.end <= period.start:
        return None
    return Days(period.start, period.end, min(training_end, period.end), _generation_end(period))


def generation_end(period: Period) -> str:
    """Return the first day on which a model may no longer generate, "" when it never may."""
    days = days_of(period)
    return days.generation_end if days else ""


def _generation_end(period: Period) -> str:
    if period.tail is Tail.PERPETUAL:
        return FOREVER
    return month_later(period.end, period.tail_months) if period.tail is Tail.MONTHS else period.end


def month_later(day: str, months: int) -> str:
    """Return the same day so many months later, or the last of its month; at most FOREVER."""
    start = date.fromisoformat(day)
    years, month = divmod(start.month - 1 + max(months, 0), 12)
    year = start.year + years
    if year > date.max.year:
        return FOREVER
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last)).isoformat()


def months_between(start: str, end: str) -> int:
    """Return the most months for which ``month_later(start, months)`` is not after ``end``."""
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    months = max(0, (last.year - first.year) * 12 + last.month - first.month)
    return months if month_later(start, months) <= end else months - 1


def reach_of(territory: Territory) -> frozenset[str]:
    """Return every country that is meant; for WORLD also the token of those to come.

    WORLD itself is reached only where nothing is excluded.
    """
    whole = WORLD in territory.include
    included = TERRITORIES if whole else TERRITORIES.intersection(territory.include)
    reached = included.difference(territory.exclude)
    if not whole:
        return reached
    return reached | ({COUNTRIES_TO_COME} if territory.exclude else {COUNTRIES_TO_COME, WORLD})
