"""CSV and TSV in: RFC 4180 by bytes, with every broken row kept as one.

A line without quotes is split at its delimiters. In a quoted row a quote must close before a
delimiter or the line's end; one that does not close within a bounded number of lines makes its
own line a bad row, and the lines after it are read for themselves, so one stray quote never
swallows the rest of a file. Blank lines are no rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from tercet.consent.corpora.columns import find_columns
from tercet.consent.corpora.corpus import ColumnNames
from tercet.consent.corpora.faults import Fault
from tercet.consent.corpora.records import fault_row, truncated_row, url_fields
from tercet.consent.corpora.staging import CHUNK_BYTES, CHUNK_ROWS, Chunks, Row
from tercet.consent.corpora.streams import Lines, TextInput, refuse_damage
from tercet.core import limits
from tercet.core.errors import InputError

_NOTHING_ELSE = (-1, -1, -1)
Record = tuple[list[bytes] | Fault, bytes]
"""The cells of a row, or what is wrong with it; and the line, or lines, it stands on."""


class Cells:
    """The cells of one row, fed line by line. ``open`` while a quote waits to be closed."""

    def __init__(self, delimiter: bytes) -> None:
        self.cells: list[bytes] = []
        self.open = False
        self.bad = False
        self._delimiter = delimiter
        self._parts: list[bytes] = []

    def feed(self, line: bytes) -> None:
        """Take the next line of the row."""
        place = 0
        if self.open:
            self._parts.append(b"\n")
            place = self._quoted(line, 0)
        while not self.open and not self.bad and place <= len(line):
            if line.startswith(b'"', place):
                self._parts = []
                place = self._quoted(line, place + 1)
                continue
            end = line.find(self._delimiter, place)
            end = len(line) if end < 0 else end
            self.cells.append(line[place:end])
            place = end + 1

    def _quoted(self, line: bytes, place: int) -> int:
        """Read on inside quotes; return the place after the cell's delimiter."""
        while True:
            end = line.find(b'"', place)
            if end < 0:
                self._parts.append(line[place:])
                self.open = True
                return len(line) + 1
            if line.startswith(b'"', end + 1):
                self._parts.append(line[place : end + 1])
                place = end + 2
                continue
            self._parts.append(line[place:end])
            self.cells.append(b"".join(self._parts))
            self.open = False
            end += 1
            self.bad = end < len(line) and not line.startswith(self._delimiter, end)
            return end + 1


class DelimitedRows:
    """The rows of a CSV or TSV file; a position is a byte of its text, at the start of a row."""

    def __init__(self, path: Path, delimiter: bytes, asked: ColumnNames) -> None:
        self._source = TextInput(path)
        self._delimiter = delimiter
        header = self._header()
        names = [cell.decode("utf-8", "replace").strip() for cell in header]
        self.columns = find_columns(names, asked, str(path))
        self._width = len(names)
        chosen = (self.columns.licence, self.columns.headers, self.columns.sha256)
        self._url = names.index(self.columns.url)
        self._others = tuple(names.index(name) if name else -1 for name in chosen)

    def _header(self) -> list[bytes]:
        reader = _Reader(self._source, self._delimiter, 0, 0)
        for cells, line in reader.records():
            self._start = reader.position
            if isinstance(cells, Fault):
                text = line[:200].decode("utf-8", "replace")
                raise InputError(
                    f"the header of {self._source.path} cannot be read ({cells}): {text}",
                    hint="the first line must name the columns",
                )
            if len(cells) == 1 and self._delimiter == b"," and b";" in line:
                self._delimiter = b";"
                return line.split(b";")
            return cells
        refuse_damage(self._source)
        raise InputError(
            f"{self._source.path} has no rows", hint="the first line must name the columns"
        )

    def chunks(self, position: int) -> Chunks:
        """Yield (rows, position after them)."""
        position = position or self._start
        reader = _Reader(self._source, self._delimiter, position, self._width)
        rows: list[Row] = []
        for cells, line in reader.records():
            if isinstance(cells, Fault):
                rows.append(fault_row(line, cells))
            else:
                rows.append(self._row(cells))
            if len(rows) >= CHUNK_ROWS or reader.position - position >= CHUNK_BYTES:
                position = reader.position
                yield rows, position
                rows = []
                reader.forget_doubts()
        if self._source.damage:
            rows.append(truncated_row(reader.torn))
        if rows:
            yield rows, reader.position

    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return self._source.digest()

    def _row(self, cells: list[bytes]) -> Row:
        item, url, fault = url_fields(cells[self._url])
        if self._others == _NOTHING_ELSE:
            return Row(item, url, None, None, None, fault)
        licence, headers, digest = self._others
        try:
            return Row(
                item,
                url,
                (cells[licence].decode() or None) if licence >= 0 else None,
                (cells[headers].decode() or None) if headers >= 0 else None,
                (cells[digest].decode() or None) if digest >= 0 else None,
                fault,
            )
        except UnicodeDecodeError:
            return Row(item, fault=fault or str(Fault.INVALID_UTF8))


class _Reader:
    """Records from a position on; ``width`` 0 takes any number of cells."""

    def __init__(self, source: TextInput, delimiter: bytes, start: int, width: int) -> None:
        self._lines = Lines(source, start)
        self._delimiter = delimiter
        self._width = width
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._next = iter(self._lines)
        self.position = start
        self._doubtful_until = 0  # a quote opened above was not closed up to this position

    def forget_doubts(self) -> None:
        """Read on as a reader would that starts here: a run that goes on gives the same rows."""
        self._doubtful_until = 0

    @property
    def torn(self) -> bytes:
        return self._lines.torn

    def records(self) -> Iterator[Record]:
        """Yield every row; ``position`` is then the byte after it."""
        delimiter, width = self._delimiter, self._width
        lines, waiting = self._lines, self._waiting
        while True:
            if waiting:
                line, self.position = waiting.popleft()
            elif (read := next(self._next, None)) is not None:
                line, self.position = read, lines.position
            else:
                return
            if not line:
                continue
            if len(line) > limits.ROW_BYTES_MAX:
                yield Fault.ROW_TOO_LONG, line
            elif b'"' in line:
                yield self._quoted(line)
            else:
                cells = line.split(delimiter)
                yield (cells if len(cells) == width or not width else Fault.FIELD_COUNT), line

    def _line(self) -> tuple[bytes, int] | None:
        if self._waiting:
            return self._waiting.popleft()
        line = next(self._next, None)
        return None if line is None else (line, self._lines.position)

    def _quoted(self, first: bytes) -> Record:
        cells = Cells(self._delimiter)
        cells.feed(first)
        more: list[tuple[bytes, int]] = []
        size = len(first)
        # Else a file of nothing but opening quotes would be read a thousand times over.
        doubtful = self.position < self._doubtful_until
        lines_max = limits.ROW_LINES_AFTER_DOUBT_MAX if doubtful else limits.ROW_LINES_MAX
        while cells.open and len(more) < lines_max:
            found = self._line()
            if found is None:
                break
            more.append(found)
            size += len(found[0])
            if size > limits.QUOTED_ROW_BYTES_MAX:
                break
            cells.feed(found[0])
        right_count = len(cells.cells) == self._width or not self._width
        if not cells.open and not cells.bad and (right_count or not more):
            if more:
                self.position = more[-1][1]
            return (cells.cells if right_count else Fault.FIELD_COUNT), first
        if more and not doubtful:
            self._doubtful_until = more[-1][1]
        self._waiting.extendleft(reversed(more))
        return Fault.BAD_QUOTES, first
