"""RSL 1.0, Really Simple Licensing: machine-readable license terms in XML, and pointers to them.

A pointer (robots.txt ``License:``, a Link header, an HTML link) says only where the terms stand:
it is kept as a declaration that leaves every usage unknown, with the URL as evidence, until the
document is read. A document, standalone or inside a page, an XMP packet or an EPUB package, says
what is permitted, prohibited, and at what price.

Source: RSL-SPEC-1.0 (https://rslstandard.org/rsl) with errata up to 2026-08-07.
"""

from __future__ import annotations

import json

from tercet.consent.html_page import Link, Page, Script, parse_page
from tercet.consent.http_headers import Header, headers_fault, parse_headers
from tercet.consent.media.xmp import trim
from tercet.consent.plain_text import clean, resolve
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.robots_file import Record, RobotsFile, parse
from tercet.consent.signals.rsl_document import Document, read_document
from tercet.consent.signals.rsl_terms import read_terms
from tercet.consent.web_link import WebLink, parse_links
from tercet.consent.xml_tree import names, parse_xml
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Carrier, Declaration, Reading, Source, Statement
from tercet.core.usage import ALL_USAGES, Permission, permit

_SPEC = ("rsl", "RSL", "1.0")
_MEDIA_TYPE = "application/rsl+xml"
_POINTER_NOTE = "a pointer to license terms, which say nothing until they are read"
_POINTERS_MAX = 500  # from one resource; each costs a digest of all its bytes
_FACTS_MAX = 20  # different values kept of one fact


def read_rsl_xml(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read a standalone RSL document or an RSS feed with RSL terms."""
    bound = source.carrier in (Carrier.SIDECAR, Carrier.EMBEDDED)
    found = _read_xml(raw, raw, source, bound=bound)
    if found is None:
        return (unreadable(_SPEC, raw, source, _no_terms(raw)),)
    return (found,)


def _no_terms(raw: bytes) -> str:
    tree = parse_xml(raw)
    if tree.root is not None and names(tree.root)[1].lower() == "html":
        return "an HTML page instead of RSL terms"
    return tree.fault or "no RSL terms in this document"


def read_embedded(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read RSL terms inside an XMP packet or an EPUB package document (section 4.8)."""
    if not _may_speak(raw):
        return ()
    xml = trim(raw)
    found = _read_xml(xml, raw, source, bound=True)
    if found is not None:
        return (found,)
    fault = parse_xml(xml).fault
    return (unreadable(_SPEC, raw, source, fault),) if fault and _mentions_rsl(raw) else ()


def read_metadata(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read RSL terms inside a text field: an ID3 frame, a PNG iTXt chunk (section 4.8)."""
    if not _mentions_rsl(raw):
        return ()
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        return (unreadable(_SPEC, raw, source, "embedded fields that are not JSON"),)
    values = fields.values() if isinstance(fields, dict) else ()
    texts = [value for value in values if isinstance(value, str) and "<" in value]
    found: list[Declaration] = []
    for text in texts[:_POINTERS_MAX]:
        xml = _undeclared(text.encode("utf-8", "replace"))
        if _mentions_rsl(xml):
            declaration = _read_xml(xml, raw, source, bound=True)
            found.append(declaration or unreadable(_SPEC, raw, source, _no_terms(xml)))
    return tuple(found)


def _mentions_rsl(raw: bytes) -> bool:
    text = raw.replace(b"\x00", b"") if b"\x00" in raw else raw
    return b"rslstandard" in text.lower()


def _may_speak(raw: bytes) -> bool:
    """Return whether RSL may stand in ``raw``: its name, or references that may spell it."""
    return b"&#" in raw.replace(b"\x00", b"") or _mentions_rsl(raw)


def _read_xml(
    xml: bytes, raw: bytes, source: Source, *, bound: bool, lines: tuple[int, int] = (0, 0)
) -> Declaration | None:
    tree = parse_xml(xml)
    document = read_document(tree.root) if tree.root is not None else None
    if document is None:
        return None
    if tree.fault:
        document = _with_fault(document, tree.fault)
    reading, faults, foreign = read_terms(document, source.site or source.uri, bound=bound)
    if bound and len(document.contents) > 1:  # section 4.8: exactly one
        faults = (*faults, "more than one content in an embedded document")
        reading = _without_grants(reading)
    if lines[0] > 1:
        reading = _moved(reading, lines[0] - 1)
    return declare(
        _SPEC, raw, source, (reading,), lines=lines,
        fault=clean("; ".join(faults)), evidence=_evidence(document, foreign),
    )  # fmt: skip


def _with_fault(document: Document, fault: str) -> Document:
    return Document(
        document.contents, document.max_age_days, (*document.faults, fault), document.defects
    )


def _without_grants(reading: Reading) -> Reading:
    statements = tuple(
        Statement(
            tuple(
                (usage, Permission.UNKNOWN if said is Permission.ALLOW else said)
                for usage, said in one.permissions
            ),
            one.pattern, one.conditions, one.line,
        )
        for one in reading.statements
    )  # fmt: skip
    return Reading(statements, reading.matching, reading.note)


def _moved(reading: Reading, lines_before: int) -> Reading:
    """Count lines from the start of the page that an inline document stands in."""
    statements = tuple(
        Statement(
            one.permissions, one.pattern, one.conditions, one.line and one.line + lines_before
        )
        for one in reading.statements
    )
    return Reading(statements, reading.matching, reading.note)


def _evidence(document: Document, foreign: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, dict[str, None]] = {}

    def keep(name: str, value: str) -> None:
        kept = values.setdefault(name, {})
        if value and len(kept) < _FACTS_MAX:
            kept[value] = None

    for content in document.contents:
        for name, value in content.facts:
            keep(name, value)
        for one in content.licenses:
            for name, value in one.facts:
                keep(name, value)
            for payment in one.payments:
                keep("payment_standard", payment.standard)
                keep("payment_custom", payment.custom)
                keep("payment_accepts", payment.accepts)
    for url in foreign:
        keep("other_host_urls", url)
    for defect in document.defects:
        keep("defects", defect)
    facts = {name: clean("\n".join(kept)) for name, kept in values.items() if kept}
    return {"max_age_days": str(document.max_age_days)} | facts


def read_robots(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read ``License:`` records; one inside a group is addressed to that group (section 4.4)."""
    if b"licen" not in (raw.replace(b"\x00", b"") if b"\x00" in raw else raw).lower():
        return ()
    robots = parse(raw)
    named = (*robots.records_named("license"), *robots.records_named("licence"))
    records = sorted(named, key=lambda record: record.line)
    groups = _tokens_by_group(robots) if records else {}
    found = [_record(record, groups, raw, source) for record in records[:_POINTERS_MAX]]
    if len(records) > _POINTERS_MAX:
        found.append(unreadable(_SPEC, raw, source, "more License records than the limit"))
    return tuple(found)


def _tokens_by_group(robots: RobotsFile) -> dict[int, list[str]]:
    groups: dict[int, list[str]] = {}
    for token, indexes in robots.tokens(wide=True).items():
        for index in indexes:
            groups.setdefault(index, []).append(token)
    return groups


def _record(
    record: Record, groups: dict[int, list[str]], raw: bytes, source: Source
) -> Declaration:
    value = record.value.decode("utf-8", "replace").strip().strip("<>\"'")
    lines, span = (record.line, record.line), (record.byte_start, record.byte_end)
    if not value:
        return unreadable(_SPEC, raw, source, "License without a URL", lines=lines, span=span)
    tokens = groups.get(record.group, []) if record.group >= 0 else []
    scope = "group" if record.group >= 0 else "global"
    agents = () if "*" in tokens else tuple(tokens)
    return _pointer(
        raw, source, value, lines=lines, span=span, agents=agents, facts={"scope": scope}
    )


def _pointer(
    raw: bytes,
    source: Source,
    target: str,
    *,
    lines: tuple[int, int],
    span: tuple[int, int] | None = None,
    agents: tuple[str, ...] = (),
    facts: dict[str, str],
) -> Declaration:
    url = resolve(source.uri, target)
    if "://" not in target:
        facts = facts | {"defects": f"the URL is not absolute: {clean(target, 200)}"}
    condition = Condition(ConditionKind.LICENCE, url)
    statement = Statement(permit(ALL_USAGES, Permission.UNKNOWN), None, (condition,), lines[0])
    return declare(
        _SPEC, raw, source, (Reading((statement,), note=_POINTER_NOTE),),
        lines=lines, span=span, agents=agents, evidence=facts | {"licence_url": url},
    )  # fmt: skip


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read Link fields with rel=license and RSL's media type (section 4.5)."""
    low = raw.lower()
    if b"rsl+xml" not in low and b"\\u" not in low:  # a JSON block may spell it with escapes
        return ()
    links = [
        (header, link)
        for header in parse_headers(raw)
        if header.name_lower == "link"
        for link in parse_links(header.value)
        if "license" in link.rel and link.media_type == _MEDIA_TYPE
    ]
    found = [_link_header(*link, raw, source) for link in links[:_POINTERS_MAX]]
    fault = headers_fault(raw) or _too_many(len(links))
    if fault and b"rsl+xml" in low:
        found.append(unreadable(_SPEC, raw, source, fault))
    return tuple(found)


def _too_many(count: int) -> str:
    return "more license links than the limit" if count > _POINTERS_MAX else ""


def _link_header(header: Header, link: WebLink, raw: bytes, source: Source) -> Declaration:
    return _pointer(
        raw, source, link.target, lines=(header.line, header.line),
        span=(header.byte_start, header.byte_end), facts={},
    )  # fmt: skip


def read_html(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read ``<link rel=license>`` of RSL's type and inline RSL scripts (section 4.6)."""
    page = parse_page(raw, source.media_type)
    links = [one for one in page.links if "license" in one.rel and one.media_type == _MEDIA_TYPE]
    scripts = [one for one in page.scripts if one.media_type == _MEDIA_TYPE]
    found = [_html_link(link, page, raw, source) for link in links[:_POINTERS_MAX]]
    found += [_inline(script, raw, source) for script in scripts[:_POINTERS_MAX]]
    fault = page.fault or _too_many(max(len(links), len(scripts)))
    if fault and b"rsl+xml" in raw.lower():
        found.append(unreadable(_SPEC, raw, source, fault))
    return tuple(found)


def _html_link(link: Link, page: Page, raw: bytes, source: Source) -> Declaration:
    url = clean(page.resolve(link.href, source.uri))
    return _pointer(raw, source, url, lines=(link.line, link.line), facts={})


def _inline(script: Script, raw: bytes, source: Source) -> Declaration:
    lines = (script.line, script.line + script.text.count("\n"))
    text = script.text.strip().removeprefix("<![CDATA[").removesuffix("]]>")
    before = len(script.text) - len(script.text.lstrip())
    start = script.line + script.text[:before].count("\n")
    # The page is decoded already, so an encoding named inside no longer holds.
    xml = _undeclared(text.encode("utf-8", "replace"))
    found = _read_xml(xml, raw, source, bound=True, lines=(start, lines[1]))
    return found or unreadable(
        _SPEC, raw, source, "an inline script without RSL terms", lines=lines
    )


def _undeclared(xml: bytes) -> bytes:
    """Blank an XML declaration, keeping its line ends."""
    end = xml.find(b"?>") if xml.lstrip().startswith(b"<?xml") else -1
    return xml if end < 0 else b"\n" * xml[:end].count(b"\n") + xml[end + 2 :]


SIGNAL = Signal(
    name="rsl",
    title="RSL 1.0 license terms",
    spec="RSL",
    spec_version="1.0",
    url="https://rslstandard.org/rsl",
    readers=(
        (Resource.RSL_XML, read_rsl_xml),
        (Resource.ROBOTS_TXT, read_robots),
        (Resource.HTTP_HEADERS, read_headers),
        (Resource.HTML, read_html),
        (Resource.XMP, read_embedded),
        (Resource.OPF, read_embedded),
        (Resource.METADATA, read_metadata),
    ),
)
