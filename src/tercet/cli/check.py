"""tercet check: what a video says of its making, and whether it was altered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tercet.flows.check import CheckedVideo
    from tercet.flows.check_beside import ModelFound

_NAME_WIDTH = 12
_DIGEST_SHOWN = 16
_SAID_CHARACTERS_MAX = 120


@click.command(short_help="read a video back: who made it, from what, and whether it was altered")
@click.argument("video", type=click.Path(path_type=Path))
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="Folder of the model it should be of: its training record is checked too.",
)
@click.option(
    "--trust",
    multiple=True,
    type=click.Path(path_type=Path),
    help="PEM file of certificates that may vouch for signers. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything found as JSON.")
def check(video: Path, model: Path | None, trust: tuple[Path, ...], as_json: bool) -> int:
    """Read VIDEO back, offline: its Content Credentials, its credits, its model's training record.

    Credits are looked for beside it (NAME.credits.json), as are credentials that it cannot carry
    (NAME.c2pa). Exits with 0 when it is intact, 1 when it was altered or something differs,
    3 when nothing can be said for sure.
    """
    from tercet.flows.check import check_video

    checked = check_video(video, model=model, trust=trust)
    if as_json:
        emit_json(checked.document() | {"exit_status": checked.exit_status})
    else:
        _show(checked)
    return checked.exit_status


def _show(checked: CheckedVideo) -> None:
    from tercet.flows.check import STANDINGS
    from tercet.flows.report_markup import plain

    click.echo(f"{checked.standing.value}: {STANDINGS[checked.standing]}")
    for reason in checked.reasons:
        click.echo(f"  {plain(reason)}")
    lines = list(_lines(checked))
    if lines:
        click.echo(f"\n{_heading(checked)}")
    for name, value in lines:
        click.echo(f"  {name:{_NAME_WIDTH}} {plain(value)}")
    if checked.checks:
        click.echo("")
    for one in sorted(checked.checks, key=lambda one: one.holds):
        click.echo(f"{'holds  ' if one.holds else 'DIFFERS'}  {one.name}: {plain(one.found)}")
    hint = _hint(checked)
    if hint:
        click.echo(f"\nhint: {hint}", err=True)


def _heading(checked: CheckedVideo) -> str:
    from tercet.flows.check import Standing

    return {
        Standing.ALTERED: "what it says of itself; it was altered, so none of this is sure",
        Standing.UNSIGNED: "what lies beside it",
    }.get(checked.standing, "what it says of itself")


def _lines(checked: CheckedVideo) -> Iterator[tuple[str, str]]:
    """Yield what the credentials say, then what lies beside the video."""
    said, making = checked.credentials, checked.credentials.making
    if said.signer or said.issuer:
        yield "signed by", f"{said.signer} ({said.issuer}), {said.algorithm}"
    if said.generator:
        yield "made with", said.generator
    if making:
        yield "engine", " ".join(_cut(making.get(key, "")) for key in ("engine", "model")).strip()
        yield "rights", _rights(checked)
        yield "seed", _cut(making.get("seed", ""))
        if making.get("training_record_sha256"):
            yield "trained on", f"record {str(making['training_record_sha256'])[:_DIGEST_SHOWN]}"
        if making.get("clearance_sha256"):
            yield "cleared by", f"clearance {str(making['clearance_sha256'])[:_DIGEST_SHOWN]}"
    if said.source_types:
        yield "pictures", ", ".join(kind.rpartition("/")[2] for kind in said.source_types)
    if said.training_mining:
        uses = (f"{key.rpartition('.')[2]} {use}" for key, use in said.training_mining.items())
        yield "to others", ", ".join(sorted(uses))
    if checked.credits and checked.credits.works:
        found = checked.credits
        yield (
            "credits",
            (f"{found.works:,} works, {found.owners:,} owners ({', '.join(found.methods)})"),
        )
    if checked.model and checked.model.record:
        yield "model", _record(checked.model)


def _rights(checked: CheckedVideo) -> str:
    """Return what is said of the rights; a claim that nothing here shows is told as one."""
    from tercet.studio.engines.engine import Rights

    said = _cut(checked.credentials.making.get("rights", ""))
    if checked.rights_shown:
        return f"{said}: the training record below shows it"
    if said == Rights.UNKNOWN:
        return said
    return f'"{said}", says who signed it; no training record or clearance was checked here'


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SAID_CHARACTERS_MAX else text[:_SAID_CHARACTERS_MAX] + "..."


def _record(found: ModelFound) -> str:
    works = found.record["works"]
    counted = f"{works.get('count', '?')} works of {works.get('owners', '?')} owners"
    return f"{counted}, record signed by key {found.key_id}: {found.folder}"


def _hint(checked: CheckedVideo) -> str:
    from tercet.flows.check import Standing

    if checked.standing is Standing.UNKNOWN_SIGNER:
        return (
            "get the signer's root certificate from the signer, by another way, and give it with"
            " --trust FILE"
        )
    if checked.standing is Standing.UNSIGNED:
        return (
            "re-encoding, copying into another container and most upload sites strip credentials;"
            " ask for the file as it was made"
        )
    return ""
