"""tercet offer: an owner's terms in the open, signed; and the offers of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tercet.cli.desk_option import desk_folder, desk_option
from tercet.cli.output import emit_json
from tercet.cli.registry_option import printable

if TYPE_CHECKING:
    from tercet.flows.offer_publishing import Published
    from tercet.flows.rate_card import CardOffer
    from tercet.store.registry import Registry, Signing

_DAYS = 90

_registry_option = click.option(
    "--registry", type=click.Path(path_type=Path), help="Folder of the registry."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(short_help="publish your terms, signed, and look at offers")
def offer() -> None:
    """Publish your terms, signed, and look at the offers of a registry."""


@offer.command("publish")
@click.argument("terms", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--site", required=True, help="Your site, such as https://example.org.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for files to upload.")
@click.option("--works", "works_file", type=click.Path(path_type=Path),
              help="List of the works; without it, everything at the site.")  # fmt: skip
@click.option("--work", "works", multiple=True, metavar="KIND:WORK",
              help="A work: url:https://..., sha256:... or site:https://...; repeat.")  # fmt: skip
@click.option("--valid-until", default="", metavar="DATE",
              help=f"Until when you stand by it; else {_DAYS} days.")  # fmt: skip
@click.option("--address", default="", help="Base URL of an API that serves the offer too.")
@click.option("--replaces", default="", metavar="OFFER", help="Id of an offer that it replaces.")
@click.option("--no-search", is_flag=True, help="Do not let search engines go on.")
@click.option("--no-registry", is_flag=True, help="Publish it in no registry.")
@click.option("--confirm", "confirmed", multiple=True, metavar="PARTY",
              help="Id of a party with a name like yours that is another; repeat.")  # fmt: skip
@click.option("--key", type=click.Path(path_type=Path), help="Key that signs in the registry.")
@_registry_option
@desk_option
@_json_option
def publish_offers(**given: Any) -> int:
    """Sign the terms of TERMS (.toml or .json) as offers and publish them.

    They go into your desk and the registry, and with -o into a folder to be uploaded to your
    site: rsl.xml, lines for robots.txt, headers, TDMRep files, the signed offers, a rate card.
    """
    from tercet.flows.desk import open_desk
    from tercet.flows.offer_publishing import PublishRequest, publish

    registry, signing = _registry_of(given, makes=True)
    made = publish(
        PublishRequest(
            desk=open_desk(desk_folder(given["desk"])),
            terms_files=given["terms"],
            site=given["site"],
            valid_until=_time_of(given["valid_until"]),
            works_file=given["works_file"],
            works=given["works"],
            address=given["address"],
            replaces=given["replaces"],
            allows_search=not given["no_search"],
            registry=registry,
            signing=signing,
            confirmed=frozenset(given["confirmed"]),
            out=given["out"],
        )
    )
    if given["as_json"]:
        emit_json(_document(made, given["out"]))
    else:
        _show(made, given["out"])
    return 0


@offer.command("list")
@click.option("--owner", default="", help="A party's id, or part of its name.")
@click.option("--usage", default="", help="Offers that grant this usage.")
@click.option("--modality", default="", help="Offers that take this in: text, image, video...")
@_registry_option
@_json_option
def list_offers(owner: str, usage: str, modality: str, registry: Path | None, as_json: bool) -> int:
    """List the offers in force of a registry."""
    from tercet.cli.registry_option import registry_folder
    from tercet.core.terms import Modality
    from tercet.core.usage import Usage
    from tercet.flows.offer_shelf import OfferShelf
    from tercet.flows.rate_card import card_offers
    from tercet.store.registry import Registry

    _check_choice("usage", usage, [str(each) for each in Usage])
    _check_choice("modality", modality, [str(each) for each in Modality])
    if registry is not None:
        Registry.open(registry)  # one that was named and is not there is no empty one
    shelf = OfferShelf(registry_folder(registry))
    found = shelf.find(owner=owner, usage=usage, modality=modality, limit=10_000).offers
    if as_json:
        emit_json({"type": "tercet/offers@1", "offers": [each.fields() for each in found]})
        return 0
    for card in card_offers(found):
        _show_card(card)
    click.echo(f"{len(found):,} offers" if len(found) != 1 else "1 offer", err=True)
    return 0


@offer.command("withdraw")
@click.argument("offer_id")
@click.option("--reason", default="", help="Why; it stands in the registry's log.")
@click.option("--no-registry", is_flag=True, help="Only in the desk.")
@click.option("--key", type=click.Path(path_type=Path), help="Key that published it.")
@_registry_option
@desk_option
@_json_option
def withdraw_offer(**given: Any) -> int:
    """Take the offer OFFER_ID back. What was agreed to before stays agreed."""
    from tercet.flows.desk import open_desk
    from tercet.flows.offer_publishing import withdraw

    registry, signing = _registry_of(given, makes=False)
    desk = open_desk(desk_folder(given["desk"]))
    withdraw(desk, given["offer_id"], given["reason"], registry, signing)
    if given["as_json"]:
        emit_json({"type": "tercet/offer-withdrawn@1", "id": given["offer_id"]})
    else:
        click.echo(f"{printable(given['offer_id'])} is withdrawn")
    return 0


def _registry_of(given: dict[str, Any], *, makes: bool) -> tuple[Registry | None, Signing | None]:
    from tercet.cli.registry_option import owner_key_path, registry_folder
    from tercet.store.keys import default_key_path, load_or_make_key
    from tercet.store.registry import Registry, Signing

    if given["no_registry"]:
        return None, None
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signing = Signing(load_or_make_key(given["key"] or owner_key_path()), now)
    folder = registry_folder(given["registry"])
    if not makes:
        return Registry.open(folder), signing
    return Registry.make(folder, Signing(load_or_make_key(default_key_path()), now)), signing


def _time_of(text: str) -> str:
    """Return the time until which an offer holds: a date means its begin."""
    from tercet.core.errors import InputError

    if not text:
        later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=_DAYS)
        return later.strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"expected a date such as 2027-06-30, got {text[:40]!r}", hint="see --valid-until"
        ) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_choice(name: str, value: str, known: list[str]) -> None:
    from tercet.core.errors import InputError

    if value and value not in known:
        raise InputError(f"no {name} {value[:40]!r}", hint=f"known are {', '.join(sorted(known))}")


def _document(made: Published, out: Path | None) -> dict[str, Any]:
    return {
        "type": "tercet/offers-published@1",
        "offers": [each.published.fields() for each in made.offers],
        "folder": str(out or ""),
        "files": list(made.names),
        "not_in_rsl": [{"path": each.path, "words": each.words} for each in made.files.unsaid],
    }


def _show(made: Published, out: Path | None) -> None:
    from tercet.flows.rate_card import card_offers

    for card in card_offers(each.published for each in made.offers):
        _show_card(card)
    if out:
        click.echo(f"To upload, in {out}:")
        for name in made.names:
            click.echo(f"  {name}")
        click.echo("robots-lines.txt goes into your robots.txt, headers.txt into your server's "
                   "settings; the rest is served as it is.", err=True)  # fmt: skip
    click.echo(f"{len(made.files.unsaid)} terms have no words in RSL; the signed offer says them "
               "(--json lists them).", err=True)  # fmt: skip


def _show_card(card: CardOffer) -> None:
    prices = ", ".join(f"{amount} {words}" for amount, words in card.prices) or "on request"
    click.echo(f"{card.offer_id}\n  by {printable(card.owner)}, open until {card.valid_until}")
    click.echo(f"  for {', '.join(card.usages)}: {prices}")
    click.echo(f"  {card.term}; {printable(card.territory)}")
