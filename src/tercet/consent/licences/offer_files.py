"""Offers as files that a site serves: what machines read there, with the meaning intended.

    rsl.xml                      the offers in RSL 1.0, each with the address of the signed one
    robots-lines.txt             lines to put into robots.txt
    headers.txt                  lines for the server: Link, TDM-Reservation, TDM-Policy
    .well-known/tdmrep.json      the reservation, with the way to the policy
    .well-known/tdm-policy.json  the policy of TDMRep: an ODRL offer
    offers/<uuid>.json           the signed offer, with its maker's documents
    offers/<sha256>.txt          the works that it is about

Sources: RSL-SPEC-1.0 sections 3 and 4; TDMRep 2024-05-10 sections 4 and 7; RFC 8288 section 3.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from tercet.consent.licences.dues import Unit, amounts_of, has_price
from tercet.consent.licences.published_offer import PublishedOffer
from tercet.consent.licences.rsl_terms_export import rsl_license, rsl_unsaid
from tercet.consent.licences.unsaid import Unsaid
from tercet.consent.signals.rsl_document import NAMESPACE, PRICE_NAMESPACE
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.core.money import MICROS
from tercet.core.terms import Terms

RSL_FILE = "rsl.xml"
POLICY_FILE = ".well-known/tdm-policy.json"
RSL_TYPE = "application/rsl+xml"
_SCOPES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class OfferedWorks:
    """A published offer with the bytes of its repertoire."""

    published: PublishedOffer
    repertoire: bytes


@dataclass(frozen=True, slots=True)
class OfferFiles:
    """The files by their path on the site, and what RSL could not say of the terms."""

    files: Mapping[str, bytes]
    unsaid: tuple[Unsaid, ...]


def offer_files(
    offers: Sequence[OfferedWorks], site: str, *, address: str = "", allows_search: bool = True
) -> OfferFiles:
    """Return the files of offers for the site at the origin ``site``.

    ``address`` is the base URL of an API that serves the offers too, "" where none does. With
    ``allows_search`` a search engine is told that it may go on: a list of what is permitted would
    forbid it. Raises InputError where no work of an offer stands at that site.
    """
    origin = origin_of(site)
    files: dict[str, bytes] = {}
    scopes: dict[str, list[OfferedWorks]] = {}
    unsaid: dict[Unsaid, None] = {}
    for each in offers:
        uuid = uuid_of(each.published)
        files[f"offers/{uuid}.json"] = canonical_json(each.published.fields()) + b"\n"
        files[f"offers/{each.published.terms.repertoire.sha256}.txt"] = each.repertoire
        for path in scopes_of(each.repertoire, origin):
            scopes.setdefault(path, []).append(each)
        unsaid |= dict.fromkeys(rsl_unsaid(each.published.terms))
    rsl = _rsl(scopes, origin, address, allows_search=allows_search)
    files[RSL_FILE] = rsl.encode()
    files["robots-lines.txt"] = f"License: {origin}/{RSL_FILE}\n".encode()
    policy = f"{origin}/{POLICY_FILE}"
    files["headers.txt"] = (
        f'Link: <{origin}/{RSL_FILE}>; rel="license"; type="{RSL_TYPE}"\n'
        f"TDM-Reservation: 1\nTDM-Policy: {policy}\n"
    ).encode()
    rules = [
        {"location": path, "tdm-reservation": 1, "tdm-policy": policy} for path in sorted(scopes)
    ]
    files[".well-known/tdmrep.json"] = _json(rules)
    files[POLICY_FILE] = _json(_policy(offers, policy, origin, address))
    return OfferFiles(files, tuple(unsaid))


def origin_of(site: str) -> str:
    """Return the origin of an address such as https://example.org. Raises InputError."""
    parts = urlsplit(site.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        raise InputError(
            f"expected the address of a site, got {site[:80]!r}", hint="such as https://example.org"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def uuid_of(published: PublishedOffer) -> str:
    """Return the UUID of an offer, without the words before it."""
    return published.id.removeprefix("urn:uuid:")


def offer_address(published: PublishedOffer, origin: str, address: str = "") -> str:
    """Return where the signed offer is to be had: from the API, or as a file of the site."""
    if address:
        return f"{address.rstrip('/')}/v1/offers/{published.id}"
    return f"{origin}/offers/{uuid_of(published)}.json"


def scopes_of(repertoire: bytes, origin: str) -> tuple[str, ...]:
    """Return the paths of a site that a repertoire names; "/" for the whole of it.

    Raises InputError where it names none, or too many to be listed in a file.
    """
    lines = repertoire.decode("utf-8").splitlines()
    if f"site:{origin}" in lines:
        return ("/",)
    prefix = f"url:{origin}/"
    paths = tuple("/" + line.removeprefix(prefix) for line in lines if line.startswith(prefix))
    if not paths:
        raise InputError(
            f"the offer names no work at {origin}",
            hint="its works need a line such as site:" + origin,
        )
    if len(paths) > _SCOPES_MAX:
        raise InputError(
            f"expected at most {_SCOPES_MAX} addresses to list, got {len(paths)}",
            hint="offer the whole site, or a site of its own for these works",
        )
    return paths


# ---- RSL --------------------------------------------------------------------------------------


def _rsl(
    scopes: Mapping[str, Sequence[OfferedWorks]], origin: str, address: str, *, allows_search: bool
) -> str:
    contents = []
    for path, offers in sorted(scopes.items()):
        licenses = [_license(each.published, origin, address) for each in offers]
        if allows_search:
            licenses.append('    <license><permits type="usage">search</permits></license>')
        holder = escape(offers[0].published.terms.licensor.name)
        contents.append(
            f"  <content url={quoteattr(_pattern(path))}>\n" + "\n".join(licenses)
            + f"\n    <copyright>{holder}</copyright>\n  </content>"
        )  # fmt: skip
    body = "\n".join(contents)
    own = f'xmlns:tercet="{PRICE_NAMESPACE}"'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rsl xmlns="{NAMESPACE}" {own}>\n{body}\n</rsl>\n'
    )


def _pattern(path: str) -> str:
    """Return a path as an RSL pattern: a single address ends there, and stars are no wildcards."""
    if path == "/":
        return path
    return path.replace("*", "%2A").replace("$", "%24") + "$"


def _license(published: PublishedOffer, origin: str, address: str) -> str:
    """Return the license of RSL, with our own price in it where RSL has no amount for it."""
    terms = published.terms
    license_xml = rsl_license(terms, offer_address(published, origin, address))
    if not has_price(terms.price) or "<amount" in license_xml:
        return license_xml
    unit, micros = simple_price(terms)
    currency = quoteattr(terms.price.currency)
    own = f'<tercet:price amount="{_decimal(micros)}" currency={currency} unit="{unit}"/>'
    return license_xml.replace("</payment>", f"{own}</payment>")


def simple_price(terms: Terms) -> tuple[str, int]:
    """Return one unit and its amount in our extension; several prices are one "price in terms".

    A share of revenue has no amount: it stands as a price of 0 in terms.
    """
    found = amounts_of(terms.price)
    if len(found) == 1 and not _has_ends(terms) and found[0][0] is not Unit.REVENUE:
        return str(found[0][0]), found[0][1]
    counted = [micros for unit, micros in found if unit is not Unit.REVENUE]
    price = terms.price
    ends = (price.guarantee_micros, price.advance_micros, price.floor_micros)
    return "price in terms", max(ends) or next(iter(counted), 0)


def _has_ends(terms: Terms) -> bool:
    price = terms.price
    ends = (price.cap_micros, price.floor_micros, price.guarantee_micros, price.advance_micros)
    return any(ends)


def _decimal(micros: int) -> str:
    whole, part = divmod(micros, MICROS)
    return f"{whole}.{part:06d}".rstrip("0").ljust(len(str(whole)) + 3, "0")


# ---- TDMRep -----------------------------------------------------------------------------------


def _policy(
    offers: Sequence[OfferedWorks], uid: str, origin: str, address: str
) -> dict[str, object]:
    """Return the policy of TDMRep section 7: consent is needed, and a licence can be had."""
    maker = offers[0].published.terms.licensor
    return {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"tdm": "http://www.w3.org/ns/tdmrep#",
                     "vcard": "http://www.w3.org/2006/vcard/ns#"}],
        "@type": "Offer",
        "profile": "http://www.w3.org/ns/tdmrep",
        "uid": uid,
        "assigner": {"uid": maker.id, "vcard:fn": maker.name,
                     "vcard:hasURL": offer_address(offers[0].published, origin, address)},
        "permission": [
            {
                "target": f"{origin}/",
                "action": "tdm:mine",
                "duty": [{"action": "obtainConsent"}, *_compensation(each)],
            }
            for each in offers
        ],
    }  # fmt: skip


def _compensation(each: OfferedWorks) -> list[dict[str, str]]:
    return [{"action": "compensate"}] if has_price(each.published.terms.price) else []


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def file_names(files: Iterable[str]) -> tuple[str, ...]:
    """Return file names in the order people read them."""
    return tuple(sorted(files, key=lambda name: (name.startswith("."), "/" in name, name)))
