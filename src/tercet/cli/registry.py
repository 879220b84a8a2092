"""tercet registry: what is registered, by whom, what is disputed, and whether it is whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.output import emit_json

if TYPE_CHECKING:
    from tercet.store.registry import Registry, Signing

_folder = click.option(
    "--registry", "folder", type=click.Path(path_type=Path), help="Folder of the registry."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_key = click.option("--key", type=click.Path(path_type=Path), help="The key to sign with.")


@click.group(short_help="show, check and change what is registered")
def registry() -> None:
    """Show, check and change what is registered."""


@registry.command("list")
@_folder
@click.option("--after", default=0, help="Begin after this number.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000))
@_json
def list_works(folder: Path | None, after: int, limit: int, as_json: bool) -> int:
    """List the works, with what stands of them."""
    found = _open(folder)
    works = found.works(after, limit)
    numbers = [work.number for work in works]
    live, disputed = found.live(numbers), found.disputed(numbers)
    if as_json:
        emit_json([_work_document(work) | {"live": work.number in live,
                   "disputed": work.number in disputed} for work in works])  # fmt: skip
        return 0
    for work in works:
        state = "disputed" if work.number in disputed else ""
        state = state or ("" if work.number in live else "no claim stands")
        title = work.title or Path(work.path).name or work.sha256[:16]
        click.echo(f"{work.number:>8}  {work.medium:6}  {title}  {state}".rstrip())
    if len(works) == limit:
        click.echo(f"more: --after {numbers[-1]}", err=True)
    return 0


@registry.command("show")
@click.argument("number", type=int)
@_folder
@_json
def show_work(number: int, folder: Path | None, as_json: bool) -> int:
    """Show one work with every claim made on it."""
    document = _whole_work(_open(folder), number)
    if as_json:
        emit_json(document)
    else:
        _show_work(document)
    return 0


def _open(folder: Path | None) -> Registry:
    from tercet.cli.registry_option import registry_folder
    from tercet.store.registry import Registry

    return Registry.open(registry_folder(folder))


def _signing(key: Path | None) -> Signing:
    from tercet.cli.registry_option import owner_key_path
    from tercet.store.keys import load_or_make_key
    from tercet.store.registry import Signing

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Signing(load_or_make_key(key or owner_key_path()), now)


def _work_document(work: Any) -> dict[str, Any]:
    from tercet.consent.registry.work_record import work_document

    return work_document(work) | {"path": work.path}


def _whole_work(found: Registry, number: int) -> dict[str, Any]:
    from tercet.consent.registry.claim import claim_document

    claims = []
    for standing, state in found.claims(number):
        evidence = [
            {"kind": str(each.kind), "value": each.value, "checked": str(check), "checked_at": at}
            for each, check, at in found.evidence(standing.claim_id)
        ]
        claims.append(
            claim_document(standing.claim)
            | {
                "claim_id": standing.claim_id,
                "state": state,
                "public_key": standing.public_key,
                "evidence": evidence,
                "share_basis_points": standing.share_basis_points,
            }
        )
    standing_now, disputed = found.standing(number)
    return _work_document(found.work(number)) | {
        "live": bool(standing_now), "disputed": disputed, "claims": claims
    }  # fmt: skip


def _show_work(document: dict[str, Any]) -> None:
    click.echo(f"work {document['number']}: {document['title'] or 'without a title'}")
    for name in ("medium", "sha256", "iscc", "source_url", "path", "registered_at"):
        if document[name]:
            click.echo(f"  {name:14}{document[name]}")
    for name in ("creators", "methods", "unfit", "flags"):
        if document[name]:
            click.echo(f"  {name:14}{'; '.join(document[name])}")
    for scheme, value in sorted(document["identifiers"].items()):
        click.echo(f"  {scheme:14}{value}")
    if document["disputed"]:
        click.echo("  disputed: held until the dispute is settled")
    for claim in document["claims"]:
        share = claim["share_basis_points"] / 100
        click.echo(f"\nclaim {claim['claim_id'][:16]} ({claim['state']}): "
                   f"{claim['owner']['name']}, {share:g} %, {claim['basis']}, "
                   f"{claim['made_at'][:10]}")  # fmt: skip
        for terms in claim["terms"]:
            kinds = ", ".join(condition["kind"] for condition in terms["conditions"])
            click.echo(f"  {terms['usage']:22}{terms['permission']}{f' ({kinds})' * bool(kinds)}")
        for each in claim["evidence"]:
            click.echo(f"  {each['kind']}: {each['value']} ({each['checked']})")
