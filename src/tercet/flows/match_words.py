"""What a match says, in the words of the page and of the command line."""

from __future__ import annotations

from collections.abc import Sequence

from tercet.consent.fingerprints.bands import Band
from tercet.consent.reasons import CONDITION_WORDS
from tercet.consent.registry.match_document import Document, MatchedClaim, MatchedWork, UsageTerms
from tercet.core.usage import Permission, Usage

BAND_WORDS = {
    Band.CERTAIN: "the same work, beyond reasonable doubt: it decides",
    Band.LIKELY: "probably the same work: the item is held until a person has looked",
    Band.POSSIBLE: "some likeness: only reported, it decides nothing",
}
_SAME = {"sha256": "the same bytes", "iscc": "the same ISCC", "url": "the same address",
         "domain": "the owner's domain"}  # fmt: skip
_PERMITTED = {
    Permission.ALLOW: "allowed",
    Permission.DENY: "not allowed",
    Permission.CONDITIONAL: "on condition:",
    Permission.UNKNOWN: "not said",
    Permission.HOLD: "undecided",
}
_NEARLY_ALL_PER_MILLE = (15, 985)
_PLACES_MAX = 3


def clock(seconds: float) -> str:
    """Return seconds as people write them: 0:07.5, 12:03.0, 1:02:03.0."""
    tenths = max(0, round(seconds * 10))
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{head}:{rest // 10:02d}.{rest % 10}"


def place_words(regions: Sequence[Document]) -> str:
    """Return where something stands, by the regions of a match document; the first few of them."""
    if not regions:
        return "all of it"
    said = list(dict.fromkeys(map(_place, regions)))
    more = f" and {len(said) - _PLACES_MAX} more" if len(said) > _PLACES_MAX else ""
    return ", ".join(said[:_PLACES_MAX]) + more


def _place(region: Document) -> str:
    parts = []
    if "start_ms" in region:
        end = region.get("end_ms", region["start_ms"])
        parts.append(f"{clock(region['start_ms'] / 1000)} to {clock(end / 1000)}")
    if "start_character" in region:
        parts.append(f"characters {region['start_character']:,} to {region['end_character']:,}")
    if region.get("quad_per_mille"):
        parts.append(_box(region["quad_per_mille"]))
    return ", ".join(part for part in parts if part) or "all of it"


def _box(quad: Sequence[Sequence[int]]) -> str:
    """Return the box around a quad, in per cent of width and height; "" for all of a picture."""
    across = [min(1000, max(0, x)) for x, _ in quad]
    down = [min(1000, max(0, y)) for _, y in quad]
    low, high = _NEARLY_ALL_PER_MILLE
    if max(min(across), min(down)) <= low and min(max(across), max(down)) >= high:
        return "the whole picture"
    return (
        f"{min(across) // 10} to {-(-max(across) // 10)} % across, "
        f"{min(down) // 10} to {-(-max(down) // 10)} % down"
    )


def evidence_words(work: MatchedWork) -> str:
    """Return what the match rests on: the method, its score and what was inferred."""
    if work.method in _SAME:
        return _SAME[work.method]
    score = work.score_thousandths / 1000
    return (
        f"{score:,.0f} {work.unit} ({work.method})"
        if score >= 100
        else (f"{score:,.1f} {work.unit} ({work.method})")
    )


def standing_words(work: MatchedWork) -> str:
    """Return what keeps a match from deciding, "" when nothing does."""
    if work.rejected:
        return "rejected by a person: it decides nothing"
    return "claims on this work conflict: it is held until that is settled" * work.disputed


def share_words(claim: MatchedClaim) -> str:
    """Return an owner with their share, which goes without saying when it is all of it."""
    if claim.share_basis_points == 10_000:
        return claim.owner
    return f"{claim.owner} ({claim.share_basis_points / 100:g} %)"


def terms_words(terms: UsageTerms) -> str:
    """Return what an owner says of one usage: "not allowed", "on condition: payment" ..."""
    said = _PERMITTED[terms.permission]
    if terms.permission is not Permission.CONDITIONAL:
        return said
    conditions = (_condition(terms, at) for at in range(len(terms.conditions)))
    return f"{said} " + ", and ".join(conditions)


def _condition(terms: UsageTerms, at: int) -> str:
    condition = terms.conditions[at]
    words = CONDITION_WORDS[condition.kind]
    price = f" ({condition.price})" if condition.price else ""
    return words + price + (f": {condition.url}" if condition.url else "")


def said_of(claim: MatchedClaim, usage: Usage) -> UsageTerms:
    """Return a claim's terms for one usage; silence is no permission."""
    named = (terms for terms in claim.terms if terms.usage is usage)
    return next(named, UsageTerms(usage, Permission.UNKNOWN))


def grouped_terms(claim: MatchedClaim, usages: Sequence[Usage]) -> list[str]:
    """Return what a claim says of ``usages``, those of which it says the same on one line."""
    groups: dict[str, list[str]] = {}
    for usage in usages:
        groups.setdefault(terms_words(said_of(claim, usage)), []).append(str(usage))
    return [f"{', '.join(names)}: {words}" for words, names in groups.items()]
