"""C2PA: the manifest store of a file as a JSON report with its validation state.

The library is loaded only when the bytes show a manifest; it never reaches the network.

Source: C2PA Technical Specification 2.2 sections 11 (manifests) and 15 (validation).
"""

from __future__ import annotations

import io
import json
import re
from functools import lru_cache
from itertools import islice
from typing import Any

from tercet.consent.media.gathering import Gathering
from tercet.consent.signal import Resource

REMOTE = "c2pa: remote manifest, not fetched"
_MARK, _BOX = b"c2pa", b"jumb"  # the manifest store's label, and the box it stands in
_SVG_ELEMENT = b"c2pa:manifest"  # in SVG the store is base64 text, so no box can be seen
_LABEL = b".training-mining"
_ENTRY = re.compile(
    rb"(?:cawg|c2pa)\.(?:ai_generative_training|ai_training|ai_inference|data_mining)"
)
_ENTRY_BYTES, _ENTRIES_MAX = 48, 1_000
_PROVENANCE = b"provenance"  # dcterms:provenance in XMP leads to a remote manifest
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},
}


def sniffed(gathering: Gathering) -> bool:
    """Whether the bytes show a manifest, or an XMP packet names a remote one."""
    embedded = gathering.has_c2pa
    if embedded is None:
        raw = gathering.raw
        embedded = _MARK in raw and (_BOX in raw or _SVG_ELEMENT in raw)
    return embedded or any(
        packet.resource is Resource.XMP and _PROVENANCE in packet.raw
        for packet in gathering.packets
    )


def read(gathering: Gathering, media_type: str) -> None:
    """Add the report. Where the library cannot read the manifest, add what is known of it."""
    import c2pa

    raw = gathering.raw
    try:
        reader = c2pa.Reader.try_create(media_type or None, io.BytesIO(raw), None, _context())
        if reader is None:
            return
        with reader:
            report = {
                "report": _without_floats(json.loads(reader.json())),
                "state": str(reader.get_validation_state() or ""),
            }
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        report = _failure(gathering, str(error))
        if not report:
            return
    packed = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    content = packed.encode("utf-8", "replace")
    gathering.add(Resource.C2PA, content, (0, len(raw)), "C2PA manifest store", "application/json")


def _failure(gathering: Gathering, error: str) -> dict[str, Any]:
    """Return a report without a manifest store, {} when the bytes hold no manifest either."""
    if "emote" in error:  # RemoteManifestUrl, RemoteManifestFetch
        gathering.fault(REMOTE)
        return {"error": REMOTE, "state": ""}
    if _BOX not in gathering.raw and _SVG_ELEMENT not in gathering.raw:
        return {}
    gathering.fault(f"c2pa: {error[:160]}")
    if _LABEL not in gathering.raw:
        return {}
    return {"error": error[:160], "state": "", "denials": _denials(gathering.raw)}


def _denials(raw: bytes) -> dict[str, str]:
    """Find entries that deny in the bytes of a manifest that cannot be read as a whole.

    An entry is CBOR: its name, a map, the word "use" and the value, all within a few bytes. A
    file cut short (a range request) still shows its denials; grants are not looked for.
    """
    found: dict[str, str] = {}
    at = raw.find(_LABEL)
    for match in islice(_ENTRY.finditer(raw, at), _ENTRIES_MAX):
        after = raw[match.end() : match.end() + _ENTRY_BYTES]
        after = after[: follower.start()] if (follower := _ENTRY.search(after)) else after
        for word in ("notAllowed", "constrained"):
            if word.encode() in after:
                found[match.group().decode("ascii")] = word
    return found


@lru_cache(maxsize=1)
def _context() -> Any:
    import c2pa

    return c2pa.Context(settings=c2pa.Settings.from_dict(_OFFLINE))


def _without_floats(value: Any) -> Any:
    """Floats become text, so that the report is the same bytes everywhere."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _without_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    return value
