"""What takes more than one field of terms to see: periods, amounts, scopes that contradict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from tercet.consent.licences.terms_errors import (
    BadTextError,
    ContradictionError,
    NoCurrencyError,
    PeriodError,
    TermsError,
)
from tercet.consent.urls import split_url
from tercet.core.terms import (
    WORLD,
    AttributionTerms,
    Grant,
    ModelScope,
    Period,
    Price,
    RepertoireName,
    RevenueBase,
    Sublicence,
    Tail,
    Terms,
    Territory,
    Versions,
)


def check_terms(terms: Terms) -> None:
    """Raise the first of ``faults``, if there is one."""
    for fault in faults(terms):
        raise fault


def faults(terms: Terms) -> Iterator[TermsError]:
    """Yield every way in which fields that are right alone contradict each other."""
    grant = terms.grant
    yield from _repertoire_faults(terms.repertoire)
    yield from _model_faults(grant.models)
    yield from _territory_faults(grant.territory)
    yield from _period_faults(grant.period)
    yield from _sublicence_faults(grant)
    yield from _price_faults(terms.price)
    yield from _currency_faults(terms)
    yield from _attribution_faults(terms.attribution)
    if terms.most_favoured.lookback_months and not terms.most_favoured.applies:
        yield ContradictionError(
            "most_favoured.lookback_months", "0 where the clause does not apply",
            str(terms.most_favoured.lookback_months),
        )  # fmt: skip
    if terms.licensee is not None and terms.licensee.id == terms.licensor.id:
        yield ContradictionError("licensee.id", "another party than the licensor", "the same")


def _repertoire_faults(repertoire: RepertoireName) -> Iterator[TermsError]:
    if not repertoire.sha256 and (repertoire.work_count or repertoire.exclusions):
        yield ContradictionError(
            "repertoire.sha256", "the SHA-256 of the repertoire that works are counted in or "
            "excluded from", "nothing",
        )  # fmt: skip
    for at, line in enumerate(repertoire.exclusions):
        normal = _normal_work(line)
        if normal != line:
            expected = "a work as lists of works name it, its URL in WHATWG normal form"
            hint = f"write {normal}" if normal else ""
            yield BadTextError(f"repertoire.exclusions[{at}]", expected, f"{line!a:.80}", hint=hint)


def _normal_work(line: str) -> str:
    """Return a line of works as a repertoire has it (see repertoire), "" for none of its kinds."""
    kind, _, text = line.partition(":")
    if kind == "sha256":
        return line
    split = split_url(text)
    if split is None or (kind == "site" and split.path != "/"):
        return ""
    return f"{kind}:{split.origin}" + (split.path if kind == "url" else "")


def _model_faults(models: ModelScope) -> Iterator[TermsError]:
    named = (bool(models.model), bool(models.version))
    wanted = {
        Versions.ONE: ((True, True), (False, False)),
        Versions.FAMILY: ((True, False),),
        Versions.ANY: ((False, False),),
    }
    words = {
        Versions.ONE: "a model and its version, or neither to grant none",
        Versions.FAMILY: "a model without a version, for all its versions",
        Versions.ANY: "neither a model nor a version, for all models",
    }
    if named not in wanted[models.versions]:
        yield ContradictionError(
            "grant.models", f'with versions = "{models.versions}": {words[models.versions]}',
            f"model {models.model!a:.80}, version {models.version!a:.80}",
        )  # fmt: skip


def _territory_faults(territory: Territory) -> Iterator[TermsError]:
    if WORLD in territory.include and len(territory.include) > 1:
        yield ContradictionError(
            "grant.territory.include", f'"{WORLD}" alone, or countries',
            f'"{WORLD}" and {len(territory.include) - 1} more',
        )  # fmt: skip
    if territory.exclude and not territory.include:
        yield ContradictionError(
            "grant.territory.exclude", "nothing, where nothing is included",
            f"{len(territory.exclude)} countries",
        )  # fmt: skip


def _period_faults(period: Period) -> Iterator[TermsError]:
    start, end, training_end = period.start, period.end, period.training_end
    if bool(start) != bool(end):
        yield PeriodError(
            "grant.period", "both a start and an end, or neither to grant no time",
            f"start {start!r}, end {end!r}",
            hint='end = "9999-12-31" is for ever',
        )  # fmt: skip
    elif end <= start and start:
        yield PeriodError("grant.period.end", f"a day after the start, {start}", end)
    elif training_end and not start <= training_end <= end:
        yield PeriodError(
            "grant.period.training_end", f"a day from {start or 'a start'} to {end or 'an end'}",
            training_end,
        )  # fmt: skip
    if (period.tail is Tail.MONTHS) != bool(period.tail_months):
        yield ContradictionError(
            "grant.period.tail_months", 'more than 0 with tail = "months", and only with it',
            f'{period.tail_months} with tail = "{period.tail}"',
        )  # fmt: skip
    if period.tail is not Tail.NONE and not end:
        yield ContradictionError("grant.period.tail", '"none" where there is no end', period.tail)


def _sublicence_faults(grant: Grant) -> Iterator[TermsError]:
    if (grant.sublicence is Sublicence.NAMED) != bool(grant.sublicensees):
        yield ContradictionError(
            "grant.sublicensees", 'parties with sublicence = "named", and only with it',
            f'{len(grant.sublicensees)} with sublicence = "{grant.sublicence}"',
        )  # fmt: skip


def _price_faults(price: Price) -> Iterator[TermsError]:
    if price.share_basis_points and (price.base is RevenueBase.NET) != bool(price.deductions):
        yield ContradictionError(
            "price.deductions", 'what is deducted with base = "net", and nothing with "gross"',
            f'{len(price.deductions)} with base = "{price.base}"',
        )  # fmt: skip
    if price.cap_micros:
        for name in ("guarantee_micros", "advance_micros", "floor_micros"):
            if getattr(price, name) > price.cap_micros:
                yield ContradictionError(
                    f"price.{name}", f"at most the cap, {price.cap_micros}",
                    str(getattr(price, name)),
                )  # fmt: skip


def _currency_faults(terms: Terms) -> Iterator[TermsError]:
    amounts = {
        f"price.{item.name}": getattr(terms.price, item.name)
        for item in fields(terms.price)
        if item.name.endswith("_micros")
    } | {"wind_down.escrow_micros": terms.wind_down.escrow_micros}
    for path, amount in amounts.items():
        if amount and not terms.price.currency:
            yield NoCurrencyError(
                "price.currency", f"the currency of {path}", "nothing",
                hint="as in EUR, USD, VND",
            )  # fmt: skip
            return


def _attribution_faults(attribution: AttributionTerms) -> Iterator[TermsError]:
    if attribution.reliability_min_per_mille and not attribution.method:
        yield ContradictionError(
            "attribution.method", "the method whose reliability is demanded", "nothing"
        )
