"""quote: what clearing the offered rows of a clearance would cost, before and after talks.

Before: the prices that stand in the open: those found at sites and in registries (offers.parquet),
and those of signed offers that they name. After: for the works that an agreement or a running
negotiation of the desk is about, the price on its table; for the rest the price in the open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tercet.consent.licences.dues import (
    COUNTED,
    LATER,
    UNIT_OF_WORD,
    Due,
    Measures,
    Unit,
    amounts_of,
    due_of,
    has_price,
    part_of,
    price_units,
)
from tercet.core.terms import Tail, Terms
from tercet.core.usage import TRAINING, Usage
from tercet.flows.local_notes import corpus_places
from tercet.flows.quote_measures import MeasureColumns, Measured, measure
from tercet.flows.rate_card import last_day_words
from tercet.flows.verify import read_clearance
from tercet.store.quote_tables import (
    Amounts,
    Counts,
    OfferLine,
    QuoteTables,
    SignedPrice,
    UnpricedLine,
    quote_tables,
)

QUOTE_TYPE = "tercet/quote@1"
LINES_MAX = 10_000
NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class PricedTerms:
    """Terms with a price that are on some table: of a signed offer, or negotiated.

    ``id`` is that of the offer, the agreement or the negotiation, ``state`` what it is ("offer",
    "agreement", or the negotiation's state); ``repertoire`` the file of its works (None: not here).
    """

    id: str
    state: str
    terms: Terms
    repertoire: Path | None = None


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """What is asked: ``out`` is the clearance; ``signed`` are the signed offers in force.

    ``negotiated`` are the desk's agreements and running negotiations: where several hold an item
    the first counts.
    """

    out: Path
    signed: tuple[PricedTerms, ...] = ()
    negotiated: tuple[PricedTerms, ...] = ()
    columns: MeasureColumns = field(default_factory=MeasureColumns)
    lines_max: int = LINES_MAX
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """One offer or negotiated price and what it comes to.

    ``unit`` is what the price is paid for, in the offer's own word; ``price_micros`` that of one
    unit, 0 where there are several (then ``units`` names them). ``items_after`` and
    ``after_micros`` are what is left of it once negotiated prices are taken instead.
    ``works_known`` is False where the list of its works could not be had: then nothing is covered.
    """

    source: str
    id: str
    owner: str
    site: str
    url: str
    usage: str
    term: str
    unit: str
    units: tuple[str, ...]
    currency: str
    price_micros: int
    items: int
    before_micros: int
    items_after: int
    after_micros: int
    unmeasured: tuple[str, ...] = ()
    not_measured_items: int = 0
    later: tuple[str, ...] = ()
    alternatives: int = 1
    works_known: bool = True


@dataclass(slots=True)
class CurrencyTotal:
    """The sums of one currency, and whether all of each could be measured."""

    before_micros: int = 0
    after_micros: int = 0
    before_is_whole: bool = True
    after_is_whole: bool = True


@dataclass(slots=True)
class Quote:
    """A whole quote. Sums of different currencies are never added up."""

    usage: str
    clearance_sha256: str
    counts: Counts
    totals: dict[str, CurrencyTotal] = field(default_factory=dict)
    lines: list[QuotedLine] = field(default_factory=list)
    negotiated: list[QuotedLine] = field(default_factory=list)
    without_price: list[UnpricedLine] = field(default_factory=list)
    without_unit: list[QuotedLine] = field(default_factory=list)
    lines_left_out: int = 0
    measured: Measured = field(default_factory=Measured)

    def document(self) -> dict[str, Any]:
        """Return the quote as JSON fields."""
        return {
            "type": QUOTE_TYPE,
            "usage": self.usage,
            "clearance_sha256": self.clearance_sha256,
            "items": asdict(self.counts),
            "totals": {
                currency: {**asdict(total), "currency": currency}
                for currency, total in sorted(self.totals.items())
            },
            "offers": [asdict(line) for line in self.lines],
            "negotiated": [asdict(line) for line in self.negotiated],
            "without_price": [asdict(line) for line in self.without_price],
            "without_countable_unit": [asdict(line) for line in self.without_unit],
            "lines_left_out": self.lines_left_out,
            "measured": asdict(self.measured),
        }


def quote(request: QuoteRequest) -> Quote:
    """Total what clearing the offered rows of a clearance would cost.

    Raises InputError when there is no clearance, IntegrityError when its tables cannot be read.
    """
    clearance = read_clearance(request.out)
    usage = Usage(clearance.document["usage"])
    parts = [request.out / part["file"] for part in clearance.document["parts"]]
    signed = {each.id: each for each in request.signed if _speaks(each, usage)}
    negotiated = [each for each in request.negotiated if _speaks(each, usage)]
    with quote_tables(request.out, parts) as tables:
        tables.take_words(_ranks(usage))
        tables.take_signed(_signed_price(each) for each in signed.values())
        for number, each in enumerate(negotiated):
            if each.repertoire is not None:
                exclusions = each.terms.repertoire.exclusions
                tables.take_repertoire(number, each.repertoire, exclusions)
        measured = _measured(request, tables, (*signed.values(), *negotiated))
        request.progress("reading the offered rows", 0, 0)
        tables.group()
        made = Quote(str(usage), clearance.sha256, tables.counts(), measured=measured)
        for line in tables.lines():
            _add(made, _line(line, usage, signed), request.lines_max)
        for unpriced in tables.unpriced():
            _keep(made, made.without_price, unpriced, request.lines_max)
        covered = tables.sources()
    for number, each in enumerate(negotiated):
        _add_negotiated(made, each, covered.get(number), usage)
    return made


def _speaks(each: PricedTerms, usage: Usage) -> bool:
    return usage in each.terms.grant.usages and has_price(each.terms.price)


def _signed_price(each: PricedTerms) -> SignedPrice:
    return SignedPrice(each.id, each.terms.licensor.name, each.terms.price.currency)


def _ranks(usage: Usage) -> dict[str, int]:
    """Say which of several alternative offers is quoted: first the one for the usage asked for,
    then what is paid once, then what can be counted, then the rest."""
    first = "training" if usage in TRAINING else "use" if usage is Usage.AI_INPUT else "crawl"
    ranks = {
        word: 30 if unit in LATER else 10 if unit is Unit.WORK else 20
        for word, unit in UNIT_OF_WORD.items()
    }
    return ranks | {first: 0}


def _measured(
    request: QuoteRequest, tables: QuoteTables, priced: Iterable[PricedTerms]
) -> Measured:
    """Measure the offered items, where any price is paid for what must be measured."""
    units = {unit for each in priced for unit in price_units(each.terms.price)}
    units |= {UNIT_OF_WORD.get(word.lower(), Unit.UNKNOWN) for word in tables.unit_words()}
    if not units & {Unit.MINUTE, Unit.TOKEN}:
        return Measured()
    plan_url = str(read_clearance(request.out).document["corpus"].get("columns", {}).get("url", ""))
    return measure(
        tables, corpus_places(request.out), plan_url, request.columns, progress=request.progress
    )


def _line(line: OfferLine, usage: Usage, signed: dict[str, PricedTerms]) -> QuotedLine:
    if line.offer_id:
        return _signed_line(line, usage, signed[line.offer_id])
    unit = UNIT_OF_WORD.get(line.word.lower(), Unit.UNKNOWN)
    is_counted = unit in COUNTED
    before, missing = _counted(unit, line.amount_micros, line.all)
    after, _ = _counted(unit, line.amount_micros, line.rest)
    return QuotedLine(
        source="found",
        id="",
        owner=line.owner,
        site=line.site,
        url=line.url,
        usage=str(usage),
        term=NOT_STATED,
        unit=line.word or "work",
        units=(str(unit),),
        currency=line.currency,
        price_micros=line.amount_micros,
        items=line.all.items,
        before_micros=before,
        items_after=line.rest.items,
        after_micros=after,
        unmeasured=(str(unit),) if missing else (),
        not_measured_items=missing,
        later=() if is_counted or unit is Unit.UNKNOWN else (str(unit),),
        alternatives=line.alternatives,
    )


def _counted(unit: Unit, micros: int, amounts: Amounts) -> tuple[int, int]:
    """Return the sum and how many items have no measure."""
    if unit is Unit.WORK:
        return part_of(unit, micros, amounts.items), 0
    if unit is Unit.FIXED:
        return micros if amounts.items else 0, 0
    if unit is Unit.MINUTE:
        return part_of(unit, micros, amounts.duration_ms), amounts.without_duration
    if unit is Unit.TOKEN:
        return part_of(unit, micros, amounts.tokens), amounts.without_tokens
    return 0, 0


def _signed_line(line: OfferLine, usage: Usage, priced: PricedTerms) -> QuotedLine:
    price = priced.terms.price
    before = due_of(price, _measures(line.all))
    after = due_of(price, _measures(line.rest)) if line.rest.items else Due(price.currency, 0)
    return _of_terms(priced, usage, line.all, before, line.rest.items, after.total_micros)


def _add_negotiated(
    made: Quote, priced: PricedTerms, amounts: Amounts | None, usage: Usage
) -> None:
    """Add a negotiated price for the items it covers; it costs nothing before the talks."""
    known = amounts or Amounts(0, 0, 0, 0, 0)
    due = due_of(priced.terms.price, _measures(known)) if known.items else Due("", 0)
    line = _of_terms(priced, usage, known, Due("", 0), known.items, due.total_micros)
    line = replace(line, works_known=priced.repertoire is not None)
    made.negotiated.append(line)
    if known.items:
        total = made.totals.setdefault(line.currency, CurrencyTotal())
        total.after_micros += due.total_micros
        total.after_is_whole &= due.is_whole


def _of_terms(
    priced: PricedTerms, usage: Usage, amounts: Amounts, before: Due, items_after: int, after: int
) -> QuotedLine:
    terms, price = priced.terms, priced.terms.price
    units = price_units(price)
    whole = due_of(price, _measures(amounts))
    missing = (amounts.without_duration * (Unit.MINUTE in whole.unmeasured),
               amounts.without_tokens * (Unit.TOKEN in whole.unmeasured))  # fmt: skip
    return QuotedLine(
        source=priced.state,
        id=priced.id,
        owner=terms.licensor.name,
        site="",
        url="",
        usage=str(usage),
        term=term_of(terms),
        unit=str(units[0]) if len(units) == 1 else "several" if units else "fixed",
        units=tuple(map(str, units)),
        currency=price.currency,
        price_micros=_single(terms) if len(units) == 1 else 0,
        items=amounts.items,
        before_micros=before.total_micros,
        items_after=items_after,
        after_micros=after,
        unmeasured=tuple(map(str, whole.unmeasured)) if amounts.items else (),
        not_measured_items=max(missing),
        later=tuple(map(str, whole.later)),
    )


def _single(terms: Terms) -> int:
    return amounts_of(terms.price)[0][1]


def _measures(amounts: Amounts) -> Measures:
    return Measures(
        amounts.items, amounts.duration_ms, amounts.without_duration, amounts.tokens,
        amounts.without_tokens,
    )  # fmt: skip


def term_of(terms: Terms) -> str:
    """Return the term in one line: from when to when, and the tail that models may go on."""
    period = terms.grant.period
    tails = {
        Tail.NONE: "",
        Tail.MONTHS: f", then {period.tail_months} months of use",
        Tail.PERPETUAL: ", then use without end",
    }
    return f"{period.start or '…'} {last_day_words(period.end)}{tails[period.tail]}"


def _add(made: Quote, line: QuotedLine, lines_max: int) -> None:
    if str(Unit.UNKNOWN) in line.units:
        _keep(made, made.without_unit, line, lines_max)
        return
    total = made.totals.setdefault(line.currency, CurrencyTotal())
    total.before_micros += line.before_micros
    total.after_micros += line.after_micros
    total.before_is_whole &= not line.unmeasured
    total.after_is_whole &= not (line.unmeasured and line.items_after)
    _keep(made, made.lines, line, lines_max)


def _keep(made: Quote, kept: list[Any], line: object, lines_max: int) -> None:
    """Keep the first lines, those of most items, and count the others."""
    if len(kept) < lines_max:
        kept.append(line)
    else:
        made.lines_left_out += 1


def priced_first(each: Sequence[PricedTerms]) -> tuple[PricedTerms, ...]:
    """Return agreements before negotiations, each kind in the order given."""
    return tuple(sorted(each, key=lambda priced: priced.state != "agreement"))
