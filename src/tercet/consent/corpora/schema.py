"""The Arrow schemas of a corpus: what batches look like, and what is staged on disk."""

from __future__ import annotations

import pyarrow as pa

CORPUS_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("headers", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("fault", pa.string()),
    ]
)
"""``row`` is the position in the whole corpus, from 0; ``item`` the URL exactly as it stands, or
the path of a local file; ``fault`` why the row cannot be read (then ``url`` is null)."""

ROW_FIELDS = ("item", "url", "licence", "headers", "sha256", "fault")
STAGED_SCHEMA: pa.Schema = pa.schema(
    [CORPUS_SCHEMA.field(name) for name in ROW_FIELDS]
    + [
        pa.field("path", pa.string()),
        pa.field("offset", pa.int64()),
        pa.field("size", pa.int64()),
        pa.field("sidecars", pa.list_(pa.string())),
    ]
)
"""What formats other than Parquet are streamed into; a row's position is that of its part."""
