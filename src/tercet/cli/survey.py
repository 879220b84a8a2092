"""tercet survey: collect what the sites of a corpus declare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import console, emit_json, progress_bar

if TYPE_CHECKING:
    from tercet.flows.survey import SurveyResult


@click.command(short_help="collect the permission declarations of the sites in a corpus")
@click.argument("corpus", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the evidence: captures, declarations and raw bytes. Required.",
)
@click.option("--items", is_flag=True, help="Also ask every item: headers, page, metadata.")
@click.option(
    "--contact",
    envvar="TERCET_CONTACT",
    help="URL or mail address of whoever runs this; sent along. Required. [env: TERCET_CONTACT]",
)
@click.option(
    "--agent", default="TercetBot", show_default=True, help="Name, also for robots.txt rules."
)
@click.option(
    "--concurrency", default=64, show_default=True, help="Requests under way over all hosts."
)
@click.option(
    "--per-host-interval",
    "--interval",
    "interval_s",
    default=1.0,
    show_default=True,
    help="Seconds between two requests to one host.",
)
@click.option(
    "--timeout", "timeout_s", default=20.0, show_default=True, help="Seconds to wait for a host."
)
@click.option("--allow-private", is_flag=True, help="Also connect to private addresses: for tests.")
@click.option(
    "--resolve",
    multiple=True,
    metavar="HOST=ADDRESS[:PORT]",
    help="Connect there for this host ('*': for all): for tests. Repeatable.",
)
@click.option("--url-column", default="", help="Column that holds the URLs, if not found by name.")
@click.option(
    "--reread",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Instead: read the kept bytes of an earlier survey anew, with this version's readers.",
)
@click.option("--json", "as_json", is_flag=True, help="Print survey.json.")
@click.pass_context
def survey(
    context: click.Context,
    corpus: tuple[Path, ...],
    out: Path | None,
    items: bool,
    contact: str | None,
    agent: str,
    concurrency: int,
    interval_s: float,
    timeout_s: float,
    allow_private: bool,
    resolve: tuple[str, ...],
    url_column: str,
    reread: Path | None,
    as_json: bool,
) -> int:
    """Ask the sites of CORPUS what they permit, and keep every answer as evidence.

    CORPUS is one or more tables with a URL column (or lists of URLs). Each site is asked for
    robots.txt, tdmrep.json, ai.txt, llms.txt and the RSL files it names. A survey that was stopped
    goes on where it was; a finished one is brought up to date. What could not be fetched is
    counted, and held by `tercet clear`.
    """
    if reread is not None:
        return _reread(context, reread, as_json=as_json)
    if not corpus or out is None or contact is None:
        raise _missing(context, corpus=corpus, out=out, contact=contact)
    from tercet.consent.corpora import ColumnNames
    from tercet.consent.survey import SurveyOptions
    from tercet.flows.survey import Progress, survey_corpus

    options = SurveyOptions(
        contact=contact,
        agent=agent,
        items=items,
        concurrency=concurrency,
        host_interval_s=interval_s,
        timeout_s=timeout_s,
        allow_private=allow_private,
        overrides=tuple(_override(each) for each in resolve),
    )
    with progress_bar(quiet=as_json) as show:

        def tell(progress: Progress) -> None:
            show(f"asking {progress.stage}", progress.done, progress.total)

        result = survey_corpus(
            corpus, out, options, columns=ColumnNames(url=url_column), progress=tell
        )
    if as_json:
        emit_json(result.document)
    else:
        _show(result)
    return 0


def _missing(context: click.Context, **given: object) -> click.MissingParameter:
    """Return the error for the first of the required parameters that was not given."""
    params = {param.name: param for param in context.command.params}
    name = next(name for name, value in given.items() if value in (None, ()))
    return click.MissingParameter(ctx=context, param=params[name])


def _reread(context: click.Context, folder: Path, *, as_json: bool) -> int:
    from tercet.flows.reread import reread_evidence

    if context.params["corpus"]:
        raise click.UsageError("--reread takes no corpus: it reads what is kept", ctx=context)
    with progress_bar(quiet=as_json) as show:
        document = reread_evidence(folder, progress=lambda done, all_: show("reading", done, all_))
    if as_json:
        emit_json(document)
    else:
        counts = document["counts"]
        click.echo(f"{counts['captures']:,} captures, {counts['declarations']:,} declarations")
        click.echo(f"evidence: {folder}", err=True)
    return 0


def _override(text: str) -> tuple[str, str]:
    """Split HOST=ADDRESS (or HOST:ADDRESS, as curl writes it); the survey checks the address."""
    host, _, place = text.partition("=" if "=" in text else ":")
    return host, place


def _show(result: SurveyResult) -> None:
    from rich.table import Table

    counts = result.document["counts"]
    table = Table(box=None, pad_edge=False)
    for heading in ("resource", "asked", "had", "not had, by reason"):
        table.add_column(heading, justify="right" if heading in ("asked", "had") else "left")
    for resource, asked in sorted(counts["resources"].items()):
        failures = counts["failures"].get(resource, {})
        reasons = ", ".join(f"{name} {count:,}" for name, count in sorted(failures.items()))
        had = asked - sum(failures.values())
        table.add_row(resource, f"{asked:,}", f"{had:,}", reasons)
    console().print(table)
    click.echo(
        f"\n{counts['sites']:,} sites, {counts['items']:,} items, "
        f"{counts['declarations']:,} declarations in {result.seconds:.1f} s",
    )
    if result.resumed:
        click.echo(f"{result.resumed:,} were done before", err=True)
    if result.passed_over:
        click.echo(f"{result.passed_over:,} rows have no URL that can be asked", err=True)
    click.echo(f"evidence: {result.folder}", err=True)
