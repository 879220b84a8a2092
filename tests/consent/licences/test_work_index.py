"""Finding works: a digest by all of its digits, a set of lists by its members; compiled or not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licences import hash_index
from tercet.consent.licences.hash_index import (
    HashIndex,
    bucket_starts,
    grouped,
    parsed_words,
)
from tercet.consent.licences.repertoire import Repertoire, holds, repertoire_of
from tercet.core.errors import InputError
from tercet.store.work_index_files import is_kept, keep_index


def digest(at: int) -> str:
    return hashlib.sha256(str(at).encode()).hexdigest()


def index_of(texts: list[str]) -> HashIndex:
    words = parsed_words(np.frombuffer("".join(texts).encode(), dtype=np.uint8))
    order, starts, keys = grouped(words)
    first = order[starts[:-1]]
    return HashIndex(words[first], bucket_starts(keys), first.astype(np.int32))


KNOWN = [digest(at) for at in range(500)]
# Another digest for each of the first, with the same first sixteen digits: one key for both.
ALIKE = [text[:16] + digest(-at)[16:] for at, text in enumerate(KNOWN[:100], 1)]


@pytest.fixture(params=["compiled", "plain"])
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> HashIndex:
    if request.param == "plain":
        monkeypatch.setattr(hash_index, "_library", None)
    elif not hash_index.COMPILED:
        pytest.skip("there is no compiled loop here")
    return index_of(KNOWN + ALIKE + KNOWN[:7])


def test_digests_are_found_by_all_of_their_digits(index: HashIndex) -> None:
    assert len(index) == 600
    asked = [*KNOWN, *ALIKE, *(KNOWN[at][:16] + digest(9_000 + at)[16:] for at in range(100))]
    asked += [text[:63] + ("0" if text[63] != "0" else "1") for text in KNOWN[:100]]
    found = index.find(pa.array(asked)).tolist()
    assert found[:600] == list(range(600))
    assert set(found[600:]) == {-1}


def test_capitals_blanks_nulls_and_what_is_no_digest(index: HashIndex) -> None:
    control = KNOWN[0].replace("6", "\x16")
    asked = [
        KNOWN[3].upper(),
        f" {KNOWN[4]}\n",
        None,
        "",
        "x" * 64,
        KNOWN[5][:-1],
        control,
        "é" * 32,
    ]
    assert index.find(pa.array(asked)).tolist() == [3, 4, -1, -1, -1, -1, -1, -1]
    column = pa.array([None, *KNOWN]).slice(3, 5)
    assert index.find(column).tolist() == [2, 3, 4, 5, 6]


def test_an_empty_index_finds_nothing() -> None:
    words = parsed_words(np.zeros(0, dtype=np.uint8))
    empty = HashIndex(words, bucket_starts(np.zeros(0, dtype=np.uint64)), np.zeros(0, np.int32))
    assert empty.find(pa.array([KNOWN[0], None])).tolist() == [-1, -1]


URLS = [
    "https://a.example/1", "https://A.example:443/1#x", "http://a.example/1", "https://b.example/ü",
    "https://b.example/%C3%BC", "https://c.example/x/../y", "https://c.example", "no url",
    "https://[",
]  # fmt: skip
LINES = [f"sha256:{text}" for text in KNOWN[:6]]
LINES += ["site:https://a.example", "site:http://c.example", "url:https://a.example/1"]
LINES += ["url:https://b.example/ü", "url:https://c.example/y", "url:https://c.example"]


@given(
    st.lists(st.sets(st.sampled_from(LINES)), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.sampled_from([*KNOWN[:6], KNOWN[9], None]), st.sampled_from([*URLS, None])),
        min_size=1,
        max_size=8,
    ),
)
def test_a_row_is_named_by_just_the_lists_that_hold_it(
    tmp_path_factory: pytest.TempPathFactory,
    lists: list[set[str]],
    rows: list[tuple[str | None, str | None]],
) -> None:
    repertoires = [repertoire_of(lines) for lines in lists]
    folder = tmp_path_factory.mktemp("index")
    sources = [(str(at), lambda r=r: r) for at, r in enumerate(repertoires)]
    kept = keep_index(folder / "index", sources)
    columns = kept.index.find(
        pa.array([sha256 for sha256, _ in rows], pa.string()),
        pa.array([url for _, url in rows], pa.string()),
    )
    for at, (sha256, url) in enumerate(rows):
        named = {n for column in columns for n in kept.index.combinations.at(int(column[at]))}
        wanted = {
            n
            for n, repertoire in enumerate(repertoires)
            if holds(repertoire, sha256=sha256 or "", url=url or "")
        }
        assert named == wanted, (sha256, url)


def test_a_list_that_cannot_be_read_is_told_and_names_nothing(tmp_path: Path) -> None:
    def broken() -> Repertoire:
        raise InputError("not a list of works")

    good = repertoire_of(LINES[:2])
    kept = keep_index(tmp_path / "index", [("a", broken), ("b", lambda: good)])
    assert kept.work_counts == (-1, 2)
    assert kept.index.find_one(KNOWN[0]) == (1,)
    (place,) = (tmp_path / "index").iterdir()
    (place / "number.npy").write_bytes(b"damaged")
    again = keep_index(tmp_path / "index", [("a", lambda: good), ("b", lambda: good)])
    assert again.index.find_one(KNOWN[0]) == (0, 1)


@pytest.mark.parametrize("name", ["words.npy", "starts.npy"])
def test_a_forged_index_is_made_anew(tmp_path: Path, name: str) -> None:
    """Who may write in a desk cannot clear other works by an index of their own."""
    sources = [("a", lambda: repertoire_of(LINES[:1]))]
    forged = keep_index(tmp_path / "forged", [("a", lambda: repertoire_of(LINES[1:2]))], b"guess")
    place = keep_index(tmp_path / "index", sources, b"secret").place
    (place / name).write_bytes((forged.place / name).read_bytes())
    assert not is_kept(place, b"secret")
    manifest = json.loads((place / "index.json").read_bytes())
    manifest["files"][name] = hashlib.sha256((place / name).read_bytes()).hexdigest()
    (place / "index.json").write_text(json.dumps(manifest))
    assert not is_kept(place, b"secret")
    again = keep_index(tmp_path / "index", sources, b"secret")
    assert again.index.find_one(KNOWN[0]) == (0,)
    assert again.index.find_one(KNOWN[1]) == ()
    assert is_kept(place, b"secret")
    assert not is_kept(place, b"guess")
