"""tercet corpus clips: is a folder of real clips, with its manifest, fit to be cleared?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json, progress_bar

if TYPE_CHECKING:
    from tercet.flows.check_clips import ClipsFound

_SHOWN_MAX = 50


@click.command(short_help="check a folder of real clips and its manifest tercet/clips@1")
@click.argument("place", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything found as JSON.")
def clips(place: Path, as_json: bool) -> int:
    """Check FOLDER/clips.jsonl (or a manifest) line by line, and every file that it names.

    Then `tercet clear FOLDER/clips.jsonl` gives every clip a verdict, and `tercet train` learns
    from those that are cleared. Exits with 1 when anything is wrong.
    """
    from tercet.flows.check_clips import check_clips

    with progress_bar(quiet=as_json) as progress:
        found = check_clips(
            place, progress=lambda done, total: progress("checking clips", done, total)
        )
    if as_json:
        emit_json(
            {
                "clips": len(found.clips),
                "seconds": round(found.duration_s, 3),
                "owners": len({clip.owner for clip in found.clips}),
                "problems": [asdict(problem) for problem in found.problems],
            }
        )
    else:
        _show(found)
    return 1 if found.problems else 0


def _show(found: ClipsFound) -> None:
    from tercet.flows.report_markup import plain

    for problem in found.problems[:_SHOWN_MAX]:
        click.echo(plain(problem.text))
    if len(found.problems) > _SHOWN_MAX:
        click.echo(f"and {len(found.problems) - _SHOWN_MAX} more")
    owners = len({clip.owner for clip in found.clips})
    click.echo(f"{len(found.clips):,} sound clips by {owners:,} owners, {found.duration_s:,.1f} s")
    if found.problems:
        click.echo(f"{len(found.problems):,} lines to mend", err=True)
    else:
        click.echo(f"\nnext: tercet clear {found.manifest} -o CLEARANCE", err=True)
