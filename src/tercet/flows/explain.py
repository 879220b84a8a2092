"""explain: why one item got its verdict, quoting the lines of the raw bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.consent.reasons import explain_reason
from tercet.consent.urls import split_url
from tercet.core.errors import InputError, IntegrityError
from tercet.flows.verify import read_clearance
from tercet.store.blobs import BlobStore
from tercet.store.lookup import captures_of, declarations_by_id, verdict_of

QUOTE_LINES_MAX = 12
QUOTE_CHARACTERS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Quote:
    """One deciding declaration: what it is, where it stands, and its words."""

    declaration_id: str
    signal: str
    spec: str
    place: str
    fetched_at: str
    says: str
    words: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item got its verdict; ``asked`` are the places that were looked at."""

    item: str
    item_id: int
    verdict: str
    policy: str
    usage: str
    reasons: tuple[tuple[str, str], ...]
    quotes: tuple[Quote, ...]
    asked: tuple[str, ...]


def explain(out: Path, item: str, *, declarations: Path | None = None) -> Explanation:
    """Explain the verdict of ``item`` (its URL or path, or its position) in ``out``.

    ``declarations`` is the survey's folder, when the clearing used one. Raises InputError when
    the item is not in the clearance, IntegrityError when the kept bytes were altered.
    """
    document = read_clearance(out).document
    row = verdict_of(out, item)
    if row is None:
        raise InputError(
            f"no item {item!r} in {out}",
            hint="give the URL or path exactly as it stands in the corpus, or its item_id",
        )
    folders = [f for f in (declarations, out / "evidence") if f and (f / "survey.json").exists()]
    found = declarations_by_id(folders, out / "columns", row["declarations"])
    missing = [i for i in row["declarations"] if i not in found]
    if missing and declarations is None:
        raise InputError(
            f"{len(missing)} deciding declarations are not in {out}",
            hint="give the survey's folder with --declarations DIR",
        )
    split = split_url(row["item"])
    return Explanation(
        item=row["item"],
        item_id=row["item_id"],
        verdict=row["verdict"],
        policy=row["policy"],
        usage=document["usage"],
        reasons=tuple((code, explain_reason(code)) for code in row["reasons"]),
        quotes=tuple(
            _quote(found[i], document["usage"]) for i in row["declarations"] if i in found
        ),
        asked=tuple(captures_of(folders, split.origin if split else "", row["item"])),
    )


def _quote(found: tuple[dict[str, Any], Path | None], usage: str) -> Quote:
    row, folder = found
    raw = BlobStore(folder / "blobs").get(row["raw_sha256"]) if folder else row["raw"].encode()
    place = row["uri"]
    if row["line_start"]:
        place += f", lines {row['line_start']} to {row['line_end']}"
    return Quote(
        declaration_id=row["declaration_id"],
        signal=row["signal"],
        spec=f"{row['spec']} {row['spec_version']}".strip(),
        place=place,
        fetched_at=row["fetched_at"],
        says=row[usage] or row["fault"] or "nothing of this usage",
        words=_words(raw, row),
    )


def _words(raw: bytes, row: dict[str, Any]) -> str:
    """Return the declaration's own lines, cut to a readable length."""
    start, end = row["byte_start"], row["byte_end"]
    if not 0 <= start <= end <= len(raw):
        raise IntegrityError(f"declaration {row['declaration_id']} points outside its bytes")
    if row["line_start"]:
        lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        part = b"\n".join(lines[row["line_start"] - 1 : row["line_end"]])
    else:
        part = raw[start:end]
    shown = part.decode("utf-8", "replace").splitlines()
    text = "\n".join(shown[:QUOTE_LINES_MAX])
    more = len(shown) > QUOTE_LINES_MAX or len(text) > QUOTE_CHARACTERS_MAX
    return text[:QUOTE_CHARACTERS_MAX] + ("\n..." if more else "")
