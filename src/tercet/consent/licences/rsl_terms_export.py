"""Terms as RSL 1.0: what is permitted where, for how much, and where the whole terms stand.

RSL says usages, places, one price and one address. So a licence of ours always hangs on ``custom``,
the address of the signed offer (else the terms' own digest): nobody may do anything on the word
of the RSL file alone, and the offer's limits hold. Where RSL's words are wider than the terms, or
missing, that is listed.

Source: RSL-SPEC-1.0 sections 3.3 to 3.14 with errata up to 2026-08-07.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from tercet.consent.licences.terms_schema import terms_fields
from tercet.consent.licences.unsaid import FormatError, Unsaid, unsaid_of
from tercet.consent.signals.rsl_document import NAMESPACE, USAGE_WORDS
from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.core.money import Money
from tercet.core.terms import WORLD, Price, Terms
from tercet.core.usage import ALL_USAGES, TRAINING, Usage

PAYMENT_OF_AMOUNT = {
    "fixed_micros": "purchase",  # once
    "per_work_micros": "training",  # for an asset, each time a model is trained with it
    "per_generation_micros": "use",  # each time an output is made with it
}
"""The amounts that RSL has a payment type for (section 3.7)."""

_AMOUNTS = (
    "fixed_micros", "per_minute_micros", "per_work_micros", "per_token_micros",
    "per_generation_micros", "per_output_second_micros", "share_basis_points", "guarantee_micros",
    "advance_micros", "cap_micros", "floor_micros",
)  # fmt: skip
_WORDS = ("ai-train", "ai-input", "ai-index", "search")  # from the narrowest words of all
_IN_OFFER = "RSL has no word for it; it stands in the offer"
_BINDING = {
    "licensor.id": f"the party's id: {_IN_OFFER}",
    "repertoire.sha256": "RSL names works by address, not by the digest of a list",
    "repertoire.work_count": f"how many works are meant: {_IN_OFFER}",
    "grant.purposes": f"what training or input is for: {_IN_OFFER}",
    "grant.modalities_in": f"what goes into a model: {_IN_OFFER}",
    "grant.modalities_out": f"what comes out of it: {_IN_OFFER}",
    "grant.fields_of_use": "RSL tells kinds of users apart, not fields of use; they stand in the "
    "offer",
    "grant.models": f"which models and versions: {_IN_OFFER}",
    "grant.period": f"from when to when, and what happens after: {_IN_OFFER}",
    "retention": f"how long copies are kept and when they are deleted: {_IN_OFFER}",
    "guards": f"what outputs must not do: {_IN_OFFER}",
    "attribution": f"how credit is measured: {_IN_OFFER}",
    "reporting": f"what is reported when: {_IN_OFFER}",
    "audit": f"the right to audit: {_IN_OFFER}",
    "wind_down": f"what happens when a service is given up: {_IN_OFFER}",
    "law.steps": f"the steps before a court: {_IN_OFFER}",
}
_OPTIONAL = {
    "repertoire.exclusions": f"works that are not meant: {_IN_OFFER}",
    "licensee": f"for whom the licence is: {_IN_OFFER}",
    "mandate": f"the mandate: {_IN_OFFER}",
    "grant.exclusivity": f"exclusivity: {_IN_OFFER}",
    "grant.sublicence": f"passing the licence on: {_IN_OFFER}",
    "grant.sublicensees": f"to whom it may be passed on: {_IN_OFFER}",
    "most_favoured": f"equal treatment: {_IN_OFFER}",
    "late_interest_basis_points": f"interest for late payments: {_IN_OFFER}",
    "grosses_up": f"who bears withheld taxes: {_IN_OFFER}",
    "law.governing": f"the law: {_IN_OFFER}",
    "law.forum": f"the courts: {_IN_OFFER}",
    "notes": f"the notes: {_IN_OFFER}",
}


def rsl_of(terms: Terms, patterns: Sequence[str], offer_url: str = "") -> str:
    """Return an RSL document in which ``terms`` hold for each of ``patterns`` (``content@url``).

    ``offer_url`` is where the signed offer stands. Raises FormatError without a pattern: a file
    that names no works would be for none, or be taken for all.
    """
    if not patterns:
        raise FormatError(
            "expected the paths or URLs that the terms are about, got none",
            hint="RSL names works by address: give --content /films/ for each of them",
        )
    license_xml = rsl_license(terms, offer_url)
    holder = terms.licensor.name
    owner = f"\n    <copyright>{escape(holder)}</copyright>" if holder else ""
    contents = "\n".join(
        f"  <content url={quoteattr(pattern)}>\n{license_xml}{owner}\n  </content>"
        for pattern in patterns
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rsl xmlns="{NAMESPACE}">\n{contents}\n</rsl>\n'
    )


def rsl_license(terms: Terms, offer_url: str = "") -> str:
    """Return the ``license`` element for ``terms``, indented to stand in a ``content``.

    Terms that grant nothing RSL has a word for, or that hold in no country, prohibit everything.
    """
    words, territory = rsl_usage_words(terms.grant.usages), terms.grant.territory
    lines = ['<prohibits type="usage">all</prohibits>']
    if _is_offered(terms):
        lines = [f'<permits type="usage">{" ".join(words)}</permits>']
        if WORLD not in territory.include:
            lines.append(f'<permits type="geo">{" ".join(territory.include)}</permits>')
        if territory.exclude:
            lines.append(f'<prohibits type="geo">{" ".join(territory.exclude)}</prohibits>')
        lines.append(_payment(terms, offer_url))
    inner = "\n".join(f"      {line}" for line in lines)
    return f"    <license>\n{inner}\n    </license>"


def rsl_unsaid(terms: Terms) -> tuple[Unsaid, ...]:
    """Return what ``terms`` say and RSL cannot, or can only say more widely."""
    return (*_usages_unsaid(terms), *_price_unsaid(terms), *unsaid_of(terms, _BINDING, _OPTIONAL))


def rsl_usage_words(usages: Iterable[Usage]) -> tuple[str, ...]:
    """Return RSL's words for usages (section 3.4.1.1), those of either training taken for both."""
    granted = frozenset(usages)
    if granted == ALL_USAGES:
        return ("all",)
    return tuple(word for word in _WORDS if granted & USAGE_WORDS[word])


def terms_urn(terms: Terms) -> str:
    """Return a name for exactly these terms: the SHA-256 of their canonical JSON."""
    return f"urn:tercet:terms:{sha256_hex(canonical_json(terms_fields(terms)))}"


def payable(price: Price) -> tuple[str, ...]:
    """Return the fields of a price that ask for something."""
    return tuple(name for name in _AMOUNTS if getattr(price, name))


def _is_offered(terms: Terms) -> bool:
    return bool(rsl_usage_words(terms.grant.usages) and terms.grant.territory.include)


def _payment(terms: Terms, offer_url: str) -> str:
    due = payable(terms.price)
    kind, amount = _payment_type(terms), ""
    if len(due) == 1 and PAYMENT_OF_AMOUNT.get(due[0]) == kind:
        money = Money(terms.price.currency, getattr(terms.price, due[0]))
        decimal = str(money).rpartition(" ")[2]
        amount = f"<amount currency={quoteattr(terms.price.currency)}>{decimal}</amount>"
    custom = f"<custom>{escape(offer_url or terms_urn(terms))}</custom>"
    return f'<payment type="{kind}">{custom}{amount}</payment>'


def _payment_type(terms: Terms) -> str:
    due = payable(terms.price)
    if not due:
        return "free"
    trains = bool(TRAINING.intersection(terms.grant.usages))
    kind = PAYMENT_OF_AMOUNT.get(due[0], "") if len(due) == 1 else ""
    if kind == "training" and not trains:
        kind = ""
    return kind or ("training" if trains else "use")


def _usages_unsaid(terms: Terms) -> Iterable[Unsaid]:
    granted = frozenset(terms.grant.usages)
    if not _is_offered(terms):
        words = "the terms grant nothing that RSL has a word for: everything is prohibited instead"
        yield from (Unsaid("grant.usages", words), Unsaid("grant.territory", words))
        return
    if granted & TRAINING and not granted >= TRAINING:
        only = min(granted & TRAINING)
        words = f"RSL has one word for training of both kinds; that only {only} is granted stands "
        yield Unsaid("grant.usages", f"{words}in the offer")
    if Usage.MINE in granted and granted != ALL_USAGES:
        yield Unsaid("grant.usages", "RSL names mining only together with all other usages; left "
                     "out")  # fmt: skip


def _price_unsaid(terms: Terms) -> Iterable[Unsaid]:
    due = payable(terms.price)
    is_one = len(due) == 1 and PAYMENT_OF_AMOUNT.get(due[0]) == _payment_type(terms)
    if is_one and _is_offered(terms):
        return
    for name in due:
        yield Unsaid(
            f"price.{name}", "RSL has one amount of one kind; this one stands in the offer"
        )
    for name in ("base", "deductions") if terms.price.share_basis_points else ():
        if getattr(terms.price, name):
            yield Unsaid(f"price.{name}", f"what revenue is shared: {_IN_OFFER}")
    if terms.price.currency:
        yield Unsaid("price.currency", "RSL names a currency only beside an amount")
