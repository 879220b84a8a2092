"""Terms read from RSL 1.0: the usages, places and the price that it says; the rest is listed.

Whatever limits a licence in a way that terms cannot say (kinds of users, unknown places, a price
without an amount) takes the grant with it: what was not understood is not granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tercet.consent.licences.dues import Unit
from tercet.consent.licences.rsl_terms_export import PAYMENT_OF_AMOUNT
from tercet.consent.licences.unsaid import FormatError, Imported, Unsaid
from tercet.consent.signals.rsl_document import Classes, Content, License, Payment, read_document
from tercet.consent.signals.rsl_terms import price_of, rule
from tercet.consent.xml_tree import parse_xml
from tercet.core.currencies import CURRENCIES
from tercet.core.terms import (
    WORLD,
    Grant,
    PartyName,
    Price,
    RepertoireName,
    Terms,
    Territory,
)
from tercet.core.territories import TERRITORIES
from tercet.core.usage import Permission, Usage

_AMOUNT_OF_UNIT = {
    "minute": "per_minute_micros",
    "token": "per_token_micros",
    "output_second": "per_output_second_micros",
}
_AMOUNT_OF_PAYMENT = {kind: name for name, kind in PAYMENT_OF_AMOUNT.items()}
_AMOUNT_OF_UNIT = {
    Unit.FIXED: "fixed_micros",
    Unit.WORK: "per_work_micros",
    Unit.MINUTE: "per_minute_micros",
    Unit.TOKEN: "per_token_micros",
    Unit.GENERATION: "per_generation_micros",
    Unit.OUTPUT_SECOND: "per_output_second_micros",
}
"""What amounts are paid for in our extension of RSL (see rsl_document.PRICE_NAMESPACE)."""

EUROPEAN_UNION = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
"""Member states on 2026-11-22: RSL takes ``EU`` for a place, ISO 3166-1 does not."""


@dataclass(slots=True)
class _Notes:
    """What is listed, and whether something was found that takes the grant away."""

    unsaid: list[Unsaid] = field(default_factory=list)
    is_understood: bool = True

    def note(self, path: str, words: str) -> None:
        self.unsaid.append(Unsaid(path, words))

    def refuse(self, path: str, words: str) -> None:
        self.note(path, f"{words}; nothing is granted therefore")
        self.is_understood = False


def terms_of_rsl(
    raw: bytes, licensor: PartyName, repertoire: RepertoireName, *, number: int = 1
) -> Imported:
    """Return the terms of the ``number``-th license of an RSL document (from 1).

    Alike licenses count once. RSL knows neither our ids nor digests of lists, so ``licensor`` and
    ``repertoire`` are given. Raises FormatError for a document that is not conformant.
    """
    found = list(_licenses(raw))
    if not 1 <= number <= len(found):
        raise FormatError(f"expected a license from 1 to {len(found)}, got {number}")
    content, license_ = found[number - 1]
    notes = _Notes()
    if len(found) > 1:
        notes.note("license", f"{len(found) - 1} other licenses of the document are not read")
    _note_conditions(content, license_, notes)
    territory = _territory(license_.places, notes)
    price = _price(license_, notes)
    ruled = rule(Content(content.url, content.line, (license_,)))
    granting = {Permission.ALLOW, Permission.CONDITIONAL}
    usages = tuple(
        usage for usage in Usage if usage in ruled and ruled[usage].permission in granting
    )
    grant = Grant(usages=usages if notes.is_understood else (), territory=territory)
    return Imported(Terms(licensor, repertoire, grant=grant, price=price), tuple(notes.unsaid))


def _licenses(raw: bytes) -> Iterator[tuple[Content, License]]:
    tree = parse_xml(raw)
    document = read_document(tree.root) if tree.root is not None else None
    faults = [tree.fault, *(document.faults if document else ("no RSL terms in this document",))]
    if fault := next(filter(None, faults), ""):
        raise FormatError(f"expected a conformant RSL 1.0 document, got one with: {fault}")
    seen: list[License] = []
    for content in document.contents if document else ():
        for license_ in content.licenses:
            bare = _without_line(license_)
            if bare not in seen:
                seen.append(bare)
                yield content, license_


def _without_line(license_: License) -> License:
    return License(
        0, license_.permits, license_.prohibits, license_.users, license_.places,
        license_.payments, license_.reporting, license_.facts,
    )  # fmt: skip


def _note_conditions(content: Content, license_: License, notes: _Notes) -> None:
    if license_.users != Classes():
        notes.refuse("license.user", "terms know fields of use, not kinds of users")
    for endpoint, words in license_.reporting:
        notes.refuse("license.reporting", f"reports in the form of {endpoint or words}")
    if content.server or content.encrypted:
        notes.refuse("content.server", f"a token of the server {content.server} is needed first")
    for name, value in license_.facts:
        notes.note(f"license.{name}", f"a legal statement, not taken over: {value}")
    for name, value in content.facts:
        if name not in ("server", "encrypted"):
            notes.note(f"content.{name}", f"not taken over: {value}")


def _territory(places: Classes, notes: _Notes) -> Territory:
    exclude = _countries(places.prohibits, notes, is_permitted=False)
    if places.permits is None:
        return Territory((WORLD,), exclude)
    include = _countries(places.permits, notes, is_permitted=True)
    return Territory(include, exclude if include else ())


def _countries(codes: tuple[str, ...], notes: _Notes, *, is_permitted: bool) -> tuple[str, ...]:
    known: dict[str, None] = {}
    for code in codes:
        if code == "EU":
            known |= dict.fromkeys(EUROPEAN_UNION)
            notes.note("license.geo", f"EU is taken for its {len(EUROPEAN_UNION)} member states")
        elif code in TERRITORIES:
            known[code] = None
        elif is_permitted:
            notes.note("license.geo", f"{code} is no country of ISO 3166-1; left out")
        else:
            notes.refuse("license.geo", f"{code}, which is prohibited, is no country of ISO 3166-1")
    return tuple(known)


def _price(license_: License, notes: _Notes) -> Price:
    payment = license_.payments[0] if license_.payments else Payment()
    for name, url in (("standard", payment.standard), ("custom", payment.custom)):
        if url:
            notes.note(f"payment.{name}", f"the licence itself is to be had at {url}")
    if payment.accepts:
        notes.note("payment.accepts", f"how to pay, not taken over: {payment.accepts}")
    amount, money = _amount_field(payment), price_of(payment)
    if payment.unit:  # our own extension: see offer_files
        amount = _AMOUNT_OF_UNIT.get(payment.unit)
    if payment.type in ("", "free") and not payment.amount:
        return Price()
    if amount and money and money.currency in CURRENCIES and money.amount_micros > 0:
        if payment.type == "purchase" and not payment.unit:
            notes.note("payment", "purchase is taken for one fee for all works together")
        named: dict[str, Any] = {amount: money.amount_micros}
        return Price(money.currency, **named)
    stated = f"{payment.amount} {payment.currency}".strip() or "no amount"
    notes.refuse("payment", f"something is due that terms cannot say: {payment.type}, {stated}")
    return Price()


def _amount_field(payment: Payment) -> str | None:
    """Return the field of a price that the stated amount belongs to, None if there is none."""
    if not payment.unit:
        return _AMOUNT_OF_PAYMENT.get(payment.type)
    return _AMOUNT_OF_UNIT.get(Unit(payment.unit)) if payment.unit in set(Unit) else None
