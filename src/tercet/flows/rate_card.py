"""The rate card: what the offers of a desk cost, in words, beside what others published.

The same card is a page of the web app and a file that an owner can serve.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from tercet.consent.licences.dues import Unit
from tercet.consent.licences.published_offer import PublishedOffer
from tercet.consent.licences.published_prices import PublishedPrice, published_prices
from tercet.consent.wording import USAGE_WORDS
from tercet.core.money import MICROS, Money
from tercet.core.terms import FOREVER, WORLD, Exclusivity, Price, Tail, Terms
from tercet.flows.report_markup import Markup, element, join, table
from tercet.flows.report_style import STYLE

UNIT_WORDS: dict[Unit, str] = {
    Unit.FIXED: "once, for all of it",
    Unit.WORK: "a work",
    Unit.MINUTE: "a minute",
    Unit.TOKEN: "a token",
    Unit.GENERATION: "a generation",
    Unit.OUTPUT_SECOND: "a second made",
    Unit.REVENUE: "of revenue",
}
COMPARISON_NOTE = (
    "For comparison only. None of these is an offer, and none says what is fair: they were "
    "reported by others, and what was paid on average is often far below what was quoted."
)


Places = Callable[[PublishedOffer], tuple[str, str]]  # of the signed offer, and of its works


@dataclass(frozen=True, slots=True)
class CardOffer:
    """One offer as people read it. ``prices`` are (amount, what it is paid for)."""

    offer_id: str
    owner: str
    works: str
    usages: tuple[str, ...]
    prices: tuple[tuple[str, str], ...]
    term: str
    territory: str
    models: str
    exclusivity: str
    valid_until: str


@dataclass(frozen=True, slots=True)
class ComparedPrice:
    """A published price as people read it."""

    what: str
    price: str
    source: str
    date: str
    mark: str
    note: str


def card_offers(offers: Iterable[PublishedOffer]) -> tuple[CardOffer, ...]:
    """Return offers as the card shows them, by owner."""
    cards = [_card_offer(each) for each in offers]
    return tuple(sorted(cards, key=lambda card: (card.owner, card.offer_id)))


def _card_offer(published: PublishedOffer) -> CardOffer:
    terms = published.terms
    grant = terms.grant
    count = terms.repertoire.work_count
    return CardOffer(
        offer_id=published.id,
        owner=terms.licensor.name,
        works=f"{count:,} {'entry' if count == 1 else 'entries'} in a list of works",
        usages=tuple(USAGE_WORDS[usage] for usage in grant.usages),
        prices=prices_of(terms.price),
        term=term_words(terms),
        territory=_territory(terms),
        models=str(grant.models.versions).replace("_", " "),
        exclusivity="" if grant.exclusivity is Exclusivity.NONE else str(grant.exclusivity),
        valid_until=published.offer.valid_until[:10],
    )


def prices_of(price: Price) -> tuple[tuple[str, str], ...]:
    """Return every amount of a price with what it is paid for."""
    amounts = (
        (Unit.FIXED, price.fixed_micros), (Unit.WORK, price.per_work_micros),
        (Unit.MINUTE, price.per_minute_micros), (Unit.TOKEN, price.per_token_micros),
        (Unit.GENERATION, price.per_generation_micros),
        (Unit.OUTPUT_SECOND, price.per_output_second_micros),
    )  # fmt: skip
    found = [
        (str(Money(price.currency, micros)), UNIT_WORDS[unit]) for unit, micros in amounts if micros
    ]
    if price.share_basis_points:
        share = f"{price.share_basis_points / 100:g} %"
        found.append((share, f"of {price.base} revenue"))
    for micros, words in (
        (price.guarantee_micros, "at least (guarantee)"), (price.advance_micros, "in advance"),
        (price.floor_micros, "at least"), (price.cap_micros, "at most"),
    ):  # fmt: skip
        if micros:
            found.append((str(Money(price.currency, micros)), words))
    return tuple(found)


def term_words(terms: Terms) -> str:
    """Return the first day and the last one, and what happens after."""
    period = terms.grant.period
    tails = {
        Tail.NONE: "; models stop then",
        Tail.MONTHS: f"; models may go on {period.tail_months} months",
        Tail.PERPETUAL: "; models may go on",
    }
    return f"{period.start or '…'} {last_day_words(period.end)}{tails[period.tail]}"


def last_day_words(end: str) -> str:
    """Return until when: the day before ``end``, which is the first one outside."""
    if not end or end == FOREVER:
        return "for ever" if end else "to …"
    return f"to {date.fromisoformat(end) - timedelta(days=1)}"


def _territory(terms: Terms) -> str:
    places = terms.grant.territory
    include = "the world" if WORLD in places.include else ", ".join(places.include) or "nowhere"
    return include + (f", but not {', '.join(places.exclude)}" if places.exclude else "")


def compared_prices() -> tuple[ComparedPrice, ...]:
    """Return the published prices as the card shows them."""
    return tuple(
        ComparedPrice(
            what=f"{row.subject}: {row.what}" if row.what else row.subject,
            price=_range(row),
            source=row.source,
            date=row.date,
            mark=row.mark,
            note=row.note,
        )
        for row in published_prices().rows
    )


def _range(row: PublishedPrice) -> str:
    if row.share_basis_points:
        return f"{row.share_basis_points / 100:g} % ({row.unit})"
    low = _amount(row.currency, row.low_micros)
    unit = f"{'an' if row.unit[0] in 'aeio' else 'a'} {row.unit}"
    if row.high_micros == row.low_micros:
        return f"{low} {unit}"
    if not row.high_micros:
        return f"from {low} {unit}"
    high = _amount(row.currency, row.high_micros).removeprefix(f"{row.currency} ")
    return f"{low} to {high} {unit}"


def _amount(currency: str, micros: int) -> str:
    """Return an amount; large ones in groups of three digits."""
    if micros < 10_000 * MICROS or micros % MICROS:
        return str(Money(currency, micros))
    return f"{currency} {micros // MICROS:,}"


def marks() -> tuple[tuple[str, str], ...]:
    """Return the marks of published prices with what they mean."""
    return published_prices().marks


def rate_card_page(offers: Iterable[PublishedOffer], title: str, places: Places) -> str:
    """Return the whole card as one HTML file that loads nothing.

    ``places`` says where a signed offer and its list of works are to be had, beside the card.
    """
    found = tuple(offers)
    linked = {each.id: places(each) for each in found}
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title}: rate card"),
        element("style", Markup(STYLE)),
    )
    body = element(
        "body",
        element(
            "main",
            element("h1", f"{title}: rate card"),
            element("p", "Licences for machine learning, as offered and signed. "
                         "Other terms can be negotiated.", class_="lead"),
            element("h2", "Offers"),
            _offers_table(card_offers(found), linked),
            element("h2", "What others published"),
            element("p", COMPARISON_NOTE),
            _comparison_table(),
            *(element("p", f"{mark}: {meaning}.", class_="soft") for mark, meaning in marks()),
            element("p", f"Gathered on {published_prices().gathered_on}.", class_="soft"),
        ),
    )  # fmt: skip
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _offers_table(cards: Iterable[CardOffer], places: dict[str, tuple[str, str]]) -> Markup:
    columns = [("offer", ""), ("works", ""), ("for", ""), ("price", ""), ("term", ""),
               ("where", ""), ("open until", "")]  # fmt: skip
    rows = [
        (
            join([card.owner, element("br"), _at(places[card.offer_id][0], card.offer_id)]),
            _at(places[card.offer_id][1], card.works),
            ", ".join(card.usages),
            "; ".join(f"{amount} {words}" for amount, words in card.prices) or "on request",
            card.term,
            card.territory,
            element("time", card.valid_until),
        )
        for card in cards
    ]
    if not rows:
        return element("p", "Nothing is offered here yet.")
    return table("What each offer says, and where it is signed", columns, rows, label="Offers")


def _at(place: str, words: str) -> Markup:
    return element("a", element("code", words) if words.startswith("urn:") else words, href=place)


def _comparison_table() -> Markup:
    columns = [("what", ""), ("price", ""), ("source", ""), ("date", ""), ("mark", "")]
    rows = [
        (
            f"{row.what} ({row.note})" if row.note else row.what,
            row.price, row.source, element("time", row.date), row.mark,
        )
        for row in compared_prices()
    ]  # fmt: skip
    return table("Published prices", columns, rows, label="Published prices")
