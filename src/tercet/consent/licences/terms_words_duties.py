"""Duties in plain words: copies, guards, credit, reports, the end of a service, law, and notes."""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent.licences.terms_voice import Sentence, Voice
from tercet.core.terms import Surviving, Terms, Trigger

_WHOLE_PER_MILLE = 1_000
_WHOLE_BASIS_POINTS = 10_000


def copies_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield how long copies may be kept, and what makes them due to be deleted."""
    retention = terms.retention
    raw_days, feature_days = retention.raw_days, retention.feature_days
    yield voice.tell(
        "retention.raw_days", _key("raw", raw_days), days=voice.counted("days", raw_days)
    )
    yield voice.tell(
        "retention.feature_days",
        _key("features", feature_days),
        days=voice.counted("days", feature_days),
    )
    yield voice.tell(
        "retention.keeps_checkpoints", _key("checkpoints", retention.keeps_checkpoints)
    )
    told = voice.tell_members(
        "retention.delete_on",
        retention.delete_on,
        Trigger,
        days=voice.counted("days", retention.deletion_days),
    )
    yield Sentence((*told.paths, "retention.deletion_days"), told.text)
    yield voice.tell("retention.certificate", _key("certificate", retention.certificate))


def guards_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield what outputs must not do."""
    guards = terms.guards
    yield voice.tell(
        "guards.similarity_max_per_mille",
        _key("similarity", guards.similarity_max_per_mille),
        share=voice.share(guards.similarity_max_per_mille, _WHOLE_PER_MILLE),
    )
    yield voice.tell(
        "guards.quoted_words_max",
        _key("quoted", guards.quoted_words_max),
        words=voice.counted("words", guards.quoted_words_max),
    )
    yield voice.tell("guards.persons", _key("persons", guards.persons))
    yield voice.tell("guards.styles", _key("styles", guards.styles))
    yield voice.tell("guards.scenes", _key("scenes", guards.scenes))
    yield voice.tell(
        "guards.blocked_words",
        _key("blocked_words", guards.blocked_words),
        list=voice.quotes(guards.blocked_words),
    )


def credit_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield how credit is measured, and what happens where that is not reliable."""
    credit = terms.attribution
    method = voice.quote(credit.method)
    yield voice.tell("attribution.method", _key("method", credit.method), method=method)
    yield voice.tell(
        "attribution.reliability_min_per_mille",
        _key("reliability", credit.reliability_min_per_mille),
        share=voice.share(credit.reliability_min_per_mille, _WHOLE_PER_MILLE),
    )
    yield voice.tell("attribution.fallback", f"fallback.{credit.fallback}")


def reports_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield what is reported when, and how the licensor may look for itself."""
    reporting, audit = terms.reporting, terms.audit
    reported = "reporting" if reporting.fields else "reporting.empty"
    yield voice.tell(
        "reporting.period_months reporting.due_days reporting.fields",
        reported if reporting.period_months else "reporting.none",
        every=voice.counted("every", reporting.period_months),
        days=voice.counted("days", reporting.due_days),
        list=voice.free(reporting.fields),
    )
    yield voice.tell(
        "audit.per_year audit.notice_days",
        _key("audit", audit.per_year),
        times=voice.counted("times", audit.per_year),
        days=voice.counted("days", audit.notice_days),
    )
    yield voice.tell(
        "audit.records_years",
        _key("records", audit.records_years),
        years=voice.counted("years", audit.records_years),
    )
    yield voice.tell(
        "audit.cost_shift_basis_points",
        _key("cost_shift", audit.cost_shift_basis_points),
        share=voice.share(audit.cost_shift_basis_points, _WHOLE_BASIS_POINTS),
    )


def end_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield what happens when the licensee gives the service up."""
    wind_down = terms.wind_down
    yield voice.tell(
        "wind_down.notice_days",
        _key("notice", wind_down.notice_days),
        days=voice.counted("days", wind_down.notice_days),
    )
    amount = ""
    if wind_down.escrow_micros:
        amount = voice.money(wind_down.escrow_micros, terms.price.currency)
    yield voice.tell("wind_down.escrow_micros", _key("escrow", amount), amount=amount)
    yield voice.tell_members("wind_down.survival", wind_down.survival, Surviving)


def law_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield which law applies, which courts decide, and what is tried before."""
    law = terms.law
    yield voice.tell(
        "law.governing", _key("governing", law.governing), country=voice.country(law.governing)
    )
    yield voice.tell("law.forum", _key("forum", law.forum), country=voice.country(law.forum))
    yield voice.tell("law.steps", _key("steps", law.steps), list=voice.free(law.steps))


def notes_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield the notes, quoted: nothing is decided by them."""
    for number, note in enumerate(terms.notes, 1):
        yield voice.tell("notes", "note", number=voice.count(number), text=voice.quote(note))
    if not terms.notes:
        yield voice.tell("notes", "notes.none")


def _key(key: str, is_said: object) -> str:
    """Return the key of what a field says, or of its saying nothing."""
    return key if is_said else f"{key}.none"
