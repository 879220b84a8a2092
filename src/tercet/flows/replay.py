"""replay: make a training's batches again from the works, and compare them with its chain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tercet.core.errors import IntegrityError, TercetError
from tercet.flows.train_batches import samples_at
from tercet.flows.train_code import code_entry
from tercet.flows.train_lesson import size_in
from tercet.flows.train_works import alone_count, read_works, sample_source
from tercet.flows.training_gate import open_gate
from tercet.flows.verify import Check, read_clearance
from tercet.flows.verify_model import read_record
from tercet.studio.batch_chain import batch_hash, parse_batches
from tercet.studio.scenes.stage import Stage
from tercet.studio.training_record import BATCHES_NAME, works_bytes, works_entry


def replay(
    model: Path,
    clearance: Path,
    *,
    steps: int = 0,
    places: tuple[Path, ...] = (),
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> list[Check]:
    """Compare the first ``steps`` batches of a model's chain (0: all) with those made anew here.

    ``clearance`` is the folder of the clearance it was trained on. Works must be the very same;
    equal pixels need the same code and libraries, which the record names, on a like processor.
    Raises what `open_gate` raises.
    """
    record = read_record(model)
    document = read_clearance(clearance)
    same = document.sha256 == record["clearance"].get("sha256")
    checks = [Check("clearance", same, f"sha256 {document.sha256[:16]}")]
    if not same:
        return checks
    key = str(document.document["signature"]["public_key"])
    gate = open_gate(clearance, public_key=key, places=places, progress=progress)
    order = record["order"]
    size = size_in(order)
    with TemporaryDirectory(prefix="tercet-") as folder:
        nouns = frozenset(order["nouns"]) or None
        works = read_works(gate, Path(folder), nouns=nouns, progress=progress, size=size)
        entry = works_entry(works.lines, works_bytes(works.lines))
        checks.append(Check("works", entry == record["works"], f"{entry['count']} works"))
        stage = Stage.of(works.sprites).digest if works.sprites else ""
        same_pixels = stage == order.get("stage_sha256")
        checks.append(Check("sprites", same_pixels, f"{len(works.sprites)} cut out anew"))
        alone = alone_count(record["settings"], int(order["batch"]))
        source = sample_source(works, int(order["seed"]), alone_count=alone, size=size)
        try:
            known = parse_batches((model / BATCHES_NAME).read_bytes())
        except (OSError, TercetError) as error:
            raise IntegrityError(f"cannot read {BATCHES_NAME}: {error}") from error
        count = min(steps, len(known)) if steps else len(known)
        batch = int(order["batch"])
        for step in range(1, count + 1):
            records = samples_at(source, range((step - 1) * batch, step * batch)).records
            progress("making batches again", step, count)
            if batch_hash(step, records) != known[step - 1]:
                found = f"batch {step} is another here{_why(record)}"
                return [*checks, Check("batches", False, found)]
        return [
            *checks,
            Check("batches", True, f"{count} of {len(known)} made again, all the same"),
        ]


def _why(record: dict[str, Any]) -> str:
    """Say which code differs from that of the record, where any does."""
    here, there = code_entry(), record["code"].get("ended", {})
    names = [name for name in here if there.get(name) != here[name]]
    return f"; other code than in the record: {', '.join(names)}" if names else ""
