"""duties: a desk or a clearance in; what falls due when out."""

from __future__ import annotations

from pathlib import Path

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.due_dates import Due, dues_of
from tercet.core.errors import InputError
from tercet.core.terms import Use
from tercet.core.usage import Usage
from tercet.flows.agreements import AgreementsAsked, binds, checked_agreements
from tercet.store.agreement_evidence import DOCUMENTS, FOLDER, read_lines
from tercet.store.desk_database import FILE_NAME


def duties(folder: Path, start: str, until: str) -> tuple[Due, ...]:
    """Return what falls due from the day ``start`` until before ``until``, in order.

    ``folder`` is a desk (all its agreements that count) or the folder of a clearance (those that it
    rests on). Raises InputError for another folder, IntegrityError for copies that cannot be read.
    """
    if (folder / FOLDER / DOCUMENTS).is_file():
        found = _of_clearance(folder, until)
    elif (folder / FILE_NAME).is_file():
        found = _of_desk(folder, start, until)
    elif (folder / "clearance.json").is_file():
        found = []  # cleared without agreements: nothing is owed by any
    else:
        raise InputError(
            f"neither a desk nor a clearance in {folder}",
            hint="give the folder of --desk, or the one that `tercet clear -o` wrote",
        )
    return tuple(sorted(due for due in found if start <= due.on < until))


def _of_clearance(folder: Path, until: str) -> list[Due]:
    found: list[Due] = []
    for line in read_lines(folder, DOCUMENTS):
        agreement = agreement_of(line["agreement"])
        ended = str(line["terminated_on"])
        made_on = agreement.made_at[:10]
        found += dues_of(agreement.id, agreement.terms, made_on, terminated_on=ended, until=until)
    return found


def _of_desk(folder: Path, on: str, until: str) -> list[Due]:
    asked = AgreementsAsked(folder, Use(Usage.TRAIN_GENERATIVE, on))
    checked = checked_agreements(asked, frozenset())
    found: list[Due] = []
    for known, each in zip(checked.known, checked.kept, strict=True):
        if binds(known, each) and not known.superseded_by:
            made_on = str(each.document["made_at"])[:10]
            found += dues_of(
                known.id, known.terms, made_on, terminated_on=known.terminated_on, until=until
            )
    return found
