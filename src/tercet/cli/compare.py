"""tercet compare: what changes between two clearances."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import console, emit_json

if TYPE_CHECKING:
    from tercet.flows.compare import Comparison


@click.command(short_help="show what changes between two clearances")
@click.argument("before", metavar="OUT1", type=click.Path(path_type=Path))
@click.argument("after", metavar="OUT2", type=click.Path(path_type=Path))
@click.option(
    "--examples",
    default=10,
    show_default=True,
    type=click.IntRange(0, 10_000),
    help="How many changed items to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(before: Path, after: Path, examples: int, as_json: bool) -> int:
    """Show which verdicts differ between the clearances in folders OUT1 and OUT2.

    They may be of other policies, of other usages, or of the same corpus at other dates.
    """
    from tercet.flows.compare import compare as compare_clearances

    found = compare_clearances(before, after, example_count=examples)
    if as_json:
        emit_json(asdict(found) | {"changed_count": found.changed_count})
    else:
        _show(found)
    return 0


def _show(found: Comparison) -> None:
    from rich.table import Table

    from tercet.flows.report_markup import plain

    for name, document in (("before", found.before), ("after", found.after)):
        click.echo(f"{name:7} {document['policy']}  {document['usage']}  {document['created_at']}")
    table = Table(box=None, pad_edge=False)
    table.add_column("before")
    table.add_column("after")
    table.add_column("items", justify="right")
    for first, second, count in found.moves:
        table.add_row(first, second if first != second else "the same", f"{count:,}")
    click.echo()
    console().print(table)
    click.echo(f"\n{found.changed_count:,} items have another verdict")
    for item, first, second, _, reasons in found.examples:
        click.echo(f"  {plain(item)}: {first} -> {second} ({', '.join(reasons)})")
