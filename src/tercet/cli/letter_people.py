"""The people that a collective vouches for, out of a CSV file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from tercet.cli.mandate_input import read_file
from tercet.core.errors import FieldError, InputError

if TYPE_CHECKING:
    from tercet.consent.licences.letter import LetterSignature
    from tercet.flows.desk import OpenDesk

CSV_BYTES_MAX = 256 * 1024 * 1024
_COLUMNS = {"name", "profession", "country", "visibility", "id"}


def read_people(path: Path, letter: str, desk: OpenDesk) -> list[LetterSignature]:
    """Return the people of a CSV file as signatures of a letter (its hash), each with an id.

    The ids follow from letter, collective and line, so that the same list is the same people.
    Raises InputError, which names the line.
    """
    from uuid import NAMESPACE_URL, uuid5

    from tercet.consent.licences.letter import Visibility
    from tercet.flows.letter import Person, signature_by

    text = read_file(path, CSV_BYTES_MAX).decode("utf-8-sig", "replace")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if "name" not in (rows.fieldnames or ()) or not set(rows.fieldnames or ()) <= _COLUMNS:
        raise InputError(
            f"expected columns {', '.join(sorted(_COLUMNS))} in {path}, got "
            f"{', '.join(map(str, rows.fieldnames or ()))[:200]}"
        )
    people, at = [], desk.clock()
    for row in rows:
        where = f"{letter} {desk.party.id} {rows.line_num} {row['name']}"
        try:
            visibility = Visibility(row.get("visibility") or "counted")
            person = Person(
                row["name"] or "", row.get("profession") or "", row.get("country") or "", visibility
            )
            signature_id = row.get("id") or uuid5(NAMESPACE_URL, where).urn
            people.append(signature_by(person, letter, signature_id=signature_id, made_at=at))
        except (InputError, FieldError, ValueError) as error:
            raise InputError(f"line {rows.line_num} of {path}: {error}") from error
    return people
