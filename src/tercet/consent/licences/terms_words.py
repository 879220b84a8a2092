"""Terms in plain words: every field said, defaults too, in English and Vietnamese.

The words are made from the data alone, by the same clauses in each language, so that whoever reads
them knows what a signature is for. Every sentence names the fields it speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tercet.consent.licences.terms_voice import Language, Sentence, Voice
from tercet.consent.licences.terms_words_duties import (
    copies_clauses,
    credit_clauses,
    end_clauses,
    guards_clauses,
    law_clauses,
    notes_clauses,
    reports_clauses,
)
from tercet.consent.licences.terms_words_price import price_clauses
from tercet.core.terms import (
    FOREVER,
    WORLD,
    FieldOfUse,
    Modality,
    Period,
    Purpose,
    Sublicence,
    Terms,
    Territory,
    Versions,
)
from tercet.core.usage import Usage

Clauses = Iterator[Sentence]


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences under a heading. ``name`` is the same in every language."""

    name: str
    title: str
    sentences: tuple[Sentence, ...]


def describe(terms: Terms, language: Language) -> tuple[Section, ...]:
    """Return all that ``terms`` say. They must be valid (see terms_validity)."""
    voice = Voice(language)
    return tuple(
        Section(name, voice.say(f"section.{name}"), tuple(clauses(terms, voice)))
        for name, clauses in _SECTIONS.items()
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What is said otherwise under one heading: the sentences that go, and those that come."""

    name: str
    title: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def changes(before: Terms, after: Terms, language: Language) -> tuple[Change, ...]:
    """Return in plain words what ``after`` says otherwise than ``before``."""
    found = []
    for old, new in zip(describe(before, language), describe(after, language), strict=True):
        gone = {each.text: None for each in old.sentences}
        come = {each.text: None for each in new.sentences}
        change = Change(
            old.name,
            old.title,
            tuple(text for text in gone if text not in come),
            tuple(text for text in come if text not in gone),
        )
        if change.before or change.after:
            found.append(change)
    return tuple(found)


def terms_text(terms: Terms, language: Language) -> str:
    """Return ``describe`` as lines of text: numbered headings, one sentence a line."""
    voice = Voice(language)
    lines = [voice.say("title"), "", voice.say("basis")]
    for number, section in enumerate(describe(terms, language), 1):
        lines += ["", f"{number}. {section.title}"]
        lines += [f"   {sentence.text}" for sentence in section.sentences]
    return "\n".join(lines) + "\n"


def _parties_clauses(terms: Terms, voice: Voice) -> Clauses:
    licensor, licensee = terms.licensor, terms.licensee
    yield voice.tell("licensor.id licensor.name", "licensor", party=voice.party(licensor))
    if licensee is None:
        yield voice.tell("licensee", "licensee.nobody")
    else:
        yield voice.tell("licensee.id licensee.name", "licensee", party=voice.party(licensee))
    mandate = voice.quote(terms.mandate)
    yield voice.tell("mandate", "mandate" if terms.mandate else "mandate.none", mandate=mandate)


def _works_clauses(terms: Terms, voice: Voice) -> Clauses:
    repertoire = terms.repertoire
    yield voice.tell(
        "repertoire.sha256 repertoire.work_count",
        "repertoire" if repertoire.sha256 else "repertoire.none",
        sha256=repertoire.sha256,
        works=voice.counted("works", repertoire.work_count),
    )
    left_out = repertoire.exclusions
    yield voice.tell(
        "repertoire.exclusions",
        "exclusions" if left_out else "exclusions.none",
        works=voice.counted("works", len(left_out)),
        list=voice.quotes(left_out),
    )


def _grant_clauses(terms: Terms, voice: Voice) -> Clauses:
    grant = terms.grant
    yield voice.tell_members("grant.usages", grant.usages, Usage)
    yield voice.tell_members("grant.purposes", grant.purposes, Purpose)
    yield voice.tell_members("grant.modalities_in", grant.modalities_in, Modality)
    yield voice.tell_members("grant.modalities_out", grant.modalities_out, Modality)
    yield voice.tell_members("grant.fields_of_use", grant.fields_of_use, FieldOfUse)
    models = grant.models
    unnamed = models.versions is Versions.ONE and not models.model
    yield voice.tell(
        "grant.models.versions grant.models.model grant.models.version",
        "models.none" if unnamed else f"models.{models.versions}",
        model=voice.quote(models.model),
        version=voice.quote(models.version),
    )
    yield voice.tell(
        "grant.models.parameters_max",
        "parameters" if models.parameters_max else "parameters.none",
        count=voice.count(models.parameters_max),
    )


def _place_clauses(terms: Terms, voice: Voice) -> Clauses:
    yield from _territory_clauses(terms.grant.territory, voice)
    yield from _period_clauses(terms.grant.period, voice)


def _territory_clauses(territory: Territory, voice: Voice) -> Clauses:
    world = WORLD in territory.include
    yield voice.tell(
        "grant.territory.include",
        "territory.world" if world else "territory" if territory.include else "territory.none",
        yes=voice.countries(territory.include),
    )
    yield voice.tell(
        "grant.territory.exclude",
        "territory.without" if territory.exclude else "territory.whole",
        no=voice.countries(territory.exclude),
    )


def _period_clauses(period: Period, voice: Voice) -> Clauses:
    ends = "grant.period.start grant.period.end"
    if not period.start:
        yield voice.tell(ends, "period.none")
    elif period.end == FOREVER:
        yield voice.tell(ends, "period.ever", start=voice.day(period.start))
    else:
        start, last = voice.day(period.start), voice.day_before(period.end)
        yield voice.tell(ends, "period", start=start, last=last)
    yield _training_clause(period, voice)
    yield voice.tell(
        "grant.period.tail grant.period.tail_months",
        f"tail.{period.tail}",
        months=voice.counted("months", period.tail_months),
    )


def _training_clause(period: Period, voice: Voice) -> Sentence:
    path, training_end = "grant.period.training_end", period.training_end
    if not period.start:
        return voice.tell(path, "training_end.none")
    if training_end == period.start:
        return voice.tell(path, "training_end.never")
    if training_end in {"", period.end}:
        return voice.tell(path, "training_end.same")
    return voice.tell(path, "training_end", last=voice.day_before(training_end))


def _others_clauses(terms: Terms, voice: Voice) -> Clauses:
    grant, promise = terms.grant, terms.most_favoured
    yield voice.tell("grant.exclusivity", f"exclusivity.{grant.exclusivity}")
    named = grant.sublicensees if grant.sublicence is Sublicence.NAMED else ()
    yield voice.tell(
        "grant.sublicence grant.sublicensees",
        f"sublicence.{grant.sublicence}",
        list="; ".join(named),
    )
    ending = "" if promise.lookback_months else ".ahead"
    yield voice.tell(
        "most_favoured.applies most_favoured.lookback_months",
        f"most_favoured{ending}" if promise.applies else "most_favoured.none",
        months=voice.counted("months", promise.lookback_months),
    )


_SECTIONS: dict[str, Callable[[Terms, Voice], Clauses]] = {
    "parties": _parties_clauses,
    "works": _works_clauses,
    "grant": _grant_clauses,
    "place": _place_clauses,
    "others": _others_clauses,
    "price": price_clauses,
    "copies": copies_clauses,
    "guards": guards_clauses,
    "credit": credit_clauses,
    "reports": reports_clauses,
    "end": end_clauses,
    "law": law_clauses,
    "notes": notes_clauses,
}
