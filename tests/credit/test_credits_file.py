"""`tercet/credits@1`: adds up, is the same again, and gives nothing away."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.credit import Credit, split_parts
from tercet.core.errors import InputError, IntegrityError, TercetError
from tercet.credit.credits_file import credits_bytes, credits_document, read_credits
from tercet.credit.making import Making, Source, prompt_commitment

MAKING = Making(
    engine="house", rights="cleared works only", source=Source.GENERATED, model="house",
    checkpoint_sha256="c" * 64, training_record_sha256="d" * 64, prompt_commitment="e" * 64,
    seed=7, width_px=64, height_px=48, frame_count=8, frames_per_second=8,
    coded_sha256={"mp4": "f" * 64},
)  # fmt: skip


def credited(weights: list[int]) -> list[Credit]:
    shares = split_parts(weights)
    return [
        Credit(f"{at:064x}", f"Work {at}", "Zoë", "CC0-1.0", share, "exact")
        for at, share in enumerate(shares)
    ]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=30), st.randoms())
def test_the_order_of_credits_changes_nothing_and_it_reads_back(
    weights: list[int], random: object
) -> None:
    lines = credited(weights)
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    raw = credits_bytes(credits_document(MAKING, lines))
    assert raw == credits_bytes(credits_document(MAKING, shuffled))
    document = read_credits(raw)
    assert sum(line["share_parts"] for line in document["credits"]) == document["whole_parts"]
    assert {line["work"] for line in document["credits"]} == {line.work for line in lines}
    shares = [line["share_parts"] for line in document["credits"]]
    assert shares == sorted(shares, reverse=True)


def test_no_credits_is_an_empty_list_and_no_guess() -> None:
    document = credits_document(replace(MAKING, rights="base model: rights unknown"), [])
    assert (document["credits"], document["methods"]) == ([], [])
    assert read_credits(credits_bytes(document)) == document


@pytest.mark.parametrize(
    "shares", [(999_999,), (1_000_001,), (500_000, 500_001), (1_500_000, -500_000), (0,)]
)
def test_shares_that_do_not_add_up(shares: tuple[int, ...]) -> None:
    lines = [Credit(f"{at:064x}", "t", "o", "l", share, "m") for at, share in enumerate(shares)]
    with pytest.raises(IntegrityError):
        credits_document(MAKING, lines)


def test_a_work_that_stands_there_twice() -> None:
    line = Credit("a" * 64, "t", "o", "l", 500_000, "exact")
    with pytest.raises(IntegrityError, match="twice"):
        credits_document(MAKING, [line, line])


@pytest.mark.parametrize(
    "change",
    [
        {"type": "tercet/credits@2"},
        {"credits": "all of them"},
        {"credits": [{"work": "a"}]},
        {"credits": [{**asdict(credited([1])[0]), "share_parts": True}]},
        {"credits": [{**asdict(credited([1])[0]), "share_parts": 1_000_000.0}]},
        {"credits": [{**asdict(credited([1])[0]), "owner": ["a list"]}]},
        {"credits": [{**asdict(credited([1])[0]), "work": {}}]},
        {"video": {}},
        {"video": {"coded_sha256": "f" * 64}},
        {"video": None},
    ],
)
def test_documents_of_another_shape(change: dict[str, object]) -> None:
    document = credits_document(MAKING, credited([3, 1])) | change
    with pytest.raises(TercetError):
        read_credits(json.dumps(document).encode())


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_document(raw: bytes) -> None:
    with pytest.raises(InputError):
        read_credits(raw)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"seed": 2**53},
        {"engine": ""},
        {"rights": ""},
        {"checkpoint_sha256": "C" * 64},
        {"training_record_sha256": "../../etc/passwd"},
        {"coded_sha256": {}},
        {"coded_sha256": {"mp4": ""}},
    ],
)
def test_makings_that_say_too_little(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        replace(MAKING, **change)


def test_a_prompt_cannot_be_guessed_without_its_salt_and_can_be_shown_with_it() -> None:
    first = prompt_commitment("a red car", b"1" * 16)
    assert first == prompt_commitment("a red car", b"1" * 16)
    assert first != prompt_commitment("a red car", b"2" * 16)
    assert first != prompt_commitment("a red cat", b"1" * 16)
    with pytest.raises(InputError, match="salt"):
        prompt_commitment("a red car", b"")
