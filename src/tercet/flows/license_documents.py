"""Signed documents that come as files: agreements made elsewhere, and the ends of agreements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tercet.consent.licences.agreement import AGREEMENT_TYPE, agreement_of
from tercet.consent.licences.termination import TERMINATION_TYPE
from tercet.core.errors import InputError
from tercet.core.limits import DOCUMENT_BYTES_MAX
from tercet.core.strict_json import read_json_object
from tercet.flows.desk import OpenDesk


def take_file(desk: OpenDesk, path: Path) -> dict[str, Any]:
    """Take in a signed document and tell what it is, and what came of it.

    Raises InputError for other files, StandingError where its signatures do not count.
    """
    try:
        with path.open("rb") as file:
            document = read_json_object(file.read(DOCUMENT_BYTES_MAX + 1))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    kind = document.get("type")
    if kind == AGREEMENT_TYPE:
        kept = desk.store.take_agreement(document, desk.clock())
        works = agreement_of(kept.document).terms.repertoire
        is_here = works.sha256 in desk.store.repertoires.all()
        words = "it stands" if is_here else f"it stands; its list of works {works.sha256} lacks"
        return {"type": kind, "id": kept.id, "words": words}
    if kind == TERMINATION_TYPE:
        has_effect = desk.store.take_termination(document, desk.clock())
        words = f"ended on {document['effective_on']}" if has_effect else "a proposal: sign it too"
        return {"type": kind, "id": str(document["agreement"]), "words": words}
    raise InputError(
        f"expected an agreement or its termination, got {str(kind)[:60]!r}",
        hint="parties come in with `tercet desk add`, lists of works with `tercet desk works`",
    )
