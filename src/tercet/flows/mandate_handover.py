"""What a collective hands to a licensee: a snapshot with the mandates that it rests on.

The licensee's desk checks every signature itself: what a collective says of its members is not
enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tercet.consent.licences.closed_fields import ClosedFields, DocumentError
from tercet.consent.licences.collective import PARTS_MAX, Snapshot
from tercet.flows.desk import OpenDesk
from tercet.store.desk_mandates import Mandates

HANDOVER_TYPE = "tercet/snapshot-parcel@1"
HANDOVER_BYTES_MAX = 1024 * 1024 * 1024
_FIELDS = ("type", "snapshot", "mandates", "revocations", "parties", "repertoires")


def hand_over(desk: OpenDesk, snapshot_id: str) -> dict[str, Any]:
    """Return a snapshot with its mandates, revocations, lists and parties. Raises MissingError."""
    mandates = Mandates(desk.store)
    snapshot = mandates.snapshot(snapshot_id)
    parties = {snapshot.collective.id, *(part.member.id for part in snapshot.parts)}
    names = {snapshot.repertoire.sha256, *(part.repertoire.sha256 for part in snapshot.parts)}
    given = (mandates.held(part.mandate).mandate for part in snapshot.parts)
    names |= {mandate.works.sha256 for mandate in given if not mandate.covers_all_works}
    revoked = [mandates.revocation_document(part.mandate) for part in snapshot.parts]
    return {
        "type": HANDOVER_TYPE,
        "snapshot": mandates.snapshot_document(snapshot_id),
        "mandates": [mandates.document(part.mandate) for part in snapshot.parts],
        "revocations": [document for document in revoked if document],
        "parties": [
            [dict(version.document) for version in desk.store.party_history(party).versions]
            for party in sorted(parties)
        ],
        "repertoires": [
            desk.store.repertoires.read(name).decode("ascii") for name in sorted(names)
        ],
    }


def take_hand_over(
    desk: OpenDesk, parcel: Mapping[str, Any], *, told_apart: frozenset[str] = frozenset()
) -> Snapshot:
    """Take in what a collective handed over, every signature checked; the same once more is fine.

    Raises DocumentError, StandingError, and what a party's documents raise.
    """
    fields = ClosedFields(parcel, "parcel", _FIELDS)
    fields.constant("type", HANDOVER_TYPE)
    at = desk.clock()
    for versions in fields.items("parties", _list, PARTS_MAX):
        desk.store.take_parties([_object(each, "parcel.parties") for each in versions], at,
                                confirmed=told_apart)  # fmt: skip
    for text in fields.items("repertoires", _text, PARTS_MAX):
        desk.store.repertoires.add(text.encode("ascii", "replace"), at)
    mandates = Mandates(desk.store)
    for document in fields.items("mandates", _object, PARTS_MAX):
        mandates.take(document, at)
    for document in fields.items("revocations", _object, PARTS_MAX):
        mandates.revoke(document, at)
    return mandates.take_snapshot(_object(fields.raw("snapshot"), "parcel.snapshot"), at)


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise DocumentError(f"expected a list at {where}")
    return value


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DocumentError(f"expected an object at {where}")
    return dict(value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise DocumentError(f"expected a text at {where}")
    return value
