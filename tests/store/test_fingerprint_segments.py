"""The fingerprint store: what was written is found and read back, however it was cut and merged."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tercet.consent.fingerprints.fingerprint import Fingerprint, Hits, Track, Unfit
from tercet.core.errors import InputError, IntegrityError, StorageError
from tercet.store import fingerprint_segments
from tercet.store.fingerprint_segments import FingerprintSegments

Array = np.ndarray[Any, np.dtype[Any]]

RADII = {"image-1": {"codes": 31}, "text-1": {"words": 0}}
FOLDERS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def picture(seed: int, count: int = 5) -> Fingerprint:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 256, (count, 32), dtype=np.uint8)
    marks = random.integers(0, 2**63, count + 1, dtype=np.uint64)
    tracks = {
        "codes": Track(codes, random.random((count, 3)).astype(np.float32)),
        "marks": Track(marks, random.random((count + 1, 1)).astype(np.float32)),
    }
    return Fingerprint("image-1", tracks, (640.0, 480.5))


def same(left: Fingerprint | None, right: Fingerprint | None) -> bool:
    if left is None or right is None:
        return left is right
    return (left.method, left.extent, left.unfit, sorted(left.tracks)) == (
        right.method, right.extent, right.unfit, sorted(right.tracks),
    ) and all(
        np.array_equal(getattr(track, part), getattr(right.tracks[name], part))
        for name, track in left.tracks.items()
        for part in ("keys", "places")
    )  # fmt: skip


def rows_of(hits: Hits) -> list[tuple[int, int, int, int]]:
    columns = (hits.query, hits.work, hits.position, hits.distance)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def by_comparing(
    works: Mapping[int, Fingerprint], method: str, track: str, keys: Array, radius: int,
    work_count_max: int,
) -> list[tuple[int, int, int, int]]:  # fmt: skip
    found: list[tuple[int, int, int, int]] = []
    for at, key in enumerate(keys):
        hits = []
        for work, fingerprint in sorted(works.items()):
            if fingerprint.method != method or track not in fingerprint.tracks:
                continue
            for position, other in enumerate(fingerprint.tracks[track].keys):
                if keys.dtype == np.uint64:
                    near, apart = key == other, 0
                else:
                    apart = int(np.bitwise_count(key ^ other).sum())
                    near = apart <= radius
                if near:
                    hits.append((at, work, position, apart))
        if len({work for _, work, _, _ in hits}) <= work_count_max:
            found += hits
    return found


codes = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=4)


def code(pair: tuple[int, int]) -> Array:
    bits = np.zeros(256, np.uint8)
    bits[: 100 * pair[0]] = 1
    bits[200 : 200 + pair[1]] ^= 1
    return np.packbits(bits)


@st.composite
def fingerprints(draw: st.DrawFn) -> Fingerprint:
    unfit = tuple(draw(st.lists(st.sampled_from(list(Unfit)), max_size=3)))
    extent = tuple(draw(st.lists(st.floats(0, 9e9), max_size=3)))
    if draw(st.booleans()):
        rows = draw(codes)
        keys = np.stack([code(pair) for pair in rows]) if rows else np.zeros((0, 32), np.uint8)
        tracks = {"codes": Track(keys, np.ones((len(keys), 2), np.float32))}
        return Fingerprint("image-1", tracks if draw(st.booleans()) or rows else {}, extent, unfit)
    words = np.array(draw(st.lists(st.integers(0, 5), max_size=6)), np.uint64)
    places = np.arange(2 * len(words), dtype=np.float32).reshape(-1, 2)
    return Fingerprint("text-1", {"words": Track(words, places)}, extent, unfit)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Some writes of works numbered in any order, removals, and merges."""
    numbers = draw(st.permutations(range(1, 13)))
    steps: list[tuple[str, Any]] = []
    while numbers:
        count = draw(st.integers(1, 4))
        part, numbers = numbers[:count], numbers[count:]
        steps.append(("write", [(work, draw(fingerprints())) for work in part]))
        if draw(st.booleans()):
            gone = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))
            steps.append(draw(st.sampled_from([("compact", None), ("remove", gone)])))
    return steps


@FOLDERS
@given(histories(), st.integers(0, 45), st.integers(1, 4), st.integers(1, 3))
def test_any_history_finds_what_comparing_finds(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, Any]], radius: int,
    work_count_max: int, crowd: int,
) -> None:  # fmt: skip
    store = FingerprintSegments(tmp_path_factory.mktemp("registry") / "fingerprints")
    works: dict[int, Fingerprint] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprint_segments, "TIER_SEGMENTS_MAX", crowd)
        patch.setattr("os.fsync", lambda _: None)  # what it is for, no test can see
        for step, value in history:
            if step == "write":
                store.write(value, RADII)
                works |= dict(value)
            elif step == "remove":
                assert store.remove(value) == len(works.keys() & set(value))
                works = {work: kept for work, kept in works.items() if work not in value}
            else:
                store.compact()
    reader = store.reader()
    assert reader.works().tolist() == sorted(works)
    for method, track, keys in (
        ("image-1", "codes", np.stack([code((at, 7 * at)) for at in range(3)])),
        ("text-1", "words", np.arange(4, dtype=np.uint64)),
    ):
        hits = reader.search(method, track, keys, radius, work_count_max)
        wanted = by_comparing(works, method, track, keys, radius, work_count_max)
        assert rows_of(hits) == wanted
    for work in range(1, 13):
        for method in RADII:
            stored = works.get(work)
            expected = stored if stored and stored.method == method else None
            assert same(reader.fingerprint(work, method), expected)
    assert store.check() == []


def many(count: int, first: int = 1) -> Iterable[tuple[int, Fingerprint]]:
    return [(work, picture(work)) for work in range(first, first + count)]


def segments_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def test_an_empty_store_answers(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path / "none")
    reader = store.reader()
    assert len(reader.search("image-1", "codes", picture(1).tracks["codes"].keys, 31, 5)) == 0
    assert reader.fingerprint(1, "image-1") is None
    assert store.check() == []


def test_one_after_the_other_stays_a_few_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)
    store = FingerprintSegments(tmp_path)
    for work in range(1, 61):
        store.write([(work, picture(work))], RADII)
    assert len(segments_in(tmp_path)) <= fingerprint_segments.TIER_SEGMENTS_MAX + 1
    reader = store.reader()
    assert all(same(reader.fingerprint(work, "image-1"), picture(work)) for work in range(1, 61))


def test_one_write_of_many_batches_is_seen_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint_segments, "BATCH_BYTES", 1000)
    store = FingerprintSegments(tmp_path)

    def fails_late() -> Iterable[tuple[int, Fingerprint]]:
        yield from many(9)
        raise KeyError("the catalogue ended")

    with pytest.raises(KeyError):
        store.write(fails_late(), RADII)
    assert len(store.reader().works()) == 0
    store.write(many(9), RADII)
    assert store.reader().works().tolist() == list(range(1, 10))
    assert store.check() == []


def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    store.write(many(3), RADII)
    store.write(many(3, first=4), RADII)
    before = store.reader()
    store.remove([2])
    store.compact()
    assert before.works().tolist() == [1, 2, 3, 4, 5, 6]
    assert same(before.fingerprint(2, "image-1"), picture(2))
    assert len(before.search("image-1", "codes", picture(2).tracks["codes"].keys, 0, 5)) == 5
    assert store.reader().fingerprint(2, "image-1") is None


def test_a_removed_number_may_be_written_again(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    store.write(many(3), RADII)
    store.remove([2])
    store.write([(2, picture(77))], RADII)
    assert same(store.reader().fingerprint(2, "image-1"), picture(77))
    store.compact()
    assert same(store.reader().fingerprint(2, "image-1"), picture(77))
    assert store.remove([2]) == 1


def test_a_work_has_one_fingerprint_by_a_method(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    store.write(many(3), RADII)
    with pytest.raises(InputError, match="one fingerprint by a method"):
        store.write([(9, picture(9)), (2, picture(9))], RADII)
    with pytest.raises(InputError, match="one fingerprint by a method"):
        store.write([(9, picture(9)), (9, picture(8))], RADII)
    assert store.reader().works().tolist() == [1, 2, 3]


def test_tracks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    other = Track(np.zeros(2, np.uint64), np.zeros((2, 3), np.float32))
    with pytest.raises(InputError, match="track codes"):
        store.write([(1, picture(1)), (2, replace(picture(2), tracks={"codes": other}))], RADII)
    assert segments_in(tmp_path) == []


def test_a_track_that_is_not_indexed_is_not_searched_in_vain(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    store.write(many(1), RADII)
    with pytest.raises(ValueError, match="indexed track"):
        store.reader().search("image-1", "marks", np.zeros(1, np.uint64), 0, 5)
    with pytest.raises(ValueError, match="indexed track"):
        store.reader().search("image-1", "codes", np.zeros(1, np.uint64), 0, 5)


def test_works_without_keys_are_kept_and_searched_in_vain(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    none = Track(np.zeros(0), np.zeros(0))
    blank = Fingerprint("image-1", {"codes": none}, (9.0, 9.0), (Unfit.BLANK, Unfit.SILENCE))
    store.write([(1, blank)], RADII)
    store.write([(2, Fingerprint("image-1", {}, ()))], RADII)
    keys = picture(3).tracks["codes"].keys
    assert len(store.reader().search("image-1", "codes", keys, 31, 9)) == 0
    store.write(many(1, first=3), RADII)
    store.compact()
    reader = store.reader()
    assert set(reader.search("image-1", "codes", keys, 31, 9).work.tolist()) == {3}
    assert len(reader.search("image-1", "codes", keys[:0], 31, 9)) == 0
    stored = reader.fingerprint(1, "image-1")
    assert stored is not None
    assert (stored.unfit, stored.extent) == (blank.unfit, blank.extent)
    assert store.check() == []


def test_a_second_writer_is_told_to_wait(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path, lock_timeout_s=0.1)
    store.write(many(1), RADII)
    with (tmp_path / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="another process has been writing") as told:
            store.write(many(1, first=2), RADII)
        assert told.value.hint
        assert store.reader().works().tolist() == [1]
    store.write(many(1, first=2), RADII)


def test_a_stop_key_is_dropped_across_segments(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    for work in range(1, 6):
        store.write([(work, picture(1))], RADII)
    keys = picture(1).tracks["codes"].keys
    assert len(store.reader().search("image-1", "codes", keys, 3, 4)) == 0
    assert len(store.reader().search("image-1", "codes", keys, 3, 5)) == 25


def damage(path: Path, change: Any) -> None:
    raw = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(raw)))


def flipped(raw: bytearray, at: int) -> bytearray:
    raw[at] ^= 0x10
    return raw


def segment_file(folder: Path, name: str) -> Path:
    (segment,) = segments_in(folder)
    return folder / segment / name


@pytest.mark.parametrize("name", ["arrays.bin", "segment.json"])
@pytest.mark.parametrize("change", ["cut", "grown", "gone"])
def test_a_file_of_another_size(tmp_path: Path, name: str, change: str) -> None:
    store = FingerprintSegments(tmp_path)
    store.write(many(3), RADII)
    path = segment_file(tmp_path, name)
    if change == "gone":
        path.unlink()
    else:
        damage(path, lambda raw: raw[:-1] if change == "cut" else raw + b"}")
    for ask in (
        store.reader,
        lambda: store.write(many(1, first=9), RADII),
        lambda: store.remove([1]),
    ):
        with pytest.raises(IntegrityError) as told:
            ask()
        assert name in told.value.message
        assert "register the works of this segment again" in told.value.hint
    assert len(store.check()) == 1


def test_any_changed_byte_is_told_or_changes_nothing(tmp_path: Path) -> None:
    """Bytes between arrays mean nothing; every other one is noticed by the long look."""
    store = FingerprintSegments(tmp_path)
    store.write(many(2), RADII)
    path = segment_file(tmp_path, "arrays.bin")
    whole = path.read_bytes()
    directory = json.loads(segment_file(tmp_path, "segment.json").read_bytes())["arrays"]
    spans = [
        (entry["start"], int(np.prod(entry["shape"])) * np.dtype(entry["dtype"]).itemsize)
        for entry in directory.values()
    ]
    for at in range(0, len(whole), 37):
        damage(path, lambda raw, at=at: flipped(raw, at))
        used = any(start <= at < start + size for start, size in spans)
        assert (store.check() != []) == used
        path.write_bytes(whole)


def test_changed_keys_of_a_large_segment_are_not_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large arrays are not digested when they are opened: what is read of them is checked."""
    store = FingerprintSegments(tmp_path)
    store.write([(work, picture(work, 3000)) for work in (1, 2)], RADII)
    entry = json.loads(segment_file(tmp_path, "segment.json").read_bytes())["arrays"]
    start = entry["image-1/codes/keys"]["start"]
    damage(segment_file(tmp_path, "arrays.bin"), lambda raw: flipped(raw, start + 3))
    with pytest.raises(IntegrityError, match="work 1"):
        store.reader().fingerprint(1, "image-1")
    assert same(store.reader().fingerprint(2, "image-1"), picture(2, 3000))
    assert "image-1/codes/keys" in store.check()[0]


def test_a_changed_index_of_a_large_segment_is_told(tmp_path: Path) -> None:
    store = FingerprintSegments(tmp_path)
    store.write([(work, picture(work, 9000)) for work in (1, 2)], RADII)
    entry = json.loads(segment_file(tmp_path, "segment.json").read_bytes())["arrays"]
    rows = entry["image-1/codes/rows"]
    assert rows["shape"][0] > 0
    damage(
        segment_file(tmp_path, "arrays.bin"),
        lambda raw: raw[: rows["start"]] + b"\xff" * (len(raw) - rows["start"]),
    )
    with pytest.raises(IntegrityError, match=r"arrays\.bin"):
        store.reader().search("image-1", "codes", picture(1).tracks["codes"].keys, 31, 5)


@pytest.mark.parametrize("change", ["cut", "flipped", "gone", "other"])
def test_a_damaged_manifest_is_never_an_empty_store(tmp_path: Path, change: str) -> None:
    store = FingerprintSegments(tmp_path)
    store.write(many(3), RADII)
    path = tmp_path / "manifest.json"
    if change == "gone":
        path.unlink()
    else:
        damage(path, {
            "cut": lambda raw: raw[:-9],
            "flipped": lambda raw: flipped(raw, raw.index(b'"work_count": 3') + 14),
            "other": lambda raw: b'{"format": 2}',
        }[change])  # fmt: skip
    for ask in (store.reader, lambda: store.write(many(1, first=9), RADII)):
        with pytest.raises(IntegrityError, match=r"manifest\.json") as told:
            ask()
        assert told.value.hint
    assert segments_in(tmp_path) == ["segment-00000001"]


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FingerprintSegments(tmp_path)
    store.write(many(2), RADII)
    (tmp_path / ".segment-00000002").write_bytes(b"")  # a file where the folder must be

    monkeypatch.setattr(FingerprintSegments, "_remove_rubbish", lambda *_: None)
    with pytest.raises(StorageError, match="cannot write fingerprints"):
        store.write(many(1, first=3), RADII)
    assert store.reader().works().tolist() == [1, 2]
