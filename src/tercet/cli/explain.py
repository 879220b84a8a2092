"""tercet explain: why one item got its verdict."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json

if TYPE_CHECKING:
    from tercet.flows.explain import Explanation


@click.command(short_help="say in plain words why an item got its verdict")
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("item")
@click.option(
    "--declarations",
    type=click.Path(path_type=Path),
    help="The survey's folder, when the clearing used one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def explain(out: Path, item: str, declarations: Path | None, as_json: bool) -> int:
    """Say why ITEM got its verdict in the clearance in folder OUT, quoting the raw bytes.

    ITEM is the URL or path as it stands in the corpus, or the item's position (item_id).
    """
    from tercet.flows.explain import explain as explain_item

    found = explain_item(out, item, declarations=declarations)
    if as_json:
        emit_json(asdict(found))
    else:
        _show(found)
    return 0


def _show(found: Explanation) -> None:
    from tercet.flows.report_markup import plain

    click.echo(plain(found.item))
    click.echo(f"{found.verdict} for {found.usage} under {found.policy}")
    for code, words in found.reasons:
        click.echo(f"  - {words} [{code}]")
    for quote in found.quotes:
        fetched = f", fetched {quote.fetched_at}" if quote.fetched_at else ""
        click.echo(f"\n{quote.signal} says: {quote.says}  ({quote.spec}; {quote.declaration_id})")
        click.echo(f"  {plain(quote.place)}{fetched}")
        for line in quote.words.splitlines():
            click.echo(f"  | {plain(line)}")
    if found.asked:
        click.echo("\nWhere was looked:")
        for place in dict.fromkeys(found.asked):
            click.echo(f"  {plain(place)}")
