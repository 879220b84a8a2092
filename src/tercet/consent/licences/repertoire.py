"""Repertoires: which works a licence is about, as one list named by the SHA-256 of its bytes.

    tercet/repertoire@1
    sha256:<64 hex digits>     a work, by its bytes
    site:<origin>              everything that is published there
    url:<absolute URL>         what is published at one address

The lines after the first are sorted by their bytes and unique, each ends with LF, URLs are in
WHATWG normal form without a fragment: one set of works has one text and so one name. Lists of
millions of works are read by arrays, not line by line.
"""

from __future__ import annotations

import binascii
import operator
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tercet.consent.urls import split_url
from tercet.core.errors import InputError, IntegrityError, RefusedError
from tercet.core.ids import sha256_hex
from tercet.core.limits import REPERTOIRE_BYTES_MAX, URL_BYTES_MAX

Digests = np.ndarray[Any, np.dtype[np.uint8]]

HEADER = b"tercet/repertoire@1\n"
WORK, SITE, URL = "sha256:", "site:", "url:"
_ROW_BYTES = len(WORK) + 64 + 1
_DIGEST_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")
# Lines that are in normal form for certain: a name of letters as the last label, no port, and no
# character that a parser of URLs would change. All others are parsed one by one.
_CLEAN_HOST = rb"https?://(?:[a-z0-9_-]++\.)+[a-z]++"
_CLEAN_SITES = re.compile(rb"(?:site:" + _CLEAN_HOST + rb"\n)*+")
_CLEAN_URLS = re.compile(rb"(?:url:" + _CLEAN_HOST + rb"/[!$&()*+,\-./0-9:;=?@A-Z_a-z~]*+\n)*+")
_DOUBTFUL = (b"/.", b"xn--")  # dot segments, IDNA
_SMALL_HEX = np.zeros(256, dtype=np.bool_)
_SMALL_HEX[list(b"0123456789abcdef")] = True


class RepertoireError(InputError):
    """Bytes that are no repertoire; the message names the line."""

    code = "repertoire-bad"


class RepertoireOrderError(RepertoireError):
    """Lines that are not sorted, or one that stands twice."""

    code = "repertoire-order"


class RepertoireSwappedError(IntegrityError):
    """A repertoire that is not the one it is named as."""

    code = "repertoire-swapped"


class UnknownWorkError(RefusedError):
    """A repertoire with works that are not known."""

    code = "repertoire-unknown-work"


@dataclass(frozen=True, slots=True, eq=False)
class Repertoire:
    """A set of works.

    ``digests`` has one row of 32 octets a work, sorted, read-only; ``sites`` are origins
    ("https://example.org"), ``urls`` absolute URLs, both sorted. ``sha256`` is its name.
    """

    digests: Digests
    sites: tuple[str, ...]
    urls: tuple[str, ...]
    sha256: str

    @property
    def work_count(self) -> int:
        """How many lines follow the header; a site is one."""
        return len(self.digests) + len(self.sites) + len(self.urls)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Repertoire) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def line(self, at: int) -> str:
        """Return a line by its position after the header, from 0."""
        if at < len(self.digests):
            return f"{WORK}{self.digests[at].tobytes().hex()}"
        at -= len(self.digests)
        return f"{SITE}{self.sites[at]}" if at < len(self.sites) else self._url_line(at)

    def _url_line(self, at: int) -> str:
        return f"{URL}{self.urls[at - len(self.sites)]}"


@dataclass(frozen=True, slots=True)
class UnknownWorks:
    """Works of a repertoire that are not known: how many, and the first by line (header: 1)."""

    count: int
    line_number: int
    line: str


def read_repertoire(raw: bytes, sha256: str = "") -> Repertoire:
    """Return the repertoire that ``raw`` is; with ``sha256``, the one of that name and no other.

    Raises RepertoireSwappedError for another one, RepertoireOrderError for lines out of order and
    RepertoireError for all else that is no repertoire.
    """
    if len(raw) > REPERTOIRE_BYTES_MAX:
        raise RepertoireError(f"expected at most {REPERTOIRE_BYTES_MAX} bytes, got {len(raw)}")
    name = sha256_hex(raw)
    if sha256 and name != sha256:
        raise RepertoireSwappedError(
            f"expected the repertoire {sha256}, got {name}",
            hint="what was agreed on is the list of that name, not this one",
        )
    if not raw.startswith(HEADER):
        raise RepertoireError(
            f"expected the first line {HEADER[:-1].decode()}, got another",
            hint="sha256:, site: and url: lines follow it, sorted (LC_ALL=C sort -u)",
        )
    if not raw.endswith(b"\n"):
        raise RepertoireError("expected a newline at the end of the last line, got none")
    sites_begin, urls_begin = _bounds(raw)
    digests = _digests_in(raw[len(HEADER) : sites_begin])
    _check_lines(raw, sites_begin, urls_begin, _CLEAN_SITES, SITE)
    _check_lines(raw, urls_begin, len(raw), _CLEAN_URLS, URL)
    sites = _texts_in(raw, sites_begin, urls_begin, SITE)
    urls = _texts_in(raw, urls_begin, len(raw), URL)
    return Repertoire(digests, sites, urls, name)


def repertoire_of(lines: Iterable[str]) -> Repertoire:
    """Return the repertoire of these lines, in any order; what stands twice counts once.

    URLs and origins are brought to normal form. Raises RepertoireError for a line of no kind.
    """
    kinds: dict[str, set[str]] = {WORK: set(), SITE: set(), URL: set()}
    for line in lines:
        kind, text = _normal(line)
        kinds[kind].add(text)
    raw = bytes.fromhex("".join(sorted(kinds[WORK])))
    return repertoire_from(_rows(raw), kinds[SITE], kinds[URL])


def repertoire_from(
    digests: Digests, sites: Iterable[str] = (), urls: Iterable[str] = ()
) -> Repertoire:
    """Return the repertoire of these works; ``sites`` and ``urls`` are in normal form.

    ``digests`` has rows of 32 octets in any order; rows may stand twice.
    """
    rows = _unique(digests)
    parts = (rows, tuple(sorted(set(sites))), tuple(sorted(set(urls))))
    return Repertoire(*parts, sha256_hex(_bytes_of(*parts)))


def repertoire_bytes(repertoire: Repertoire) -> bytes:
    """Return the bytes of a repertoire, which its name is the SHA-256 of."""
    return _bytes_of(repertoire.digests, repertoire.sites, repertoire.urls)


def union(repertoires: Iterable[Repertoire]) -> Repertoire:
    """Return every work of any of these repertoires."""
    given = tuple(repertoires)
    digests = [each.digests for each in given]
    rows = np.concatenate(digests) if digests else _rows(b"")
    return repertoire_from(
        rows,
        {site for each in given for site in each.sites},
        {url for each in given for url in each.urls},
    )


def minus(repertoire: Repertoire, without: Repertoire) -> Repertoire:
    """Return the lines of a repertoire that do not stand in another one.

    A site stays though one of its addresses is taken out, and the other way round: what a licence
    excludes is said beside it, see ``holds``.
    """
    return repertoire_from(
        repertoire.digests[~_stand_in(repertoire.digests, without.digests)],
        set(repertoire.sites) - set(without.sites),
        set(repertoire.urls) - set(without.urls),
    )


def holds(repertoire: Repertoire, *, sha256: str = "", url: str = "") -> bool:
    """Say whether a work is in a repertoire: by its bytes, its address, or its site."""
    if sha256 and _HEX.fullmatch(sha256):
        row = _rows(bytes.fromhex(sha256))
        if bool(_stand_in(row, repertoire.digests)[0]):
            return True
    split = split_url(url) if url else None
    if split is None:
        return False
    whole = split.origin + split.path
    return _is_in(split.origin, repertoire.sites) or _is_in(whole, repertoire.urls)


def unknown_works(repertoire: Repertoire, known: Repertoire) -> UnknownWorks | None:
    """Return which works of a repertoire ``known`` does not have, None when it has them all.

    An address is known where its site is.
    """
    works = np.flatnonzero(~_stand_in(repertoire.digests, known.digests)).tolist()
    known_sites, known_urls = frozenset(known.sites), frozenset(known.urls)
    first = len(repertoire.digests)
    works += [first + at for at, site in enumerate(repertoire.sites) if site not in known_sites]
    first += len(repertoire.sites)
    works += [
        first + at
        for at, url in enumerate(repertoire.urls)
        if url not in known_urls and _origin(url) not in known_sites
    ]
    if not works:
        return None
    return UnknownWorks(len(works), works[0] + 2, repertoire.line(works[0]))


def check_known(repertoire: Repertoire, known: Repertoire) -> None:
    """Make sure that every work is known. Raises UnknownWorkError, which names the first line."""
    unknown = unknown_works(repertoire, known)
    if unknown is not None:
        raise UnknownWorkError(
            f"line {unknown.line_number} of the repertoire, {unknown.line:.200}, is not known; "
            f"{unknown.count:,} of {repertoire.work_count:,} are not",
            hint="register the work first, or leave it out",
        )


def normal_line(line: str) -> str:
    """Return one line of a repertoire in normal form. Raises RepertoireError."""
    return "".join(_normal(line))


def _normal(line: str) -> tuple[str, str]:
    kind, colon, text = line.partition(":")
    if kind + colon == WORK and _HEX.fullmatch(text.lower()):
        return WORK, text.lower()
    split = split_url(text) if kind + colon in (SITE, URL) else None
    if split is not None and len(text) <= URL_BYTES_MAX:
        if kind + colon == URL:
            return URL, split.origin + split.path
        if split.path == "/":
            return SITE, split.origin
    raise RepertoireError(
        f"expected {WORK}<64 hex digits>, {SITE}<origin> or {URL}<absolute URL>, got {line!r:.200}"
    )


def _bounds(raw: bytes) -> tuple[int, int]:
    """Return where sites begin, and where URLs do. What stands in a wrong place is found later."""
    begin = len(HEADER) - 1
    sites, urls = (raw.find(b"\n" + kind.encode(), begin) + 1 for kind in (SITE, URL))
    urls = urls or len(raw)
    return min(sites or urls, urls), urls


def _digests_in(block: bytes) -> Digests:
    """Return the digests of lines ``sha256:...``, checked at once."""
    rows = np.frombuffer(block, dtype=np.uint8)
    if len(block) % _ROW_BYTES:
        raise _first_fault(block, 0, WORK)
    table = rows.reshape(-1, _ROW_BYTES)
    prefix = np.frombuffer(WORK.encode(), dtype=np.uint8)
    digits = np.ascontiguousarray(table[:, len(WORK) : -1])
    is_formed = (
        bool((table[:, : len(WORK)] == prefix).all())
        and bool((table[:, -1] == ord("\n")).all())
        and bool(_SMALL_HEX[digits].all())
    )
    if not is_formed:
        raise _first_fault(block, 0, WORK)
    digests = _rows(binascii.unhexlify(digits.data))
    keys = _keys(digests)
    wrong = np.flatnonzero(keys[:-1] >= keys[1:])
    if len(wrong):
        raise _order_error(int(wrong[0]) + 3)
    return digests


def _first_fault(raw: bytes, lines_before: int, kind: str) -> RepertoireError:
    """Return the error of the first line of a block that is not of its kind and form."""
    for at, line in enumerate(raw.split(b"\n")):
        text = line.decode("utf-8", "replace")
        if not (text.startswith(kind) and _is_normal(text)):
            return RepertoireError(
                f"line {lines_before + at + 2} of the repertoire: expected {kind}... in normal "
                f"form, got {text!r:.200}"
            )
    return RepertoireError(f"expected lines {kind}..., got others")


def _is_normal(line: str) -> bool:
    try:
        return normal_line(line) == line
    except RepertoireError:
        return False


def _check_lines(raw: bytes, begin: int, end: int, clean: re.Pattern[bytes], kind: str) -> None:
    """Make sure that each line is in normal form: most at once, the others one by one."""
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8, end - begin, begin) == ord("\n"))
    if len(ends) and int(np.diff(ends, prepend=-1).max()) > URL_BYTES_MAX:
        raise RepertoireError(f"expected lines of at most {URL_BYTES_MAX} bytes, got a longer one")
    for doubtful in _DOUBTFUL:
        at = raw.find(doubtful, begin, end)
        while at >= 0:
            after = _check_line(raw, raw.rfind(b"\n", 0, at) + 1, kind)
            at = raw.find(doubtful, after, end)
    at = begin
    while at < end:
        found = clean.match(raw, at, end)
        at = found.end() if found else at
        if at < end:
            at = _check_line(raw, at, kind)


def _check_line(raw: bytes, at: int, kind: str) -> int:
    """Make sure that the line at a place is in normal form; return where the next one begins."""
    end = raw.index(b"\n", at)
    text = raw[at:end].decode("utf-8", "replace")
    if not (text.startswith(kind) and _is_normal(text)):
        number = raw.count(b"\n", 0, at) + 1
        raise RepertoireError(
            f"line {number} of the repertoire: expected {kind}... in normal form, got {text!r:.200}"
        )
    return end + 1


def _texts_in(raw: bytes, begin: int, end: int, kind: str) -> tuple[str, ...]:
    """Return the texts of a block's lines, which are ASCII and sorted."""
    if begin == end:
        return ()
    lines = raw[begin + len(kind) : end - 1].decode("ascii").split(f"\n{kind}")
    if not all(map(operator.lt, lines, lines[1:])):
        wrong = next(at for at, (one, other) in enumerate(pairwise(lines)) if one >= other)
        raise _order_error(raw.count(b"\n", 0, begin) + wrong + 2)
    return tuple(lines)


def _order_error(line_number: int) -> RepertoireOrderError:
    return RepertoireOrderError(
        f"line {line_number} of the repertoire does not come after the one before it",
        hint="lines are sorted by their bytes, and each stands once",
    )


def _bytes_of(digests: Digests, sites: Iterable[str], urls: Iterable[str]) -> bytes:
    table = np.empty((len(digests), _ROW_BYTES), dtype=np.uint8)
    table[:, : len(WORK)] = np.frombuffer(WORK.encode(), dtype=np.uint8)
    digits = np.frombuffer(binascii.hexlify(np.ascontiguousarray(digests).data), dtype=np.uint8)
    table[:, len(WORK) : -1] = digits.reshape(-1, 64)
    table[:, -1] = ord("\n")
    texts = [f"{SITE}{site}\n" for site in sites] + [f"{URL}{url}\n" for url in urls]
    return HEADER + table.tobytes() + "".join(texts).encode("ascii")


def _rows(raw: bytes) -> Digests:
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, _DIGEST_BYTES)


def _keys(digests: Digests) -> np.ndarray[Any, np.dtype[np.bytes_]]:
    """Return rows as values that compare like their octets.

    Equal widths make NumPy's disregard of NUL octets at the end harmless.
    """
    return np.ascontiguousarray(digests).view("S32").reshape(-1)


def _unique(digests: Digests) -> Digests:
    keys = np.sort(_keys(digests), kind="stable")  # runs that are sorted already are only merged
    is_first = np.ones(len(keys), dtype=np.bool_)
    is_first[1:] = keys[1:] != keys[:-1]
    rows = keys[is_first].view(np.uint8).reshape(-1, _DIGEST_BYTES)
    rows.flags.writeable = False
    return rows


def _stand_in(digests: Digests, known: Digests) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say of each row whether it is one of the sorted ``known`` rows."""
    if not len(known):
        return np.zeros(len(digests), dtype=np.bool_)
    keys, sorted_keys = _keys(digests), _keys(known)
    at = np.searchsorted(sorted_keys, keys)
    at[at == len(sorted_keys)] = 0
    return np.asarray(sorted_keys[at] == keys, dtype=np.bool_)


def _is_in(text: str, texts: tuple[str, ...]) -> bool:
    at = bisect_left(texts, text)
    return at < len(texts) and texts[at] == text


def _origin(url: str) -> str:
    return url[: url.index("/", url.index("://") + 3)]
