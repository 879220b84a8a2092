"""`tercet/clips@1`: what a line must be, and errors that name the line and the key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.studio.clips_manifest import CLIPS_TYPE, ClipEntry, parse_clip, parse_clips

GOOD: dict[str, Any] = {
    "type": CLIPS_TYPE,
    "path": "clips/harbour.mp4",
    "sha256": "ab" * 32,
    "owner": "A Person",
    "licence": "CC0-1.0",
    "caption": "boats in a harbour",
}


def line(**changes: Any) -> bytes:
    record = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    return json.dumps(record).encode()


def test_a_whole_line() -> None:
    entry = parse_clip(line(title="Harbour", source="own", start_s=1, end_s=6.5), 1)
    assert entry == ClipEntry(
        "clips/harbour.mp4", "ab" * 32, "A Person", "CC0-1.0", "boats in a harbour",
        "Harbour", "own", 1.0, 6.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"{", "line 7: expected a JSON object"),
        (b"[]", "line 7: expected a JSON object"),
        (b"\xff", "line 7: expected UTF-8"),
        (b'{"type": "a", "type": "b"}', "a key stands twice"),
        (b"[" * 30_000, "line 7: expected a JSON object"),
        (b" " * 70_000, "line 7: expected at most 65536 bytes"),
        (line(type="tercet/clips@2"), "expected type 'tercet/clips@1'"),
        (line(type=...), "expected type"),
        (line(license="CC0"), "no key of tercet/clips@1: 'license'"),
        (line(path=""), "path: expected text"),
        (line(path="/clips/a.mp4"), "path: expected one below"),
        (line(path="../a.mp4"), "path: expected one below"),
        (line(path="a\\b.mp4"), "path: expected one below"),
        (line(sha256="AB" * 32), "sha256: expected 64 hex digits"),
        (line(sha256="ab"), "sha256: expected 64 hex digits"),
        (line(sha256=...), "sha256: expected text, got none"),
        (line(owner="  "), "owner: expected text, got none"),
        (line(licence=7), "licence: expected text, got 7"),
        (line(caption="a\nb"), "caption: control characters"),
        (line(caption="\ud800"), "caption: control characters or lone surrogates"),
        (line(caption="a" * 1001), "caption: expected at most 1000"),
        (line(start_s="1"), "start_s: expected seconds"),
        (line(start_s=True), "start_s: expected seconds"),
        (line(start_s=-1), "start_s: expected 0 to 86400"),
        (line(end_s=float("nan")), "end_s: expected 0 to 86400"),
        (line(start_s=5, end_s=5), r"end_s: expected more than start_s \(5.0\), got 5.0"),
    ],
)
def test_what_is_wrong_is_named(raw: bytes, expected: str) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        parse_clip(raw, 7)
    assert caught.value.message.startswith("line 7: ")
    assert caught.value.hint


def test_every_line_is_told_of() -> None:
    lines = [line(), b"", b"{", line(path="b.mp4"), line()]
    found = list(parse_clips(lines))
    assert [number for number, _ in found] == [1, 3, 4, 5]
    assert isinstance(found[0][1], ClipEntry)
    assert isinstance(found[1][1], InputError)
    twice = found[3][1]
    assert isinstance(twice, InputError)
    assert "stands in line 1 already" in twice.message


@given(st.binary() | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(GOOD)), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_total(raw: bytes) -> None:
    """Any bytes are a clip or an InputError."""
    ((_, found),) = list(parse_clips([b"x" + raw]))
    assert isinstance(found, InputError)
    for _, entry in parse_clips([raw]):
        assert isinstance(entry, ClipEntry | InputError)
