"""mandate: members give and revoke mandates; a collective takes snapshots and tells its members.

member's desk ──mandate, signed──▶ collective's desk ──snapshot, signed──▶ terms of an offer
                                          │ agreements that rest on a snapshot
                                          └──notice, signed──▶ each member
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.consent.licences.agreement import Agreement, agreement_of
from tercet.consent.licences.closed_fields import ClosedFields, DocumentError
from tercet.consent.licences.collective import (
    MandatedWorks,
    Snapshot,
    SnapshotTaken,
    lapsed_works,
    snapshot_document,
    snapshot_refusals,
    take_snapshot,
)
from tercet.consent.licences.mandate import (
    MANDATE_TYPE,
    REVOCATION_TYPE,
    HeldMandate,
    Mandate,
    Revocation,
    mandate_document,
    mandate_of,
    revocation_document,
)
from tercet.consent.licences.notice import (
    Notice,
    licence_notices,
    notice_document,
    revocation_notice,
)
from tercet.consent.licences.party import Party
from tercet.consent.licences.repertoire import (
    Repertoire,
    holds,
    minus,
    repertoire_bytes,
    repertoire_from,
    repertoire_of,
)
from tercet.consent.licences.signing import Document, signed
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, RefusedError
from tercet.core.terms import PartyName, RepertoireName
from tercet.core.usage import Usage
from tercet.flows.desk import OpenDesk
from tercet.store.desk_mandates import KeptNotice, Mandates
from tercet.store.files import write_atomically
from tercet.store.registry import Registry
from tercet.store.registry_catalogue import catalogue_of, domains_of

PARCEL_TYPE = "tercet/parcel@1"
PARCEL_BYTES_MAX = 128 * 1024 * 1024  # a list of a million works is 72 MB
_PARCEL_FIELDS = ("type", "document", "versions", "repertoires")
_NO_WORKS = repertoire_of(())


@dataclass(frozen=True, slots=True)
class MandateDraft:
    """What a member lets a collective do; see `Mandate`. ``works`` None: all registered works."""

    collective: PartyName
    usages: Sequence[Usage]
    start: str
    end: str = ""
    works: Repertoire | None = None
    exclusions: Sequence[str] = ()
    excluded_licensees: Sequence[str] = ()
    cut_basis_points: int = 0
    notice_days: int = 0
    letter: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class LicensedBySnapshot:
    """An agreement of ours that rests on a snapshot, and the day it ended ("": it runs)."""

    agreement: Agreement
    snapshot: Snapshot
    ended_on: str


# ---- what a member does ----------------------------------------------------------------------


def give_mandate(desk: OpenDesk, draft: MandateDraft) -> dict[str, Any]:
    """Sign a mandate and keep it; return the parcel to hand to the collective.

    Raises DocumentError and what `Mandates.take` raises.
    """
    works = draft.works
    named = RepertoireName(
        works.sha256 if works else "",
        works.work_count if works else 0,
        tuple(sorted(set(draft.exclusions))),
    )
    mandate = Mandate(
        id=desk.make_id(),
        made_at=desk.clock(),
        member=party_name(desk),
        collective=draft.collective,
        usages=tuple(sorted(set(draft.usages))),
        start=draft.start,
        works=named,
        excluded_licensees=tuple(sorted(set(draft.excluded_licensees))),
        cut_basis_points=draft.cut_basis_points,
        end=draft.end,
        notice_days=draft.notice_days,
        letter=draft.letter,
        contact=draft.contact,
    )
    document = signed(mandate_document(mandate), desk.signer())
    mandate_of(document)
    lists = []
    if works is not None:
        desk.store.repertoires.add(repertoire_bytes(works), desk.clock())
        lists.append(repertoire_bytes(works))
    Mandates(desk.store).take(document, desk.clock())
    return parcel_of(desk, document, lists)


def revoke_mandate(desk: OpenDesk, mandate_id: str, reason: str) -> dict[str, Any]:
    """Take a mandate back; return the parcel to hand to the collective.

    Raises MissingError, InputError where it was given by somebody else.
    """
    held = Mandates(desk.store).held(mandate_id)
    if held.mandate.member.id != desk.party.id:
        raise InputError(f"the mandate {mandate_id} was given by {held.mandate.member.id}, not by "
                         f"{desk.party.id}", hint="open that party's desk with --desk")  # fmt: skip
    revocation = Revocation(
        id=desk.make_id(),
        made_at=desk.clock(),
        mandate=mandate_id,
        member=party_name(desk),
        collective=held.mandate.collective,
        reason=reason,
    )
    document = signed(revocation_document(revocation), desk.signer())
    Mandates(desk.store).revoke(document, desk.clock())
    return parcel_of(desk, document, [])


def party_name(desk: OpenDesk) -> PartyName:
    """Return who a desk belongs to, as documents name it."""
    return PartyName(desk.party.id, desk.party.name)


# ---- parcels: a document with what is needed to check it -------------------------------------


def parcel_of(desk: OpenDesk, document: Document, lists: Iterable[bytes]) -> dict[str, Any]:
    """Return a signed document with the signer's own documents and the lists of works it names."""
    return {
        "type": PARCEL_TYPE,
        "document": dict(document),
        "versions": [dict(each.document) for each in desk.history.versions],
        "repertoires": [raw.decode("ascii") for raw in lists],
    }


def take_parcel(
    desk: OpenDesk, parcel: Mapping[str, Any], *, told_apart: Iterable[str] = ()
) -> HeldMandate:
    """Take in a mandate or a revocation of another party, with that party's documents.

    ``told_apart`` are ids of parties of the same or a similar name that are known to be others.
    Raises DocumentError, and what taking a party's documents and `Mandates` raise.
    """
    fields = ClosedFields(parcel, "parcel", _PARCEL_FIELDS)
    fields.constant("type", PARCEL_TYPE)
    document = fields.raw("document")
    kind = document.get("type") if isinstance(document, Mapping) else None
    if kind not in (MANDATE_TYPE, REVOCATION_TYPE):
        raise DocumentError(f"expected a mandate or a revocation in the parcel, got {kind!r:.60}")
    versions = fields.items("versions", _document, 1_000)
    desk.store.take_parties(versions, desk.clock(), confirmed=frozenset(told_apart))
    for text in fields.items("repertoires", _text, 1):
        desk.store.repertoires.add(text.encode("ascii", "replace"), desk.clock())
    mandates = Mandates(desk.store)
    if kind == MANDATE_TYPE:
        held = mandates.take(document, desk.clock())
        if held.mandate.works.sha256:
            mandates.works(held.mandate.works.sha256)
        return held
    held = mandates.revoke(document, desk.clock())
    if held.mandate.collective.id == desk.party.id:
        notice = revocation_notice(held, made_at=desk.clock())
        mandates.add_notices([signed(notice_document(notice), desk.signer())])
    return held


def _document(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DocumentError(f"expected an object at {where}")
    return dict(value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise DocumentError(f"expected a text at {where}")
    return value


# ---- what a collective does ------------------------------------------------------------------


def mandated_works(desk: OpenDesk, held: HeldMandate, registry: Registry | None) -> MandatedWorks:
    """Return a mandate with its works, as the registry has them now.

    A list of works counts as far as the member has them registered: who mandates works of others
    brings none of these. Without a registry a list is taken as it is, and "all works" are none.
    Raises MissingError for a list that is not here.
    """
    mandate = held.mandate
    listed = _NO_WORKS
    if not mandate.covers_all_works:
        listed = Mandates(desk.store).works(mandate.works.sha256)
    if registry is None:
        return MandatedWorks(held, listed, _NO_WORKS)
    registered = registered_works(desk, mandate.member.id, registry)
    works = registered if mandate.covers_all_works else common(listed, registered)
    excluded = repertoire_of(mandate.works.exclusions)
    return MandatedWorks(held, works, common(excluded, registered))


def common(works: Repertoire, known: Repertoire) -> Repertoire:
    """Return the works that are known; an address is where its site is."""
    both = minus(works, minus(works, known))
    urls = [url for url in works.urls if holds(known, url=url)]
    return repertoire_from(both.digests, both.sites, urls)


def registered_works(desk: OpenDesk, party: str, registry: Registry) -> Repertoire:
    """Return the works on which a party's keys have claims that stand, undisputed.

    With them the sites that the party claims as a whole and whose control was verified. Raises
    MissingError where the party is not known.
    """
    keys = registry_keys(desk, party)
    return repertoire_of(
        [f"sha256:{sha256}" for _, sha256 in catalogue_of(registry, keys)]
        + [f"site:https://{domain}" for domain in domains_of(registry, keys)]
    )


def registry_keys(desk: OpenDesk, party: str) -> list[str]:
    """Return a party's keys as they stand in claims (Base64), without revoked ones."""
    return list(keys_in(desk.store.party_history(party).latest))


def keys_in(party: Party) -> tuple[str, ...]:
    """Return the keys of a party's document as they stand in claims, without revoked ones."""
    keys = (key for key in party.keys if not key.revoked_at)
    return tuple(base64.b64encode(key.public_raw).decode() for key in keys)


def make_snapshot(
    desk: OpenDesk, usages: Sequence[Usage], *, licensee: str = "", registry: Registry | None
) -> SnapshotTaken:
    """Take and sign a snapshot of what this collective can license now, and keep it.

    The lists of works lie in the desk after it. Raises what `mandated_works` raises, RefusedError
    where there is nothing to license.
    """
    mandates = Mandates(desk.store)
    collective = party_name(desk)
    given = [
        mandated_works(desk, held, registry) for held in mandates.all(collective=collective.id)
    ]
    taken = take_snapshot(
        given,
        snapshot_id=desk.make_id(),
        made_at=desk.clock(),
        collective=collective,
        usages=usages,
        licensee=licensee,
    )
    if not taken.snapshot.parts:
        raise RefusedError(
            "no mandate brings works for these usages and this licensee",
            hint="; ".join(f"{name}: {why}" for name, why in taken.left_out[:3]),
        )
    for works in {each.sha256: each for each in (taken.works, *taken.parts)}.values():
        desk.store.repertoires.add(repertoire_bytes(works), desk.clock())
    mandates.take_snapshot(signed(snapshot_document(taken.snapshot), desk.signer()), desk.clock())
    return taken


def licensed(desk: OpenDesk) -> list[LicensedBySnapshot]:
    """Return the agreements of this collective that rest on one of its snapshots.

    Raises DocumentError for one whose terms do not fit its snapshot.
    """
    snapshots = {each.id: each for each in Mandates(desk.store).snapshots()}
    found = []
    for kept in desk.store.agreements():
        agreement = agreement_of(kept.document)
        snapshot = snapshots.get(agreement.terms.mandate)
        if snapshot is None or agreement.assigner != desk.party.id:
            continue
        if refusals := snapshot_refusals(agreement.terms, snapshot):
            raise DocumentError(f"the agreement {agreement.id} does not fit its snapshot: "
                                f"{'; '.join(refusals)}")  # fmt: skip
        ended = [desk.store.terminated_on(agreement.id), kept.final_at[:10]
                 if kept.superseded_by else ""]  # fmt: skip
        found.append(LicensedBySnapshot(agreement, snapshot, min(filter(None, ended), default="")))
    return found


def tell_members(desk: OpenDesk) -> int:
    """Write a notice for every member and thing to be told that has none yet; return how many."""
    at = desk.clock()
    notices: list[Notice] = []
    for each in licensed(desk):
        notices += licence_notices(each.agreement, each.snapshot, made_at=at)
        if each.ended_on:
            notices += licence_notices(
                each.agreement, each.snapshot, made_at=at, ended_on=each.ended_on
            )
    mandates = Mandates(desk.store)
    known = {kept.notice.id for kept in mandates.notices()}
    signer = desk.signer()
    fresh = [signed(notice_document(each), signer) for each in notices if each.id not in known]
    return mandates.add_notices(fresh)


def lapsed(desk: OpenDesk, snapshot: Snapshot, day: str, registry: Registry | None) -> Repertoire:
    """Return the works of a snapshot that running agreements no longer cover on ``day``."""
    mandates = Mandates(desk.store)
    parts = {works.sha256: works for works in mandates.parts(snapshot)}
    given = [
        mandated_works(desk, held, registry)
        for held in mandates.all(collective=snapshot.collective.id)
    ]
    return lapsed_works(snapshot, parts, given, day)


def write_notices(desk: OpenDesk, folder: Path, *, sender: str) -> list[tuple[KeptNotice, Path]]:
    """Write the notices not handed over yet into a folder, and note that they were.

    Each is a message (.eml) where its mandate names a mail address, else a signed document.
    Raises StorageError; what was written before is not written again.
    """
    from tercet.flows.mandate_words import notice_message

    mandates = Mandates(desk.store)
    written: list[tuple[KeptNotice, Path]] = []
    folder.mkdir(parents=True, exist_ok=True)
    for kept in mandates.notices(waiting=True):
        name = kept.notice.id.removeprefix("urn:uuid:")
        contact = mandates.held(kept.notice.mandate).mandate.contact
        if contact:
            path = folder / f"{name}.eml"
            raw = bytes(notice_message(kept, sender=sender, to=contact))
        else:
            path = folder / f"{name}.json"
            raw = canonical_json(kept.document)
        write_atomically(path, raw)
        mandates.mark_delivered([kept.notice.id], desk.clock())
        written.append((kept, path))
    return written
