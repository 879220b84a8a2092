"""The agreements of a desk as the clearing asks about them: checked once, before the first row.

desk ──check signatures, keys, works, mandates──▶ known ──use, day──▶ standings ──▶ rows
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.agreement_standing import (
    AgreementStanding,
    KnownAgreement,
    standing_of,
)
from tercet.consent.licences.collective import (
    MandatedWorks,
    Snapshot,
    SnapshotPart,
    snapshot_refusals,
    works_of,
)
from tercet.consent.licences.mandate import HeldMandate, Mandate
from tercet.consent.licences.obstacle import Obstacle
from tercet.consent.licences.party_history import Parties
from tercet.consent.licences.repertoire import (
    Repertoire,
    minus,
    read_repertoire,
    repertoire_of,
)
from tercet.consent.licences.standing import Standing, check_agreement
from tercet.consent.licences.termination import check_termination
from tercet.core.errors import TercetError
from tercet.core.ids import sha256_hex
from tercet.core.terms import PartyName, RepertoireName, Terms, Use
from tercet.flows.agreement_rows import Represented
from tercet.store.desk import Desk
from tercet.store.desk_agreements import terminations_by_agreement
from tercet.store.desk_documents import KeptAgreement, KeptTermination
from tercet.store.desk_mandates import Mandates
from tercet.store.work_index_files import KeptIndex, Source, keep_index

_OF_WORKS = (Obstacle.NO_MANDATE, Obstacle.REPERTOIRE_MISSING, Obstacle.OTHER_REPERTOIRE)
"""What stands against an agreement that its two parties have signed all the same."""
_NOTHING = repertoire_of(())


@dataclass(frozen=True, slots=True)
class AgreementsAsked:
    """Which desk's agreements count, and for what use. ``use.licensee`` "" is the desk's party."""

    desk: Path
    use: Use


Places = tuple[int, tuple[int, ...], tuple[Represented, ...]]
"""Where an agreement's works are listed, lists of what is not meant, whom the licensor is for."""
Mandated = tuple[Obstacle | None, Places]


@dataclass(frozen=True, slots=True)
class Checked:
    """The agreements of a desk, how they stand to a use, and where their works are listed."""

    known: tuple[KnownAgreement, ...]
    kept: tuple[KeptAgreement, ...]
    standings: tuple[AgreementStanding, ...]
    places: tuple[Places, ...]
    parties: Parties
    use: Use
    index: Path


@dataclass(frozen=True, slots=True)
class _Listed:
    """A list by its name and its length, which is all that the check of an agreement asks."""

    sha256: str
    work_count: int


@dataclass(frozen=True, slots=True)
class _Checks:
    """What agreements are checked against."""

    parties: Parties
    lists: Mapping[str, _Listed]
    position: Mapping[str, int]
    terminations: Mapping[str, Sequence[KeptTermination]]
    snapshots: Mapping[str, Snapshot]
    mandates: Mapping[str, HeldMandate]
    trusted_keys: frozenset[str]


def checked_agreements(
    asked: AgreementsAsked, trusted_keys: frozenset[str], secret: bytes = b""
) -> Checked:
    """Check every agreement of a desk, and ask each about one use.

    ``trusted_keys`` (Base64) are the operator's: an agreement whose licensor has none of them
    grants nothing. The index of works is sealed with ``secret``. Raises InputError where there is
    no desk, StorageError.
    """
    desk = Desk.open(asked.desk)
    try:
        use = replace(asked.use, licensee=asked.use.licensee or desk.party)
        kept = desk.agreements(final=False)
        held = Mandates(desk)
        snapshots = {snapshot.id: snapshot for snapshot in held.snapshots()}
        mandates = {each.mandate.id: each for each in held.all()}
        terms = tuple(_terms(each) for each in kept)
        sources = _sources(desk, terms, snapshots, mandates)
        index = keep_index(asked.desk / "index", sources, secret)
        checks = _Checks(
            desk.parties(),
            *_lists(index, sources),
            terminations_by_agreement(desk.database),
            snapshots,
            mandates,
            trusted_keys,
        )
    finally:
        desk.close()
    known, places = _known(kept, terms, checks, use)
    standings = tuple(standing_of(agreement, use) for agreement in known)
    return Checked(known, kept, standings, tuple(places), checks.parties, use, index.place)


def _terms(kept: KeptAgreement) -> Terms:
    """Return the terms of an agreement; of one that cannot be read, what it is about."""
    try:
        return agreement_of(kept.document).terms
    except TercetError:
        parties = (PartyName(kept.assigner, ""), RepertoireName(kept.repertoire))
        return Terms(*parties, licensee=PartyName(kept.assignee, ""))


def _sources(
    desk: Desk,
    terms: Sequence[Terms],
    snapshots: Mapping[str, Snapshot],
    mandates: Mapping[str, HeldMandate],
) -> list[Source]:
    """Return every list of works that rows may be asked about, each once, in order of names."""
    names = {each.repertoire.sha256 for each in terms}
    exclusions = {each.repertoire.exclusions for each in terms}
    mandated: set[tuple[str, str]] = set()
    for each in terms:
        snapshot = snapshots.get(each.mandate)
        for part in snapshot.parts if snapshot else ():
            names.add(part.repertoire.sha256)
            mandated.add((part.repertoire.sha256, part.mandate))
        if each.mandate in mandates:
            mandated.add((each.repertoire.sha256, each.mandate))
    read: dict[str, Callable[[], Repertoire]] = {
        name: partial(_read, desk, name) for name in names if name
    }
    for name, mandate in mandated:
        held = mandates.get(mandate)
        if held and name:
            read[_name_within(name, held)] = partial(_read_within, desk, name, held)
    for lines in exclusions:
        if lines:
            read[_name_of(lines)] = partial(repertoire_of, lines)
    return sorted(read.items())


def _name_of(lines: tuple[str, ...]) -> str:
    return "lines:" + sha256_hex("\n".join(sorted(lines)).encode())


def _read(desk: Desk, name: str) -> Repertoire:
    return read_repertoire(desk.repertoires.path(name).read_bytes(), name)


def _name_within(name: str, held: HeldMandate) -> str:
    return f"{name} within {held.sha256}"


def _read_within(desk: Desk, name: str, held: HeldMandate) -> Repertoire:
    """Return the works of a list that the member's own mandate is for."""
    works, mandate = _read(desk, name), held.mandate
    allowed = works if mandate.covers_all_works else _read(desk, mandate.works.sha256)
    return minus(works, minus(works, works_of(MandatedWorks(held, allowed, _NOTHING))))


def _lists(
    index: KeptIndex, sources: Sequence[Source]
) -> tuple[dict[str, _Listed], dict[str, int]]:
    named = zip(sources, index.work_counts, strict=True)
    good = [(at, name, count) for at, ((name, _), count) in enumerate(named) if count >= 0]
    return {n: _Listed(n, count) for _, n, count in good}, {name: at for at, name, _ in good}


def _known(
    kept: Sequence[KeptAgreement], terms: Sequence[Terms], checks: _Checks, use: Use
) -> tuple[tuple[KnownAgreement, ...], list[Places]]:
    """Return the agreements with what is known of them, and where their works are listed."""
    known: list[KnownAgreement] = []
    places: list[Places] = []
    for each, own in zip(kept, terms, strict=True):
        fault = _fault(each, checks)
        mandated, (listed, lapsed, represented) = _represented(own, checks, use)
        excluded = own.repertoire.exclusions
        out = (checks.position.get(_name_of(excluded), -1),) if excluded else ()
        if -1 in out:
            fault = fault or Obstacle.OTHER_REPERTOIRE
        known.append(
            KnownAgreement(
                each.id,
                each.sha256,
                own,
                fault or mandated,
                terminated_on=_terminated_on(each, checks) if fault is None else "",
                is_trusted=bool(_keys(own.licensor.id, checks.parties) & checks.trusted_keys),
            )
        )
        places.append((listed, (*out, *lapsed), represented))
    return _superseded(kept, known), places


def _fault(kept: KeptAgreement, checks: _Checks) -> Obstacle | None:
    """Return what is wrong with an agreement's document, None for nothing."""
    standing = check_agreement(
        kept.document, checks.parties, checks.lists, kept.seen_at, signed_at=kept.signed_at
    )
    if standing is not Standing.VALID:
        return Obstacle(f"agreement_{standing}")
    return None if kept.final_at else Obstacle.UNFINISHED


def binds(known: KnownAgreement, kept: KeptAgreement) -> bool:
    """Say whether both parties are bound by an agreement, whatever has become of its works."""
    return known.fault is None or (known.fault in _OF_WORKS and bool(kept.final_at))


def _superseded(
    kept: Sequence[KeptAgreement], known: Sequence[KnownAgreement]
) -> tuple[KnownAgreement, ...]:
    """Note what takes the place of what: only a good document of the same two parties does.

    It does so whatever has become of its own works: the one before does not come to life again.
    """
    by_id = {each.id: each for each in kept}
    later: dict[str, str] = {}
    for each, agreement in zip(kept, known, strict=True):
        before = by_id.get(each.supersedes)
        parties = (each.assigner, each.assignee)
        if before and binds(agreement, each) and parties == (before.assigner, before.assignee):
            later.setdefault(before.id, each.id)
    return tuple(replace(each, superseded_by=later.get(each.id, "")) for each in known)


def _terminated_on(kept: KeptAgreement, checks: _Checks) -> str:
    days = []
    for termination in checks.terminations.get(kept.id, ()):
        try:
            has_effect = check_termination(
                termination.document,
                agreement_of(kept.document),
                checks.parties,
                termination.seen_at,
            )
        except TercetError:
            continue  # it ends nothing: the desk shows it, with the reason
        if has_effect:
            days.append(str(termination.document["effective_on"]))
    return min(days, default="")


def _represented(terms: Terms, checks: _Checks, use: Use) -> Mandated:
    """Return for whom a licensor speaks: what stands against it, of which works, and for whom.

    A member of a collective is spoken for only by a mandate that lies here, signed by the member,
    and only as far as it goes; what the collective says of its members is not enough to lift their
    claims.
    """
    own = Represented(_keys(terms.licensor.id, checks.parties))
    listed = checks.position.get(terms.repertoire.sha256, -1)
    if not terms.mandate:
        return None, (listed, (), (own,))
    snapshot = checks.snapshots.get(terms.mandate)
    if snapshot is not None:
        return _of_snapshot(snapshot, terms, checks, use, own)
    none = (Obstacle.NO_MANDATE, (listed, (), ()))
    held = checks.mandates.get(terms.mandate)
    if held is None or not held.carries_on(use.on) or not _lets(held.mandate, terms, use):
        return none
    position = checks.position.get(_name_within(terms.repertoire.sha256, held), -1)
    if position < 0:
        return none
    member = Represented(_keys(held.mandate.member.id, checks.parties), position)
    return None, (position, (), (own, member))


def _lets(mandate: Mandate, terms: Terms, use: Use) -> bool:
    """Say whether a member's mandate lets the licensor of these terms grant what they do."""
    return (
        mandate.collective.id == terms.licensor.id
        and set(terms.grant.usages) <= set(mandate.usages)
        and use.licensee not in mandate.excluded_licensees
    )


def _of_snapshot(
    snapshot: Snapshot, terms: Terms, checks: _Checks, use: Use, own: Represented
) -> Mandated:
    listed = checks.position.get(terms.repertoire.sha256, -1)
    lapsed: list[int] = []
    represented = [own]
    for part in snapshot.parts:
        held = checks.mandates.get(part.mandate)
        if held is None or held.sha256 != part.mandate_sha256:
            continue
        if not held.carries_on(use.on) or _had_left(held, snapshot):
            lapsed.append(checks.position.get(part.repertoire.sha256, -1))
        elif member := _member(part, held, terms, checks, use):
            represented.append(member)
    if snapshot_refusals(terms, snapshot) or -1 in lapsed:  # -1: nobody can say which works lapsed
        return Obstacle.NO_MANDATE, (listed, (), ())
    return None, (listed, tuple(lapsed), tuple(represented))


def _had_left(held: HeldMandate, snapshot: Snapshot) -> bool:
    """Say whether a snapshot names a mandate whose revocation was here a day before it, or more."""
    return bool(held.revoked_on) and held.revoked_on < snapshot.made_at[:10]


def _member(
    part: SnapshotPart, held: HeldMandate, terms: Terms, checks: _Checks, use: Use
) -> Represented | None:
    """Return the member that a part of a snapshot speaks for, None where its mandate does not."""
    position = checks.position.get(_name_within(part.repertoire.sha256, held), -1)
    is_theirs = held.mandate.member.id == part.member.id
    if position < 0 or not is_theirs or not _lets(held.mandate, terms, use):
        return None
    return Represented(_keys(part.member.id, checks.parties), position)


def _keys(party: str, parties: Parties) -> frozenset[str]:
    """Return a party's keys that were not revoked, in Base64 as claims have them."""
    history = parties.get(party)
    keys = history.latest.keys if history else ()
    return frozenset(
        base64.b64encode(key.public_raw).decode() for key in keys if not key.revoked_at
    )
