"""EPUB: the chapters in the order they are read. Nothing touches a disk.

Source: EPUB 3.3, https://www.w3.org/TR/epub-33/ sections 4 (container) and 5 (package, spine).
"""

from __future__ import annotations

import io
import lzma
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from tercet.consent.fingerprints.fingerprint import UndecodableError
from tercet.consent.xml_tree import parse_xml

MEMBER_BYTES_MAX = 32 * 1024 * 1024
TOTAL_BYTES_MAX = 256 * 1024 * 1024
RATIO_MAX = 200
"""Inflated bytes for each stored one, beyond 64 KiB: prose shrinks to a third, a bomb to 1/1000."""
_RATIO_FREE_BYTES = 64 * 1024
_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PAGES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}


def pages_of(raw: bytes, members_max: int) -> Iterator[bytes]:
    """Yield the chapters of the first package, in spine order; raises UndecodableError."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            yield from _pages(archive, members_max)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        message = f"expected an EPUB archive, got a damaged one: {error}"
        raise UndecodableError(message, hint="open and save it again with an EPUB editor") from None
    except (KeyError, ValueError, OSError) as error:
        message = f"expected an EPUB with its chapters, got: {error}"
        raise UndecodableError(message, hint="check it with epubcheck") from None


def _pages(archive: zipfile.ZipFile, members_max: int) -> Iterator[bytes]:
    names = archive.namelist()
    if len(names) > members_max:
        raise ValueError(f"{len(names):,} members, more than {members_max:,}")
    container = parse_xml(_member(archive, _CONTAINER)).root
    roots = (
        []
        if container is None
        else [node.get("full-path") for node in container.iter("{*}rootfile")]
    )
    if not roots or not roots[0]:
        raise ValueError("container.xml names no package")
    package = parse_xml(_member(archive, roots[0])).root
    if package is None:
        raise ValueError("a package document that is no XML")
    items = {node.get("id"): node for node in package.iter("{*}item")}
    locked = _locked(archive, names)
    total = 0
    for place in package.iter("{*}itemref"):
        item = items.get(place.get("idref"))
        if item is None or item.get("media-type") not in _PAGES:
            continue
        if "nav" in str(item.get("properties") or "").split():
            continue
        path = unquote(urlsplit(str(item.get("href"))).path)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(roots[0]), path))
        if path in locked:
            raise ValueError(f"{path} is encrypted")
        page = _member(archive, path)
        total += len(page)
        if total > TOTAL_BYTES_MAX:
            raise ValueError(f"chapters of more than {TOTAL_BYTES_MAX:,} bytes")
        yield page


def _locked(archive: zipfile.ZipFile, names: list[str]) -> set[str]:
    """Return the members that are encrypted (fonts often are, and do not matter)."""
    if _ENCRYPTION not in names:
        return set()
    tree = parse_xml(_member(archive, _ENCRYPTION)).root
    if tree is None:
        return set(names)
    return {unquote(str(node.get("URI"))) for node in tree.iter("{*}CipherReference")}


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    found = archive.getinfo(name)
    with archive.open(found) as stream:
        content = stream.read(MEMBER_BYTES_MAX + 1)
    bomb = len(content) > _RATIO_FREE_BYTES and len(content) > RATIO_MAX * found.compress_size
    if bomb or len(content) > MEMBER_BYTES_MAX:
        raise ValueError(f"{name} inflates beyond the limit")
    return content
