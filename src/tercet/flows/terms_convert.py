"""Terms from one format to another, with a list of everything the other has no words for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tercet.consent.licences.odrl import REST, odrl_agreement, odrl_terms
from tercet.consent.licences.odrl_reading import agreement_in_odrl, terms_in_odrl
from tercet.consent.licences.rsl_terms_export import rsl_of, rsl_unsaid
from tercet.consent.licences.rsl_terms_import import terms_of_rsl
from tercet.consent.licences.story_pil import PilToken, pil_of, pil_unsaid
from tercet.consent.licences.story_pil_import import terms_of_pil
from tercet.consent.licences.terms_schema import terms_fields, terms_of
from tercet.consent.licences.unsaid import FormatError, Imported, Unsaid
from tercet.core.strict_json import read_json_object
from tercet.core.terms import PartyName, RepertoireName, Terms
from tercet.flows.terms_file import TermsFile, bytes_of, read_terms_file


class Format(StrEnum):
    """A format that terms are read from and written to."""

    TERMS = "terms"
    RSL = "rsl"
    ODRL = "odrl"
    PIL = "pil"


@dataclass(frozen=True, slots=True)
class Placing:
    """What a format wants to know and another has not.

    ``contents`` are RSL's paths or URLs, ``offer_url`` where the signed offer stands, ``number``
    which of an RSL document's licenses is read, ``start`` the day that a PIL licence begins.
    """

    licensor: PartyName | None = None
    repertoire: RepertoireName | None = None
    contents: tuple[str, ...] = ()
    offer_url: str = ""
    number: int = 1
    start: str = ""
    token: PilToken | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """A document in the format asked for: its text, and what got lost on the way in and out."""

    text: str
    unsaid: tuple[Unsaid, ...]


def convert_terms(path: Path, source: Format, target: Format, placing: Placing) -> Conversion:
    """Read ``path`` as ``source`` and write it as ``target``.

    An agreement goes to ODRL and back whole, with its signatures; of other documents the terms
    alone are written. Raises FormatError, TermsError and other input errors.
    """
    found, lost = _read(path, source, placing)
    if source is not Format.TERMS:
        terms_of(terms_fields(found.terms))  # ids and digests that were given are checked as well
    elif target is Format.TERMS:
        found, lost = TermsFile(found.terms), _rest_lost(found)
    text, unsaid = _WRITERS[target](found, placing)
    return Conversion(text, (*lost, *unsaid))


def _read(path: Path, source: Format, placing: Placing) -> tuple[TermsFile, tuple[Unsaid, ...]]:
    if source is Format.TERMS:
        return read_terms_file(path, licensor=placing.licensor, repertoire=placing.repertoire), ()
    if source is Format.ODRL:
        policy = read_json_object(bytes_of(path))
        document: Mapping[str, Any] = agreement_in_odrl(policy) if REST in policy else {}
        return TermsFile(terms_in_odrl(policy), document), ()
    imported = _imported(bytes_of(path), source, placing)
    return TermsFile(imported.terms), imported.unsaid


def _imported(raw: bytes, source: Format, placing: Placing) -> Imported:
    if placing.licensor is None:
        raise FormatError(
            f"expected to be told who the licensor is: {source} does not say it by an id of ours",
            hint="give --licensor urn:tercet:party:...",
        )
    repertoire = placing.repertoire or RepertoireName()
    if source is Format.RSL:
        return terms_of_rsl(raw, placing.licensor, repertoire, number=placing.number)
    document = read_json_object(raw)
    return terms_of_pil(
        document, placing.licensor, repertoire, token=placing.token, start=placing.start
    )


def _written_terms(found: TermsFile, _: Placing) -> tuple[str, tuple[Unsaid, ...]]:
    return _json(found.document or terms_fields(found.terms)), ()


def _written_rsl(found: TermsFile, placing: Placing) -> tuple[str, tuple[Unsaid, ...]]:
    text = rsl_of(found.terms, placing.contents, placing.offer_url)
    return text, (*_rest_lost(found), *rsl_unsaid(found.terms))


def _written_odrl(found: TermsFile, _: Placing) -> tuple[str, tuple[Unsaid, ...]]:
    if found.is_agreement:
        return _json(odrl_agreement(found.document)), ()
    uid = str(found.document.get("id", ""))
    return _json(odrl_terms(found.terms, uid)), _rest_lost(found)


def _written_pil(found: TermsFile, placing: Placing) -> tuple[str, tuple[Unsaid, ...]]:
    text = _json(pil_of(found.terms, placing.token))
    return text, (*_rest_lost(found), *pil_unsaid(found.terms))


def _rest_lost(found: TermsFile) -> tuple[Unsaid, ...]:
    """Say what an offer or an agreement is more than its terms."""
    names = [name for name in found.document if name not in ("type", "terms")]
    return tuple(Unsaid(f"document.{name}", "not part of the terms; left out") for name in names)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


_Writer = Callable[[TermsFile, Placing], tuple[str, tuple[Unsaid, ...]]]
_WRITERS: dict[Format, _Writer] = {
    Format.TERMS: _written_terms,
    Format.RSL: _written_rsl,
    Format.ODRL: _written_odrl,
    Format.PIL: _written_pil,
}


def checked_parts(terms: Terms) -> dict[str, Any]:
    """Return terms as fields, checked as a document from outside would be."""
    fields = terms_fields(terms)
    terms_of(fields)
    return fields
