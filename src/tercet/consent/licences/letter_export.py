"""`tercet/letter-export@1`: a letter with who signed it, fit to be handed over.

    {"type": "tercet/letter-export@1", "made_at": RFC 3339, "keeper": {"id", "name"},
     "letter": the signed letter, "letter_sha256": its hash,
     "parties": the documents of initiator and keeper, by which signatures can be checked,
     "counts": {"verified", "unverified", "withdrawn", "named",
                "professions": {"cells": [{"label", "count"}], "rest"}, "countries": {...},
                "proofs": [{"label", "count"}]},
     "signatories": [{"name", "profession", "country", "signed_on", "proofs": [...]}],
     "signatures": [the keeper's]}

Every export, page and print is made from a `PublicLetter`, which holds no name of anybody who did
not ask to be named: what is not in it cannot leak. Unverified signatories are a number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tercet.consent.licences.closed_fields import SHA256, ClosedFields, DocumentError, kind_in
from tercet.consent.licences.letter import (
    COUNTRY,
    PERSON_CHARACTERS_MAX,
    PROFESSION_CHARACTERS_MAX,
    Letter,
    Visibility,
    letter_of,
)
from tercet.consent.licences.letter_counts import (
    Cell,
    Counts,
    ProofKind,
    Signatory,
    Table,
    counted,
)
from tercet.consent.licences.mandate import party_fields, party_of
from tercet.consent.licences.person_text import person_text
from tercet.core.canonical import canonical_json
from tercet.core.ids import sha256_hex
from tercet.core.terms import PartyName

EXPORT_TYPE = "tercet/letter-export@1"
SIGNATORIES_MAX = 1_000_000
EXPORT_BYTES_MAX = 512 * 1024 * 1024
PARTY_VERSIONS_MAX = 1_000
_CELLS_MAX = SIGNATORIES_MAX
_FIELDS = (
    "type", "made_at", "keeper", "letter", "letter_sha256", "parties", "counts", "signatories",
)  # fmt: skip
_COUNT_FIELDS = (
    "verified", "unverified", "withdrawn", "named", "professions", "countries", "proofs",
)  # fmt: skip
_NAMED_FIELDS = ("name", "profession", "country", "signed_on", "proofs")


@dataclass(frozen=True, slots=True)
class NamedSignatory:
    """Somebody who stands under a letter by name, and what verified them."""

    name: str
    profession: str
    country: str
    signed_on: str
    proofs: tuple[ProofKind, ...]


@dataclass(frozen=True, slots=True)
class PublicLetter:
    """All that anybody may see of a letter. ``document`` is it as its initiator signed it."""

    made_at: str
    keeper: PartyName
    letter: Letter
    document: Mapping[str, Any]
    sha256: str
    counts: Counts
    signatories: tuple[NamedSignatory, ...]


def public_letter(
    document: Mapping[str, Any],
    signatories: Iterable[Signatory],
    *,
    keeper: PartyName,
    made_at: str,
) -> PublicLetter:
    """Return what others may see of a letter and of everybody who signed it."""
    everybody = list(signatories)
    return PublicLetter(
        made_at=made_at,
        keeper=keeper,
        letter=letter_of(document),
        document=document,
        sha256=letter_sha256(document),
        counts=counted(everybody),
        signatories=_named(everybody),
    )


def letter_sha256(document: Mapping[str, Any]) -> str:
    """Return the letter's hash: SHA-256 of its canonical JSON without ``signatures``."""
    unsigned = {name: value for name, value in document.items() if name != "signatures"}
    return sha256_hex(canonical_json(unsigned))


def _named(signatories: Iterable[Signatory]) -> tuple[NamedSignatory, ...]:
    named = [
        NamedSignatory(
            name=each.name,
            profession=each.profession,
            country=each.country,
            signed_on=each.signed_at[:10],
            proofs=each.verified_kinds,
        )
        for each in signatories
        if each.counts and each.visibility is Visibility.NAMED
    ]
    return tuple(sorted(named, key=_order))


def _order(signatory: NamedSignatory) -> tuple[str, str, str]:
    """Sort as people look names up: without case and marks first, so that Đ stands by D."""
    bare = unicodedata.normalize("NFKD", signatory.name.replace("Đ", "D").replace("đ", "d"))
    plain = "".join(c for c in bare if not unicodedata.combining(c)).casefold()
    return plain, signatory.name, signatory.profession


def export_document(public: PublicLetter, parties: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an export as the fields of its document, not yet signed.

    ``parties`` are all versions of the documents of initiator and keeper.
    """
    counts = public.counts
    return {
        "type": EXPORT_TYPE,
        "made_at": public.made_at,
        "keeper": party_fields(public.keeper),
        "letter": dict(public.document),
        "letter_sha256": public.sha256,
        "parties": [dict(each) for each in parties],
        "counts": {
            "verified": counts.verified,
            "unverified": counts.unverified,
            "withdrawn": counts.withdrawn,
            "named": counts.named,
            "professions": _table_fields(counts.professions),
            "countries": _table_fields(counts.countries),
            "proofs": _cell_fields(counts.proofs),
        },
        "signatories": [
            {
                "name": each.name,
                "profession": each.profession,
                "country": each.country,
                "signed_on": each.signed_on,
                "proofs": [str(kind) for kind in each.proofs],
            }
            for each in public.signatories
        ],
    }


def _table_fields(table: Table) -> dict[str, Any]:
    return {"cells": _cell_fields(table.cells), "rest": table.rest}


def _cell_fields(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    return [{"label": cell.label, "count": cell.count} for cell in cells]


def public_letter_of(document: Mapping[str, Any]) -> PublicLetter:
    """Return what an export states; its figures must agree with each other.

    Who signed it is not checked here. Raises DocumentError.
    """
    unsigned = {name: value for name, value in document.items() if name != "signatures"}
    fields = ClosedFields(unsigned, "export", _FIELDS)
    fields.constant("type", EXPORT_TYPE)
    letter = letter_of(fields.raw("letter"))
    fields.items("parties", _object_of, PARTY_VERSIONS_MAX)
    sha256 = fields.matching("letter_sha256", SHA256, "the hash of a letter")
    if sha256 != letter_sha256(fields.raw("letter")):
        raise DocumentError("export.letter_sha256 is not the hash of export.letter")
    public = PublicLetter(
        made_at=fields.time("made_at"),
        keeper=party_of(fields.raw("keeper"), "export.keeper"),
        letter=letter,
        document=fields.raw("letter"),
        sha256=sha256,
        counts=_counts_of(fields.raw("counts")),
        signatories=fields.items("signatories", _named_of, SIGNATORIES_MAX),
    )
    _check_figures(public)
    return public


def _object_of(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DocumentError(f"expected an object at {where}")
    return value


def _counts_of(value: object) -> Counts:
    fields = ClosedFields(value, "export.counts", _COUNT_FIELDS)
    number = {
        name: fields.integer(name, 0, SIGNATORIES_MAX)
        for name in ("verified", "unverified", "withdrawn", "named")
    }
    return Counts(
        **number,
        professions=_table_of(fields.raw("professions"), "export.counts.professions"),
        countries=_table_of(fields.raw("countries"), "export.counts.countries"),
        proofs=fields.items("proofs", _proof_cell_of, len(ProofKind)),
    )


def _proof_cell_of(value: object, where: str) -> Cell:
    fields = ClosedFields(value, where, ("label", "count"))
    return Cell(fields.choice("label", ProofKind), fields.integer("count", 1, SIGNATORIES_MAX))


def _table_of(value: object, where: str) -> Table:
    fields = ClosedFields(value, where, ("cells", "rest"))
    return Table(
        fields.items("cells", _cell_of, _CELLS_MAX), fields.integer("rest", 0, SIGNATORIES_MAX)
    )


def _cell_of(value: object, where: str) -> Cell:
    fields = ClosedFields(value, where, ("label", "count"))
    return Cell(
        person_text(fields.text("label", PROFESSION_CHARACTERS_MAX * 3, required=True), where),
        fields.integer("count", 1, SIGNATORIES_MAX),
    )


def _named_of(value: object, where: str) -> NamedSignatory:
    fields = ClosedFields(value, where, _NAMED_FIELDS)
    proofs = fields.items("proofs", kind_in(ProofKind), len(ProofKind))
    if not proofs:
        raise DocumentError(f"{where} is verified by nothing")
    return NamedSignatory(
        name=person_text(fields.text("name", PERSON_CHARACTERS_MAX, required=True), where),
        profession=person_text(fields.text("profession", PROFESSION_CHARACTERS_MAX), where),
        country=fields.matching("country", COUNTRY, "a country such as VN", empty=True),
        signed_on=fields.day("signed_on"),
        proofs=proofs,
    )


def _check_figures(public: PublicLetter) -> None:
    counts = public.counts
    if counts.named != len(public.signatories) or counts.named > counts.verified:
        raise DocumentError(
            f"the export names {len(public.signatories):,} signatories and counts "
            f"{counts.named:,} named of {counts.verified:,}"
        )
    for name, table in (("professions", counts.professions), ("countries", counts.countries)):
        if sum(cell.count for cell in table.cells) + table.rest != counts.verified:
            raise DocumentError(f"export.counts.{name} do not add up to {counts.verified:,}")
