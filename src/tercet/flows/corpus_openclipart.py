"""Openclipart: a Debian package of drawings becomes a corpus that `tercet clear` can read.

Which works are pictures of a thing is decided here; whether one may be used is not: that is for
`tercet clear`, which reads the licence in each file's own RDF.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, StorageError
from tercet.core.ids import sha256_hex
from tercet.core.version import __version__
from tercet.flows.debian_package import download_package, package_files
from tercet.flows.guarded_pool import Casualty, Guard, guarded_map
from tercet.store.files import sha256_of_file, write_atomically
from tercet.studio.scenes.sprite import Sprite
from tercet.studio.scenes.subjects import LeftOut, Reason, sprite_of

PACKAGE = "openclipart-svg"
WORKS_TYPE = "tercet/works@1"
TABLE, LEFT_OUT, FOLDER = "works.jsonl", "left_out.jsonl", "works"
_ROOT = "usr/share/openclipart/svg/"
_WORK_FOLDER = ".gathering"  # what a later start goes on from; removed at the end
_GUARD = Guard(seconds=120.0, memory_bytes=2 * 1024 * 1024 * 1024)  # of one drawing
_RULES = ("nouns.json", "looked_at.csv")
_WORK_NAME = re.compile(r"[0-9a-f]{64}\.svg\Z")

Progress = Callable[[str, int, int], None]
Judgement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenclipartCorpus:
    """What was gathered. ``file_count`` is the works and all that was left out, together."""

    out: Path
    package: str
    package_sha256: str
    file_count: int
    work_count: int
    noun_count: int
    creator_count: int
    left_out: Mapping[str, int]


def gather_openclipart(
    out: Path, *, package: Path | None = None, progress: Progress = lambda stage, done, total: None
) -> OpenclipartCorpus:
    """Gather the works of the package under ``out``: works/, works.jsonl, left_out.jsonl.

    The package is fetched with apt unless one is given. A run that was stopped goes on where it
    was. Raises InputError for a package that is none, IntegrityError for one that is damaged or
    leads out of itself, StorageError when the disk cannot take the works.
    """
    if package is not None and not package.is_file():
        raise InputError(f"there is no file {package}", hint="name a .deb file with --package")
    try:
        return _gather(out, package, progress)
    except OSError as error:
        raise StorageError(
            f"cannot write under {out}: {error.strerror or error}",
            hint="free some space or choose another folder; the same command goes on",
        ) from error


def _gather(out: Path, package: Path | None, progress: Progress) -> OpenclipartCorpus:
    work = out / _WORK_FOLDER
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    work.mkdir(exist_ok=True)
    if package is None:
        kept = sorted(work.glob(f"{PACKAGE}_*.deb"))
        progress("fetching", 0, 0)
        package = kept[0] if kept else download_package(PACKAGE, work)
    paths: dict[str, list[str]] = {}
    pictures: dict[str, bytes] = {}
    for file in package_files(package, _is_work):
        digest = sha256_hex(file.raw)
        paths.setdefault(digest, []).append(file.path.removeprefix(_ROOT))
        pictures.setdefault(digest, file.raw)
        progress("reading the package", sum(map(len, paths.values())), 0)
    if not paths:
        raise InputError(
            f"{package.name} holds no drawings below {_ROOT}",
            hint=f"give the package {PACKAGE}",
        )
    judged = _judged(paths, pictures, work, progress)
    works, left_out = _sorted_out(paths, judged)
    for digest in works:
        place = out / FOLDER / f"{digest}.svg"
        if not place.is_file() or place.read_bytes() != pictures[digest]:
            write_atomically(place, pictures[digest])
    rows = [_row(digest, paths[digest], judged[digest]) for digest in works]
    write_atomically(out / LEFT_OUT, _lines(left_out))
    write_atomically(out / TABLE, _lines(rows))
    _remove_others(out / FOLDER, set(works))
    result = OpenclipartCorpus(
        out=out,
        package=package.name,
        package_sha256=sha256_of_file(package),
        file_count=sum(map(len, paths.values())),
        work_count=len(works),
        noun_count=len({row["noun"] for row in rows}),
        creator_count=len({row["owner"] for row in rows}),
        left_out=dict(sorted(Counter(str(row["reason"]) for row in left_out).items())),
    )
    shutil.rmtree(work)
    return result


def _is_work(path: str) -> bool:
    return path.startswith(_ROOT) and path.lower().endswith(".svg")


# ---- judging --------------------------------------------------------------------------------


def _judged(
    paths: Mapping[str, list[str]], pictures: Mapping[str, bytes], work: Path, progress: Progress
) -> dict[str, Judgement]:
    """Return what each work is, by its digest; each is kept at once, so that a kill loses none."""
    note = work / f"judged-{_rules_digest()[:16]}.jsonl"
    judged = dict(_noted(note))
    with note.open("ab") as file:
        if file.tell():
            file.write(b"\n")  # ends a line that a kill has cut
        keys = {one: sha256_hex("\0".join([one, *sorted(paths[one])]).encode()) for one in paths}
        new = [one for one in sorted(paths) if judged.get(one, {}).get("key") != keys[one]]
        drawings = (_Drawing(one, tuple(sorted(paths[one])), pictures[one]) for one in new)
        made = guarded_map(_looked, drawings, workers=1, guard=_GUARD)
        for at, (drawing, found) in enumerate(made, len(paths) - len(new) + 1):
            digest = drawing.work
            judged[digest] = _judgement(digest, found) | {"key": keys[digest]}
            file.write(canonical_json(judged[digest]) + b"\n")
            file.flush()
            progress("looking at works", at, len(paths))
    return judged


@dataclass(frozen=True, slots=True)
class _Drawing:
    work: str
    paths: tuple[str, ...]
    raw: bytes


def _looked(drawing: _Drawing) -> Sprite | LeftOut:
    return sprite_of(drawing.raw, work=drawing.work, paths=drawing.paths)


def _rules_digest() -> str:
    """Return a digest of the rules: what was judged by others is judged again."""
    here = resources.files("tercet.studio.scenes")
    texts = [here.joinpath(name).read_bytes() for name in _RULES]
    return sha256_hex(b"\0".join([__version__.encode(), *texts]))


def _noted(note: Path) -> Iterator[tuple[str, Judgement]]:
    """Yield what an earlier run has judged; a line that was cut is passed over."""
    if not note.is_file():
        return
    for line in note.read_bytes().splitlines():
        try:
            judgement = json.loads(line)
        except ValueError:
            continue
        if isinstance(judgement, dict) and isinstance(judgement.get("work"), str):
            yield judgement["work"], judgement


def _judgement(digest: str, found: Sprite | LeftOut | Casualty) -> Judgement:
    if isinstance(found, Casualty):
        found = LeftOut(Reason.NOT_DRAWABLE, found.reason)
    if isinstance(found, LeftOut):
        return {"work": digest, "reason": str(found.reason), "detail": found.detail}
    height, width = found.pixels.shape[:2]
    return {
        "work": digest,
        "title": found.title,
        "owner": found.owner,
        "stated_licence": found.licence,
        "noun": found.noun,
        "kind": str(found.kind),
        "faces": found.faces,
        "picture": sha256_hex(f"{width}x{height}".encode() + found.pixels.tobytes()),
    }


# ---- tables ---------------------------------------------------------------------------------


def _sorted_out(
    paths: Mapping[str, list[str]], judged: Mapping[str, Judgement]
) -> tuple[list[str], list[Judgement]]:
    """Return the digests that stay, and a row for every file that does not."""
    kept: dict[str, str] = {}  # by picture
    works: list[str] = []
    left_out: list[Judgement] = []
    for digest in sorted(paths, key=lambda each: min(paths[each])):
        first, *copies = sorted(paths[digest])
        judgement = judged[digest]
        reason, detail = judgement.get("reason", ""), judgement.get("detail", "")
        if not reason and judgement["picture"] in kept:
            reason, detail = Reason.SAME_PICTURE, f"looks as {kept[judgement['picture']]}"
        if reason:
            left_out.append(_left(first, digest, reason, detail))
        else:
            kept[judgement["picture"]] = first
            works.append(digest)
        left_out += [_left(c, digest, Reason.DUPLICATE, f"the same bytes: {first}") for c in copies]
    return works, sorted(left_out, key=lambda row: str(row["path"]))


def _left(path: str, digest: str, reason: str, detail: str) -> Judgement:
    return {"path": path, "sha256": digest, "reason": str(reason), "detail": detail}


def _row(digest: str, paths: list[str], judgement: Judgement) -> Judgement:
    keys = ("title", "owner", "stated_licence", "noun", "kind", "faces")
    place = {"type": WORKS_TYPE, "path": f"{FOLDER}/{digest}.svg", "sha256": digest}
    return place | {key: judgement[key] for key in keys} | {"source": f"{PACKAGE}:{min(paths)}"}


def _lines(rows: list[Judgement]) -> bytes:
    return b"".join(canonical_json(row) + b"\n" for row in rows)


def _remove_others(folder: Path, works: set[str]) -> None:
    """Remove works of an earlier run that are none any more; leave all other files alone."""
    for entry in os.scandir(folder):
        if _WORK_NAME.match(entry.name) and entry.name.removesuffix(".svg") not in works:
            os.unlink(entry.path)
