"""A desk: one party's folder, with all that it said, heard, signed and agreed to.

    desk.sqlite              parties, offers, negotiations, agreements   (store/desk_schema.py)
    repertoires/<sha256>.txt lists of works, by the SHA-256 of their bytes

Every method is one transaction: what it has returned from is on the disk, and outlives the process.
Times and ids come from the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import insert, select

from tercet.consent.licences import exchange
from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.exchange import Applied, Outcome
from tercet.consent.licences.messages import Answer, Message
from tercet.consent.licences.negotiation import Role, State
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.party import party_of
from tercet.consent.licences.party_history import (
    Parties,
    PartyForkError,
    PartyHistory,
    receive_parties,
)
from tercet.consent.licences.signing import Document
from tercet.consent.licences.standing import check_agreement, require_valid
from tercet.consent.licences.termination import check_termination
from tercet.core.errors import InputError, MissingError
from tercet.store import desk_documents as documents
from tercet.store import desk_negotiations as negotiations
from tercet.store.desk_checks import DeskChecks, first_day_without
from tercet.store.desk_database import FILE_NAME, DeskDatabase
from tercet.store.desk_documents import KeptAgreement, KeptOffer, KeptTermination
from tercet.store.desk_forks import Fork, add_fork, forks_of
from tercet.store.desk_names import names_like
from tercet.store.desk_negotiations import Listed, UnderWay
from tercet.store.desk_repertoires import DeskRepertoires
from tercet.store.desk_schema import CONFIRMED_NAMES, SETTINGS


class Desk:
    """One party's desk. Methods may be called from any thread, and from several processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = DeskDatabase(folder / FILE_NAME)
        self.repertoires = DeskRepertoires(folder / "repertoires", self.database)

    @classmethod
    def open(cls, folder: Path) -> Desk:
        """Return the desk in ``folder``. Raises InputError where there is none."""
        desk = cls(folder)
        desk.database.check()
        if not desk.database.is_whole():  # tables that came with a later version
            desk.database.create()
        return desk

    @classmethod
    def make(cls, folder: Path, document: Document, at: str) -> Desk:
        """Make a desk for the party of a signed document; where it is there already, open it.

        Raises InputError where the folder is another party's desk.
        """
        desk, party = cls(folder), receive_parties(None, [document], at).id
        desk.database.create()
        with desk.database.writing() as connection:
            query = select(SETTINGS.c.value).where(SETTINGS.c.name == "party")
            owner = connection.execute(query).scalar()
            if owner is None:
                connection.execute(insert(SETTINGS).values(name="party", value=party))
            elif owner != party:
                raise InputError(f"{folder} is the desk of {owner}", hint="choose another --desk")
        desk.take_parties([document], at)
        return desk

    @property
    def party(self) -> str:
        """The id of the party whose desk this is."""
        with self.database.reading() as connection:
            query = select(SETTINGS.c.value).where(SETTINGS.c.name == "party")
            return str(connection.execute(query).scalar_one())

    def close(self) -> None:
        """Close its files."""
        self.database.close()

    # ---- parties ------------------------------------------------------------------------------

    def parties(self) -> Parties:
        """Return every party that is known, with all versions of its document."""
        with self.database.reading() as connection:
            return documents.party_histories(connection)

    def party_history(self, party: str) -> PartyHistory:
        """Return all versions of a party's document. Raises MissingError."""
        with self.database.reading() as connection:
            found = documents.party_histories(connection, party)
        if party not in found:
            raise MissingError(
                f"the party {party} is not known here",
                hint="`tercet desk add` takes its document, from a file, its desk or its address",
            )
        return found[party]

    def knows(self, party: str) -> bool:
        """Say whether a party is known."""
        with self.database.reading() as connection:
            return documents.knows_party(connection, party)

    def party_count(self) -> int:
        """Return how many parties are known, our own included."""
        with self.database.reading() as connection:
            return documents.count_parties(connection)

    def take_parties(
        self, versions: Iterable[Document], at: str, *, confirmed: frozenset[str] = frozenset()
    ) -> PartyHistory:
        """Take in the documents of one party, in order; known ones are passed over.

        ``confirmed`` are parties of a similar name that a person told apart from it: that is kept.
        Raises what party_history.receive_parties raises; the evidence of a fork is kept first.
        """
        given = list(versions)
        if not given:
            raise InputError("expected the documents of a party, got none")
        try:
            return self._take_parties(given, at, confirmed)
        except PartyForkError as fork:
            with self.database.writing() as connection:
                add_fork(connection, fork.documents[1], at)
            raise

    def party_forks(self, party: str = "") -> tuple[Fork, ...]:
        """Return the documents that contradict a known version of their party, as they came."""
        with self.database.reading() as connection:
            return forks_of(connection, party)

    def _take_parties(
        self, given: list[Document], at: str, confirmed: frozenset[str]
    ) -> PartyHistory:
        party = party_of(given[0]).id
        names = {name for each in given if isinstance(name := each.get("name"), str)}
        with self.database.writing() as connection:
            known = documents.party_histories(connection, party)
            for other in confirmed:
                connection.execute(
                    insert(CONFIRMED_NAMES)
                    .prefix_with("OR IGNORE")
                    .values(party=party, other=other, at=at)
                )
            query = select(CONFIRMED_NAMES.c.other).where(CONFIRMED_NAMES.c.party == party)
            before = known.get(party)
            after = receive_parties(
                before,
                given,
                at,
                known_names=names_like(connection, names, party),
                confirmed=frozenset(connection.execute(query).scalars()),
            )
            count = 0 if before is None else len(before.versions)
            documents.add_party_versions(connection, count, after)
        return after

    # ---- negotiations -------------------------------------------------------------------------

    def checks(self, at: str) -> DeskChecks:
        """Return what this desk knows at a time, for the exchange."""
        return DeskChecks(self.database, at)

    def begin(self, role: Role, peer: str, *, pid: str, peer_address: str, at: str) -> Negotiation:
        """Write a negotiation of ours in which nothing happened yet; ``prepare`` comes next."""
        fresh = Negotiation(role, pid, self.party, peer, peer_address=peer_address)
        with self.database.writing() as connection:
            negotiations.add_negotiation(connection, fresh, at)
        return fresh

    def prepare(self, message: Message, at: str) -> Negotiation:
        """Put our signed message under way: into the outbox. Raises what exchange.prepare does."""
        pid = message.pid(message.sender)
        with self.database.writing() as connection:
            before = negotiations.negotiation_in(connection, pid)
            after = exchange.prepare(before, message, self.checks(at), at)
            negotiations.save_negotiation(connection, before, after, at)
        return after

    def receive(self, message: Message, at: str, *, new_pid: str) -> Outcome:
        """Take a message of another party; ``new_pid`` is our id should it begin a negotiation.

        Raises MissingError where it is about a negotiation that is not here.
        """
        role = message.sender.other
        with self.database.writing() as connection:
            pid = message.pid(role) or negotiations.pid_of_peer(
                connection, message.party, message.pid(message.sender), role
            )
            if pid:
                before = negotiations.negotiation_in(connection, pid)
            else:
                before = Negotiation(role, new_pid, self.party, message.party)
            outcome = exchange.receive(before, message, self.checks(at), at)
            if not pid and isinstance(outcome, Applied):
                negotiations.add_negotiation(connection, before, at)
            if pid or isinstance(outcome, Applied):
                negotiations.save_negotiation(connection, before, outcome.negotiation, at)
                documents.keep_documents(connection, before, outcome.negotiation)
        return outcome

    def acknowledge(self, pid: str, answer: Answer, at: str) -> Negotiation:
        """Take the other side's answer to our message under way."""
        with self.database.writing() as connection:
            before = negotiations.negotiation_in(connection, pid)
            after = exchange.acknowledge(before, answer, at)
            negotiations.save_negotiation(connection, before, after, at)
            documents.keep_documents(connection, before, after)
        return after

    def compare(self, asked: Negotiation, said: State | None, at: str) -> Negotiation:
        """Take the state that the other side told; where both differ, ours is terminated.

        ``asked`` is the negotiation as it was before the other side was asked.
        """
        pid = asked.pid
        with self.database.writing() as connection:
            before = negotiations.negotiation_in(connection, pid)
            after = exchange.compare(before, said, asked, at)
            negotiations.save_negotiation(connection, before, after, at)
        return after

    def abandon(self, pid: str, words: str, at: str) -> Negotiation:
        """Give up a negotiation that was never answered."""
        with self.database.writing() as connection:
            before = negotiations.negotiation_in(connection, pid)
            after = exchange.abandon(before, words, at)
            negotiations.save_negotiation(connection, before, after, at)
        return after

    def negotiation(self, pid: str) -> Negotiation:
        """Return a negotiation with its whole history. Raises MissingError."""
        with self.database.reading() as connection:
            return negotiations.negotiation_in(connection, pid)

    def negotiations(self, *, peer: str = "") -> tuple[Listed, ...]:
        """Return all negotiations, or those with one party, the latest change first."""
        with self.database.reading() as connection:
            return negotiations.list_negotiations(connection, peer=peer)

    def outbox(self, *, due_at: str = "", pid: str = "") -> tuple[UnderWay, ...]:
        """Return our messages under way: all, those due at a time, or that of one negotiation."""
        with self.database.reading() as connection:
            return negotiations.outbox(connection, due_at=due_at, pid=pid)

    def put_off(self, pid: str, *, due_at: str, note: str) -> None:
        """Note that a message could not be delivered, and when to try again."""
        with self.database.writing() as connection:
            negotiations.put_off(connection, pid, due_at=due_at, note=note)

    # ---- offers and agreements ----------------------------------------------------------------

    def add_offer(self, document: Document, at: str) -> None:
        """Keep a published offer, our own or another's."""
        with self.database.writing() as connection:
            documents.add_offer(connection, document, at)

    def withdraw_offer(self, offer_id: str, at: str) -> None:
        """Note that a published offer is taken back."""
        with self.database.writing() as connection:
            documents.withdraw_offer(connection, offer_id, at)

    def offers(
        self, *, published: bool = True, licensor: str = "", offer_id: str = ""
    ) -> tuple[KeptOffer, ...]:
        """Return offers, the latest first: those published, or also those made in negotiations."""
        with self.database.reading() as connection:
            return documents.offers_in(
                connection, published=published, licensor=licensor, offer_id=offer_id
            )

    def set_reserve(self, subject: str, price: bytes, at: str) -> None:
        """Keep what we would still take (canonical JSON). It never leaves the desk."""
        with self.database.writing() as connection:
            documents.set_reserve(connection, subject, price, at)

    def reserve(self, subject: str) -> bytes:
        """Return what was kept as reserve for an offer or a negotiation, empty for none."""
        with self.database.reading() as connection:
            return documents.reserve_of(connection, subject)

    def agreements(self, *, final: bool = True) -> tuple[KeptAgreement, ...]:
        """Return the agreements: those that were finalized, or all that were ever signed."""
        with self.database.reading() as connection:
            return documents.agreements_in(connection, final=final)

    def agreement(self, agreement_id: str) -> KeptAgreement:
        """Return one agreement, finalized or not. Raises MissingError."""
        with self.database.reading() as connection:
            found = documents.agreements_in(connection, agreement_id=agreement_id, final=False)
        if not found:
            raise MissingError(f"no agreement {agreement_id} here")
        return found[0]

    def take_agreement(self, document: Document, at: str) -> KeptAgreement:
        """Take in a whole agreement that was negotiated elsewhere, signed by both.

        Raises StandingError where it does not count, NotFinalError where we negotiated it and did
        not finalize it: both signatures alone do not make it stand.
        """
        standing = check_agreement(document, self.parties(), None, at)
        require_valid(standing, "agreement")
        agreement_id = agreement_of(document).id
        with self.database.writing() as connection:
            documents.check_may_be_taken(connection, agreement_id)
            documents.add_agreement(connection, document, at)
            documents.add_final(connection, agreement_id, at)
        return self.agreement(agreement_id)

    def take_termination(self, document: Document, at: str) -> bool:
        """Keep the termination of a final agreement; say whether it has effect.

        One that both must sign may come with one signature, as a proposal. Raises MissingError for
        the agreement, and what check_termination raises.
        """
        kept = self.agreement(str(document.get("agreement")))
        if not kept.final_at:
            raise MissingError(f"the agreement {kept.id} was never finalized")
        agreement = agreement_of(kept.document)
        has_effect = check_termination(document, agreement, self.parties(), at)
        with self.database.writing() as connection:
            documents.add_termination(connection, document, at)
        return has_effect

    def terminations(self, agreement_id: str) -> tuple[KeptTermination, ...]:
        """Return the terminations of an agreement, proposals included, in the order they came."""
        with self.database.reading() as connection:
            return documents.terminations_of(connection, agreement_id)

    def terminated_on(self, agreement_id: str) -> str:
        """Return the first day without the agreement, empty where nothing ended it."""
        ends = self.terminations(agreement_id)
        return first_day_without(self.agreement(agreement_id), ends, self.parties())
