"""tercet quote: what clearing the offered items of a clearance would cost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import console, emit_json, progress_bar
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from rich.table import Table

    from tercet.flows.quote import Quote, QuotedLine

_SHOWN = 40


@click.command(short_help="total what clearing the offered items of a clearance would cost")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--desk", type=click.Path(path_type=Path),
              help="Desk whose agreements and negotiations set prices.")  # fmt: skip
@click.option("--registry", type=click.Path(path_type=Path), multiple=True,
              help="Registry with signed offers; can be repeated.")  # fmt: skip
@click.option("--offer", "offers", type=click.Path(path_type=Path), multiple=True,
              help="File of a signed offer (offer.json); can be repeated.")  # fmt: skip
@click.option("--allow-local", is_flag=True, help="Ask addresses that are not public.")
@click.option("--minutes-column", default="", help="Column of the corpus that counts minutes.")
@click.option("--seconds-column", default="", help="Column of the corpus that counts seconds.")
@click.option("--tokens-column", default="", help="Column of the corpus that counts tokens.")
@click.option("--lines", "lines_max", type=click.IntRange(0, 1_000_000), default=10_000,
              show_default=True, help="Offers to list, those of most items first.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the quote as JSON.")
def quote(
    out: Path,
    desk: Path | None,
    registry: tuple[Path, ...],
    offers: tuple[Path, ...],
    allow_local: bool,
    minutes_column: str,
    seconds_column: str,
    tokens_column: str,
    lines_max: int,
    as_json: bool,
) -> int:
    """Total what clearing the offered items of the clearance in OUT would cost.

    Before negotiation: by the prices in the open. After: by those of the desk's agreements and
    running negotiations, where there are any. Sums of different currencies are never added up,
    and what cannot be measured is listed, never guessed.
    """
    from tercet.flows.quote import QuoteRequest
    from tercet.flows.quote import quote as make_quote
    from tercet.flows.quote_measures import MeasureColumns
    from tercet.flows.quote_sources import desk_terms, signed_terms

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with progress_bar(quiet=as_json) as show:
        made = make_quote(
            QuoteRequest(
                out=out,
                signed=signed_terms(registry, offers, now),
                negotiated=desk_terms(desk, now, allow_local=allow_local) if desk else (),
                columns=MeasureColumns(minutes_column, seconds_column, tokens_column),
                lines_max=lines_max,
                progress=show,
            )
        )
    if as_json:
        emit_json(made.document())
    else:
        _show(made)
    return 0


def _show(made: Quote) -> None:
    counts = made.counts
    noun = "item is" if counts.offered == 1 else "items are"
    click.echo(
        f"{counts.offered:,} {noun} offered for {made.usage}: {counts.priced:,} with a price, "
        f"{counts.offered - counts.priced:,} without"
    )
    if made.lines:
        click.echo("\nPrices in the open")
        console().print(_table(made.lines, with_after=bool(made.negotiated)))
    if made.negotiated:
        click.echo("\nPrices on the desk")
        console().print(_negotiated(made.negotiated))
    _show_rest(made)
    _show_totals(made)


def _table(lines: list[QuotedLine], *, with_after: bool) -> Table:
    shown = lines[:_SHOWN]
    with_term = any(line.source != "found" for line in shown)
    names = ["owner or site", *(["term"] * with_term), "price"]
    table = _empty_table(names, ["items", "before", *(["after"] * with_after)])
    for line in shown:
        term = [line.term] if with_term else []
        after = [_after(line)] if with_after else []
        before = _money(line.currency, line.before_micros, line)
        table.add_row(_who(line), *term, _price(line), f"{line.items:,}", before, *after)
    return table


def _negotiated(lines: list[QuotedLine]) -> Table:
    table = _empty_table(["owner", "state", "term", "price"], ["items", "after"])
    for line in lines[:_SHOWN]:
        after = _money(line.currency, line.after_micros, line)
        row = (_who(line), line.source.lower(), line.term, _price(line), f"{line.items:,}", after)
        table.add_row(*row)
    return table


def _empty_table(names: list[str], counts: list[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in counts:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _who(line: QuotedLine) -> str:
    from rich.markup import escape

    return escape(printable(line.owner or line.site or "local files"))


def _price(line: QuotedLine) -> str:
    """Return the price with what it is paid for; several prices are named without amounts."""
    from rich.markup import escape

    units = " + ".join(unit.replace("_", " ") for unit in line.units)
    if len(line.units) != 1:
        return escape(units or "a minimum")
    if line.units == ("revenue",):
        return f"{line.price_micros / 100:g} % of revenue"
    amount = _amount(line.currency, line.price_micros)
    return amount if line.units == ("fixed",) else escape(printable(f"{amount} a {units}"))


def _money(currency: str, micros: int, line: QuotedLine) -> str:
    least = "from " if line.unmeasured else ""
    return "later" if line.later and not micros else least + _amount(currency, micros)


def _after(line: QuotedLine) -> str:
    return _money(line.currency, line.after_micros, line) if line.items_after else "see below"


def _amount(currency: str, micros: int) -> str:
    from tercet.core.money import Money

    return str(Money(currency, micros))


def _show_rest(made: Quote) -> None:
    from tercet.flows.report_markup import plain

    if made.without_price:
        click.echo("\nOffered without a price: ask the owner")
    for each in made.without_price[:_SHOWN]:
        who = printable(each.owner or each.site or "local files")
        where = f", {plain(each.url)}" if each.url else ""
        click.echo(f"  {each.items:,} of {who} ({each.kind}{where})")
    if made.counts.without_offer:
        click.echo(f"  {made.counts.without_offer:,} of which no offer is known")
    for line in made.without_unit[:_SHOWN]:
        click.echo(f"\n{line.items:,} of {printable(line.owner or line.site)} at "
                   f"{_amount(line.currency, line.price_micros)} for {printable(line.unit)!r}: "
                   "not added up, it is not known how to count that")  # fmt: skip
    unmeasured = sum(line.not_measured_items for line in (*made.lines, *made.negotiated))
    if unmeasured:
        noun = "item is" if unmeasured == 1 else "items are"
        click.echo(f"\n{unmeasured:,} {noun} not measurable: minutes or tokens stand neither in "
                   "the corpus nor in local files; sums that lack them say `from`")  # fmt: skip
    for line in made.negotiated:
        if not line.works_known:
            click.echo(f"note: the list of works of {line.id} could not be had", err=True)
    for note in made.measured.notes:
        click.echo(f"note: {printable(note)}", err=True)
    hidden = made.lines_left_out + max(len(made.lines) - _SHOWN, 0)
    if hidden:
        click.echo(f"\n{hidden:,} more lines are in the sums (all of them: --json --lines N)")


def _show_totals(made: Quote) -> None:
    click.echo("")
    if not made.totals:
        click.echo("Nothing to pay is known.")
    for currency, total in sorted(made.totals.items()):
        before = "" if total.before_is_whole else "at least "
        after = "" if total.after_is_whole else "at least "
        click.echo(f"Total before negotiation: {before}{_amount(currency, total.before_micros)}")
        if made.negotiated:
            click.echo(f"Total after negotiation:  {after}{_amount(currency, total.after_micros)}")
