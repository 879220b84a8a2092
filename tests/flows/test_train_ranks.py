"""Several processes train one model: each its part of every batch, one chain over the whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from train_corpora import cleared_works, training

from tercet.core.errors import InputError
from tercet.flows.train import train
from tercet.flows.verify_model import verify_record
from tercet.studio.batch_chain import parse_batches
from tercet.studio.training_ranks import Ranks, join_ranks

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_parts_are_the_batch(count: int) -> None:
    parts = [Ranks(rank, count, "cpu").part(8) for rank in range(count)]
    assert [at for part in parts for at in part] == list(range(8))


def test_a_batch_that_cannot_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(InputError, match="a batch that 3 processes can share, got 8"):
        join_ranks("cpu", 8)


def by_two(place: Path, **fields: object) -> None:
    code = place / "two.py"
    code.write_text(
        "import sys; from pathlib import Path; from train_corpora import training\n"
        "import torch; torch.set_num_threads(1)\n"
        "from tercet.flows.train import train\n"
        f"train(training(Path(sys.argv[1]), **{fields!r}))\n"
    )
    paths = os.pathsep.join([str(HERE), str(HERE.parents[1] / "bench")])
    subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
            "--master-port=29617", str(code), str(place),
        ],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=240,
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes(tmp_path: Path) -> None:
    """The chain is that of one process: only who makes which samples is another."""
    torch.set_num_threads(1)
    (tmp_path / "two").mkdir()
    cleared_works(tmp_path / "two")
    by_two(tmp_path / "two", steps=3, batch=4)
    by_two(tmp_path / "two", steps=3, batch=4)  # ended: nothing is done anew
    model = tmp_path / "two" / "run" / "model"
    assert all(check.holds for check in verify_record(model))
    train(training(tmp_path / "two", run=tmp_path / "one", steps=3, batch=4))
    one, two = ((run / "batches.txt").read_bytes() for run in (tmp_path / "one", model))
    assert one == two
    assert len(parse_batches(one)) == 3
