"""The model a run goes on from: its record must hold, and all its works must be cleared again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tercet.core.errors import InputError, RefusedError
from tercet.flows.verify_model import require_record
from tercet.store.files import sha256_of_file
from tercet.studio.training_record import RECORD_NAME, WORKS_NAME, WorkLine, parse_works

if TYPE_CHECKING:
    from tercet.studio.model.weights import StudioModel


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """A model of ours whose weights a run begins with. ``entry`` is what plan and record say."""

    model: StudioModel
    works: tuple[WorkLine, ...]
    entry: dict[str, Any]

    @classmethod
    def asked(cls, folder: Path) -> Parent:
        """Return the model in ``folder`` once every check of its record holds.

        Raises InputError where there is no model, IntegrityError where one does not fit its
        record, RefusedError for an adapter: nobody can say what its base has learned from.
        """
        from tercet.studio.model.weights import read_model

        record = require_record(folder)
        model = read_model(folder)
        entry = {
            "name": model.name,
            "model_sha256": model.sha256,
            "record_sha256": sha256_of_file(folder / RECORD_NAME),
            "key_id": str(record["signature"]["key_id"]),
            "samples": record["samples"] + record.get("parent", {}).get("samples", 0),
        }
        return cls(model, parse_works((folder / WORKS_NAME).read_bytes()), entry)

    def require_cleared(self, lines: Sequence[WorkLine]) -> None:
        """Raise RefusedError unless this run reads every work that the parent learned from.

        What a parent has learned cannot be taken out of its weights again, so a work whose
        clearance has ended ends the line of models that learned from it.
        """
        here = {line.work for line in lines}
        lacking = [work for work in self.works if work.work not in here]
        if lacking:
            raise RefusedError(
                f"{len(lacking)} of {len(self.works)} works that {self.entry['name']!r} learned "
                f"from are not cleared here, the first {lacking[0].title!r:.80} "
                f"(SHA-256 {lacking[0].work:.16})",
                hint="train from nothing, or clear those works too",
            )

    def require_words(self, words: Sequence[str]) -> None:
        """Raise InputError unless the parent knows exactly these words."""
        if tuple(words) != self.model.vocabulary.words:
            raise InputError(
                f"{self.entry['name']!r} knows {len(self.model.vocabulary.words)} words, the "
                f"captions of this run have {len(words)}, or others",
                hint="go on with the same works; for others train from nothing",
            )
