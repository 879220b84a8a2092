"""What a permission signal is: a name, a spec, and pure readers from bytes to declarations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from tercet.core.declaration import Declaration, Place, Reading, Source, Statement
from tercet.core.ids import sha256_hex
from tercet.core.usage import ALL_USAGES, Permission, permit


class Resource(StrEnum):
    """What a block of raw bytes is, which decides the signals that read it."""

    ROBOTS_TXT = "robots_txt"
    TDMREP_JSON = "tdmrep_json"
    AI_TXT = "ai_txt"
    LLMS_TXT = "llms_txt"
    RSL_XML = "rsl_xml"
    HTTP_HEADERS = "http_headers"  # "Name: value" lines as received, CRLF or LF
    HTML = "html"
    XMP = "xmp"  # one XMP packet, embedded or a sidecar file
    METADATA = "metadata"  # other embedded fields as canonical JSON: ID3, PNG text, PDF info
    OPF = "opf"  # the package document of an EPUB
    C2PA = "c2pa"  # the report of a C2PA reader, JSON, with its validation state
    DECLARATION_JSON = "declaration_json"  # ISCC / TDM-AI declaration, sidecar or registry
    LICENCE_TEXT = "licence_text"  # a free-text licence field, e.g. a corpus column
    REGISTRY_MATCH = "registry_match"  # tercet/match@1: registered works found in an item
    AGREEMENT = "agreement"  # tercet/agreement-standing@1: what an agreement means for a use


Reader = Callable[[bytes, Source], tuple[Declaration, ...]]
"""Total: returns a declaration with a fault for bytes it cannot read, and never raises."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of declaration. ``name`` is also its file, its docs page and its vector file."""

    name: str
    title: str
    spec: str
    spec_version: str
    url: str
    readers: tuple[tuple[Resource, Reader], ...]


# Thousands of declarations may stand in one block of bytes; it is hashed once for all of them.
_digest = lru_cache(maxsize=2)(sha256_hex)


def declare(
    signal: tuple[str, str, str],
    raw: bytes,
    source: Source,
    readings: tuple[Reading, ...],
    *,
    lines: tuple[int, int] = (0, 0),
    span: tuple[int, int] | None = None,
    agents: tuple[str, ...] = (),
    fault: str = "",
    advisory: bool = False,
    evidence: dict[str, str] | None = None,
) -> Declaration:
    """Return a declaration of ``signal`` (name, spec, version) found in ``raw``.

    ``lines`` count from 1, both ends included; ``span`` is the byte range within ``raw``
    (everything by default).
    """
    name, spec, version = signal
    start, end = (0, len(raw)) if span is None else span
    return Declaration(
        signal=name,
        spec=spec,
        spec_version=version,
        carrier=source.carrier,
        place=Place(source.uri, lines[0], lines[1], start, end),
        raw_sha256=_digest(raw),
        fetched_at=source.fetched_at,
        readings=readings,
        agents=agents,
        fault=fault,
        advisory=advisory,
        evidence=tuple(sorted((evidence or {}).items())),
    )


def unreadable(
    signal: tuple[str, str, str],
    raw: bytes,
    source: Source,
    fault: str,
    *,
    lines: tuple[int, int] = (0, 0),
    span: tuple[int, int] | None = None,
) -> Declaration:
    """Return the declaration that something is said but cannot be read: doubt, never a grant."""
    reading = Reading((Statement(permit(ALL_USAGES, Permission.UNKNOWN)),), note="unreadable")
    return declare(signal, raw, source, (reading,), lines=lines, span=span, fault=fault)
