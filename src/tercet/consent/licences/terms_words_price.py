"""What is paid, in plain words: each amount that is due, and that the others are not."""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent.licences.terms_voice import Sentence, Voice
from tercet.core.terms import Price, RevenueBase, Terms

_WHOLE_BASIS_POINTS = 10_000
_AMOUNTS = {
    "fixed_micros": "fixed",
    "per_minute_micros": "per_minute",
    "per_work_micros": "per_work",
    "per_token_micros": "per_token",
    "per_generation_micros": "per_generation",
    "per_output_second_micros": "per_output_second",
    "guarantee_micros": "guarantee",
    "advance_micros": "advance",
    "cap_micros": "cap",
    "floor_micros": "floor",
}
"""The amounts of a price in the order they are told, with the keys of their sentences."""


def price_clauses(terms: Terms, voice: Voice) -> Iterator[Sentence]:
    """Yield what ``terms`` say of money."""
    price = terms.price
    if not price.share_basis_points and not any(getattr(price, name) for name in _AMOUNTS):
        yield Sentence((), voice.say("price.free"))
    yield voice.tell(
        "price.currency",
        "currency" if price.currency else "currency.none",
        currency=voice.currency(price.currency),
    )
    for name, key in _AMOUNTS.items():
        if amount_micros := getattr(price, name):
            amount = voice.money(amount_micros, price.currency)
            yield voice.tell(f"price.{name}", key, amount=amount)
        if name == "per_output_second_micros" and price.share_basis_points:
            yield _share_clause(price, voice)
    yield from _unpaid_clauses(price, voice)
    yield voice.tell(
        "late_interest_basis_points",
        "late_interest" if terms.late_interest_basis_points else "late_interest.none",
        share=voice.share(terms.late_interest_basis_points, _WHOLE_BASIS_POINTS),
    )
    yield voice.tell("grosses_up", "grosses_up" if terms.grosses_up else "grosses_up.none")


def _share_clause(price: Price, voice: Voice) -> Sentence:
    return voice.tell(
        "price.share_basis_points price.base price.deductions",
        "share.gross" if price.base is RevenueBase.GROSS else "share.net",
        share=voice.share(price.share_basis_points, _WHOLE_BASIS_POINTS),
        list=voice.free(price.deductions),
    )


def _unpaid_clauses(price: Price, voice: Voice) -> Iterator[Sentence]:
    unpaid = [name for name in _AMOUNTS if not getattr(price, name)]
    paths = [f"price.{name}" for name in unpaid]
    if not price.share_basis_points:
        unpaid.append("share_basis_points")
        paths += ["price.share_basis_points", "price.base", "price.deductions"]
    if unpaid:
        named = "; ".join(voice.say(f"Price.{name}") for name in unpaid)
        yield voice.tell(" ".join(paths), "price.not", list=named)
