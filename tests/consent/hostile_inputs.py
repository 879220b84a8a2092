"""Hostile inputs, by kind of resource: each is named after what it does to a careless reader."""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent.signal import Resource

LAUGHS = b"<!DOCTYPE l [<!ENTITY a 'ha'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(9)
) + b"]>"  # fmt: skip
QUADRATIC = b"<!DOCTYPE q [<!ENTITY a '" + b"a" * 50_000 + b"'>]>"
OUTSIDE = (
    b"<!DOCTYPE o [<!ENTITY a SYSTEM 'file:///etc/passwd'><!ENTITY % b SYSTEM 'http://x/'> %b;]>"
)
RSL = (
    b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/">'
    b"<license>%s</license></content></rsl>"
)
RDF = (
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    b' xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    b'<rdf:Description rdf:about="">%s</rdf:Description></rdf:RDF>'
)
OPF = (
    b'<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
    b'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">%s</metadata></package>'
)
XML = {Resource.RSL_XML: RSL, Resource.XMP: RDF, Resource.OPF: OPF}
ENTITIES = {
    "billion-laughs": (LAUGHS, b"&j;"),
    "quadratic-blow-up": (QUADRATIC, b"&a;" * 5_000),
    "outside-entity": (OUTSIDE, b"&a;"),
}
JSON = (
    Resource.TDMREP_JSON, Resource.METADATA, Resource.C2PA, Resource.DECLARATION_JSON,
)  # fmt: skip
TEXT = (Resource.ROBOTS_TXT, Resource.AI_TXT, Resource.LLMS_TXT, Resource.LICENCE_TEXT)


def hostile_inputs() -> Iterator[tuple[str, Resource, bytes]]:
    """Yield (name, resource, bytes)."""
    for resource, frame in XML.items():
        for name, (prologue, body) in ENTITIES.items():
            yield name, resource, prologue + frame.replace(b"%s", body)
        yield "nested-elements", resource, frame.replace(b"%s", b"<a>" * 100_000)
        yield (
            "many-attributes",
            resource,
            frame.replace(b"%s", b"<a " + b" ".join(b"b%d='c'" % n for n in range(50_000)) + b"/>"),
        )
        yield (
            "many-namespaces",
            resource,
            frame.replace(
                b"%s", b"".join(b"<x%d:a xmlns:x%d='u%d'/>" % (n, n, n) for n in range(20_000))
            ),
        )
        yield "comment-without-end", resource, frame.replace(b"%s", b"<!--" * 100_000)
    for resource in JSON:
        yield "nested-arrays", resource, b"[" * 100_000
        yield "nested-objects", resource, b'{"a":' * 100_000
        yield "closed-nest", resource, b"[" * 50_000 + b"]" * 50_000
        yield (
            "number-of-a-million-digits",
            resource,
            b'[{"location":"/","tdm-reservation":' + (b"1" * 1_000_000 + b"}]"),
        )
        yield (
            "lone-surrogate",
            resource,
            b'[{"location":"/\\ud800","tdm-reservation":1,' + (b'"tdm-policy":"\\udc00"}]'),
        )
        yield "many-entries", resource, b"[" + b",".join(
            b'{"location":"/%d*a*a*a*a$","tdm-reservation":1}' % n for n in range(20_000)
        ) + b"]"  # fmt: skip
    for resource in TEXT:
        yield "million-lines", resource, b"Disallow: /a\n" * 1_000_000
        yield "million-agents", resource, b"User-agent: a\n" * 1_000_000
        yield "one-line-of-ten-million", resource, b"User-agent: *\nDisallow: /" + b"a" * 10_000_000
        yield "stars", resource, b"User-agent: *\nDisallow: /" + b"*a" * 8_000 + b"$\n"
        yield "only-carriage-returns", resource, b"User-agent: *\rDisallow: /*a*a*a*a$\r" * 20_000
        yield "only-nul", resource, bytes(600_000)
        yield (
            "content-usage",
            resource,
            b"User-agent: *\n" + (b"Content-Usage: /" + b"*a" * 200 + b" train-ai=n\n") * 2_000,
        )
    yield from _runs()
    yield from _headers()
    yield from _pages()


def _runs() -> Iterator[tuple[str, Resource, bytes]]:
    """Long runs of one piece, which make a careless search start again at every octet."""
    for name, piece in {
        "blanks": b" ", "line-ends": b"\n", "letters": b"a", "digits": b"1", "hyphens": b"-",
        "dots": b"a.", "slashes": b"//", "words": b"cc by ", "urls": b"http://a", "zeros": b"&#0",
        "versions": b"by-nc-", "all": b"all rights ", "public": b"public ", "not": b"not under ",
    }.items():  # fmt: skip
        run = piece * (100_000 // len(piece))
        text = run.strip().replace(b"\n", b"\\n")
        yield f"run-of-{name}", Resource.LICENCE_TEXT, b"CC" + run + b"x"
        yield f"run-of-{name}", Resource.METADATA, b'{"Copyright":"' + text + b'x"}'
        yield (
            f"run-of-{name}",
            Resource.XMP,
            RDF.replace(b"%s", b"<dc:rights>" + run.replace(b"&", b"") + b"x</dc:rights>"),
        )
        yield f"run-of-{name}", Resource.ROBOTS_TXT, b"User-agent: *\nDisallow: /" + run + b"x\n"
        yield f"run-of-{name}", Resource.AI_TXT, b"User-agent:" + run + b"x\nDisallow: /\n"
        yield (
            f"run-of-{name}",
            Resource.HTTP_HEADERS,
            b"Link: <"
            + run.replace(b"\n", b"")
            + b'>; rel="license"\r\nContent-Usage: '
            + run[:60_000].replace(b"\n", b"")
            + b"x\r\n",
        )
        for before, after in (
            (b'<script type="application/ld+json">{"license":"', b'x"}</script>'),
            (b'<script type="application/ld+json">[1', b"x]</script>"),
            (b'<meta name="robots" content="', b'x">'),
            (b'<a rel="license" href="', b'x">'),
            (b'<meta name="dc.rights" content="', b'x">'),
            (b"<p>", b"x"),
            (b"<script>", b"x</script>"),
        ):
            yield f"run-of-{name}-in-{before[:40].decode()}", Resource.HTML, before + run + after


def _headers() -> Iterator[tuple[str, Resource, bytes]]:
    kind = Resource.HTTP_HEADERS
    for name in (b"Content-Usage", b"Content-Signal", b"X-Robots-Tag", b"Link", b"tdm-reservation",
                 b"tdm-policy", b"crawler-price"):  # fmt: skip
        for flaw, value in {
            "commas": b"," * 60_000,
            "quotes": b'"\\' * 30_000,
            "brackets": b"<(" * 30_000,
            "parameters": b"a=n" + b";b" * 20_000,
            "colons": b"a:" * 30_000,
            "spaces": b" \t" * 30_000 + b"x",
        }.items():
            yield f"{name.decode().lower()}-of-{flaw}", kind, name + b": " + value + b"\r\n"
    yield "many-fields", kind, b"X-Robots-Tag: noai\r\n" * 50_000
    yield "folded-fields", kind, b"X-Robots-Tag: a\r\n" + b" noai\r\n" * 50_000
    yield "no-colon", kind, b"X-Robots-Tag" * 50_000


def _pages() -> Iterator[tuple[str, Resource, bytes]]:
    kind = Resource.HTML
    for name, raw in {
        "open-tags": b"<div>" * 100_000,
        "tag-without-end": b"<meta " + b"a=" * 100_000,
        "quote-without-end": b'<meta name="robots" content="' + b"noai," * 50_000,
        "comments-without-end": b"<!--" * 100_000,
        "scripts-without-end": b'<script type="application/ld+json">' * 20_000,
        "nested-json-ld": b'<script type="application/ld+json">' + b'{"a":[' * 50_000,
        "entities": b'<meta name="robots" content="' + b"&amp;" * 50_000 + b'">',
        "numbers": b"<meta name='robots' content='" + b"&#99999999999;" * 30_000 + b"'>",
        "inline-rsl-bomb": b'<script type="application/rsl+xml">' + LAUGHS + (
            RSL.replace(b"%s", b"&j;") + b"</script>"
        ),
        "many-metas": b'<meta name="robots" content="noai">' * 30_000,
        "many-licences": b'<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">'
        * 20_000,
        "less-than": b"<" * 500_000,
        "closing": b"</" * 250_000,
    }.items():  # fmt: skip
        yield name, kind, raw
