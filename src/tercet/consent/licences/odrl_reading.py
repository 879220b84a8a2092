"""Policies of our ODRL profile read back: closed, so that no rule that limits is overlooked.

A document is written again from what was read of it, and must be the same. It is no general reader
of JSON-LD or of ODRL: what other profiles mean is not known, so nothing is read from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from tercet.consent.licences.odrl import (
    CURRENCY,
    NEVER,
    PREFIX,
    PROFILE,
    REPERTOIRE,
    REST,
    odrl_agreement,
    odrl_policy,
)
from tercet.consent.licences.terms_schema import json_value, terms_fields, terms_of
from tercet.consent.licences.unsaid import FormatError
from tercet.core.canonical import canonical_json
from tercet.core.money import parse_money
from tercet.core.terms import TERMS_TYPE, WORLD, Price, Terms

_NO_MATTER = "EUR"  # per cent are read as exactly as money, and are in no currency
_MICROS_OF_BASIS_POINT = 10_000
_HINT = "a rule that is not understood may limit the others, so none is read"


def terms_in_odrl(policy: object) -> Terms:
    """Return the terms of ``odrl_terms`` or ``odrl_agreement``.

    Raises FormatError for anything that is not exactly such a document, TermsError where what it
    says are no valid terms.
    """
    if not isinstance(policy, dict) or policy.get("profile") != PROFILE:
        raise FormatError(
            f"expected an ODRL policy of the profile {PROFILE}, got another document", hint=_HINT
        )
    terms = terms_of(_fields(policy))
    bare = {name: value for name, value in policy.items() if name != REST}
    kind = "Agreement" if REST in policy else "Offer"
    if canonical_json(odrl_policy(kind, str(policy.get("uid")), terms)) != canonical_json(bare):
        raise FormatError(
            "expected a policy that says what its terms say, got one that says more or else",
            hint=_HINT,
        )
    return terms


def agreement_in_odrl(policy: object) -> dict[str, Any]:
    """Return the ``tercet/agreement@1`` that ``odrl_agreement`` was made from.

    Raises FormatError, or DocumentError where it is no agreement. Signatures are not checked.
    """
    terms = terms_in_odrl(policy)
    rest = policy.get(REST) if isinstance(policy, dict) else None
    if not isinstance(policy, dict) or not isinstance(rest, dict):
        raise FormatError("expected an agreement, got a policy that nobody has agreed to")
    document = {**rest, "id": policy["uid"], "terms": terms_fields(terms)}
    if canonical_json(odrl_agreement(document)) != canonical_json(policy):
        raise FormatError("expected an agreement as Tercet writes it, got another one")
    return document


def _fields(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of terms that ``policy`` seems to say; whether it does is checked after."""
    try:
        flat = dict(_leaves(policy))
        usages = [_local(each) for rule in policy.get("permission", []) for each in rule["action"]]
        said = {
            "type": TERMS_TYPE,
            "licensor": _party(policy["assigner"]),
            "licensee": _party(policy["assignee"]) if "assignee" in policy else None,
            "repertoire": {
                "sha256": policy["target"]["uid"].removeprefix(REPERTOIRE),
                "work_count": policy["target"][f"{PREFIX}works"],
                "exclusions": policy["target"][f"{PREFIX}without"],
            },
            "mandate": policy[f"{PREFIX}mandate"],
            "notes": policy[f"{PREFIX}notes"],
        }
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise FormatError(
            f"expected a policy as Tercet writes it, got one without {error!s:.80}", hint=_HINT
        ) from None
    flat["grant.usages"] = usages
    return said | _nested(flat)


def _leaves(policy: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of every field that a constraint or a refinement says."""
    yield from (("grant.period.start", ""), ("grant.period.end", ""))
    yield from ((f"price.{name}", value) for name, value in _defaults_of_price().items())
    for rule in (*policy.get("permission", []), policy.get(f"{PREFIX}withheld", {})):
        for constraint in rule.get("constraint", []):
            yield _grant_leaf(constraint)
        for duty in rule.get("duty", []):
            yield from _duty_leaves(duty)
    for duty in policy["obligation"]:
        yield from _duty_leaves(duty)


def _grant_leaf(constraint: Mapping[str, Any]) -> tuple[str, Any]:
    operand, value = constraint["leftOperand"], constraint["rightOperand"]
    if operand == "purpose":
        return "grant.purposes", [_local(each["@id"]) for each in value]
    if operand == "spatial" and constraint["operator"] == "isAnyOf":
        codes = [WORLD if each == {"@id": f"{PREFIX}world"} else each for each in value]
        return "grant.territory.include", codes
    if operand == "spatial":
        return "grant.territory.exclude", value
    if operand == "dateTime":
        name = "start" if constraint["operator"] == "gteq" else "end"
        return f"grant.period.{name}", "" if value["@value"] == NEVER else value["@value"]
    return _local(operand), value


def _duty_leaves(duty: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    (action,) = duty["action"]
    refinements = action["refinement"]
    if action["rdf:value"]["@id"] != "odrl:compensate":
        yield from ((_local(each["leftOperand"]), each["rightOperand"]) for each in refinements)
        return
    amount, due = refinements
    decimal, name = amount["rightOperand"]["@value"], str(due["rightOperand"])
    if amount["leftOperand"] == "percentage":
        percent_micros = parse_money(decimal, _NO_MATTER).amount_micros
        yield f"price.{name}", percent_micros // _MICROS_OF_BASIS_POINT
    else:
        money = parse_money(decimal, amount["unit"].removeprefix(CURRENCY))
        yield f"price.{name}_micros", money.amount_micros


def _defaults_of_price() -> dict[str, Any]:
    return cast("dict[str, Any]", json_value(Price()))


def _party(party: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": party["uid"], "name": party[f"{PREFIX}name"]}


def _local(name: str) -> str:
    return name.removeprefix(PREFIX)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return paths with dots as objects within objects."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *records, name = path.split(".")
        into = nested
        for record in records:
            into = into.setdefault(record, {})
            if not isinstance(into, dict):
                raise FormatError(f"expected an object at {path:.80}", hint=_HINT)
        into[name] = value
    return nested
