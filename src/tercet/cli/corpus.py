"""tercet corpus: gather works from where they are published."""

from __future__ import annotations

from pathlib import Path

import click

from tercet.cli.corpus_clips import clips
from tercet.cli.output import emit_json, progress_bar


@click.group(short_help="gather works from where they are published")
def corpus() -> None:
    """Gather works, so that `tercet clear` can say which may be used."""


@corpus.command("openclipart", short_help="gather the drawings of Debian's openclipart-svg")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--package",
    type=click.Path(path_type=Path),
    help="The file of the Debian package openclipart-svg, instead of fetching it with apt.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def openclipart(folder: Path, package: Path | None, as_json: bool) -> int:
    """Gather the drawings of the Openclipart Library in FOLDER, from Debian's package.

    Nothing is installed and no rights are judged: `tercet clear FOLDER/works.jsonl` does that.
    A run that was stopped goes on where it was.
    """
    from tercet.flows.corpus_openclipart import TABLE, gather_openclipart

    with progress_bar(quiet=as_json) as progress:
        found = gather_openclipart(folder, package=package, progress=progress)
    if as_json:
        emit_json(
            {
                "table": str(folder / TABLE),
                "package": found.package,
                "package_sha256": found.package_sha256,
                "files": found.file_count,
                "works": found.work_count,
                "nouns": found.noun_count,
                "creators": found.creator_count,
                "left_out": dict(found.left_out),
            }
        )
        return 0
    click.echo(
        f"{found.work_count:,} works of {found.creator_count:,} creators, which show "
        f"{found.noun_count:,} nouns, of {found.file_count:,} files in {found.package}"
    )
    for reason, count in sorted(found.left_out.items(), key=lambda one: (-one[1], one[0])):
        click.echo(f"{count:>7,}  left out: {reason}")
    click.echo(f"table: {folder / TABLE}")
    click.echo(f"next: tercet clear {folder / TABLE} -o {folder / 'cleared'}", err=True)
    return 0


corpus.add_command(clips)
