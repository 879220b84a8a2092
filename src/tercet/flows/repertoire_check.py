"""Is every work of a list registered? Before terms are offered or signed about it."""

from __future__ import annotations

from pathlib import Path

from tercet.consent.licences.repertoire import (
    Repertoire,
    check_known,
    repertoire_from,
    repertoire_of,
    union,
)
from tercet.consent.urls import origin_of, split_url
from tercet.core.limits import URL_BYTES_MAX
from tercet.store.registry import Registry


def check_registered(works: Repertoire, registry: Path) -> None:
    """Make sure that a registry knows every work of a list, on which a claim stands.

    A file is known by its digest, an address where a claim names it, a site and all its addresses
    where its domain was verified to be an owner's. Raises UnknownWorkError, which names the first
    line that is not known, and InputError where there is no registry.
    """
    check_known(works, registered_works(registry))


def registered_works(registry: Path) -> Repertoire:
    """Return everything that a registry has standing claims on. Raises InputError."""
    import numpy as np

    opened = Registry.open(registry)
    try:
        digests = opened.hash_table()["sha256"].to_pylist()
        addresses = opened.url_table()["url"].to_pylist()
        domains = opened.domain_table()["domain"].to_pylist()
    finally:
        opened.close()
    rows = np.frombuffer(bytes.fromhex("".join(digests)), np.uint8).reshape(-1, 32)
    origins = (origin_of(scheme, domain) for domain in domains for scheme in ("https", "http"))
    sites = [f"site:{origin}" for origin in origins if origin]
    known = (each for each in addresses if len(each) <= URL_BYTES_MAX and split_url(each))
    urls = [f"url:{address}" for address in known]
    return union([repertoire_from(rows), repertoire_of([*sites, *urls])])
