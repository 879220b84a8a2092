"""compare: what changes between two clearances of the same corpus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tercet.flows.verify import read_clearance
from tercet.store.verdict_counts import changed_items, changes


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both clearances' particulars, the moves between verdicts, and examples of them.

    ``moves`` are (verdict before, verdict after, items), "absent" where an item is missing;
    ``examples`` are (item, before, after, reasons before, reasons after).
    """

    before: dict[str, Any]
    after: dict[str, Any]
    moves: tuple[tuple[str, str, int], ...]
    examples: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...]

    @property
    def changed_count(self) -> int:
        """How many items have another verdict."""
        return sum(count for before, after, count in self.moves if before != after)


def compare(before: Path, after: Path, *, example_count: int = 20) -> Comparison:
    """Compare two clearances: of other policies, or of the same corpus at other dates.

    Items are matched by position when both clear the same inputs, else by name. Raises
    InputError when a folder holds no clearance, IntegrityError when its verdicts cannot be read.
    """
    documents = [read_clearance(folder).document for folder in (before, after)]
    same = documents[0]["corpus"]["inputs"] == documents[1]["corpus"]["inputs"]
    tables = [
        [folder / part["file"] for part in document["parts"]]
        for folder, document in zip((before, after), documents, strict=True)
    ]
    moves = tuple(
        (first or "absent", second or "absent", count)
        for first, second, count in changes(*tables, by_position=same)
    )
    examples = changed_items(*tables, by_position=same, limit=example_count)
    return Comparison(
        before=_particulars(documents[0]),
        after=_particulars(documents[1]),
        moves=moves,
        examples=tuple(
            (item, first or "absent", second or "absent", tuple(old or ()), tuple(new or ()))
            for item, first, second, old, new in examples
        ),
    )


def _particulars(document: dict[str, Any]) -> dict[str, Any]:
    policy = document["policy"]
    return {
        "policy": f"{policy['id']}@{policy['version']}",
        "usage": document["usage"],
        "created_at": document["created_at"],
        "verdicts": document["verdicts"],
    }
