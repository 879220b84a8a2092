"""tercet mandate: let a collective license works, take it back, and act as the collective."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.desk_option import desk_folder, desk_option
from tercet.cli.output import emit_json
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from tercet.consent.licences.mandate import HeldMandate
    from tercet.core.terms import PartyName
    from tercet.flows.desk import OpenDesk
    from tercet.store.desk_mandates import KeptNotice
    from tercet.store.registry import Registry

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_out_option = click.option("-o", "--out", required=True, type=click.Path(path_type=Path),
                           help="File to hand to the other party.")  # fmt: skip
_registry_option = click.option(
    "--registry", type=click.Path(path_type=Path), help="Folder of the registry."
)
_listed_option = click.option("--no-registry", is_flag=True,
                              help="Take lists of works as they are.")  # fmt: skip
_usage_option = click.option("--usage", "usages", multiple=True, required=True,
                             help="A usage, such as train_generative; repeat.")  # fmt: skip


@click.group(short_help="let a collective license your works, and act as one")
def mandate() -> None:
    """Let a collective license your works, and act as a collective for its members."""


@mandate.command("give")
@click.argument("collective")
@_usage_option
@click.option("--works", "works_file", type=click.Path(path_type=Path),
              help="List of the works; without it, all that you have registered.")  # fmt: skip
@click.option("--without", "exclusions", multiple=True, metavar="KIND:WORK",
              help="A work that is not meant; repeat.")  # fmt: skip
@click.option("--not-to", "licensees", multiple=True, metavar="PARTY",
              help="Id of a licensee that never gets them; repeat.")  # fmt: skip
@click.option("--cut", default="0", metavar="PERCENT", help="What the collective keeps.")
@click.option("--start", default="", metavar="DATE", help="First day; else today.")
@click.option("--end", default="", metavar="DATE", help="First day on which it no longer holds.")
@click.option("--notice", "notice_days", default=90, show_default=True,
              type=click.IntRange(0, 3650), help="Days for running agreements.")  # fmt: skip
@click.option("--contact", default="", metavar="MAIL", help="Where you are told of licences.")
@click.option("--letter", default="", metavar="HASH", help="The open letter it comes of.")
@_out_option
@desk_option
@_json_option
def give(collective: str, **given: Any) -> int:
    """Sign a mandate for COLLECTIVE: its id, an address, a desk's folder, or a party's file.

    Nothing is licensed by it that you do not name, and nothing to whom you exclude.
    """
    from tercet.cli.mandate_input import basis_points, usages_of
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate import MandateDraft, give_mandate

    desk = open_desk(desk_folder(given["desk"]))
    parcel = give_mandate(
        desk,
        MandateDraft(
            collective=party_at(desk, collective),
            usages=usages_of(given["usages"]),
            start=given["start"] or desk.clock()[:10],
            end=given["end"],
            works=_works(given["works_file"]),
            exclusions=given["exclusions"],
            excluded_licensees=given["licensees"],
            cut_basis_points=basis_points(given["cut"]),
            notice_days=given["notice_days"],
            letter=given["letter"],
            contact=given["contact"],
        ),
    )
    return _write_parcel(parcel, given["out"], as_json=given["as_json"])


@mandate.command("revoke")
@click.argument("mandate_id", metavar="MANDATE")
@click.option("--reason", default="", help="Why; the collective reads it.")
@_out_option
@desk_option
@_json_option
def revoke(mandate_id: str, reason: str, out: Path, desk: Path | None, as_json: bool) -> int:
    """Take a mandate back: nothing new is licensed, running agreements end with its notice."""
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate import revoke_mandate

    parcel = revoke_mandate(open_desk(desk_folder(desk)), mandate_id, reason)
    return _write_parcel(parcel, out, as_json=as_json)


@mandate.command("receive")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--confirm", "told_apart", multiple=True, metavar="PARTY",
              help="Another party of a like name, known to be another; repeat.")  # fmt: skip
@desk_option
@_json_option
def receive(files: tuple[Path, ...], told_apart: tuple[str, ...], desk: Path | None,
            as_json: bool) -> int:  # fmt: skip
    """Take in mandates and revocations of members, from the files they handed over."""
    from tercet.cli.mandate_input import read_parcel
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate import take_parcel

    opened = open_desk(desk_folder(desk))
    taken = [take_parcel(opened, read_parcel(path), told_apart=told_apart) for path in files]
    return _show_mandates(taken, opened.clock()[:10], as_json=as_json)


@mandate.command("list")
@desk_option
@_json_option
def list_mandates(desk: Path | None, as_json: bool) -> int:
    """List the mandates of a desk: given to it, and given by it."""
    from tercet.flows.desk import open_desk
    from tercet.store.desk_mandates import Mandates

    opened = open_desk(desk_folder(desk))
    return _show_mandates(Mandates(opened.store).all(), opened.clock()[:10], as_json=as_json)


@mandate.command("snapshot")
@_usage_option
@click.option("--licensee", default="", metavar="PARTY", help="Id of the licensee it is for.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File for the signed snapshot.")
@_registry_option
@_listed_option
@desk_option
@_json_option
def snapshot(**given: Any) -> int:
    """Sign what this collective can license now: the union of its members' mandated works."""
    from tercet.cli.mandate_input import usages_of
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate import make_snapshot
    from tercet.store.desk_mandates import Mandates
    from tercet.store.files import write_atomically

    desk = open_desk(desk_folder(given["desk"]))
    taken = make_snapshot(
        desk, usages_of(given["usages"]), licensee=given["licensee"], registry=_registry(given)
    )
    made = taken.snapshot
    if given["out"]:
        document = Mandates(desk.store).snapshot_document(made.id)
        write_atomically(given["out"], json.dumps(document, ensure_ascii=False).encode())
    if given["as_json"]:
        emit_json({
            "snapshot": made.id, "repertoire": made.repertoire.sha256,
            "work_count": made.repertoire.work_count, "members": len(made.parts),
            "excluded_licensees": list(made.excluded_licensees),
            "exclusions": list(made.repertoire.exclusions),
            "left_out": [{"mandate": name, "why": str(why)} for name, why in taken.left_out],
        })  # fmt: skip
        return 0
    click.echo(f"snapshot {made.id}\n  repertoire {made.repertoire.sha256}\n"
               f"  works      {made.repertoire.work_count:,}\n"
               f"  mandates   {len(made.parts):,}")  # fmt: skip
    for name, why in taken.left_out:
        click.echo(f"  not in it: {name}: {why}", err=True)
    return 0


@mandate.command("hand-over")
@click.argument("snapshot_id", metavar="SNAPSHOT")
@_out_option
@desk_option
@_json_option
def hand_over_snapshot(snapshot_id: str, out: Path, desk: Path | None, as_json: bool) -> int:
    """Write a snapshot with the mandates it rests on, for a licensee to check."""
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate_handover import hand_over
    from tercet.store.files import write_atomically

    parcel = hand_over(open_desk(desk_folder(desk)), snapshot_id)
    write_atomically(out, json.dumps(parcel, ensure_ascii=False).encode())
    if as_json:
        emit_json({"snapshot": snapshot_id, "mandates": len(parcel["mandates"]), "file": str(out)})
    else:
        click.echo(f"{out}: hand it to the licensee")
    return 0


@mandate.command("take-over")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--confirm", "told_apart", multiple=True, metavar="PARTY",
              help="Another party of a like name, known to be another; repeat.")  # fmt: skip
@desk_option
@_json_option
def take_over_snapshot(file: Path, told_apart: tuple[str, ...], desk: Path | None,
                       as_json: bool) -> int:  # fmt: skip
    """Take in, as a licensee, a snapshot with its mandates; every signature is checked."""
    from tercet.cli.mandate_input import read_parcel
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate_handover import HANDOVER_BYTES_MAX, take_hand_over

    parcel = read_parcel(file, bytes_max=HANDOVER_BYTES_MAX)
    taken = take_hand_over(open_desk(desk_folder(desk)), parcel, told_apart=frozenset(told_apart))
    if as_json:
        emit_json({"snapshot": taken.id, "mandates": len(taken.parts)})
    else:
        click.echo(f"snapshot {taken.id}: {taken.repertoire.work_count:,} works")
    return 0


@mandate.command("tell")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path),
              help="Folder for the messages to send.")  # fmt: skip
@click.option("--sender", required=True, metavar="MAIL", help="Who the messages are from.")
@desk_option
@_json_option
def tell(out: Path, sender: str, desk: Path | None, as_json: bool) -> int:
    """Write a signed notice to each member of what became of their works; each is told once.

    Members whose mandate names a mail address get a message (.eml) for your own mail server.
    """
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate import tell_members, write_notices

    opened = open_desk(desk_folder(desk))
    tell_members(opened)
    written = write_notices(opened, out, sender=sender)
    return _show_notices([(kept, str(path)) for kept, path in written], as_json=as_json)


@mandate.command("lapsed")
@click.argument("snapshot_id", metavar="SNAPSHOT")
@click.option("--on", "day", default="", metavar="DATE", help="The day; else today.")
@_registry_option
@_listed_option
@desk_option
@_json_option
def show_lapsed(snapshot_id: str, **given: Any) -> int:
    """List the works of a snapshot that running agreements no longer cover on a day."""
    from tercet.consent.licences.repertoire import repertoire_bytes
    from tercet.flows.desk import open_desk
    from tercet.flows.mandate import lapsed
    from tercet.store.desk_mandates import Mandates

    desk = open_desk(desk_folder(given["desk"]))
    day = given["day"] or desk.clock()[:10]
    gone = lapsed(desk, Mandates(desk.store).snapshot(snapshot_id), day, _registry(given))
    lines = repertoire_bytes(gone).decode("ascii").splitlines()[1:]
    if given["as_json"]:
        emit_json({"snapshot": snapshot_id, "on": day, "works": lines})
        return 0
    for line in lines:
        click.echo(line)
    click.echo(f"{len(lines):,} works lapsed by {day}", err=True)
    return 0


def party_at(desk: OpenDesk, place: str) -> PartyName:
    """Return who is meant by an id, an address, a desk's folder or a file; keep its documents."""
    from tercet.core.terms import PartyName
    from tercet.flows.desk import add_party, fetch_party

    if place.startswith("urn:tercet:party:"):
        found = desk.store.party_history(place).latest
    else:
        found = add_party(desk, fetch_party(desk, place)).latest
    return PartyName(found.id, found.name)


def _works(path: Path | None) -> Any:
    from tercet.cli.mandate_input import read_works

    return read_works(path) if path else None


def _registry(given: dict[str, Any]) -> Registry | None:
    from tercet.cli.registry_option import registry_folder
    from tercet.store.registry import Registry

    return None if given["no_registry"] else Registry.open(registry_folder(given["registry"]))


def _write_parcel(parcel: dict[str, Any], out: Path, *, as_json: bool) -> int:
    from tercet.store.files import write_atomically

    write_atomically(out, json.dumps(parcel, ensure_ascii=False).encode())
    document = parcel["document"]
    name = document.get("mandate") or document["id"]
    if as_json:
        emit_json({"mandate": name, "type": document["type"], "file": str(out)})
    else:
        click.echo(f"{document['type']} {name}\n  hand {out} to "
                   f"{printable(document['collective']['name'])}")  # fmt: skip
    return 0


def _show_mandates(found: Any, day: str, *, as_json: bool) -> int:
    if as_json:
        emit_json([_mandate_fields(each, day) for each in found])
        return 0
    for each in found:
        made: HeldMandate = each
        works = "all works" if made.mandate.covers_all_works else (
            f"{made.mandate.works.work_count:,} works")  # fmt: skip
        until = f", for running agreements until {made.lapses_on}" if made.lapses_on else ""
        click.echo(f"{made.mandate.id}  {made.state_on(day)}{until}")
        click.echo(f"  {printable(made.mandate.member.name)} to "
                   f"{printable(made.mandate.collective.name)}: {works}, "
                   f"{', '.join(made.mandate.usages)}, "
                   f"{made.mandate.cut_basis_points / 100:g} % kept")  # fmt: skip
    return 0


def _mandate_fields(held: HeldMandate, day: str) -> dict[str, Any]:
    from tercet.consent.licences.mandate import mandate_document

    return mandate_document(held.mandate) | {
        "sha256": held.sha256,
        "state": str(held.state_on(day)),
        "revoked_on": held.revoked_on,
        "lapses_on": held.lapses_on,
    }


def _show_notices(found: list[tuple[KeptNotice, str]], *, as_json: bool) -> int:
    from tercet.consent.licences.notice import notice_document

    if as_json:
        emit_json([notice_document(kept.notice) | {"file": path} for kept, path in found])
        return 0
    for kept, path in found:
        click.echo(f"{kept.notice.kind}  {printable(kept.notice.member.name)}  {path}")
    click.echo(f"{len(found):,} notices", err=True)
    return 0
