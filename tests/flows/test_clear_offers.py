"""Clearing where owners published offers: they can make `offered` of `blocked`, and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from licence_offers import MADE_AT, OFFER_ID, VALID_UNTIL, party_documents, terms_for, works_of
from registered import GRANTED, drawing, register, registry_in, save, signing
from small_corpora import run, verdicts, write_evidence, write_table
from sqlalchemy import text

from tercet.consent.licences.party import party_id_of
from tercet.consent.licences.signing import Signer
from tercet.consent.registry.match_document import UsageTerms
from tercet.core.errors import InputError
from tercet.core.terms import Price
from tercet.core.usage import Permission, Usage
from tercet.flows.explain import explain
from tercet.flows.offer import OfferDraft, make_offer
from tercet.flows.quote import QuoteRequest, quote
from tercet.flows.quote_sources import signed_terms
from tercet.flows.verify import verify
from tercet.store.registry_offers import publish_offer, repertoire_path, retract_offer

PRICE = Price("EUR", per_work_micros=50_000)
BLOCKED = ("blocked", ["denied_by_registry"])
OFFERED = ("offered", ["denied_by_registry", "offer_from_registry"])
PLACED = "https://grants.example/4.jpg"
API = "https://api.example/"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    save(tmp_path / "corpus" / "copy.jpg", drawing(1), 60)
    return tmp_path / "corpus"


def registered(folder: Path, **fields: Any) -> str:
    """Register the work and return its line in a list of works."""
    register(folder, save(folder / "work.png", drawing(1)), **fields)
    return f"sha256:{registry_in(folder).work(1).sha256}"


def published(
    folder: Path, *lines: str, owner: str = "owner", price: Price = PRICE, address: str = "",
    exclusions: tuple[str, ...] = (), offer_id: str = OFFER_ID, **grant: Any,
) -> str:  # fmt: skip
    """Publish an offer of the owner with a key of that name; return the file of its works."""
    by = signing(folder, owner)
    public = by.key.public_raw
    signer = Signer(party_id_of(public), public, by.key.private.sign)
    works = works_of(*lines)
    terms = terms_for(signer, works, price, owner.title(), **grant)
    named = replace(terms.repertoire, exclusions=exclusions)
    draft = OfferDraft(replace(terms, repertoire=named), works, offer_id, MADE_AT, VALID_UNTIL, "")
    made = make_offer(draft, signer, party_documents(signer, owner.title(), address))
    publish_offer(registry_in(folder), made.published, made.repertoire, by)
    return works.sha256


def cleared(folder: Path, corpus: Path, **fields: Any) -> tuple[str, list[str]]:
    run(folder, corpus, registry=folder / "registry", workers=1, **fields)
    (row,) = verdicts(folder / "out")
    return row["verdict"], row["reasons"]


def test_a_published_offer_turns_a_copy_from_blocked_to_offered_at_its_price(
    tmp_path: Path, corpus: Path
) -> None:
    published(tmp_path, registered(tmp_path))
    assert cleared(tmp_path, corpus) == OFFERED
    (row,) = pq.read_table(tmp_path / "out" / "offers.parquet").to_pylist()
    assert (row["currency"], row["amount_micros"], row["price_unit"]) == ("EUR", 50_000, "work")
    assert (row["url"], row["kind"]) == (OFFER_ID, "payment")
    told = dict(explain(tmp_path / "out", "copy.jpg").quotes[0].facts)
    assert told["offers"] == f"EUR 0.05 a work {OFFER_ID}"
    assert all(check.holds for check in verify(tmp_path / "out"))


def test_a_quote_prices_it_by_the_offer(tmp_path: Path, corpus: Path) -> None:
    published(tmp_path, registered(tmp_path), address=API)
    cleared(tmp_path, corpus)
    (row,) = pq.read_table(tmp_path / "out" / "offers.parquet").to_pylist()
    assert row["url"] == f"{API}v1/offers/{OFFER_ID}"
    signed = signed_terms([tmp_path / "registry"], [], MADE_AT)
    (line,) = quote(QuoteRequest(tmp_path / "out", signed=signed)).lines
    assert (line.id, line.owner, line.before_micros) == (OFFER_ID, "Owner", 50_000)


def test_a_row_with_the_works_hash_is_offered(tmp_path: Path) -> None:
    line = registered(tmp_path)
    published(tmp_path, line)
    evidence = write_evidence(tmp_path / "evidence")
    hashes = pa.array([line.removeprefix("sha256:")])
    table = write_table(tmp_path / "urls.parquet", [PLACED], sha256=hashes)
    assert cleared(tmp_path, table, declarations=evidence) == OFFERED


def test_an_offer_clears_nothing_for_a_trusted_owner_of_the_whole(
    tmp_path: Path, corpus: Path
) -> None:
    published(tmp_path, registered(tmp_path))
    trusted = frozenset({signing(tmp_path).public_key})
    assert cleared(tmp_path, corpus, trusted_keys=trusted, policy="eu-tdm") == OFFERED


def test_which_offers_were_in_force_is_signed_and_others_are_refused(
    tmp_path: Path, corpus: Path
) -> None:
    published(tmp_path, registered(tmp_path))
    done = run(tmp_path, corpus, registry=tmp_path / "registry")
    assert done.document["registry"]["offers"] == [OFFER_ID]
    with pytest.raises(InputError, match="other registry"):
        cleared(tmp_path, corpus, now=VALID_UNTIL)


def test_a_withdrawn_offer_leaves_it_blocked(tmp_path: Path, corpus: Path) -> None:
    published(tmp_path, registered(tmp_path))
    retract_offer(registry_in(tmp_path), OFFER_ID, "sold", signing(tmp_path))
    assert cleared(tmp_path, corpus) == BLOCKED


def test_an_expired_offer_leaves_it_blocked(tmp_path: Path, corpus: Path) -> None:
    published(tmp_path, registered(tmp_path))
    assert cleared(tmp_path, corpus, now=VALID_UNTIL) == BLOCKED


def test_an_offer_of_another_usage_leaves_it_blocked(tmp_path: Path, corpus: Path) -> None:
    published(tmp_path, registered(tmp_path), usages=(Usage.AI_INPUT,))
    assert cleared(tmp_path, corpus) == BLOCKED


def test_an_offer_by_who_has_no_claim_leaves_it_blocked(tmp_path: Path, corpus: Path) -> None:
    published(tmp_path, registered(tmp_path), owner="stranger")
    assert cleared(tmp_path, corpus) == BLOCKED


def test_a_work_that_the_offer_does_not_list_stays_blocked(tmp_path: Path, corpus: Path) -> None:
    registered(tmp_path)
    published(tmp_path, "sha256:" + "0" * 64, "site:https://grants.example")
    assert cleared(tmp_path, corpus) == BLOCKED


@pytest.mark.parametrize("excluded", ["", "url:https://grants.example/work.png"])
def test_an_excluded_work_stays_blocked(tmp_path: Path, corpus: Path, excluded: str) -> None:
    """An address that is left out may be that of the work."""
    line = registered(tmp_path)
    published(tmp_path, line, exclusions=(excluded or line,))
    assert cleared(tmp_path, corpus) == BLOCKED


def test_an_altered_offer_leaves_it_blocked(tmp_path: Path, corpus: Path) -> None:
    published(tmp_path, registered(tmp_path))
    with registry_in(tmp_path).database.writing() as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log'"
        for (name,) in connection.execute(text(triggers)).all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        altered = "UPDATE log SET document = CAST(replace(CAST(document AS TEXT), :a, :b) AS BLOB)"
        connection.execute(
            text(altered), {"a": '"per_work_micros":50000', "b": '"per_work_micros":10000'}
        )
    assert cleared(tmp_path, corpus) == BLOCKED


@pytest.mark.parametrize("altered", [b"", b"tercet/repertoire@1\n"])
def test_a_list_of_works_that_is_not_here_or_altered_leaves_it_blocked(
    tmp_path: Path, corpus: Path, altered: bytes
) -> None:
    path = repertoire_path(registry_in(tmp_path), published(tmp_path, registered(tmp_path)))
    path.write_bytes(altered) if altered else path.unlink()
    assert cleared(tmp_path, corpus) == BLOCKED


def test_where_one_of_two_owners_offers_it_stays_blocked(tmp_path: Path, corpus: Path) -> None:
    registered(tmp_path, share=5_000)
    line = registered(tmp_path, share=5_000, owner="second")
    published(tmp_path, line)
    assert cleared(tmp_path, corpus) == BLOCKED


def test_where_both_owners_offer_it_is_offered(tmp_path: Path, corpus: Path) -> None:
    registered(tmp_path, share=5_000)
    line = registered(tmp_path, share=5_000, owner="second")
    published(tmp_path, line)
    published(tmp_path, line, owner="second", offer_id=OFFER_ID[:-1] + "2")
    assert cleared(tmp_path, corpus) == OFFERED


@pytest.mark.parametrize(
    ("terms", "expected"),
    [(GRANTED, OFFERED), ((UsageTerms(Usage.AI_INPUT, Permission.ALLOW),), BLOCKED)],
)
def test_a_second_owner_who_is_silent_keeps_it_blocked(
    tmp_path: Path, corpus: Path, terms: tuple[UsageTerms, ...], expected: tuple[str, list[str]]
) -> None:
    line = registered(tmp_path, share=5_000)
    registered(tmp_path, terms=terms, share=5_000, owner="second")
    published(tmp_path, line)
    assert cleared(tmp_path, corpus) == expected


def test_an_offer_without_a_price_names_the_licence_and_leaves_it_blocked(
    tmp_path: Path, corpus: Path
) -> None:
    """Only what has a price is `offered`; where a licence is to be had is told all the same."""
    published(tmp_path, registered(tmp_path), price=Price())
    assert cleared(tmp_path, corpus) == BLOCKED
    (row,) = pq.read_table(tmp_path / "out" / "offers.parquet").to_pylist()
    assert (row["kind"], row["currency"], row["url"]) == ("licence", None, OFFER_ID)
