"""What came of checking a desk's agreements, kept beside it: thousands are checked once, not daily.

checked/manifest.json    what it was checked for: the desk's state, the use, the trusted keys; the
                         SHA-256 of the files below; a seal that only the operator's key can make
checked/entries.json     how each agreement stands
checked/agreements/...   its declaration, its line in a clearance, its document, and who signed

Whoever can write there without the key can only have everything checked again.
"""

from __future__ import annotations

import hmac
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tercet.consent.licences.agreement_standing import (
    AgreementStanding,
    Effect,
    standing_document,
    use_fields,
)
from tercet.consent.licences.obstacle import Obstacle
from tercet.core.canonical import canonical_json
from tercet.core.condition import ConditionKind
from tercet.core.errors import StorageError
from tercet.core.ids import sha256_hex
from tercet.core.terms import Use
from tercet.core.version import __version__
from tercet.flows.agreement_account import listed_fields
from tercet.flows.agreement_rows import AgreementEntry, AgreementTask, Represented
from tercet.flows.agreements import AgreementsAsked, Checked, checked_agreements
from tercet.store.agreement_evidence import (
    DOCUMENTS,
    FOLDER,
    LISTED,
    PARTIES,
    STANDINGS,
    standing_capture,
    write_lines,
    write_standings,
)
from tercet.store.desk import Desk
from tercet.store.desk_agreements import desk_state
from tercet.store.files import sha256_of_file, write_atomically
from tercet.store.keys import SigningKey
from tercet.store.work_index_files import is_kept

ENTRIES, MANIFEST = "entries.json", "manifest.json"
_FILES = (ENTRIES, STANDINGS, LISTED, DOCUMENTS, PARTIES)
_PURPOSE = "agreements that were checked"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Agreements ready for the rows: what workers need, and the files with what is said of them.

    ``files`` hold their bytes by name: another clearing from the same desk may replace those on
    disk meanwhile. ``state`` is what the verdicts depend on, for the plan of the clearing.
    """

    task: AgreementTask
    use: Use
    files: dict[str, bytes]
    state: dict[str, Any]


def prepare_agreements(
    asked: AgreementsAsked, trusted_keys: frozenset[str], key: SigningKey
) -> Prepared:
    """Return the agreements of a desk for one use, checked now or before.

    Raises InputError where there is no desk, StorageError where its folder cannot be written.
    """
    desk = Desk.open(asked.desk)
    try:
        use = replace(asked.use, licensee=asked.use.licensee or desk.party)
        state = desk_state(desk)
    finally:
        desk.close()
    about = {
        "tercet": __version__,
        "desk": state,
        "use": use_fields(use),
        "trusted_keys": sorted(trusted_keys),
    }
    secret = key.secret(_PURPOSE)
    files = _known(asked.desk / "checked", about, secret)
    kept = json.loads(files[ENTRIES]) if files else {}
    if files is None or not is_kept(asked.desk / "index" / kept["index"], secret):
        try:
            files = _checked_now(asked, trusted_keys, about, secret)
        except OSError as error:
            raise StorageError(
                f"cannot write under {asked.desk}: {error.strerror or error}",
                hint="free some space, or make the desk writable",
            ) from error
        kept = json.loads(files[ENTRIES])
    task = _task(asked.desk / "index", kept)
    ids = "\n".join(entry.declaration_id for entry in task.entries)
    told = {
        "use": use_fields(use),
        "count": len(task.entries),
        "standings_sha256": sha256_hex(ids.encode()),
    }
    return Prepared(task, use, files, told)


def _checked_now(
    asked: AgreementsAsked, trusted_keys: frozenset[str], about: dict[str, Any], secret: bytes
) -> dict[str, bytes]:
    """Check the agreements of a desk and keep what came of it beside the desk. Raises OSError.

    It is written apart and put in its place as a whole: others may be reading there.
    """
    with TemporaryDirectory(prefix=".checked-", dir=asked.desk) as apart:
        made, folder = Path(apart) / "new", asked.desk / "checked"
        _make(made, checked_agreements(asked, trusted_keys, secret), about, secret)
        files = _known(made, about, secret)
        if files is None:
            raise StorageError(f"{made} is not as it was written", hint="try again")
        with suppress(OSError):  # somebody else was quicker: theirs is as good
            if folder.exists():
                folder.rename(Path(apart) / "old")
            made.rename(folder)
    return files


def _known(folder: Path, about: dict[str, Any], secret: bytes) -> dict[str, bytes] | None:
    """Return the files that were kept for just this, None where they are not to be used."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        seal = manifest.pop("seal")
        if manifest["about"] != about or not hmac.compare_digest(seal, _seal(manifest, secret)):
            return None
        files = {name: _place(folder, name).read_bytes() for name in _FILES}
        if any(sha256_hex(raw) != manifest["files"][name] for name, raw in files.items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return files


def _place(folder: Path, name: str) -> Path:
    return folder / name if name == ENTRIES else folder / FOLDER / name


def _seal(manifest: dict[str, Any], secret: bytes) -> str:
    return hmac.new(secret, canonical_json(manifest), "sha256").hexdigest()


def _make(folder: Path, checked: Checked, about: dict[str, Any], secret: bytes) -> None:
    folder.mkdir()
    captured = [
        standing_capture(
            known.id, standing_document(known, checked.use, standing), f"{checked.use.on}T00:00:00Z"
        )
        for known, standing in zip(checked.known, checked.standings, strict=True)
    ]
    ids = write_standings(folder, captured)
    _write_entries(folder, checked, ids)
    both = list(zip(checked.known, checked.kept, strict=True))
    listed = (listed_fields(*each, name) for each, name in zip(both, ids, strict=True))
    write_lines(folder, LISTED, listed)
    write_lines(
        folder,
        DOCUMENTS,
        (
            {
                "agreement": kept.document,
                "seen_at": kept.seen_at,
                "signed_at": kept.signed_at,
                "terminated_on": known.terminated_on,
            }
            for known, kept in both
        ),
    )
    names = {name for kept in checked.kept for name in (kept.assigner, kept.assignee)}
    versions = [v for name in sorted(names & set(checked.parties))
                for v in checked.parties[name].versions]  # fmt: skip
    write_lines(
        folder, PARTIES, ({"party": v.document, "received_at": v.received_at} for v in versions)
    )
    manifest = {
        "about": about,
        "files": {name: sha256_of_file(_place(folder, name)) for name in _FILES},
    }
    sealed = {**manifest, "seal": _seal(manifest, secret)}
    write_atomically(folder / MANIFEST, canonical_json(sealed))


def _write_entries(folder: Path, checked: Checked, ids: list[str]) -> None:
    """Write the entries; whom a licensor represents is written once for all its agreements."""
    represented: dict[Represented, int] = {}
    entries = []
    places = zip(checked.standings, ids, checked.places, strict=True)
    for standing, declaration_id, (source, excluded, whom) in places:
        numbers = [represented.setdefault(each, len(represented)) for each in whom]
        entries.append([
            str(standing.effect), [str(o) for o in standing.obstacles],
            [str(d) for d in standing.duties], declaration_id, source, list(excluded), numbers,
        ])  # fmt: skip
    kept = {
        "index": checked.index.name,
        "represented": [[sorted(each.keys), each.source] for each in represented],
        "entries": entries,
    }
    write_atomically(folder / ENTRIES, json.dumps(kept).encode())


def _standing(
    effect: str, obstacles: tuple[str, ...], duties: tuple[str, ...]
) -> AgreementStanding:
    return AgreementStanding(
        Effect(effect), tuple(map(Obstacle, obstacles)), tuple(map(ConditionKind, duties))
    )


def _task(index: Path, kept: dict[str, Any]) -> AgreementTask:
    represented = [Represented(frozenset(keys), source) for keys, source in kept["represented"]]
    standing = cache(_standing)  # thousands stand alike
    entries = tuple(
        AgreementEntry(
            standing(effect, tuple(obstacles), tuple(duties)),
            declaration_id,
            source,
            tuple(excluded),
            tuple([represented[at] for at in whom]),
        )
        for effect, obstacles, duties, declaration_id, source, excluded, whom in kept["entries"]
    )
    return AgreementTask(index / kept["index"], entries)
