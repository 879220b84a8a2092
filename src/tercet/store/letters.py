"""The open letters of a desk and who signed them.

Every method is one transaction. What is kept of a person is what they sent, and is erased when they
withdraw: what stays is that somebody did. One person signs a letter once: `signer` is a digest,
keyed with the desk's secret, of the address, key or identity they signed by.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select
from sqlalchemy.exc import IntegrityError as ConstraintError

from tercet.consent.licences.letter import (
    Letter,
    LetterSignature,
    letter_of,
    signature_document,
    signature_of,
)
from tercet.consent.licences.letter_counts import Proof, ProofKind, ProofState, Signatory
from tercet.consent.licences.letter_export import SIGNATORIES_MAX, letter_sha256
from tercet.consent.licences.letter_token import TokenUsedError
from tercet.consent.licences.mandate import mailbox_of
from tercet.consent.licences.signing import Document
from tercet.consent.licences.standing import Standing, StandingError, check_signers
from tercet.consent.licences.vouch import Vouch
from tercet.core.canonical import canonical_json
from tercet.core.errors import ConflictError, MissingError, RefusedError
from tercet.core.strict_json import read_canonical_object
from tercet.store.desk import Desk
from tercet.store.desk_schema import SETTINGS
from tercet.store.letters_schema import (
    LETTER_MAILS,
    LETTER_PROOFS,
    LETTER_SIGNATURES,
    LETTER_TOKENS,
    LETTERS,
)

_SENDER = "letter_sender"


class SignedTwiceError(ConflictError):
    """The same person signs a letter once."""

    code = "letter-signed-twice"


class MailTooSoonError(RefusedError):
    """An address that was written to a short while ago."""

    code = "letter-mail-too-soon"


class LetterClosedError(ConflictError):
    """A letter that can no longer be signed."""

    code = "letter-closed"


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter with its signed document and its hash."""

    letter: Letter
    document: dict[str, Any]
    sha256: str


@dataclass(frozen=True, slots=True)
class NewSignature:
    """A signature to keep: ``signer`` says who it is, for `signer_digest`; ``email`` may be "".

    ``document`` is the signed document where the signatory has a key, else None; ``keys`` are the
    keys of that party (Base64), by which hosts and registries may know it.
    """

    signature: LetterSignature
    signer: str
    proofs: tuple[Proof, ...] = ()
    email: str = ""
    document: Mapping[str, Any] | None = None
    keys: tuple[str, ...] = ()
    replaces_unverified: bool = False  # an earlier signature of theirs that nothing verified


class Letters:
    """The letters of one desk. ``secret`` keys the digests of persons."""

    def __init__(self, desk: Desk, secret: bytes) -> None:
        self.desk = desk
        self._database = desk.database
        self._secret = secret

    # ---- letters -------------------------------------------------------------------------------

    def take(self, document: Document, at: str) -> KeptLetter:
        """Keep a letter signed by its initiator. Raises DocumentError, StandingError."""
        letter, sha256 = letter_of(document), letter_sha256(document)
        parties = self.desk.parties()
        standing = check_signers(document, (letter.initiator.id,), parties, letter.made_at, at)
        if standing is Standing.VALID and letter.initiator.name not in (
            parties[letter.initiator.id].names
        ):
            standing = Standing.OTHER_NAME
        if standing is not Standing.VALID:
            raise StandingError(standing, "letter")
        with self._database.writing() as connection:
            query = select(LETTERS.c.sha256).where(LETTERS.c.letter_id == letter.id)
            known = connection.execute(query).scalar()
            if known not in (None, sha256):
                raise ConflictError(f"another letter has the id {letter.id}")
            if known is None:
                connection.execute(
                    insert(LETTERS).values(
                        sha256=sha256,
                        letter_id=letter.id,
                        document=canonical_json(dict(document)),
                        received_at=at,
                    )
                )
        return self.letter(sha256)

    def letter(self, name: str) -> KeptLetter:
        """Return a letter by its hash, the beginning of it, or its id. Raises MissingError."""
        query = select(LETTERS).where(
            (LETTERS.c.letter_id == name)
            | LETTERS.c.letter_id.endswith(f":{name}", autoescape=True)
            | LETTERS.c.sha256.startswith(name.lower(), autoescape=True)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(2)).all() if len(name) >= 8 else []
        if len(rows) != 1:
            raise MissingError(
                f"{'no letter' if not rows else 'more than one letter'} {name[:80]} here",
                hint="name it by its id, or 8 digits or more of its hash",
            )
        return _kept(rows[0])

    def all(self) -> tuple[KeptLetter, ...]:
        """Return all letters, the latest first."""
        query = select(LETTERS).order_by(LETTERS.c.received_at.desc(), LETTERS.c.sha256)
        with self._database.reading() as connection:
            return tuple(_kept(row) for row in connection.execute(query))

    # ---- signatories ---------------------------------------------------------------------------

    def sign(self, new: Iterable[NewSignature], *, on: str) -> int:
        """Keep signatures of one or more letters; return how many are new.

        A signature that is the same in every word is kept once. Raises LetterClosedError,
        SignedTwiceError, MissingError for the letter; then none of them is kept.
        """
        added = 0
        open_letters: set[str] = set()
        with self._database.writing() as connection:
            for each in new:
                if each.signature.letter not in open_letters:
                    _check_open(connection, each.signature.letter, on)
                    open_letters.add(each.signature.letter)
                added += self._add(connection, each)
        return added

    def vouched(self, vouch: Vouch, proof: Proof, *, on: str) -> int:
        """Note a collective's word: known signatures are verified by it, others are kept.

        Whoever withdrew stays withdrawn. Returns how many are verified by it now. Raises
        LetterClosedError, MissingError; then none of them is.
        """
        query = select(LETTER_SIGNATURES.c.signature_id, LETTER_SIGNATURES.c.withdrawn_at).where(
            LETTER_SIGNATURES.c.letter == vouch.letter
        )
        with self._database.writing() as connection:
            known = {row.signature_id: row.withdrawn_at for row in connection.execute(query)}
            if not {each.id for each in vouch.signatories} <= known.keys():
                _check_open(connection, vouch.letter, on)
            fresh = [each for each in vouch.signatories if each.id not in known]
            again = [each.id for each in vouch.signatories if known.get(each.id) == ""]
            who = vouch.collective.id
            rows = [self._row(NewSignature(each, f"vouched:{who} {each.id}")) for each in fresh]
            _insert_rows(connection, rows, [_proof_row(each.id, proof) for each in fresh])
            for signature_id in again:
                _write_proof(connection, signature_id, proof)
        return len(fresh) + len(again)

    def _add(self, connection: Connection, new: NewSignature) -> bool:
        row = self._row(new)
        query = select(LETTER_SIGNATURES.c.document).where(
            LETTER_SIGNATURES.c.signature_id == new.signature.id
        )
        known = connection.execute(query).first()
        if known is not None:
            if bytes(known.document) == row["document"]:
                return False
            raise SignedTwiceError(
                f"another signature has the id {new.signature.id}, or it was withdrawn"
            )
        if new.replaces_unverified:
            _drop_unverified(connection, new.signature.letter, row["signer"])
        proofs = [_proof_row(new.signature.id, proof) for proof in new.proofs]
        _insert_rows(connection, [row], proofs)
        return True

    def _row(self, new: NewSignature) -> dict[str, Any]:
        signature = new.signature
        return {
            "signature_id": signature.id,
            "letter": signature.letter,
            "signer": self.signer_digest(signature.letter, new.signer),
            "document": canonical_json(dict(new.document or signature_document(signature))),
            "keys": json.dumps(new.keys),
            "email": new.email,
            "signed_at": signature.made_at,
            "withdrawn_at": "",
        }

    def signer_digest(self, letter: str, signer: str) -> str:
        """Return what is kept of who signs: it says nothing to who does not have the secret."""
        said = f"tercet/letter-signer@1 {letter} {signer}".encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()

    def signatories(self, letter: str) -> tuple[Signatory, ...]:
        """Return everybody who signed a letter (its hash), withdrawn ones without their names."""
        query = select(LETTER_SIGNATURES).where(LETTER_SIGNATURES.c.letter == letter)
        proofs_query = select(LETTER_PROOFS).join(
            LETTER_SIGNATURES, LETTER_SIGNATURES.c.signature_id == LETTER_PROOFS.c.signature_id
        ).where(LETTER_SIGNATURES.c.letter == letter)  # fmt: skip
        with self._database.reading() as connection:
            proofs: dict[str, list[Proof]] = {}
            for row in connection.execute(proofs_query):
                proofs.setdefault(row.signature_id, []).append(_proof(row))
            ordered = query.order_by(LETTER_SIGNATURES.c.signature_id)
            return tuple(
                _signatory(row, proofs.get(row.signature_id, []))
                for row in connection.execute(ordered)
            )

    def signature(self, signature_id: str) -> LetterSignature:
        """Return a signature that was not withdrawn. Raises MissingError."""
        with self._database.reading() as connection:
            return signature_of(
                read_canonical_object(_standing_row(connection, signature_id).document)
            )

    def signer_of(self, signature_id: str) -> str:
        """Return the id of the party whose key signed, "" where no key did. Raises MissingError."""
        with self._database.reading() as connection:
            document = read_canonical_object(_standing_row(connection, signature_id).document)
        signatures = document.get("signatures") or [{"party": ""}]
        return str(signatures[0]["party"])

    def keys_of(self, letter: str) -> dict[str, tuple[str, ...]]:
        """Return the keys (Base64) of everybody who signed a letter (its hash) by key, by id."""
        query = select(LETTER_SIGNATURES.c.signature_id, LETTER_SIGNATURES.c["keys"]).where(
            LETTER_SIGNATURES.c.letter == letter, LETTER_SIGNATURES.c["keys"] != "[]"
        )
        with self._database.reading() as connection:
            return {row[0]: tuple(json.loads(row[1])) for row in connection.execute(query)}

    def prove(self, signature_id: str, proof: Proof) -> None:
        """Note what came of checking a proof. A proof that held stays. Raises MissingError."""
        with self._database.writing() as connection:
            _standing_row(connection, signature_id)
            _write_proof(connection, signature_id, proof)

    def confirm(self, signature_id: str, token_digest: str, proof: Proof, at: str) -> None:
        """Use a link up and note what it proves, both or neither.

        Raises TokenUsedError, MissingError.
        """
        with self._database.writing() as connection:
            _standing_row(connection, signature_id)
            _use(connection, token_digest, at)
            _write_proof(connection, signature_id, proof)

    def withdraw(self, signature_id: str, at: str, *, token_digest: str = "") -> None:
        """Take a signature back and erase who it was; that somebody withdrew stays counted.

        Who withdrew may sign again. Raises TokenUsedError, MissingError.
        """
        with self._database.writing() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")  # zeros over what was there
            _standing_row(connection, signature_id)
            if token_digest:
                _use(connection, token_digest, at)
            connection.execute(
                delete(LETTER_PROOFS).where(LETTER_PROOFS.c.signature_id == signature_id)
            )
            connection.execute(
                LETTER_SIGNATURES.update()
                .where(LETTER_SIGNATURES.c.signature_id == signature_id)
                .values(document=b"", keys="[]", email="", signer=f"withdrawn {signature_id}",
                        signed_at="", withdrawn_at=at)
            )  # fmt: skip

    # ---- mail ----------------------------------------------------------------------------------

    def sender(self) -> str:
        """Return who messages to signatories are from, "" where nobody was named."""
        query = select(SETTINGS.c.value).where(SETTINGS.c.name == _SENDER)
        with self._database.reading() as connection:
            return str(connection.execute(query).scalar() or "")

    def set_sender(self, sender: str) -> None:
        """Set who messages to signatories are from; "" takes the form off the letters' pages."""
        with self._database.writing() as connection:
            connection.execute(delete(SETTINGS).where(SETTINGS.c.name == _SENDER))
            connection.execute(insert(SETTINGS).values(name=_SENDER, value=sender))

    def email_of(self, signature_id: str) -> str:
        """Return the address a signatory gave, "" for none. Raises MissingError."""
        with self._database.reading() as connection:
            return str(_standing_row(connection, signature_id).email)

    def may_write_to(self, letter: str, email: str, *, at: str, not_since: str) -> None:
        """Note that an address is written to now.

        Raises MailTooSoonError where it was written to about this letter after ``not_since``.
        """
        digest = self.signer_digest(letter, f"mail:{mailbox_of(email)}")
        with self._database.writing() as connection:
            query = select(LETTER_MAILS.c.sent_at).where(LETTER_MAILS.c.digest == digest)
            sent_at = connection.execute(query).scalar()
            if sent_at is not None and sent_at > not_since:
                raise MailTooSoonError(
                    "a message went to this address a short while ago",
                    hint="look for it there, or wait an hour",
                )
            connection.execute(delete(LETTER_MAILS).where(LETTER_MAILS.c.digest == digest))
            connection.execute(insert(LETTER_MAILS).values(digest=digest, sent_at=at))


def _check_open(connection: Connection, letter: str, day: str) -> None:
    row = connection.execute(select(LETTERS).where(LETTERS.c.sha256 == letter)).first()
    if row is None:
        raise MissingError(f"no letter {letter[:64]} here")
    found = letter_of(read_canonical_object(row.document))
    if not found.is_open_on(day):
        raise LetterClosedError(f"the letter could be signed until {found.closes_on}")
    query = select(func.count()).where(LETTER_SIGNATURES.c.letter == letter)
    if connection.execute(query).scalar_one() >= SIGNATORIES_MAX:
        raise LetterClosedError(f"the letter has {SIGNATORIES_MAX:,} signatures: it takes no more")


def _standing_row(connection: Connection, signature_id: str) -> Row[Any]:
    query = select(LETTER_SIGNATURES).where(LETTER_SIGNATURES.c.signature_id == signature_id)
    row = connection.execute(query).first()
    if row is None or row.withdrawn_at:
        raise MissingError(f"no signature {signature_id[:80]} here, or it was withdrawn")
    return row


def _drop_unverified(connection: Connection, letter: str, signer: str) -> None:
    proofs, signatures = LETTER_PROOFS.c, LETTER_SIGNATURES.c
    found = connection.execute(
        select(signatures.signature_id).where(
            signatures.letter == letter, signatures.signer == signer
        )
    ).scalar()
    states = select(proofs.state).where(proofs.signature_id == found)
    if found and ProofState.VERIFIED not in connection.execute(states).scalars().all():
        connection.execute(delete(LETTER_PROOFS).where(proofs.signature_id == found))
        connection.execute(delete(LETTER_SIGNATURES).where(signatures.signature_id == found))


def _use(connection: Connection, token_digest: str, at: str) -> None:
    query = select(LETTER_TOKENS.c.used_at).where(LETTER_TOKENS.c.digest == token_digest)
    if connection.execute(query).scalar() is not None:
        raise TokenUsedError("this link was used before", hint="it works once")
    connection.execute(insert(LETTER_TOKENS).values(digest=token_digest, used_at=at))


def _write_proof(connection: Connection, signature_id: str, proof: Proof) -> None:
    where = (
        (LETTER_PROOFS.c.signature_id == signature_id)
        & (LETTER_PROOFS.c.kind == str(proof.kind))
        & (LETTER_PROOFS.c.by == proof.by)
    )
    known = connection.execute(select(LETTER_PROOFS.c.state).where(where)).scalar()
    if known == ProofState.VERIFIED and proof.state is not ProofState.VERIFIED:
        return
    connection.execute(delete(LETTER_PROOFS).where(where))
    connection.execute(insert(LETTER_PROOFS), _proof_row(signature_id, proof))


def _proof_row(signature_id: str, proof: Proof) -> dict[str, str]:
    return {
        "signature_id": signature_id,
        "kind": str(proof.kind),
        "by": proof.by,
        "state": str(proof.state),
        "checked_at": proof.checked_at,
        "note": proof.note,
    }


def _insert_rows(
    connection: Connection, signatures: list[dict[str, Any]], proofs: list[dict[str, str]]
) -> None:
    """Write signatures that are new, and their proofs. Raises SignedTwiceError."""
    try:
        if signatures:
            connection.execute(insert(LETTER_SIGNATURES), signatures)
    except ConstraintError as error:
        raise SignedTwiceError(
            "this person has signed the letter already",
            hint="to change what is shown, withdraw and sign again",
        ) from error
    if proofs:
        connection.execute(insert(LETTER_PROOFS), proofs)


def _proof(row: Row[Any]) -> Proof:
    return Proof(ProofKind(row.kind), ProofState(row.state), row.by, row.checked_at, row.note)


def _signatory(row: Row[Any], proofs: list[Proof]) -> Signatory:
    if row.withdrawn_at:
        return Signatory.withdrawn(row.signature_id)
    signature = signature_of(json.loads(row.document))  # what stands here was checked as it came
    return Signatory(
        id=signature.id,
        name=signature.name,
        profession=signature.profession,
        country=signature.country,
        visibility=signature.visibility,
        signed_at=signature.made_at,
        proofs=tuple(sorted(proofs, key=lambda proof: (proof.kind, proof.by))),
    )


def _kept(row: Row[Any]) -> KeptLetter:
    document = read_canonical_object(row.document)
    return KeptLetter(letter_of(document), document, row.sha256)
