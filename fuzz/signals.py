"""Throw damaged bytes at every reader of every signal.

    python fuzz/signals.py --inputs 200000 --seed 1

Starts from the conformance vectors of each kind of resource, the hostile inputs of the tests and
the files under ``--files`` (robots.txt by the thousand, JPEG with XMP), and changes bytes, words,
lines and lengths. Prints seeds, inputs, seconds, the slowest input (CPU) and the peak memory for
each reader. An error, more than a second for one input, a text that cannot be written down, or
more memory than the ceiling keeps the input and fails.
"""

from __future__ import annotations

import base64
import json
import re
import runpy
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from campaign import Reader, options, run

from tercet.consent.capture import Capture
from tercet.consent.media.packets import extract
from tercet.consent.signal import Reader as SignalReader
from tercet.consent.signal import Resource
from tercet.consent.signals import SIGNALS
from tercet.core.declaration import Carrier, Source
from tercet.core.ids import sha256_hex
from tercet.core.limits import DECLARATIONS_MAX
from tercet.store.evidence_rows import declaration_row, readings_from_json

ROOT = Path(__file__).resolve().parent.parent
SEED_BYTES_MAX = 6_000  # of real files, which would be slow to damage whole
REAL_FILES_MAX = 400
CARRIERS = {
    Resource.HTTP_HEADERS: Carrier.HEADER, Resource.HTML: Carrier.META,
    Resource.XMP: Carrier.EMBEDDED, Resource.METADATA: Carrier.EMBEDDED,
    Resource.OPF: Carrier.EMBEDDED, Resource.C2PA: Carrier.EMBEDDED,
    Resource.DECLARATION_JSON: Carrier.SIDECAR, Resource.LICENCE_TEXT: Carrier.TABLE,
}  # fmt: skip
WORD = re.compile(rb"[A-Za-z][A-Za-z0-9:._/#-]{2,60}")
ROWS_CHECKED_MAX = 20  # declarations of one input that are written down and read back


def vectors(signal: str) -> dict[Resource, list[bytes]]:
    """Return the conformance vectors' bytes of one signal ("*": of all), without doubles."""
    found: defaultdict[Resource, dict[bytes, None]] = defaultdict(dict)
    for file in sorted((ROOT / "vectors").glob(f"{signal}.json")):
        for case in json.loads(file.read_text("utf-8"))["cases"]:
            packed = case.get("raw_base64")
            raw = base64.b64decode(packed) if packed is not None else case["raw"].encode()
            found[Resource(case["resource"])][raw] = None
    return {resource: list(raws) for resource, raws in found.items()}


def seeds(files: Path | None) -> dict[Resource, list[bytes]]:
    """Return what each kind of resource starts from, in a fixed order."""
    found = defaultdict(list, vectors("*"))
    for resource, raw in _real(files) if files is not None else ():
        found[resource].append(raw[:SEED_BYTES_MAX])
    return dict(found)


def _real(files: Path) -> Iterator[tuple[Resource, bytes]]:
    for path in sorted(files.rglob("*.tar.gz")):
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.isfile()]
            for member in members[:: max(1, len(members) // REAL_FILES_MAX)]:
                content = archive.extractfile(member)
                if content is not None:
                    yield Resource.ROBOTS_TXT, content.read()
    for path in sorted(files.rglob("*.jpg")):
        for packet in extract(path.read_bytes()).packets:
            yield packet.resource, packet.raw
    for path in sorted(files.rglob("*.json")):
        yield from _structured_fields(path)


def _structured_fields(path: Path) -> Iterator[tuple[Resource, bytes]]:
    cases = json.loads(path.read_text("utf-8"))
    for case in cases if isinstance(cases, list) else []:
        if case.get("header_type") == "dictionary":
            for value in case["raw"]:
                field = b"Content-Usage: " + value.encode()
                yield Resource.HTTP_HEADERS, field + b"\r\n"
                yield Resource.ROBOTS_TXT, b"User-agent: *\n" + field + b"\nAllow: /\n"


def words(raws: list[bytes]) -> list[bytes]:
    """Return the words of the seeds: a format's own keys and values."""
    return sorted({word for raw in raws for word in WORD.findall(raw[:2_000])})[:3_000]


def attempt(name: str, resource: Resource, reader: SignalReader, raw: bytes) -> None:
    """Read ``raw`` and check what holds for every declaration."""
    carrier = CARRIERS.get(resource, Carrier.FILE)
    source = Source("https://example.org/a", carrier, "2026-11-22T00:00:00Z")
    declarations = reader(raw, source)
    assert len(declarations) <= DECLARATIONS_MAX + 1, f"{len(declarations)} declarations"
    digest = sha256_hex(raw)
    capture = Capture(resource, carrier)
    for ordinal, declaration in enumerate(declarations[:ROWS_CHECKED_MAX]):
        assert declaration.signal == name
        assert declaration.raw_sha256 == digest
        place = declaration.place
        assert 0 <= place.byte_start <= place.byte_end <= len(raw), place
        assert 0 <= place.line_start <= place.line_end, place
        row = declaration_row(declaration, capture, ordinal)
        assert all(text.isprintable() or text.encode() for text in _texts(row))
        assert readings_from_json(row["readings"]) == declaration.readings


def _texts(row: dict[str, object]) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from value


def bombs() -> dict[Resource, list[bytes]]:
    """Return the hostile inputs of the tests, by kind of resource."""
    hostile = runpy.run_path(str(ROOT / "tests" / "consent" / "hostile_inputs.py"))
    found: dict[Resource, list[bytes]] = {resource: [] for resource in Resource}
    for _, resource, raw in hostile["hostile_inputs"]():
        found[resource].append(raw)
    return found


def readers(files: Path | None) -> Iterator[Reader]:
    """Yield every reader of every signal with what it starts from."""
    starts = seeds(files)
    whole = bombs()
    for signal in SIGNALS:
        for kind, reader in signal.readers:

            def tried(raw: bytes, of: tuple[str, Resource, SignalReader] = (
                signal.name, kind, reader
            )) -> None:  # fmt: skip
                attempt(*of, raw)

            own = vectors(signal.name).get(kind, [b""])
            others = [raw for raw in starts.get(kind, []) if raw not in set(own)]
            small = others + own * max(1, len(others) // len(own))
            yield Reader(f"{signal.name} {kind}", small, tried, words(own + others), whole[kind])


def main() -> None:
    chosen = options(__doc__)
    run(list(readers(chosen.files)), chosen)


if __name__ == "__main__":
    main()
