"""Creative Commons licences as ready terms: never more than the licence permits, the rest listed.

The licence's own text rules; terms only let machines reckon with it. Sources: the legal codes of
the 4.0 licences (sections 2, 3 and 6) and of CC0 1.0; Creative Commons, "Using CC-licensed works
for AI training" (May 2025).
"""

from __future__ import annotations

from collections.abc import Iterator

from tercet.consent.licence_names import Licence, licence_of_id
from tercet.consent.licences.terms_rules import DAYS_MAX, PER_MILLE_MAX
from tercet.consent.licences.unsaid import FormatError, Imported, Unsaid
from tercet.core.condition import ConditionKind
from tercet.core.terms import (
    FOREVER,
    WORLD,
    Audit,
    FieldOfUse,
    Grant,
    Guards,
    Law,
    Modality,
    ModelScope,
    PartyName,
    Period,
    Purpose,
    RepertoireName,
    Reporting,
    Retention,
    Tail,
    Terms,
    Territory,
    Versions,
    WindDown,
)
from tercet.core.usage import Usage

READY = (
    "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-NC-SA-4.0",
    "CC-BY-NC-ND-4.0",
)  # fmt: skip
"""The licences there are ready terms for, by their SPDX identifiers."""

_TITLES = {"CC0": "CC0 1.0 Universal", "BY": "Attribution", "SA": "ShareAlike",
           "NC": "NonCommercial", "ND": "NoDerivatives"}  # fmt: skip
_QUOTED_WORDS_MAX = 1_000_000  # more than any work has: quoting is not limited
_KINDS = {
    ConditionKind.ATTRIBUTION: (
        "attribution",
        "terms measure credit; that the creator is named, notices are kept, the licence is linked "
        "and changes are told (section 3(a)) stands in the notes",
    ),
    ConditionKind.NON_COMMERCIAL: (
        "grant.fields_of_use",
        "terms know fields of use, not purposes of gain: research alone is granted, and that it "
        "must not be for commercial advantage (section 1) stands in the notes",
    ),
    ConditionKind.NO_DERIVATIVES: (
        "grant.purposes",
        "adapted material may be made but not shared (section 2(a)(1)(B)): outputs must not "
        "resemble a work, and its features may not be in them",
    ),
    ConditionKind.SHARE_ALIKE: (
        "grant.purposes",
        "adapted material must be shared under the same licence (section 3(b)), which terms cannot "
        "demand: outputs must not resemble a work, and its features may not be in them",
    ),
}
_ALWAYS = (
    Unsaid(
        "grant.sublicence",
        "whoever receives the work gets the same licence from the licensor; terms are for the "
        "licensee alone, or offered to everybody",
    ),
    Unsaid("grant.period", "the licence has no last day; the terms begin on the day that is given"),
)


def creative_commons_terms(
    name: str, licensor: PartyName, repertoire: RepertoireName, *, start: str
) -> Imported:
    """Return ready terms for a licence, such as BY-4.0 or CC-BY-4.0, that hold from ``start``.

    Raises FormatError for a name without ready terms.
    """
    licence = _licence(name)
    limits = frozenset(licence.conditions)
    adapts = not limits & {ConditionKind.NO_DERIVATIVES, ConditionKind.SHARE_ALIKE}
    gains = ConditionKind.NON_COMMERCIAL not in limits
    withheld = frozenset() if adapts else {Purpose.OUTPUT_FEATURE}
    grant = Grant(
        usages=tuple(Usage),
        purposes=tuple(each for each in Purpose if each not in withheld),
        modalities_in=tuple(Modality),
        modalities_out=tuple(Modality),
        fields_of_use=tuple(FieldOfUse) if gains else (FieldOfUse.RESEARCH,),
        models=ModelScope(Versions.ANY),
        territory=Territory((WORLD,)),
        period=Period(start, FOREVER, "", Tail.PERPETUAL),
    )
    terms = Terms(
        licensor,
        repertoire,
        grant=grant,
        retention=Retention(
            DAYS_MAX, DAYS_MAX, keeps_checkpoints=True, delete_on=(), deletion_days=0,
            certificate=False,
        ),
        guards=_guards(adapts=adapts),
        reporting=Reporting(0, 0, ()),
        audit=Audit(0, 0, 0, 0),
        wind_down=WindDown(0, 0, ()),
        law=Law(steps=()),
        notes=tuple(_notes(licence)),
    )  # fmt: skip
    unsaid = (Unsaid(*words) for kind, words in _KINDS.items() if kind in limits)
    return Imported(terms, (*unsaid, *_ALWAYS))


def _licence(name: str) -> Licence:
    wanted = name.strip().upper()
    wanted = wanted if wanted.startswith("CC") else f"CC-{wanted}"
    licence = licence_of_id(wanted) if wanted in READY else None
    if licence is None:
        raise FormatError(
            f"expected one of {', '.join(READY)}, got {name[:80]!r}",
            hint="terms of older versions would say what their texts do not",
        )
    return licence


def _guards(*, adapts: bool) -> Guards:
    """Return the limits of outputs. The likeness of persons is never licensed: section 2(b)(1)."""
    if not adapts:
        return Guards(persons=True, styles=False, scenes=True)
    return Guards(PER_MILLE_MAX, _QUOTED_WORDS_MAX, persons=True, styles=False, scenes=False)


def _notes(licence: Licence) -> Iterator[str]:
    parts = licence.licence_id.split("-")
    title = _TITLES["CC0"]
    if parts[0] == "CC":
        title = f"{'-'.join(_TITLES[part] for part in parts[1:-1])} {parts[-1]} International"
    yield f"Creative Commons {title}, {licence.url}: its text rules over these terms."
    if ConditionKind.ATTRIBUTION in licence.conditions:
        yield "Name the creator, keep the notices, link the licence and say what was changed."
    if ConditionKind.NON_COMMERCIAL in licence.conditions:
        yield "No use that is primarily for commercial advantage or monetary compensation."
