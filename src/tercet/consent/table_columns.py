"""What a corpus table itself says of its rows: a licence column, a column of HTTP headers.

Each distinct text is read once; the declarations in it are kept with the text as their bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tercet.consent.capture import Capture, Captured, capture_of, declarations_of
from tercet.consent.http_headers import headers_fault, parse_headers
from tercet.consent.rulebook import Rulebook, compile_rulebook
from tercet.consent.signal import Resource
from tercet.core.declaration import Carrier, Declaration
from tercet.core.usage import Usage

_SPEAKING_HEADERS = frozenset({
    "x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage", "content-signal", "link",
    "crawler-price", "crawler-charged", "crawler-error",
})  # fmt: skip
_MEMORY_MAX = 100_000  # distinct texts remembered


@dataclass(frozen=True, slots=True)
class ColumnText:
    """One distinct text of a column: its rulebook, and its declarations in order."""

    rulebook: Rulebook
    captured: Captured
    declarations: tuple[Declaration, ...]


@dataclass(slots=True)
class TableColumn:
    """Reads the texts of one column for one usage."""

    resource: Resource
    uri: str
    usage: Usage
    _known: dict[str, ColumnText] = field(default_factory=dict)

    def read(self, text: str) -> ColumnText:
        """Return what ``text`` declares. Total."""
        raw = self._raw(text)
        key = raw.decode("utf-8", "surrogatepass")
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MEMORY_MAX:
                self._known.clear()
            known = self._known[key] = self._read(raw)
        return known

    def _raw(self, text: str) -> bytes:
        raw = text.encode("utf-8", "surrogatepass")
        return speaking_headers(raw) if self.resource is Resource.HTTP_HEADERS else raw

    def _read(self, raw: bytes) -> ColumnText:
        carrier = Carrier.TABLE
        captured = capture_of(Capture(self.resource, carrier, uri=self.uri), raw)
        rulebook = compile_rulebook([captured], self.usage, of_site=False)
        return ColumnText(rulebook, captured, declarations_of(*captured))


def speaking_headers(raw: bytes) -> bytes:
    """Return only the header lines that can declare something, one ``name: value`` a line.

    A block that cannot be read in full is returned as it is, for the readers to see its fault.
    """
    if headers_fault(raw):
        return raw
    kept = [h for h in parse_headers(raw) if h.name_lower in _SPEAKING_HEADERS]
    return "".join(f"{h.name_lower}: {h.value}\r\n" for h in kept).encode("utf-8", "replace")
