"""Registered works in local media: match documents in an evidence directory, one for each item."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tercet.consent.capture import Capture, Captured, capture_of
from tercet.consent.corpora import Corpus, Member
from tercet.consent.failures import Failure
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier
from tercet.core.errors import ComparisonError
from tercet.flows.fingerprinting import fingerprint_file, fingerprinting_guard
from tercet.flows.identify import identify_document
from tercet.flows.iscc_binding import Bindings, bindings_in, bound_to
from tercet.flows.member_evidence import MemberReader, gather_from_media

if TYPE_CHECKING:
    from tercet.flows.claim_offers import ClaimOffers
    from tercet.store.registry import Registry


def gather_matches(
    corpus: Corpus,
    registry: Path,
    folder: Path,
    declared: Path,
    trusted_keys: frozenset[str],
    offers: ClaimOffers | None = None,
    *,
    now: str,
    workers: int,
    progress: Callable[[int, int], None],
) -> list[Path]:
    """Compare all media of ``corpus`` with a registry; return the evidence directory, or none.

    ``declared`` is the evidence of what the media declare: what is declared of an ISCC binds every
    item of that ISCC. ``trusted_keys`` are the owners' keys whose grants count,
    ``offers`` what is put beside the claims found.
    """
    # The index is mapped into the children's memory, on top of what decoding may take.
    guard = fingerprinting_guard(_size_bytes(registry))
    bindings = bindings_in(declared) if (declared / "survey.json").exists() else {}
    read = partial(match_member, registry, bindings, trusted_keys, offers)
    reader = MemberReader(read, guard, Resource.REGISTRY_MATCH, Carrier.REGISTRY)
    return gather_from_media(corpus, folder, reader, now=now, workers=workers, progress=progress)


def _size_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # merged away by a writer meanwhile
            total += path.stat().st_size
    return total


def match_member(
    registry: Path,
    bindings: Bindings,
    trusted_keys: frozenset[str],
    offers: ClaimOffers | None,
    member: Member,
) -> list[Captured]:
    """Return the match document and what binds by ISCC, a failure, or that nothing was found."""
    capture = Capture(Resource.REGISTRY_MATCH, Carrier.REGISTRY, item=member.item, uri=member.item)
    media = fingerprint_file(member.path, member.offset, member.size, member.item)
    problem = media.problem
    try:
        document = identify_document(media, member.item, _opened(registry), trusted_keys, offers)
    except ComparisonError as error:
        document, problem = b"", error.message
    found = [capture_of(capture, document)] if document else []
    found += bound_to(member.item, media.iscc, bindings)
    if problem:
        failed = Capture(
            Resource.REGISTRY_MATCH,
            Carrier.REGISTRY,
            item=member.item,
            uri=member.item,
            failure=Failure.PARSE_ERROR,
            note=problem,
        )
        found.append(capture_of(failed, None))
    return found or [capture_of(capture, None)]


@cache
def _opened(folder: Path) -> Registry:
    """Return the registry, opened once in each process that asks for it."""
    from tercet.store.registry import Registry

    return Registry.open(folder)
