"""What an owner publishes is read back by our own readers, with the meaning that was intended."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from licence_offers import OFFER_ID, offered
from loopback import Page
from small_corpora import run as clear_corpus
from small_corpora import verdicts, write_table
from surveyed import run, serving

from tercet.consent.licences.offer_files import OfferFiles, offer_address
from tercet.consent.signals.rsl import read_rsl_xml
from tercet.consent.signals.tdmrep_policy import read_policy
from tercet.core.condition import ConditionKind
from tercet.core.declaration import Carrier, Source
from tercet.core.errors import InputError
from tercet.core.money import Money
from tercet.core.terms import FOREVER, Period, Price, Territory
from tercet.core.usage import Usage
from tercet.flows.offer import site_files, write_site_files
from tercet.flows.quote import PricedTerms, QuoteRequest, quote
from tercet.flows.rate_card import compared_prices, term_words

HOST = "films.example"
TYPES = {".xml": "application/rsl+xml", ".json": "application/json", ".html": "text/html"}


def header_lines(files: OfferFiles) -> tuple[tuple[str, str], ...]:
    lines = files.files["headers.txt"].decode().splitlines()
    return tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))


def played(files: OfferFiles, *, carriers: str) -> Any:
    """Play a site with the files as uploaded; ``carriers`` says what leads to them."""
    pages: dict[str, Any] = {
        f"{HOST}/{name}": Page(raw, media_type=TYPES.get(Path(name).suffix, "text/plain"))
        for name, raw in files.files.items()
        if "tdm" not in name or "t" in carriers
    }
    lines = files.files["robots-lines.txt"] if "r" in carriers else b""
    pages[f"{HOST}/robots.txt"] = Page(b"User-agent: *\nAllow: /\n\n" + lines)
    headers = header_lines(files) if "h" in carriers else ()
    pages[f"{HOST}/x.jpg"] = Page(b"\xff\xd8\xff\xd9", media_type="image/jpeg", headers=headers)
    return pages


def cleared(
    tmp_path: Path, offer: Any, carriers: str, usage: Usage = Usage.TRAIN_GENERATIVE
) -> Any:
    """Survey a site with these files and clear one item of it; return its row and its offers."""
    with serving({}) as server:
        site = f"http://{HOST}:{server.port}"
        made = offer(site)
        files = site_files([made], site)
        pages = played(files, carriers=carriers)
        server.pages = lambda host, path: pages.get(host + path)
        run(server, [HOST], tmp_path / "evidence", items=True)
        table = write_table(tmp_path / "urls.parquet", [f"{site}/x.jpg"])
    clear_corpus(tmp_path, table, declarations=tmp_path / "evidence", usage=usage)
    out = tmp_path / "out"
    return verdicts(out)[0], pq.read_table(out / "offers.parquet").to_pylist(), made, out


def whole_site(site: str, **given: Any) -> Any:
    return offered(f"site:{site}", **given)


@pytest.mark.parametrize("carriers", ["r", "h", "rt", "rth"])
def test_an_item_of_the_site_comes_out_offered_at_that_price(tmp_path: Path, carriers: str) -> None:
    row, offers, made, _ = cleared(tmp_path, whole_site, carriers)
    assert row["verdict"] == "offered", row
    priced = [each for each in offers if each["amount_micros"] is not None]
    assert {(each["currency"], each["amount_micros"]) for each in priced} == {("EUR", 50_000)}
    assert all(OFFER_ID.removeprefix("urn:uuid:") in each["url"] for each in priced)
    assert made.published.id == OFFER_ID


def test_what_is_not_offered_stays_reserved(tmp_path: Path) -> None:
    row, *_ = cleared(tmp_path, whole_site, "rth", usage=Usage.AI_INPUT)
    assert row["verdict"] == "blocked", row


def test_a_quote_takes_the_price_from_the_signed_offer(tmp_path: Path) -> None:
    """RSL cannot say two prices at once: the file leads to the signed offer, which does."""
    price = Price("EUR", fixed_micros=2_000_000, per_work_micros=250_000)
    row, offers, made, out = cleared(tmp_path, lambda site: whole_site(site, price=price), "rth")
    assert row["verdict"] == "offered"
    assert {each["price_unit"] for each in offers if each["amount_micros"]} == {"price in terms"}
    without = quote(QuoteRequest(out))
    assert (without.counts.priced, without.totals, len(without.without_unit)) == (1, {}, 1)
    signed = PricedTerms(made.published.id, "offer", made.published.terms)
    found = quote(QuoteRequest(out, signed=(signed,)))
    assert (found.counts.offered, found.counts.priced) == (1, 1)
    assert found.totals["EUR"].before_micros == 2_250_000
    assert found.lines[0].id == OFFER_ID
    assert found.lines[0].term.startswith("2027-01-01 to 2028-12-31")


@pytest.mark.parametrize(
    ("price", "unit", "micros"),
    [
        (Price("EUR", per_minute_micros=2_500_000), "minute", 2_500_000),
        (Price("EUR", fixed_micros=9_000_000), "purchase", 9_000_000),
        (Price("EUR", per_generation_micros=1), "use", 1),
        (Price("EUR", per_token_micros=3), "token", 3),
        (Price("EUR", per_output_second_micros=4), "output_second", 4),
        (Price("EUR", share_basis_points=1_000), "price in terms", 0),
        (Price("EUR", per_work_micros=5, floor_micros=7), "price in terms", 7),
    ],
)
def test_prices_that_rsl_has_no_word_for_are_read_back(
    price: Price, unit: str, micros: int
) -> None:
    site = f"https://{HOST}"
    raw = site_files([whole_site(site, price=price)], site).files["rsl.xml"]
    source = Source(Carrier.FILE, f"{site}/rsl.xml")
    (found,) = read_rsl_xml(raw, source)
    assert found.fault == ""
    paid = [
        condition
        for statement in found.readings[0].statements
        for condition in statement.conditions
        if condition.kind is ConditionKind.PAYMENT
    ]
    assert [(each.price_unit, each.price) for each in paid] == [(unit, Money("EUR", micros))]


def test_single_works_are_offered_and_others_are_not_spoken_of() -> None:
    made = offered(f"url:https://{HOST}/a/1.mp4", f"url:https://{HOST}/b*.mp4")
    files = site_files([made], f"https://{HOST}").files
    assert b'<content url="/a/1.mp4$">' in files["rsl.xml"]
    assert b'<content url="/b%2A.mp4$">' in files["rsl.xml"]
    assert b'"location": "/a/1.mp4"' in files[".well-known/tdmrep.json"]


def test_a_repertoire_without_a_work_of_the_site_is_refused() -> None:
    made = offered("site:https://elsewhere.example")
    with pytest.raises(InputError, match="no work at"):
        site_files([made], f"https://{HOST}")


def test_markup_in_a_name_stays_text() -> None:
    made = offered(f"site:https://{HOST}", territory=Territory(("DE", "FR"), ()))
    files = site_files([made], f"https://{HOST}", address="https://api.example/<x>")
    rsl = files.files["rsl.xml"].decode()
    assert "https://api.example/&lt;x&gt;/v1/offers/" in rsl
    assert '<permits type="geo">DE FR</permits>' in rsl


def test_the_policy_is_one_of_tdmrep() -> None:
    made = offered(f"site:https://{HOST}")
    policy = read_policy(site_files([made], f"https://{HOST}").files[".well-known/tdm-policy.json"])
    assert policy.fault == ""
    assert [one.duties for one in policy.permissions] == [("obtainConsent", "compensate")]
    assert dict(policy.assigner)["fn"] == "Owner"
    where = offer_address(made.published, f"https://{HOST}")
    assert dict(policy.assigner)["hasURL"] == where


def test_everything_is_written_where_it_is_served(tmp_path: Path) -> None:
    files = site_files([offered(f"site:https://{HOST}")], f"https://{HOST}")
    names = write_site_files(files, tmp_path)
    assert names[-1].startswith(".well-known/")
    assert all((tmp_path / name).read_bytes() == files.files[name] for name in names)
    assert b"<script" not in files.files["rate-card.html"]


def test_the_rate_card_leads_to_the_signed_offer_and_its_works() -> None:
    made = offered(f"site:https://{HOST}")
    files = site_files([made], f"https://{HOST}").files
    places = re.findall(r'href="([^"]+)"', files["rate-card.html"].decode())
    assert len(places) == 2
    assert all(place in files for place in places)


def test_a_term_is_told_with_its_last_day() -> None:
    period = Period(start="2027-01-01", end="2028-01-01")
    terms = offered(f"site:https://{HOST}").published.terms
    for end, words in (("2028-01-01", "to 2027-12-31;"), (FOREVER, "for ever;")):
        grant = replace(terms.grant, period=replace(period, end=end))
        assert words in term_words(replace(terms, grant=grant))


def test_large_amounts_are_told_in_groups() -> None:
    told = " ".join(each.price for each in compared_prices())
    assert "USD 25,000,000 to 50,000,000 a deal" in told
    assert " a image" not in told
