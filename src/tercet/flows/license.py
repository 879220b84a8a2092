"""license: the steps of a negotiation as one side takes them: said, signed, put under way.

Each step writes one signed message into the desk's outbox; `license_delivery` delivers it. A step
is checked here as the other side will check it, so that nothing wrong is ever signed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tercet.consent.licences.agreement import Agreement, agreement_document
from tercet.consent.licences.exchange_content import agreement_under_way, offer_on_table
from tercet.consent.licences.messages import Message, signed_message
from tercet.consent.licences.negotiation import Role, State, Step
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.offer import Offer, offer_document, offer_of
from tercet.consent.licences.signing import signed
from tercet.consent.licences.standing import offered_terms
from tercet.consent.licences.termination import (
    Termination,
    TerminationReason,
    termination_document,
)
from tercet.consent.licences.terms_schema import terms_fields
from tercet.core.canonical import canonical_json
from tercet.core.errors import ConflictError, InputError
from tercet.core.strict_json import read_canonical_object
from tercet.core.terms import PartyName, Terms
from tercet.flows.desk import OpenDesk
from tercet.flows.license_post import FILE_SCHEME
from tercet.flows.license_repertoires import need_repertoire

VALID_DAYS = 14
VALID_DAYS_MAX = 3650


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side: its party's id, and where it takes messages."""

    party: str
    address: str


@dataclass(frozen=True, slots=True)
class NegotiatedOffer:
    """An offer that took effect in a negotiation: who made it, and its terms."""

    maker: Role
    offer: Offer
    terms: Terms


def request(
    desk: OpenDesk, peer: Peer, terms: Terms, *, valid_days: int = VALID_DAYS,
    previous: str = "", supersedes: str = "",
) -> Negotiation:  # fmt: skip
    """Ask a provider for a licence on these terms; we are the licensee, whatever they say.

    ``previous`` is the id of a published offer that it answers, ``supersedes`` that of an
    agreement to be amended. Raises InputError, or what `Desk.prepare` raises.
    """
    ours = replace(terms, licensee=_own_name(desk))
    return _begun(desk, Role.CONSUMER, Step.REQUEST, peer, ours, valid_days, previous, supersedes)


def offer(
    desk: OpenDesk, peer: Peer, terms: Terms, *, valid_days: int = VALID_DAYS,
    previous: str = "", supersedes: str = "",
) -> Negotiation:  # fmt: skip
    """Offer a licence to a consumer that has not asked. Raises as `request` does."""
    name = desk.store.party_history(peer.party).latest.name
    theirs = replace(terms, licensee=PartyName(peer.party, name))
    return _begun(desk, Role.PROVIDER, Step.OFFER, peer, theirs, valid_days, previous, supersedes)


def counter(desk: OpenDesk, pid: str, terms: Terms, *, valid_days: int = VALID_DAYS) -> Negotiation:
    """Answer the other side's offer with one of ours. Raises ConflictError when it is not on."""
    negotiation = desk.store.negotiation(pid)
    step = Step.REQUEST if negotiation.role is Role.CONSUMER else Step.OFFER
    before = offer_on_table(negotiation)
    document = _signed_offer(desk, terms, valid_days, before.id)
    return _say(desk, negotiation, step, document)


def accept(desk: OpenDesk, pid: str) -> Negotiation:
    """Take the other side's offer: a consumer accepts it, a provider agrees and signs."""
    negotiation = desk.store.negotiation(pid)
    if negotiation.role is Role.PROVIDER:
        return _agree(desk, negotiation)
    return _say(desk, negotiation, Step.ACCEPT)


def sign(desk: OpenDesk, pid: str) -> Negotiation:
    """Do the signing that is next: the provider's, then the consumer's, then the provider's end.

    A consumer signs only when it has the list of works and has read it. Raises ConflictError where
    there is nothing to sign, MissingError or IntegrityError for the list.
    """
    negotiation = desk.store.negotiation(pid)
    match negotiation.role, negotiation.state:
        case Role.PROVIDER, State.REQUESTED | State.ACCEPTED:
            return _agree(desk, negotiation)
        case Role.CONSUMER, State.AGREED:
            return _verify(desk, negotiation)
        case Role.PROVIDER, State.VERIFIED:
            document = read_canonical_object(agreement_under_way(negotiation))
            return _say(desk, negotiation, Step.FINALIZE, document)
    raise ConflictError(
        f"there is nothing for the {negotiation.role} to sign while the negotiation is "
        f"{negotiation.state or 'not begun'}",
        hint="`tercet license show` tells whose turn it is",
    )


def terminate(
    desk: OpenDesk, pid: str, *, code: str = "ended", reasons: tuple[str, ...] = ()
) -> Negotiation:
    """End a negotiation; one that was never answered is given up.

    Raises ConflictError in states in which this side may not.
    """
    negotiation = desk.store.negotiation(pid)
    if negotiation.state is None:
        words = " ".join(reasons) or code
        return desk.store.abandon(pid, words, desk.clock())
    return _say(desk, negotiation, Step.TERMINATE, code=code, reasons=reasons)


def end_agreement(
    desk: OpenDesk, agreement_id: str, reason: TerminationReason, effective_on: str
) -> tuple[dict[str, Any], bool]:
    """Sign the end of an agreement, or the end that the other side has signed already.

    Returns the document and whether it has effect: one that both must sign is a proposal until
    then, and is given to the other side. Raises InputError, TerminationError.
    """
    signer = desk.signer()
    for known in desk.store.terminations(agreement_id):
        told = known.document
        same = (told["reason"], told["effective_on"]) == (str(reason), effective_on)
        if same and desk.store.party not in known.signers:
            document = signed(told, signer)
            return document, desk.store.take_termination(document, desk.clock())
    ended = Termination(agreement_id, reason, effective_on, desk.clock())
    document = signed(termination_document(ended), signer)
    return document, desk.store.take_termination(document, desk.clock())


def offers_of(negotiation: Negotiation) -> tuple[NegotiatedOffer, ...]:
    """Return the offers that took effect, the first one first."""
    found = []
    for message in negotiation.applied:
        if message.step in (Step.REQUEST, Step.OFFER):
            made = offer_of(read_canonical_object(message.document))
            found.append(NegotiatedOffer(message.sender, made, offered_terms(made)))
    return tuple(found)


def _begun(
    desk: OpenDesk, role: Role, step: Step, peer: Peer, terms: Terms, valid_days: int,
    previous: str, supersedes: str,
) -> Negotiation:  # fmt: skip
    if peer.party == desk.store.party:
        raise InputError("expected another party, got ourselves")
    if desk.address.startswith(FILE_SCHEME) and not peer.address.startswith(FILE_SCHEME):
        raise InputError(
            f"{peer.address or 'the other side'} could not answer: our party has no address",
            hint="tercet desk change --address https://example.org/dsp, and tercet serve --desk",
        )
    document = _signed_offer(desk, terms, valid_days, previous)
    pid = desk.make_id()
    fresh = desk.store.begin(role, peer.party, pid=pid, peer_address=peer.address, at=desk.clock())
    try:
        return _say(desk, fresh, step, document, supersedes=supersedes)
    except Exception:
        desk.store.abandon(pid, "its first message was not fit to be sent", desk.clock())
        raise


def _agree(desk: OpenDesk, negotiation: Negotiation) -> Negotiation:
    """Sign the text of the offer on the table, whoever made it."""
    on_table = offer_on_table(negotiation)
    agreement = Agreement(
        id=desk.make_id(),
        consumer_pid=negotiation.consumer_pid,
        provider_pid=negotiation.provider_pid,
        made_at=desk.clock(),
        terms=offered_terms(on_table),
        offer_sha256=on_table.sha256,
        supersedes=negotiation.supersedes,
    )
    document = signed(agreement_document(agreement), desk.signer())
    return _say(desk, negotiation, Step.AGREE, document)


def _verify(desk: OpenDesk, negotiation: Negotiation) -> Negotiation:
    """Sign what the provider signed, once its list of works is here."""
    document = read_canonical_object(agreement_under_way(negotiation))
    terms = offered_terms(offer_on_table(negotiation))
    need_repertoire(desk, terms.repertoire, negotiation.peer_address)
    return _say(desk, negotiation, Step.VERIFY, signed(document, desk.signer()))


def _say(
    desk: OpenDesk,
    negotiation: Negotiation,
    step: Step,
    document: dict[str, Any] | None = None,
    *,
    supersedes: str = "",
    code: str = "",
    reasons: tuple[str, ...] = (),
) -> Negotiation:
    """Sign one message and put it under way.

    Another server is not told of a folder: it goes on answering where it answered before.
    """
    is_folder = desk.address.startswith(FILE_SCHEME)
    to_folder = negotiation.peer_address.startswith(FILE_SCHEME)
    message = Message(
        step=step,
        sender=negotiation.role,
        message_id=desk.make_id(),
        sent_at=desk.clock(),
        party=negotiation.party,
        consumer_pid=negotiation.consumer_pid,
        provider_pid=negotiation.provider_pid,
        follows=negotiation.head,
        address="" if is_folder and not to_folder else desk.address,
        supersedes=supersedes,
        code=code,
        reasons=reasons,
        document=b"" if document is None else canonical_json(document),
        introduction=canonical_json(desk.introduction),
    )
    return desk.store.prepare(signed_message(message, desk.signer()), desk.clock())


def _signed_offer(desk: OpenDesk, terms: Terms, valid_days: int, previous: str) -> dict[str, Any]:
    if not 1 <= valid_days <= VALID_DAYS_MAX:
        raise InputError(f"expected 1 to {VALID_DAYS_MAX} days of validity, got {valid_days}")
    made_at = desk.clock()
    moment = datetime.strptime(made_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    until = moment + timedelta(days=valid_days)
    document = offer_document(
        offer_id=desk.make_id(),
        made_at=made_at,
        valid_until=until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        terms=terms_fields(terms),
        previous=previous,
    )
    return signed(document, desk.signer())


def _own_name(desk: OpenDesk) -> PartyName:
    party = desk.party
    return PartyName(party.id, party.name)
