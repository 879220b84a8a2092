"""What the messages of a negotiation may say: offers, the agreement, and their deadlines.

An offer binds its maker until ``valid_until``: accepted, or agreed to, it must be before that, by
the receiver's clock. Each signature of an agreement must come within SIGNING_DAYS of the step
before, so that nobody is bound by a silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from tercet.consent.licences.agreement import agreement_of
from tercet.consent.licences.messages import Message
from tercet.consent.licences.negotiation import Step
from tercet.consent.licences.negotiation_side import Negotiation
from tercet.consent.licences.offer import Offer, offer_of
from tercet.consent.licences.signing import document_sha256, signatures_of
from tercet.consent.licences.terms_schema import terms_of
from tercet.core.canonical import canonical_json
from tercet.core.errors import IntegrityError, RefusedError
from tercet.core.strict_json import read_canonical_object
from tercet.core.terms import Terms

SIGNING_DAYS = 30


class LapsedError(RefusedError):
    """An offer, or the time to sign, that has run out."""

    code = "offer-lapsed"


class WrongPartiesError(RefusedError):
    """Terms or an agreement between others than the two who negotiate."""

    code = "wrong-parties"


class OtherOfferError(RefusedError):
    """An offer that does not answer the one before it, or takes its id."""

    code = "other-offer"


class OtherTextError(IntegrityError):
    """An agreement that does not say what was offered and accepted."""

    code = "other-text"


class SignerError(RefusedError):
    """A document that is signed by nobody, by somebody else, or by more than it should be."""

    code = "other-signer"


class Checks(Protocol):
    """What the exchange asks about the world outside of it; each raises a TercetError for no."""

    def check_signed(self, document: Mapping[str, Any], party: str) -> None:
        """Make sure that ``party`` signed a document, with a key that counts."""

    def check_supersedes(self, agreement: str, provider: str, consumer: str, pid: str) -> None:
        """Make sure that an agreement stands between the two and may be amended.

        ``pid`` is our id of the negotiation that wants to: no other one may be about to.
        """

    def check_agreement_id(self, agreement: str, pid: str) -> None:
        """Make sure that no agreement of another negotiation has this id."""


def check_content(negotiation: Negotiation, message: Message, checks: Checks, at: str) -> None:
    """Make sure that a message says what may be said at its place. Raises a TercetError."""
    supersedes = negotiation.supersedes or message.supersedes
    if supersedes and message.step is not Step.TERMINATE:
        checks.check_supersedes(
            supersedes, negotiation.provider, negotiation.consumer, negotiation.pid
        )
    match message.step:
        case Step.REQUEST | Step.OFFER:
            _check_offer(negotiation, message, checks, at)
        case Step.ACCEPT:
            _check_open(offer_on_table(negotiation), at)
        case Step.AGREE:
            _check_agreement(negotiation, message, checks, at)
        case Step.VERIFY:
            _check_in_time(negotiation, at)
            _check_countersigned(negotiation, message, checks)
        case Step.FINALIZE:
            _check_in_time(negotiation, at)
            _check_same(negotiation, message)
        case Step.TERMINATE:
            return


def check_one_signature(document: Mapping[str, Any], party: str, checks: Checks) -> None:
    """Make sure that a document is signed by one party alone. Raises a TercetError."""
    signers = [signature.party for signature in signatures_of(document)]
    if signers != [party]:
        raise SignerError(f"expected one signature, by {party}, got {', '.join(signers) or 'none'}")
    checks.check_signed(document, party)


def offer_on_table(negotiation: Negotiation) -> Offer:
    """Return the offer that an acceptance would accept. Raises RefusedError before the first."""
    last = negotiation.last_offer
    if last is None:
        raise OtherOfferError("expected an offer before, got none")
    return offer_of(read_canonical_object(last.document))


def agreement_under_way(negotiation: Negotiation) -> bytes:
    """Return the agreement as it was last signed, empty before there is one."""
    steps = (Step.AGREE, Step.VERIFY, Step.FINALIZE)
    signed = [each.document for each in negotiation.applied if each.step in steps]
    return signed[-1] if signed else b""


def _check_offer(negotiation: Negotiation, message: Message, checks: Checks, at: str) -> None:
    document = read_canonical_object(message.document)
    offer = offer_of(document)
    _check_open(offer, at)
    check_one_signature(document, message.party, checks)
    _check_parties(terms_of(document["terms"]), negotiation)
    last = negotiation.last_offer
    if last is None:
        return
    before = offer_of(read_canonical_object(last.document))
    if offer.previous != before.id:
        raise OtherOfferError(f"expected an offer that answers {before.id}, got {offer.previous}")
    known = {offer_of(read_canonical_object(each.document)).id for each in _offers(negotiation)}
    if offer.id in known:
        raise OtherOfferError(f"expected a new offer, got the id of an earlier one, {offer.id}")


def _check_agreement(negotiation: Negotiation, message: Message, checks: Checks, at: str) -> None:
    offer = offer_on_table(negotiation)
    if negotiation.applied[-1].step is Step.ACCEPT:
        _check_in_time(negotiation, at)
    else:
        _check_open(offer, at)
    document = read_canonical_object(message.document)
    agreement = agreement_of(document)
    expected = {
        "consumer_pid": message.consumer_pid,
        "provider_pid": message.provider_pid,
        "assigner": negotiation.provider,
        "assignee": negotiation.consumer,
        "offer_sha256": offer.sha256,
        "supersedes": negotiation.supersedes,
    }
    for name, value in expected.items():
        if getattr(agreement, name) != value:
            raise OtherTextError(
                f"expected {value or 'nothing'} as {name} of the agreement, got "
                f"{getattr(agreement, name) or 'nothing'}",
                hint="it is about this negotiation, its parties and the offer on the table",
            )
    checks.check_agreement_id(agreement.id, negotiation.pid)
    if canonical_json(document["terms"]) != offer.terms:
        raise OtherTextError(
            "expected the terms of the offer on the table, got others",
            hint="terms cannot be altered on the way to a signature; make another offer",
        )
    check_one_signature(document, negotiation.provider, checks)


def _check_countersigned(negotiation: Negotiation, message: Message, checks: Checks) -> None:
    """The same text with the signatures it had, and the consumer's."""
    before = read_canonical_object(agreement_under_way(negotiation))
    document = read_canonical_object(message.document)
    had, has = signatures_of(before), signatures_of(document)
    is_same = document_sha256(document) == document_sha256(before) and has[: len(had)] == had
    if not is_same or [each.party for each in has[len(had) :]] != [negotiation.consumer]:
        raise OtherTextError(
            "expected the agreement as the provider signed it, with the consumer's signature "
            "added, got another text"
        )
    checks.check_signed(document, negotiation.consumer)


def _check_same(negotiation: Negotiation, message: Message) -> None:
    if message.document != agreement_under_way(negotiation):
        raise OtherTextError("expected the agreement that both signed, got another text")


def _check_parties(terms: Terms, negotiation: Negotiation) -> None:
    licensee = terms.licensee.id if terms.licensee is not None else ""
    if (terms.licensor.id, licensee) != (negotiation.provider, negotiation.consumer):
        raise WrongPartiesError(
            f"expected terms of {negotiation.provider} for {negotiation.consumer}, got terms of "
            f"{terms.licensor.id} for {licensee or 'everybody'}"
        )


def _check_open(offer: Offer, at: str) -> None:
    if not offer.is_open(at):
        raise LapsedError(
            f"the offer {offer.id} was open until {offer.valid_until}, and it is {at}",
            hint="ask for another offer, or make one",
        )


def _check_in_time(negotiation: Negotiation, at: str) -> None:
    since = [entry.at for entry in negotiation.entries if entry.message in negotiation.applied][-1]
    last = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    until = (last + timedelta(days=SIGNING_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if at >= until:
        raise LapsedError(f"expected the next step before {until}, got it at {at}")


def _offers(negotiation: Negotiation) -> tuple[Message, ...]:
    return tuple(each for each in negotiation.applied if each.step in (Step.REQUEST, Step.OFFER))
