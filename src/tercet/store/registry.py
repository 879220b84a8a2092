"""The registry of works: what was registered, by whom, under which terms, and what is disputed.

    registry.sqlite   works, claims, disputes and the log       (store/registry_schema.py)
    fingerprints/     what works are found by                   (store/fingerprint_segments.py)
    previews/         a small JPEG of each work that can be seen

A work is registered in this order: a number is taken, its fingerprints and preview are written
under it, one transaction makes the work and its claims stand. Whenever the writer is killed,
nothing that was acknowledged is lost, and fingerprints without a standing claim find nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tercet.consent.fingerprints.fingerprint import Fingerprint
from tercet.consent.registry.claim import Check
from tercet.consent.registry.conflicts import Step
from tercet.consent.registry.dispute import Act, Dispute, DisputeKind, role_of
from tercet.consent.registry.replay import REGISTRY_TYPE
from tercet.core.errors import RefusedError, StorageError
from tercet.core.work import Medium
from tercet.store import registry_log, registry_writes
from tercet.store.files import write_atomically
from tercet.store.registry_reader import RegistryReader
from tercet.store.registry_rows import (
    LIVE,
    claim_row,
    dispute_named,
    fallen_works,
    is_challenged,
    live_numbers,
    standing_claims,
)
from tercet.store.registry_writes import Registered, Registration, Signing

__all__ = ["Registered", "Registration", "Registry", "Signing"]

_ATTEMPTS = 5
_MEDIA_OF = {
    Medium.IMAGE: (Medium.IMAGE,),
    Medium.VIDEO: (Medium.VIDEO, Medium.AUDIO),
    Medium.AUDIO: (Medium.AUDIO,),
    Medium.TEXT: (Medium.TEXT,),
}


class Registry(RegistryReader):
    """A registry's folder, for reading and writing."""

    @classmethod
    def open(cls, folder: Path) -> Registry:
        """Return the registry in ``folder``. Raises InputError where there is none."""
        registry = cls(folder)
        registry.database.check()
        return registry

    @classmethod
    def make(cls, folder: Path, keeper: Signing) -> Registry:
        """Return the registry in ``folder``, made there by ``keeper`` where there is none yet."""
        registry = cls(folder)
        try:
            registry.database.create()
        except OSError as error:
            raise StorageError(
                f"cannot make a registry in {folder}: {error.strerror or error}",
                hint="choose a folder you may write with --registry",
            ) from error
        with registry.database.writing() as connection:
            if registry_log.head(connection).entries == 0:
                document = {"type": REGISTRY_TYPE, "made_at": keeper.at}
                registry_log.append(connection, keeper.sign(document))
        return registry

    def register(
        self,
        batch: Sequence[Registration],
        signing: Signing,
        *,
        amend: bool = False,
        may_dispute: bool = False,
    ) -> list[Registered]:
        """Register works; when this returns they are acknowledged, in the order given.

        ``amend`` lets new claims replace those that the same key made before; ``may_dispute``
        registers what conflicts with other owners' claims and opens disputes, instead of
        refusing it. Raises StorageError; then works may be registered in part, and asking again
        completes it.
        """
        results: dict[int, Registered] = {}
        for _ in range(_ATTEMPTS):
            waiting = [at for at in range(len(batch)) if at not in results]
            if not waiting:
                break
            numbers = self._prepare(batch, waiting, signing, amend=amend, may_dispute=may_dispute)
            with self.database.writing() as connection:
                for at in waiting:
                    found = registry_writes.add(
                        connection,
                        batch[at],
                        signing,
                        number=numbers.get(at, 0),
                        amend=amend,
                        may_dispute=may_dispute,
                    )
                    if found is not None:
                        results[at] = found
            self._forget_unused(numbers, results)
        if len(results) < len(batch):
            raise StorageError(
                f"{self.folder} changed {_ATTEMPTS} times while works were registered",
                hint="run the same command again",
            )
        return [results[at] for at in range(len(batch))]

    def _prepare(
        self,
        batch: Sequence[Registration],
        waiting: Sequence[int],
        signing: Signing,
        *,
        amend: bool,
        may_dispute: bool,
    ) -> dict[int, int]:
        """Take numbers for what needs them and write their fingerprints and previews."""
        needing: dict[str, int] = {}
        with self.database.reading() as connection:
            for at in waiting:
                decision = registry_writes.decide_on(connection, batch[at], signing, amend=amend)
                adds = decision.step in (Step.NEW, Step.AMEND, Step.ATTACH) or may_dispute
                fingerprinted = bool(batch[at].work.methods)
                if adds and not registry_writes.home_of(decision, fingerprinted=fingerprinted):
                    needing.setdefault(batch[at].work.sha256, at)
        if not needing:
            return {}
        with self.database.writing() as connection:
            first = registry_writes.reserve(connection, len(needing))
        numbers = {at: first + rank for rank, at in enumerate(needing.values())}
        self._write_fingerprints([(number, batch[at]) for at, number in numbers.items()])
        return numbers

    def _write_fingerprints(self, numbered: Sequence[tuple[int, Registration]]) -> None:
        from tercet.consent.fingerprints.methods import method_for

        fingerprints: list[tuple[int, Fingerprint]] = []
        media: set[Medium] = set()
        for number, registration in numbered:
            fit = [each for each in registration.fingerprints if not each.unfit]
            fingerprints += [(number, each) for each in fit]
            if fit:
                media.update(_MEDIA_OF[registration.work.medium])
            if registration.preview:
                path = self.preview_path(number)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, registration.preview)
        if fingerprints:
            methods = [method_for(medium) for medium in sorted(media)]
            self.fingerprints.write(
                fingerprints, {method.name: dict(method.radii) for method in methods}
            )

    def _forget_unused(self, numbers: dict[int, int], results: dict[int, Registered]) -> None:
        """Remove the fingerprints of works that somebody else's write has made needless."""
        used = {result.number for result in results.values()}
        unused = [number for number in numbers.values() if number not in used]
        if unused:
            self.fingerprints.remove(unused)

    # ---- claims, disputes, decisions --------------------------------------------------------

    def withdraw(self, claim_id: str, reason: str, signing: Signing) -> str:
        """Take a claim back, by its id or the beginning of it; return the whole id.

        Only the key that signed it can. Raises InputError, RefusedError.
        """
        with self.database.writing() as connection:
            row = claim_row(connection, claim_id)
            if row.public_key != signing.public_key:
                raise RefusedError(
                    "only the key that signed a claim can withdraw it",
                    hint="give that key with --key",
                )
            if row.state != LIVE:
                raise RefusedError(f"the claim does not stand: it is {row.state}")
            registry_writes.withdraw(connection, row.claim_id, reason, signing)
            gone = {row.work} - live_numbers(connection, [row.work])
        self._remove(gone)
        return str(row.claim_id)

    def open_dispute(self, number: int, text: str, signing: Signing) -> str:
        """Challenge the claims of others on a work; return the dispute's id.

        Who has claims on the work too challenges with them, as the earlier or the later side.
        Raises RefusedError where there is nothing to challenge, or no new reason to.
        """
        with self.database.writing() as connection:
            claims = standing_claims(connection, work=number)
            mine = [each for each in claims if each.public_key == signing.public_key]
            others = [each for each in claims if each.public_key != signing.public_key]
            if not others:
                raise RefusedError(f"no other owner's claim stands on work {number}")
            respondent = others[0].public_key
            theirs = [each for each in others if each.public_key == respondent]
            if is_challenged(connection, theirs, signing.public_key):
                raise RefusedError(
                    "there is, or was, a dispute of the same key about these claims",
                    hint="a dispute can be brought once",
                )
            is_later = not mine or claims.index(mine[0]) > claims.index(theirs[0])
            sides = (theirs, mine) if is_later else (mine, theirs)
            dispute = registry_writes.new_dispute(
                DisputeKind.BY_HAND,
                earlier=[each.claim_id for each in sides[0]],
                later=[each.claim_id for each in sides[1]],
                respondent_key=respondent,
                signing=signing,
                challenger_is_later=is_later,
            )
            return registry_writes.open_dispute(connection, dispute, text, signing)

    def act_in_dispute(
        self,
        dispute_id: str,
        act: Act,
        text: str,
        signing: Signing,
        shares: tuple[tuple[str, int], ...] = (),
    ) -> Dispute:
        """Act in a dispute as whoever the key is. Raises InputError, RefusedError."""
        keeper = self.keeper()
        with self.database.writing() as connection:
            dispute = dispute_named(connection, dispute_id)
            role = role_of(dispute, signing.public_key, keeper)
            changed = registry_writes.act_in(connection, dispute, act, role, text, signing, shares)
            gone = fallen_works(connection, [changed])
        self._remove(gone)
        return changed

    def expire_due(self, signing: Signing) -> list[Dispute]:
        """Let every dispute expire whose deadline has passed; return them as they now are."""
        with self.database.reading() as connection:
            if not registry_writes.due(connection, signing.at):
                return []
        with self.database.writing() as connection:
            changed = registry_writes.expire_due(connection, signing)
            gone = fallen_works(connection, changed)
        self._remove(gone)
        return changed

    def reject_match(self, item_sha256: str, number: int, who: str, signing: Signing) -> bool:
        """Remember that a person looked and found no match; False when it was known already.

        Raises RefusedError unless the keeper of the registry signs: who wants an item cleared is
        not the one to say what stands in it.
        """
        if signing.public_key != self.keeper():
            raise RefusedError(
                "only the keeper of the registry says what is no match",
                hint="sign with the key that made the registry",
            )
        if self.work(number).sha256 == item_sha256:
            raise RefusedError(
                f"the item is work {number}, byte for byte: that is no question of looking",
                hint="if the claim is wrong, open a dispute: `tercet registry dispute open`",
            )
        with self.database.writing() as connection:
            return registry_writes.reject(connection, item_sha256, number, who, signing)

    def record_check(
        self, claim_id: str, domain: str, found: Check, note: str, signing: Signing
    ) -> None:
        """Record what a check of domain evidence found."""
        with self.database.writing() as connection:
            registry_writes.record_check(connection, claim_id, domain, found, note, signing)

    def _remove(self, numbers: Iterable[int]) -> None:
        gone = sorted(numbers)
        if gone:
            self.fingerprints.remove(gone)
