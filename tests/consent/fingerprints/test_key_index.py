"""Equal keys are found, all of them and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.fingerprints import hamming_index, key_index
from tercet.consent.fingerprints.hamming_index import DamagedIndexError
from tercet.consent.fingerprints.key_index import KeyIndex, build, pieces, search

keys = st.lists(st.integers(0, 4) | st.integers(0, 2**64 - 1), max_size=60)


@given(keys, keys)
def test_all_equal_keys_are_found(stored: list[int], asked: list[int]) -> None:
    index = build(np.array(stored, np.uint64))
    query, entry = search(index, np.array(asked, np.uint64))
    wanted = [
        (at, row)
        for at, key in enumerate(asked)
        for row, other in enumerate(stored)
        if key == other
    ]
    assert list(zip(query.tolist(), entry.tolist(), strict=True)) == wanted


@given(keys)
def test_compiled_and_plain_rows_are_the_same(stored: list[int]) -> None:
    row = build(np.array(stored, np.uint64)).row
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming_index, "_library", None)
        assert np.array_equal(row, build(np.array(stored, np.uint64)).row)


def test_a_key_that_stands_everywhere_comes_in_a_piece_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_index, "PIECE_ENTRIES", 100)
    index = build(np.concatenate([np.zeros(5000, np.uint64), np.arange(1, 200, dtype=np.uint64)]))
    asked = np.array([7, 0, 0, 8], np.uint64)
    assert max(len(query) for query, _ in pieces(index, asked)) <= 5001
    assert np.array_equal(np.bincount(search(index, asked)[0]), [1, 5000, 5000, 1])


@settings(max_examples=50)
@given(st.data())
def test_a_damaged_row_never_leads_outside(data: st.DataObject) -> None:
    stored = np.arange(100, dtype=np.uint64)
    row = build(stored).row.copy()
    for _ in range(data.draw(st.integers(1, 10))):
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(st.integers(0, 2**32 - 1))
    try:
        query, entry = search(KeyIndex(stored, row), stored)
    except DamagedIndexError:
        return
    assert np.array_equal(query, entry)
