"""What one may want to do with a work, and what a declaration can say about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Usage(StrEnum):
    """One thing somebody wants to do with works."""

    TRAIN_GENERATIVE = "train_generative"
    TRAIN_NONGENERATIVE = "train_nongenerative"
    AI_INPUT = "ai_input"
    AI_INDEX = "ai_index"
    SEARCH = "search"
    MINE = "mine"


class Permission(StrEnum):
    """What a declaration says of one usage. Silence is ``UNKNOWN``, never ``ALLOW``."""

    ALLOW = "allow"
    DENY = "deny"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"
    HOLD = "hold"  # nobody may decide it yet: a likely match, a dispute; never a grant


ALL_USAGES: frozenset[Usage] = frozenset(Usage)
TRAINING: frozenset[Usage] = frozenset({Usage.TRAIN_GENERATIVE, Usage.TRAIN_NONGENERATIVE})
AI_USAGES: frozenset[Usage] = TRAINING | {Usage.AI_INPUT, Usage.AI_INDEX}

Permissions = tuple[tuple[Usage, Permission], ...]
"""Permissions by usage, sorted by usage name, only usages the declaration speaks of."""


def permissions(values: Mapping[Usage, Permission]) -> Permissions:
    """Return ``values`` as the sorted, hashable form kept in statements."""
    return tuple(sorted(values.items()))


def permit(usages: Iterable[Usage], permission: Permission) -> Permissions:
    """Return the same ``permission`` for each of ``usages``."""
    return permissions(dict.fromkeys(usages, permission))
