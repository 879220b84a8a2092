"""`tercet/collective-snapshot@1`: what a collective could license at one time, and by whose word.

    {"type": "tercet/collective-snapshot@1", "id": "urn:uuid:...", "made_at": RFC 3339,
     "collective": {"id", "name"}, "licensee": party id or "", "usages": [...],
     "repertoire": {"sha256", "work_count", "exclusions"},
     "parts": [{"mandate", "mandate_sha256", "member": {"id", "name"},
                "repertoire": {"sha256", "work_count", "exclusions"}}],
     "excluded_licensees": [party ids], "signatures": [the collective's]}

A snapshot is the union of what its members' mandates bring for these usages and this licensee,
minus exclusions; nobody who gave no mandate is in it. Terms name it in ``mandate`` and its
repertoire in ``repertoire``. What a member revokes is in no later snapshot; in running agreements
it lapses when the mandate's notice is over (`lapsed_works`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tercet.consent.licences.closed_fields import (
    DOCUMENT_ID,
    PARTY_ID,
    SHA256,
    ClosedFields,
    DocumentError,
    kind_in,
    text_matching,
)
from tercet.consent.licences.mandate import (
    LICENSEES_MAX,
    HeldMandate,
    MandateState,
    party_fields,
    party_of,
    repertoire_fields,
)
from tercet.consent.licences.mandate import repertoire_of as repertoire_name_of
from tercet.consent.licences.repertoire import (
    URL,
    Repertoire,
    holds,
    minus,
    repertoire_from,
    repertoire_of,
    union,
)
from tercet.consent.urls import split_url
from tercet.core.terms import PartyName, RepertoireName, Terms
from tercet.core.usage import Usage

SNAPSHOT_TYPE = "tercet/collective-snapshot@1"
PARTS_MAX = 100_000
_FIELDS = (
    "type", "id", "made_at", "collective", "licensee", "usages", "repertoire", "parts",
    "excluded_licensees",
)  # fmt: skip
_PART_FIELDS = ("mandate", "mandate_sha256", "member", "repertoire")


@dataclass(frozen=True, slots=True)
class MandatedWorks:
    """A mandate with the works it is for, looked up: ``works`` are before its exclusions.

    ``withheld`` are works that the member excluded and has a claim on: nobody else's mandate brings
    them either.
    """

    held: HeldMandate
    works: Repertoire
    withheld: Repertoire


@dataclass(frozen=True, slots=True)
class SnapshotPart:
    """What one mandate brought."""

    mandate: str
    mandate_sha256: str
    member: PartyName
    repertoire: RepertoireName


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a collective could license at ``made_at``, to ``licensee`` ("": to anybody not named in
    ``excluded_licensees``), for ``usages``.
    """

    id: str
    made_at: str
    collective: PartyName
    usages: tuple[Usage, ...]
    repertoire: RepertoireName
    parts: tuple[SnapshotPart, ...]
    licensee: str = ""
    excluded_licensees: tuple[str, ...] = ()


class LeftOut(StrEnum):
    """Why a mandate brings nothing to a snapshot. Stable strings."""

    NOT_BEGUN = "not begun"
    ENDED = "ended"
    REVOKED = "revoked"
    OTHER_COLLECTIVE = "given to another collective"
    USAGE = "does not grant every usage asked for"
    LICENSEE = "excludes the licensee"
    NO_WORKS = "brings no works"


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """A snapshot with the works themselves, those of each part, and who is not in it and why."""

    snapshot: Snapshot
    works: Repertoire
    parts: tuple[Repertoire, ...]
    left_out: tuple[tuple[str, LeftOut], ...]


def take_snapshot(
    mandated: Iterable[MandatedWorks],
    *,
    snapshot_id: str,
    made_at: str,
    collective: PartyName,
    usages: Sequence[Usage],
    licensee: str = "",
) -> SnapshotTaken:
    """Return what ``collective`` can license now, for these usages and this licensee."""
    asked = tuple(sorted(set(usages)))
    if not asked:
        raise DocumentError("a snapshot is for at least one usage, got none")
    given = list(mandated)
    withheld = union(each.withheld for each in given)
    brought: list[tuple[MandatedWorks, Repertoire]] = []
    left_out: list[tuple[str, LeftOut]] = []
    for each in given:
        works = minus(works_of(each), withheld)
        why = _why_not(each.held, collective.id, made_at[:10], asked, licensee)
        if why is None and not works.work_count:
            why = LeftOut.NO_WORKS
        if why is None:
            brought.append((each, works))
        else:
            left_out.append((each.held.mandate.id, why))
    brought.sort(key=lambda pair: pair[0].held.mandate.id)
    whole = union(works for _, works in brought)
    snapshot = Snapshot(
        id=snapshot_id,
        made_at=made_at,
        collective=collective,
        usages=asked,
        repertoire=RepertoireName(whole.sha256, whole.work_count, _addresses_out(brought)),
        parts=tuple(_part(each, works) for each, works in brought),
        licensee=licensee,
        excluded_licensees=() if licensee else _excluded(each for each, _ in brought),
    )
    return SnapshotTaken(snapshot, whole, tuple(works for _, works in brought), tuple(left_out))


def works_of(mandated: MandatedWorks) -> Repertoire:
    """Return the works of one mandate without those that it excludes itself."""
    excluded = repertoire_of(mandated.held.mandate.works.exclusions)
    rest = minus(mandated.works, excluded)
    gone = set(excluded.sites)
    urls = [url for url in rest.urls if _origin(url) not in gone]
    return rest if len(urls) == len(rest.urls) else repertoire_from(rest.digests, rest.sites, urls)


def _why_not(
    held: HeldMandate, collective: str, day: str, usages: Sequence[Usage], licensee: str
) -> LeftOut | None:
    state = held.state_on(day)
    if state is not MandateState.IN_FORCE:
        return LeftOut(state)
    if held.mandate.collective.id != collective:
        return LeftOut.OTHER_COLLECTIVE
    if not set(usages) <= set(held.mandate.usages):
        return LeftOut.USAGE
    return LeftOut.LICENSEE if licensee in held.mandate.excluded_licensees else None


def _part(each: MandatedWorks, works: Repertoire) -> SnapshotPart:
    addresses = tuple(sorted(_addresses_of(each, works)))
    return SnapshotPart(
        each.held.mandate.id,
        each.held.sha256,
        each.held.mandate.member,
        RepertoireName(works.sha256, works.work_count, addresses),
    )


def _addresses_out(brought: Iterable[tuple[MandatedWorks, Repertoire]]) -> tuple[str, ...]:
    return tuple(sorted({line for each, works in brought for line in _addresses_of(each, works)}))


def _addresses_of(each: MandatedWorks, works: Repertoire) -> list[str]:
    """Return the excluded addresses on sites that the same mandate brings as a whole.

    They cannot be taken out of the list of works, so they are said beside it.
    """
    lines = [line for line in each.held.mandate.works.exclusions if line.startswith(URL)]
    return [line for line in lines if holds(works, url=line.removeprefix(URL))]


def _excluded(brought: Iterable[MandatedWorks]) -> tuple[str, ...]:
    return tuple(sorted({who for each in brought for who in each.held.mandate.excluded_licensees}))


def _origin(url: str) -> str:
    split = split_url(url)
    return split.origin if split else ""


# ---- agreements that rest on a snapshot ------------------------------------------------------


class SnapshotRefusal(StrEnum):
    """Why terms do not fit the snapshot they name. Stable strings."""

    OTHER_SNAPSHOT = "the terms name another snapshot"
    OTHER_LICENSOR = "the licensor is not the collective"
    OTHER_WORKS = "the works are not those of the snapshot"
    EXCLUSIONS = "works that members excluded are not excluded by the terms"
    USAGE = "a usage is granted that the snapshot was not taken for"
    LICENSEE = "the snapshot was taken for another licensee"
    EXCLUDED_LICENSEE = "a member excluded this licensee: take a snapshot for it"


def snapshot_refusals(terms: Terms, snapshot: Snapshot) -> tuple[SnapshotRefusal, ...]:
    """Return what stands against terms that rest on a snapshot; nothing: they fit."""
    licensee = terms.licensee.id if terms.licensee else ""
    excluded = set(terms.repertoire.exclusions)
    flaws = {
        SnapshotRefusal.OTHER_SNAPSHOT: terms.mandate != snapshot.id,
        SnapshotRefusal.OTHER_LICENSOR: terms.licensor.id != snapshot.collective.id,
        SnapshotRefusal.OTHER_WORKS: terms.repertoire.sha256 != snapshot.repertoire.sha256,
        SnapshotRefusal.EXCLUSIONS: not set(snapshot.repertoire.exclusions) <= excluded,
        SnapshotRefusal.USAGE: not set(terms.grant.usages) <= set(snapshot.usages),
        SnapshotRefusal.LICENSEE: bool(snapshot.licensee) and licensee != snapshot.licensee,
        SnapshotRefusal.EXCLUDED_LICENSEE: licensee in snapshot.excluded_licensees,
    }
    return tuple(refusal for refusal, stands in flaws.items() if stands)


def lapsed_works(
    snapshot: Snapshot,
    parts: Mapping[str, Repertoire],
    mandates: Iterable[MandatedWorks],
    day: str,
) -> Repertoire:
    """Return the works of a snapshot that running agreements no longer cover on ``day``.

    ``parts`` are the works of each part by their SHA-256; ``mandates`` all that the collective has
    or had. A work lapses with the mandate that brought it, unless the same member's later mandate
    brings it still. Of a work that several brought it is enough that one lapses: each may own a
    share of it. A mandate that is not among ``mandates`` counts as lapsed.
    """
    known = list(mandates)
    carried = {each.held.mandate.id for each in known if each.held.carries_on(day)}
    gone: list[Repertoire] = []
    for member in sorted({part.member.id for part in snapshot.parts}):
        theirs = [part for part in snapshot.parts if part.member.id == member]
        lapsed = [parts[p.repertoire.sha256] for p in theirs if p.mandate not in carried]
        if lapsed:
            still = [works_of(each) for each in known if _carries(each, member, snapshot, day)]
            gone.append(minus(union(lapsed), union(still)))
    return union(gone)


def _carries(each: MandatedWorks, member: str, snapshot: Snapshot, day: str) -> bool:
    mandate = each.held.mandate
    return (
        mandate.member.id == member
        and mandate.collective.id == snapshot.collective.id
        and each.held.carries_on(day)
        and set(snapshot.usages) <= set(mandate.usages)
        and (not snapshot.licensee or snapshot.licensee not in mandate.excluded_licensees)
    )


# ---- the document ----------------------------------------------------------------------------


def snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as the fields of its document, not yet signed."""
    return {
        "type": SNAPSHOT_TYPE,
        "id": snapshot.id,
        "made_at": snapshot.made_at,
        "collective": party_fields(snapshot.collective),
        "licensee": snapshot.licensee,
        "usages": [str(usage) for usage in snapshot.usages],
        "repertoire": repertoire_fields(snapshot.repertoire),
        "parts": [
            {
                "mandate": part.mandate,
                "mandate_sha256": part.mandate_sha256,
                "member": party_fields(part.member),
                "repertoire": repertoire_fields(part.repertoire),
            }
            for part in snapshot.parts
        ],
        "excluded_licensees": list(snapshot.excluded_licensees),
    }


def snapshot_of(document: Mapping[str, Any]) -> Snapshot:
    """Return the snapshot a document states, whoever signed it. Raises DocumentError."""
    unsigned = {name: value for name, value in document.items() if name != "signatures"}
    fields = ClosedFields(unsigned, "snapshot", _FIELDS)
    fields.constant("type", SNAPSHOT_TYPE)
    return Snapshot(
        id=fields.matching("id", DOCUMENT_ID, "an id such as urn:uuid:..."),
        made_at=fields.time("made_at"),
        collective=party_of(fields.raw("collective"), "snapshot.collective"),
        usages=fields.items("usages", kind_in(Usage), len(Usage)),
        repertoire=repertoire_name_of(fields.raw("repertoire"), "snapshot.repertoire"),
        parts=fields.items("parts", _part_of, PARTS_MAX),
        licensee=fields.matching("licensee", PARTY_ID, "a party's id", empty=True),
        excluded_licensees=fields.items(
            "excluded_licensees", text_matching(PARTY_ID, "a party's id"), LICENSEES_MAX * PARTS_MAX
        ),
    )


def _part_of(value: object, where: str) -> SnapshotPart:
    fields = ClosedFields(value, where, _PART_FIELDS)
    return SnapshotPart(
        mandate=fields.matching("mandate", DOCUMENT_ID, "the id of a mandate"),
        mandate_sha256=fields.matching("mandate_sha256", SHA256, "a SHA-256"),
        member=party_of(fields.raw("member"), f"{where}.member"),
        repertoire=repertoire_name_of(fields.raw("repertoire"), f"{where}.repertoire"),
    )


def check_parts(snapshot: Snapshot, works: Repertoire, parts: Iterable[Repertoire]) -> None:
    """Make sure that the works of a snapshot are the union of its parts and nothing else.

    Raises DocumentError. Whoever is given a snapshot checks by this that no one was put into it
    without a mandate.
    """
    by_name = {each.sha256: each for each in parts}
    for part in snapshot.parts:
        if part.repertoire.sha256 not in by_name:
            raise DocumentError(f"the works of the mandate {part.mandate} are not here")
    whole = union(by_name[part.repertoire.sha256] for part in snapshot.parts)
    if not whole.sha256 == works.sha256 == snapshot.repertoire.sha256:
        raise DocumentError("the works of the snapshot are not the union of its parts")
