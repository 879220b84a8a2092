"""How many signed a letter, by profession and country, without pointing at anybody.

The rules, in the way of statistical offices (suppression of small cells, and of one more where the
rest would give them away by subtraction):

- who asked to be hidden is in the total alone;
- a cell is shown from `CELL_MIN` signatories on; what is shown and not named is no one or at least
  as many, so that nobody is found by taking the names away from the cell;
- what is not shown is together no one or at least as many: else the smallest cell joins it.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tercet.consent.licences.letter import Visibility

CELL_MIN = 5


class ProofKind(StrEnum):
    """By what a signatory is verified. Stable strings."""

    DOMAIN = "domain"  # the signing key stands in a file of a host
    EMAIL = "e-mail"  # a link sent to an address was opened
    OIDC = "oidc"  # an identity provider signed the letter's hash for them
    CATALOGUE = "catalogue"  # the signing key has claims in a registry
    COLLECTIVE = "collective"  # a collective vouches for them


class ProofState(StrEnum):
    """What came of checking a proof."""

    ASKED = "asked"
    VERIFIED = "verified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that speaks for a signatory. ``by`` is the host, issuer, registry or collective."""

    kind: ProofKind
    state: ProofState
    by: str = ""
    checked_at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Signatory:
    """Somebody who signed, as the letter's keeper knows them; ``signed_at`` is RFC 3339."""

    id: str
    name: str
    profession: str
    country: str
    visibility: Visibility
    signed_at: str
    proofs: tuple[Proof, ...] = ()
    is_withdrawn: bool = False

    @classmethod
    def withdrawn(cls, signature_id: str) -> Signatory:
        """Return what is left of somebody who withdrew: that there was one."""
        return cls(signature_id, "", "", "", Visibility.HIDDEN, "", is_withdrawn=True)

    @property
    def verified_kinds(self) -> tuple[ProofKind, ...]:
        """The kinds of proof that hold, in the order of `ProofKind`."""
        held = {proof.kind for proof in self.proofs if proof.state is ProofState.VERIFIED}
        return tuple(kind for kind in ProofKind if kind in held)

    @property
    def counts(self) -> bool:
        """Say whether they stand under the letter: verified, and not withdrawn."""
        return bool(self.verified_kinds) and not self.is_withdrawn


@dataclass(frozen=True, slots=True)
class Cell:
    """So many signatories are of one profession, country or kind of proof."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Table:
    """Cells, largest first, and how many are in none: hidden, unsaid, or too few to be shown."""

    cells: tuple[Cell, ...] = ()
    rest: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Who signed. ``verified`` is the total; ``unverified`` ones are apart, and nowhere else."""

    verified: int
    unverified: int
    withdrawn: int
    named: int
    professions: Table
    countries: Table
    proofs: tuple[Cell, ...]


def counted(signatories: Iterable[Signatory]) -> Counts:
    """Return the counts of everybody who signed a letter."""
    everybody = list(signatories)
    standing = [each for each in everybody if each.counts]
    withdrawn = sum(each.is_withdrawn for each in everybody)
    return Counts(
        verified=len(standing),
        unverified=len(everybody) - len(standing) - withdrawn,
        withdrawn=withdrawn,
        named=sum(each.visibility is Visibility.NAMED for each in standing),
        professions=_table([(tidy_profession(s.profession), s.visibility) for s in standing]),
        countries=_table([(s.country, s.visibility) for s in standing]),
        proofs=_proof_cells(standing),
    )


def tidy_profession(text: str) -> str:
    """Return a profession so that one is one cell, however it was typed."""
    return unicodedata.normalize("NFC", " ".join(text.casefold().split()))


def _table(answers: Sequence[tuple[str, Visibility]]) -> Table:
    shown = _shown(answers)
    rest = len(answers) - sum(shown.values())
    while 0 < rest < CELL_MIN and shown:
        rest += shown.pop(min(shown, key=lambda label: (shown[label], label)))
    return Table(_sorted(shown), rest)


def _shown(answers: Iterable[tuple[str, Visibility]]) -> dict[str, int]:
    """Return what may be shown of each label: see the rules above."""
    named: Counter[str] = Counter()
    nameless: Counter[str] = Counter()
    for label, visibility in answers:
        if label and visibility is Visibility.NAMED:
            named[label] += 1
        elif label and visibility is Visibility.COUNTED:
            nameless[label] += 1
    counts = {
        label: named[label] + (nameless[label] if nameless[label] >= CELL_MIN else 0)
        for label in named.keys() | nameless.keys()
    }
    return {label: count for label, count in counts.items() if count >= CELL_MIN}


def _proof_cells(standing: Iterable[Signatory]) -> tuple[Cell, ...]:
    answers = [(str(kind), each.visibility) for each in standing for kind in each.verified_kinds]
    return _sorted(_shown(answers))


def _sorted(counts: dict[str, int]) -> tuple[Cell, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Cell(label, count) for label, count in ordered)
