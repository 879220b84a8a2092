"""WebDataset tar archives in: members that share a stem are a group, its media members items.

The members are found by their headers alone; media bytes are not read here. A .json member
gives the URL, licence, headers and hash of its group; an .xmp member is a sidecar; a .txt beside
other media is a caption. Only uncompressed archives, since members are read in place later.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tercet.consent.corpora.columns import find_columns
from tercet.consent.corpora.corpus import ColumnNames
from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.folder import MEDIA_SUFFIXES, SIDECAR_SUFFIXES, readable, suffix_of
from tercet.consent.corpora.records import parsed, url_row, with_fields
from tercet.consent.corpora.staging import CHUNK_ROWS, Chunks, Row
from tercet.core import limits
from tercet.core.errors import InputError

_CAPTION_SUFFIXES = frozenset({".txt", ".md", ".html", ".htm", ".srt", ".vtt"})
_LOOKED_AT_GROUPS = 100
_DAMAGE = (tarfile.TarError, OSError, ValueError, OverflowError, EOFError)
Group = list[tarfile.TarInfo]


class ArchiveRows:
    """The rows of a tar archive; a position is the byte where a group begins."""

    def __init__(self, path: Path, asked: ColumnNames) -> None:
        self._path = path
        self._place = str(path.absolute())
        self._damage = ""
        self.columns = self._find_columns(asked)

    def chunks(self, position: int) -> Chunks:
        """Yield (rows, position after them)."""
        rows: list[Row] = []
        end = position
        with self._opened() as archive:
            for group, after in self._groups(archive, position):
                found = self._rows(archive, group)
                if self._damage:  # the rest of the group, with what it says, may be cut off
                    cut = str(Fault.TRUNCATED)
                    found = (row._replace(url=None, fault=row.fault or cut) for row in found)
                rows.extend(found)
                end = after
                if len(rows) >= CHUNK_ROWS:
                    yield rows, end
                    rows = []
        if self._damage:
            rows.append(Row(f"{readable(self._path.name)}/", fault=str(Fault.TRUNCATED)))
        if rows:
            yield rows, end

    def digest(self) -> str:
        """Return "": the members' bytes are not read here."""
        return ""

    def _opened(self) -> tarfile.TarFile:
        try:
            return tarfile.open(self._path, "r:")
        except _DAMAGE as error:
            raise InputError(
                f"{self._path} is not a tar archive: {error}",
                hint="unpack a compressed archive to .tar first",
            ) from error

    def _find_columns(self, asked: ColumnNames) -> ColumnNames:
        keys: dict[str, None] = {}
        with self._opened() as archive:
            for count, (group, _) in enumerate(self._groups(archive, 0)):
                for member in group:
                    if suffix_of(member.name) == ".json":
                        record = self._json(archive, member)
                        keys.update(dict.fromkeys(record if isinstance(record, dict) else ()))
                if count >= _LOOKED_AT_GROUPS:
                    break
        return find_columns(list(keys), asked, str(self._path), need_url=False)

    def _groups(self, archive: tarfile.TarFile, start: int) -> Iterator[tuple[Group, int]]:
        """Yield runs of members with one stem, each with the byte where it ends."""
        self._damage = ""
        if start:
            archive.offset = start
            archive.firstmember = None  # type: ignore[attr-defined]
        group: Group = []
        before = start
        while (member := self._next(archive)) is not None:
            if group and (_stem(member) != _stem(group[0]) or len(group) >= _GROUP_MAX):
                yield group, before
                group = []
            before = archive.offset
            if not member.isdir():
                group.append(member)
        if group:
            yield group, before

    def _next(self, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
        try:
            member = archive.next()
            archive.members = []  # type: ignore[attr-defined]  # it keeps all it has seen
            if member is None and not self._ends_well(archive):
                self._damage = "the archive has no end mark"
        except _DAMAGE as error:
            self._damage = str(error) or type(error).__name__
            return None
        return member

    def _ends_well(self, archive: tarfile.TarFile) -> bool:
        """Tell an archive that ends with its mark, a block of zeros, from one cut or damaged."""
        assert archive.fileobj is not None
        archive.fileobj.seek(archive.offset - tarfile.BLOCKSIZE)
        blocks = archive.fileobj.read(2 * tarfile.BLOCKSIZE)
        zeros = tarfile.NUL * tarfile.BLOCKSIZE
        return blocks[: tarfile.BLOCKSIZE] == zeros or blocks[tarfile.BLOCKSIZE :] == zeros

    def _rows(self, archive: tarfile.TarFile, group: Group) -> Iterator[Row]:
        media = [member for member in group if suffix_of(member.name) in MEDIA_SUFFIXES]
        seen = [each for each in media if suffix_of(each.name) not in _CAPTION_SUFFIXES]
        beside = [member for member in group if suffix_of(member.name) in SIDECAR_SUFFIXES]
        sidecars = [f"{self._place}:{each.offset_data}:{each.size}" for each in beside]
        described = self._described(archive, beside)
        for member in seen or media:
            fault = described.fault
            if not member.isreg() or member.issparse():
                fault = str(Fault.UNREADABLE)
            yield described._replace(
                item=self._item(member.name), url=None if fault else described.url, fault=fault,
                path=self._place, offset=member.offset_data, size=member.size, sidecars=sidecars,
            )  # fmt: skip
        if not media:
            yield Row(self._item(group[0].name), fault=str(Fault.NO_MEDIA))

    def _item(self, name: str) -> str:
        return f"{readable(self._path.name)}/{readable(name)}"

    def _described(self, archive: tarfile.TarFile, beside: Group) -> Row:
        """Return what the .json members of a group say, as a row without an item."""
        row = Row("")
        for member in beside:
            if suffix_of(member.name) != ".json":
                continue
            record = self._json(archive, member)
            if isinstance(record, Fault):
                return Row("", fault=str(Fault.SIDECAR_UNREADABLE))
            url = record.get(self.columns.url) if self.columns.url else None
            if url is not None and not isinstance(url, str):
                return Row("", fault=str(Fault.NOT_TEXT))
            if url:
                row = url_row(url.encode("utf-8", "surrogatepass"))
            row = with_fields(row, record, self.columns)
        return row

    def _json(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, object] | Fault:
        if not member.isreg() or member.size > limits.TEXT_FILE_BYTES_MAX:
            return Fault.SIDECAR_UNREADABLE
        try:
            file = archive.extractfile(member)
            raw = file.read() if file is not None else b""
        except _DAMAGE:
            return Fault.SIDECAR_UNREADABLE
        return parsed(raw)


_GROUP_MAX = limits.ARCHIVE_MEMBERS_MAX


def _stem(member: tarfile.TarInfo) -> str:
    """Return the path up to the first dot of the file name, which is WebDataset's key."""
    folder, name = os.path.split(member.name)
    return f"{folder}/{name.split('.', 1)[0]}"
