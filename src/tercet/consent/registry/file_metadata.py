"""What a file says of itself: title, creators, identifiers, rights. Defaults for a claim.

Read are XMP and the RDF of SVG drawings (Dublin Core, xmpRights, ccREL's cc:Work), the package
document of EPUB (EPUB 3.3 section 5.5), and the tags of sound and video (ID3, Vorbis comments,
MP4). Anybody can write anything into a file: it names nobody as the owner, and grants nothing
unless the registrant says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from tercet.consent.fingerprints.media_type import CONTAINER_OPTIONS
from tercet.consent.licence_names import naming
from tercet.consent.media.packets import extract
from tercet.consent.plain_text import clean
from tercet.consent.registry.description import Description
from tercet.consent.registry.identifiers import identifier
from tercet.consent.signal import Resource
from tercet.consent.xml_tree import Element, attribute_names, names, parse_xml, text_of
from tercet.core.errors import InputError

HEAD_BYTES = 16 * 1024 * 1024
"""How much of a file is looked at for packets; tags are found wherever they stand."""

_TITLE_MAX, _RIGHTS_MAX, _CREATORS_MAX, _VALUES_MAX = 300, 1000, 50, 1000
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/")
_CC = ("http://creativecommons.org/ns#", "http://web.resource.org/cc/")
_XMP_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
_NAMES = {
    **{(dc, "title"): "title" for dc in _DC},
    **{(dc, "creator"): "creator" for dc in _DC},
    **{(dc, "identifier"): "identifier" for dc in _DC},
    **{(dc, "rights"): "rights" for dc in _DC},
    (_DC[1], "license"): "licence",
    **{(cc, "license"): "licence" for cc in _CC},
    (_XMP_RIGHTS, "WebStatement"): "statement",
    (_XMP_RIGHTS, "UsageTerms"): "terms",
}
_TAGS = {
    "title": "title", "tit2": "title", "artist": "creator", "tpe1": "creator",
    "composer": "creator", "author": "creator", "isrc": "isrc", "tsrc": "isrc", "iswc": "iswc",
    "license": "licence", "licence": "licence", "wcop": "licence", "copyright": "rights",
    "tcop": "rights", "rights": "rights",
}  # fmt: skip
_RIGHTS_ORDER = ("licence", "statement", "terms", "rights")
Found = Iterable[tuple[str, str]]
"""(role, text) in the order in which they were found."""


def describe_file(file: BinaryIO, name: str, *, has_streams: bool) -> Description:
    """Return what a file says of itself; ``has_streams``: it is sound or video. Total for bytes."""
    file.seek(0)
    raw = file.read(HEAD_BYTES)
    found = [*packet_fields(raw, name)]
    if has_streams:
        found += tag_fields(stream_tags(file))
    return description_of(found)


def packet_fields(raw: bytes, name: str) -> Iterator[tuple[str, str]]:
    """Yield what the packets in a file's bytes say. Total."""
    for packet in extract(raw, name).packets:
        if packet.resource is Resource.XMP:
            yield from rdf_fields(packet.raw)
        elif packet.resource is Resource.OPF:
            yield from opf_fields(packet.raw)
        elif packet.resource is Resource.METADATA:
            yield from _json_fields(packet.raw)


def _json_fields(raw: bytes) -> Iterator[tuple[str, str]]:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError):
        return
    if isinstance(values, dict):
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        yield from tag_fields(texts)


def tag_fields(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what the tags of sound or video say; names of tags count in any case."""
    for name, value in list(tags.items())[:_VALUES_MAX]:
        role = _TAGS.get(name.lower())
        if role:
            yield role, value


def stream_tags(file: BinaryIO) -> dict[str, str]:
    """Return the tags of a container of sound or video; none where it cannot be opened."""
    import av

    file.seek(0)
    try:
        with av.open(file, metadata_errors="replace", container_options=CONTAINER_OPTIONS) as media:
            tags = dict(media.metadata)
            for stream in media.streams:
                tags = dict(stream.metadata) | tags
    except (av.FFmpegError, OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in tags.items()}


def rdf_fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield what the RDF of an XMP packet or an SVG drawing says of the work. Total."""
    root = parse_xml(raw).root
    if root is None:
        return
    for block in root.iter(f"{{{_RDF}}}RDF"):
        for subject in block:
            if names(subject)[1] in ("", "License", "Agent"):
                continue
            for namespace, local, value in attribute_names(subject):
                if (namespace, local) in _NAMES:
                    yield _NAMES[namespace, local], value
            for child in subject:
                role = _NAMES.get(names(child))
                for value in _values(child) if role else ():
                    yield role or "", value


def _values(element: Element) -> Iterator[str]:
    """Yield the values of a property: a resource, the items of a list, an agent's name, text."""
    resource = element.get(f"{{{_RDF}}}resource")
    if resource:
        yield resource
        return
    agents = [each for each in element.iter() if names(each)[1] == "Agent"]
    titles = [each for agent in agents for each in agent if names(each)[1] == "title"]
    items = titles if agents else list(element.iter(f"{{{_RDF}}}li"))
    if element.find(f"{{{_RDF}}}Alt") is not None:
        items = items[:1]  # language versions of one text; the first is the default
    for each in (items or [element])[:_CREATORS_MAX]:
        yield text_of(each, _RIGHTS_MAX)


def opf_fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield what the package document of an EPUB says. Total."""
    root = parse_xml(raw).root
    for count, element in enumerate(root.iter() if root is not None else ()):
        if count >= _VALUES_MAX:
            return
        namespace, local = names(element)
        if namespace in _DC and (namespace, local) in _NAMES:
            yield _NAMES[namespace, local], text_of(element, _RIGHTS_MAX)


def description_of(found: Found) -> Description:
    """Return the description that fields make up; what is not valid is left out."""
    by_role: dict[str, list[str]] = {}
    for role, text in found:
        plain = clean(text, _RIGHTS_MAX)
        if plain and plain not in by_role.setdefault(role, []):
            by_role[role].append(plain)
    said = {role: texts for role, texts in by_role.items() if texts}
    return Description(
        title=clean(said.get("title", [""])[0], _TITLE_MAX),
        creators=tuple(clean(t, _TITLE_MAX) for t in said.get("creator", [])[:_CREATORS_MAX]),
        identifiers=tuple(sorted(dict(_identifiers(said)).items())),
        rights=_rights(said),
    )


def _rights(said: Mapping[str, list[str]]) -> str:
    """Return the text that names a licence with certainty, else the first that speaks of rights."""
    texts = [text for role in _RIGHTS_ORDER for text in said.get(role, ())]
    certain = (text for text in texts if naming(text).certain)
    return next(certain, texts[0] if texts else "")


def _identifiers(said: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    for scheme in ("isrc", "iswc"):
        for text in said.get(scheme, ()):
            yield from _valid(scheme, text)
    for text in said.get("identifier", ()):
        lower = text.lower().removeprefix("urn:")
        for scheme in ("isbn", "isrc", "eidr"):
            if lower.startswith(scheme) or (scheme == "eidr" and "10.5240/" in lower):
                yield from _valid(scheme, lower.removeprefix(f"{scheme}:"))


def _valid(scheme: str, text: str) -> Iterator[tuple[str, str]]:
    try:
        yield scheme, identifier(scheme, text)
    except InputError:
        return
