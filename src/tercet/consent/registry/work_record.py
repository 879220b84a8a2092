"""A registered work, as the registry keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tercet.consent.registry.identifiers import Identifiers
from tercet.core.work import Medium

WORK_TYPE = "tercet/work@1"


@dataclass(frozen=True, slots=True)
class WorkRecord:
    """One registered work; ``number`` is its own for ever, 0 before it has one.

    ``methods`` names the fingerprints it is found by (empty: by its SHA-256 alone); ``unfit`` says
    why there are none, or fewer than the medium has; ``flags`` are doubts a person should look at.
    ``path`` is where it lay when it was registered, ``bytes`` its size (0: not known).
    """

    medium: Medium
    sha256: str
    title: str = ""
    creators: tuple[str, ...] = ()
    identifiers: Identifiers = ()
    source_url: str = ""
    iscc: str = ""
    bytes: int = 0
    path: str = ""
    registered_at: str = ""
    methods: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    number: int = 0


def work_document(work: WorkRecord) -> dict[str, Any]:
    """Return the log's document of a work. The path is left out: it says nothing to others."""
    return {
        "type": WORK_TYPE,
        "number": work.number,
        "medium": str(work.medium),
        "sha256": work.sha256,
        "iscc": work.iscc,
        "bytes": work.bytes,
        "title": work.title,
        "creators": list(work.creators),
        "identifiers": dict(work.identifiers),
        "source_url": work.source_url,
        "registered_at": work.registered_at,
        "methods": list(work.methods),
        "unfit": list(work.unfit),
        "flags": list(work.flags),
    }
