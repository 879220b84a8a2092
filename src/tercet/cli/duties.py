"""tercet duties: what falls due when, by the agreements of a desk or of a clearance."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.clear import checked_day
from tercet.cli.output import console, emit_json
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from tercet.consent.licences.due_dates import Due

_YEARS = 1


@click.command(short_help="list what agreements make due when")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "start", default="", metavar="DATE", help="First day; default: today.")
@click.option(
    "--until", default="", metavar="DATE", help="First day that is left out; default: in a year."
)
@click.option(
    "--calendar", type=click.Path(path_type=Path), help="Also write them as a calendar (.ics)."
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def duties(folder: Path, start: str, until: str, calendar: Path | None, as_json: bool) -> int:
    """List what falls due when: reports, payments, deletions, ends of terms and of tails.

    FOLDER is a desk, or the folder of a clearance: then only the agreements that it rests on count.
    """
    from tercet.consent.licences.calendar_file import calendar_file
    from tercet.consent.licences.reach import month_later
    from tercet.core.errors import InputError
    from tercet.flows.duties import duties as list_duties
    from tercet.store.files import write_atomically

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    first = checked_day(start) if start else now[:10]
    last = checked_day(until) if until else month_later(first, 12 * _YEARS)
    if last <= first:
        raise InputError(f"expected a day after {first} for --until, got {last}")
    found = list_duties(folder, first, last)
    if calendar is not None:
        write_atomically(calendar, calendar_file(found, now))
        click.echo(f"calendar: {calendar}", err=True)
    if as_json:
        emit_json(_document(found, first, last))
    else:
        _show(found, first, last)
    return 0


def _document(found: tuple[Due, ...], first: str, last: str) -> dict[str, Any]:
    return {
        "type": "tercet/duties@1",
        "from": first,
        "until": last,
        "duties": [_fields(due) for due in found],
    }


def _fields(due: Due) -> dict[str, str]:
    return {"on": due.on, "kind": str(due.kind), "agreement": due.agreement, "words": due.words}


def _show(found: tuple[Due, ...], first: str, last: str) -> None:
    from rich.table import Table
    from rich.text import Text

    if not found:
        click.echo(f"nothing falls due from {first} until {last}", err=True)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("on", "what", "agreement"):
        table.add_column(column, overflow="fold", no_wrap=column != "what")  # ids stay whole
    for due in found:
        table.add_row(due.on, Text(printable(due.words)), due.agreement)
    console().print(table)
