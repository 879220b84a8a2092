"""schema.org rights fields of web pages: who is to be credited and asked, never a permission.

schema.org has no vocabulary for training. ``license`` itself is read by the licence signal; here
it is kept beside the holder, the credit line and the page where a licence can be had, as evidence
for payees. Source: schema.org 29 (CreativeWork), Google's image licence metadata guide.
"""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent import json_ld
from tercet.consent.html_page import Page, Property, parse_page
from tercet.consent.plain_text import clean
from tercet.consent.signal import Resource, Signal, declare
from tercet.core.declaration import Declaration, Reading, Source, Statement

_SPEC = ("schema_org", "schema.org CreativeWork", "29")
_RECORDS_MAX = 1_000  # things with rights fields kept of one page
_LINKS = ("license", "usageInfo", "acquireLicensePage", "contentUrl", "url")
_TEXTS = ("creditText", "copyrightNotice", "copyrightYear", "conditionsOfAccess",
          "isAccessibleForFree")  # fmt: skip
_PEOPLE = ("copyrightHolder", "creator", "author", "publisher")
# A thing is kept when it says one of these; a mere author or URL says nothing of rights.
_RIGHTS = frozenset({"license", "usageInfo", "acquireLicensePage", "creditText", "copyrightNotice",
                     "copyrightHolder", "copyrightYear", "conditionsOfAccess",
                     "isAccessibleForFree"})  # fmt: skip


def read_page(raw: bytes, source: Source) -> tuple[Declaration, ...]:
    """Return one advisory declaration per thing on the page that has rights fields. Total."""
    page = parse_page(raw, source.media_type)
    found: list[Declaration] = []
    for evidence, line in (*_json_ld(page, source.uri), *_microdata(page, source.uri)):
        if _RIGHTS & set(evidence) and len(found) < _RECORDS_MAX:
            found.append(
                declare(
                    _SPEC,
                    raw,
                    source,
                    (Reading((Statement((), line=line),), note="evidence"),),
                    lines=(line, line),
                    advisory=True,
                    evidence=evidence,
                )
            )
    return tuple(found)


def _json_ld(page: Page, uri: str) -> Iterator[tuple[dict[str, str], int]]:
    nodes = json_ld.nodes(page)
    known = {
        name: node.names("name")[0]
        for node in nodes
        for name in node.texts("@id")[:1]
        if node.names("name")
    }
    for node in nodes:
        fields = {"type": node.types, "id": node.texts("@id")}
        fields |= {name: tuple(page.resolve(t, uri) for t in node.texts(name)) for name in _LINKS}
        fields |= {name: node.texts(name) for name in _TEXTS}
        fields |= {
            name: tuple(known.get(text, text) for text in node.names(name)) for name in _PEOPLE
        }
        yield _evidence(fields), node.line


def _microdata(page: Page, uri: str) -> Iterator[tuple[dict[str, str], int]]:
    items: dict[int, list[Property]] = {}
    for one in page.properties:
        if one.vocabulary == "microdata" and one.item and "schema.org" in one.item_type:
            items.setdefault(one.item, []).append(one)
    for properties in items.values():
        fields: dict[str, tuple[str, ...]] = {
            "type": (properties[0].item_type.rstrip("/").rpartition("/")[2],)
        }
        for one in properties:
            name, _, rest = one.path.partition(".")
            if name in _LINKS and not rest:
                fields[name] = (*fields.get(name, ()), page.resolve(one.value, uri))
            elif (name in _TEXTS and not rest) or (name in _PEOPLE and rest in ("", "name")):
                fields[name] = (*fields.get(name, ()), one.value)
        yield _evidence(fields), properties[0].line


def _evidence(fields: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the fields that say something; several values of one are joined by " | "."""
    joined = {
        name: clean(" | ".join(dict.fromkeys(text for text in map(clean, values) if text)))
        for name, values in fields.items()
    }
    return {name: text for name, text in joined.items() if text}


SIGNAL = Signal(
    name="schema_org",
    title="schema.org rights fields (evidence only)",
    spec=_SPEC[1],
    spec_version=_SPEC[2],
    url="https://schema.org/CreativeWork",
    readers=((Resource.HTML, read_page),),
)
