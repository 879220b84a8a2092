"""What an owner says of each usage: from nothing said, a licence, options or a terms file.

Nothing said is a reservation: to register a work is to reserve it, in a form machines read, for
everything but `search` and `ai_index`, of which the claim then does not speak.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from tercet.consent.licence_names import naming
from tercet.consent.plain_text import clean
from tercet.consent.registry.match_document import UsageTerms
from tercet.core.condition import Condition, ConditionKind
from tercet.core.errors import InputError
from tercet.core.money import Money, parse_money
from tercet.core.usage import ALL_USAGES, Permission, Usage

Terms = tuple[UsageTerms, ...]
RESERVED = frozenset({Usage.TRAIN_GENERATIVE, Usage.TRAIN_NONGENERATIVE, Usage.AI_INPUT,
                      Usage.MINE})  # fmt: skip
_PERMISSIONS = {"allow": Permission.ALLOW, "deny": Permission.DENY, "reserve": Permission.DENY,
                "conditional": Permission.CONDITIONAL, "offer": Permission.CONDITIONAL}  # fmt: skip
_USAGES_HINT = f"usages are {', '.join(sorted(ALL_USAGES))}"


def reserved_terms() -> Terms:
    """Return the terms of an owner who says nothing: all but search and ai_index reserved."""
    return _sorted({usage: UsageTerms(usage, Permission.DENY) for usage in RESERVED})


def licence_terms(text: str) -> Terms:
    """Return what a licence, by name, SPDX identifier or URL, says of every usage.

    Raises InputError unless ``text`` names one licence with certainty, or reserves all rights.
    """
    said = naming(text)
    if said.reserved and not said.licences:
        return reserved_terms()
    if said.machine_use or not said.certain or len(said.licences) != 1:
        raise InputError(
            f"expected one licence that is known, got {clean(text, 80)!r}",
            hint="name it by its SPDX identifier or the licence's own URL; say other terms with "
            "--allow, --deny, --offer-url or --terms FILE",
        )
    licence = said.licences[0]
    conditions = tuple(Condition(kind, url=licence.url) for kind in licence.conditions)
    permission = Permission.CONDITIONAL if conditions else Permission.ALLOW
    return _sorted({usage: UsageTerms(usage, permission, conditions) for usage in ALL_USAGES})


def stated_terms(
    base: Terms,
    *,
    allow: Iterable[str] = (),
    deny: Iterable[str] = (),
    offer_url: str = "",
    price: str = "",
) -> Terms:
    """Return ``base`` changed by what was stated for single usages.

    With an ``offer_url`` every usage that would be denied can be had there: it becomes
    conditional on a licence, for ``price`` ("EUR 25") where one is stated. Usages named in
    ``deny`` stay denied. Raises InputError for unknown usages and contradictions.
    """
    allowed, denied = set(map(usage_named, allow)), set(map(usage_named, deny))
    if both := allowed & denied:
        raise InputError(f"{sorted(both)[0]} is both allowed and denied", hint="say one of them")
    if price and not offer_url:
        raise InputError("a price needs the URL of an offer", hint="give it with --offer-url")
    terms = {each.usage: each for each in base}
    if offer_url:
        offer = (offer_condition(offer_url, price),)
        for usage, each in terms.items():
            if each.permission is Permission.DENY:
                terms[usage] = UsageTerms(usage, Permission.CONDITIONAL, offer)
    terms |= {usage: UsageTerms(usage, Permission.ALLOW) for usage in allowed}
    terms |= {usage: UsageTerms(usage, Permission.DENY) for usage in denied}
    return _sorted(terms)


def offer_condition(url: str, price: str = "", unit: str = "") -> Condition:
    """Return the condition that a licence is to be had at ``url``, for a price where stated."""
    address = web_address(url)
    if not price:
        return Condition(ConditionKind.LICENCE, url=address)
    return Condition(ConditionKind.PAYMENT, url=address, price=price_of(price), price_unit=unit)


def price_of(text: str) -> Money:
    """Return a price written as "EUR 25.00" or "25.00 EUR". Raises InputError."""
    words = text.split()
    if len(words) != 2:
        raise InputError(f"expected a price such as EUR 25.00, got {text[:40]!r}")
    currency, amount = words if words[0].isalpha() else reversed(words)
    money = parse_money(amount, currency)
    if money.amount_micros < 0:
        raise InputError(f"expected a price that is not negative, got {text[:40]!r}")
    return money


def web_address(url: str) -> str:
    """Return ``url``, which must be an http or https address. Raises InputError."""
    text = clean(url)
    if not text.lower().startswith(("https://", "http://")) or " " in text:
        raise InputError(f"expected an http or https address, got {text[:80]!r}")
    return text


def usage_named(name: str) -> Usage:
    """Return the usage of that name. Raises InputError."""
    try:
        return Usage(name.strip().lower())
    except ValueError:
        raise InputError(f"no usage {name[:40]!r}", hint=_USAGES_HINT) from None


def read_terms_file(raw: bytes, name: str) -> Terms:
    """Return the terms of a TOML file; see docs/registry.md. Raises InputError.

    Each key is a usage, its value "allow" or "deny", or a table of `permission`, `url`,
    `price`, `price_unit`, and `conditions`. Usages that are not named are reserved by default
    as if nothing had been said.
    """
    try:
        table = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{name} is no TOML file: {error}") from error
    terms = {each.usage: each for each in reserved_terms()}
    for key, value in table.items():
        try:
            each = _from_toml(usage_named(key), value)
        except InputError as error:
            raise InputError(f"{name}, {key}: {error.message}", hint=error.hint) from error
        terms[each.usage] = each
    return _sorted(terms)


def _from_toml(usage: Usage, value: object) -> UsageTerms:
    fields: Mapping[str, Any] = value if isinstance(value, dict) else {"permission": value}
    unknown = set(fields) - {"permission", "url", "price", "price_unit", "conditions"}
    if unknown:
        raise InputError(f"unknown key {sorted(unknown)[0]!r}")
    permission = _PERMISSIONS.get(str(fields.get("permission", "conditional")))
    if permission is None:
        raise InputError(
            f"expected allow, deny or conditional, got {fields['permission']!r}",
        )
    conditions = _conditions(fields)
    if bool(conditions) != (permission is Permission.CONDITIONAL):
        raise InputError("conditions, and nothing else, make a permission conditional")
    return UsageTerms(usage, permission, conditions)


def _conditions(fields: Mapping[str, Any]) -> tuple[Condition, ...]:
    found: list[Condition] = []
    url = str(fields.get("url", ""))
    if url:
        found.append(
            offer_condition(url, str(fields.get("price", "")), str(fields.get("price_unit", "")))
        )
    elif "price" in fields:
        raise InputError("a price needs the url of an offer")
    named = fields.get("conditions", [])
    for name in named if isinstance(named, list) else [named]:
        try:
            found.append(Condition(ConditionKind(str(name))))
        except ValueError:
            known = ", ".join(sorted(ConditionKind))
            raise InputError(f"no condition {name!r}", hint=f"known are {known}") from None
    return tuple(sorted(found, key=lambda condition: (condition.kind, condition.url)))


def _sorted(terms: Mapping[Usage, UsageTerms]) -> Terms:
    return tuple(terms[usage] for usage in sorted(terms))
