"""tercet pack: the cleared drawings of a clearance in one file, for the engine compose."""

from __future__ import annotations

import base64
from pathlib import Path

import click

from tercet.cli.output import emit_json, progress_bar


@click.command(short_help="pack the cleared drawings of a clearance for the engine compose")
@click.argument("clearance", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="File to write (.zip)."
)
@click.option("--nouns", default="", help="Only works that show these, comma between.")
@click.option(
    "--works-per-noun", type=click.IntRange(1), help="At most so many works that show one thing."
)
@click.option(
    "--corpus",
    "places",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where the corpus lies, if not where it was cleared.",
)
@click.option("--public-key", default="", help="Key the clearance is signed with, if not yours.")
@click.option("--key", type=click.Path(path_type=Path), help="Signing key; made on first use.")
@click.option("--json", "as_json", is_flag=True, help="Print what was packed as JSON.")
def pack(
    clearance: Path,
    out: Path,
    nouns: str,
    works_per_noun: int | None,
    places: tuple[Path, ...],
    public_key: str,
    key: Path | None,
    as_json: bool,
) -> int:
    """Pack the drawings that CLEARANCE, the folder of `tercet clear`, lets through into one file.

    `tercet generate --engine compose --model OUT` draws from it, with exact credits. Only cleared
    rows are read, each work's SHA-256 is compared, and the list of works is signed.
    """
    from tercet.flows.pack import pack as pack_works
    from tercet.store.keys import default_key_path, load_or_make_key

    own = load_or_make_key(key or default_key_path())
    with progress_bar(quiet=as_json) as progress:
        packed = pack_works(
            clearance,
            out,
            key=own,
            public_key=public_key or base64.b64encode(own.public_raw).decode(),
            places=places,
            nouns=[noun.strip() for noun in nouns.split(",") if noun.strip()] or None,
            works_per_noun=works_per_noun,
            progress=progress,
        )
    document = {
        "path": str(packed.path),
        "sha256": packed.digest,
        "works": packed.work_count,
        "nouns": packed.noun_count,
        "bytes": packed.byte_count,
        "passed_over": packed.passed_over,
    }
    if as_json:
        emit_json(document)
        return 0
    click.echo(
        f"packed {packed.work_count:,} works that show {packed.noun_count:,} things: {packed.path}"
    )
    for reason, count in sorted(packed.passed_over.items()):
        click.echo(f"left out {count:,}: {reason}", err=True)
    return 0
