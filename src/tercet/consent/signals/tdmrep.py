"""TDMRep, the TDM Reservation Protocol: are the rights of text and data mining reserved?

``tdm-reservation`` 1 reserves them (the opt-out of DSM directive Art. 4(3)), 0 does not; other
values are protocol errors. ``tdm-policy`` leads to the terms on which they can be had. A policy
never softens a reservation: the usage stays denied, with the URL as the way to a licence.

A reservation is read wide: Art. 2(2) covers "any automated analytical technique", so it denies
mining, training, AI indexes and AI input. A 0 is read narrow: it allows mining and training.

Which carrier overrides which (file < header < HTML < inside the document) is for the clearing.
Source: TDMRep, W3C Community Group Final Report of 2024-05-10, sections 3 to 6.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tercet.consent.html_page import parse_page
from tercet.consent.http_headers import header_values, headers_fault, parse_headers
from tercet.consent.media.xmp import about_another, trim
from tercet.consent.plain_text import clean, resolve
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.tdmrep_file import Rule, read_rules
from tercet.consent.signals.tdmrep_policy import read_policy
from tercet.consent.xml_tree import Element, attribute_names, names, parse_xml, text_of
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Declaration, Matching, Reading, Source, Statement
from tercet.core.limits import DECLARATIONS_MAX
from tercet.core.usage import AI_USAGES, TRAINING, Permission, Usage, permit

_SPEC = ("tdmrep", "TDMRep", "2024-05-10")
RESERVED = permit(AI_USAGES | {Usage.MINE}, Permission.DENY)
NOT_RESERVED = permit(TRAINING | {Usage.MINE}, Permission.ALLOW)
UNSET = permit(AI_USAGES | {Usage.MINE}, Permission.UNKNOWN)

__all__ = ["NOT_RESERVED", "RESERVED", "SIGNAL", "UNSET", "read_policy"]

_NAMESPACES = ("http://www.w3.org/ns/tdmrep", "https://www.w3.org/ns/tdmrep")
_LOCALS = ("reservation", "policy")
_QUOTES = "\"'“”‘’ \t\r\n"


@dataclass(frozen=True, slots=True)
class _Value:
    """One ``tdm-reservation`` as found; ``exact`` tells that it is written as the spec has it."""

    text: str
    line: int = 0
    exact: bool = True


def _reserves(text: str) -> bool:
    """Return whether any member of ``text`` is a 1: quoted, listed or padded, a denial counts."""
    members = text.replace(";", ",").replace("|", ",").split(",")
    return any(member.strip(_QUOTES).lower() in ("1", "1.0", "true") for member in members[:1000])


def _frees(text: str) -> bool:
    return text.strip() == "0"


def _declaration(
    raw: bytes, source: Source, values: list[_Value], policies: list[str], *, fault: str = ""
) -> tuple[Declaration, ...]:
    """Return what a header block, a page or a document says; nothing where no value stands."""
    if not values:
        return ()
    line = values[0].line
    urls = tuple(
        dict.fromkeys(resolve(source.uri, policy) for policy in policies if policy.strip())
    )
    evidence = {"tdm_reservation": clean(", ".join(one.text for one in values[:20]), 200)}
    if urls:
        evidence["tdm_policy"] = clean("\n".join(urls[:20]))
    reserving = [one for one in values if _reserves(one.text)]
    said = UNSET
    conditions: tuple[Condition, ...] = ()
    if reserving:  # of two that conflict the denying one rules
        line = reserving[0].line
        said, conditions = RESERVED, _licences(urls)
    elif all(_frees(one.text) and one.exact for one in values):
        said = NOT_RESERVED if not fault else UNSET
    else:
        fault = fault or "tdm-reservation is neither 1 nor 0"
    reading = Reading((Statement(said, None, conditions, line),))
    return (
        declare(_SPEC, raw, source, (reading,), lines=(line, line), fault=fault, evidence=evidence),
    )


def _licences(urls: tuple[str, ...]) -> tuple[Condition, ...]:
    return tuple(Condition(ConditionKind.LICENCE, url) for url in urls[:20])


def read_file(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read ``/.well-known/tdmrep.json``: the first rule whose location matches holds (4.1)."""
    found = read_rules(raw)
    if found is None:
        return ()
    if not found.rules:
        if not found.fault:  # an empty array: nothing is said
            return ()
        return (unreadable(_SPEC, raw, source, found.fault),)
    statements = tuple(_statement(rule, source, faulty=bool(found.fault)) for rule in found.rules)
    policies = dict.fromkeys(c.url for one in statements for c in one.conditions)
    evidence = {"tdm_policy": clean("\n".join(list(policies)[:20]))} if policies else {}
    reading = Reading(statements, Matching.FIRST, "TDMRep section 4.1: the first match holds")
    return (declare(_SPEC, raw, source, (reading,), fault=clean(found.fault), evidence=evidence),)


def _statement(rule: Rule, source: Source, *, faulty: bool) -> Statement:
    if not rule.reserved:  # section 3.2: a policy beside a 0 is not processed
        return Statement(UNSET if faulty else NOT_RESERVED, rule.pattern, line=rule.line)
    urls = (resolve(source.uri, rule.policy),) if rule.policy else ()
    return Statement(RESERVED, rule.pattern, _licences(urls), rule.line)


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read the ``tdm-reservation`` and ``tdm-policy`` response fields (section 4.2)."""
    low = raw.lower()
    if b"tdm" not in low and b"\\u" not in low:  # a JSON block may spell it with escapes
        return ()
    headers = parse_headers(raw)
    fields = [one for one in headers if one.name_lower == "tdm-reservation"]
    policies = list(header_values(headers, "tdm-policy"))
    values = [_Value(one.value, one.line) for one in fields[:DECLARATIONS_MAX]]
    fault = headers_fault(raw)
    if fault and not values and b"tdm" in low:
        return (unreadable(_SPEC, raw, source, fault),)
    return _declaration(raw, source, values, policies, fault=fault)


def read_html(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read ``<meta name="tdm-reservation">`` (section 4.3)."""
    page = parse_page(raw, source.media_type)
    values: list[_Value] = []
    policies: list[str] = []
    for meta in page.metas:
        name = _key(meta.name or meta.property or meta.http_equiv)
        if name == "tdm-reservation":
            values.append(_Value(meta.content, meta.line, meta.name == "tdm-reservation"))
        elif name == "tdm-policy":
            policies.append(meta.content and page.resolve(meta.content, source.uri))
    if page.fault and not values and b"tdm" in raw.lower():
        return (unreadable(_SPEC, raw, source, page.fault),)
    return _declaration(raw, source, values, policies, fault=page.fault)


def _key(name: str) -> str:
    """Return a property name with its separators as in a header: ``tdm:policy``, ``tdm_policy``."""
    return name.strip().lower().replace(":", "-").replace("_", "-")


def read_package(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read the metadata of an EPUB 2 or EPUB 3 package document (section 4.4)."""
    if not _may_speak(raw):
        return ()
    tree = parse_xml(raw)
    if tree.root is None:
        return (unreadable(_SPEC, raw, source, tree.fault),)
    prefixes = _prefixes(tree.root)
    values: list[_Value] = []
    policies: list[str] = []
    for element in tree.root.iter():
        if names(element)[1] != "meta":
            continue
        name, text, exact = _package_meta(element, prefixes)
        if name == "tdm-reservation":
            values.append(_Value(text, int(element.sourceline or 0), exact))
        elif name == "tdm-policy":
            policies.append(text)
    if tree.fault and not values:
        return (unreadable(_SPEC, raw, source, tree.fault),)
    return _declaration(raw, source, values, policies, fault=tree.fault)


def _prefixes(root: Element) -> frozenset[str]:
    """Return the prefixes that an EPUB 3 package binds to TDMRep's vocabulary."""
    words = root.get("prefix", "").split()
    bound = {
        prefix.removesuffix(":")
        for prefix, uri in pairwise(words)
        if prefix.endswith(":") and uri.rstrip("#/") in _NAMESPACES
    }
    return frozenset(bound | {"tdm"})


def _package_meta(element: Element, prefixes: frozenset[str]) -> tuple[str, str, bool]:
    """Return the property of a meta as (key, value, whether it is written as the spec has it)."""
    given = element.get("property") or ""
    name = given or element.get("name") or ""
    prefix, colon, local = name.strip().partition(":")
    key = f"tdm-{local}" if colon and prefix in prefixes else _key(name)
    content = element.get("content")
    text = text_of(element)
    if given:  # EPUB 3: the value is the text
        return key, text or content or "", content is None and bool(text)
    return key, content if content is not None else text, content is not None


def read_xmp(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read ``reservation`` and ``policy`` in TDMRep's namespace, with ``/`` or ``#`` (4.5)."""
    if not _may_speak(raw):
        return ()
    tree = parse_xml(trim(raw))
    if tree.root is None:
        return (unreadable(_SPEC, raw, source, tree.fault),)
    values: list[_Value] = []
    policies: list[str] = []
    for element in tree.root.iter():
        line = int(element.sourceline or 0)
        for key, exact, text in _properties(element):
            if key == "reservation":
                values.append(_Value(text, line, exact))
            elif key == "policy":
                policies.append(text)
    if tree.fault and not values:
        return (unreadable(_SPEC, raw, source, tree.fault),)
    return _declaration(raw, source, values, policies, fault=tree.fault)


def _properties(element: Element) -> Iterator[tuple[str, bool, str]]:
    """Yield (key, whether written as the spec has it, value) of TDMRep properties.

    Only what is said of the document itself is exact, not a note inside a structure such as the
    record of an ingredient.
    """
    namespace, local = names(element)
    parent = element.getparent()
    if namespace.rstrip("#/") in _NAMESPACES:
        text = text_of(element, 2_000) or _resource(element)
        exact = local in _LOCALS and parent is not None and _is_top(parent)
        yield _key(local).removeprefix("tdm-"), exact, text
    for namespace, local, value in attribute_names(element):
        if namespace.rstrip("#/") in _NAMESPACES:
            exact = local in _LOCALS and _is_top(element)
            yield _key(local).removeprefix("tdm-"), exact, value


def _is_top(element: Element) -> bool:
    """Return whether ``element`` is the document's ``rdf:Description`` right below ``rdf:RDF``."""
    parent = element.getparent()
    top = names(element)[1] == "Description" and parent is not None and names(parent)[1] == "RDF"
    return top and not about_another(element)


def read_metadata(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read ``tdm:reservation`` in other embedded fields: PNG text, ID3, PDF information.

    The spec knows no such place, so a denial found there counts and a 0 grants nothing.
    """
    if b"tdm" not in raw.lower():
        return ()
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        return (unreadable(_SPEC, raw, source, "embedded fields that are not JSON"),)
    texts = {k: v for k, v in fields.items() if isinstance(v, str)} if type(fields) is dict else {}
    named = [(_key(name), text) for name, text in texts.items()]  # "TXXX:tdm-reservation"
    values = [_Value(text, exact=False) for name, text in named if _last(name, "tdm-reservation")]
    policies = [text for name, text in named if _last(name, "tdm-policy")]
    return _declaration(raw, source, values, policies)


def _last(name: str, wanted: str) -> bool:
    """Return whether ``name`` is the one wanted, or ends with it after the name of a frame."""
    return name.endswith(wanted) and name[: -len(wanted)][-1:] in (
        "",
        "-",
        "/",
        ".",
        " ",
        "\t",
        "\n",
    )


def _resource(element: Element) -> str:
    return next((value for _, name, value in attribute_names(element) if name == "resource"), "")


def _may_speak(raw: bytes) -> bool:
    """Return whether TDMRep may stand in ``raw``: its name, or references that may spell it."""
    text = raw.replace(b"\x00", b"") if b"\x00" in raw else raw
    return b"&#" in text or b"tdm" in text.lower()


SIGNAL = Signal(
    name="tdmrep",
    title="TDM Reservation Protocol",
    spec="TDMRep",
    spec_version="2024-05-10",
    url="https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/",
    readers=(
        (Resource.TDMREP_JSON, read_file),
        (Resource.HTTP_HEADERS, read_headers),
        (Resource.HTML, read_html),
        (Resource.OPF, read_package),
        (Resource.XMP, read_xmp),
        (Resource.METADATA, read_metadata),
    ),
)
