"""RSL 1.0, Really Simple Licensing: machine-readable license terms in XML, and pointers to them.

A pointer (robots.txt ``License:``, a Link header, an HTML link) says only where the terms stand:
it is kept as a declaration that leaves every usage unknown, with the URL as evidence, until the
document is read. A document, standalone or inside a page, an XMP packet or an EPUB package, says
what is permitted, prohibited, and at what price.

Source: RSL-SPEC-1.0 (https://rslstandard.org/rsl) with errata up to 2026-08-07.
"""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent.html_page import parse_page
from tercet.consent.http_headers import Header, headers_fault, parse_headers
from tercet.consent.plain_text import clean, resolve
from tercet.consent.signal import Resource, Signal, declare, unreadable
from tercet.consent.signals.robots_file import Record, RobotsFile, parse
from tercet.consent.signals.rsl_document import Document, read_document
from tercet.consent.signals.rsl_terms import read_terms
from tercet.consent.web_link import WebLink, parse_links
from tercet.consent.xml_tree import names, parse_xml
from tercet.core.declaration import Carrier, Declaration, Reading, Source, Statement
from tercet.core.limits import DECLARATIONS_MAX
from tercet.core.terms import Condition, ConditionKind
from tercet.core.usage import ALL_USAGES, Permission, permit

_SPEC = ("rsl", "RSL", "1.0")
_MEDIA_TYPE = "application/rsl+xml"
_POINTER_NOTE = "a pointer to license terms, which say nothing until they are read"
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
    if not _mentions_rsl(raw):
        return ()
    found = _read_xml(raw, raw, source, bound=True)
    if found is not None:
        return (found,)
    fault = parse_xml(raw).fault
    return (unreadable(_SPEC, raw, source, fault),) if fault else ()


def _mentions_rsl(raw: bytes) -> bool:
    return b"rslstandard" in (raw.replace(b"\x00", b"") if b"\x00" in raw else raw).lower()


def _read_xml(
    xml: bytes, raw: bytes, source: Source, *, bound: bool, lines: tuple[int, int] = (0, 0)
) -> Declaration | None:
    tree = parse_xml(xml)
    document = read_document(tree.root) if tree.root is not None else None
    if document is None:
        return None
    if tree.fault:
        document = _with_fault(document, tree.fault)
    reading, faults, foreign = read_terms(document, source.uri, bound=bound)
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
    if b"license" not in (raw.replace(b"\x00", b"") if b"\x00" in raw else raw).lower():
        return ()
    robots = parse(raw)
    records = [record for record in robots.records if record.name == "license"]
    found = [_record(record, robots, raw, source) for record in records[:DECLARATIONS_MAX]]
    if len(records) > DECLARATIONS_MAX:
        found.append(unreadable(_SPEC, raw, source, "more License records than the limit"))
    return tuple(found)


def _record(record: Record, robots: RobotsFile, raw: bytes, source: Source) -> Declaration:
    value = record.value.decode("utf-8", "replace").strip().strip("<>\"'")
    lines, span = (record.line, record.line), (record.byte_start, record.byte_end)
    if not value:
        return unreadable(_SPEC, raw, source, "License without a URL", lines=lines, span=span)
    tokens = robots.groups[record.group].tokens if record.group >= 0 else []
    scope = "group" if record.group >= 0 else "global"
    agents = () if "*" in tokens else tuple(dict.fromkeys(tokens))
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
    if url != target:
        facts = facts | {"defects": f"the URL is not absolute: {clean(target, 200)}"}
    condition = Condition(ConditionKind.LICENCE, url)
    statement = Statement(permit(ALL_USAGES, Permission.UNKNOWN), None, (condition,), lines[0])
    return declare(
        _SPEC, raw, source, (Reading((statement,), note=_POINTER_NOTE),),
        lines=lines, span=span, agents=agents, evidence=facts | {"licence_url": url},
    )  # fmt: skip


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read Link fields with rel=license and RSL's media type (section 4.5)."""
    found = [
        _link_header(header, link, raw, source)
        for header in parse_headers(raw)
        if header.name_lower == "link"
        for link in parse_links(header.value)
        if "license" in link.rel and link.media_type == _MEDIA_TYPE
    ][:DECLARATIONS_MAX]
    fault = headers_fault(raw)
    if fault and b"rsl+xml" in raw.lower():
        found.append(unreadable(_SPEC, raw, source, fault))
    return tuple(found)


def _link_header(header: Header, link: WebLink, raw: bytes, source: Source) -> Declaration:
    return _pointer(
        raw, source, link.target, lines=(header.line, header.line),
        span=(header.byte_start, header.byte_end), facts={},
    )  # fmt: skip


def read_html(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Read ``<link rel=license>`` of RSL's type and inline RSL scripts (section 4.6)."""
    page = parse_page(raw, source.media_type)
    found = list(_links_and_scripts(raw, source))
    if page.fault and b"rsl+xml" in raw.lower():
        found.append(unreadable(_SPEC, raw, source, page.fault))
    return tuple(found)


def _links_and_scripts(raw: bytes, source: Source) -> Iterator[Declaration]:
    page = parse_page(raw, source.media_type)
    links = [one for one in page.links if "license" in one.rel and one.media_type == _MEDIA_TYPE]
    scripts = [one for one in page.scripts if one.media_type == _MEDIA_TYPE]
    for link in links[:DECLARATIONS_MAX]:
        url = page.resolve(link.href, source.uri)
        yield _pointer(raw, source, clean(url), lines=(link.line, link.line), facts={})
    for script in scripts[:DECLARATIONS_MAX]:
        lines = (script.line, script.line + script.text.count("\n"))
        text = script.text.strip().removeprefix("<![CDATA[").removesuffix("]]>")
        before = len(script.text) - len(script.text.lstrip())
        start = script.line + script.text[:before].count("\n")
        xml = text.encode("utf-8", "replace")
        # The page is decoded already, so an encoding named inside no longer holds.
        declaration = _read_xml(_undeclared(xml), raw, source, bound=True, lines=(start, lines[1]))
        yield declaration or unreadable(
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
    ),
)
