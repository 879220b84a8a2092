"""tercet verify: check a clearance, or a model's training record, offline."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tercet.cli.output import emit_json, progress_bar

if TYPE_CHECKING:
    from tercet.flows.verify import Check


@click.command(short_help="check a clearance or a model's record: signature, digests and counts")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--public-key",
    default="",
    help="Key it must be signed with (base64), as its owner gave it to you by another way.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    help="For a model: the clearance it was trained on, to make its batches again and compare.",
)
@click.option("--steps", type=click.IntRange(0), default=0, help="With --replay: only the first.")
@click.option("--json", "as_json", is_flag=True, help="Print every check as JSON.")
def verify(out: Path, public_key: str, replay: Path | None, steps: int, as_json: bool) -> int:
    """Check the clearance in folder OUT: signature, digests of all files, and counts made anew.

    For the folder of a model, its training record: signature, digests, and the batch chain.

    Needs nothing but that folder, and no network. Prints one line a check, failures first;
    exits with 1 when anything differs.
    """
    from tercet.flows.verify import verify as verify_clearance
    from tercet.flows.verify_model import holds_model, verify_record

    if holds_model(out):
        checks = verify_record(out, public_key=public_key)
        if replay is not None:
            from tercet.flows.replay import replay as replay_batches

            with progress_bar(quiet=as_json) as progress:
                checks += replay_batches(out, replay, steps=steps, progress=progress)
        return _told(checks, public_key, as_json, "the record")
    with progress_bar(quiet=as_json) as progress:
        checks = verify_clearance(
            out,
            public_key=public_key,
            progress=lambda done, total: progress("checking", done, total),
        )
    return _told(checks, public_key, as_json, "the clearance")


def _told(checks: list[Check], public_key: str, as_json: bool, what: str) -> int:
    """Tell every check; return 0 when all hold."""
    holds = all(check.holds for check in checks)
    if as_json:
        emit_json({"holds": holds, "checks": [asdict(check) for check in checks]})
    else:
        _show(checks, what, key_given=bool(public_key))
    return 0 if holds else 1


def _show(checks: list[Check], what: str, *, key_given: bool) -> None:
    failed = [check for check in checks if not check.holds]
    for check in [*failed, *(check for check in checks if check.holds)]:
        click.echo(f"{'holds  ' if check.holds else 'DIFFERS'}  {check.name}: {check.found}")
    click.echo(f"{len(checks) - len(failed)} of {len(checks)} checks hold")
    signature = next(check for check in checks if check.name == "signature")
    if not failed:
        click.echo(f"verified: signed by {signature.found}, every digest and count as signed")
    if signature.holds and not key_given:
        click.echo(
            f"\nhint: this shows that {what} is whole, not who signed it; compare the key with "
            "--public-key",
            err=True,
        )
