"""tercet registry: what is registered, by whom, what is disputed, and whether it is whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.output import emit_json
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tercet.consent.registry.dispute import Act, Dispute
    from tercet.flows.check_domains import DomainCheck
    from tercet.store.registry import Registry, Signing

_folder = click.option(
    "--registry", "folder", type=click.Path(path_type=Path), help="Folder of the registry."
)
_NUMBER = click.IntRange(0, 2**63 - 1)  # what SQLite takes
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_key = click.option("--key", type=click.Path(path_type=Path), help="The key to sign with.")


@click.group(short_help="show, check and change what is registered")
def registry() -> None:
    """Show, check and change what is registered."""


@registry.command("list")
@_folder
@click.option("--after", default=0, type=_NUMBER, help="Begin after this number.")
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
        title = printable(work.title or Path(work.path).name or work.sha256[:16])
        click.echo(f"{work.number:>8}  {work.medium:6}  {title}  {state}".rstrip())
    if len(works) == limit:
        click.echo(f"more: --after {numbers[-1]}", err=True)
    return 0


@registry.command("show")
@click.argument("number", type=_NUMBER)
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
    click.echo(f"work {document['number']}: {printable(document['title']) or 'without a title'}")
    for name in ("medium", "sha256", "iscc", "source_url", "path", "registered_at"):
        if document[name]:
            click.echo(f"  {name:14}{printable(str(document[name]))}")
    for name in ("creators", "methods", "unfit", "flags"):
        if document[name]:
            click.echo(f"  {name:14}{printable('; '.join(document[name]))}")
    for scheme, value in sorted(document["identifiers"].items()):
        click.echo(f"  {scheme:14}{value}")
    if document["disputed"]:
        click.echo("  disputed: held until the dispute is settled")
    for claim in document["claims"]:
        share = claim["share_basis_points"] / 100
        click.echo(f"\nclaim {claim['claim_id'][:16]} ({claim['state']}): "
                   f"{printable(claim['owner']['name'])}, {share:g} %, {claim['basis']}, "
                   f"{claim['made_at'][:10]}")  # fmt: skip
        for terms in claim["terms"]:
            kinds = ", ".join(condition["kind"] for condition in terms["conditions"])
            click.echo(f"  {terms['usage']:22}{terms['permission']}{f' ({kinds})' * bool(kinds)}")
        for each in claim["evidence"]:
            click.echo(f"  {each['kind']}: {each['value']} ({each['checked']})")


@registry.command("withdraw")
@click.argument("claim_id", metavar="CLAIM")
@click.option("--reason", default="", help="Why; it is kept.")
@_folder
@_key
@_json
def withdraw_claim(
    claim_id: str, reason: str, folder: Path | None, key: Path | None, as_json: bool
) -> int:
    """Take a claim back: it no longer binds. The key that signed it is needed."""
    whole_id = _open(folder).withdraw(claim_id, reason, _signing(key))
    if as_json:
        emit_json({"claim": whole_id, "state": "withdrawn"})
    else:
        click.echo(f"claim {whole_id[:16]} is withdrawn")
    return 0


@registry.command("verify")
@click.option("--seen", default="", metavar="HEAD", help="A head noted before: is it still there?")
@_folder
@_json
def verify_registry(seen: str, folder: Path | None, as_json: bool) -> int:
    """Work everything out anew from the log and name every difference; exit 1 if there is one."""
    from tercet.store.registry_check import differences

    found = _open(folder)
    problems = differences(found, seen=seen.lower())
    head = found.head()
    if as_json:
        emit_json({"entries": head.entries, "head": head.chain, "problems": problems})
    else:
        for problem in problems:
            click.echo(problem)
        state = f"{len(problems):,} problems" if problems else "all holds"
        click.echo(f"{head.entries:,} log entries, head {head.chain}: {state}")
    return 1 if problems else 0


@registry.command("log")
@_folder
@click.option("--after", default=-1, help="Begin after this entry.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@_json
def show_log(folder: Path | None, after: int, limit: int, as_json: bool) -> int:
    """Show the log: every signed document, in order, with its place in the chain."""
    entries = _open(folder).log(after + 1, after + 1 + limit)
    if as_json:
        emit_json(
            [
                {"index": entry.position, "digest": entry.digest, "chain": entry.chain,
                 "document": json.loads(entry.document)}
                for entry in entries
            ]
        )  # fmt: skip
        return 0
    for entry in entries:
        document = json.loads(entry.document)
        at = document.get("at") or document.get("made_at") or document.get("registered_at")
        click.echo(f"{entry.position:>8}  {entry.chain[:16]}  {at}  {entry.type}")
    return 0


@registry.command("check-domains")
@click.option("--contact", required=True, help="URL or mail address of whoever asks the hosts.")
@click.option("--resolve", "overrides", multiple=True, metavar="HOST=ADDRESS[:PORT]",
              help="Connect there for HOST; can be repeated.")  # fmt: skip
@click.option("--allow-private", is_flag=True, help="Ask also hosts of a private network.")
@_folder
@_key
@_json
def check_domains(
    contact: str,
    overrides: tuple[str, ...],
    allow_private: bool,
    folder: Path | None,
    key: Path | None,
    as_json: bool,
) -> int:
    """Ask the hosts that claims name for their owners' keys; exit 3 if one could not be asked."""
    from tercet.consent.survey import SurveyOptions
    from tercet.flows.check_domains import check_domains as check

    pairs = [each.partition("=") for each in overrides]
    options = SurveyOptions(
        contact=contact,
        allow_private=allow_private,
        overrides=tuple((host, place) for host, _, place in pairs),
    )
    return _show_checks(check(_open(folder), options, _signing(key)), as_json=as_json)


def _show_checks(checks: Sequence[DomainCheck], *, as_json: bool) -> int:
    from dataclasses import asdict

    if as_json:
        emit_json([asdict(each) for each in checks])
    for each in () if as_json else checks:
        note = f": {each.note}" if each.note else ""
        click.echo(f"{each.domain} for claim {each.claim_id[:16]}: {each.found}{note}")
    return 3 if any(each.found == "unchecked" for each in checks) else 0


# ---- disputes -------------------------------------------------------------------------------


@registry.group("dispute")
def dispute_group() -> None:
    """Open, answer and settle disputes about who owns a work."""


@dispute_group.command("list")
@_folder
@click.option("--all", "settled_too", is_flag=True, help="Also those that are settled.")
@_json
def list_disputes(folder: Path | None, settled_too: bool, as_json: bool) -> int:
    """List the disputes that are not settled, with their deadlines."""
    disputes = _open(folder).disputes(unsettled=not settled_too)
    if as_json:
        emit_json([_dispute_document(each) for each in disputes])
        return 0
    for each in disputes:
        until = f" until {each.deadline}" if each.deadline else ""
        click.echo(f"{each.dispute_id[:16]}  {each.kind:10}  {each.state}{until}")
        for side, claims in (("earlier", each.earlier), ("later", each.later)):
            click.echo(f"    {side}: {', '.join(c[:16] for c in claims) or 'no claim'}")
    return 0


@dispute_group.command("open")
@click.argument("number", type=_NUMBER)
@click.option("--text", default="", help="Why; it is kept and shown.")
@_folder
@_key
@_json
def open_dispute(
    number: int, text: str, folder: Path | None, key: Path | None, as_json: bool
) -> int:
    """Challenge the claims on work NUMBER; it is held until the dispute is settled."""
    found = _open(folder)
    signing = _signing(key)
    found.expire_due(signing)
    dispute_id = found.open_dispute(number, text, signing)
    if as_json:
        emit_json({"dispute": dispute_id})
    else:
        click.echo(f"dispute {dispute_id[:16]} is open; work {number} is held")
    return 0


@dispute_group.command("answer")
@click.argument("dispute_id", metavar="DISPUTE")
@click.option("--text", default="", help="The answer; it is kept and shown.")
@_folder
@_key
@_json
def answer_dispute(
    dispute_id: str, text: str, folder: Path | None, key: Path | None, as_json: bool
) -> int:
    """Contest a challenge, as the owner whose claim is challenged."""
    from tercet.consent.registry.dispute import Act

    return _act(folder, dispute_id, Act.ANSWER, text, key, (), as_json=as_json)


@dispute_group.command("resolve")
@click.argument("dispute_id", metavar="DISPUTE")
@click.argument("outcome", type=click.Choice(["upheld", "rejected", "shared"]))
@click.option("--share", "shares", multiple=True, metavar="CLAIM=PERCENT",
              help="With shared: what each claim is agreed to own.")  # fmt: skip
@click.option("--text", default="", help="The reasons; they are kept and shown.")
@_folder
@_key
@_json
def resolve_dispute(
    dispute_id: str,
    outcome: str,
    shares: tuple[str, ...],
    text: str,
    folder: Path | None,
    key: Path | None,
    as_json: bool,
) -> int:
    """Settle a dispute: the challenge is upheld or rejected, or the work is shared.

    A party may give in; the registry keeper's key, the operator's, may decide either way.
    """
    from tercet.consent.registry.dispute import Act

    act = {"upheld": Act.UPHOLD, "rejected": Act.REJECT, "shared": Act.SHARE}[outcome]
    agreed = tuple(map(_share, shares))
    return _act(folder, dispute_id, act, text, key, agreed, as_json=as_json)


@dispute_group.command("expire")
@_folder
@_key
@_json
def expire_disputes(folder: Path | None, key: Path | None, as_json: bool) -> int:
    """Let the disputes expire whose time is over: the earlier claims stand."""
    changed = _open(folder).expire_due(_signing(key))
    if as_json:
        emit_json([_dispute_document(each) for each in changed])
    else:
        click.echo(f"{len(changed):,} disputes expired")
    return 0


def _act(
    folder: Path | None,
    dispute_id: str,
    act: Act,
    text: str,
    key: Path | None,
    shares: tuple[tuple[str, int], ...],
    *,
    as_json: bool,
) -> int:
    found = _open(folder)
    signing = _signing(key)
    found.expire_due(signing)
    changed = found.act_in_dispute(dispute_id, act, text, signing, shares)
    if as_json:
        emit_json(_dispute_document(changed))
    else:
        until = f" until {changed.deadline}" if changed.deadline else ""
        click.echo(f"dispute {changed.dispute_id[:16]} is {changed.state}{until}")
    return 0


def _share(text: str) -> tuple[str, int]:
    from tercet.core.errors import InputError

    claim_id, _, percent = text.partition("=")
    try:
        return claim_id.strip().lower(), round(float(percent) * 100)
    except (ValueError, OverflowError):
        raise InputError(f"expected CLAIM=PERCENT, got {text[:80]!r}") from None


def _dispute_document(dispute: Dispute) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(dispute)
