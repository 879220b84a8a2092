"""What an agreement makes due when: reports, payments, deletions, ends, records. Pure.

Days are counted as the terms say (core/terms): reports for every period from the start, due so many
days after it; copies so many days after training ends; deletion so many days after the end. A
payment has a day only where the terms fix its amount: it is due when the agreement begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tercet.consent.licences.reach import Days, days_of, month_later
from tercet.core.money import Money
from tercet.core.terms import FOREVER, Terms, Trigger


class DueKind(StrEnum):
    """What falls due. Stable strings."""

    PAYMENT = "payment"
    REPORT = "report"
    TRAINING_END = "training_end"
    RAW_DELETION = "raw_deletion"
    FEATURE_DELETION = "feature_deletion"
    END = "end"
    DELETION = "deletion"
    GENERATION_END = "generation_end"
    RECORDS_END = "records_end"


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One thing that falls due on a day, by an agreement, in words."""

    on: str
    kind: DueKind
    agreement: str
    words: str


def dues_of(
    agreement: str, terms: Terms, made_on: str, *, terminated_on: str = "", until: str = FOREVER
) -> tuple[Due, ...]:
    """Return what falls due before the day ``until``, in order.

    ``terminated_on`` is the first day without the agreement, "" for none. What has no end (reports
    of a model that may generate for ever) goes on until ``until``, so give one.
    """
    days = days_of(terms.grant.period)
    if days is None:
        return ()
    end = min(day for day in (days.end, terminated_on) if day)
    if terminated_on and terminated_on <= days.start:
        return ()
    found = [
        *_payments(terms, max(made_on, days.start)),
        *_reports(terms, days, terminated_on, until),
        *_ends(terms, days, end, terminated_on),
    ]
    dues = [Due(on, kind, agreement, words) for on, kind, words in found]
    return tuple(sorted(due for due in dues if due.on < until))


_Found = tuple[str, DueKind, str]


def _payments(terms: Terms, on: str) -> Iterator[_Found]:
    price = terms.price
    for micros, what in (
        (price.fixed_micros, "the fixed price"),
        (price.advance_micros, "advance"),
    ):
        if micros:
            amount = Money(price.currency, micros)
            yield on, DueKind.PAYMENT, f"pay {what}, {amount}, to {terms.licensor.name}"


def _reports(terms: Terms, days: Days, terminated_on: str, until: str) -> Iterator[_Found]:
    """Yield a report for every period that begins before the last day on which use may go on."""
    months, due_days = terms.reporting.period_months, terms.reporting.due_days
    last = _last(days, terminated_on)
    at = 0
    while months:
        start = month_later(days.start, at * months)
        end = min(month_later(days.start, (at + 1) * months), last)
        due = day_after(end, due_days)
        if start >= last or due >= until or end == FOREVER:
            return
        what = ", ".join(terms.reporting.fields) or "use"
        yield due, DueKind.REPORT, f"report {what} of {start} until {end} to {terms.licensor.name}"
        at += 1


def _ends(terms: Terms, days: Days, end: str, terminated_on: str) -> Iterator[_Found]:
    keeping = terms.retention
    training_end = min(days.training_end, end)
    yield training_end, DueKind.TRAINING_END, "no training from this day on"
    for count, kind, what in (
        (keeping.raw_days, DueKind.RAW_DELETION, "the works themselves"),
        (keeping.feature_days, DueKind.FEATURE_DELETION, "what was computed from the works"),
    ):
        yield day_after(training_end, count), kind, f"delete {what}"
    why = "terminated" if terminated_on == end else "over"
    yield end, DueKind.END, f"the agreement with {terms.licensor.name} is {why}"
    trigger = Trigger.TERMINATION if terminated_on == end else Trigger.EXPIRY
    if trigger in keeping.delete_on:
        certified = ", and certify it" if keeping.certificate else ""
        on = day_after(end, keeping.deletion_days)
        kept = "" if keeping.keeps_checkpoints else " and checkpoints"
        yield on, DueKind.DELETION, f"all copies{kept} must be deleted{certified}"
    generation_end = _last(days, terminated_on)
    if generation_end != FOREVER:
        yield generation_end, DueKind.GENERATION_END, "the model may generate no more"
    if terms.audit.records_years:
        on = month_later(end, 12 * terms.audit.records_years)
        yield on, DueKind.RECORDS_END, "records for audits need no longer be kept"


def _last(days: Days, terminated_on: str) -> str:
    """Return the first day without any use: a termination after it brings nothing back."""
    return min(days.generation_end, terminated_on or FOREVER)


def day_after(day: str, days: int) -> str:
    """Return the day so many days later, at most FOREVER."""
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return FOREVER
