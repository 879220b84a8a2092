"""From a clearance and its evidence to what the report shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tercet.consent.clearing import OUTCOMES
from tercet.consent.policy import Policy
from tercet.consent.reasons import explain_reason
from tercet.consent.signals import SIGNALS
from tercet.consent.site_index import SiteIndex
from tercet.core.money import Money
from tercet.core.verdict import Outcome
from tercet.flows.agreement_lines import agreement_lines
from tercet.flows.clearance import Clearance
from tercet.flows.report import PolicySummary, ReportSummary
from tercet.store.evidence_counts import priced_offers, signal_counts

_TOP_SITES = 20
_TOP_OFFERS = 20

_REMEDIES = {
    "no_grant": "have no grant: a licence from their owners, or their opt-in, would clear them",
    "not_surveyed": "stand on sites that were never asked: run `tercet survey` on this corpus",
    "unchecked": "stand where a permission file could not be read: run `tercet survey` again later",
    "item_not_asked": "would be cleared once looked at themselves: run `tercet survey --items`",
    "held_by_registry": "may be registered works, or works whose claims are disputed: "
    "look at them with `tercet match --show`",
    "no_source": "are local files of unknown source: give their URLs, or a licence in the file",
    "row_fault": "could not be read: repair the rows or files named in verdicts.parquet",
    "url_invalid": "have a URL that cannot be understood: correct it in the corpus",
}


def summarise(
    clearance: Clearance,
    policy: Policy,
    sites: SiteIndex,
    site_counts: Any,
    evidence: tuple[Path, ...],
    out: Path,
) -> ReportSummary:
    """Return the report's content. ``site_counts`` has a row per site, a column per outcome."""
    document = clearance.document
    reasons = document["reasons"]
    return ReportSummary(
        title="Clearance of " + ", ".join(i["name"] for i in document["corpus"]["inputs"][:3]),
        created_at=document["created_at"],
        policy=PolicySummary(
            policy.id, policy.version, policy.date, policy.title, policy.summary, policy.assertion
        ),
        usage=document["usage"],
        row_count=clearance.row_count,
        verdict_counts=tuple(clearance.counts.items()),
        reason_counts=_reason_counts(reasons),
        top_sites=_top_sites(sites, site_counts),
        signal_counts=_signal_counts(evidence, out / "columns", document["usage"]),
        remedies=_remedies(reasons),
        offers=_offers(out, sites, site_counts),
        inputs=tuple(
            (i["name"], i["rows"], i["bytes"], i["sha256"]) for i in document["corpus"]["inputs"]
        ),
        clearance_digest=clearance.sha256,
        key_id=document["signature"]["key_id"],
        agreements=agreement_lines(out, document),
    )


def _reason_counts(reasons: dict[str, dict[str, int]]) -> tuple[tuple[str, str, str, int], ...]:
    lines = [
        (code, explain_reason(code), outcome, count)
        for code, by_outcome in reasons.items()
        for outcome, count in by_outcome.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line[3], line[0], line[2])))


def _top_sites(sites: SiteIndex, counts: Any) -> tuple[tuple[str, int, int, int, int], ...]:
    totals = counts.sum(axis=1)
    order = np.argsort(-totals, kind="stable")[:_TOP_SITES]
    by_name = {outcome: at for at, outcome in enumerate(OUTCOMES)}
    columns = [
        by_name[o] for o in (Outcome.CLEARED, Outcome.OFFERED, Outcome.BLOCKED, Outcome.HELD)
    ]
    return tuple(
        (sites.origins[int(at)].as_py(), *(int(counts[at, column]) for column in columns))
        for at in order
        if totals[at]
    )


def _signal_counts(
    evidence: tuple[Path, ...], columns: Path, usage: str
) -> tuple[tuple[str, str, int, int, int, int, int], ...]:
    titles = {signal.name: signal.title for signal in SIGNALS}
    counts = signal_counts(evidence, columns, usage)
    return tuple((name, titles.get(name, name), *counts[name]) for name in sorted(counts))


def _remedies(reasons: dict[str, dict[str, int]]) -> tuple[tuple[str, int], ...]:
    found = [
        (text, sum(n for outcome, n in reasons[code].items() if outcome != Outcome.CLEARED))
        for code, text in _REMEDIES.items()
        if code in reasons
    ]
    for code, by_outcome in sorted(reasons.items()):
        denied = sum(n for outcome, n in by_outcome.items() if outcome != Outcome.CLEARED)
        if code.startswith(("denied_by_", "may_be_denied_by_")) and denied:
            text = f"are {explain_reason(code)}: only a signed licence from the owner lifts that"
            found.append((text, denied))
    return tuple(sorted(found, key=lambda line: -line[1]))


def _offers(out: Path, sites: SiteIndex, counts: Any) -> tuple[tuple[str, str, int], ...]:
    """Priced offers, those that stand for most offered items first."""
    number = {name: at for at, name in enumerate(sites.origins.to_pylist())}
    column = OUTCOMES.index(Outcome.OFFERED)
    lines: dict[tuple[str, str], int] = {}
    for site, item, currency, micros, unit, url in priced_offers(out):
        price = f"{Money(currency, micros)} for {unit or 'use'}"
        key = (price, url or item or site)
        items = 1 if item else int(counts[number[site], column])
        lines[key] = lines.get(key, 0) + items
    ordered = sorted(lines.items(), key=lambda line: (-line[1], line[0]))
    return tuple((price, url, items) for (price, url), items in ordered[:_TOP_OFFERS] if items)
