"""tercet license: negotiate a licence, as who wants it or as who grants it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.desk_option import desk_folder, desk_option
from tercet.cli.output import emit_json
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tercet.consent.licences.negotiation_side import Negotiation
    from tercet.core.terms import Terms
    from tercet.flows.desk import OpenDesk

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_local = click.option("--allow-local", is_flag=True, help="Talk to addresses that are not public.")
_later = click.option("--later", is_flag=True, help="Sign it, but do not deliver it yet.")
_pid = click.argument("pid", metavar="NEGOTIATION")
_REASONS = ("mutual", "discontinuation", "surrender")


def _terms_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that say which terms."""
    for option in (
        click.option("--valid-days", default=14, show_default=True, type=click.IntRange(1, 3650),
                     help="How long we stand by it."),
        click.option("--currency", default="", help="Another currency."),
        click.option("--price", "prices", multiple=True, metavar="NAME=AMOUNT",
                     help="Another amount: fixed=350, per_minute=0.80, share=4.5; repeat."),
        click.option("--terms", "terms_file", type=click.Path(path_type=Path),
                     help="File of terms: TOML, or JSON."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("license", short_help="negotiate a licence: ask, counter, accept, sign")
def license() -> None:  # noqa: A001  the command's name
    """Negotiate a licence, as who wants it (consumer) or as who grants it (provider).

    The other side is named by the address of its server or the folder of its desk; a negotiation
    by the first characters of its id.
    """


@license.command("request")
@click.argument("place", metavar="PLACE")
@click.option("--offer", default="", help="Id or file of a published offer to begin from.")
@click.option("--amends", default="", metavar="AGREEMENT", help="Agreement to be superseded.")
@_terms_options
@_later
@desk_option
@_local
@_json
def request_license(place: str, offer: str, amends: str, **given: Any) -> int:
    """Ask the owner at PLACE for a licence on the terms of an offer or a file, or changed ones."""
    from tercet.core.errors import InputError
    from tercet.core.terms import PartyName
    from tercet.flows.license import request
    from tercet.flows.license_places import offer_at, peer_at, terms_in
    from tercet.flows.license_prices import repriced

    desk = _open(given)
    peer = peer_at(desk, place)
    published = offer_at(desk, offer, peer) if offer else None
    if given["terms_file"]:
        name = desk.store.party_history(peer.party).latest.name
        terms = terms_in(given["terms_file"], licensor=PartyName(peer.party, name))
    elif published is not None:
        terms = published.terms
    else:
        raise InputError("expected terms to ask for", hint="give --offer or --terms")
    begun = request(
        desk, peer, repriced(terms, given["prices"], currency=given["currency"]),
        valid_days=given["valid_days"], previous=published.id if published else "",
        supersedes=amends,
    )  # fmt: skip
    return _done(desk, begun, given)


@license.command("offer")
@click.argument("place", metavar="PLACE")
@click.option("--amends", default="", metavar="AGREEMENT", help="Agreement to be superseded.")
@_terms_options
@_later
@desk_option
@_local
@_json
def offer_license(place: str, amends: str, **given: Any) -> int:
    """Offer the studio at PLACE, which has not asked, a licence on the terms of a file."""
    from tercet.core.errors import InputError
    from tercet.core.terms import PartyName
    from tercet.flows.license import offer
    from tercet.flows.license_places import peer_at, terms_in
    from tercet.flows.license_prices import repriced

    desk = _open(given)
    if not given["terms_file"]:
        raise InputError("expected terms to offer", hint="give --terms")
    terms = terms_in(given["terms_file"], licensor=PartyName(desk.party.id, desk.party.name))
    begun = offer(
        desk, peer_at(desk, place), repriced(terms, given["prices"], currency=given["currency"]),
        valid_days=given["valid_days"], supersedes=amends,
    )  # fmt: skip
    return _done(desk, begun, given)


@license.command("offers")
@_pid
@click.option("--between", nargs=2, type=click.IntRange(1), metavar="A B",
              help="Which two to compare; else the last two.")  # fmt: skip
@click.option("--words", type=click.Choice(("en", "vi")),
              help="Say all of the last offer in plain words, to read before signing.")  # fmt: skip
@desk_option
@_json
def show_offers(
    pid: str, between: tuple[int, int] | None, words: str | None, desk: Path | None, as_json: bool
) -> int:
    """List the offers of a negotiation, and show what differs between two of them."""
    from tercet.cli.license_view import offers_document, show_difference, show_offer_list
    from tercet.consent.licences.terms_voice import Language
    from tercet.consent.licences.terms_words import terms_text
    from tercet.flows.license import offers_of

    opened = _open({"desk": desk})
    made = offers_of(opened.store.negotiation(_whole(opened, pid)))
    pair = _pair(len(made), between)
    text = terms_text(made[-1].terms, Language(words)) if words and made else ""
    if as_json:
        emit_json(offers_document(made, pair) | ({"words": text} if text else {}))
        return 0
    if text:
        click.echo(text, nl=False)
        return 0
    show_offer_list(made)
    if pair is not None:
        show_difference(made, pair)
    return 0


@license.command("counter")
@_pid
@_terms_options
@_later
@desk_option
@_local
@_json
def counter_offer(pid: str, **given: Any) -> int:
    """Answer with other terms: those on the table with changed amounts, or those of a file."""
    from dataclasses import replace

    from tercet.core.errors import InputError
    from tercet.flows.license import counter, offers_of
    from tercet.flows.license_places import terms_in
    from tercet.flows.license_prices import repriced

    desk = _open(given)
    whole = _whole(desk, pid)
    made = offers_of(desk.store.negotiation(whole))
    if not made or not (given["terms_file"] or given["prices"] or given["currency"]):
        raise InputError("expected other terms to offer", hint="give --price or --terms")
    terms: Terms = made[-1].terms
    if given["terms_file"]:
        file_terms = terms_in(given["terms_file"], licensor=terms.licensor)
        terms = replace(file_terms, licensee=terms.licensee)
    changed = repriced(terms, given["prices"], currency=given["currency"])
    return _done(desk, counter(desk, whole, changed, valid_days=given["valid_days"]), given)


@license.command("accept")
@_pid
@_later
@desk_option
@_local
@_json
def accept_offer(pid: str, **given: Any) -> int:
    """Take the other side's offer. A provider that does so signs the agreement with it."""
    from tercet.flows.license import accept

    desk = _open(given)
    return _done(desk, accept(desk, _whole(desk, pid)), given)


@license.command("sign")
@_pid
@_later
@desk_option
@_local
@_json
def sign_agreement(pid: str, **given: Any) -> int:
    """Do the signing that is next: the provider's, the consumer's, and the provider's last word.

    A consumer's desk fetches the list of works before it signs, and checks that it is the one
    that the terms name.
    """
    from tercet.flows.license import sign

    desk = _open(given)
    return _done(desk, sign(desk, _whole(desk, pid)), given)


@license.command("terminate")
@click.argument("subject", metavar="NEGOTIATION|AGREEMENT")
@click.option("--reason", "reasons", multiple=True, help="Why, for the other side; repeat.")
@click.option("--code", default="ended", show_default=True, help="A short code for machines.")
@click.option("--agreement", "kind", type=click.Choice(_REASONS),
              help="End an agreement that stands, for this reason.")  # fmt: skip
@click.option("--on", "effective_on", default="", metavar="DATE",
              help="First day without the agreement.")  # fmt: skip
@_later
@desk_option
@_local
@_json
def terminate_negotiation(
    subject: str, reasons: tuple[str, ...], code: str, kind: str | None, effective_on: str,
    **given: Any,
) -> int:  # fmt: skip
    """End a negotiation, or with --agreement sign the end of an agreement.

    The signed end of an agreement is printed, and given to the other side; where that fails (exit
    3), the other side takes it in with `tercet license take`.
    """
    from tercet.consent.licences.termination import TerminationReason
    from tercet.flows.license import end_agreement, terminate
    from tercet.flows.license_delivery import tell_end

    desk = _open(given)
    if kind is None:
        ended = terminate(desk, _whole(desk, subject), code=code, reasons=reasons)
        return _done(desk, ended, given)
    document, has_effect = end_agreement(desk, subject, TerminationReason(kind), effective_on)
    emit_json(document)
    words = "it has effect" if has_effect else "a proposal until the other side signs it too"
    click.echo(words, err=True)
    note = "" if given["later"] else tell_end(desk, document)
    if note:
        click.echo(f"not given to the other side: {printable(note)}", err=True)
    return 3 if note else 0


@license.command("take")
@click.argument("file", type=click.Path(path_type=Path))
@desk_option
@_json
def take_document(file: Path, desk: Path | None, as_json: bool) -> int:
    """Take in a signed document from a file: an agreement, or the end of one."""
    from tercet.flows.license_documents import take_file

    taken = take_file(_open({"desk": desk}), file)
    if as_json:
        emit_json(taken)
    else:
        click.echo(f"{taken['type']} {taken['id']}: {taken['words']}")
    return 0


@license.command("show")
@click.argument("pid", metavar="[NEGOTIATION]", default="")
@click.option("--ask", is_flag=True, help="Ask the other side for its state too.")
@desk_option
@_local
@_json
def show_negotiation(pid: str, ask: bool, **given: Any) -> int:
    """Show a negotiation with its whole history, or list all of them and the agreements."""
    from tercet.cli.license_view import (
        list_document,
        negotiation_document,
        show_history,
        show_list,
    )
    from tercet.flows.license_delivery import ask_state

    desk = _open(given)
    if not pid:
        _either(given, list_document(desk), lambda: show_list(desk))
        return 0
    whole = _whole(desk, pid)
    found = ask_state(desk, whole) if ask else desk.store.negotiation(whole)
    _either(given, negotiation_document(found), lambda: show_history(desk, found))
    return 0


@license.command("deliver")
@click.argument("pid", metavar="[NEGOTIATION]", default="")
@desk_option
@_local
@_json
def deliver_messages(pid: str, **given: Any) -> int:
    """Try again to deliver what is under way; exit 3 where something could not be delivered."""
    from tercet.flows.license_delivery import deliver

    desk = _open(given)
    tried = deliver(desk, pid=_whole(desk, pid) if pid else "")
    if given["as_json"]:
        emit_json([
            {"negotiation": each.negotiation.pid, "step": str(each.message.step),
             "state": str(each.negotiation.state or ""), "is_done": each.is_done,
             "note": each.note}
            for each in tried
        ])  # fmt: skip
    for each in () if given["as_json"] else tried:
        state = str(each.negotiation.state or "not answered").lower()
        words = f": {printable(each.note)}" if each.note else ""
        click.echo(f"{each.negotiation.pid}  {each.message.step}: {state}{words}")
    return 0 if all(each.is_done for each in tried) else 3


@license.command("answer")
@_later
@desk_option
@_local
@_json
def answer_requests(**given: Any) -> int:
    """Answer all requests as a provider, without a person.

    What is at least your reserve is agreed to, the rest is countered with your published offer.
    """
    from tercet.flows.license_answer import answer_all
    from tercet.flows.license_delivery import deliver

    desk = _open(given)
    answered = answer_all(desk)
    if not given["later"]:
        deliver(desk)
    if given["as_json"]:
        emit_json([
            {"negotiation": each.pid, "peer": each.peer, "step": str(each.step or ""),
             "words": each.words}
            for each in answered
        ])  # fmt: skip
    for each in () if given["as_json"] else answered:
        click.echo(f"{each.pid}  {each.step or 'left to you'}: {each.words}".rstrip(": "))
    return 0


def _open(given: dict[str, Any]) -> OpenDesk:
    from tercet.flows.desk import open_desk

    return open_desk(desk_folder(given["desk"]), allow_local=given.get("allow_local", False))


def _whole(desk: OpenDesk, pid: str) -> str:
    from tercet.flows.license_places import negotiation_id

    return negotiation_id(desk, pid)


def _pair(count: int, between: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the numbers, from 1, of the two offers to compare; None where there are not two."""
    from tercet.core.errors import InputError

    if between is None:
        return (count - 1, count) if count > 1 else None
    if max(between) > count:
        raise InputError(f"expected two of {count} offers, got {max(between)}")
    return between


def _either(given: dict[str, Any], document: Any, show: Callable[[], None]) -> None:
    if given["as_json"]:
        emit_json(document)
    else:
        show()


def _done(desk: OpenDesk, negotiation: Negotiation, given: dict[str, Any]) -> int:
    """Deliver a step that was signed, and tell where the negotiation stands.

    Exit 3 where nobody took it yet, 1 where the other side refused it.
    """
    from tercet.cli.license_view import negotiation_document, show_standing
    from tercet.flows.license_delivery import deliver

    tried = () if given["later"] else deliver(desk, pid=negotiation.pid)
    now = desk.store.negotiation(negotiation.pid)
    note = tried[0].note if tried else ""
    _either(given, negotiation_document(now) | {"note": note},
            lambda: show_standing(desk, now, note))  # fmt: skip
    if now.pending is not None and not given["later"]:
        return 3
    refused = tried and tried[0].answer is not None and not tried[0].answer.is_acknowledged
    return 1 if refused else 0
