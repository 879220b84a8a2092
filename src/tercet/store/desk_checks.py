"""What a desk knows of the world, for the exchange: parties and their keys, agreements that stand.

Each question is read by itself. Inside a write transaction nobody else writes, so the answers hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.messages import MESSAGE_TYPE
from tercet.consent.licences.offer import OFFER_TYPE
from tercet.consent.licences.party_history import Parties, PartyHistory
from tercet.consent.licences.signing import signatures_of
from tercet.consent.licences.standing import check_offer, check_signers, require_valid
from tercet.consent.licences.termination import check_termination
from tercet.core.errors import RefusedError, TercetError
from tercet.store.desk_database import DeskDatabase
from tercet.store.desk_documents import (
    AgreementKnownError,
    KeptAgreement,
    KeptTermination,
    agreements_in,
    is_superseding,
    names_of_others,
    party_histories,
    terminations_of,
)


class NotAmendableError(RefusedError):
    """An agreement that cannot be superseded: it does not stand, or is another's."""

    code = "not-amendable"


def first_day_without(
    kept: KeptAgreement, ends: Iterable[KeptTermination], parties: Parties
) -> str:
    """Return the first day without an agreement, empty where none of its terminations has effect.

    What was taken in had effect or was a proposal, by what was known when it was seen.
    """
    agreement = agreement_of(kept.document)
    days = []
    for each in ends:
        try:
            has_effect = check_termination(each.document, agreement, parties, each.seen_at)
        except TercetError:
            continue  # its key was given up in the second it came: it ends nothing, nor stops all
        if has_effect:
            days.append(str(each.document["effective_on"]))
    return min(days, default="")


class _KnownParties(Mapping[str, PartyHistory]):
    """The parties of a desk, each read when it is asked for."""

    def __init__(self, database: DeskDatabase) -> None:
        self._database = database
        self._read: dict[str, PartyHistory | None] = {}

    def __getitem__(self, party: str) -> PartyHistory:
        if party not in self._read:
            with self._database.reading() as connection:
                self._read[party] = party_histories(connection, party).get(party)
        found = self._read[party]
        if found is None:
            raise KeyError(party)
        return found

    def __iter__(self) -> Iterator[str]:
        with self._database.reading() as connection:
            return iter(names_of_others(connection, ""))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class DeskChecks:
    """The checks of one desk at one time, RFC 3339 in UTC."""

    def __init__(self, database: DeskDatabase, at: str) -> None:
        self._database = database
        self._at = at
        self._parties: Parties = _KnownParties(database)

    def check_signed(self, document: Mapping[str, Any], party: str) -> None:
        """Make sure that a party signed a document with a key that counts. Raises StandingError."""
        kind = str(document["type"])
        what = kind.removeprefix("tercet/").partition("@")[0]
        claimed_at = document["sent_at" if kind == MESSAGE_TYPE else "made_at"]
        its_own = [each for each in document["signatures"] if each["party"] == party]
        alone = {**document, "signatures": its_own}
        standing = check_signers(alone, (party,), self._parties, claimed_at, self._at)
        require_valid(standing, what)
        if kind == OFFER_TYPE and signatures_of(document)[0].party == party:
            require_valid(check_offer(document, self._parties, self._at), what)

    def check_supersedes(self, agreement: str, provider: str, consumer: str, pid: str) -> None:
        """Make sure that an agreement stands between the two and nobody else ends it."""
        with self._database.reading() as connection:
            found = agreements_in(connection, agreement_id=agreement)
            is_taken = is_superseding(connection, agreement, pid)
            ends = terminations_of(connection, agreement)
        is_ended = bool(found) and bool(first_day_without(found[0], ends, self._parties))
        is_theirs = bool(found) and (found[0].assigner, found[0].assignee) == (provider, consumer)
        if not is_theirs or is_taken or is_ended:
            raise NotAmendableError(
                f"expected an agreement of these two that stands and that nothing else takes the "
                f"place of, got {agreement}",
                hint="negotiate a new agreement, or amend the one that took its place",
            )

    def check_agreement_id(self, agreement: str, pid: str) -> None:
        """Make sure that no agreement of another negotiation has this id."""
        with self._database.reading() as connection:
            found = agreements_in(connection, agreement_id=agreement, final=False)
        if found and found[0].pid != pid:
            raise AgreementKnownError(f"another agreement has the id {agreement}")
