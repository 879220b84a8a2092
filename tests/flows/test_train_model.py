"""The end of a training: a folder that holds together, whatever the run went through."""

from __future__ import annotations

import json
from pathlib import Path

from tercet.core.ids import sha256_hex
from tercet.flows.train_model import Account, write_model
from tercet.store.keys import load_or_make_key

LINKS = [f"{number:064x}\n" for number in range(1, 4)]


def test_a_chain_ahead_of_its_checkpoint_is_cut_where_the_model_stands(tmp_path: Path) -> None:
    """A run killed after its last checkpoint has more links than the model has steps."""
    run = tmp_path / "run"
    run.mkdir()
    for name, text in (("plan.json", "{}"), ("works.jsonl", ""), ("batches.txt", "".join(LINKS))):
        (run / name).write_text(text)
    entry = {"policy": {"id": "strict", "version": 2}, "sha256": "0" * 64, "verdicts": {}}
    account = Account(
        name="small",
        plan={
            "created_at": "2026-01-01T00:00:00Z",
            "clearance": entry,
            "works": {"count": 0, "owners": 0, "file": "works.jsonl", "sha256": "0" * 64},
            "settings": {"steps": 3},
            "order": {"batch": 2},
            "code": {},
        },
        now="2026-01-01T00:00:01Z",
        steps=2,
        chain_start=bytes(32),
        chain_end=bytes.fromhex(LINKS[1].strip()),
        hardware={"gpu": "", "processor": "any", "cores": 1},
        cost={"wall_s": 1, "cpu_s": 1, "sessions": 1, "processor_joules": 0, "gpu_joules": 0},
        loss="0.5000",
        passed_over={},
    )
    record = write_model(run, {"model.json": b"{}"}, account, load_or_make_key(tmp_path / "key"))
    kept = (run / "model" / "batches.txt").read_text()
    assert kept == "".join(LINKS[:2])
    assert record["files"]["batches.txt"] == sha256_hex(kept.encode())
    assert json.loads((run / "model" / "record.json").read_bytes()) == record
    assert (run / "model" / "card.md").read_text().startswith("# small\n")
