"""letter: an open letter is written, signed, verified by evidence, counted and handed over.

signatory ──by key, e-mail link, identity or vouch──▶ keeper's desk ──export, signed──▶ anybody
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tercet.consent.licences.closed_fields import ClosedFields, DocumentError
from tercet.consent.licences.identity_token import identity_of
from tercet.consent.licences.letter import (
    Letter,
    LetterSignature,
    Proposal,
    Visibility,
    letter_document,
    letter_of,
    letter_withdrawal_document,
    signature_document,
    signature_of,
    withdrawn_signature,
)
from tercet.consent.licences.letter_counts import Proof, ProofKind, ProofState
from tercet.consent.licences.letter_export import (
    PublicLetter,
    export_document,
    public_letter,
    public_letter_of,
)
from tercet.consent.licences.letter_token import (
    LetterToken,
    TokenPurpose,
    token_digest,
    token_of,
    token_text,
)
from tercet.consent.licences.mandate import MAIL, mailbox_of
from tercet.consent.licences.party_history import Parties, PartyHistory, receive_parties
from tercet.consent.licences.person_text import tidy_person_text
from tercet.consent.licences.signing import Document, signed
from tercet.consent.licences.standing import Standing, StandingError, check_signers
from tercet.consent.licences.vouch import Vouch, vouch_document, vouch_of
from tercet.consent.registry.domain_file import host_named
from tercet.core.errors import FieldError, MissingError, RefusedError
from tercet.core.territories import TERRITORIES
from tercet.flows.desk import OpenDesk
from tercet.flows.letter_words import words_for
from tercet.flows.mandate import keys_in, parcel_of, party_name
from tercet.store.keys import load_or_make_key
from tercet.store.letters import KeptLetter, Letters, NewSignature
from tercet.store.registry import Registry
from tercet.store.registry_catalogue import catalogue_of

MAIL_FOLDER = "mail"
SIGNING_TYPE = "tercet/letter-signing@1"
CONFIRM_DAYS = 7
WITHDRAW_DAYS = 3650
MAIL_EVERY_HOURS = 1
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_SIGNING_FIELDS = ("type", "document", "versions", "domain")


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody says they are, as they typed it, and what others may see of it."""

    name: str
    profession: str = ""
    country: str = ""
    visibility: Visibility = Visibility.COUNTED


@dataclass(frozen=True, slots=True)
class MailOptions:
    """From whom a letter's messages come, and the address of the server that links lead to."""

    sender: str
    base_url: str


def letters_of(desk: OpenDesk) -> Letters:
    """Return the letters of a desk."""
    return Letters(desk.store, _secret(desk, "letter signers"))


def _secret(desk: OpenDesk, purpose: str) -> bytes:
    """Return a secret of this desk. Unlike keys that sign it stays when those are rotated."""
    return load_or_make_key(desk.folder / "keys" / "letters.pem").secret(purpose)


# ---- writing and signing ---------------------------------------------------------------------


def write_letter(
    desk: OpenDesk,
    *,
    title: str,
    text: str,
    language: str,
    closes_on: str = "",
    proposal: Proposal | None = None,
) -> KeptLetter:
    """Sign a letter as its initiator and keep it. Raises DocumentError."""
    letter = Letter(
        id=desk.make_id(),
        made_at=desk.clock(),
        language=language,
        title=tidy_person_text(title),
        text=text.replace("\r\n", "\n").strip(),
        initiator=party_name(desk),
        closes_on=closes_on,
        proposal=proposal,
    )
    document = signed(letter_document(letter), desk.signer())
    letter_of(document)
    return letters_of(desk).take(document, desk.clock())


def signature_by(
    person: Person, letter: str, *, signature_id: str, made_at: str
) -> LetterSignature:
    """Return a signature of what somebody typed. Raises FieldError, DocumentError."""
    country = person.country.strip().upper()
    if country and country not in TERRITORIES:
        raise FieldError(
            "country",
            f"expected a country's code such as VN, got {person.country[:40]!r}",
            hint="ISO 3166-1, two letters",
        )
    if not person.name.strip():
        raise FieldError("name", "a signature needs a name", hint="it is shown only if you say so")
    signature = LetterSignature(
        id=signature_id,
        letter=letter,
        made_at=made_at,
        name=tidy_person_text(person.name),
        profession=tidy_person_text(person.profession),
        country=country,
        visibility=person.visibility,
    )
    return signature_of(signature_document(signature))


def sign_by_key(desk: OpenDesk, letter: str, person: Person, domain: str = "") -> dict[str, Any]:
    """Sign a letter (its hash) with the key of a desk; return the parcel for its keeper.

    ``domain`` is a host that carries the key: the keeper can ask it. Raises FieldError.
    """
    signature = signature_by(person, letter, signature_id=desk.make_id(), made_at=desk.clock())
    document = signed(signature_document(signature), desk.signer())
    return _signing(desk, document, host_named(domain) if domain else "")


def withdraw_by_key(desk: OpenDesk, signature_id: str, letter: str) -> dict[str, Any]:
    """Return the parcel by which who signed with a key takes it back."""
    document = letter_withdrawal_document(signature_id, letter, desk.clock())
    return _signing(desk, signed(document, desk.signer()), "")


def _signing(desk: OpenDesk, document: Document, domain: str) -> dict[str, Any]:
    parcel = parcel_of(desk, document, [])
    return {"type": SIGNING_TYPE, "document": parcel["document"], "versions": parcel["versions"],
            "domain": domain}  # fmt: skip


def take_signing(desk: OpenDesk, parcel: Mapping[str, Any]) -> str:
    """Take in a signature, or a withdrawal, made by a key; return the signature's id.

    Who signs becomes no party of the desk: many people have one name, and what they withdraw must
    be erased. A key alone verifies nobody: a host, a registry or a collective must speak for it.
    Raises DocumentError, StandingError, and what `Letters.sign` raises.
    """
    fields = ClosedFields(parcel, "parcel", _SIGNING_FIELDS)
    fields.constant("type", SIGNING_TYPE)
    document = _object(fields.raw("document"), "parcel.document")
    history = _history_of(desk, fields)
    made_at = str(document.get("made_at"))
    parties = {history.id: history}
    _require_signed(document, history.id, made_at, parties, desk.clock(), "signature")
    letters = letters_of(desk)
    if document.get("type") == "tercet/letter-withdrawal@1":
        signature_id = withdrawn_signature(document)
        if letters.signer_of(signature_id) != history.id:
            raise RefusedError(f"the signature {signature_id} was not made by {history.id}")
        withdraw(desk, signature_id)
        return signature_id
    signature = signature_of(document)
    host = fields.text("domain", 253)
    proofs = (Proof(ProofKind.DOMAIN, ProofState.ASKED, host_named(host)),) if host else ()
    new = NewSignature(
        signature, f"party:{history.id}", proofs, document=document, keys=keys_in(history.latest)
    )
    letters.sign([new], on=desk.clock()[:10])
    return signature.id


def _history_of(desk: OpenDesk, parcel: ClosedFields) -> PartyHistory:
    """Return who signed a parcel, by their own documents and by what the desk knows of them."""
    versions = parcel.items("versions", _object, 1_000)
    known = None
    if versions:
        try:
            known = desk.store.party_history(str(versions[0].get("id")))
        except MissingError:
            known = None
    return receive_parties(known, versions, desk.clock())


def _require_signed(
    document: Document, signer: str, made_at: str, parties: Parties, at: str, what: str
) -> None:
    standing = check_signers(document, (signer,), parties, made_at, at)
    if standing is not Standing.VALID:
        raise StandingError(standing, what)


# ---- e-mail ----------------------------------------------------------------------------------


def sign_by_email(
    desk: OpenDesk, letter: KeptLetter, person: Person, email: str, mail: MailOptions
) -> tuple[LetterSignature, EmailMessage]:
    """Keep a signature that is not verified yet; return it with the message to send.

    The operator sends it by their own server. Whoever follows its link has the address. Raises
    FieldError, SignedTwiceError, and MailTooSoonError where that address was written to just now.
    """
    if not MAIL.fullmatch(email):
        raise FieldError("email", f"expected a mail address, got {email[:80]!r}")
    at = desk.clock()
    letters = letters_of(desk)
    signature = signature_by(person, letter.sha256, signature_id=desk.make_id(), made_at=at)
    proof = Proof(ProofKind.EMAIL, ProofState.ASKED)
    new = NewSignature(
        signature, f"mail:{mailbox_of(email)}", (proof,), email, replaces_unverified=True
    )
    letters.may_write_to(
        letter.sha256, email, at=at, not_since=_shifted(at, hours=-MAIL_EVERY_HOURS)
    )
    letters.sign([new], on=at[:10])
    return signature, _message(desk, letter, signature, email, mail)


def _message(
    desk: OpenDesk, letter: KeptLetter, signature: LetterSignature, email: str, mail: MailOptions
) -> EmailMessage:
    links = {
        purpose: link(desk, signature, purpose, days, mail.base_url)
        for purpose, days in (
            (TokenPurpose.CONFIRM, CONFIRM_DAYS), (TokenPurpose.WITHDRAW, WITHDRAW_DAYS)
        )
    }  # fmt: skip
    words = words_for(letter.letter.language)
    message = EmailMessage(policy=SMTP)
    message["From"] = mail.sender
    message["To"] = email
    message["Subject"] = words.mail_subject.format(title=letter.letter.title)
    message["Date"] = format_datetime(_moment(desk.clock()))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes back
    message.set_content(
        words.mail_text.format(
            name=signature.name,
            title=letter.letter.title,
            initiator=letter.letter.initiator.name,
            confirm=links[TokenPurpose.CONFIRM],
            days=CONFIRM_DAYS,
            withdraw=links[TokenPurpose.WITHDRAW],
            sha256=letter.sha256,
        )
    )
    return message


def link(
    desk: OpenDesk, signature: LetterSignature, purpose: TokenPurpose, days: int, base_url: str
) -> str:
    """Return a link by which a signatory confirms or withdraws, good for so many days."""
    token = LetterToken(
        purpose=purpose,
        signature=signature.id,
        letter=signature.letter,
        expires_at=_shifted(desk.clock(), hours=24 * days),
        nonce=secrets.token_hex(16),
    )
    text = token_text(token, _secret(desk, "letter tokens"))
    query = urlencode({"token": text})
    return f"{base_url.rstrip('/')}/letters/{signature.letter}/{purpose}?{query}"


def token_in(desk: OpenDesk, text: str, purpose: TokenPurpose) -> LetterToken:
    """Return what a link says, not yet used. Raises TokenError and its kinds."""
    return token_of(text, _secret(desk, "letter tokens"), purpose=purpose, at=desk.clock())


def confirm(desk: OpenDesk, text: str) -> str:
    """Use a link to confirm; return the signature's id. Raises TokenError, MissingError."""
    token = token_in(desk, text, TokenPurpose.CONFIRM)
    at = desk.clock()
    proof = Proof(ProofKind.EMAIL, ProofState.VERIFIED, checked_at=at)
    letters_of(desk).confirm(token.signature, token_digest(text), proof, at)
    return token.signature


def withdraw_by_token(desk: OpenDesk, text: str) -> str:
    """Use a link to withdraw; return the signature's id. Raises TokenError, MissingError."""
    token = token_in(desk, text, TokenPurpose.WITHDRAW)
    withdraw(desk, token.signature, used=token_digest(text))
    return token.signature


def withdraw(desk: OpenDesk, signature_id: str, *, used: str = "") -> None:
    """Take a signature back and erase who it was, with the message that waits to be sent.

    ``used`` is the digest of the link that asked for it. Raises TokenUsedError, MissingError.
    """
    letters_of(desk).withdraw(signature_id, desk.clock(), token_digest=used)
    mail_path(desk, signature_id).unlink(missing_ok=True)


def mail_path(desk: OpenDesk, signature_id: str) -> Path:
    """Return where a server writes the message to a signatory, for the operator to send."""
    return desk.folder / MAIL_FOLDER / f"{signature_id.rpartition(':')[2]}.eml"


# ---- other evidence --------------------------------------------------------------------------


def sign_by_identity(
    desk: OpenDesk,
    letter: KeptLetter,
    person: Person,
    *,
    token: str,
    key_set: bytes,
    issuer: str,
    audience: str,
) -> LetterSignature:
    """Keep a signature by who an identity provider says it is. Raises IdentityError, FieldError."""
    at = desk.clock()
    identity = identity_of(
        token, key_set, issuer=issuer, audience=audience, letter_sha256=letter.sha256,
        now_s=int(_moment(at).timestamp()),
    )  # fmt: skip
    signature = signature_by(person, letter.sha256, signature_id=desk.make_id(), made_at=at)
    proof = Proof(ProofKind.OIDC, ProofState.VERIFIED, issuer, at)
    new = NewSignature(signature, f"oidc:{issuer} {identity.subject}", (proof,))
    letters_of(desk).sign([new], on=at[:10])
    return signature


def check_catalogues(desk: OpenDesk, letter: KeptLetter, registry: Registry) -> int:
    """Verify everybody whose key has works in a registry; return how many are so now."""
    letters, at = letters_of(desk), desk.clock()
    verified = 0
    for signature_id, keys in letters.keys_of(letter.sha256).items():
        if works := catalogue_of(registry, keys):
            note = f"{len(works)} works"
            proof = Proof(ProofKind.CATALOGUE, ProofState.VERIFIED, "registry", at, note)
            letters.prove(signature_id, proof)
            verified += 1
    return verified


def check_hosts(
    desk: OpenDesk, letter: KeptLetter, ask: Callable[[Sequence[str]], Mapping[str, bytes | None]]
) -> list[tuple[str, str, ProofState]]:
    """Ask the hosts that signatories named for their keys; return (signature, host, found).

    ``ask`` gives the file of each host, or None where it could not be had: that stays open.
    """
    from tercet.consent.registry.domain_file import names_key

    letters, at = letters_of(desk), desk.clock()
    waiting = [
        (signatory.id, proof.by)
        for signatory in letters.signatories(letter.sha256)
        for proof in signatory.proofs
        if proof.kind is ProofKind.DOMAIN and proof.state is not ProofState.VERIFIED
    ]
    keys = letters.keys_of(letter.sha256)
    files = ask(sorted({host for _, host in waiting}))
    found = []
    for signature_id, host in waiting:
        raw = files.get(host)
        state = ProofState.ASKED
        if raw is not None:
            holds = any(names_key(raw, key) for key in keys.get(signature_id, ()))
            state = ProofState.VERIFIED if holds else ProofState.FAILED
            letters.prove(signature_id, Proof(ProofKind.DOMAIN, state, host, at))
        found.append((signature_id, host, state))
    return found


def vouch_for(desk: OpenDesk, letter: str, people: Iterable[LetterSignature]) -> dict[str, Any]:
    """Sign that these people are members of this collective and sign a letter (its hash)."""
    vouch = Vouch(desk.make_id(), desk.clock(), letter, party_name(desk), tuple(people))
    document = signed(vouch_document(vouch), desk.signer())
    vouch_of(document)
    return _signing(desk, document, "")


def take_vouch(desk: OpenDesk, parcel: Mapping[str, Any], collectives: Collection[str]) -> int:
    """Take in a collective's word; return how many signatures it verified or brought.

    ``collectives`` are ids of parties that a person named: anybody can call themselves one, and
    whoever sent a served desk a message is known to it. Raises RefusedError for another one,
    MissingError, DocumentError, StandingError, and what `Letters.sign` raises.
    """
    fields = ClosedFields(parcel, "parcel", _SIGNING_FIELDS)
    fields.constant("type", SIGNING_TYPE)
    document = fields.raw("document")
    vouch = vouch_of(document)
    at = desk.clock()
    if vouch.collective.id not in collectives:
        raise RefusedError(
            f"{vouch.collective.id} vouches, which was not named as a collective to be believed",
            hint="--collective ID, where you know that it is who it says",
        )
    desk.store.party_history(vouch.collective.id)
    history = _history_of(desk, fields)
    if history.id != vouch.collective.id or vouch.collective.name not in history.names:
        raise StandingError(Standing.OTHER_NAME, "vouch")
    _require_signed(document, history.id, vouch.made_at, {history.id: history}, at, "vouch")
    proof = Proof(ProofKind.COLLECTIVE, ProofState.VERIFIED, vouch.collective.name, at)
    return letters_of(desk).vouched(vouch, proof, on=at[:10])


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DocumentError(f"expected an object at {where}")
    return dict(value)


# ---- handing over ----------------------------------------------------------------------------


def public(desk: OpenDesk, letter: KeptLetter) -> PublicLetter:
    """Return all that others may see of a letter now."""
    return public_letter(
        letter.document,
        letters_of(desk).signatories(letter.sha256),
        keeper=party_name(desk),
        made_at=desk.clock(),
    )


def signed_export(desk: OpenDesk, public_now: PublicLetter) -> dict[str, Any]:
    """Return a letter's export, signed by its keeper, with what is needed to check it."""
    initiator = public_now.letter.initiator.id
    names = dict.fromkeys([initiator, desk.party.id])
    versions = [
        version.document for name in names for version in desk.store.party_history(name).versions
    ]
    return signed(export_document(public_now, versions), desk.signer())


def check_export(document: Document, at: str, known: Parties | None = None) -> PublicLetter:
    """Return what an export states, once both signatures and all figures were checked.

    ``known`` are parties of a desk: where it knows more of a key's end, that counts. Raises
    DocumentError, StandingError, and what a party's documents raise.
    """
    found = public_letter_of(document)
    parties = dict(known or {})
    for party in (found.letter.initiator.id, found.keeper.id):
        theirs = [each for each in document["parties"] if each.get("id") == party]
        if party not in parties or len(theirs) > len(parties[party].versions):
            parties[party] = receive_parties(parties.get(party), theirs, at)
    for who in (found.letter.initiator, found.keeper):
        if who.name not in parties[who.id].names:
            raise StandingError(Standing.OTHER_NAME, "export")
    made_at = found.letter.made_at
    _require_signed(found.document, found.letter.initiator.id, made_at, parties, at, "letter")
    _require_signed(document, found.keeper.id, found.made_at, parties, at, "export")
    return found


def _moment(at: str) -> datetime:
    return datetime.strptime(at, _TIME).replace(tzinfo=UTC)


def _shifted(at: str, *, hours: int) -> str:
    return (_moment(at) + timedelta(hours=hours)).strftime(_TIME)
