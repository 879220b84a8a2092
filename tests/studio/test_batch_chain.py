"""The batch chain: nothing can be left out, added, changed or reordered behind its last link."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import IntegrityError
from tercet.store.batch_chain import ChainFile
from tercet.studio.batch_chain import SampleRecord, batch_hash, chain_end, next_link, parse_batches

START = hashlib.sha256(b"plan").digest()
HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=8)


def record(index: int = 0, caption: str = "a car drives", value: int = 7) -> SampleRecord:
    pixels = np.full((2, 4, 4, 3), value, np.uint8)
    return SampleRecord.of(index, f"recipe {index}", caption, ("ab" * 32,), pixels)


def test_the_links_are_those_of_the_formula() -> None:
    """h(n) = SHA-256(h(n-1) || batch(n)), computed here by hand."""
    one, two = hashlib.sha256(b"1").digest(), hashlib.sha256(b"2").digest()
    first = hashlib.sha256(START + one).digest()
    assert next_link(START, one) == first
    assert chain_end(START, [one, two]) == hashlib.sha256(first + two).digest()
    assert chain_end(START, []) == START


def test_a_batch_hash_is_that_of_its_canonical_json() -> None:
    pixels = np.full((2, 4, 4, 3), 7, np.uint8)
    document = {
        "samples": [
            {
                "caption_sha256": hashlib.sha256(b"a car drives").hexdigest(),
                "index": 0,
                "pixels_sha256": hashlib.sha256(b"2,4,4,3\n" + pixels.tobytes()).hexdigest(),
                "source": "recipe 0",
                "works": ["ab" * 32],
            }
        ],
        "step": 1,
        "type": "tercet/batch@1",
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert batch_hash(1, [record()]) == hashlib.sha256(text.encode()).digest()


def test_everything_of_a_sample_counts() -> None:
    others = [
        batch_hash(1, [record()]),
        batch_hash(2, [record()]),
        batch_hash(1, [record(1)]),
        batch_hash(1, [record(caption="a car flies")]),
        batch_hash(1, [record(value=8)]),
        batch_hash(1, [record(), record()]),
        batch_hash(1, []),
    ]
    assert len(set(others)) == len(others)


@given(HASHES, st.data())
def test_no_change_keeps_the_last_link(hashes: list[bytes], data: st.DataObject) -> None:
    end = chain_end(START, hashes)
    changed = data.draw(HASHES)
    assert (chain_end(START, changed) == end) == (changed == hashes)


@given(HASHES)
def test_a_file_gives_back_what_was_taken(hashes: list[bytes]) -> None:
    raw = b"".join(value.hex().encode() + b"\n" for value in hashes)
    assert parse_batches(raw) == hashes


@pytest.mark.parametrize(
    "raw",
    [b"ab\n", b"AB" * 32 + b"\n", b"ab" * 32, b"zz" * 32 + b"\n", b"\n", b"\xff" * 64 + b"\n"],
)
def test_what_is_no_chain_is_refused(raw: bytes) -> None:
    with pytest.raises(IntegrityError, match="line 1 of the batch chain"):
        parse_batches(raw)


def hashes_of(count: int) -> list[bytes]:
    return [batch_hash(step, [record(step)]) for step in range(1, count + 1)]


def test_a_run_that_goes_on_ends_with_the_same_link(tmp_path: Path) -> None:
    known = hashes_of(5)
    with ChainFile(tmp_path / "batches.txt", START) as chain:
        for batch in known[:3]:
            chain.take(batch)
    with ChainFile(tmp_path / "batches.txt", START, 2) as chain:  # its checkpoint was older
        assert chain.link == chain_end(START, known[:2])
        for batch in known[2:]:
            chain.take(batch)
        assert chain.link == chain_end(START, known)
    assert parse_batches((tmp_path / "batches.txt").read_bytes()) == known


def test_another_batch_than_before_is_refused(tmp_path: Path) -> None:
    first, second, other = hashes_of(3)
    with ChainFile(tmp_path / "batches.txt", START) as chain:
        chain.take(first)
        chain.take(second)
    again = ChainFile(tmp_path / "batches.txt", START, 1)
    with again, pytest.raises(IntegrityError, match="batch 2 is another"):
        again.take(other)
    assert parse_batches((tmp_path / "batches.txt").read_bytes()) == [first, second]


@pytest.mark.parametrize("left", range(66))
def test_a_line_cut_off_by_a_kill_is_written_again(tmp_path: Path, left: int) -> None:
    known = hashes_of(2)
    path = tmp_path / "batches.txt"
    with ChainFile(path, START) as chain:
        for batch in known:
            chain.take(batch)
    path.write_bytes(path.read_bytes()[: 65 + left])
    with ChainFile(path, START, 1) as chain:
        chain.take(known[1])
        assert chain.link == chain_end(START, known)
    assert parse_batches(path.read_bytes()) == known


def test_a_chain_shorter_than_its_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="has 0 batches, expected at least 3"):
        ChainFile(tmp_path / "batches.txt", START, 3)
