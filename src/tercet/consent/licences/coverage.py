"""What terms permit, which terms cover which, and terms narrowed by others. Pure and total.

Laws (tests/consent/licences/test_coverage.py): ``covers`` is reflexive and transitive; whoever
covers permits at least as much; what ``narrow`` returns is covered by both its arguments where
they are of one licensor.

Covering is about what is permitted. Duties (price, attribution, reports, audit and what else
docs/terms.md lists) are owed, not permitted, and are not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from tercet.consent.licences.reach import days_of, is_day, months_between, reach_of
from tercet.consent.licences.refusal import Refusal, RefusalCode
from tercet.core.terms import (
    FOREVER,
    WORLD,
    Exclusivity,
    Grant,
    Guards,
    ModelScope,
    PartyName,
    Period,
    RepertoireName,
    Retention,
    Sublicence,
    Tail,
    Terms,
    Territory,
    Use,
    Versions,
)
from tercet.core.territories import TERRITORIES
from tercet.core.usage import TRAINING, Usage

MODEL_USAGES = TRAINING | {Usage.AI_INPUT}
"""Usages that always concern some model, whether or not a use says which."""

_EXCLUSIVITY = tuple(Exclusivity)  # from the least to the most
_VERSIONS = tuple(Versions)  # likewise
Kind = TypeVar("Kind", bound=str)


def permits(terms: Terms, use: Use) -> tuple[Refusal, ...]:
    """Return what stands against ``use`` of the works; nothing: the terms permit it.

    Whether the works are those of the terms, the terms are signed and the duties done is for
    others to say. Training is permitted in the training window, other usages until the end; the
    tail is for ``permits_generation`` alone.
    """
    return (*_day_refusals(terms.grant.period, use, generating=False), *_refusals(terms, use))


def permits_generation(terms: Terms, use: Use) -> tuple[Refusal, ...]:
    """Return what stands against asking a model trained under ``terms`` for outputs.

    As ``permits``, with ``use.usage`` the usage it was trained under, from the start of the period
    to the end of its tail.
    """
    return (*_day_refusals(terms.grant.period, use, generating=True), *_refusals(terms, use))


def covers(wider: Terms, narrower: Terms) -> tuple[Refusal, ...]:
    """Return what ``narrower`` permits that ``wider`` does not; nothing: it is covered.

    Terms that grant no usage or no day permit nothing, and are covered by any. Stricter guards and
    retention in the narrower are fine, weaker ones are not. Other works than the wider's are not
    covered, even if they are part of them: names do not tell.
    """
    if not narrower.grant.usages or days_of(narrower.grant.period) is None:
        return ()
    return tuple(_uncovered(wider, narrower))


def _refusals(terms: Terms, use: Use) -> Iterator[Refusal]:
    grant = terms.grant
    yield from _outside(RefusalCode.USAGE, "grant.usages", [use.usage], grant.usages)
    for code, path, asked, granted in (
        (RefusalCode.PURPOSE, "grant.purposes", use.purpose, grant.purposes),
        (RefusalCode.MODALITY_IN, "grant.modalities_in", use.modality_in, grant.modalities_in),
        (RefusalCode.MODALITY_OUT, "grant.modalities_out", use.modality_out, grant.modalities_out),
        (RefusalCode.FIELD_OF_USE, "grant.fields_of_use", use.field_of_use, grant.fields_of_use),
    ):
        if asked is not None:
            yield from _outside(code, path, [asked], granted)
    yield from _licensee_refusals(terms, use.licensee)
    yield from _model_refusals(grant.models, use)
    unknown = [code for code in use.territories if code not in TERRITORIES and code != WORLD]
    if unknown:
        path = "grant.territory"
        yield Refusal(RefusalCode.TERRITORY_UNKNOWN, path, ", ".join(unknown), "countries")
    asked_places = [code for code in use.territories if code not in unknown]
    yield from _beyond(grant.territory, asked_places)


def _outside(
    code: RefusalCode, path: str, asked: Iterable[str], granted: Iterable[str]
) -> Iterator[Refusal]:
    """Yield one refusal naming all that is asked and not granted."""
    beyond = [str(value) for value in asked if value not in set(granted)]
    if beyond:
        yield Refusal(code, path, ", ".join(beyond), ", ".join(str(value) for value in granted))


def _licensee_refusals(terms: Terms, licensee: str) -> Iterator[Refusal]:
    if terms.licensee is None or licensee == terms.licensee.id:
        return
    named = terms.licensee.id
    if not licensee:
        yield Refusal(RefusalCode.LICENSEE_UNSAID, "licensee", "nobody in particular", named)
    elif terms.grant.sublicence is Sublicence.AFFILIATES:
        yield Refusal(RefusalCode.AFFILIATE_UNPROVEN, "licensee", licensee, named)
    elif terms.grant.sublicence is Sublicence.NONE or (
        terms.grant.sublicence is Sublicence.NAMED and licensee not in terms.grant.sublicensees
    ):
        yield Refusal(RefusalCode.LICENSEE, "licensee", licensee, named)


def _model_refusals(models: ModelScope, use: Use) -> Iterator[Refusal]:
    path, granted = "grant.models", _model_words(models)
    asked = " ".join((use.model, use.version)).strip() or "a model that is not named"
    if not (use.usage in MODEL_USAGES or use.model or use.version or use.parameters):
        return
    if models.versions is not Versions.ANY:
        if not models.model:
            yield Refusal(RefusalCode.MODEL, path, asked, granted)
        elif not use.model:
            yield Refusal(RefusalCode.MODEL_UNSAID, path, asked, granted)
        elif use.model != models.model:
            yield Refusal(RefusalCode.MODEL, path, asked, granted)
        elif models.versions is Versions.ONE and use.version != models.version:
            yield Refusal(RefusalCode.MODEL_VERSION, path, asked, granted)
    if models.parameters_max and use.parameters <= 0:
        limit = str(models.parameters_max)
        yield Refusal(RefusalCode.PARAMETERS_UNSAID, f"{path}.parameters_max", "no size", limit)
    elif models.parameters_max and use.parameters > models.parameters_max:
        size, limit = str(use.parameters), str(models.parameters_max)
        yield Refusal(RefusalCode.PARAMETERS, f"{path}.parameters_max", size, limit)


def _model_words(models: ModelScope) -> str:
    if models.versions is Versions.ANY:
        return "any model"
    if models.versions is Versions.FAMILY:
        return f"{models.model}, every version"
    return f"{models.model} {models.version}".strip()


def _beyond(territory: Territory, asked: Iterable[str]) -> Iterator[Refusal]:
    beyond = sorted(set(asked) - reach_of(territory))
    if beyond:
        words = ", ".join(territory.include)
        if territory.exclude:
            words += " without " + ", ".join(territory.exclude)
        yield Refusal(RefusalCode.TERRITORY, "grant.territory", ", ".join(beyond), words)


def _day_refusals(period: Period, use: Use, *, generating: bool) -> Iterator[Refusal]:
    path, days = "grant.period", days_of(period)
    if not is_day(use.on):
        yield Refusal(RefusalCode.DAY_UNREADABLE, path, repr(use.on), "days as YYYY-MM-DD")
        return
    if days is None:
        yield Refusal(RefusalCode.NO_PERIOD, path, use.on, "")
        return
    code, end = RefusalCode.EXPIRED, days.end
    if generating:
        code, end = RefusalCode.GENERATION_ENDED, days.generation_end
    elif use.usage in TRAINING and use.on < days.end:
        code, end = RefusalCode.TRAINING_ENDED, days.training_end
    words = f"from {days.start} until {end}"
    if use.on < days.start:
        yield Refusal(RefusalCode.NOT_BEGUN, path, use.on, words)
    elif use.on >= end:
        yield Refusal(code, path, use.on, words)


def _uncovered(wider: Terms, narrower: Terms) -> Iterator[Refusal]:
    if wider.licensor.id != narrower.licensor.id:
        asked, granted = narrower.licensor.id, wider.licensor.id
        yield Refusal(RefusalCode.LICENSOR, "licensor", asked, granted)
    if wider.licensee is not None:
        asked = narrower.licensee.id if narrower.licensee else "everybody"
        if asked != wider.licensee.id:
            yield Refusal(RefusalCode.LICENSEE, "licensee", asked, wider.licensee.id)
    yield from _uncovered_works(wider.repertoire, narrower.repertoire)
    yield from _uncovered_grant(wider.grant, narrower.grant)
    yield from _uncovered_retention(wider.retention, narrower.retention)
    yield from _uncovered_guards(wider.guards, narrower.guards)


def _uncovered_works(wider: RepertoireName, narrower: RepertoireName) -> Iterator[Refusal]:
    if not narrower.sha256:
        return
    if (wider.sha256, wider.work_count) != (narrower.sha256, narrower.work_count):
        asked, granted = (
            f"{name.sha256 or 'none'} ({name.work_count} works)" for name in (narrower, wider)
        )
        yield Refusal(RefusalCode.REPERTOIRE, "repertoire", asked, granted)
        return
    included = sorted(set(wider.exclusions) - set(narrower.exclusions))
    if included:
        count = f"{len(included)} that are excluded, first {included[0]}"
        yield Refusal(RefusalCode.EXCLUSIONS, "repertoire.exclusions", count, "the others")


def _uncovered_grant(wider: Grant, narrower: Grant) -> Iterator[Refusal]:
    for code, name in (
        (RefusalCode.USAGE, "usages"),
        (RefusalCode.PURPOSE, "purposes"),
        (RefusalCode.MODALITY_IN, "modalities_in"),
        (RefusalCode.MODALITY_OUT, "modalities_out"),
        (RefusalCode.FIELD_OF_USE, "fields_of_use"),
    ):
        yield from _outside(code, f"grant.{name}", getattr(narrower, name), getattr(wider, name))
    yield from _uncovered_models(wider.models, narrower.models)
    yield from _beyond(wider.territory, reach_of(narrower.territory))
    yield from _uncovered_days(wider.period, narrower.period)
    if _EXCLUSIVITY.index(narrower.exclusivity) > _EXCLUSIVITY.index(wider.exclusivity):
        asked, granted = narrower.exclusivity, wider.exclusivity
        yield Refusal(RefusalCode.EXCLUSIVITY, "grant.exclusivity", asked, granted)
    yield from _uncovered_sublicence(wider, narrower)


def _uncovered_models(wider: ModelScope, narrower: ModelScope) -> Iterator[Refusal]:
    path, asked, granted = "grant.models", _model_words(narrower), _model_words(wider)
    if narrower.versions is not Versions.ANY and not narrower.model:
        return  # none
    if wider.versions is not Versions.ANY:
        if narrower.versions is Versions.ANY or narrower.model != wider.model:
            yield Refusal(RefusalCode.MODEL, path, asked, granted)
        elif wider.versions is Versions.ONE and (
            narrower.versions is not Versions.ONE or narrower.version != wider.version
        ):
            yield Refusal(RefusalCode.MODEL_VERSION, path, asked, granted)
    limit = wider.parameters_max
    if limit and not 0 < narrower.parameters_max <= limit:
        size = str(narrower.parameters_max or "any size")
        yield Refusal(RefusalCode.PARAMETERS, f"{path}.parameters_max", size, str(limit))


def _uncovered_days(wider: Period, narrower: Period) -> Iterator[Refusal]:
    asked, granted = days_of(narrower), days_of(wider)
    path = "grant.period"
    if asked is None:
        return
    if granted is None:
        yield Refusal(RefusalCode.NO_PERIOD, path, f"{asked.start} until {asked.end}", "")
        return
    if asked.start < granted.start:
        yield Refusal(RefusalCode.NOT_BEGUN, f"{path}.start", asked.start, granted.start)
    for code, name in (
        (RefusalCode.EXPIRED, "end"),
        (RefusalCode.TRAINING_ENDED, "training_end"),
        (RefusalCode.GENERATION_ENDED, "generation_end"),
    ):
        if name == "training_end" and asked.training_end <= asked.start:
            continue  # no day for training
        if getattr(asked, name) > getattr(granted, name):
            field = "tail" if name == "generation_end" else name
            later, end = getattr(asked, name), getattr(granted, name)
            yield Refusal(code, f"{path}.{field}", f"until {later}", f"until {end}")


def _uncovered_sublicence(wider: Grant, narrower: Grant) -> Iterator[Refusal]:
    path, granted = "grant.sublicence", str(wider.sublicence)
    if narrower.sublicence is Sublicence.NONE or wider.sublicence is Sublicence.ANY:
        return
    if narrower.sublicence is not wider.sublicence:
        yield Refusal(RefusalCode.SUBLICENCE, path, narrower.sublicence, granted)
    elif narrower.sublicence is Sublicence.NAMED:
        path = "grant.sublicensees"
        yield from _outside(RefusalCode.SUBLICENCE, path, narrower.sublicensees, wider.sublicensees)


def _uncovered_retention(wider: Retention, narrower: Retention) -> Iterator[Refusal]:
    for name in ("raw_days", "feature_days", "deletion_days", "keeps_checkpoints"):
        yield from _weaker(RefusalCode.RETENTION, "retention", name, narrower, wider)
    yield from _weaker(RefusalCode.RETENTION, "retention", "certificate", wider, narrower)
    missing = [str(trigger) for trigger in wider.delete_on if trigger not in narrower.delete_on]
    if missing:
        asked = "no deletion on " + ", ".join(missing)
        path = "retention.delete_on"
        yield Refusal(RefusalCode.RETENTION, path, asked, ", ".join(wider.delete_on))


def _uncovered_guards(wider: Guards, narrower: Guards) -> Iterator[Refusal]:
    for name in ("similarity_max_per_mille", "quoted_words_max"):
        yield from _weaker(RefusalCode.GUARDS, "guards", name, narrower, wider)
    for name in ("persons", "styles", "scenes"):
        yield from _weaker(RefusalCode.GUARDS, "guards", name, wider, narrower)
    allowed = [word for word in wider.blocked_words if word not in narrower.blocked_words]
    if allowed:
        asked = f"{len(allowed)} of the blocked words, first {allowed[0]}"
        yield Refusal(RefusalCode.GUARDS, "guards.blocked_words", asked, "none of them")


def _weaker(
    code: RefusalCode, group: str, name: str, greater: object, lesser: object
) -> Iterator[Refusal]:
    """Yield a refusal where ``name`` of ``greater`` is above that of ``lesser``."""
    above, below = getattr(greater, name), getattr(lesser, name)
    if above > below:
        asked, granted = (below, above) if isinstance(above, bool) else (above, below)
        yield Refusal(code, f"{group}.{name}", str(asked).lower(), str(granted).lower())


def narrow(terms: Terms, by: Terms) -> Terms:
    """Return ``terms`` with all that ``by`` does not permit as well taken away.

    Parties, price and duties stay those of ``terms``; guards and retention become the stricter of
    both. Of other works, or for another licensee, nothing is left.
    """
    licensee, agreed = _licensee_of_both(terms, by)
    return replace(
        terms,
        licensee=licensee,
        repertoire=_narrower_works(terms.repertoire, by.repertoire),
        grant=_narrower_grant(terms.grant, by.grant) if agreed else Grant(),
        retention=_stricter_retention(terms.retention, by.retention),
        guards=_stricter_guards(terms.guards, by.guards),
    )


def _licensee_of_both(terms: Terms, by: Terms) -> tuple[PartyName | None, bool]:
    """Return the licensee that both terms can mean, and whether there is one."""
    if terms.licensee is not None:
        return terms.licensee, by.licensee is None or by.licensee.id == terms.licensee.id
    if by.licensee is not None and by.licensee.id == terms.licensor.id:
        return None, False  # nobody grants to themselves
    return by.licensee, True


def _narrower_works(terms: RepertoireName, by: RepertoireName) -> RepertoireName:
    if (terms.sha256, terms.work_count) != (by.sha256, by.work_count):
        return RepertoireName()
    return replace(terms, exclusions=_united(terms.exclusions, by.exclusions))


def _narrower_grant(terms: Grant, by: Grant) -> Grant:
    sublicence, sublicensees = _narrower_sublicence(terms, by)
    return Grant(
        usages=_shared(terms.usages, by.usages),
        purposes=_shared(terms.purposes, by.purposes),
        modalities_in=_shared(terms.modalities_in, by.modalities_in),
        modalities_out=_shared(terms.modalities_out, by.modalities_out),
        fields_of_use=_shared(terms.fields_of_use, by.fields_of_use),
        models=_narrower_models(terms.models, by.models),
        territory=_narrower_territory(terms.territory, by.territory),
        period=_shorter_period(terms.period, by.period),
        exclusivity=min(terms.exclusivity, by.exclusivity, key=_EXCLUSIVITY.index),
        sublicence=sublicence,
        sublicensees=sublicensees,
    )


def _shared(terms: tuple[Kind, ...], by: tuple[Kind, ...]) -> tuple[Kind, ...]:
    return tuple(value for value in terms if value in set(by))


def _united(terms: tuple[Kind, ...], by: tuple[Kind, ...]) -> tuple[Kind, ...]:
    return tuple(dict.fromkeys((*terms, *by)))


def _narrower_models(terms: ModelScope, by: ModelScope) -> ModelScope:
    wider, narrower = sorted((terms, by), key=lambda scope: -_VERSIONS.index(scope.versions))
    limits = [limit for limit in (terms.parameters_max, by.parameters_max) if limit]
    same_model = wider.versions is Versions.ANY or wider.model == narrower.model
    same_version = wider.versions is not Versions.ONE or wider.version == narrower.version
    scope = narrower if same_model and same_version else ModelScope()
    return replace(scope, parameters_max=min(limits, default=0))


def _narrower_territory(terms: Territory, by: Territory) -> Territory:
    exclude = _united(terms.exclude, by.exclude)
    if WORLD in terms.include and WORLD in by.include:
        return Territory((WORLD,), exclude)
    listed = by.include if WORLD in terms.include else terms.include
    both = reach_of(terms) & reach_of(by)
    return Territory(tuple(country for country in listed if country in both))


def _shorter_period(terms: Period, by: Period) -> Period:
    first, second = days_of(terms), days_of(by)
    if first is None or second is None:
        return Period()
    start, end = max(first.start, second.start), min(first.end, second.end)
    if start >= end:
        return Period()
    training_end = max(start, min(first.training_end, second.training_end, end))
    tail, tail_months = _tail_until(end, min(first.generation_end, second.generation_end))
    return Period(start, end, "" if training_end == end else training_end, tail, tail_months)


def _tail_until(end: str, generation_end: str) -> tuple[Tail, int]:
    """Return the longest tail after ``end`` that is not longer than until ``generation_end``."""
    if generation_end == FOREVER and end != FOREVER:
        return Tail.PERPETUAL, 0
    months = months_between(end, generation_end)
    return (Tail.MONTHS, months) if months > 0 else (Tail.NONE, 0)


def _narrower_sublicence(terms: Grant, by: Grant) -> tuple[Sublicence, tuple[str, ...]]:
    if by.sublicence is Sublicence.ANY:
        return terms.sublicence, terms.sublicensees
    if terms.sublicence is Sublicence.ANY:
        return by.sublicence, by.sublicensees
    if terms.sublicence is not by.sublicence:
        return Sublicence.NONE, ()
    both = _shared(terms.sublicensees, by.sublicensees)
    if terms.sublicence is Sublicence.NAMED and not both:
        return Sublicence.NONE, ()
    return terms.sublicence, both


def _stricter_retention(terms: Retention, by: Retention) -> Retention:
    return Retention(
        raw_days=min(terms.raw_days, by.raw_days),
        feature_days=min(terms.feature_days, by.feature_days),
        keeps_checkpoints=terms.keeps_checkpoints and by.keeps_checkpoints,
        delete_on=_united(terms.delete_on, by.delete_on),
        deletion_days=min(terms.deletion_days, by.deletion_days),
        certificate=terms.certificate or by.certificate,
    )


def _stricter_guards(terms: Guards, by: Guards) -> Guards:
    similarity = min(terms.similarity_max_per_mille, by.similarity_max_per_mille)
    return Guards(
        similarity_max_per_mille=similarity,
        quoted_words_max=min(terms.quoted_words_max, by.quoted_words_max),
        persons=terms.persons or by.persons,
        styles=terms.styles or by.styles,
        scenes=terms.scenes or by.scenes,
        blocked_words=_united(terms.blocked_words, by.blocked_words),
    )
