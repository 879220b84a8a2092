"""tercet desk: one party's folder: who we are, our keys, whom we know, what we would still take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.desk_option import desk_folder, desk_option
from tercet.cli.output import emit_json
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from tercet.consent.licences.party import Party
    from tercet.flows.desk import OpenDesk

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_local = click.option("--allow-local", is_flag=True, help="Ask addresses that are not public.")


@click.group(short_help="your desk: who you are, your keys, whom you know")
def desk() -> None:
    """Your desk: who you are, your keys, whom you know."""


@desk.command("make")
@click.option("--name", required=True, help="Your name, as others are to see it.")
@click.option("--address", default="", help="Where your server is reached: https://.../dsp.")
@desk_option
@_json
def make(name: str, address: str, desk: Path | None, as_json: bool) -> int:
    """Make a desk: a folder with a new key, and a signed document that says who you are."""
    from tercet.flows.desk import make_desk

    made = make_desk(desk_folder(desk), name, address=address)
    if as_json:
        emit_json(_document(made))
    else:
        click.echo(f"{made.party.id}: {printable(made.party.name)}")
        click.echo(f"the key is in {made.folder / 'keys'}: keep a copy of it", err=True)
    return 0


@desk.command("show")
@desk_option
@_json
def show(desk: Path | None, as_json: bool) -> int:
    """Show whose desk it is, its keys, and the parties it knows."""
    opened = _open(desk)
    if as_json:
        emit_json(_document(opened))
        return 0
    _show_party(opened.party)
    click.echo(f"  takes messages at {printable(opened.address)}")
    for party_id, history in sorted(opened.store.parties().items()):
        if party_id != opened.party.id:
            click.echo(f"knows {party_id}: {printable(history.latest.name)}")
    for fork in opened.store.party_forks():
        click.echo(
            f"refused {fork.received_at}: another version {fork.version} of {fork.party}, signed "
            "by a key of it; ask it by another way which keys are its own"
        )
    return 0


@desk.command("party")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write it there.")
@desk_option
def party(out: Path | None, desk: Path | None) -> int:
    """Print what others need to know you: every version of your signed document, as JSON."""
    from tercet.core.canonical import canonical_json
    from tercet.store.files import write_atomically

    versions = [dict(each.document) for each in _open(desk).history.versions]
    if out is None:
        emit_json(versions)
    else:
        write_atomically(out, canonical_json(versions))
    return 0


@desk.command("add")
@click.argument("place", metavar="PLACE")
@click.option("--confirm", "confirmed", multiple=True, metavar="PARTY",
              help="A party of a similar name that it is not; can be repeated.")  # fmt: skip
@desk_option
@_local
@_json
def add(
    place: str, confirmed: tuple[str, ...], desk: Path | None, allow_local: bool, as_json: bool
) -> int:
    """Learn who another party is: from a file, the folder of its desk, or its address."""
    from tercet.flows.desk import add_party, fetch_party

    opened = _open(desk, allow_local=allow_local)
    history = add_party(opened, fetch_party(opened, place), confirmed=confirmed)
    return _tell(history.latest, as_json=as_json)


@desk.command("change")
@click.option("--name", help="Another name.")
@click.option("--address", help="Another address of your server; '' for none.")
@desk_option
@_json
def change(name: str | None, address: str | None, desk: Path | None, as_json: bool) -> int:
    """Give your party another name or address."""
    from tercet.flows.desk import change_party

    return _tell(change_party(_open(desk), name=name, address=address), as_json=as_json)


@desk.command("rotate-key")
@desk_option
@_json
def rotate(desk: Path | None, as_json: bool) -> int:
    """Take a new key; the one before signs nothing new, and what it signed stays valid."""
    from tercet.flows.desk import rotate_key

    return _tell(rotate_key(_open(desk)), as_json=as_json)


@desk.command("revoke-key")
@click.argument("key_id", metavar="KEY")
@click.option("--reason", required=True, help="Why; it is published.")
@desk_option
@_json
def revoke(key_id: str, reason: str, desk: Path | None, as_json: bool) -> int:
    """Say that a key is not to be trusted any more.

    What others saw signed by it before they learn of it stays valid. The current key is replaced.
    """
    from tercet.flows.desk import revoke_key

    return _tell(revoke_key(_open(desk), key_id, reason), as_json=as_json)


@desk.command("works")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--registry", type=click.Path(path_type=Path),
              help="Refuse a list with a work that is not in this registry.")  # fmt: skip
@desk_option
@_json
def works(file: Path, registry: Path | None, desk: Path | None, as_json: bool) -> int:
    """Keep a list of works (tercet/repertoire@1) and tell the name that terms give it."""
    from tercet.flows.license_repertoires import take_repertoire

    found = take_repertoire(_open(desk), file, registry=registry)
    if as_json:
        emit_json({"sha256": found.sha256, "work_count": found.work_count})
    else:
        click.echo(f"{found.sha256}  {found.work_count:,} works")
    return 0


@desk.command("reserve")
@click.argument("subject", metavar="OFFER")
@click.option("--price", "amounts", multiple=True, required=True, metavar="NAME=AMOUNT",
              help="What you would still take: fixed=350, share=4.5, ...")  # fmt: skip
@desk_option
@_json
def reserve(subject: str, amounts: tuple[str, ...], desk: Path | None, as_json: bool) -> int:
    """Keep what you would still take for a published OFFER, or in one negotiation.

    It stays in your desk: no document, message or answer has it.
    """
    from tercet.flows.license_answer import keep_reserve
    from tercet.flows.license_prices import amounts_of

    kept = amounts_of(amounts)
    keep_reserve(_open(desk), subject, kept)
    if as_json:
        emit_json({"subject": subject, "reserve": kept})
    else:
        click.echo(f"kept for {printable(subject)}")
    return 0


def _open(folder: Path | None, **options: Any) -> OpenDesk:
    from tercet.flows.desk import open_desk

    return open_desk(desk_folder(folder), **options)


def _document(opened: OpenDesk) -> dict[str, Any]:
    others = opened.store.parties()
    return {
        "folder": str(opened.folder),
        "address": opened.address,
        "party": _party_fields(opened.party),
        "knows": [_party_fields(others[each].latest) for each in sorted(others)
                  if each != opened.party.id],
        "forks": [fork.document for fork in opened.store.party_forks()],
    }  # fmt: skip


def _party_fields(party: Party) -> dict[str, Any]:
    from tercet.consent.licences.party import party_document

    return party_document(party)


def _tell(party: Party, *, as_json: bool) -> int:
    if as_json:
        emit_json(_party_fields(party))
    else:
        _show_party(party)
    return 0


def _show_party(party: Party) -> None:
    click.echo(f"{party.id}: {printable(party.name)}, version {party.version}")
    for key in party.keys:
        state = "current" if key.is_current else f"until {key.until}"
        if key.revoked_at:
            state = f"revoked {key.revoked_at}: {printable(key.reason)}"
        click.echo(f"  key {key.key_id} since {key.since}, {state}")
