"""The parts of the model, by what must hold of each."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tercet.core.errors import InputError
from tercet.studio.model.attention import attend, normalise, rotary_table, rotate
from tercet.studio.model.memory import keep_memory
from tercet.studio.model.size import Shape, shape_of
from tercet.studio.model.transformer import VideoTransformer, level_features
from tercet.studio.model.words import EMPTY, START, UNKNOWN, Vocabulary, split

torch.set_num_threads(1)


def network(**fields: int) -> VideoTransformer:
    given = {"width": 32, "depth": 1, "frame_count": 4, "side_px": 16, "word_count": 9}
    return VideoTransformer(Shape("tiny", **(given | fields)))  # type: ignore[arg-type]


@given(
    grid=st.integers(1, 4), patch_px=st.integers(1, 5), patch_frames=st.integers(1, 3),
    latent=st.integers(1, 4), batch=st.integers(1, 3),
)  # fmt: skip
def test_joining_undoes_cutting(
    grid: int, patch_px: int, patch_frames: int, latent: int, batch: int
) -> None:
    model = network(
        side_px=grid * patch_px, patch_px=patch_px, patch_frames=patch_frames,
        frame_count=latent * patch_frames,
    )  # fmt: skip
    clips = torch.rand(batch, latent * patch_frames, grid * patch_px, grid * patch_px, 3)
    patches = model.cut(clips)
    assert patches.shape == (batch, latent, grid**2, patch_frames * patch_px**2 * 3)
    assert torch.equal(model.join(patches), clips)
    assert torch.equal(model.cut(model.join(patches)), patches)


def test_a_patch_is_a_square_of_two_frames() -> None:
    clips = torch.rand(1, 4, 16, 16, 3)
    patches = network().cut(clips)
    square = clips[0, 2:4, 8:16, 0:8]  # second latent frame, second row, first column
    assert torch.equal(patches[0, 1, 2], square.flatten())


def test_a_new_model_answers_grey() -> None:
    model = network()
    words = torch.full((2, 32), EMPTY)
    words[:, 0] = START
    moments = torch.arange(2).expand(2, 2)
    noisy = torch.randn(2, 4, 16, 16, 3)
    guess = model(noisy, torch.rand(2, 2), words, torch.zeros(2, dtype=torch.long), moments)
    assert guess.shape == noisy.shape
    assert torch.equal(guess, torch.zeros_like(guess))


def test_words_beyond_the_caption_change_nothing() -> None:
    """What fills a caption up is not looked at."""
    torch.manual_seed(1)
    text = network(word_count=40).text
    words = torch.tensor([[START, 5, 6] + [EMPTY] * 29])
    with torch.no_grad():
        seen, summary, mask = text(words)
        text.embedding.weight[EMPTY] += 7
        again, same, _ = text(words)
    assert mask.sum() == 3
    assert torch.allclose(summary, same, atol=1e-5)
    assert torch.allclose(seen[:, :3], again[:, :3], atol=1e-5)


def test_plain_attention_is_attention() -> None:
    """Held to PyTorch's own, with a mask and without."""
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 7, 8).unbind(0)
    mask = torch.rand(2, 1, 1, 7) < 0.7
    mask[..., 0] = True
    for seen in (None, mask):
        fused = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        assert torch.allclose(attend(query, key, value, seen), fused, atol=1e-5)


def test_turning_keeps_lengths_and_tells_distances_only() -> None:
    """RoPE: a product of two turned vectors depends on how far apart they stand."""
    table = rotary_table(torch.arange(12)[:, None], 16)
    torch.manual_seed(0)
    a, b = torch.randn(2, 16)
    turned_a, turned_b = rotate(a.expand(12, 16), table), rotate(b.expand(12, 16), table)
    assert torch.allclose(turned_a.norm(dim=-1), a.norm().expand(12), atol=1e-5)
    products = turned_a @ turned_b.T
    for apart in range(-8, 9):
        same = products.diagonal(apart)
        assert torch.allclose(same, same[0].expand(len(same)), atol=1e-4)
    assert not torch.allclose(products[0, 0], products[0, 5], atol=1e-3)


@given(st.lists(st.floats(-50, 50), min_size=4, max_size=4).filter(lambda x: max(map(abs, x)) > 1))
def test_normalised_values_have_a_mean_square_of_one(values: list[float]) -> None:
    assert normalise(torch.tensor(values)).square().mean().item() == pytest.approx(1, abs=1e-3)


def test_levels_differ() -> None:
    features = level_features(torch.linspace(0, 1, 101))
    assert features.shape == (101, 128)
    assert torch.pdist(features).min() > 0.05


def test_sizes_grow() -> None:
    counts = []
    for size in ("xs", "s", "m", "l"):
        with torch.device("meta"):
            model = VideoTransformer(shape_of(size, word_count=500, owner_count=300))
        counts.append(sum(part.numel() for part in model.parameters()))
    assert counts == sorted(counts)
    for count, said in zip(counts, (2e6, 8e6, 20e6, 60e6), strict=True):
        assert 0.6 * said < count < 1.6 * said


def test_an_unknown_size() -> None:
    with pytest.raises(InputError, match="xs, s, m, l"):
        shape_of("xxl", word_count=3, owner_count=0)


def test_captions_as_numbers() -> None:
    known = Vocabulary.of(["a red car, slowly", "a dog"])
    assert known.words == (",", "a", "car", "dog", "red", "slowly")
    assert len(known) == 9
    rows = known.numbers(["A RED zeppelin", "", "a " * 100], 6)
    assert rows[0] == [START, 4, 7, UNKNOWN, EMPTY, EMPTY]
    assert rows[1] == [START, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY]
    assert rows[2] == [START, 4, 4, 4, 4, 4]


@given(st.text(max_size=80), st.integers(1, 40))
def test_any_text_is_a_caption(text: str, length: int) -> None:
    known = Vocabulary.of([text])
    (row,) = known.numbers([text], length)
    assert len(row) == length
    assert row[0] == START
    assert UNKNOWN not in row
    assert max(row) < len(known)
    assert split(" ".join(split(text))) == split(text)


_FAULTS = """
import resource, sys, torch
torch.set_num_threads(1)
from tercet.studio.model.memory import keep_memory
if sys.argv[1] == "kept":
    assert keep_memory()
def work():
    for _ in range(40):
        torch.ones(2_000_000).add(1)
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_minflt - before, after.ru_maxrss)
"""


@pytest.mark.skipif(not keep_memory(), reason="another C library than glibc")
def test_kept_memory_is_not_asked_for_again() -> None:
    faults, peaks = [], []
    for how in ("not", "kept"):
        ran = subprocess.run(
            [sys.executable, "-c", _FAULTS, how], capture_output=True, text=True, check=True
        )
        found, peak = map(int, ran.stdout.split())
        faults.append(found)
        peaks.append(peak)
    assert faults[1] < max(faults[0] / 20, 100)  # some kernels give memory in one piece
    assert peaks[1] < peaks[0] + 150_000  # KiB
