"""HTTP 402 and pay-per-crawl headers: what a *fetch* costs. Never a right to train.

Sources: RFC 9110 section 15.5.3 (402 Payment Required); Cloudflare Pay Per Crawl (documentation
of 23 Apr 2026): crawler-price, crawler-charged, crawler-exact-price, crawler-max-price and
crawler-error; x402 version 2: PAYMENT-REQUIRED.
"""

from __future__ import annotations

import re

from tercet.consent.http_headers import Header, parse_headers, status_code
from tercet.consent.plain_text import clean
from tercet.consent.signal import Resource, Signal, declare
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.errors import InputError
from tercet.core.money import Money, parse_money

_SPEC = ("fetch_price", "HTTP 402 and pay per crawl", "Cloudflare 2026-04-23, x402 v2")
_PRICES = frozenset(
    {"crawler-price", "crawler-charged", "crawler-exact-price", "crawler-max-price"}
)
_OTHERS = frozenset({"crawler-error", "payment-required", "x-payment-required"})
_AMOUNT = re.compile(r"([A-Za-z]{3}) +([0-9]{1,12}(?:\.[0-9]{1,6})?)\Z")
_FIELDS_MAX = 100


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return one advisory declaration per price field, or one for a bare 402. Total."""
    status = status_code(raw)
    fields = [one for one in parse_headers(raw) if one.name_lower in _PRICES | _OTHERS]
    found = tuple(_field(raw, source, header, status) for header in fields[:_FIELDS_MAX])
    if status == 402 and not found:
        evidence = {"status": "402"}
        return (declare(_SPEC, raw, source, (_reading(None, 1),), lines=(1, 1), advisory=True,
                        evidence=evidence),)  # fmt: skip
    return found


def price_of(value: str) -> Money | None:
    """Return the amount of a pay-per-crawl field such as ``USD 0.01``, or None. Total."""
    match = _AMOUNT.match(value.strip())
    if not match:
        return None
    try:
        return parse_money(match[2], match[1])
    except InputError:
        return None


def _field(raw: bytes, source: Source, header: Header, status: int) -> Declaration:
    evidence = {"field": header.name_lower, "value": clean(header.value)}
    if status:
        evidence["status"] = str(status)
    money = price_of(header.value) if header.name_lower in _PRICES else None
    fault = ""
    if money is not None:
        evidence["price"] = str(money)
    elif header.name_lower in _PRICES:
        fault = "expected a price such as USD 0.01"
    return declare(
        _SPEC, raw, source, (_reading(money, header.line),), lines=(header.line, header.line),
        span=(header.byte_start, header.byte_end), fault=fault, advisory=True, evidence=evidence,
    )  # fmt: skip


def _reading(money: Money | None, line: int) -> Reading:
    """Say nothing of any usage; the price stands as a condition so that it is found again."""
    payment = Condition(ConditionKind.PAYMENT, price=money, price_unit="fetch")
    return Reading((Statement((), conditions=(payment,), line=line),), note="price of a fetch")


SIGNAL = Signal(
    name="fetch_price",
    title="HTTP 402 and pay-per-crawl prices (evidence only)",
    spec=_SPEC[1],
    spec_version=_SPEC[2],
    url="https://developers.cloudflare.com/ai-crawl-control/features/pay-per-crawl/",
    readers=((Resource.HTTP_HEADERS, read_headers),),
)
