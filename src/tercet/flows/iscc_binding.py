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
    """Bytes that declare something of an ISCC, and the item beside which they lie."""

    item: str
    uri: str
    raw: bytes


Bindings = Mapping[str, tuple[BoundDeclaration, ...]]
"""Declarations by the keys of the ISCC they speak of (see `binding_keys`)."""


def bindings_in(folder: Path) -> Bindings:
    """Return what is declared of ISCCs in an evidence directory. Raises IntegrityError."""
    import duckdb

    from tercet.store.files import literal_path

    blobs = BlobStore(folder / "blobs")
    with duckdb.connect() as engine:
        rows = engine.execute(_QUERY, [literal_path(folder / "declarations.parquet")]).fetchall()
    found: dict[str, dict[BoundDeclaration, None]] = {}
    for item, raw_sha256, uri, evidence in rows:
        declaration = BoundDeclaration(item, uri, blobs.get(raw_sha256))
        for key in binding_keys(json.loads(evidence or "{}").get("iscc", "")):
            found.setdefault(key, {})[declaration] = None
    return {key: tuple(declarations) for key, declarations in found.items()}


def bound_to(item: str, iscc: str, bindings: Bindings) -> list[Captured]:
    """Return the declarations that bind ``item`` by its content, as captures of it."""
    found = {
        declaration: None
        for key in sorted(binding_keys(iscc))
        for declaration in bindings.get(key, ())
        if declaration.item != item
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
