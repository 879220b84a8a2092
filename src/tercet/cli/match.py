"""tercet match: which registered works stand in files, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import console, emit_json, progress_bar
from tercet.core.errors import InputError
from tercet.core.usage import Usage

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from tercet.consent.registry.match_document import MatchedWork
    from tercet.flows.match import ItemMatches

_UNCHECKED = 3


@click.command(short_help="find the registered works that stand in files, and show where")
@click.argument("items", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--registry", type=click.Path(path_type=Path), help="Folder of the registry.")
@click.option(
    "--show",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML page of both sides.",
)
@click.option(
    "--usage",
    type=click.Choice([str(usage) for usage in Usage]),
    help="Tell what the owners say of this use only.",
)
@click.option(
    "--not-a-match",
    is_flag=True,
    help="Remember a person's decision: the work with the number given after ITEM is not in it.",
)
@click.option("--reason", default="", help="Who decided, and why; with --not-a-match.")
@click.option("--key", type=click.Path(path_type=Path), help="Signing key, with --not-a-match.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes; default: all processors.")
@click.option("--json", "as_json", is_flag=True, help="Print one match document an item as JSON.")
def match(
    items: tuple[Path, ...],
    registry: Path | None,
    show: Path | None,
    usage: str | None,
    not_a_match: bool,
    reason: str,
    key: Path | None,
    workers: int | None,
    as_json: bool,
) -> int:
    """Find the registered works that stand in ITEMS: files, or folders of media.

    For each work found: how sure it is, where it stands in the item and in the work, what was
    changed, and what its owners say. Exit code 3 when an item could not be looked at.

    With --not-a-match ITEM WORK, remember that registered work number WORK is not in ITEM.
    """
    from tercet.cli.registry_option import registry_folder

    registry = registry_folder(registry)
    if not_a_match:
        return _reject(items, registry, reason, key)
    from tercet.flows.match import match_items
    from tercet.flows.pool import processor_count

    count = workers or processor_count()
    with progress_bar(quiet=as_json) as progress:
        found = []
        for each in match_items(items, registry, workers=count):
            found.append(each)
            progress("looking at items", len(found), 0)
    found.sort(key=lambda each: each.place.name)
    if show is not None:
        from tercet.flows.match_page import write_page

        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        write_page(show, found, registry, made_at=now, workers=count)
    if as_json:
        emit_json(_documents(found, registry))
    else:
        _tell(found, [Usage(usage)] if usage else list(Usage))
    return _UNCHECKED if any(each.problem for each in found) else 0


def _reject(arguments: tuple[Path, ...], registry: Path, reason: str, key: Path | None) -> int:
    from tercet.flows.match import reject
    from tercet.store.keys import default_key_path, load_or_make_key
    from tercet.store.registry import Signing

    hint = "tercet match --not-a-match ITEM WORK --registry DIR --reason TEXT"
    if len(arguments) != 2 or not str(arguments[1]).isdecimal():
        raise InputError("expected one file and the number of one work", hint=hint)
    if not reason.strip():
        raise InputError("a decision needs a --reason: who looked, and why it is none", hint=hint)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signing = Signing(load_or_make_key(key or default_key_path()), now)
    item, work = arguments[0], int(str(arguments[1]))
    is_new = reject(item, work, registry, reason=reason.strip(), signing=signing)
    click.echo(
        f"remembered: work {work} is not in {item}" if is_new
        else f"it was known that work {work} is not in {item}"
    )  # fmt: skip
    return 0


def _documents(found: Sequence[ItemMatches], registry: Path) -> list[object]:
    from tercet.flows.match import item_document

    return [json.loads(item_document(each, registry)) | {"problem": each.problem} for each in found]


def _tell(found: Sequence[ItemMatches], usages: Sequence[Usage]) -> None:
    from tercet.cli.registry_option import printable
    from tercet.flows.report_markup import plain

    for each in found:
        name = printable(each.place.name)
        if each.problem:
            click.echo(f"{name}: could not be looked at: {plain(each.problem)}")
        elif not each.found:
            click.echo(f"{name}: nothing found")
        if each.found:
            click.echo(f"{name}: {len(each.found)} found")
            console().print(_table(each.found, usages))


def _table(works: Sequence[MatchedWork], usages: Sequence[Usage]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0), expand=False)
    for name in ("sure", "work", "where", "owners say"):
        table.add_column(name, overflow="fold")
    for work in works:
        table.add_row(*(_cell(lines) for lines in _row(work, usages)))
    return table


def _cell(lines: Iterator[str]) -> Text:
    from rich.text import Text

    from tercet.flows.report_markup import plain

    return Text("\n".join(plain(line) for line in lines if line))


def _row(work: MatchedWork, usages: Sequence[Usage]) -> tuple[Iterator[str], ...]:
    from tercet.flows.match_words import evidence_words, place_words, standing_words

    sure = [str(work.band), "rejected" * work.rejected, "disputed" * work.disputed]
    title = [work.title or "without a title", f"work {work.number}, {work.medium}"]
    where = [
        f"item: {place_words([mine for mine, _ in work.regions])}",
        f"work: {place_words([theirs for _, theirs in work.regions])}",
        f"{work.covers_per_mille / 10:g} % of the item",
        evidence_words(work),
        ", ".join(work.edits),
        standing_words(work),
    ]
    return iter(sure), iter(title), iter(where), _terms(work, usages)


def _terms(work: MatchedWork, usages: Sequence[Usage]) -> Iterator[str]:
    from tercet.flows.match_words import grouped_terms, share_words

    for claim in work.claims:
        yield share_words(claim)
        yield from grouped_terms(claim, usages)
