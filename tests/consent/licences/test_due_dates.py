"""What falls due when: every day follows from the terms, and a calendar takes it in."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licences.calendar_file import calendar_file
from tercet.consent.licences.due_dates import Due, DueKind, dues_of
from tercet.core.terms import (
    FOREVER,
    Grant,
    PartyName,
    Period,
    Price,
    RepertoireName,
    Reporting,
    Retention,
    Tail,
    Terms,
)

OWNER = PartyName("urn:tercet:party:0000000000000001", "Owner")
TERMS = Terms(
    OWNER,
    RepertoireName("0" * 64, 1),
    grant=Grant(period=Period("2026-01-31", "2027-01-31", "2026-07-01", Tail.MONTHS, 6)),
    price=Price("EUR", fixed_micros=2_500_000, share_basis_points=300),
    reporting=Reporting(period_months=3, due_days=10),
    retention=Retention(raw_days=30, feature_days=60, deletion_days=14),
)


def days(kind: DueKind, terms: Terms = TERMS, **more: str) -> list[str]:
    return [due.on for due in dues_of("a", terms, "2026-01-02", **more) if due.kind is kind]


def test_each_day_follows_from_the_terms() -> None:
    assert days(DueKind.PAYMENT) == ["2026-01-31"]
    assert days(DueKind.TRAINING_END) == ["2026-07-01"]
    assert days(DueKind.RAW_DELETION) == ["2026-07-31"]
    assert days(DueKind.FEATURE_DELETION) == ["2026-08-30"]
    assert days(DueKind.END) == ["2027-01-31"]
    assert days(DueKind.DELETION) == ["2027-02-14"]
    assert days(DueKind.GENERATION_END) == ["2027-07-31"]
    assert days(DueKind.RECORDS_END) == ["2034-01-31"]


def test_reports_go_on_as_long_as_the_model_may_generate() -> None:
    found = days(DueKind.REPORT)
    assert found[0] == "2026-05-10"  # 31 January and three months is 30 April
    assert found[-1] == "2027-08-10"
    assert len(found) == 6


def test_a_model_that_may_generate_for_ever_is_reported_until_the_day_asked() -> None:
    period = replace(TERMS.grant.period, tail=Tail.PERPETUAL, tail_months=0)
    endless = replace(TERMS, grant=replace(TERMS.grant, period=period))
    assert days(DueKind.GENERATION_END, endless) == []
    found = days(DueKind.REPORT, endless, until="2030-01-01")
    assert found[-1] < "2030-01-01"
    assert len(found) == 15


def test_a_termination_ends_everything_on_its_day() -> None:
    ended = {"terminated_on": "2026-05-01"}
    assert days(DueKind.TRAINING_END, **ended) == ["2026-05-01"]
    assert days(DueKind.DELETION, **ended) == ["2026-05-15"]
    assert days(DueKind.GENERATION_END, **ended) == ["2026-05-01"]
    assert days(DueKind.REPORT, **ended) == ["2026-05-10", "2026-05-11"]
    assert dues_of("a", TERMS, "2026-01-02", terminated_on="2026-01-31") == ()


def test_a_termination_after_the_last_day_does_not_bring_use_back() -> None:
    for day in ("2027-07-31", "2029-01-01"):
        assert days(DueKind.GENERATION_END, terminated_on=day) == ["2027-07-31"]
        assert days(DueKind.REPORT, terminated_on=day) == days(DueKind.REPORT)


@given(
    st.integers(0, 60), st.integers(0, 90), st.sampled_from(Tail), st.integers(0, 40),
    st.sampled_from(["", "2026-03-03", "2029-01-01"]),
)  # fmt: skip
def test_dues_are_sorted_and_before_the_day_asked(
    months: int, due_days: int, tail: Tail, tail_months: int, terminated_on: str
) -> None:
    period = replace(TERMS.grant.period, tail=tail, tail_months=tail_months)
    terms = replace(
        TERMS,
        grant=replace(TERMS.grant, period=period),
        reporting=Reporting(months, due_days),
    )
    until = "2031-01-01"
    found = dues_of("a", terms, "2026-01-02", terminated_on=terminated_on, until=until)
    assert list(found) == sorted(found)
    assert all(due.on < until for due in found)


def test_the_calendar_is_folded_and_escaped() -> None:
    words = "report; of “Töne”, " + "ä" * 80 + "\nEND:VCALENDAR\r\nX:1"
    raw = calendar_file(
        [Due("2026-12-31", DueKind.REPORT, "urn:uuid:1", words)], "2026-11-22T10:00:00Z"
    )
    lines = raw.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    unfolded = raw.replace(b"\r\n ", b"").decode()
    assert "SUMMARY:report\\; of “Töne”\\, " in unfolded
    assert unfolded.count("\r\nEND:VCALENDAR") == 1
    assert "DTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270101" in unfolded
    assert "DTSTAMP:20261122T100000Z" in unfolded


def test_terms_without_a_period_make_nothing_due() -> None:
    assert dues_of("a", replace(TERMS, grant=Grant()), "2026-01-02", until=FOREVER) == ()
