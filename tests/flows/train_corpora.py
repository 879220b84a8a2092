"""Small corpora of drawings to train on, cleared for the tests of the gate and of training."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from small_corpora import request

from tercet.flows.clear import clear
from tercet.flows.train import TrainRequest
from tercet.store.keys import SigningKey, load_or_make_key
from tercet.studio.model.size import WIDTH_AND_DEPTH

WIDTH_AND_DEPTH["tiny"] = (32, 1)  # a size of the tests' own: all the parts, and quick
NOW = "2026-11-22T10:00:00Z"
LICENCES = {  # under strict
    "cleared": "https://creativecommons.org/publicdomain/zero/1.0/",
    "blocked": "All rights reserved",
}
DRAWINGS = {
    "car": ("vehicle", '<rect x="2" y="10" width="36" height="12" fill="red"/>'),
    "house": ("building", '<rect x="5" y="15" width="30" height="25" fill="orange"/>'),
    "ball": ("thing", '<circle cx="20" cy="20" r="18" fill="blue"/>'),
    "tree": ("plant", '<circle cx="20" cy="14" r="13" fill="green"/>'),
}


def drawing(body: str, comment: str = "") -> bytes:
    """Return an SVG of 40 by 40."""
    note = f"<!-- {comment} -->" if comment else ""
    text = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">{note}{body}</svg>'
    return text.encode()


def write_works(folder: Path, licences: Mapping[str, str]) -> Path:
    """Write a drawing and a row for each name; ``licences`` are texts by name (noun-number)."""
    (folder / "works").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for name, licence in licences.items():
        noun = name.partition("-")[0]
        kind, body = DRAWINGS[noun]
        raw = drawing(body, name)
        (folder / "works" / f"{name}.svg").write_bytes(raw)
        rows.append(
            {
                "path": f"works/{name}.svg",
                "sha256": hashlib.sha256(raw).hexdigest(),
                "licence": licence,
                "title": f"A {noun}",
                "owner": f"owner of {name}",
                "noun": noun,
                "kind": kind,
                "faces": 0,
                "source": "drawn for this test",
            }
        )
    table = folder / "works.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return table


def key_in(folder: Path) -> SigningKey:
    """Return the key that clears and trains in ``folder``."""
    return load_or_make_key(folder / "operator.key")


def public_key(folder: Path) -> str:
    """Return its public half."""
    return base64.b64encode(key_in(folder).public_raw).decode()


def cleared(folder: Path, *places: Path, **fields: Any) -> Path:
    """Clear ``places`` and return the clearance's folder."""
    clear(request(folder, *places, workers=1, **fields))
    return folder / "out"


def cleared_works(folder: Path) -> Path:
    """Return the clearance of three drawings that may be learned from and one that may not."""
    licences = dict.fromkeys(("car-1", "house-1", "ball-1"), LICENCES["cleared"])
    return cleared(folder, write_works(folder / "in", licences | {"tree-1": LICENCES["blocked"]}))


def training(folder: Path, **fields: Any) -> TrainRequest:
    """Return a request for a short training of the smallest model, on ``folder``/out."""
    given: dict[str, Any] = {
        "clearance": folder / "out",
        "run": folder / "run",
        "key": key_in(folder),
        "public_key": public_key(folder),
        "now": NOW,
        "size": "tiny",
        "steps": 3,
        "batch": 2,
        "device": "cpu",
        "grid_every": 0,
        "checkpoint_every": 1,
    }
    return TrainRequest(**(given | fields))
