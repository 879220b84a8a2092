"""reserve: an owner's standing reservation: every usage of every registered work is denied.

Each is a signed amendment of the owner's claim (`tercet/claim@1`); works that a dispute holds, and
works whose claims say so already, are left as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tercet.consent.registry.conflicts import StandingClaim, Step
from tercet.consent.registry.documents import public_text
from tercet.consent.registry.match_document import UsageTerms
from tercet.core.usage import Permission, Usage
from tercet.store.registry import Registered, Registration, Registry, Signing
from tercet.store.registry_catalogue import catalogue_of

RESERVE_ALL = tuple(UsageTerms(usage, Permission.DENY) for usage in sorted(Usage))
_BATCH_WORKS = 256
_DONE = (Step.AMEND, Step.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Reserved:
    """What reserving came to: numbers of works, and what of them was open before.

    ``opened`` are works whose claims allowed or offered something: that is taken back. ``kept`` are
    works that the registry would not amend.
    """

    amended: tuple[int, ...]
    unchanged: tuple[int, ...]
    opened: tuple[int, ...]
    kept: tuple[int, ...]


def reserve_all(
    registry: Registry,
    signing: Signing,
    *,
    dry_run: bool = False,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Reserved:
    """Reserve every usage of every work on which a claim of this key stands.

    With ``dry_run`` nothing is written: it is said what would be. What was done stays, and the
    same again does the rest. Raises StorageError.
    """
    works = catalogue_of(registry, [public_text(signing.key)])
    amended: list[int] = []
    unchanged: list[int] = []
    opened: list[int] = []
    kept: list[int] = []
    for done, batch in _batches([number for number, _ in works]):
        asked = [(number, _mine(registry, number, signing.public_key)) for number in batch]
        changing = [(number, mine) for number, mine in asked if not _is_reserved(mine)]
        unchanged += [number for number, mine in asked if _is_reserved(mine)]
        opened += [number for number, mine in changing if _is_open(mine)]
        for number, result in _amend(registry, changing, signing, dry_run=dry_run):
            (amended if result is None or result.step in _DONE else kept).append(number)
        progress("reserving", done, len(works))
    return Reserved(tuple(amended), tuple(unchanged), tuple(opened), tuple(kept))


def _batches(numbers: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for at in range(0, len(numbers), _BATCH_WORKS):
        batch = numbers[at : at + _BATCH_WORKS]
        yield at + len(batch), batch


def _mine(registry: Registry, number: int, public_key: str) -> list[StandingClaim]:
    return [each for each in registry.standing(number)[0] if each.public_key == public_key]


def _is_reserved(claims: Sequence[StandingClaim]) -> bool:
    return all(set(each.claim.terms) == set(RESERVE_ALL) for each in claims)


def _is_open(claims: Sequence[StandingClaim]) -> bool:
    return any(
        terms.permission is not Permission.DENY for each in claims for terms in each.claim.terms
    )


def _amend(
    registry: Registry,
    changing: Sequence[tuple[int, Sequence[StandingClaim]]],
    signing: Signing,
    *,
    dry_run: bool,
) -> list[tuple[int, Registered | None]]:
    if dry_run or not changing:
        return [(number, None) for number, _ in changing]
    batch = [
        Registration(
            registry.work(number),
            tuple(
                replace(
                    each.claim,
                    terms=RESERVE_ALL,
                    made_at=signing.at,
                    share_basis_points=each.share_basis_points,
                )
                for each in claims
            ),
        )
        for number, claims in changing
    ]
    results = registry.register(batch, signing, amend=True)
    return [(number, result) for (number, _), result in zip(changing, results, strict=True)]
