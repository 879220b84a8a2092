"""From an RSL document to statements: who may do what, where, under which conditions.

Inside one content, licenses are alternatives: what any of them prohibits is denied; what none
grants and a list leaves out is denied; what several grant hangs on the conditions of all of them,
so that a paid offer is never hidden by a free one. Contents of the same scope join to the most
restrictive; a narrower scope rules over a broader one, usage by usage.

Source: RSL-SPEC-1.0 sections 3.1.1, 3.3 to 3.12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tercet.consent.plain_text import clean, host_of, pattern_text
from tercet.consent.signals.rsl_document import Classes, Content, Document, License, Payment
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Matching, Reading, Statement
from tercet.core.errors import InputError
from tercet.core.money import Money, parse_money
from tercet.core.usage import ALL_USAGES, Permission, Usage, permissions, permit

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?\Z")
_STARS = re.compile(r"\*\*+")
EVERYWHERE = "/"
_NOT_ISO_4217 = frozenset({"XBT", "BTC", "ETH"})  # erratum of 2026-05-13
CONDITIONS_MAX = 50  # offers kept of one scope and usage
_SEVERITY = {Permission.DENY: 0, Permission.CONDITIONAL: 1, Permission.UNKNOWN: 2}
NOTE = "RSL 1.0 section 3.1.1: narrower scope first, conflicts to the most restrictive"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a scope says of one usage, and the line of the license that decides."""

    permission: Permission
    conditions: tuple[Condition, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The pattern a content covers (None: all that the document is bound to).

    ``foreign`` tells that its URL names another host; ``fault`` that it cannot be read.
    """

    pattern: str | None
    foreign: bool = False
    fault: str = ""


_Offer = tuple[License, bool, tuple[Condition, ...]]
"""A license, whether it grants at all, and its conditions."""


def read_terms(
    document: Document, uri: str, *, bound: bool
) -> tuple[Reading, tuple[str, ...], tuple[str, ...]]:
    """Return the reading of ``document``, its faults, and the URLs that name other hosts.

    ``uri`` is the site the document is read for, which need not be where it lies.
    ``bound`` tells that the document speaks of the very thing it stands in (a page, a file), so
    that its URLs identify that thing and do not select paths (sections 4.6.2 and 4.8).
    """
    faults = list(document.faults)
    foreign: list[str] = []
    rulings: dict[str | None, dict[Usage, Ruling]] = {}
    for content in document.contents:
        scope = Scope(None) if bound else scope_of(content.url, uri)
        if scope.foreign:
            foreign.append(content.url or "")
            continue
        if scope.fault:
            faults.append(scope.fault)
        into = rulings.setdefault(scope.pattern, {})
        for usage, ruling in rule(content).items():
            into[usage] = _stricter(into.get(usage), ruling)
    if not rulings and not faults:
        faults.append("no content names this host")
    statements = tuple(
        statement
        for pattern, ruled in rulings.items()
        for statement in _statements(pattern, ruled, grants=not faults)
    )
    if not statements and faults:
        statements = (Statement(permit(ALL_USAGES, Permission.UNKNOWN)),)
    faults = list(dict.fromkeys(faults))[:20]
    return Reading(statements, _matching(statements), NOTE), tuple(faults), tuple(foreign)


def scope_of(url: str | None, uri: str) -> Scope:
    """Return what ``content@url`` covers on the site of ``uri`` (section 3.3)."""
    if url is None or not url.strip():
        return Scope(EVERYWHERE)
    text = url.strip()
    if text.startswith("//"):
        text = f"https:{text}"
    if text.startswith(("/", "*")):
        return _path_scope(text)
    if not text.lower().startswith(("http://", "https://")):
        return Scope(
            EVERYWHERE, fault=f"content url is neither a path nor a URL: {clean(text, 80)}"
        )
    try:
        parts = urlsplit(text)
    except ValueError:
        return Scope(EVERYWHERE, fault=f"content url cannot be read: {clean(text, 80)}")
    host = host_of(text).removesuffix("*")
    if not host or not _same_host(host, host_of(uri)):
        return Scope(
            EVERYWHERE, foreign=bool(host), fault="" if host else "content url without host"
        )
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return _path_scope(f"{parts.path or '/'}{query}{fragment}")


def _path_scope(path: str) -> Scope:
    """Return the scope of a path pattern, in one spelling for patterns that match alike.

    Length tells which scope is narrower, so ``/a*`` must not look narrower than ``/a``.
    """
    bare, mark, _ = path.partition("#")
    pattern = _STARS.sub("*", pattern_text(bare))
    pattern = pattern.removesuffix("*$").removesuffix("*") or EVERYWHERE
    # Without its fragment the scope is wider: good for a denial, not for a grant.
    return Scope(pattern, fault="content url with a fragment" if mark else "")


def _same_host(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host == pattern[2:] or host.endswith(pattern[1:])
    return pattern == host


def rule(content: Content) -> dict[Usage, Ruling]:
    """Return what one content says of each usage; usages it is silent about are left out."""
    if not content.licenses:  # nothing is licensed: section 4.3
        return dict.fromkeys(ALL_USAGES, Ruling(Permission.DENY, line=content.line))
    offers = [(one, _grants(one), conditions_of(one, content)) for one in content.licenses]
    ruled: dict[Usage, Ruling] = {}
    for usage in Usage:
        ruling = _rule_usage(usage, offers)
        if ruling is not None:
            ruled[usage] = ruling
    return ruled


def _rule_usage(usage: Usage, offers: list[_Offer]) -> Ruling | None:
    left_out: License | None = None
    granting: list[_Offer] = []
    for offer in offers:
        license_, grants, _ = offer
        if usage in license_.prohibits:
            return Ruling(Permission.DENY, line=license_.line)
        if _leaves_out(license_, usage):
            left_out = left_out or license_
        elif grants:
            granting.append(offer)
    if granting:
        conditions = _joined((), (c for _, _, found in granting for c in found))
        permission = Permission.CONDITIONAL if conditions else Permission.ALLOW
        return Ruling(permission, conditions, granting[0][0].line)
    return Ruling(Permission.DENY, line=left_out.line) if left_out else None


def _joined(one: tuple[Condition, ...], other: Iterable[Condition]) -> tuple[Condition, ...]:
    """Join conditions, each once. Beyond the limit only a new kind is added: no kind is lost."""
    kept = dict.fromkeys(one)
    kinds = {condition.kind for condition in kept}
    for condition in other:
        if len(kept) < CONDITIONS_MAX or condition.kind not in kinds:
            kept[condition] = None
            kinds.add(condition.kind)
    return tuple(kept)


def _leaves_out(license_: License, usage: Usage) -> bool:
    """Section 3.5: where a list of permitted values stands, only those are allowed."""
    if license_.users.admits_nobody() or license_.places.admits_nobody():
        return True
    return license_.permits is not None and usage not in license_.permits


def _grants(license_: License) -> bool:
    """A license that only prohibits says nothing of the rest: silence is no grant."""
    return (
        license_.permits is not None
        or bool(license_.payments)
        or license_.users.permits is not None
        or license_.places.permits is not None
    )


def conditions_of(license_: License, content: Content) -> tuple[Condition, ...]:
    """Return what has to be met before ``license_`` holds, each condition once."""
    found: list[Condition] = []
    for payment in license_.payments:
        found.extend(_payment_conditions(payment))
    found.extend(_user_conditions(license_.users))
    found.extend(_place_conditions(license_.places))
    found.extend(Condition(ConditionKind.REPORTING, url, text) for url, text in license_.reporting)
    if content.server or content.encrypted:
        # Section 3.3: a token of the server is needed, even where the license is free.
        text = "encrypted" if content.encrypted else "license token"
        found.append(Condition(ConditionKind.LICENCE, content.server, text))
    return tuple(dict.fromkeys(found))


def _payment_conditions(payment: Payment) -> Iterator[Condition]:
    url = payment.custom or payment.standard
    words = [f"standard {payment.standard}"] if payment.custom and payment.standard else []
    words += [f"accepts {payment.accepts}"] if payment.accepts else []
    price = price_of(payment)
    if payment.amount and price is None:
        words.append(f"amount {payment.amount} {payment.currency}".strip())
    text = clean(" ".join(words))
    charged = bool(payment.amount) and (price is None or price.amount_micros > 0)
    if payment.type == "attribution":
        yield Condition(ConditionKind.ATTRIBUTION, payment.standard or payment.custom, text)
    elif payment.type == "contribution":
        yield Condition(ConditionKind.CONTRIBUTION, url, text)
    elif payment.type in ("", "free"):
        if url and not charged:
            yield Condition(ConditionKind.LICENCE, url, text)
    else:
        charged = True
    if charged and payment.type != "contribution":
        unit = payment.unit or payment.type
        yield Condition(ConditionKind.PAYMENT, url, text, price, unit)


def price_of(payment: Payment) -> Money | None:
    """Return the stated price, or None where the amount or currency is not one (section 3.10)."""
    if not _AMOUNT.match(payment.amount) or payment.currency.upper() in _NOT_ISO_4217:
        return None
    try:
        return parse_money(payment.amount, payment.currency)
    except InputError:
        return None


def _user_conditions(users: Classes) -> Iterator[Condition]:
    if users.permits is None and not users.prohibits:
        return
    words = [f"only {' '.join(users.permits)}"] if users.permits is not None else []
    words += [f"not {' '.join(users.prohibits)}"] if users.prohibits else []
    yield Condition(ConditionKind.PURPOSE, text=clean("users: " + ", ".join(words)))
    closed = users.permits is not None and "commercial" not in users.permits
    if closed or "commercial" in users.prohibits:
        yield Condition(ConditionKind.NON_COMMERCIAL)


def _place_conditions(places: Classes) -> Iterator[Condition]:
    if places.permits is not None:
        yield Condition(ConditionKind.GEOGRAPHY, text=clean("only " + " ".join(places.permits)))
    if places.prohibits:
        yield Condition(ConditionKind.GEOGRAPHY, text=clean("not " + " ".join(places.prohibits)))


def _stricter(one: Ruling | None, other: Ruling) -> Ruling:
    if one is None:
        return other
    if one.permission is Permission.CONDITIONAL and other.permission is Permission.CONDITIONAL:
        joined = _joined(one.conditions, other.conditions)
        return Ruling(Permission.CONDITIONAL, joined, one.line)
    return min(one, other, key=lambda ruling: _SEVERITY.get(ruling.permission, 3))


def _statements(
    pattern: str | None, ruled: dict[Usage, Ruling], *, grants: bool
) -> Iterator[Statement]:
    """One statement for what hangs on nothing, then one for each set of conditions."""
    plain: dict[Usage, Permission] = {}
    hanging: dict[tuple[Condition, ...], list[Usage]] = {}
    for usage, ruling in ruled.items():
        if ruling.permission is Permission.CONDITIONAL:
            hanging.setdefault(ruling.conditions, []).append(usage)
        elif ruling.permission is Permission.ALLOW and not grants:
            plain[usage] = Permission.UNKNOWN
        else:
            plain[usage] = ruling.permission
    if plain:
        line = min(ruled[usage].line for usage in plain)
        yield Statement(permissions(plain), pattern, line=line)
    for conditions, usages in hanging.items():
        line = min(ruled[usage].line for usage in usages)
        yield Statement(permit(usages, Permission.CONDITIONAL), pattern, conditions, line)


def _matching(statements: Iterable[Statement]) -> Matching:
    """Longest match, unless two patterns of equal length could tie where they differ.

    RFC 9309 lets the allowing rule win a tie; RSL wants the most restrictive. Where that can
    matter all matching statements count together, which only ever denies more.
    """
    said: dict[tuple[int, Usage], dict[str, Permission]] = {}
    for statement in statements:
        pattern = statement.pattern or ""
        for usage, permission in statement.permissions:
            said.setdefault((len(pattern), usage), {})[pattern] = permission
    for patterns in said.values():
        differ = len(set(patterns.values())) > 1
        if differ and any("*" in pattern for pattern in patterns):
            return Matching.STRICTEST
    return Matching.LONGEST
