"""pack: the cleared drawings of a clearance become one file that `compose` draws from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tercet.core.errors import RefusedError
from tercet.flows.train_works import read_works
from tercet.flows.training_gate import Gate, open_gate
from tercet.store.files import written_whole
from tercet.store.keys import SigningKey
from tercet.studio.compose.works import Work, write_works

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack that was written. ``passed_over`` counts cleared rows not in it, by reason."""

    path: Path
    digest: str
    work_count: int
    noun_count: int
    byte_count: int
    passed_over: dict[str, int]


def pack(
    clearance: Path,
    out: Path,
    *,
    key: SigningKey,
    public_key: str,
    places: tuple[Path, ...] = (),
    nouns: Collection[str] | None = None,
    works_per_noun: int | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Packed:
    """Write the drawings that ``clearance`` lets through to ``out``, signed with ``key``.

    Every drawing passes the training gate: only cleared rows, by index, digest-checked, and it is
    drawn once to see that it can be. ``public_key`` and ``places`` are as in `open_gate`, which
    raises what is wrong with the clearance; RefusedError when no drawing is left.
    """
    gate = open_gate(clearance, public_key=public_key, places=places, progress=progress)
    _require_no_licence(clearance, gate)
    with TemporaryDirectory(prefix="tercet-") as kept:
        read = read_works(gate, Path(kept), nouns=nouns, progress=progress)
    works = _chosen(
        [
            Work(each.work, each.title, each.owner, each.licence, each.noun, each.kind, each.faces)
            for each in read.sprites
        ],
        works_per_noun,
    )
    if not works:
        raise RefusedError(
            "none of the cleared works is a drawing",
            hint="compose draws from SVG works; for clips there is `tercet train`",
        )
    items = {item.sha256: item for item in gate.items}
    with written_whole(out, out.parent) as temporary:
        digest = write_works(
            temporary,
            works,
            lambda work: items[work.work].read(),
            clearance=gate.clearance.to_bytes(),
            sign=key.signature,
        )
    nouns_found = {work.noun for work in works}
    return Packed(
        out, digest, len(works), len(nouns_found), out.stat().st_size, dict(read.passed_over)
    )


def _require_no_licence(clearance: Path, gate: Gate) -> None:
    """Raise RefusedError where rows were cleared by agreements.

    A pack shows works as they are, and goes on when an agreement has ended: nothing in it knows.
    """
    account = gate.clearance.document.get("agreements")
    if account and account["count"]:
        raise RefusedError(
            f"{clearance} rests on {account['count']} agreements, which can end; a pack cannot",
            hint="clear the works again without --desk, and pack those that are free",
        )


def _chosen(works: list[Work], most: int | None) -> list[Work]:
    """Return at most ``most`` works of a noun, those with the smallest digests."""
    counts: dict[str, int] = {}
    chosen = []
    for work in sorted(works, key=lambda work: work.work):
        counts[work.noun] = counts.get(work.noun, 0) + 1
        if most is None or counts[work.noun] <= most:
            chosen.append(work)
    return chosen
