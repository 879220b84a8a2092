"""tercet clear: a verdict for every item of a corpus."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.output import console, emit_json, progress_bar
from tercet.cli.policy_option import load_policy
from tercet.cli.trust_option import keys_named
from tercet.core.errors import InputError
from tercet.core.terms import WORLD, Purpose, Use
from tercet.core.territories import TERRITORIES
from tercet.core.usage import Usage

if TYPE_CHECKING:
    from tercet.flows.agreements import AgreementsAsked
    from tercet.flows.clearance import Clearance

_AGREEMENTS_SHOWN = 10


@click.command(short_help="give every item of a corpus a verdict, and sign the clearance")
@click.argument("corpus", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for verdicts.parquet, clearance.json and report.html.",
)
@click.option(
    "--policy",
    default="strict",
    show_default=True,
    help="A policy's id, or the path of a policy file (.toml).",
)
@click.option(
    "--usage",
    default=str(Usage.TRAIN_GENERATIVE),
    show_default=True,
    type=click.Choice([str(usage) for usage in Usage]),
    help="What the corpus is for.",
)
@click.option(
    "--declarations",
    type=click.Path(path_type=Path),
    help="Folder that `tercet survey` wrote for the sites of this corpus.",
)
@click.option(
    "--registry",
    type=click.Path(path_type=Path),
    help="Registry (see `tercet register`) whose works are looked for in the corpus.",
)
@click.option(
    "--trust",
    multiple=True,
    metavar="PUBLIC_KEY|PARTY",
    help="Let grants signed with this key count; `tercet registry show` shows keys. With --desk "
    "also the id of a party.",
)
@click.option(
    "--desk",
    type=click.Path(path_type=Path),
    help="Folder of the desk whose agreements count; see `tercet license`.",
)
@click.option("--model", default="", help="Model that the corpus is for, as agreements name it.")
@click.option("--model-version", default="", help="Its version.")
@click.option("--parameters", default=0, type=click.IntRange(0), help="Its number of parameters.")
@click.option(
    "--purpose",
    type=click.Choice([str(purpose) for purpose in Purpose]),
    help="What for; training without a purpose must be permitted for each.",
)
@click.option(
    "--territory",
    multiple=True,
    metavar="CODE",
    help="Country where the model is offered (ISO 3166-1), or * for the world.",
)
@click.option("--on", "day", default="", metavar="DATE", help="Day of the use; default: today.")
@click.option("--url-column", default="", help="Column that holds the URLs, if not found by name.")
@click.option("--licence-column", default="", help="Column that holds licence texts.")
@click.option("--headers-column", default="", help="Column that holds HTTP response headers.")
@click.option("--sha256-column", default="", help="Column that holds SHA-256 digests.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes; default: all processors.")
@click.option("--key", type=click.Path(path_type=Path), help="Signing key; made on first use.")
@click.option("--json", "as_json", is_flag=True, help="Print the clearance as JSON.")
def clear(
    corpus: tuple[Path, ...],
    out: Path,
    policy: str,
    usage: str,
    declarations: Path | None,
    registry: Path | None,
    trust: tuple[str, ...],
    desk: Path | None,
    model: str,
    model_version: str,
    parameters: int,
    purpose: str | None,
    territory: tuple[str, ...],
    day: str,
    url_column: str,
    licence_column: str,
    headers_column: str,
    sha256_column: str,
    workers: int | None,
    key: Path | None,
    as_json: bool,
) -> int:
    """Give every item of CORPUS a verdict: cleared, offered, blocked or held.

    CORPUS is one or more folders of media, Parquet, CSV, JSONL or tar files. What sites declare
    comes from --declarations; what files and columns declare is read on the way. Nothing is
    fetched. A run that was stopped goes on where it was. With --desk, what agreements grant for
    the --model, --territory and day named is cleared, whatever was declared to everybody.
    """
    from tercet.consent.corpora import ColumnNames
    from tercet.flows.clear import ClearRequest
    from tercet.flows.clear import clear as clear_corpus
    from tercet.flows.pool import processor_count
    from tercet.store.keys import default_key_path, load_or_make_key

    chosen = load_policy(policy)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    use = Use(
        Usage(usage),
        checked_day(day) if day else now[:10],
        model=model,
        version=model_version,
        parameters=parameters,
        purpose=Purpose(purpose) if purpose else None,
        territories=checked_territories(territory),
    )
    with progress_bar(quiet=as_json) as progress:
        clearance = clear_corpus(
            ClearRequest(
                places=corpus,
                policy=chosen,
                usage=Usage(usage),
                out=out,
                key=load_or_make_key(key or default_key_path()),
                now=now,
                declarations=declarations,
                registry=registry,
                trusted_keys=trusted_keys(keys_named(trust, desk)),
                agreements=_agreements(desk, use),
                columns=ColumnNames(url_column, licence_column, headers_column, sha256_column),
                workers=workers or processor_count(),
                progress=progress,
            )
        )
    if as_json:
        emit_json(clearance.document)
    else:
        _show(clearance, chosen.assertion, out)
    return 0


def trusted_keys(given: tuple[str, ...]) -> frozenset[str]:
    """Return public keys as they stand in claims. Raises InputError for what is no such key."""
    for text in given:
        try:
            size = len(base64.b64decode(text, validate=True))
        except ValueError:
            size = 0
        if size != 32:
            raise InputError(
                f"expected an Ed25519 public key in Base64, got {text[:60]!r}",
                hint="`tercet registry show NUMBER --json` shows the keys of a work's claims",
            )
    return frozenset(given)


def _agreements(desk: Path | None, use: Use) -> AgreementsAsked | None:
    if desk is None:
        return None
    from tercet.flows.agreements import AgreementsAsked

    return AgreementsAsked(desk, use)


def checked_day(text: str) -> str:
    """Return a day as YYYY-MM-DD. Raises InputError for what is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        raise InputError(f"expected a day as YYYY-MM-DD, got {text[:40]!r}") from None


def checked_territories(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return countries, each once. Raises InputError for one that is not known."""
    for code in given:
        if code != WORLD and code not in TERRITORIES:
            raise InputError(
                f"expected a country of ISO 3166-1, got {code[:40]!r}",
                hint="two capital letters, as in VN, SE, GB; or * for the world",
            )
    return tuple(dict.fromkeys(given))


def _show(clearance: Clearance, assertion: str, out: Path) -> None:
    from rich.table import Table

    rows = clearance.row_count
    table = Table(box=None, pad_edge=False)
    table.add_column("verdict")
    table.add_column("items", justify="right")
    table.add_column("share", justify="right")
    for verdict, count in clearance.counts.items():
        table.add_row(verdict, f"{count:,}", f"{count / rows:.1%}")
    table.add_row("all", f"{rows:,}", "100.0%")
    screen = console()
    screen.print(table)
    _show_agreements(clearance.document, out)
    if assertion:
        console(err=True).print(f"\nThis clearance asserts: {assertion}", markup=False)
    click.echo(f"\nreport: {out / 'report.html'}", err=True)


def _show_agreements(document: dict[str, Any], out: Path) -> None:
    """Name the agreements that the clearance rests on, and until when."""
    from tercet.flows.agreement_lines import agreement_lines
    from tercet.flows.report_markup import plain

    found = agreement_lines(out, document)
    if not found:
        return
    click.echo("\nagreements it rests on:")
    for each in found[:_AGREEMENTS_SHOWN]:
        items = f"{each.rows:,} {'item' if each.rows == 1 else 'items'}"
        until = f"until {each.until}" if each.until else "no end said"
        name = " ".join(plain(each.with_whom).split())
        click.echo(f"  {items}, {until}, with {name}\n    {each.id}")
        click.echo(f"    {plain('; '.join(each.duties))}")
    if len(found) > _AGREEMENTS_SHOWN:
        click.echo(f"  and {len(found) - _AGREEMENTS_SHOWN:,} more: see the report")
