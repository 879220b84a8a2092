"""Bytes of a text table in: decompressed, hashed as they come, and cut into lines.

Damage never raises once reading has begun: the stream ends there and says so, so that the rows
before it are kept and one row says what is missing.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tercet.core import limits
from tercet.core.errors import InputError

BLOCK_BYTES = 1024 * 1024
_ZSTD_FEED_BYTES = 2048  # one zstd block of this size can grow to at most 64 MiB
_GZIP_FEED_BYTES = 16 * 1024  # what comes of a piece is lost when damage lies in it
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextInput:
    """One text file, plain, .gz or .zst. ``damage`` says why the stream ended early, or is ""."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage = ""
        self._seen = sha256()
        self._whole_seen = False
        self._rest: Iterator[bytes] = iter(())

    def blocks(self) -> Iterator[bytes]:
        """Yield the text as UTF-8 blocks: a byte order mark taken off, UTF-16 made UTF-8."""
        self.damage = ""
        self._seen = sha256()
        self._whole_seen = True
        blocks = self._whole()
        first = next(blocks, b"")
        if first[:2] in _UTF16_MARKS:
            yield from _utf8(first, blocks)
            return
        if b"\n" not in first and b"\r" in first:  # the line ends of old Macintosh files
            yield first.removeprefix(codecs.BOM_UTF8).replace(b"\r", b"\n")
            yield from (block.replace(b"\r", b"\n") for block in blocks)
            return
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from blocks

    def digest(self) -> str:
        """Return the SHA-256 of the file as it lies there; "" if it cannot be read whole."""
        for _ in self._rest:
            pass
        return self._seen.hexdigest() if self._whole_seen else ""

    def _whole(self) -> Iterator[bytes]:
        self._rest = self._raw()
        suffix = self.path.suffix.lower()
        if suffix == ".gz":
            return self._gunzip()
        return self._unzstd() if suffix == ".zst" else self._rest

    def _raw(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    self._seen.update(block)
                    yield block
        except OSError as error:
            self.damage = f"cannot be read on: {error.strerror or error}"
            self._whole_seen = False

    def _gunzip(self) -> Iterator[bytes]:
        inflate = zlib.decompressobj(wbits=31)
        begun = False
        try:
            for piece in _pieces(self._rest, _GZIP_FEED_BYTES):
                waiting = piece
                while waiting:
                    if inflate.eof:
                        waiting = waiting.lstrip(b"\0")  # padding between or after members
                        inflate, begun = zlib.decompressobj(wbits=31), False
                        continue
                    begun = True
                    out = inflate.decompress(waiting, BLOCK_BYTES)
                    waiting = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                    if out:
                        yield out
            if begun and not inflate.eof:
                if out := inflate.flush():
                    yield out
                self.damage = self.damage or "the gzip stream ends early"
        except zlib.error as error:
            self.damage = f"the gzip stream is damaged: {error}"

    def _unzstd(self) -> Iterator[bytes]:
        import zstandard

        context = zstandard.ZstdDecompressor()
        frame = context.decompressobj()
        begun = False
        try:
            for piece in _pieces(self._rest, _ZSTD_FEED_BYTES):
                waiting = piece
                while waiting:
                    if frame.eof:
                        frame = context.decompressobj()
                    begun = True
                    out = frame.decompress(waiting)
                    waiting = frame.unused_data if frame.eof else b""
                    if out:
                        yield out
            if begun and not frame.eof:
                self.damage = self.damage or "the zstd stream ends early"
        except zstandard.ZstdError as error:
            self.damage = f"the zstd stream is damaged: {error}"


def _pieces(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    for block in blocks:
        for start in range(0, len(block), size):
            yield block[start : start + size]


def _utf8(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    yield decoder.decode(first).encode("utf-8", "replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


class Lines:
    """The lines of an input from byte ``start`` of its text on, without their ends.

    ``position`` is the byte after the last line given. A line longer than limits.ROW_BYTES_MAX
    is given as its first ROW_BYTES_MAX + 1 bytes. ``torn`` holds the piece of a line before
    damage, which is no whole line and is not given.
    """

    def __init__(self, source: TextInput, start: int = 0) -> None:
        self.position = start
        self.torn = b""
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        tail, dropped = b"", 0
        for block in _from(self._source.blocks(), self.position):
            fresh = block
            if dropped:  # inside a line already too long: only its end is looked for
                line_end = block.find(b"\n")
                if line_end < 0:
                    dropped += len(block)
                    continue
                self.position += len(tail) + dropped + line_end + 1
                yield tail
                tail, dropped, fresh = b"", 0, block[line_end + 1 :]
            pieces = (tail + fresh).split(b"\n")
            tail = pieces.pop()
            for piece in pieces:
                self.position += len(piece) + 1
                yield piece.removesuffix(b"\r")
            dropped = max(0, len(tail) - limits.ROW_BYTES_MAX - 1)
            tail = tail[: limits.ROW_BYTES_MAX + 1]
        if self._source.damage:
            self.torn = tail
        elif tail:
            self.position += len(tail) + dropped
            yield tail.removesuffix(b"\r")


def _from(blocks: Iterator[bytes], start: int) -> Iterator[bytes]:
    for block in blocks:
        if start >= len(block):
            start -= len(block)
            continue
        yield block[start:] if start else block
        start = 0


def refuse_damage(source: TextInput) -> None:
    """Raise InputError when ``source`` was damaged before anything could be read from it."""
    if source.damage:
        raise InputError(
            f"{source.path}: {source.damage}", hint="copy it again, or check its suffix"
        )
