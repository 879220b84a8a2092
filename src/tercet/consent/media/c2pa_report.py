"""C2PA: the manifest store of a file as a JSON report with its validation state.

The library is loaded only when the bytes show a manifest; it never reaches the network.

Source: C2PA Technical Specification 2.2 sections 11 (manifests) and 15 (validation).
"""

from __future__ import annotations

import io
import json
from functools import lru_cache
from typing import Any

from tercet.consent.media.gathering import Gathering
from tercet.consent.signal import Resource
from tercet.core.limits import METADATA_BYTES_MAX

_MARK = b"c2pa"  # the label of the manifest store's JUMBF box
_PROVENANCE = b"provenance"  # dcterms:provenance in XMP leads to a remote manifest
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},
}


def sniffed(gathering: Gathering) -> bool:
    """Whether the bytes show a manifest, or an XMP packet names a remote one."""
    embedded = gathering.has_c2pa
    if embedded is None:
        embedded = _MARK in gathering.raw
    return embedded or any(
        packet.resource is Resource.XMP and _PROVENANCE in packet.raw
        for packet in gathering.packets
    )


def read(gathering: Gathering, media_type: str) -> None:
    """Add the report, or the fault that says why there is none."""
    import c2pa

    raw = gathering.raw
    try:
        reader = c2pa.Reader.try_create(media_type or None, io.BytesIO(raw), None, _context())
        if reader is None:
            return
        with reader:
            document = json.loads(reader.json())
            state = reader.get_validation_state()
            embedded = reader.is_embedded()
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        _explain(gathering, str(error))
        return
    report = {"report": _without_floats(document), "state": str(state or ""),
              "embedded": bool(embedded)}  # fmt: skip
    packed = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    content = packed.encode("utf-8", "replace")
    if len(content) > METADATA_BYTES_MAX:
        gathering.fault("c2pa: report beyond the limit")
        return
    gathering.add(Resource.C2PA, content, (0, len(raw)), "C2PA manifest store", "application/json")


def _explain(gathering: Gathering, error: str) -> None:
    if "emote" in error:  # RemoteManifestUrl, RemoteManifestFetch
        gathering.fault("c2pa: remote manifest, not fetched")
    else:
        gathering.fault(f"c2pa: {error[:160]}")


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
