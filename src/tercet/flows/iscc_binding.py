"""TDM-AI declarations bind by content: what is declared of an ISCC holds for every copy of it.

A declaration found beside one item of a corpus is laid to all items whose own ISCC shares its
Instance-Code (the same bytes) or the whole of its Content-Code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.fingerprints.content_ids import binding_keys
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.store.blobs import BlobStore

_QUERY = """
    SELECT item, raw_sha256, uri, evidence FROM read_parquet($1)
    WHERE signal = 'tdm_ai' AND NOT advisory
"""


@dataclass(frozen=True, slots=True)
class BoundDeclaration:
    """Bytes that declare something of ISCCs, and the item beside which they lie.

    ``keys`` has the binding keys of each ISCC that these bytes speak of.
    """

    item: str
    uri: str
    raw: bytes
    keys: frozenset[frozenset[str]]


Bindings = Mapping[str, tuple[BoundDeclaration, ...]]
"""Declarations by the keys of the ISCC they speak of (see `binding_keys`)."""


def bindings_in(folder: Path) -> Bindings:
    """Return what is declared of ISCCs in an evidence directory. Raises IntegrityError."""
    import duckdb

    from tercet.store.files import literal_path

    blobs = BlobStore(folder / "blobs")
    with duckdb.connect() as engine:
        rows = engine.execute(_QUERY, [literal_path(folder / "declarations.parquet")]).fetchall()
    spoken: dict[tuple[str, str, str], set[frozenset[str]]] = {}
    for item, raw_sha256, uri, evidence in rows:
        iscc = json.loads(evidence or "{}").get("iscc", "")
        spoken.setdefault((item, raw_sha256, uri), set()).add(binding_keys(iscc))
    found: dict[str, dict[BoundDeclaration, None]] = {}
    for (item, raw_sha256, uri), keys in spoken.items():
        declaration = BoundDeclaration(item, uri, blobs.get(raw_sha256), frozenset(keys))
        for key in {key for each in keys for key in each}:
            found.setdefault(key, {})[declaration] = None
    return {key: tuple(declarations) for key, declarations in found.items()}


def bound_to(item: str, iscc: str, bindings: Bindings) -> list[Captured]:
    """Return the declarations that bind ``item`` by its content, as captures of it.

    A document that speaks of other contents too is left out: what it says of those is not said of
    this item.
    """
    own = binding_keys(iscc)
    found = {
        declaration: None
        for key in sorted(own)
        for declaration in bindings.get(key, ())
        if declaration.item != item and all(keys & own for keys in declaration.keys)
    }
    return [
        capture_of(
            Capture(
                Resource.DECLARATION_JSON,
                Carrier.REGISTRY,
                item=item,
                uri=declaration.uri,
                note=f"its ISCC is that of this item; it lies beside {declaration.item}",
            ),
            declaration.raw,
        )
        for declaration in found
    ]
