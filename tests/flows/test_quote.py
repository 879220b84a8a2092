"""What clearing would cost: exact, one currency at a time, and nothing guessed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as some
from licence_offers import signer_of, terms_for, works_of

from tercet.cli.main import main
from tercet.consent.licences.dues import (
    MINUTE_MS,
    Measures,
    Unit,
    due_of,
    has_price,
    price_units,
)
from tercet.consent.licences.repertoire import repertoire_bytes
from tercet.core.errors import InputError, IntegrityError
from tercet.core.terms import Price
from tercet.core.usage import Usage
from tercet.flows.quote import PricedTerms, Quote, QuoteRequest, quote
from tercet.flows.quote_measures import MeasureColumns
from tercet.store.evidence_rows import declaration_schema
from tercet.store.offers import OFFER_SCHEMA
from tercet.store.verdict_parts import VERDICT_SCHEMA

A, B = "https://a.example", "https://b.example"


def offer(name: str, site: str = A, **fields: Any) -> dict[str, Any]:
    """A row of offers.parquet; without a price where no currency is given."""
    empty = {"item": "", "kind": "payment", "currency": None, "amount_micros": None,
             "price_unit": "", "url": "", "text": ""}  # fmt: skip
    return {"declaration_id": name, "site": site} | empty | fields


def priced(name: str, micros: int, unit: str = "training", **fields: Any) -> dict[str, Any]:
    given = {"currency": "EUR", "amount_micros": micros, "price_unit": unit}
    return offer(name, **(given | fields))


def clearance(
    folder: Path, rows: list[tuple[str, str, list[str]]], offers: list[dict[str, Any]]
) -> Path:
    """Write the tables of a clearance; rows are (item, verdict, deciding declarations)."""
    out = folder / "out"
    (out / "verdicts.parquet").mkdir(parents=True)
    table = pa.Table.from_pylist(
        [
            {"item_id": at, "item": item, "verdict": verdict, "reasons": ["x"],
             "declarations": ids, "policy": "strict@1"}
            for at, (item, verdict, ids) in enumerate(rows)
        ],
        schema=VERDICT_SCHEMA,
    )  # fmt: skip
    pq.write_table(table, out / "verdicts.parquet" / "00000.parquet")
    pq.write_table(pa.Table.from_pylist(offers, schema=OFFER_SCHEMA), out / "offers.parquet")
    part = {"file": "verdicts.parquet/00000.parquet", "row_start": 0, "rows": len(rows),
            "sha256": "", "verdicts": {}}  # fmt: skip
    document = {
        "type": "tercet/clearance@1", "rows": len(rows), "usage": "train_generative",
        "created_at": "", "policy": {}, "corpus": {"inputs": []}, "declarations": {},
        "verdicts": {}, "reasons": {}, "parts": [part], "files": {}, "plan_sha256": "",
    }  # fmt: skip
    (out / "clearance.json").write_text(json.dumps(document))
    return out


def corpus(out: Path, **columns: list[Any]) -> None:
    """Put a corpus table where the clearance remembers it."""
    path = out.parent / "corpus.parquet"
    pq.write_table(pa.table(columns), path)
    notes = {"type": "tercet/local@1", "places": [str(path)]}
    (out / "local.json").write_text(json.dumps(notes))


def asked(out: Path, **fields: Any) -> Quote:
    return quote(QuoteRequest(out, **fields))


def terms(
    folder: Path, price: Price, *lines: str, state: str = "agreement", name: str = "urn:uuid:1",
    **grant: Any,
) -> PricedTerms:  # fmt: skip
    works = works_of(*lines)
    file = folder / f"{works.sha256}.txt"
    file.write_bytes(repertoire_bytes(works))
    return PricedTerms(name, state, terms_for(signer_of(), works, price, **grant), file)


def offered(count: int, *ids: str, site: str = A) -> list[tuple[str, str, list[str]]]:
    return [(f"{site}/{number}.mp4", "offered", list(ids)) for number in range(count)]


def totals(made: Quote) -> dict[str, tuple[int, int]]:
    return {name: (each.before_micros, each.after_micros) for name, each in made.totals.items()}


# ---- sums -------------------------------------------------------------------------------------


def test_only_offered_rows_are_counted(tmp_path: Path) -> None:
    rows = [*offered(3, "a"), (f"{A}/x", "cleared", ["a"]), (f"{A}/y", "blocked", ["a"])]
    made = asked(clearance(tmp_path, rows, [priced("a", 20_000)]))
    assert (made.counts.offered, made.counts.priced) == (3, 3)
    assert totals(made) == {"EUR": (60_000, 60_000)}
    assert made.lines[0].site == A
    assert made.lines[0].term == "not stated"


def test_one_offer_found_in_two_declarations_of_an_item_is_paid_once(tmp_path: Path) -> None:
    """One of them also offers something dearer: that does not make it another offer."""
    offers = [priced("a", 20_000), priced("b", 20_000), priced("b", 90_000, "crawl")]
    made = asked(clearance(tmp_path, offered(3, "a", "b"), offers))
    assert totals(made) == {"EUR": (60_000, 60_000)}
    assert (made.lines[0].items, made.lines[0].alternatives) == (3, 2)


def test_currencies_are_never_added_up(tmp_path: Path) -> None:
    rows = [*offered(2, "a"), *offered(1, "b", site=B)]
    offers = [priced("a", 5), priced("b", 7, site=B, currency="USD")]
    assert totals(asked(clearance(tmp_path, rows, offers))) == {"EUR": (10, 10), "USD": (7, 7)}


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    huge = 2**62
    made = asked(clearance(tmp_path, offered(5, "a"), [priced("a", huge)]))
    assert totals(made)["EUR"] == (5 * huge, 5 * huge)


def test_of_alternatives_the_one_for_the_usage_is_quoted(tmp_path: Path) -> None:
    """RSL's licenses of one content are alternatives: one of them is bought, not all."""
    offers = [priced("a", 1, "crawl"), priced("a", 50, "training"), priced("a", 2, "subscription")]
    made = asked(clearance(tmp_path, offered(4, "a"), offers))
    assert totals(made)["EUR"] == (200, 200)
    assert made.lines[0].alternatives == 3


def test_the_same_offer_told_twice_is_paid_once(tmp_path: Path) -> None:
    """robots.txt and a header both lead to one file: two declarations, one offer."""
    offers = [priced("a", 9, url="https://a.example/t"), priced("b", 9, url="https://a.example/t")]
    assert totals(asked(clearance(tmp_path, offered(2, "a", "b"), offers)))["EUR"] == (18, 18)


def test_two_owners_of_one_item_are_both_paid(tmp_path: Path) -> None:
    offers = [priced("a", 9), priced("b", 4, site=B)]
    assert totals(asked(clearance(tmp_path, offered(2, "a", "b"), offers)))["EUR"] == (26, 26)


def test_offers_without_a_price_are_listed_apart(tmp_path: Path) -> None:
    rows = [*offered(3, "a"), *offered(2, "p"), *offered(1, "p", "a"), *offered(1, "gone")]
    offers = [offer("a", kind="licence", url="https://a.example/ask"), priced("p", 10, site=B)]
    made = asked(clearance(tmp_path, rows, offers))
    assert [(each.items, each.url) for each in made.without_price] == [(3, "https://a.example/ask")]
    assert made.counts.also_without_price == 1
    assert made.counts.without_offer == 1
    assert totals(made)["EUR"] == (30, 30)


def test_a_unit_that_nobody_can_count_is_not_added_up(tmp_path: Path) -> None:
    made = asked(clearance(tmp_path, offered(3, "a"), [priced("a", 10, "moonbeam")]))
    assert made.totals == {}
    assert [(each.unit, each.items) for each in made.without_unit] == [("moonbeam", 3)]


@pytest.mark.parametrize("unit", ["use", "subscription", "generation"])
def test_what_depends_on_use_is_due_later(tmp_path: Path, unit: str) -> None:
    made = asked(clearance(tmp_path, offered(3, "a"), [priced("a", 10, unit)]))
    assert totals(made)["EUR"] == (0, 0)
    assert made.lines[0].later


# ---- minutes and tokens -------------------------------------------------------------------------


def test_minutes_come_from_the_corpus(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(3, "a"), [priced("a", 2_000_000, "minute")])
    corpus(out, url=[f"{A}/{n}.mp4" for n in range(3)], duration_s=[90.0, 30.5, None])
    made = asked(out)
    assert totals(made)["EUR"][0] == 2_000_000 * 120_500 // MINUTE_MS + 1  # rounded up
    line = made.lines[0]
    assert (line.not_measured_items, line.unmeasured) == (1, ("minute",))
    assert not made.totals["EUR"].before_is_whole


def test_an_item_with_two_lengths_has_none(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(1, "a"), [priced("a", 60_000, "minute")])
    corpus(out, url=[f"{A}/0.mp4"] * 2, minutes=[1, 2])
    made = asked(out)
    assert totals(made)["EUR"][0] == 0
    assert made.lines[0].not_measured_items == 1


def test_a_column_that_does_not_tell_its_unit_is_not_guessed(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(1, "a"), [priced("a", 60_000, "minute")])
    corpus(out, url=[f"{A}/0.mp4"], duration=[60])
    assert asked(out).lines[0].not_measured_items == 1
    named = asked(out, columns=MeasureColumns(seconds="duration"))
    assert totals(named)["EUR"][0] == 60_000
    with pytest.raises(InputError, match="no column 'length'"):
        asked(out, columns=MeasureColumns(minutes="length"))


@pytest.mark.parametrize("length", [-5, 0, math.nan, math.inf])
def test_no_length_is_none(tmp_path: Path, length: float) -> None:
    out = clearance(tmp_path, offered(1, "a"), [priced("a", 60_000, "minute")])
    corpus(out, url=[f"{A}/0.mp4"], seconds=[float(length)])
    assert asked(out).lines[0].not_measured_items == 1


def test_two_candidates_for_the_length_are_asked_about(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(1, "a"), [priced("a", 60_000, "minute")])
    corpus(out, url=[f"{A}/0.mp4"], seconds=[1], minutes=[1])
    with pytest.raises(InputError, match="2 columns"):
        asked(out)


def test_a_table_of_comma_separated_values_is_measured_too(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(2, "a"), [priced("a", 10, "token")])
    path = tmp_path / "corpus.csv"
    path.write_text(f"url,tokens\n{A}/0.mp4,700\n{A}/1.mp4,many\n")
    (out / "local.json").write_text(json.dumps({"type": "tercet/local@1", "places": [str(path)]}))
    made = asked(out)
    assert totals(made)["EUR"][0] == 7_000
    assert made.lines[0].not_measured_items == 1


def test_local_files_tell_their_length(tmp_path: Path) -> None:
    import iscc_samples

    media = tmp_path / "media"
    media.mkdir()
    raw = (Path(iscc_samples.ROOT) / "video" / "demo.mp4").read_bytes()
    (media / "film.mp4").write_bytes(raw)
    (media / "torn.mp4").write_bytes(raw[:1000])
    rows = [("film.mp4", "offered", ["a"]), ("torn.mp4", "offered", ["a"])]
    out = clearance(tmp_path, rows, [priced("a", 60_000, "minute", site="")])
    notes = {"type": "tercet/local@1", "places": [str(media)]}
    (out / "local.json").write_text(json.dumps(notes))
    made = asked(out)
    assert made.measured.files == 2
    assert made.lines[0].not_measured_items == 1
    assert 55_000 < totals(made)["EUR"][0] < 70_000  # the sample lasts about a minute


# ---- negotiated -------------------------------------------------------------------------------


def test_a_negotiated_price_takes_the_place_of_the_open_one(tmp_path: Path) -> None:
    rows = [*offered(4, "a"), *offered(2, "b", site=B)]
    out = clearance(tmp_path, rows, [priced("a", 100), priced("b", 1, site=B)])
    agreed = terms(tmp_path, Price("EUR", fixed_micros=50, per_work_micros=10), f"site:{A}")
    made = asked(out, negotiated=(agreed,))
    assert totals(made)["EUR"] == (402, 92)
    assert [(each.items, each.after_micros) for each in made.negotiated] == [(4, 90)]
    assert {each.site: each.items_after for each in made.lines} == {A: 0, B: 2}


def test_single_works_are_covered_by_address_and_exclusions_are_not(tmp_path: Path) -> None:
    from dataclasses import replace

    out = clearance(tmp_path, offered(3, "a"), [priced("a", 100)])
    one = terms(tmp_path, Price("EUR", per_work_micros=1), f"url:{A}/1.mp4")
    assert totals(asked(out, negotiated=(one,)))["EUR"] == (300, 201)
    whole = terms(tmp_path, Price("EUR", per_work_micros=1), f"site:{A}")
    named = replace(whole.terms.repertoire, exclusions=(f"url:{A}/2.mp4",))
    less = replace(whole, terms=replace(whole.terms, repertoire=named))
    assert totals(asked(out, negotiated=(less,)))["EUR"] == (300, 102)


def test_a_registered_work_is_covered_wherever_it_was_found(tmp_path: Path) -> None:
    out = clearance(tmp_path, [("copy.mp4", "offered", ["r"])], [priced("r", 100, "", site="")])
    (out / "matches").mkdir()
    found = dict.fromkeys(declaration_schema().names) | {
        "declaration_id": "r", "signal": "registry",
        "evidence": json.dumps({"owner": "Owner of it", "work_sha256": "ab" * 32}),
    }  # fmt: skip
    rows = pa.Table.from_pylist([found], schema=declaration_schema())
    pq.write_table(rows, out / "matches" / "declarations.parquet")
    agreed = terms(tmp_path, Price("EUR", per_work_micros=60), "sha256:" + "ab" * 32)
    made = asked(out, negotiated=(agreed,))
    assert [each.owner for each in made.lines] == ["Owner of it"]
    assert totals(made)["EUR"] == (100, 60)


def test_of_several_that_cover_an_item_the_first_counts(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(3, "a"), [priced("a", 100)])
    one = terms(tmp_path, Price("EUR", per_work_micros=7), f"url:{A}/0.mp4")
    two = terms(tmp_path, Price("EUR", per_work_micros=9), f"site:{A}", state="offered")
    made = asked(out, negotiated=(one, two))
    assert [each.items for each in made.negotiated] == [1, 2]
    assert totals(made)["EUR"] == (300, 7 + 18)


def test_terms_for_another_usage_change_nothing(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(3, "a"), [priced("a", 100)])
    price = Price("EUR", per_work_micros=1)
    other = terms(tmp_path, price, f"site:{A}", usages=(Usage.AI_INPUT,))
    made = asked(out, negotiated=(other,))
    assert made.negotiated == []
    assert totals(made)["EUR"] == (300, 300)


def test_a_negotiated_price_by_the_minute_needs_minutes(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(2, "a"), [priced("a", 100)])
    made = asked(out, negotiated=(terms(tmp_path, Price("EUR", per_minute_micros=5), f"site:{A}"),))
    total = made.totals["EUR"]
    assert (total.before_is_whole, total.after_is_whole) == (True, False)


# ---- prices -----------------------------------------------------------------------------------

MICROS = some.integers(0, 10**15)
PRICES = some.builds(
    Price, currency=some.just("EUR"), fixed_micros=MICROS, per_work_micros=MICROS,
    per_minute_micros=MICROS, per_token_micros=MICROS, cap_micros=MICROS, floor_micros=MICROS,
    guarantee_micros=MICROS, advance_micros=MICROS, share_basis_points=some.integers(0, 10_000),
)  # fmt: skip
MEASURES = some.builds(Measures, some.integers(0, 10**7), some.integers(0, 10**12),
                       some.just(0), some.integers(0, 10**12))  # fmt: skip


@given(PRICES, MEASURES)
def test_what_is_due_is_within_its_bounds(price: Price, measures: Measures) -> None:
    due = due_of(price, measures)
    least = max(price.floor_micros, price.guarantee_micros, price.advance_micros)
    assert due.total_micros >= least
    if price.cap_micros >= least > 0:
        assert due.total_micros <= max(price.cap_micros, least)
    assert has_price(price) == bool(price_units(price) or least)
    assert (Unit.REVENUE in due.later) == bool(price.share_basis_points)


@given(PRICES, MEASURES, some.integers(0, 1000))
def test_more_works_never_cost_less(price: Price, measures: Measures, more: int) -> None:
    bigger = Measures(measures.works + more, measures.duration_ms, 0, measures.tokens, 0)
    assert due_of(price, bigger).total_micros >= due_of(price, measures).total_micros


# ---- the command ------------------------------------------------------------------------------


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_the_command_prints_a_table_or_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    rows = [*offered(2, "a"), *offered(1, "b", site="https://\x1b[31mred")]
    offers = [priced("a", 20_000), offer("b", site="https://\x1b[31mred", kind="licence")]
    out = clearance(tmp_path, rows, offers)
    assert run("quote", str(out)) == 0
    shown = capsys.readouterr().out
    assert "EUR 0.04" in shown
    assert "\x1b" not in shown
    assert run("quote", str(out), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["type"] == "tercet/quote@1"
    assert document["totals"]["EUR"]["before_micros"] == 40_000


def test_lines_that_are_left_out_are_in_the_sums(tmp_path: Path) -> None:
    rows = [*offered(2, "a"), *offered(1, "b", site=B)]
    made = asked(clearance(tmp_path, rows, [priced("a", 1), priced("b", 5, site=B)]), lines_max=1)
    assert (len(made.lines), made.lines_left_out) == (1, 1)
    assert totals(made)["EUR"] == (7, 7)


def test_a_torn_table_is_told(tmp_path: Path) -> None:
    out = clearance(tmp_path, offered(1, "a"), [priced("a", 1)])
    (out / "offers.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError, match="cannot read the tables"):
        asked(out)
