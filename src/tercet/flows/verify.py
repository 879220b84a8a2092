"""verify: check a clearance offline, from its own files and a public key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.core.errors import InputError, IntegrityError
from tercet.flows.clearance import CLEARANCE_TYPE, Clearance, signed_bytes
from tercet.store.files import sha256_of_file
from tercet.store.keys import signature_holds
from tercet.store.verdict_counts import count_part


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, and what was found."""

    name: str
    holds: bool
    found: str


def verify(
    out: Path,
    *,
    public_key: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Check]:
    """Check signature, digests and counts of the clearance in ``out``.

    ``public_key`` (base64 of 32 bytes) is the key it must be signed with; without it the check
    shows only that the document is whole, not who signed it. Every check is made, also after one
    failed. Raises InputError when there is no readable clearance.
    """
    document = read_clearance(out).document
    checks = [_signature(document, public_key)]
    totals: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    rows = 0
    parts = document["parts"]
    for at, part in enumerate(parts):
        checks += _part(out, part, rows, totals, reasons)
        rows += int(part["rows"])
        progress(at + 1, len(parts))
    checks.append(_same("rows", document["rows"], rows))
    checks.append(_same("verdicts", document["verdicts"], _filled(document, totals)))
    checks.append(_same("reasons", document["reasons"], reasons))
    checks.append(_same("verdicts add up", document["rows"], sum(document["verdicts"].values())))
    return checks


def read_clearance(out: Path) -> Clearance:
    """Return the clearance in ``out``. Raises InputError when there is none that can be read."""
    path = out / "clearance.json"
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        unfinished = (out / "plan.json").exists()
        raise InputError(
            f"{out} holds an unfinished clearing" if unfinished else f"no clearance in {out}",
            hint="run the same `tercet clear` again to finish it"
            if unfinished
            else "give the folder that `tercet clear -o` wrote",
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if not isinstance(document, dict) or document.get("type") != CLEARANCE_TYPE:
        raise InputError(f"expected {CLEARANCE_TYPE} in {path}")
    missing = [k for k in ("rows", "verdicts", "reasons", "parts", "policy") if k not in document]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}")
    return Clearance(document)


def _signature(document: dict[str, Any], public_key: str) -> Check:
    try:
        public, value, message = signed_bytes(document)
    except IntegrityError as error:
        return Check("signature", False, error.message)
    if public_key and base64.b64encode(public).decode() != public_key:
        return Check("signature", False, "signed with another key than the one given")
    holds = signature_holds(public, value, message)
    return Check("signature", holds, f"key {document['signature']['key_id']}")


def _part(
    out: Path,
    part: dict[str, Any],
    rows_before: int,
    totals: dict[str, int],
    reasons: dict[str, dict[str, int]],
) -> list[Check]:
    """Check one part's digest, then count it anew."""
    name = str(part["file"])
    path = out / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return [Check(name, False, "the path leads out of the folder")]
    if not path.is_file():
        return [Check(name, False, "the file is missing")]
    digest = sha256_of_file(path)
    checks = [Check(name, digest == part["sha256"], f"sha256 {digest[:16]}")]
    try:
        counted = count_part(path)
    except InputError as error:
        return [*checks, Check(name, False, error.message)]
    checks.append(_same(f"{name} rows", part["rows"], counted.row_count))
    checks.append(_same(f"{name} positions", rows_before, counted.row_start))
    for verdict, count in counted.verdicts.items():
        totals[verdict] = totals.get(verdict, 0) + count
    for reason, by_outcome in counted.reasons.items():
        joined = reasons.setdefault(reason, {})
        for outcome, count in by_outcome.items():
            joined[outcome] = joined.get(outcome, 0) + count
    return checks


def _filled(document: dict[str, Any], totals: dict[str, int]) -> dict[str, int]:
    return dict.fromkeys(document["verdicts"], 0) | totals


def _same(name: str, expected: object, got: object) -> Check:
    found = "as signed" if expected == got else f"expected {expected!s:.200}, got {got!s:.200}"
    return Check(name, expected == got, found)
