"""Terms from a file: TOML as people write it, or JSON of terms, an offer or an agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tercet.consent.licences.agreement import AGREEMENT_TYPE, agreement_of
from tercet.consent.licences.offer import OFFER_TYPE
from tercet.consent.licences.published_offer import PUBLISHED_OFFER_TYPE
from tercet.consent.licences.terms_schema import terms_of
from tercet.consent.licences.terms_toml import read_terms_toml
from tercet.core.errors import InputError
from tercet.core.limits import XML_BYTES_MAX
from tercet.core.strict_json import read_json_object
from tercet.core.terms import TERMS_TYPE, PartyName, RepertoireName, Terms

BYTES_MAX = XML_BYTES_MAX  # of any file that terms are read from


@dataclass(frozen=True, slots=True)
class TermsFile:
    """Terms, and the document they stood in where it says more than them. Nothing is verified."""

    terms: Terms
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_agreement(self) -> bool:
        """Say whether the document is an agreement."""
        return self.document.get("type") == AGREEMENT_TYPE


def read_terms_file(
    path: Path, *, licensor: PartyName | None = None, repertoire: RepertoireName | None = None
) -> TermsFile:
    """Read ``path``. A TOML file without a licensor or a repertoire gets those given, or no works.

    Raises InputError for a file that is not there or of another kind, TermsError for its terms.
    """
    raw = bytes_of(path)
    if path.suffix.lower() == ".toml":
        return TermsFile(
            read_terms_toml(
                raw, str(path), licensor=licensor, repertoire=repertoire or RepertoireName()
            )
        )
    document = read_json_object(raw)
    if document.get("type") == PUBLISHED_OFFER_TYPE and isinstance(document.get("offer"), dict):
        document = document["offer"]
    kind = document.get("type")
    if kind == TERMS_TYPE:
        return TermsFile(terms_of(document))
    if kind == AGREEMENT_TYPE:
        return TermsFile(agreement_of(document).terms, document)
    if kind == OFFER_TYPE:
        return TermsFile(terms_of(document.get("terms")), document)
    raise InputError(
        f"expected {TERMS_TYPE}, {OFFER_TYPE} or {AGREEMENT_TYPE} in {path}, got {kind!a:.80}",
        hint="a file people write is TOML and ends in .toml",
    )


def bytes_of(path: Path) -> bytes:
    """Return the bytes of a file that is not too large. Raises InputError."""
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(raw) > BYTES_MAX:
        raise InputError(f"expected at most {BYTES_MAX} bytes in {path}, got more")
    return raw
