"""The clearance: the signed result for one corpus snapshot. Its counts add up."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.consent.corpora import ColumnNames, Corpus
from tercet.consent.policy import Policy
from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError, TercetError
from tercet.core.ids import sha256_hex
from tercet.core.usage import Usage
from tercet.core.verdict import Outcome
from tercet.core.version import __version__
from tercet.store.files import sha256_of_file
from tercet.store.keys import signature_holds
from tercet.store.verdict_parts import Part

if TYPE_CHECKING:
    from tercet.store.keys import SigningKey

CLEARANCE_TYPE = "tercet/clearance@1"


@dataclass(frozen=True, slots=True)
class Clearance:
    """A signed clearance document (canonical JSON)."""

    document: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        """Items by verdict."""
        counts: dict[str, int] = self.document["verdicts"]
        return counts

    @property
    def row_count(self) -> int:
        """Items in all."""
        return int(self.document["rows"])

    def to_bytes(self) -> bytes:
        """Return the canonical JSON of the whole document."""
        return canonical_json(self.document)

    @property
    def sha256(self) -> str:
        """The digest of the document, by which others refer to it."""
        return sha256_hex(self.to_bytes())


def make_plan(
    corpus: Corpus,
    policy: Policy,
    usage: Usage,
    survey: dict[str, Any] | None,
    registry: dict[str, Any],
) -> dict[str, Any]:
    """Return what a clearing depends on; two runs with equal plans give equal verdicts.

    ``registry`` is the state of the registry the corpus is compared with, empty without one.
    """
    return {
        "type": "tercet/clearing-plan@1",
        "tercet": __version__,
        "policy": {"id": policy.id, "version": policy.version, "sha256": policy.sha256},
        "usage": str(usage),
        "rows": corpus.row_count,
        "shards": [shard.row_count for shard in corpus.shards],
        "columns": {name: getattr(corpus.columns, name) for name in ColumnNames.__slots__},
        "inputs": [{"name": i.name, "bytes": i.bytes, "rows": i.rows} for i in corpus.inputs],
        "declarations": {name: entry["sha256"] for name, entry in survey["files"].items()}
        if survey
        else {},
        "registry": registry,
    }


def sign_clearance(
    corpus: Corpus,
    policy: Policy,
    plan: dict[str, Any],
    parts: list[Part],
    files: dict[str, str],
    key: SigningKey,
    now: str,
    *,
    agreements: dict[str, Any] | None = None,
) -> Clearance:
    """Return the signed clearance over ``parts`` and the other ``files`` (SHA-256 by name).

    ``agreements`` says on which agreements it rests, None where no desk was asked.

    Raises IntegrityError when rows out differ from rows in, or counts do not add up.
    """
    verdicts = dict.fromkeys((str(outcome) for outcome in Outcome), 0)
    reasons: dict[str, dict[str, int]] = {}
    for part in parts:
        for name, count in part.verdicts.items():
            verdicts[name] += count
        for reason, by_outcome in part.reasons.items():
            joined = reasons.setdefault(reason, {})
            for name, count in by_outcome.items():
                joined[name] = joined.get(name, 0) + count
    _check_counts(corpus, parts, verdicts)
    document: dict[str, Any] = {
        "type": CLEARANCE_TYPE,
        "created_at": now,
        "tercet": __version__,
        "usage": plan["usage"],
        "policy": plan["policy"]
        | {"date": policy.date, "title": policy.title, "assertion": policy.assertion},
        "corpus": corpus.describe(),
        "declarations": plan["declarations"],
        "registry": plan["registry"],
        "rows": corpus.row_count,
        "verdicts": verdicts,
        "reasons": reasons,
        "parts": [part.document() for part in parts],
        "files": files,
        "plan_sha256": sha256_hex(canonical_json(plan)),
    }
    if agreements is not None:
        document["agreements"] = agreements
    return Clearance(document | {"signature": key.signature(canonical_json(document))})


def output_files(out: Path) -> dict[str, str]:
    """Return the SHA-256 of what the verdicts refer to: offers, own evidence, faults. By name."""
    found = [
        out / "offers.parquet",
        *(out / "evidence").glob("*.parquet"),
        *(out / "matches").glob("*.parquet"),
        *(out / "agreements").glob("[a-z]*.*"),
        *(path for name in ("columns", "faults") for path in (out / name).glob("[0-9]*.parquet")),
    ]
    names = {path.relative_to(out).as_posix(): path for path in sorted(found)}
    return {name: sha256_of_file(path) for name, path in names.items() if path.is_file()}


def unchanged(clearance: Clearance, path: Path) -> Clearance:
    """Return the clearance in ``path`` where it says just the same, so that it keeps its date."""
    try:
        old = json.loads(path.read_bytes())
        same = all(
            old[name] == value
            for name, value in clearance.document.items()
            if name not in ("created_at", "signature")
        )
        same = same and old["signature"]["key_id"] == clearance.document["signature"]["key_id"]
        holds = same and signature_holds(*signed_bytes(old))
    except (FileNotFoundError, ValueError, KeyError, TypeError, TercetError):
        return clearance
    return Clearance(old) if holds else clearance


def _check_counts(corpus: Corpus, parts: list[Part], verdicts: dict[str, int]) -> None:
    rows_out = sum(part.row_count for part in parts)
    if rows_out != corpus.row_count:
        raise IntegrityError(f"expected {corpus.row_count} rows out, got {rows_out}")
    if sum(verdicts.values()) != rows_out:
        raise IntegrityError(f"verdicts add up to {sum(verdicts.values())}, not {rows_out}")


def signed_bytes(document: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Return (public key, signature, message) of a signed document.

    Raises IntegrityError when the signature block is missing or malformed.
    """
    block = document.get("signature")
    if not isinstance(block, dict) or block.get("algorithm") != "Ed25519":
        raise IntegrityError("the document carries no Ed25519 signature")
    try:
        public = base64.b64decode(block["public_key"], validate=True)
        value = base64.b64decode(block["value"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"the signature block is malformed: {error}") from error
    if sha256_hex(public)[:16] != block.get("key_id"):
        raise IntegrityError("the key id does not belong to the public key")
    message = canonical_json({k: v for k, v in document.items() if k != "signature"})
    return public, value, message
