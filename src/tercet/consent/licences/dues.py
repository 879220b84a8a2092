"""What a price comes to for so many works, minutes and tokens: exact, in one currency.

Only what can be counted before use is added up; what depends on use (generations, seconds made,
shares of revenue) is named and never guessed. Rounding: minutes are measured in milliseconds, and
a part of a micro-unit is rounded up once a price, for whom it is due to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tercet.core.terms import Price

MINUTE_MS = 60_000


class Unit(StrEnum):
    """What an amount is paid for."""

    FIXED = "fixed"
    WORK = "work"
    MINUTE = "minute"
    TOKEN = "token"
    GENERATION = "generation"
    OUTPUT_SECOND = "output_second"
    REVENUE = "revenue"
    PERIOD = "period"
    UNKNOWN = "unknown"  # a word that no rule here knows: nothing is added up


COUNTED = (Unit.FIXED, Unit.WORK, Unit.MINUTE, Unit.TOKEN)
LATER = (Unit.GENERATION, Unit.OUTPUT_SECOND, Unit.REVENUE, Unit.PERIOD)

UNIT_OF_WORD: dict[str, Unit] = {
    "": Unit.WORK,
    "training": Unit.WORK,
    "crawl": Unit.WORK,
    "fixed": Unit.FIXED,
    "work": Unit.WORK,
    "item": Unit.WORK,
    "asset": Unit.WORK,
    "image": Unit.WORK,
    "video": Unit.WORK,
    "minute": Unit.MINUTE,
    "token": Unit.TOKEN,
    "generation": Unit.GENERATION,
    "output_second": Unit.OUTPUT_SECOND,
    "use": Unit.GENERATION,
    "subscription": Unit.PERIOD,
    "month": Unit.PERIOD,
    "year": Unit.PERIOD,
}
"""What the words of offers found in the open are paid for.

RSL 1.0 section 3.7: `training` and `crawl` are paid for each asset, once for the corpus; `use` for
each time one is used, `subscription` for a time; of `purchase` it does not say whether all that a
content covers is bought at once, so it is not here. The others are our own, in claims of a registry
and in RSL, where no word at all means the work.
"""


@dataclass(frozen=True, slots=True)
class Measures:
    """How much a licence is about. ``duration_ms`` and ``tokens`` are those of what was measured.

    ``works_without_duration`` and ``works_without_tokens`` say how many works were not.
    """

    works: int
    duration_ms: int = 0
    works_without_duration: int = 0
    tokens: int = 0
    works_without_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """What is due at once. ``unmeasured`` units and ``later`` ones are not in ``total_micros``.

    Where ``unmeasured`` is not empty the total is what is due at least.
    """

    currency: str
    total_micros: int
    parts: tuple[tuple[Unit, int], ...] = ()
    unmeasured: tuple[Unit, ...] = ()
    later: tuple[Unit, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everything that is due before use was counted."""
        return not self.unmeasured


def due_of(price: Price, measures: Measures) -> Due:
    """Return what ``price`` comes to, before any use.

    What was counted is cut to ``cap_micros``; it is never below ``floor_micros``,
    ``guarantee_micros`` and ``advance_micros``, which are due whatever is counted (advance and
    guarantee are set off against later dues, so the greatest of them is what must be paid first).
    """
    counts = {
        Unit.FIXED: (1, 0),
        Unit.WORK: (measures.works, 0),
        Unit.MINUTE: (measures.duration_ms, measures.works_without_duration),
        Unit.TOKEN: (measures.tokens, measures.works_without_tokens),
    }
    amounts = amounts_of(price)
    counted = [(unit, micros) for unit, micros in amounts if unit in counts]
    parts = tuple((unit, part_of(unit, micros, counts[unit][0])) for unit, micros in counted)
    total = sum(part for _, part in parts)
    if price.cap_micros:
        total = min(total, price.cap_micros)
    total = max(total, price.floor_micros, price.guarantee_micros, price.advance_micros)
    unmeasured = tuple(unit for unit, _ in counted if counts[unit][1])
    later = tuple(unit for unit, _ in amounts if unit not in counts)
    return Due(price.currency, total, parts, unmeasured, later)


def part_of(unit: Unit, micros: int, count: int) -> int:
    """Return what ``count`` of ``unit`` come to; minutes are counted in milliseconds."""
    if unit is Unit.MINUTE:
        return -(-micros * count // MINUTE_MS)
    return micros * count


def amounts_of(price: Price) -> tuple[tuple[Unit, int], ...]:
    """Return every unit that has an amount, with it: micro-units, of revenue basis points."""
    amounts = (
        (Unit.FIXED, price.fixed_micros),
        (Unit.WORK, price.per_work_micros),
        (Unit.MINUTE, price.per_minute_micros),
        (Unit.TOKEN, price.per_token_micros),
        (Unit.GENERATION, price.per_generation_micros),
        (Unit.OUTPUT_SECOND, price.per_output_second_micros),
        (Unit.REVENUE, price.share_basis_points),
    )
    return tuple((unit, micros) for unit, micros in amounts if micros)


def price_units(price: Price) -> tuple[Unit, ...]:
    """Return the units in which a price has an amount: those that are counted, then the others."""
    return tuple(unit for unit, _ in amounts_of(price))


def has_price(price: Price) -> bool:
    """Whether any amount is stated."""
    ends = (price.floor_micros, price.guarantee_micros, price.advance_micros)
    return bool(price_units(price)) or any(ends)
