"""JSONL in, and plain lists of URLs: one line, one row. Blank lines are no rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from tercet.consent.corpora.columns import find_columns
from tercet.consent.corpora.corpus import ColumnNames
from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.local_rows import local_row, names_local_files
from tercet.consent.corpora.records import fault_row, object_row, parsed, truncated_row, url_row
from tercet.consent.corpora.staging import CHUNK_BYTES, CHUNK_ROWS, Chunks, Row
from tercet.consent.corpora.streams import Lines, TextInput, refuse_damage
from tercet.core.errors import InputError

_LOOKED_AT_ROWS = 1000


def url_line(line: bytes) -> Row:
    """Return the row of a line that is a URL."""
    return url_row(line.strip(b" \t"))


class LineRows:
    """The rows of a text file, each line made one by ``read``; a position is a byte of its text.

    As it stands it reads a plain list of URLs.
    """

    columns = ColumnNames(url="url")

    def __init__(self, path: Path, read: Callable[[bytes], Row] = url_line) -> None:
        self._source = TextInput(path)
        self._read = read

    def chunks(self, position: int) -> Chunks:
        """Yield (rows, position after them)."""
        lines = Lines(self._source, position)
        rows: list[Row] = []
        for line in lines:
            if not line or line.isspace():
                continue
            rows.append(self._read(line))
            if len(rows) >= CHUNK_ROWS or lines.position - position >= CHUNK_BYTES:
                position = lines.position
                yield rows, position
                rows = []
        if self._source.damage:
            rows.append(truncated_row(lines.torn))
        if rows:
            yield rows, lines.position

    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return self._source.digest()


class JsonRows(LineRows):
    """A JSONL file. Its columns are the keys of its first thousand objects.

    Where these have a ``path`` and no URL, the rows are local files beside it.
    """

    def __init__(self, path: Path, asked: ColumnNames) -> None:
        super().__init__(path, self._object)
        keys: dict[str, None] = {}
        seen = 0
        for line in islice(Lines(self._source), _LOOKED_AT_ROWS):
            seen += bool(line)
            record = parsed(line)
            if not isinstance(record, Fault):
                keys.update(dict.fromkeys(record))
        if not seen:
            refuse_damage(self._source)
            raise InputError(f"{path} has no rows", hint="check that it is the right file")
        self._folder = path.parent if names_local_files(keys, asked) else None
        need_url = self._folder is None
        self.columns = find_columns(list(keys), asked, str(path), need_url=need_url)

    def _object(self, line: bytes) -> Row:
        record = parsed(line)
        if isinstance(record, Fault):
            return fault_row(line, record)
        if self._folder is not None:
            return local_row(record, self.columns, self._folder)
        return object_row(record, self.columns)
