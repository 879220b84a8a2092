"""How negotiations look: lists, histories, and what differs between two offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.output import console
from tercet.cli.registry_option import printable
from tercet.consent.licences.negotiation import possible_steps
from tercet.consent.licences.terms_difference import Difference, differences
from tercet.core.money import Money

if TYPE_CHECKING:
    from tercet.consent.licences.negotiation_side import Entry, Negotiation
    from tercet.core.terms import Price
    from tercet.flows.desk import OpenDesk
    from tercet.flows.license import NegotiatedOffer

_COMMANDS = {
    "request": "counter", "offer": "counter", "accept": "accept", "agree": "sign",
    "verify": "sign", "finalize": "sign", "terminate": "terminate",
}  # fmt: skip
_NOTHING = "nothing"


def negotiation_document(negotiation: Negotiation) -> dict[str, Any]:
    """Return a negotiation with its whole history."""
    pending = negotiation.pending
    return {
        "type": "tercet/negotiation@1",
        "negotiation": negotiation.pid,
        "role": str(negotiation.role),
        "peer": negotiation.peer,
        "peer_negotiation": negotiation.peer_pid,
        "peer_address": negotiation.peer_address,
        "state": str(negotiation.state or ""),
        "under_way": str(pending.step) if pending else "",
        "possible": list(_possible(negotiation)),
        "supersedes": negotiation.supersedes,
        "history": [_entry_fields(entry) for entry in negotiation.entries],
    }


def list_document(desk: OpenDesk) -> dict[str, Any]:
    """Return all negotiations and agreements of a desk."""
    return {
        "type": "tercet/negotiations@1",
        "negotiations": [
            {"negotiation": each.pid, "role": str(each.role), "peer": each.peer,
             "state": str(each.state or ""), "under_way": each.pending_step,
             "changed_at": each.changed_at}
            for each in desk.store.negotiations()
        ],
        "agreements": [
            {"agreement": each.id, "assigner": each.assigner, "assignee": each.assignee,
             "repertoire": each.repertoire, "final_at": each.final_at,
             "superseded_by": each.superseded_by,
             "terminated_on": desk.store.terminated_on(each.id)}
            for each in desk.store.agreements()
        ],
    }  # fmt: skip


def offers_document(
    made: Sequence[NegotiatedOffer], pair: tuple[int, int] | None
) -> dict[str, Any]:
    """Return the offers of a negotiation, and what differs between two of them."""
    from tercet.consent.licences.terms_schema import terms_fields

    found = _differences(made, pair) if pair else ()
    return {
        "type": "tercet/negotiated-offers@1",
        "offers": [
            {"number": at, "maker": str(each.maker), "id": each.offer.id,
             "made_at": each.offer.made_at, "valid_until": each.offer.valid_until,
             "terms": terms_fields(each.terms)}
            for at, each in enumerate(made, start=1)
        ],
        "compared": list(pair or ()),
        "differences": [
            {"path": each.path, "before": each.before, "after": each.after} for each in found
        ],
    }  # fmt: skip


def show_list(desk: OpenDesk) -> None:
    """Print all negotiations and agreements."""
    names = {party: each.latest.name for party, each in desk.store.parties().items()}
    for each in desk.store.negotiations():
        name = printable(names.get(each.peer, each.peer))
        state = str(each.state or "not answered").lower()
        under_way = f", {each.pending_step} under way" if each.pending_step else ""
        click.echo(f"{each.pid}  {each.role} with {name}: {state}{under_way}")
    for agreement in desk.store.agreements():
        parties = [printable(names.get(each, each))
                   for each in (agreement.assigner, agreement.assignee)]  # fmt: skip
        end = desk.store.terminated_on(agreement.id)
        state = f", superseded by {agreement.superseded_by}" if agreement.superseded_by else ""
        state += f", ends on {end}" if end else ""
        click.echo(f"agreement {agreement.id}: {' -> '.join(parties)}, "
                   f"since {agreement.final_at}{state}")  # fmt: skip


def show_history(desk: OpenDesk, negotiation: Negotiation) -> None:
    """Print a negotiation with everything that happened in it."""
    for entry in negotiation.entries:
        said = entry.message
        who = "" if said is None else "we" if said.sender is negotiation.role else "they"
        step = "" if said is None else f" {said.step}"
        words = "; ".join(filter(None, (entry.words, *(said.reasons if said else ()))))
        what = "" if entry.happening == "applied" else f" ({entry.happening})"
        state = str(entry.state or "not answered").lower()
        click.echo(f"{entry.at}  {who}{step}{what} -> {state}".replace("  -> ", "  -> ")
                   + (f": {printable(words)}" if words else ""))  # fmt: skip
    show_standing(desk, negotiation, "")


def show_standing(desk: OpenDesk, negotiation: Negotiation, note: str) -> None:
    """Print where a negotiation stands, and what may be done next."""
    known = desk.store.parties().get(negotiation.peer)
    name = printable(known.latest.name) if known else negotiation.peer
    state = str(negotiation.state or "not answered").lower()
    click.echo(f"{negotiation.pid}: {state}, as {negotiation.role} with {name}")
    if note:
        who = "the other side" if negotiation.pending is None else "not delivered"
        click.echo(f"{who}: {printable(note)}", err=True)
    if negotiation.pending is not None:
        click.echo(f"{negotiation.pending.step} is under way: `tercet license deliver` tries again",
                   err=True)  # fmt: skip
    elif possible := _possible(negotiation):
        waits = "the other side, or " if possible == ("terminate",) else ""
        click.echo(f"next: {waits}{', '.join(possible)}", err=True)
    elif not negotiation.is_terminal:
        click.echo("next: the other side", err=True)


def show_offer_list(made: Sequence[NegotiatedOffer]) -> None:
    """Print the offers of a negotiation, one line each."""
    for at, each in enumerate(made, start=1):
        until = each.offer.valid_until[:10]
        click.echo(f"{at}  {each.maker}: {price_text(each.terms.price)}, until {until}")


def show_difference(made: Sequence[NegotiatedOffer], pair: tuple[int, int]) -> None:
    """Print what differs between two offers: field, before, after."""
    from rich.table import Table
    from rich.text import Text

    found = _differences(made, pair)
    if not found:
        click.echo(f"offers {pair[0]} and {pair[1]} say the same")
        return
    table = Table("field", *(f"{at}: {made[at - 1].maker}" for at in pair), box=None)
    prices = [made[at - 1].terms.price for at in pair]
    for each in found:
        before, after = (
            _value_text(each.path, value, price)
            for value, price in zip((each.before, each.after), prices, strict=True)
        )
        name = each.path.removesuffix("_micros").removesuffix("_basis_points")
        if each.added or each.removed:
            before = ", ".join(f"- {value}" for value in each.removed) or before
            after = ", ".join(f"+ {value}" for value in each.added) or after
        table.add_row(name, Text(printable(before), "red"), Text(printable(after), "green"))
    console().print(table)


def price_text(price: Price) -> str:
    """Return a price in one line: every amount that is not 0."""
    amounts = [
        f"{name.removesuffix('_micros').removesuffix('_basis_points').replace('_', ' ')} "
        f"{_value_text(f'price.{name}', getattr(price, name), price)}"
        for name in type(price).__slots__
        if isinstance(getattr(price, name), int) and getattr(price, name)
    ]
    return ", ".join(amounts) or "no price"


def _differences(made: Sequence[NegotiatedOffer], pair: tuple[int, int]) -> tuple[Difference, ...]:
    return differences(made[pair[0] - 1].terms, made[pair[1] - 1].terms)


def _value_text(path: str, value: object, price: Price) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and path.endswith("_micros"):
        return str(Money(price.currency, value)).strip()
    if isinstance(value, int) and path.endswith("_basis_points"):
        return f"{value // 100}.{value % 100:02} %"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _NOTHING
    return str(value) if value not in ("", None) else _NOTHING


def _possible(negotiation: Negotiation) -> tuple[str, ...]:
    if negotiation.pending is not None:
        return ()
    steps = possible_steps(negotiation.state, negotiation.role) if negotiation.state else ()
    return tuple(dict.fromkeys(_COMMANDS[step] for step in steps))


def _entry_fields(entry: Entry) -> dict[str, Any]:
    said = entry.message
    return {
        "at": entry.at,
        "happening": str(entry.happening),
        "state": str(entry.state or ""),
        "step": str(said.step) if said else "",
        "sender": str(said.sender) if said else "",
        "message_id": said.message_id if said else "",
        "code": said.code if said else "",
        "reasons": list(said.reasons) if said else [],
        "words": entry.words,
    }
