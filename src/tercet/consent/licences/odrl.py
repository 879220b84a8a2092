"""Terms and agreements in the shape of ODRL 2.2, as JSON-LD under a profile of our own.

ODRL says who, what, where, when and what is paid in its own words; every other field of terms is
an operand of the profile, named by its path: ``tercet:guards.persons``. So nothing is lost.

    permission    what is granted, under constraints; its duties are the amounts to be paid
    prohibition   the usages that are not granted
    obligation    limits of outputs, deletion, credit, reports, audits, the end of a service ...

Duties and obligations are actions with refinements (Information Model, sections 2.4 and 2.6.3).

Source: ODRL Information Model 2.2 and ODRL Vocabulary & Expression 2.2 (W3C, 15 February 2018).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.terms_schema import json_value, terms_fields
from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.core.money import Money
from tercet.core.terms import WORLD, PartyName, Period, Price, Terms
from tercet.core.usage import Usage

PROFILE = "urn:tercet:profile:terms@1"
PREFIX = "tercet:"
REPERTOIRE = "urn:tercet:repertoire:"
CURRENCY = "urn:iso:std:iso:4217:"
NEVER = "0001-01-01"  # no day is before it: of terms that grant no time
REST = "agreement"  # what an agreement says beside its terms, as a JSON literal
CONTEXT: list[str | dict[str, Any]] = [
    "http://www.w3.org/ns/odrl.jsonld",
    {
        "tercet": f"{PROFILE}#",
        "odrl": "http://www.w3.org/ns/odrl/2/",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        REST: {"@id": "tercet:agreement", "@type": "@json"},
    },
]
OBLIGATIONS = {
    "guards": f"{PREFIX}guardOutputs",
    "retention": "odrl:delete",
    "attribution": f"{PREFIX}measureCredit",
    "most_favoured": f"{PREFIX}matchBest",
    "reporting": "odrl:inform",
    "audit": f"{PREFIX}allowAudit",
    "wind_down": f"{PREFIX}windDown",
    "law": f"{PREFIX}settleDisputes",
}
"""The records of terms that oblige, with the action they oblige to."""

OPERATORS = {"cap_micros": "lteq", "guarantee_micros": "gteq", "floor_micros": "gteq"}
IN_ODRL_WORDS = frozenset({"usages", "purposes", "territory", "period.start", "period.end"})
"""Fields of a grant that ODRL has words for; the others are operands of the profile."""


def odrl_terms(terms: Terms, uid: str = "") -> dict[str, Any]:
    """Return terms as an ODRL ``Offer``. Without a ``uid`` their own digest names it."""
    digest = sha256_hex(canonical_json(terms_fields(terms)))
    return odrl_policy("Offer", uid or f"urn:tercet:terms:{digest}", terms)


def odrl_agreement(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole ``tercet/agreement@1`` as an ODRL ``Agreement``, signatures with it.

    Raises DocumentError or TermsError where it is none. Signatures are neither checked nor lost:
    they hold for the document that ``odrl_reading.agreement_in_odrl`` gives back.
    """
    agreement = agreement_of(dict(document))
    rest = {name: value for name, value in document.items() if name not in ("id", "terms")}
    return odrl_policy("Agreement", agreement.id, agreement.terms) | {REST: rest}


def odrl_policy(kind: str, uid: str, terms: Terms) -> dict[str, Any]:
    """Return a policy of a ``kind`` (Offer or Agreement) with the name ``uid``."""
    policy: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": kind,
        "uid": uid,
        "profile": PROFILE,
        "target": _target(terms),
        "assigner": _party(terms.licensor),
        f"{PREFIX}mandate": terms.mandate,
        f"{PREFIX}notes": list(terms.notes),
    }
    if terms.licensee is not None:
        policy["assignee"] = _party(terms.licensee)
    rule = {"constraint": [*_grant_constraints(terms)], "duty": [*_payments(terms)]}
    granted = [f"{PREFIX}{usage}" for usage in terms.grant.usages]
    denied = [f"{PREFIX}{usage}" for usage in Usage if usage not in terms.grant.usages]
    if granted:
        policy["permission"] = [{"action": granted, **rule}]
    else:  # a rule without an action permits nothing; ODRL has no such rule
        policy[f"{PREFIX}withheld"] = rule
    if denied:
        policy["prohibition"] = [{"action": denied}]
    policy["obligation"] = [
        _duty(action, [*operands(getattr(terms, name), name)])
        for name, action in OBLIGATIONS.items()
    ]
    return policy


def operands(record: object, path: str) -> Iterator[dict[str, Any]]:
    """Yield a constraint for every field of a record, with its path as the operand."""
    value = json_value(record)
    if isinstance(value, dict):
        for name in value:
            yield from operands(value[name], f"{path}.{name}")
    else:
        operator = "isAnyOf" if isinstance(value, list) else "eq"
        operator = "lteq" if "_max" in path else "gteq" if "_min_" in path else operator
        yield _constraint(f"{PREFIX}{path}", operator, value)


def _target(terms: Terms) -> dict[str, Any]:
    repertoire = terms.repertoire
    return {
        "@type": "AssetCollection",
        "uid": f"{REPERTOIRE}{repertoire.sha256}",
        f"{PREFIX}works": repertoire.work_count,
        f"{PREFIX}without": list(repertoire.exclusions),
    }


def _party(party: PartyName) -> dict[str, str]:
    return {"@type": "Party", "uid": party.id, f"{PREFIX}name": party.name}


def _grant_constraints(terms: Terms) -> Iterator[dict[str, Any]]:
    grant = terms.grant
    yield _constraint("purpose", "isAnyOf", [{"@id": f"{PREFIX}{each}"} for each in grant.purposes])
    include = grant.territory.include
    places = [{"@id": f"{PREFIX}world"} if code == WORLD else code for code in include]
    yield _constraint("spatial", "isAnyOf", places)
    yield _constraint("spatial", "isNoneOf", list(grant.territory.exclude))
    yield from _days(grant.period)
    for name in (item.name for item in fields(grant)):
        for constraint in operands(getattr(grant, name), f"grant.{name}"):
            path = constraint["leftOperand"].removeprefix(f"{PREFIX}grant.")
            if not path.startswith(tuple(IN_ODRL_WORDS)):
                yield constraint


def _days(period: Period) -> Iterator[dict[str, Any]]:
    if period.start:
        yield _constraint("dateTime", "gteq", {"@value": period.start, "@type": "xsd:date"})
    yield _constraint("dateTime", "lt", {"@value": period.end or NEVER, "@type": "xsd:date"})


def _payments(terms: Terms) -> Iterator[dict[str, Any]]:
    """Yield a duty for each amount that is not 0, and one for how all of them are settled."""
    price = terms.price
    for name in (item.name for item in fields(Price) if item.name.endswith("_micros")):
        if amount_micros := getattr(price, name):
            decimal = str(Money(price.currency, amount_micros)).rpartition(" ")[2]
            pay = _constraint("payAmount", OPERATORS.get(name, "eq"), _decimal(decimal))
            pay["unit"] = f"{CURRENCY}{price.currency}"
            yield _due(name.removesuffix("_micros"), pay)
    if price.share_basis_points:
        whole, part = divmod(price.share_basis_points, 100)
        percent = _decimal(f"{whole}.{part:02d}")
        yield _due("share_basis_points", _constraint("percentage", "eq", percent))
    settled = {
        "price.currency": price.currency,
        "price.base": price.base,
        "price.deductions": price.deductions,
        "late_interest_basis_points": terms.late_interest_basis_points,
        "grosses_up": terms.grosses_up,
    }
    refinements = [each for path, value in settled.items() for each in operands(value, path)]
    yield _duty(f"{PREFIX}settle", refinements)


def _due(kind: str, amount: dict[str, Any]) -> dict[str, Any]:
    return _duty("odrl:compensate", [amount, _constraint(f"{PREFIX}due", "eq", kind)])


def _duty(action: str, refinements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"action": [{"rdf:value": {"@id": action}, "refinement": refinements}]}


def _decimal(text: str) -> dict[str, str]:
    return {"@value": text, "@type": "xsd:decimal"}


def _constraint(operand: str, operator: str, value: object) -> dict[str, Any]:
    return {"leftOperand": operand, "operator": operator, "rightOperand": value}
