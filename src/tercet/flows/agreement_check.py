"""Checking the agreements of a clearance again: from their copies, and on the day of a use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.agreement_standing import (
    AgreementStanding,
    Effect,
    KnownAgreement,
    standing_of,
)
from tercet.consent.licences.obstacle import OBSTACLE_WORDS
from tercet.consent.licences.party_history import (
    Parties,
    PartyHistory,
    PartyVersion,
    receive_parties,
)
from tercet.consent.licences.signing import document_sha256
from tercet.consent.licences.standing import WORDS, Standing, check_agreement
from tercet.core.errors import IntegrityError, RefusedError, TercetError
from tercet.core.terms import FieldOfUse, Modality, Purpose, Use
from tercet.core.usage import Usage
from tercet.flows.local_notes import desk_folder
from tercet.store.agreement_evidence import DOCUMENTS, LISTED, PARTIES, read_lines
from tercet.store.agreement_rows_count import rows_by_agreement

if TYPE_CHECKING:
    from tercet.flows.training_gate import GateUse

_ANEW = "clear the corpus again with `tercet clear`, under agreements that hold"


def use_of(fields: Mapping[str, Any]) -> Use:
    """Return the use that ``use_fields`` wrote. Raises IntegrityError for anything else."""
    kinds = {
        "usage": Usage, "purpose": Purpose, "modality_in": Modality, "modality_out": Modality,
        "field_of_use": FieldOfUse, "territories": tuple, "parameters": int,
    }  # fmt: skip
    try:
        return Use(**{name: kinds.get(name, str)(value) for name, value in fields.items()})
    except (TypeError, ValueError) as error:
        raise IntegrityError(f"the clearance names a use that is none: {error}") from error


def check_account(out: Path, document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (name, flaw or "", what was found) for each thing checked of a clearance's agreements.

    Every agreement listed must be signed, grant the use on its day, and be named by as many cleared
    rows as are listed; and no row may be cleared by an agreement that is not.
    """
    try:
        account = document["agreements"]
        use = use_of(account["use"])
        listed = read_lines(out, LISTED)
        known = _copies(out)
        expected = {each["declaration_id"]: each["rows"] for each in listed}
        counted, unnamed = rows_by_agreement(out, tuple(expected))
        flaws = [_flaw(each, known, use) for each in listed]
    except (TercetError, KeyError, TypeError, ValueError) as error:
        yield "agreements", f"cannot be read: {error}"[:300], ""
        return
    bad = [flaw for flaw in flaws if flaw]
    count = f"{len(listed)} signed by both, and granting"
    yield "agreements", bad[0] if bad else "", count
    differs = len(listed) != account["count"]
    yield "agreements listed", "expected others than are listed" if differs else "", "as signed"
    wrong = [name for name, rows in expected.items() if counted.get(name, 0) != rows]
    flaw = f"{len(wrong)} agreements are named by other rows than listed" if wrong else ""
    if unnamed:
        flaw = f"{unnamed} rows are cleared by agreements that are not listed"
    yield "rows by agreement", flaw, "as signed"


def require_agreements(out: Path, document: dict[str, Any], asked: GateUse) -> None:
    """Make sure that the agreements of a clearance hold for what is done now.

    Their own dates are looked at, and where the desk is found, whether they were terminated,
    superseded or their keys revoked since. Raises RefusedError naming the agreement and why,
    IntegrityError where the copies cannot be read.
    """
    listed = read_lines(out, LISTED)
    if not listed:
        return
    use = _use_now(use_of(document["agreements"]["use"]), asked)
    known = _copies(out)
    for each in listed:
        agreement = known.get(str(each.get("id")))
        if agreement is None:
            raise IntegrityError(f"the copy of the agreement {each.get('id')!s:.60} is not there")
        _require_grant(agreement, standing_of(agreement, use))
    desk = asked.desk or desk_folder(out)
    if desk is None or (asked.desk is None and not desk.is_dir()):
        return
    for agreement, standing in _now_at(desk, use, document).items():
        if agreement.id in known:
            _require_grant(agreement, standing)
            known.pop(agreement.id)
    if known:
        raise RefusedError(
            f"the desk {desk} does not know the agreement {next(iter(known))}", hint=_ANEW
        )


def _use_now(use: Use, asked: GateUse) -> Use:
    """Return the use that was cleared, as it is done now: on which day, for what, for which model.

    What the clearing left unsaid is asked of the agreements now. Raises RefusedError where it was
    cleared for another purpose or model.
    """
    for what, cleared, now in (
        ("purpose", use.purpose, asked.purpose),
        ("model", use.model, asked.model),
    ):
        if cleared and cleared != now:
            raise RefusedError(
                f"it was cleared under agreements for the {what} {cleared}, not for "
                f"{now or 'one that is not named'}",
                hint="name the model with --name" if what == "model" else _ANEW,
            )
    purpose, model = asked.purpose or use.purpose, asked.model or use.model
    return replace(use, on=asked.on, purpose=purpose, model=model)


def _now_at(
    desk: Path, use: Use, document: dict[str, Any]
) -> dict[KnownAgreement, AgreementStanding]:
    from tercet.flows.agreements import AgreementsAsked, checked_agreements

    trusted = frozenset(document["agreements"]["trusted_keys"])
    now = checked_agreements(AgreementsAsked(desk, use), trusted)
    return dict(zip(now.known, now.standings, strict=True))


def _require_grant(agreement: KnownAgreement, standing: AgreementStanding) -> None:
    if standing.effect is Effect.GRANTS:
        return
    codes = [str(obstacle) for obstacle in standing.obstacles]
    words = "; ".join(OBSTACLE_WORDS[code] for code in codes) or "somebody else holds it now"
    raise RefusedError(
        f"works were cleared by the agreement {agreement.id}, which no longer grants this: "
        f"{', '.join(codes)} ({words})",
        hint=_ANEW,
    )


def _copies(out: Path) -> dict[str, KnownAgreement]:
    """Return the agreements from their copies, each checked; what does not count is left out."""
    parties = _parties(out)
    found: dict[str, KnownAgreement] = {}
    for line in read_lines(out, DOCUMENTS):
        document = line["agreement"]
        standing = check_agreement(
            document, parties, None, str(line["seen_at"]), signed_at=line.get("signed_at")
        )
        if standing is not Standing.VALID:
            raise IntegrityError(f"an agreement of {out} does not count: {WORDS[standing]}")
        agreement = agreement_of(document)
        found[agreement.id] = KnownAgreement(
            agreement.id,
            document_sha256(document),
            agreement.terms,
            terminated_on=str(line["terminated_on"]),
            is_trusted=True,
        )
    return found


def _parties(out: Path) -> Parties:
    """Return the parties from the copies of their documents, version by version."""
    versions: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for line in read_lines(out, PARTIES):
        versions.setdefault(line["party"]["id"], []).append((line["party"], line["received_at"]))
    parties: dict[str, PartyHistory] = {}
    for name, given in versions.items():
        checked = receive_parties(None, [document for document, _ in given], given[-1][1])
        parties[name] = PartyHistory(
            tuple(
                PartyVersion(version.party, version.document, received_at)
                for version, (_, received_at) in zip(checked.versions, given, strict=True)
            )
        )
    return parties


def _flaw(each: dict[str, Any], known: Mapping[str, KnownAgreement], use: Use) -> str:
    agreement = known.get(each["id"])
    if agreement is None or agreement.sha256 != each["sha256"]:
        return f"the copy of {each['id']} is not there, or is another"
    standing = standing_of(agreement, use)
    if standing.effect is not Effect.GRANTS:
        return f"{each['id']} does not grant this use: {', '.join(standing.obstacles)}"
    return ""
