"""verify: check a clearance offline, from its own files and a public key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, IntegrityError, TercetError
from tercet.core.ids import sha256_hex
from tercet.flows.clearance import CLEARANCE_TYPE, Clearance, signed_bytes
from tercet.store.files import sha256_of_file
from tercet.store.keys import signature_holds
from tercet.store.verdict_counts import count_part

_SHAPE: dict[str, type] = {
    "rows": int, "usage": str, "created_at": str, "policy": dict, "corpus": dict,
    "declarations": dict, "verdicts": dict, "reasons": dict, "parts": list, "files": dict,
    "plan_sha256": str,
}  # fmt: skip
_PART_SHAPE: dict[str, type] = {
    "file": str, "row_start": int, "rows": int, "sha256": str, "verdicts": dict,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, and what was found."""

    name: str
    holds: bool
    found: str


@dataclass(slots=True)
class _Recount:
    """What the parts hold, counted anew."""

    rows: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)


def verify(
    out: Path,
    *,
    public_key: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
    clearance: Clearance | None = None,
) -> list[Check]:
    """Check signature, digests and counts of the clearance in ``out``.

    ``public_key`` (base64 of 32 bytes) is the key it must be signed with; without it the check
    shows only that the document is whole, not who signed it. Every check is made, also after one
    failed. ``clearance`` is the document as somebody has read it already: it is what is checked,
    whatever lies in ``out`` by now. Raises InputError when there is no readable clearance.
    """
    document = (clearance or read_clearance(out)).document
    checks = [_signature(document, public_key), _plan(out, document)]
    recount = _Recount()
    parts = document["parts"]
    policy = f"{document['policy'].get('id')}@{document['policy'].get('version')}"
    for at, part in enumerate(parts):
        checks += _part(out, part, policy, recount)
        progress(at + 1, len(parts))
    checks += [_file(out, name, digest) for name, digest in sorted(document["files"].items())]
    checks.append(_nothing_added(out, document))
    if "agreements" in document:
        from tercet.flows.agreement_check import check_account

        account = check_account(out, document)
        checks += [Check(name, not flaw, flaw or found) for name, flaw, found in account]
    checks.append(_same("rows", document["rows"], recount.rows))
    checks.append(_same("verdicts", document["verdicts"], _filled(document, recount.verdicts)))
    checks.append(_same("reasons", document["reasons"], recount.reasons))
    added = sum(document["verdicts"].values())
    checks.append(_same("verdicts add up", document["rows"], added))
    return checks


def read_clearance(out: Path) -> Clearance:
    """Return the clearance in ``out``. Raises InputError when there is none that can be read."""
    path = out / "clearance.json"
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        unfinished = (out / "plan.json").exists()
        raise InputError(
            f"{out} holds an unfinished clearing" if unfinished else f"no clearance in {out}",
            hint="run the same `tercet clear` again to finish it"
            if unfinished
            else "give the folder that `tercet clear -o` wrote",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if not isinstance(document, dict) or document.get("type") != CLEARANCE_TYPE:
        raise InputError(f"expected {CLEARANCE_TYPE} in {path}")
    wrong = _misshapen(document)
    if wrong:
        raise InputError(
            f"{path} lacks {wrong}, or it is of another kind than in {CLEARANCE_TYPE}",
            hint="take the clearance from where it was made",
        )
    return Clearance(document)


def _misshapen(document: dict[str, Any]) -> str:
    """Return the name of the first value that is missing or of another kind; "" for none."""
    for name, kind in _SHAPE.items():
        if not _is(document.get(name), kind):
            return name
    if not all(_is(count, int) for count in document["verdicts"].values()):
        return "verdicts"
    if not all(_is(digest, str) for digest in document["files"].values()):
        return "files"
    if not isinstance(document["corpus"].get("inputs"), list):
        return "corpus.inputs"
    for part in document["parts"]:
        for name, kind in _PART_SHAPE.items():
            if not isinstance(part, dict) or not _is(part.get(name), kind):
                return f"parts.{name}"
    return ""


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _signature(document: dict[str, Any], public_key: str) -> Check:
    try:
        public, value, message = signed_bytes(document)
    except TercetError as error:
        return Check("signature", False, error.message)
    if public_key and base64.b64encode(public).decode() != public_key:
        return Check("signature", False, "signed with another key than the one given")
    holds = signature_holds(public, value, message)
    key = f"key {document['signature']['key_id']}"
    return Check("signature", holds, key if holds else f"does not fit the document and {key}")


def _plan(out: Path, document: dict[str, Any]) -> Check:
    """The plan lies beside the clearance in canonical form, with one line feed at its end."""
    try:
        raw = (out / "plan.json").read_bytes()
        digest = sha256_hex(canonical_json(json.loads(raw)))
    except FileNotFoundError:
        return Check("plan.json", False, "the file is missing")
    except (OSError, ValueError, RecursionError, TercetError) as error:
        return Check("plan.json", False, f"cannot be read: {error}")
    return _digest("plan.json", document["plan_sha256"], digest)


def _part(out: Path, part: dict[str, Any], policy: str, recount: _Recount) -> list[Check]:
    """Check one part's digest, then count it anew."""
    name = part["file"]
    checks = [_file(out, name, part["sha256"])]
    if not checks[0].holds and not _inside(out, name):
        return checks
    try:
        counted = count_part(out / name)
    except (InputError, IntegrityError) as error:
        return [*checks, Check(f"{name} rows", False, error.message)]
    checks.append(_same(f"{name} rows", part["rows"], counted.row_count))
    checks.append(_same(f"{name} positions", recount.rows, counted.row_start))
    checks.append(_same(f"{name} start", part["row_start"], counted.row_start))
    verdicts = dict.fromkeys(part["verdicts"], 0) | counted.verdicts
    checks.append(_same(f"{name} verdicts", part["verdicts"], verdicts))
    checks.append(_same(f"{name} policy", [policy], list(counted.policies)))
    recount.rows += counted.row_count
    for verdict, count in counted.verdicts.items():
        recount.verdicts[verdict] = recount.verdicts.get(verdict, 0) + count
    for reason, by_outcome in counted.reasons.items():
        joined = recount.reasons.setdefault(reason, {})
        for outcome, count in by_outcome.items():
            joined[outcome] = joined.get(outcome, 0) + count
    return checks


def _inside(out: Path, name: str) -> bool:
    """Say whether ``name`` is a file below ``out`` and no way out of it."""
    path = Path(name)
    return not (path.is_absolute() or ".." in path.parts) and (out / path).is_file()


def _file(out: Path, name: str, expected: str) -> Check:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        return Check(name, False, "the path leads out of the folder")
    if not (out / path).is_file():
        return Check(name, False, "the file is missing")
    try:
        return _digest(name, expected, sha256_of_file(out / path))
    except OSError as error:
        return Check(name, False, f"cannot be read: {error.strerror or error}")


def _digest(name: str, expected: str, got: str) -> Check:
    found = f"sha256 {got[:16]}"
    return Check(
        name, expected == got, found if expected == got else f"expected {expected[:16]}, {found}"
    )


def _nothing_added(out: Path, document: dict[str, Any]) -> Check:
    """A table read as a folder takes every file in it: none may be there that is not signed."""
    listed = {Path(part["file"]).name for part in document["parts"]}
    names = {path.name for path in (out / "verdicts.parquet").glob("*")}
    added = sorted(name for name in names - listed if not name.startswith((".", "_")))
    return Check("nothing added", not added, ", ".join(added)[:200] or "no other part is there")


def _filled(document: dict[str, Any], totals: dict[str, int]) -> dict[str, int]:
    return dict.fromkeys(document["verdicts"], 0) | totals


def _same(name: str, expected: object, got: object) -> Check:
    found = "as signed" if expected == got else f"expected {expected!s:.200}, got {got!s:.200}"
    return Check(name, expected == got, found)
