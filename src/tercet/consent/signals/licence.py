"""Licences: Creative Commons and public-domain marks, SPDX identifiers, free-text rights fields.

A licence is a grant with conditions, an axis of its own beside reservations: it never denies,
and no reservation turns into a grant by it. Sources: the licences' texts; Creative Commons,
"Using CC-licensed works for AI training" (May 2025); HTML Standard 4.6.7 (rel=license); ccREL;
XMP part 1 (xmpRights); Dublin Core; the SPDX License List.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tercet.consent import json_ld
from tercet.consent.html_page import Page, parse_page
from tercet.consent.http_headers import parse_headers
from tercet.consent.licence_names import TEXT_CHARACTERS_MAX, Licence, Naming, naming
from tercet.consent.plain_text import clean, resolve
from tercet.consent.signal import Resource, Signal, declare
from tercet.consent.web_link import parse_links
from tercet.consent.xml_tree import Element, attribute_names, names, parse_xml, text_of
from tercet.core.condition import Condition
from tercet.core.declaration import Declaration, Reading, Source, Statement
from tercet.core.limits import METADATA_BYTES_MAX
from tercet.core.usage import ALL_USAGES, Permission, permit

_SPEC = ("licence", "Licence names, CC and SPDX", "CC 4.0, SPDX 3, table 2026-11-22")
_FIELDS_MAX = 1_000  # rights fields looked at in one resource


@dataclass(frozen=True, slots=True)
class _Field:
    """A rights field: where it stands, what it says. ``other`` speaks of something else than the
    resource, as the licence of one picture in a page; it is kept as evidence only."""

    name: str
    text: str
    line: int = 0
    other: bool = False
    fault: str = ""


# ---- from fields to declarations ------------------------------------------------------------


def _declarations(raw: bytes, source: Source, fields: Iterator[_Field]) -> tuple[Declaration, ...]:
    kept: dict[tuple[str, bool], _Field] = {}
    contradicted = False
    for field in fields:
        text = clean(field.text, TEXT_CHARACTERS_MAX)
        if len(field.text) > TEXT_CHARACTERS_MAX:
            text += "…"  # what was cut off may take the licence back: never certain
        if text and len(kept) < _FIELDS_MAX:
            kept.setdefault((text, field.other), replace(field, text=text))
        elif text:
            contradicted = True  # a field that is not looked at may reserve all rights
    said = {text: naming(text) for text, _ in kept}
    contradicted |= any(
        (said[field.text].reserved or said[field.text].machine_use) and not field.other
        for field in kept.values()
    )
    return tuple(
        _declaration(raw, source, field, said[field.text], contradicted) for field in kept.values()
    )


def _declaration(
    raw: bytes, source: Source, field: _Field, said: Naming, contradicted: bool
) -> Declaration:
    evidence = {"field": field.name, "text": clean(field.text)}
    if said.licences:
        evidence["licence"] = " ".join(licence.licence_id for licence in said.licences)
        evidence["licence_url"] = " ".join(filter(None, (one.url for one in said.licences)))
    if said.reserved:
        evidence["reserved"] = "all rights reserved"
    fault = field.fault
    if said.machine_use:
        fault = "plain words about machine use, which no rule can read"
    if said.certain and not fault:
        readings = tuple(_granted(licence, field.line) for licence in said.licences)
        if contradicted:
            readings += (
                _silence(field.line, "all rights are, or may be, reserved beside the licence"),
            )
    else:
        readings = (_silence(field.line, "no licence is named with certainty"),)
    return declare(
        _SPEC, raw, source, readings, lines=(field.line, field.line),
        fault=fault, advisory=field.other, evidence=evidence,
    )  # fmt: skip


def _granted(licence: Licence, line: int) -> Reading:
    conditions = tuple(Condition(kind, url=licence.url) for kind in licence.conditions)
    permission = Permission.CONDITIONAL if conditions else Permission.ALLOW
    statement = Statement(permit(ALL_USAGES, permission), conditions=conditions, line=line)
    return Reading((statement,), note=licence.licence_id)


def _silence(line: int, note: str) -> Reading:
    return Reading((Statement(permit(ALL_USAGES, Permission.UNKNOWN), line=line),), note=note)


# ---- readers --------------------------------------------------------------------------------


def read_text(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return what a free-text licence field says, such as a column of the corpus. Total."""
    text = raw[:METADATA_BYTES_MAX].decode("utf-8-sig", "replace")
    return _declarations(raw, source, iter([_Field("licence", text)]))


def read_page(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return the licences an HTML page states of itself: rel, metas, RDFa, microdata, JSON-LD."""
    page = parse_page(raw, source.media_type)
    return _declarations(raw, source, _page_fields(page, source.uri))


def read_headers(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return the licences that Link header fields with rel=license state (RFC 8288). Total."""
    return _declarations(raw, source, _header_fields(raw, source.uri))


def read_xmp(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return the licences and rights texts of an XMP packet or an RDF document. Total."""
    tree = parse_xml(raw)
    return _declarations(raw, source, _xmp_fields(tree.root, tree.fault))


def read_opf(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return the licences and rights texts of an EPUB package document. Total."""
    tree = parse_xml(raw)
    return _declarations(raw, source, _opf_fields(tree.root, tree.fault))


def read_metadata(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return the rights fields of embedded metadata: ID3, PNG text, PDF info, EXIF. Total."""
    try:
        values = json.loads(raw[:METADATA_BYTES_MAX])
    except (ValueError, RecursionError):
        return ()
    if not isinstance(values, dict):
        return ()
    return _declarations(raw, source, _metadata_fields(values))


# ---- HTTP headers ---------------------------------------------------------------------------


def _header_fields(raw: bytes, uri: str) -> Iterator[_Field]:
    for header in parse_headers(raw):
        for link in parse_links(header.value) if header.name_lower == "link" else ():
            if _LICENCE_RELS & set(link.rel) and link.media_type != "application/rsl+xml":
                other = bool(link.anchor) and resolve(uri, link.anchor) != uri
                yield _Field("Link rel=license", resolve(uri, link.target), header.line, other)


# ---- HTML -----------------------------------------------------------------------------------

_LICENCE_RELS = frozenset({"license", "licence", "cc:license", "xhv:license", "dcterms:license",
                           "dct:license", "copyright-license"})  # fmt: skip
_LICENCE_METAS = frozenset(
    {"dc.rights", "dc.rights.license", "dcterms.license", "dcterms.rights", "dc.license", "license",
     "dc:rights", "dcterms:license", "dcterms:rights", "rights", "copyright", "licence",
     "cc:license", "citation_license"}
)  # fmt: skip
_LICENCE_PROPERTIES = frozenset({"license", "cc:license", "schema:license", "dcterms:license",
                                 "dct:license", "dc:rights", "dcterms:rights"})  # fmt: skip
# schema.org types that are the page itself or its text; the licence of anything else (a picture,
# a data set, a program) is that thing's own and says nothing of the page.
_PAGE_TYPES = frozenset({"CreativeWork", "Book", "Chapter", "Blog", "Recipe", "Review", "Report",
                         "Thesis", "Guide", "HowTo", "LearningResource"})  # fmt: skip


def _is_page(types: tuple[str, ...]) -> bool:
    endings = ("Page", "Article", "Posting")
    return any(name in _PAGE_TYPES or name.endswith(endings) for name in types)


def _page_fields(page: Page, uri: str) -> Iterator[_Field]:
    for link in page.links:
        if _LICENCE_RELS & set(link.rel) and link.media_type != "application/rsl+xml":
            other = not _about_page(page, link.about, uri)
            yield _Field(f"rel={link.rel[0]}", page.resolve(link.href, uri), link.line, other)
    for meta in page.metas:
        name = meta.name or meta.property
        if name in _LICENCE_METAS:
            yield _Field(f"meta {name}", meta.content, meta.line)
    for one in page.properties:
        path = one.path if one.vocabulary == "microdata" else one.path.lower()
        if path in _LICENCE_PROPERTIES:
            own = _about_page(page, one.about, uri)
            if one.vocabulary == "microdata":
                own = own and _is_page((one.item_type.rstrip("/").rpartition("/")[2],))
            yield _Field(f"{one.vocabulary} {one.path}", _value(page, one.value, uri), one.line,
                         other=not own)  # fmt: skip
    for node in json_ld.nodes(page):
        own = node.outer and _is_page(node.types)
        for text in node.texts("license"):
            yield _Field("json-ld license", _value(page, text, uri), node.line, other=not own)


def _about_page(page: Page, about: str, uri: str) -> bool:
    return not about or page.resolve(about, uri).partition("#")[0] == uri.partition("#")[0]


def _value(page: Page, text: str, uri: str) -> str:
    """Resolve a relative URL; leave any other text as it is."""
    plain = text.strip()
    return page.resolve(plain, uri) if plain.startswith(("/", "./", "../")) else plain


# ---- XMP and RDF ----------------------------------------------------------------------------

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC, _DCTERMS = "http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/"
_CC = "http://creativecommons.org/ns#"
_XMP_FIELDS = {
    (_CC, "license"): "cc:license",
    ("http://web.resource.org/cc/", "license"): "cc:license",
    ("http://ns.adobe.com/xap/1.0/rights/", "WebStatement"): "xmpRights:WebStatement",
    ("http://ns.adobe.com/xap/1.0/rights/", "UsageTerms"): "xmpRights:UsageTerms",
    ("http://www.w3.org/1999/xhtml/vocab#", "license"): "xhv:license",
    (_DC, "rights"): "dc:rights",
    (_DCTERMS, "license"): "dcterms:license",
    (_DCTERMS, "rights"): "dcterms:rights",
}


def _xmp_fields(root: Element | None, fault: str) -> Iterator[_Field]:
    if root is None:
        return
    for subject in _rdf_subjects(root):
        about = subject.get(f"{{{_RDF}}}about", "")
        other = about.startswith(("http:", "https:")) and names(subject)[1] != "Work"
        for namespace, local, value in attribute_names(subject):
            if (namespace, local) in _XMP_FIELDS:
                yield _Field(_XMP_FIELDS[namespace, local], value, subject.sourceline or 0, other,
                             fault)  # fmt: skip
        for child in subject:
            name = _XMP_FIELDS.get(names(child))
            values = list(_rdf_values(child)) if name else []
            doubt = fault or _versions_differ(child, values)
            for value in values:
                yield _Field(name or "", value, child.sourceline or 0, other, doubt)


def _versions_differ(element: Element, values: list[str]) -> str:
    """Return a fault where the language versions of one text do not name the same licences."""
    if len(values) < 2 or element.find(f"{{{_RDF}}}Alt") is None:
        return ""
    named = {naming(clean(value, TEXT_CHARACTERS_MAX)).licences for value in values[:_FIELDS_MAX]}
    return "the language versions do not name the same licence" if len(named) > 1 else ""


def _rdf_subjects(root: Element) -> Iterator[Element]:
    """Yield what an RDF block describes, less the descriptions of licences themselves."""
    for block in root.iter(f"{{{_RDF}}}RDF"):
        for subject in block:
            if names(subject)[1] not in ("", "License"):
                yield subject


def _rdf_values(element: Element) -> Iterator[str]:
    resource = element.get(f"{{{_RDF}}}resource") or element.get("resource")
    if resource:
        yield resource
        return
    items = list(element.iter(f"{{{_RDF}}}li"))
    for one in items or [element]:
        yield one.get(f"{{{_RDF}}}resource") or text_of(one)


# ---- EPUB -----------------------------------------------------------------------------------

_OPF = "http://www.idpf.org/2007/opf"
_OPF_PROPERTIES = frozenset({"dcterms:license", "dcterms:rights", "cc:license", "dcterms.license",
                             "dcterms.rights", "dc.rights", "schema:license"})  # fmt: skip


def _opf_fields(root: Element | None, fault: str) -> Iterator[_Field]:
    if root is None:
        return
    for element in root.iter():
        namespace, local = names(element)
        line = element.sourceline or 0
        if namespace in (_DC, _DCTERMS) and local in ("rights", "license"):
            yield _Field(f"dc:{local}", text_of(element), line, fault=fault)
        elif local == "meta" and namespace in (_OPF, "") and not element.get("refines"):
            name = (element.get("property") or element.get("name") or "").lower()
            if name in _OPF_PROPERTIES:
                yield _Field(name, element.get("content") or text_of(element), line, fault=fault)
        elif local == "link" and namespace in (_OPF, "") and not element.get("refines"):
            rel = set((element.get("rel") or "").lower().split())
            media_type = (element.get("media-type") or "").lower()
            if rel & _LICENCE_RELS and media_type != "application/rsl+xml":
                yield _Field("link rel=license", element.get("href") or "", line, fault=fault)


# ---- other embedded metadata ----------------------------------------------------------------

_RIGHTS_WORDS = ("licen", "copyright", "rights", "wcop", "tcop", "usage terms", "usageterms",
                 "webstatement", "cprt", "©cpy", "icop", "disclaimer")  # fmt: skip


def _metadata_fields(values: dict[str, object]) -> Iterator[_Field]:
    for name, value in values.items():
        low = name.casefold()
        terms_of_use = low == "user" or low.startswith("user:")  # ID3v2.4 section 4.22
        if isinstance(value, str) and (terms_of_use or any(w in low for w in _RIGHTS_WORDS)):
            yield _Field(clean(name, 100), value)


SIGNAL = Signal(
    name="licence",
    title="Creative Commons, public-domain marks, SPDX and free-text licences",
    spec=_SPEC[1],
    spec_version=_SPEC[2],
    url="https://creativecommons.org/share-your-work/cclicenses/",
    readers=(
        (Resource.LICENCE_TEXT, read_text),
        (Resource.HTTP_HEADERS, read_headers),
        (Resource.HTML, read_page),
        (Resource.XMP, read_xmp),
        (Resource.METADATA, read_metadata),
        (Resource.OPF, read_opf),
    ),
)
