"""How a signed document stands: whether it counts, and if not, why, with a word for each reason.

Signatures are looked at before what is signed is believed. Nothing here has a clock: ``seen_at``
is when the store that asks first saw the document so signed, which only it can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from tercet.consent.licences.agreement import Agreement, agreement_of
from tercet.consent.licences.exchange_content import SIGNING_DAYS
from tercet.consent.licences.offer import Offer, offer_of
from tercet.consent.licences.party_history import KeyStanding, Parties, key_standing
from tercet.consent.licences.signing import (
    Document,
    Signature,
    SignatureAlgorithmError,
    SignatureError,
    check_signature_over,
    document_sha256,
    signatures_of,
    signed_payload,
)
from tercet.consent.licences.terms_schema import terms_of
from tercet.core.errors import InputError, RefusedError
from tercet.core.strict_json import read_json
from tercet.core.terms import PartyName, Terms


class Standing(StrEnum):
    """How a document stands. All but VALID grant nothing."""

    VALID = "valid"
    MALFORMED = "malformed"
    UNSIGNED = "unsigned"
    OTHER_SIGNER = "other_signer"
    OTHER_ALGORITHM = "other_algorithm"
    WRONGLY_SIGNED = "wrongly_signed"
    UNKNOWN_PARTY = "unknown_party"
    UNKNOWN_KEY = "unknown_key"
    OTHER_KEY = "other_key"
    KEY_TOO_EARLY = "key_too_early"
    KEY_RETIRED = "key_retired"
    KEY_REVOKED = "key_revoked"
    OTHER_NAME = "other_name"
    OTHER_NEGOTIATION = "other_negotiation"
    OTHER_OFFER = "other_offer"
    OTHER_TEXT = "other_text"
    OFFER_EXPIRED = "offer_expired"
    OTHER_AGREEMENT = "other_agreement"
    REPERTOIRE_MISSING = "repertoire_missing"
    OTHER_REPERTOIRE = "other_repertoire"


WORDS: Mapping[Standing, str] = {
    Standing.VALID: "signed by both sides, and nothing was altered",
    Standing.MALFORMED: "not a document of the form it claims",
    Standing.UNSIGNED: "not signed by everybody who must sign it",
    Standing.OTHER_SIGNER: "signed by somebody who is no party to it",
    Standing.OTHER_ALGORITHM: "signed by another algorithm than Ed25519",
    Standing.WRONGLY_SIGNED: "altered after it was signed, or signed by another key",
    Standing.UNKNOWN_PARTY: "signed by a party that is not known here",
    Standing.UNKNOWN_KEY: "signed by a key that its party never had",
    Standing.OTHER_KEY: "signed by the key of another party",
    Standing.KEY_TOO_EARLY: "dated before the key that signed it",
    Standing.KEY_RETIRED: "signed by a key that was retired before",
    Standing.KEY_REVOKED: "signed by a key that was revoked, and first seen after that",
    Standing.OTHER_NAME: "names a party by a name that it never gave itself",
    Standing.OTHER_NEGOTIATION: "carried here from another negotiation",
    Standing.OTHER_OFFER: "rests on another offer than the one that was accepted",
    Standing.OTHER_TEXT: "its terms are not those that were offered",
    Standing.OFFER_EXPIRED: "its offer was no longer open when it was made",
    Standing.OTHER_AGREEMENT: "about another agreement",
    Standing.REPERTOIRE_MISSING: "the list of its works is not here",
    Standing.OTHER_REPERTOIRE: "the list of works is not the one that was agreed",
}
"""What each standing says of a document, in plain words."""

_BY_KEY = {
    KeyStanding.VALID: Standing.VALID,
    KeyStanding.UNKNOWN: Standing.UNKNOWN_KEY,
    KeyStanding.TOO_EARLY: Standing.KEY_TOO_EARLY,
    KeyStanding.RETIRED: Standing.KEY_RETIRED,
    KeyStanding.REVOKED: Standing.KEY_REVOKED,
}


class StandingError(RefusedError):
    """A document that does not count; ``standing`` says why, and ``code`` names it."""

    def __init__(self, standing: Standing, what: str) -> None:
        super().__init__(f"the {what} does not count: {WORDS[standing]}")
        self.standing = standing
        self.code = f"{what}-{standing.replace('_', '-')}"


class ListOfWorks(Protocol):
    """A repertoire, as far as it is asked here: see repertoire.Repertoire."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes."""

    @property
    def work_count(self) -> int:
        """How many lines it has."""


def require_valid(standing: Standing, what: str) -> None:
    """Raise StandingError, with its own code for each reason, unless a document counts."""
    if standing is not Standing.VALID:
        raise StandingError(standing, what)


def check_agreement(
    document: Document,
    parties: Parties,
    repertoires: Mapping[str, ListOfWorks] | None,
    seen_at: str,
    *,
    signers: tuple[str, ...] | None = None,
    offer: Document | None = None,
    pids: tuple[str, str] | None = None,
    signed_at: Mapping[str, str] | None = None,
) -> Standing:
    """Say how an agreement stands.

    ``signers`` are the ids of those who must have signed, in order: by default the assigner and
    the assignee. With ``offer``, the agreement must say what that offer said, and have been made
    while it was open or in the time to sign after that; with ``pids`` (consumer's, provider's), be
    of that negotiation. Without ``repertoires`` its list of works is not looked at. ``signed_at``
    is when the signature of each party was first seen, where that is not ``seen_at``: who signs
    first cannot void it all by giving up its key before the other one signs.
    """
    try:
        agreement = agreement_of(document)
    except InputError:
        return Standing.MALFORMED
    wanted = (agreement.assigner, agreement.assignee) if signers is None else signers
    names = tuple(name for name in (agreement.terms.licensor, agreement.terms.licensee) if name)
    checks = (
        check_signers(document, wanted, parties, agreement.made_at, seen_at, signed_at=signed_at),
        _check_names(names, parties),
        _check_pids(agreement, pids),
        Standing.VALID if offer is None else _check_offered(agreement, offer),
        _check_repertoire(agreement.terms, repertoires),
    )
    return next((each for each in checks if each is not Standing.VALID), Standing.VALID)


def check_offer(document: Document, parties: Parties, seen_at: str) -> Standing:
    """Say how an offer stands: made and signed by one of the parties of its terms.

    Whether it is still open is for who has a clock: see Offer.is_open.
    """
    try:
        offer = offer_of(document)
        terms = offered_terms(offer)
        signatures = signatures_of(document)
    except (InputError, SignatureError):
        return Standing.MALFORMED
    names = tuple(name for name in (terms.licensor, terms.licensee) if name)
    if not signatures:
        return Standing.UNSIGNED
    maker = signatures[0].party
    if maker not in {name.id for name in names}:
        return Standing.OTHER_SIGNER
    standing = check_signers(document, (maker,), parties, offer.made_at, seen_at)
    if standing is not Standing.VALID:
        return standing
    return _check_names(tuple(name for name in names if name.id in parties), parties)


def offered_terms(offer: Offer) -> Terms:
    """Return the terms of an offer. Raises TermsError."""
    return terms_of(read_json(offer.terms))


def check_signers(
    document: Document,
    signers: tuple[str, ...],
    parties: Parties,
    made_at: str,
    seen_at: str,
    *,
    signed_at: Mapping[str, str] | None = None,
) -> Standing:
    """Say whether a document is signed by exactly these parties, in this order.

    ``made_at`` is what the document claims, ``seen_at`` when the store first saw it so signed;
    ``signed_at`` says that of parties whose signature it saw before.
    """
    try:
        signatures = signatures_of(document)
    except (InputError, SignatureError):
        return Standing.MALFORMED
    payload = signed_payload(document)
    for at, party in enumerate(signers):
        if at >= len(signatures):
            return Standing.UNSIGNED
        if signatures[at].party != party:
            by_whom = {signature.party for signature in signatures}
            return Standing.UNSIGNED if by_whom <= set(signers) else Standing.OTHER_SIGNER
        first_seen_at = (signed_at or {}).get(party, seen_at)
        standing = _check_one(payload, signatures[at], parties, made_at, first_seen_at)
        if standing is not Standing.VALID:
            return standing
    return Standing.VALID if len(signatures) == len(signers) else Standing.OTHER_SIGNER


def _check_one(
    payload: bytes, signature: Signature, parties: Parties, made_at: str, seen_at: str
) -> Standing:
    history = parties.get(signature.party)
    if history is None:
        return Standing.UNKNOWN_PARTY
    key = history.latest.key(signature.key_id)
    if key is None:
        others = (each.latest for each in parties.values())
        is_anothers = any(other.key(signature.key_id) for other in others)
        return Standing.OTHER_KEY if is_anothers else Standing.UNKNOWN_KEY
    try:
        check_signature_over(payload, signature, key.public_raw)
    except SignatureAlgorithmError:
        return Standing.OTHER_ALGORITHM
    except (SignatureError, InputError):
        return Standing.WRONGLY_SIGNED
    return _BY_KEY[key_standing(history, signature.key_id, made_at, seen_at)]


def _check_names(names: tuple[PartyName, ...], parties: Parties) -> Standing:
    for name in names:
        if name.id not in parties:
            return Standing.UNKNOWN_PARTY
        if name.name not in parties[name.id].names:
            return Standing.OTHER_NAME
    return Standing.VALID


def _check_pids(agreement: Agreement, pids: tuple[str, str] | None) -> Standing:
    if pids is None or pids == (agreement.consumer_pid, agreement.provider_pid):
        return Standing.VALID
    return Standing.OTHER_NEGOTIATION


def _check_offered(agreement: Agreement, document: Document) -> Standing:
    try:
        offer = offer_of(document)
        terms = offered_terms(offer)
    except InputError:
        return Standing.OTHER_OFFER
    if agreement.offer_sha256 != document_sha256(document):
        return Standing.OTHER_OFFER
    if terms.licensee is None:  # an offer to everybody becomes one to whom it is agreed with
        terms = replace(terms, licensee=agreement.terms.licensee)
    if terms != agreement.terms:
        return Standing.OTHER_TEXT
    if agreement.made_at < offer.made_at:
        return Standing.OTHER_OFFER
    late = datetime.fromisoformat(agreement.made_at) - datetime.fromisoformat(offer.valid_until)
    is_in_time = late < timedelta(days=SIGNING_DAYS)
    return Standing.VALID if is_in_time else Standing.OFFER_EXPIRED


def _check_repertoire(terms: Terms, repertoires: Mapping[str, ListOfWorks] | None) -> Standing:
    if repertoires is None:
        return Standing.VALID
    works = repertoires.get(terms.repertoire.sha256)
    if works is None:
        return Standing.REPERTOIRE_MISSING
    is_same = (works.sha256, works.work_count) == (
        terms.repertoire.sha256,
        terms.repertoire.work_count,
    )
    return Standing.VALID if is_same else Standing.OTHER_REPERTOIRE
