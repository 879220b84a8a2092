"""explain: why one item got its verdict, quoting the lines of the raw bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tercet.consent.failures import Consequence, Failure, consequence
from tercet.consent.paths import normalise_path
from tercet.consent.reasons import explain_reason
from tercet.consent.signal import Resource
from tercet.consent.signals import SIGNALS
from tercet.consent.urls import split_url
from tercet.consent.wording import holding_lines, say_declaration
from tercet.core.errors import InputError, IntegrityError
from tercet.core.usage import Usage
from tercet.flows.agreement_lines import agreement_lines
from tercet.flows.local_notes import declarations_folder
from tercet.flows.verify import read_clearance
from tercet.store.blobs import BlobStore
from tercet.store.evidence import read_survey
from tercet.store.evidence_rows import readings_from_json
from tercet.store.lookup import captures_of, declarations_by_id, fault_of, verdict_of

QUOTE_LINES_MAX = 12
QUOTE_CHARACTERS_MAX = 1_000
LINE_CHARACTERS_MAX = 300
_ELEMENT_LINES = 6  # shown of a statement whose end is not known: an XML element, a JSON object


@dataclass(frozen=True, slots=True)
class Quote:
    """One deciding declaration: what it is, where it stands, what it says, and its words.

    ``lines`` are (line number, text) as they stand in the bytes; the number is 0 where the bytes
    have no lines. ``agents`` are the crawlers it names, none when it speaks to everybody. ``facts``
    are named facts kept with it: the owner, the work that was found, where terms can be had;
    ``duties`` those of an agreement that the clearance rests on, in a few words each.
    """

    declaration_id: str
    signal: str
    title: str
    spec: str
    carrier: str
    uri: str
    raw_sha256: str
    fetched_at: str
    agents: tuple[str, ...]
    says: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[tuple[int, str], ...]
    duties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """One place that was looked at, and what came of it.

    ``failure`` is "" or why it could not be had; ``is_doubt`` says that this holds the item.
    """

    resource: str
    uri: str
    fetched_at: str
    status: int
    failure: str
    note: str
    is_doubt: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an item got its verdict; ``asked`` are the places that were looked at.

    ``fault`` says what is wrong with a row that could not be read, ``is_surveyed`` whether the
    clearing had a survey's evidence, ``copies`` how many rows of the corpus name this item.
    """

    item: str
    item_id: int
    verdict: str
    policy: dict[str, str]
    usage: str
    created_at: str
    reasons: tuple[tuple[str, str], ...]
    quotes: tuple[Quote, ...]
    asked: tuple[Asked, ...]
    fault: str
    is_surveyed: bool
    copies: int


def explain(out: Path, item: str, *, declarations: Path | None = None) -> Explanation:
    """Explain the verdict of ``item`` (its URL or path, or its position) in ``out``.

    ``declarations`` is the survey's folder, when the clearing used one; without it the folder
    that `tercet clear` noted in ``out`` is taken. Raises InputError when the item is not in the
    clearance or the survey is not found, IntegrityError when the kept bytes were altered.
    """
    document = read_clearance(out).document
    row = verdict_of(out, item)
    if row is None:
        raise InputError(
            f"no item {item!r} in {out}",
            hint="give the URL or path exactly as it stands in the corpus, or its item_id",
        )
    survey = _survey_folder(out, document, declarations)
    kept = (survey, out / "evidence", out / "matches")
    folders = [f for f in kept if f and (f / "survey.json").exists()]
    standings = [path for path in (out / "agreements" / "standings.parquet",) if path.is_file()]
    found = declarations_by_id(folders, out / "columns", row["declarations"], standings)
    missing = [name for name in row["declarations"] if name not in found]
    if missing:
        raise IntegrityError(f"the deciding declaration {missing[0]} is in no evidence of {out}")
    usage = Usage(document["usage"])
    split = split_url(row["item"])
    path = normalise_path(split.path.encode()) if split else b"/"
    quotes = (q for name in row["declarations"] for q in _quotes(found[name], usage, path))
    duties = {each.id: each.duties for each in agreement_lines(out, document)}
    return Explanation(
        item=row["item"],
        item_id=row["item_id"],
        verdict=row["verdict"],
        policy={k: str(document["policy"].get(k, "")) for k in ("id", "version", "date", "title")},
        usage=str(usage),
        created_at=document["created_at"],
        reasons=tuple((code, explain_reason(code)) for code in row["reasons"]),
        quotes=tuple(dict.fromkeys(_with_duties(quote, duties) for quote in quotes)),
        asked=tuple(
            _asked(capture)
            for capture in captures_of(folders, split.origin if split else "", row["item"])
        ),
        fault=fault_of(out, row["item_id"]),
        is_surveyed=bool(document["declarations"]),
        copies=row["copies"],
    )


def _with_duties(quote: Quote, duties: Mapping[str, tuple[str, ...]]) -> Quote:
    owed = duties.get(dict(quote.facts).get("agreement", ""), ())
    return replace(quote, duties=owed) if quote.signal == "agreement" and owed else quote


def _survey_folder(out: Path, document: dict[str, Any], given: Path | None) -> Path | None:
    """Return the survey's folder; only the survey that was used can explain the verdict."""
    signed = document["declarations"]
    if not signed:
        return None
    folder = given or declarations_folder(out)
    if folder is None or not (folder / "survey.json").exists():
        raise InputError(
            f"the survey behind {out} is not found" + (f" in {folder}" if folder else ""),
            hint="give the folder that `tercet survey` wrote with --declarations DIR",
        )
    files = read_survey(folder)["files"]
    if {name: entry["sha256"] for name, entry in files.items()} != signed:
        raise InputError(
            f"{folder} is not the survey that {out} was cleared with",
            hint="give that one with --declarations DIR, or clear anew with this one",
        )
    return folder


def _asked(row: dict[str, Any]) -> Asked:
    resource, failure = Resource(row["resource"]), row["failure"]
    doubt = bool(failure) and consequence(resource, Failure(failure)) is Consequence.HELD
    return Asked(
        resource=str(resource),
        uri=row["uri"],
        fetched_at=row["fetched_at"],
        status=row["status"],
        failure=failure,
        note=row["note"],
        is_doubt=doubt,
    )


def _quotes(
    rows: list[tuple[dict[str, Any], Path | None]], usage: Usage, path: bytes
) -> Iterable[Quote]:
    """Quote the declarations of one id; of several, those that speak of the usage here."""
    quotes = [_quote(row, folder, usage, path) for row, folder in rows]
    speaking = [quote for quote in quotes if "says nothing of this use." not in quote.says]
    return speaking or quotes[:1]


def _quote(row: dict[str, Any], folder: Path | None, usage: Usage, path: bytes) -> Quote:
    raw = BlobStore(folder / "blobs").get(row["raw_sha256"]) if folder else row["raw"].encode()
    readings = readings_from_json(row["readings"])
    titles = {signal.name: signal.title for signal in SIGNALS}
    return Quote(
        declaration_id=row["declaration_id"],
        signal=row["signal"],
        title=titles.get(row["signal"], row["signal"]),
        spec=", ".join(part for part in (row["spec"], row["spec_version"]) if part),
        carrier=row["carrier"],
        uri=row["uri"],
        raw_sha256=row["raw_sha256"],
        fetched_at=row["fetched_at"],
        agents=tuple(row["agents"]),
        says=say_declaration(readings, usage, path, fault=row["fault"]),
        facts=tuple(sorted(json.loads(row["evidence"] or "{}").items())),
        lines=_lines(raw, row, holding_lines(readings, usage, path)),
    )


def _lines(raw: bytes, row: dict[str, Any], held: tuple[int, ...]) -> tuple[tuple[int, str], ...]:
    """Return the declaration's own lines: its first, and those that hold at the item's path."""
    start, end = row["byte_start"], row["byte_end"]
    if not 0 <= start <= end <= len(raw):
        raise IntegrityError(f"declaration {row['declaration_id']} points outside its bytes")
    if not row["line_start"] and not held:
        return _cut((0, line) for line in _text(raw[start:end]).splitlines())
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    first, last = row["line_start"], row["line_end"]
    wanted = set(held) if first else {at + n for at in held for n in range(_ELEMENT_LINES)}
    if first:
        room = QUOTE_LINES_MAX if last - first < QUOTE_LINES_MAX else 4
        wanted |= set(range(first, min(last, first + room - 1) + 1))
    numbers = sorted(n for n in wanted if 0 < n <= len(lines))
    return _cut((number, _text(lines[number - 1])) for number in numbers)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _cut(lines: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    shown: list[tuple[int, str]] = []
    room = QUOTE_CHARACTERS_MAX
    for number, line in lines:
        if not line.strip():
            continue
        if len(shown) == QUOTE_LINES_MAX or room <= 0:
            shown.append((0, "..."))
            break
        text = line.rstrip()
        most = min(LINE_CHARACTERS_MAX, room)
        shown.append((number, text if len(text) <= most else text[:most] + "..."))
        room -= len(text)
    return tuple(shown)
