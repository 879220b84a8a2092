"""The last resort: find XMP packets by their wrapper, in containers unknown or broken.

Source: XMP Specification Part 3 section 2 ("packet scanning").
"""

from __future__ import annotations

from tercet.consent.media.gathering import PACKETS_MAX, Gathering
from tercet.core.limits import XML_BYTES_MAX

_PAIRS = ((b"<x:xmpmeta", b"</x:xmpmeta>"), (b"<xmp:xmpmeta", b"</xmp:xmpmeta>"),
          (b"<?xpacket begin", b"<?xpacket end"), (b"<rdf:RDF", b"</rdf:RDF>"))  # fmt: skip


def read(gathering: Gathering) -> None:
    """Keep what stands between the first kind of wrapper that occurs."""
    raw = gathering.raw
    for opening, closing in _PAIRS:
        at = raw.find(opening)
        found = False
        for _ in range(PACKETS_MAX):
            if at < 0:
                break
            end = raw.find(closing, at, at + XML_BYTES_MAX)
            if end < 0:
                gathering.fault("truncated: XMP packet without its end")
                gathering.xmp(raw[at : at + XML_BYTES_MAX], (at, len(raw)), "flat scan")
                return
            stop = end + len(closing)
            if opening == b"<?xpacket begin":
                stop = raw.find(b"?>", end, end + 64) + 2
                stop = stop if stop > 1 else len(raw)
            gathering.xmp(raw[at:stop], (at, stop), "flat scan")
            found = True
            at = raw.find(opening, stop)
        if found:
            return
