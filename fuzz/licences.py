"""Throw damaged bytes at strict JSON, signed documents and repertoires.

    python fuzz/licences.py --inputs 200000 --seed 1

Strict JSON reads what Python's own reader reads, or refuses. A damaged document never counts: it is
refused by an error of ours or by its standing, unless it is the good one byte by byte. The fast
reader of repertoires accepts exactly what a slow one does, line by line. The documents come from
vectors/documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from campaign import Reader, options, run

from tercet.consent.licences.names import check_name
from tercet.consent.licences.party_history import Parties, receive_party
from tercet.consent.licences.repertoire import (
    HEADER,
    RepertoireError,
    normal_line,
    read_repertoire,
    repertoire_bytes,
)
from tercet.consent.licences.signing import document_sha256
from tercet.consent.licences.standing import Standing, check_agreement
from tercet.core.canonical import canonical_json
from tercet.core.errors import TercetError
from tercet.core.strict_json import JsonError, read_canonical_object, read_json

FOLDER = Path(__file__).parent.parent / "vectors" / "documents"
AGREEMENTS = json.loads((FOLDER / "agreements.json").read_text("utf-8"))
PARTY_CASES = json.loads((FOLDER / "parties.json").read_text("utf-8"))["cases"]
BEGIN = "2026-01-01T00:00:00Z"
REPERTOIRE = b"""tercet/repertoire@1
sha256:4a8e76fcf3325cc503d1dcc7ab1454395be0de7fb900c7fdf5f1781907766e55
sha256:5a8e76fcf3325cc503d1dcc7ab1454395be0de7fb900c7fdf5f1781907766e55
site:http://localhost:8080
site:https://films.example.org
site:https://xn--tda.example
url:https://a.example/film?x=%20
url:https://a.example/x/.hidden/..y
url:https://b.example/
"""


def read_strictly(raw: bytes) -> None:
    """Read JSON; what is read is what anybody reads."""
    try:
        value = read_json(raw)
    except JsonError:
        return
    assert value == json.loads(raw)
    assert read_json(canonical_json(value)) == value


def known() -> Parties:
    """Return the parties that the good agreement names."""
    histories: dict[str, Any] = {}
    for each in AGREEMENTS["parties"]["all"]:
        document = each["document"]
        histories[document["id"]] = receive_party(None, document, each["received_at"])
    return histories


PARTIES = known()
GOOD = AGREEMENTS["cases"][0]["raw"].encode()
WHOLE = {case["raw"].encode() for case in AGREEMENTS["cases"]}
SEEN_AT = AGREEMENTS["cases"][0]["seen_at"]
GOOD_PARTY = canonical_json(PARTY_CASES[0]["documents"][0])


def check_one_agreement(raw: bytes) -> None:
    """Check an agreement from bytes: only what was signed so counts."""
    try:
        standing = check_agreement(read_canonical_object(raw), PARTIES, None, SEEN_AT)
    except TercetError:
        return
    assert standing is not Standing.VALID or raw in WHOLE


def take_party(raw: bytes) -> None:
    """Take in a party from bytes: only the good one is taken."""
    try:
        history = receive_party(None, read_canonical_object(raw), BEGIN)
    except TercetError:
        return
    assert raw == GOOD_PARTY
    assert document_sha256(history.versions[0].document)


def read_works(raw: bytes) -> None:
    """Read a repertoire, fast and slowly."""
    try:
        works = read_repertoire(raw)
    except RepertoireError:
        assert not is_repertoire(raw)
        return
    assert is_repertoire(raw)
    assert repertoire_bytes(works) == raw


def is_repertoire(raw: bytes) -> bool:
    """Say whether bytes are a repertoire, line by line."""
    if not raw.startswith(HEADER) or not raw.endswith(b"\n"):
        return False
    lines = raw.removeprefix(HEADER).split(b"\n")[:-1]
    try:
        are_normal = all(normal_line(line.decode()) == line.decode() for line in lines)
    except (RepertoireError, UnicodeDecodeError):
        return False
    return are_normal and lines == sorted(set(lines))


def read_name(raw: bytes) -> None:
    """Check a name."""
    try:
        check_name(raw.decode("utf-8", "replace"))
    except TercetError:
        return


def readers() -> Iterator[Reader]:
    """Yield the readers."""
    cases = [case["raw"].encode() for case in AGREEMENTS["cases"]]
    documents = [canonical_json(each) for case in PARTY_CASES for each in case["documents"]]
    bombs = [b"[" * 250_000, b'{"":' * 60_000, b'"\\"' * 80_000, b"9" * 250_000]
    words = [b'"signatures"', b'"jws"', b'"key_id"', b'"keys"', b"null", b"true", b"..", b"{}"]
    yield Reader("strict JSON", [*cases, *documents], read_strictly, words, bombs)
    yield Reader("agreement", [GOOD, *cases], check_one_agreement, words, bombs)
    yield Reader("party", [GOOD_PARTY, *documents], take_party, words, bombs)
    kinds = [b"sha256:", b"site:", b"url:", b"https://", b"/../", b"xn--", b":443", b"%2e", b"#"]
    yield Reader("repertoire", [REPERTOIRE], read_works, kinds, [HEADER + b"url:" * 60_000])
    names = ["Nguyễn Văn An", "Łukasz Żółć", "山田太郎 ABC", "محمد علي", "O’Brien & Sons"]
    yield Reader("name", [name.encode() for name in names], read_name)


def main() -> None:
    run(list(readers()), options(__doc__))


if __name__ == "__main__":
    main()
