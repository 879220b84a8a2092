"""tercet letter: an open letter, from its text to its delivery, and what a signature can become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.desk_option import desk_folder, desk_option
from tercet.cli.output import emit_json, progress_bar
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tercet.consent.licences.letter_export import PublicLetter
    from tercet.flows.desk import OpenDesk
    from tercet.flows.letter import Person
    from tercet.store.letters import KeptLetter

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_file_option = click.option("-o", "--out", required=True, type=click.Path(path_type=Path),
                            help="File to write.")  # fmt: skip
_registry_option = click.option(
    "--registry", type=click.Path(path_type=Path), help="Folder of the registry."
)
_VISIBILITY = click.Choice(["named", "counted", "hidden"])


def _person_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who signs: these options are the same however a signature is verified."""
    for option in (
        click.option("--visibility", type=_VISIBILITY, default="counted", show_default=True,
                     help="What others see: your name, a count, or a part of the total."),
        click.option("--country", default="", metavar="CODE", help="Such as VN."),
        click.option("--profession", default="", help="What you do."),
        click.option("--name", required=True, help="Your name."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(short_help="write, sign, verify and hand over open letters")
def letter() -> None:
    """Write an open letter, gather verified signatures, and hand it over."""


@letter.command("write")
@click.argument("text_file", metavar="TEXT", type=click.Path(path_type=Path))
@click.option("--title", required=True, help="The letter's title.")
@click.option("--language", default="en", show_default=True, help="Of the text: en, vi...")
@click.option("--closes-on", default="", metavar="DATE", help="First day nobody can sign.")
@click.option("--propose-to", default="", metavar="PARTY",
              help="Propose a mandate for it: id, address, folder or file.")  # fmt: skip
@click.option("--usage", "usages", multiple=True, help="With --propose-to: a usage; repeat.")
@click.option("--cut", default="0", metavar="PERCENT", help="With --propose-to: what it keeps.")
@click.option("--notice", "notice_days", default=90, help="With --propose-to: days.")
@_file_option
@desk_option
@_json_option
def write(text_file: Path, **given: Any) -> int:
    """Sign the letter in TEXT (a text file in UTF-8) and keep it; -o gets the signed document."""
    from tercet.cli.mandate_input import read_file
    from tercet.consent.licences.letter import TEXT_CHARACTERS_MAX
    from tercet.core.errors import InputError
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import write_letter

    desk = open_desk(desk_folder(given["desk"]))
    try:
        text = read_file(text_file, TEXT_CHARACTERS_MAX * 4).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"expected UTF-8 in {text_file}, got other bytes") from error
    kept = write_letter(
        desk,
        title=given["title"],
        text=text,
        language=given["language"],
        closes_on=given["closes_on"],
        proposal=_proposal(desk, given),
    )
    _write(given["out"], json.dumps(kept.document, ensure_ascii=False).encode())
    return _show_letter(kept, as_json=given["as_json"])


@letter.command("list")
@desk_option
@_json_option
def list_letters(desk: Path | None, as_json: bool) -> int:
    """List the letters of a desk with their counts."""
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import letters_of, public

    opened = open_desk(desk_folder(desk))
    found = [public(opened, kept) for kept in letters_of(opened).all()]
    if as_json:
        emit_json([_counts(each) for each in found])
        return 0
    for each in found:
        count = f"{each.counts.verified:,} verified, {each.counts.unverified:,} not"
        click.echo(f"{each.sha256[:16]}  {printable(each.letter.title)}: {count}")
    return 0


@letter.command("sign")
@click.argument("letter_hash", metavar="HASH")
@_person_options
@click.option("--domain", default="", metavar="HOST", help="A host that carries your key.")
@_file_option
@desk_option
@_json_option
def sign(letter_hash: str, domain: str, out: Path, desk: Path | None, as_json: bool,
         **who: Any) -> int:  # fmt: skip
    """Sign a letter by its HASH with the key of your desk; hand -o to the letter's keeper."""
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import sign_by_key

    parcel = sign_by_key(open_desk(desk_folder(desk)), letter_hash, _person(who), domain)
    _write(out, json.dumps(parcel, ensure_ascii=False).encode())
    return _said({"signature": parcel["document"]["id"], "file": str(out)}, as_json=as_json)


@letter.command("receive")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--collective",
    "collectives",
    multiple=True,
    metavar="ID",
    help="The party whose vouch counts; repeat.",
)
@desk_option
@_json_option
def receive(
    files: tuple[Path, ...], collectives: tuple[str, ...], desk: Path | None, as_json: bool
) -> int:
    """Take in signatures, withdrawals and vouches from the files that were handed over."""
    from tercet.cli.mandate_input import read_parcel
    from tercet.consent.licences.vouch import VOUCH_BYTES_MAX, VOUCH_TYPE
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import take_signing, take_vouch

    opened = open_desk(desk_folder(desk))
    taken: list[dict[str, Any]] = []
    for path in files:
        parcel = read_parcel(path, bytes_max=VOUCH_BYTES_MAX)
        document = parcel.get("document")
        if isinstance(document, dict) and document.get("type") == VOUCH_TYPE:
            count = take_vouch(opened, parcel, collectives)
            taken.append({"file": str(path), "verified": count})
        else:
            taken.append({"file": str(path), "signature": take_signing(opened, parcel)})
    if as_json:
        emit_json(taken)
    for each in () if as_json else taken:
        click.echo("  ".join(str(value) for value in each.values()))
    return 0


@letter.command("invite")
@click.argument("name_of_letter", metavar="LETTER")
@_person_options
@click.option("--email", required=True, help="Where the link is sent.")
@click.option("--sender", required=True, metavar="MAIL", help="Who the message is from.")
@click.option("--base-url", required=True, help="Address of the server that the link leads to.")
@_file_option
@desk_option
@_json_option
def invite(name_of_letter: str, email: str, sender: str, base_url: str, out: Path,
           desk: Path | None, as_json: bool, **who: Any) -> int:  # fmt: skip
    """Keep a signature by e-mail address; -o gets the message (.eml) with its link to send."""
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import MailOptions, letters_of, sign_by_email

    opened = open_desk(desk_folder(desk))
    kept = letters_of(opened).letter(name_of_letter)
    mail = MailOptions(sender, base_url)
    signature, message = sign_by_email(opened, kept, _person(who), email, mail)
    _write(out, bytes(message))
    return _said({"signature": signature.id, "file": str(out)}, as_json=as_json)


@letter.command("sender")
@click.argument("sender", metavar="MAIL")
@desk_option
@_json_option
def set_sender(sender: str, desk: Path | None, as_json: bool) -> int:
    """Let visitors of `tercet serve` sign by e-mail, with messages from MAIL; "-" ends it.

    The server writes the messages into the desk's folder `mail`: your own mail server sends them.
    """
    from tercet.consent.licences.mandate import MAIL
    from tercet.core.errors import InputError
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import letters_of

    if sender != "-" and not MAIL.fullmatch(sender):
        raise InputError(f"expected a mail address, got {sender[:80]!r}")
    letters_of(open_desk(desk_folder(desk))).set_sender("" if sender == "-" else sender)
    return _said({"sender": sender}, as_json=as_json)


@letter.command("confirm")
@click.argument("token")
@desk_option
@_json_option
def confirm_link(token: str, desk: Path | None, as_json: bool) -> int:
    """Use the TOKEN of a link that was sent by mail: its signature is verified by it."""
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import confirm

    signature_id = confirm(open_desk(desk_folder(desk)), token)
    return _said({"signature": signature_id, "verified_by": "e-mail"}, as_json=as_json)


@letter.command("identify")
@click.argument("name_of_letter", metavar="LETTER")
@_person_options
@click.option("--token", "token_file", required=True, type=click.Path(path_type=Path),
              help="File with the ID token.")  # fmt: skip
@click.option("--keys", "keys_file", required=True, type=click.Path(path_type=Path),
              help="File with the issuer's keys (JWKS).")  # fmt: skip
@click.option("--issuer", required=True, help="The issuer you trust, such as https://id.example.")
@click.option("--audience", required=True, help="Your client id there.")
@desk_option
@_json_option
def identify(name_of_letter: str, desk: Path | None, as_json: bool, **given: Any) -> int:
    """Keep a signature by an OIDC identity whose nonce is the letter's hash."""
    from tercet.cli.mandate_input import read_file
    from tercet.consent.licences.identity_token import KEY_SET_BYTES_MAX, TOKEN_CHARACTERS_MAX
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import letters_of, sign_by_identity

    opened = open_desk(desk_folder(desk))
    signature = sign_by_identity(
        opened,
        letters_of(opened).letter(name_of_letter),
        _person(given),
        token=read_file(given["token_file"], TOKEN_CHARACTERS_MAX)
        .decode("utf-8", "replace")
        .strip(),
        key_set=read_file(given["keys_file"], KEY_SET_BYTES_MAX),
        issuer=given["issuer"],
        audience=given["audience"],
    )
    return _said({"signature": signature.id, "verified_by": "oidc"}, as_json=as_json)


@letter.command("vouch")
@click.argument("letter_hash", metavar="HASH")
@click.argument("people_file", metavar="PEOPLE", type=click.Path(path_type=Path))
@_file_option
@desk_option
@_json_option
def vouch(letter_hash: str, people_file: Path, out: Path, desk: Path | None, as_json: bool) -> int:
    """Sign, as a collective, that the PEOPLE of a CSV file sign a letter; hand -o to its keeper.

    Columns: name, profession, country, visibility (named, counted or hidden), and id for
    somebody whose signature the keeper has already.
    """
    from tercet.cli.letter_people import read_people
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import vouch_for

    opened = open_desk(desk_folder(desk))
    people = read_people(people_file, letter_hash, opened)
    parcel = vouch_for(opened, letter_hash, people)
    _write(out, json.dumps(parcel, ensure_ascii=False).encode())
    return _said({"people": len(people), "file": str(out)}, as_json=as_json)


@letter.command("check")
@click.argument("name_of_letter", metavar="LETTER")
@click.option("--contact", default="", help="Ask the hosts named; URL or mail address of who asks.")
@click.option("--resolve", "overrides", multiple=True, metavar="HOST=ADDRESS[:PORT]",
              help="Connect there for HOST; can be repeated.")  # fmt: skip
@click.option("--allow-private", is_flag=True, help="Ask also hosts of a private network.")
@_registry_option
@desk_option
@_json_option
def check(name_of_letter: str, contact: str, overrides: tuple[str, ...], allow_private: bool,
          registry: Path | None, desk: Path | None, as_json: bool) -> int:  # fmt: skip
    """Verify signatories by their catalogues in a registry and, with --contact, by their hosts."""
    from tercet.cli.registry_option import registry_folder
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import check_catalogues, check_hosts, letters_of
    from tercet.flows.letter_hosts import asking
    from tercet.store.registry import Registry

    opened = open_desk(desk_folder(desk))
    kept = letters_of(opened).letter(name_of_letter)
    folder = registry_folder(registry)
    catalogues = 0
    if registry or folder.exists():
        catalogues = check_catalogues(opened, kept, Registry.open(folder))
    hosts = []
    if contact:
        pairs = tuple((host, place) for host, _, place in (o.partition("=") for o in overrides))
        hosts = check_hosts(opened, kept, asking(contact, pairs, allow_private=allow_private))
    if as_json:
        emit_json({"catalogues": catalogues, "hosts": [
            {"signature": one, "host": host, "state": str(state)} for one, host, state in hosts
        ]})  # fmt: skip
    else:
        click.echo(f"{catalogues:,} verified by a registered catalogue")
        for one, host, state in hosts:
            words = "not reached, nothing is known" if state == "asked" else state
            click.echo(f"{host} for {one}: {words}")
    return 3 if any(state == "asked" for _, _, state in hosts) else 0


@letter.command("withdraw")
@click.argument("signature_id", metavar="SIGNATURE")
@desk_option
@_json_option
def withdraw(signature_id: str, desk: Path | None, as_json: bool) -> int:
    """Take a signature back at the wish of who made it, and erase who it was."""
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import withdraw as take_back

    take_back(open_desk(desk_folder(desk)), signature_id)
    return _said({"signature": signature_id, "state": "withdrawn"}, as_json=as_json)


@letter.command("export")
@click.argument("name_of_letter", metavar="LETTER")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path),
              help="letter.json (signed), letter.html or letter.pdf.")  # fmt: skip
@click.option("--font", type=click.Path(path_type=Path), help="A TrueType font for PDF.")
@desk_option
@_json_option
def export(name_of_letter: str, out: Path, font: Path | None, desk: Path | None,
           as_json: bool) -> int:  # fmt: skip
    """Write a letter with its counts and named signatories, for delivery."""
    from tercet.core.errors import InputError
    from tercet.flows.desk import open_desk
    from tercet.flows.letter import letters_of, public, signed_export

    opened = open_desk(desk_folder(desk))
    shown = public(opened, letters_of(opened).letter(name_of_letter))
    match out.suffix.lower():
        case ".json":
            _write(out, json.dumps(signed_export(opened, shown), ensure_ascii=False).encode())
        case ".html":
            from tercet.flows.letter_page import letter_page

            _write(out, letter_page(shown).encode())
        case ".pdf":
            from tercet.flows.letter_print import letter_pdf

            _write(out, letter_pdf(shown, font))
        case _:
            raise InputError(f"expected a file .json, .html or .pdf, got {out.name[:80]!r}")
    return _said(_counts(shown) | {"file": str(out)}, as_json=as_json)


@letter.command("verify")
@click.argument("export_file", metavar="FILE", type=click.Path(path_type=Path))
@_json_option
def verify(export_file: Path, as_json: bool) -> int:
    """Check a signed export: both signatures, the letter's hash, and that its figures agree."""
    from tercet.cli.mandate_input import read_parcel
    from tercet.consent.licences.letter_export import EXPORT_BYTES_MAX
    from tercet.flows.desk import now_text
    from tercet.flows.letter import check_export

    document = read_parcel(export_file, bytes_max=EXPORT_BYTES_MAX)
    found = check_export(document, now_text())
    return _said(_counts(found) | {
        "signed_by": found.keeper.id, "letter_by": found.letter.initiator.id,
    }, as_json=as_json)  # fmt: skip


@letter.command("mandate")
@click.argument("letter_file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--contact", default="", metavar="MAIL", help="Where you are told of licences.")
@_file_option
@desk_option
@_json_option
def to_mandate(letter_file: Path, contact: str, out: Path, desk: Path | None,
               as_json: bool) -> int:  # fmt: skip
    """Give the mandate that a letter proposes, over all works you have registered.

    FILE is the letter, or a signed export of it.
    """
    from tercet.cli.mandate_input import read_parcel
    from tercet.consent.licences.letter_export import EXPORT_BYTES_MAX
    from tercet.flows.desk import open_desk
    from tercet.flows.letter_steps import mandate_from_letter

    document = read_parcel(letter_file, bytes_max=EXPORT_BYTES_MAX)
    parcel = mandate_from_letter(open_desk(desk_folder(desk)), document, contact=contact)
    _write(out, json.dumps(parcel, ensure_ascii=False).encode())
    return _said({"mandate": parcel["document"]["id"], "file": str(out)}, as_json=as_json)


@letter.command("reserve")
@_registry_option
@click.option("--key", type=click.Path(path_type=Path), help="The key that registered the works.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@_json_option
def reserve(registry: Path | None, key: Path | None, dry_run: bool, as_json: bool) -> int:
    """Reserve every usage of every work you have registered, by signed amendments."""
    from dataclasses import asdict

    from tercet.cli.registry_option import owner_key_path, registry_folder
    from tercet.flows.desk import now_text
    from tercet.flows.reserve import reserve_all
    from tercet.store.keys import load_or_make_key
    from tercet.store.registry import Registry, Signing

    found = Registry.open(registry_folder(registry))
    signing = Signing(load_or_make_key(key or owner_key_path()), now_text())
    with progress_bar(quiet=as_json) as progress:
        done = reserve_all(found, signing, dry_run=dry_run, progress=progress)
    if as_json:
        emit_json(asdict(done) | {"dry_run": dry_run})
    else:
        click.echo(f"{'would reserve' if dry_run else 'reserved'} {len(done.amended):,}, "
                   f"reserved before {len(done.unchanged):,}")  # fmt: skip
        if done.opened:
            click.echo(f"allowed or offered something until now: {len(done.opened):,}")
        for number in done.kept:
            click.echo(f"work {number} is as it was: see `tercet registry show {number}`", err=True)
    return 1 if done.kept else 0


def _proposal(desk: OpenDesk, given: dict[str, Any]) -> Any:
    from tercet.cli.mandate import party_at
    from tercet.cli.mandate_input import basis_points, usages_of
    from tercet.consent.licences.letter import Proposal

    if not given["propose_to"]:
        return None
    return Proposal(
        collective=party_at(desk, given["propose_to"]),
        usages=tuple(sorted(set(usages_of(given["usages"])))),
        cut_basis_points=basis_points(given["cut"]),
        notice_days=given["notice_days"],
    )


def _person(who: dict[str, Any]) -> Person:
    from tercet.consent.licences.letter import Visibility
    from tercet.flows.letter import Person

    return Person(who["name"], who["profession"], who["country"], Visibility(who["visibility"]))


def _write(out: Path, raw: bytes) -> None:
    from tercet.store.files import write_atomically

    write_atomically(out, raw)


def _show_letter(kept: KeptLetter, *, as_json: bool) -> int:
    if as_json:
        emit_json({"letter": kept.letter.id, "sha256": kept.sha256})
    else:
        click.echo(f"{printable(kept.letter.title)}\n  hash {kept.sha256}")
    return 0


def _counts(public: PublicLetter) -> dict[str, Any]:
    from dataclasses import asdict

    return {"letter": public.letter.id, "sha256": public.sha256, "title": public.letter.title,
            "counts": asdict(public.counts)}  # fmt: skip


def _said(fields: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        emit_json(fields)
        return 0
    for name, value in fields.items():
        if isinstance(value, dict):
            for inner in ("verified", "unverified", "withdrawn", "named"):
                click.echo(f"{inner:12}{value[inner]:,}")
        else:
            click.echo(f"{name:12}{printable(str(value))}")
    return 0
