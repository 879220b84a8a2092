"""The digests of a corpus' files, bound to the signed digests of its inputs."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

from tercet.consent.corpora import Corpus, InputFile, media_members
from tercet.consent.corpora.digests import file_sha256, folder_listing
from tercet.consent.corpora.folder import readable
from tercet.core.errors import IntegrityError
from tercet.core.ids import sha256_hex

_ANEW = "put back what was cleared, or clear it again with `tercet clear`"


def checked_digests(corpus: Corpus, described: dict[str, Any]) -> Callable[[int, str], str]:
    """Return a function that gives the SHA-256 of a file by its row and its name.

    ``described`` is the corpus as the clearance signs it. Raises IntegrityError when an input
    has other bytes than those that were cleared, or the inputs are others.
    """
    signed = described["inputs"]
    if len(signed) != len(corpus.inputs) or described.get("row_count") != corpus.row_count:
        raise IntegrityError(
            f"the corpus has {corpus.row_count} rows of {len(corpus.inputs)} inputs, expected "
            f"{described.get('row_count')} of {len(signed)}",
            hint=_ANEW,
        )
    known = [
        _input_digests(corpus, at, each, str(expected.get("sha256", "")))
        for at, (each, expected) in enumerate(zip(corpus.inputs, signed, strict=True))
    ]
    ends = list(accumulate(each.rows for each in corpus.inputs))

    def digest_of(row: int, item: str) -> str:
        digests = known[bisect_right(ends, row)]
        digest = digests.get(item) or digests.get(row)
        if not digest:
            raise IntegrityError(f"the digest of {item!r} is bound by nothing", hint=_ANEW)
        return digest

    return digest_of


def _input_digests(corpus: Corpus, at: int, each: InputFile, expected: str) -> dict[int | str, str]:
    """Return the digests of one input's files: by name in a folder, else by row."""
    if Path(each.path).is_dir():
        lines = folder_listing(Path(each.path))
        _same(each, expected, sha256_hex(b"".join(lines)))
        return dict(_listed(line) for line in lines)
    rows = _row_digests(corpus, at)
    _same(each, expected, file_sha256(each.path))
    return rows


def _same(each: InputFile, expected: str, found: str) -> None:
    if found != expected:
        raise IntegrityError(
            f"{each.name} was changed after it was cleared: expected SHA-256 {expected[:16]}, "
            f"got {found[:16]}",
            hint=_ANEW,
        )


def _listed(line: bytes) -> tuple[int | str, str]:
    """Return name and digest of a line of a folder's listing; a file with a fault has none."""
    name, *rest = line.removesuffix(b"\n").split(b"\0")
    return readable(os.fsdecode(name)), rest[1].decode() if len(rest) == 2 else ""


def _row_digests(corpus: Corpus, at: int) -> dict[int | str, str]:
    """Return the digests of a table's local files, which its rows tell, or of a tar's members."""
    start = sum(each.rows for each in corpus.inputs[:at])
    end = start + corpus.inputs[at].rows
    found: dict[int | str, str] = {}
    for shard in corpus.shards:
        if not start <= shard.row_start < end:
            continue
        if Path(corpus.inputs[at].path).suffix.lower() == ".tar":
            for member in media_members(corpus, shard):
                with open(member.path, "rb") as file:
                    file.seek(member.offset)
                    found[member.row] = sha256_hex(file.read(member.size))
            continue
        for batch in corpus.batches(shard):
            columns = (batch[name].to_pylist() for name in ("row", "sha256", "fault"))
            rows = zip(*columns, strict=True)
            found |= {row: digest for row, digest, fault in rows if digest and not fault}
    return found
