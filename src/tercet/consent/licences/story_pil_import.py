"""Terms read from Story's PIL: what its fields grant, where our terms can say their limits too.

A limit that terms cannot say (approval, ceilings, channels, standards, further parameters) takes
the grant with it. Terms of ours in ``additionalParameters`` are read whole, and must be those that
the other fields were written from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tercet.consent.licences.closed_fields import ClosedFields, DocumentError
from tercet.consent.licences.story_pil import (
    DAY_S,
    NO_DATA,
    SHARE_OF_BASIS_POINT,
    ZERO_ADDRESS,
    PilToken,
    pil_of,
)
from tercet.consent.licences.terms_schema import terms_of
from tercet.consent.licences.unsaid import FormatError, Imported, Unsaid
from tercet.core.canonical import canonical_json
from tercet.core.money import MICROS
from tercet.core.terms import (
    FOREVER,
    TERMS_TYPE,
    WORLD,
    FieldOfUse,
    Grant,
    Law,
    PartyName,
    Period,
    Price,
    Purpose,
    RepertoireName,
    Sublicence,
    Terms,
    Territory,
)
from tercet.core.territories import TERRITORIES
from tercet.core.usage import TRAINING, Usage

_STRUCT = (
    "transferable", "royaltyPolicy", "defaultMintingFee", "expiration", "commercialUse",
    "commercialAttribution", "commercializerChecker", "commercializerCheckerData",
    "commercialRevShare", "commercialRevCeiling", "derivativesAllowed", "derivativesAttribution",
    "derivativesApproval", "derivativesReciprocal", "derivativeRevCeiling", "currency", "uri",
)  # fmt: skip
_OFF_CHAIN = (
    "territory", "channelsOfDistribution", "attribution", "contentStandards", "sublicensable",
    "aiLearningModels", "restrictionOnCrossPlatformUse", "governingLaw", "additionalParameters",
    "PILUri",
)  # fmt: skip
_LIST_MAX = 1_000
_UINT256_DIGITS_MAX = 78


def terms_of_pil(
    document: object,
    licensor: PartyName,
    repertoire: RepertoireName,
    *,
    token: PilToken | None = None,
    start: str = "",
) -> Imported:
    """Return the terms of ``{"pilTerms": ..., "offChainTerms": ...}``.

    ``token`` tells which currency a fee is in. ``start`` is the day the licence is minted: without
    it no time is granted. Raises DocumentError for what is no such document, FormatError where
    terms of ours in it are not those that it was written from.
    """
    both = ClosedFields(document, "pil", ("pilTerms", "offChainTerms"))
    struct = ClosedFields(both.raw("pilTerms"), "pilTerms", _STRUCT)
    file = ClosedFields(both.raw("offChainTerms"), "offChainTerms", _OFF_CHAIN)
    added = file.raw("additionalParameters")
    if isinstance(added, dict) and TERMS_TYPE in added:
        return Imported(_whole(document, struct, added[TERMS_TYPE], token))
    refused = tuple(_refusing(struct, file))
    price, price_unsaid = _price(struct, token)
    refused += price_unsaid
    territory, territory_unsaid = _territory(file)
    terms = Terms(
        licensor,
        repertoire,
        grant=Grant() if refused else _grant(struct, file, territory, start),
        price=price,
        law=Law(governing=_law(file)),
    )
    return Imported(terms, (*refused, *territory_unsaid, *_left_out(struct, file, start)))


def _whole(document: object, struct: ClosedFields, fields: object, token: PilToken | None) -> Terms:
    terms = terms_of(fields)
    decimals = token.decimals if token else 18
    paid_with = PilToken(
        struct.text("currency", 100),
        terms.price.currency,
        decimals,
        struct.text("royaltyPolicy", 100),
    )
    if canonical_json(pil_of(terms, paid_with)) != canonical_json(document):
        raise FormatError(
            "expected fields of PIL that say what the terms beside them say, got others",
            hint="if the token has not 18 decimals, give --token-decimals",
        )
    return terms


def _grant(struct: ClosedFields, file: ClosedFields, territory: Territory, start: str) -> Grant:
    remixes = struct.flag("derivativesAllowed")
    return Grant(
        usages=tuple(u for u in Usage if u in TRAINING) if file.flag("aiLearningModels") else (),
        purposes=(Purpose.OUTPUT_FEATURE,) if remixes else (),
        fields_of_use=tuple(FieldOfUse) if struct.flag("commercialUse") else (),
        territory=territory,
        period=_period(_whole_number(struct, "expiration"), start),
        sublicence=Sublicence.ANY if file.flag("sublicensable") else Sublicence.NONE,
    )


def _period(seconds: int, start: str) -> Period:
    """Return whole days only: a part of a day is not granted."""
    if not start:
        return Period()
    days = seconds // DAY_S
    left = (date.fromisoformat(FOREVER) - date.fromisoformat(start)).days
    if not seconds or days >= left:
        return Period(start, FOREVER)
    end = date.fromisoformat(start) + timedelta(days=days)
    return Period(start, end.isoformat()) if days else Period()


def _refusing(struct: ClosedFields, file: ClosedFields) -> Iterator[Unsaid]:
    """Yield the limits that terms cannot say: with one of them nothing is granted."""
    limits = {
        "pilTerms.commercializerChecker": struct.text("commercializerChecker", 100) != ZERO_ADDRESS,
        "pilTerms.commercializerCheckerData": struct.raw("commercializerCheckerData") != NO_DATA,
        "pilTerms.commercialRevCeiling": _whole_number(struct, "commercialRevCeiling") > 0,
        "pilTerms.derivativeRevCeiling": _whole_number(struct, "derivativeRevCeiling") > 0,
        "pilTerms.derivativesApproval": struct.flag("derivativesApproval"),
        "pilTerms.derivativesReciprocal": struct.flag("derivativesReciprocal"),
        "offChainTerms.channelsOfDistribution": bool(_texts(file, "channelsOfDistribution")),
        "offChainTerms.contentStandards": bool(_texts(file, "contentStandards")),
        "offChainTerms.restrictionOnCrossPlatformUse": file.flag("restrictionOnCrossPlatformUse"),
        "offChainTerms.additionalParameters": file.raw("additionalParameters") != {},
    }
    for path, limits_it in limits.items():
        if limits_it:
            yield Unsaid(path, "a limit that terms cannot say; nothing is granted therefore")


def _left_out(struct: ClosedFields, file: ClosedFields, start: str) -> Iterator[Unsaid]:
    if struct.flag("transferable"):
        yield Unsaid("pilTerms.transferable", "licences under our terms are not transferred")
    for where, fields, name in (
        ("pilTerms", struct, "commercialAttribution"),
        ("pilTerms", struct, "derivativesAttribution"),
        ("offChainTerms", file, "attribution"),
    ):
        if fields.flag(name):
            yield Unsaid(f"{where}.{name}", "credit is to be given: terms only say how it is "
                         "measured")  # fmt: skip
    if not struct.flag("commercialUse"):
        yield Unsaid("pilTerms.commercialUse", "terms know no use that is merely not commercial: "
                     "no field of use is granted")  # fmt: skip
    if not start:
        yield Unsaid("pilTerms.expiration", "counted from minting: give --start, else no time is "
                     "granted")  # fmt: skip
    elif _whole_number(struct, "expiration") % DAY_S:
        yield Unsaid("pilTerms.expiration", "cut to whole days")
    if not _law(file):
        law = file.text("governingLaw", 200) or "California, where none is named"
        yield Unsaid("offChainTerms.governingLaw", f"not a country of ISO 3166-1: {law}")


def _price(struct: ClosedFields, token: PilToken | None) -> tuple[Price, tuple[Unsaid, ...]]:
    fee = _whole_number(struct, "defaultMintingFee")
    share = struct.integer("commercialRevShare", 0, 10_000 * SHARE_OF_BASIS_POINT)
    is_known = token is not None and token.address == struct.raw("currency") and token.currency
    if (fee or share) and not is_known:
        words = "paid with a token whose currency is not given; nothing is granted therefore"
        return Price(), (Unsaid("pilTerms.currency", words),)
    micros, rest = divmod(fee * MICROS, 10 ** (token.decimals if token else 0))
    basis_points, finer = divmod(share, SHARE_OF_BASIS_POINT)
    if rest or finer or micros > 2**53 - 1:
        words = "an amount finer or larger than terms can say; nothing is granted therefore"
        return Price(), (Unsaid("pilTerms.defaultMintingFee", words),)
    currency = token.currency if token and (fee or share) else ""
    return Price(currency, fixed_micros=micros, share_basis_points=basis_points), ()


def _territory(file: ClosedFields) -> tuple[Territory, tuple[Unsaid, ...]]:
    places = _texts(file, "territory")
    if not places:
        return Territory((WORLD,)), ()
    known = tuple(dict.fromkeys(place for place in places if place in TERRITORIES))
    unknown = [place for place in places if place not in TERRITORIES]
    words = "not a country of ISO 3166-1; left out"
    path = "offChainTerms.territory"
    return Territory(known), tuple(Unsaid(path, f"{each[:80]}: {words}") for each in unknown)


def _law(file: ClosedFields) -> str:
    named = file.text("governingLaw", 200)
    return named if named in TERRITORIES else ""


def _texts(fields: ClosedFields, name: str) -> tuple[str, ...]:
    return fields.items(name, _text, _LIST_MAX)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise DocumentError(f"expected a text at {where}, got another kind")
    return value


def _whole_number(fields: ClosedFields, name: str) -> int:
    """Return a uint256, which JSON carries as decimal digits."""
    value: Any = fields.raw(name)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    if not is_digits or len(value) > _UINT256_DIGITS_MAX:
        raise fields.wrong(name, "a whole number as decimal digits")
    return int(value)
