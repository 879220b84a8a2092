"""What an agreement means for one use: it grants, it grants nothing, or it excludes others.

`tercet/agreement-standing@1` is that answer as a document, the evidence of a verdict:

    {"type": "tercet/agreement-standing@1", "agreement": id, "sha256": of the agreement,
     "licensor": {"id", "name"}, "licensee": {"id", "name"},
     "repertoire": {"sha256", "work_count"}, "use": <use>, "effect": "grants|nothing|excludes",
     "obstacles": [codes], "duties": [kinds of conditions], "scope": {name: text}}

Everything here is pure: signatures, revocations and mandates were looked at before, and what came
of that is given (`KnownAgreement`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tercet.consent.facts import CONDITION_BITS, Standing
from tercet.consent.licences.coverage import permits
from tercet.consent.licences.obstacle import OBSTACLE_BITS, Obstacle
from tercet.consent.licences.reach import days_of, reach_of
from tercet.consent.licences.refusal import RefusalCode
from tercet.core.canonical import canonical_json
from tercet.core.condition import ConditionKind
from tercet.core.terms import (
    WORLD,
    Exclusivity,
    ModelScope,
    PartyName,
    Price,
    Purpose,
    Terms,
    Use,
    Versions,
)
from tercet.core.usage import TRAINING

STANDING_TYPE = "tercet/agreement-standing@1"
TRAINING_PURPOSES = (Purpose.PRETRAIN, Purpose.FINETUNE)
"""What training may be for. Where a use does not say, it must be permitted for each of them."""

Fields = Mapping[str, Any]
_NOBODY = PartyName("", "")
_CODES: dict[RefusalCode, Obstacle] = {
    RefusalCode.USAGE: Obstacle.OTHER_USAGE,
    RefusalCode.PURPOSE: Obstacle.OTHER_PURPOSE,
    RefusalCode.MODALITY_IN: Obstacle.OTHER_MODALITY,
    RefusalCode.MODALITY_OUT: Obstacle.OTHER_MODALITY,
    RefusalCode.FIELD_OF_USE: Obstacle.OTHER_FIELD,
    RefusalCode.LICENSEE: Obstacle.OTHER_LICENSEE,
    RefusalCode.LICENSEE_UNSAID: Obstacle.OTHER_LICENSEE,
    RefusalCode.AFFILIATE_UNPROVEN: Obstacle.OTHER_LICENSEE,
    RefusalCode.MODEL: Obstacle.OTHER_MODEL,
    RefusalCode.MODEL_VERSION: Obstacle.OTHER_MODEL,
    RefusalCode.MODEL_UNSAID: Obstacle.OTHER_MODEL,
    RefusalCode.PARAMETERS: Obstacle.OTHER_MODEL,
    RefusalCode.PARAMETERS_UNSAID: Obstacle.OTHER_MODEL,
    RefusalCode.TERRITORY: Obstacle.OTHER_TERRITORY,
    RefusalCode.TERRITORY_UNKNOWN: Obstacle.OTHER_TERRITORY,
    RefusalCode.DAY_UNREADABLE: Obstacle.MALFORMED,
    RefusalCode.NO_PERIOD: Obstacle.EXPIRED,
    RefusalCode.NOT_BEGUN: Obstacle.NOT_BEGUN,
    RefusalCode.EXPIRED: Obstacle.EXPIRED,
    RefusalCode.TRAINING_ENDED: Obstacle.TRAINING_OVER,
    RefusalCode.GENERATION_ENDED: Obstacle.EXPIRED,
}


class Effect(StrEnum):
    """What an agreement does for a use."""

    GRANTS = "grants"
    NOTHING = "nothing"
    EXCLUDES = "excludes"  # somebody else has it exclusively


@dataclass(frozen=True, slots=True)
class KnownAgreement:
    """An agreement with what is known of it beside its text.

    ``sha256`` names the document. ``fault`` is what the check of signatures, keys, text and works
    found, None for nothing. ``superseded_by`` is the id of a later valid agreement that takes its
    place, ``terminated_on`` the day from which a termination has effect; both "" for none.
    ``is_trusted`` says that the operator trusts a key of the licensor.
    """

    id: str
    sha256: str
    terms: Terms
    fault: Obstacle | None = None
    superseded_by: str = ""
    terminated_on: str = ""
    is_trusted: bool = False


@dataclass(frozen=True, slots=True)
class AgreementStanding:
    """What an agreement means for a use; ``duties`` are those that clearing names as reasons."""

    effect: Effect
    obstacles: tuple[Obstacle, ...] = ()
    duties: tuple[ConditionKind, ...] = ()

    @property
    def bits(self) -> int:
        """Return the standing as the bits that verdicts are decided by."""
        match self.effect:
            case Effect.GRANTS:
                return Standing.ALLOWS | sum(CONDITION_BITS[kind] for kind in self.duties)
            case Effect.EXCLUDES:
                return Standing.DENIES
            case Effect.NOTHING:
                return sum(OBSTACLE_BITS[obstacle] for obstacle in self.obstacles)


def standing_of(agreement: KnownAgreement, use: Use) -> AgreementStanding:
    """Return what ``agreement`` means for ``use``. Pure and total.

    What is wrong with the document, or has ended it, comes alone; else every obstacle is named.
    """
    ended = _ended(agreement, use)
    if ended is not None:
        return AgreementStanding(Effect.NOTHING, (ended,))
    if _excludes(agreement.terms, use):
        return AgreementStanding(Effect.EXCLUDES)
    obstacles = set(_obstacles(agreement, use))
    if obstacles:
        found = tuple(obstacle for obstacle in Obstacle if obstacle in obstacles)
        return AgreementStanding(Effect.NOTHING, found)
    return AgreementStanding(Effect.GRANTS, duties=_duties(agreement.terms))


def _ended(agreement: KnownAgreement, use: Use) -> Obstacle | None:
    if agreement.fault is not None:
        return agreement.fault
    if agreement.superseded_by:
        return Obstacle.SUPERSEDED
    if agreement.terminated_on and agreement.terminated_on <= use.on:
        return Obstacle.TERMINATED
    return None


def _obstacles(agreement: KnownAgreement, use: Use) -> Iterator[Obstacle]:
    terms = agreement.terms
    if not agreement.is_trusted:
        yield Obstacle.PARTY_UNTRUSTED
    if terms.licensee is None or not use.licensee:
        yield Obstacle.OTHER_LICENSEE  # an agreement is with somebody
    for refusal in permits(terms, use):
        yield _CODES.get(refusal.code, Obstacle.MALFORMED)
    territory = terms.grant.territory
    if not use.territories and (WORLD not in territory.include or territory.exclude):
        yield Obstacle.OTHER_TERRITORY
    if use.usage in TRAINING and use.purpose is None:
        unsaid = set(TRAINING_PURPOSES) - set(terms.grant.purposes)
        if unsaid:
            yield Obstacle.OTHER_PURPOSE


def _excludes(terms: Terms, use: Use) -> bool:
    """Say whether somebody else has exclusively what the use asks for, in a part or in whole.

    Which model the other one trains does not matter: exclusive means that nobody else trains any.
    """
    grant = terms.grant
    holder = terms.licensee
    if holder is None or grant.exclusivity is Exclusivity.NONE or use.licensee == holder.id:
        return False
    if grant.exclusivity is Exclusivity.SOLE and use.licensee == terms.licensor.id:
        return False
    if use.licensee in grant.sublicensees:
        return False
    days = days_of(grant.period)
    if days is None or not days.start <= use.on < days.end or use.usage not in grant.usages:
        return False
    asked = set(use.territories)
    reach = reach_of(grant.territory)
    if asked and WORLD not in asked and not asked & reach:
        return False
    return all(
        said is None or not granted or said in granted
        for said, granted in (
            (use.purpose, grant.purposes),
            (use.modality_in, grant.modalities_in),
            (use.modality_out, grant.modalities_out),
            (use.field_of_use, grant.fields_of_use),
        )
    )


def _duties(terms: Terms) -> tuple[ConditionKind, ...]:
    duties = []
    if terms.attribution.method:
        duties.append(ConditionKind.ATTRIBUTION)
    if terms.price != replace(Price(), currency=terms.price.currency, base=terms.price.base):
        duties.append(ConditionKind.PAYMENT)
    if terms.reporting.period_months:
        duties.append(ConditionKind.REPORTING)
    return tuple(duties)


def standing_document(agreement: KnownAgreement, use: Use, standing: AgreementStanding) -> bytes:
    """Return the document of an agreement's standing, as canonical JSON."""
    terms = agreement.terms
    return canonical_json(
        {
            "type": STANDING_TYPE,
            "agreement": agreement.id,
            "sha256": agreement.sha256,
            "licensor": _party(terms.licensor),
            "licensee": _party(terms.licensee or _NOBODY),
            "repertoire": {
                "sha256": terms.repertoire.sha256,
                "work_count": terms.repertoire.work_count,
            },
            "use": use_fields(use),
            "effect": str(standing.effect),
            "obstacles": [str(obstacle) for obstacle in standing.obstacles],
            "duties": [str(kind) for kind in standing.duties],
            "scope": scope_fields(agreement),
        }
    )


def use_fields(use: Use) -> dict[str, Any]:
    """Return a use as JSON fields; what it does not say is left out."""
    said = {name: getattr(use, name) for name in Use.__slots__}
    return {
        name: list(value) if isinstance(value, tuple) else value if isinstance(value, int)
        else str(value)
        for name, value in said.items()
        if value
    }  # fmt: skip


def scope_fields(agreement: KnownAgreement) -> dict[str, str]:
    """Return how far an agreement reaches, each part as a short text."""
    grant = agreement.terms.grant
    period = grant.period
    without = f" without {', '.join(grant.territory.exclude)}" if grant.territory.exclude else ""
    texts = {
        "usages": ", ".join(grant.usages),
        "purposes": ", ".join(grant.purposes),
        "models": _models(grant.models),
        "territory": ", ".join(grant.territory.include) + without,
        "period": f"{period.start} until {period.end}" if period.start else "",
        "training": f"until {period.training_end}" if period.training_end else "",
        "exclusivity": "" if grant.exclusivity is Exclusivity.NONE else str(grant.exclusivity),
        "superseded by": agreement.superseded_by,
        "terminated on": agreement.terminated_on,
    }
    return {name: text for name, text in texts.items() if text}


def _models(models: ModelScope) -> str:
    if models.versions is Versions.ANY:
        return "any"
    if models.versions is Versions.FAMILY:
        return f"{models.model}, every version"
    return f"{models.model} {models.version}".strip()


def _party(named: PartyName) -> dict[str, str]:
    return {"id": named.id, "name": named.name}
