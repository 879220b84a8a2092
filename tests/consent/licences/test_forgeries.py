"""Forged documents, named after the forgery: each is refused, with a word and a code of its own."""

from __future__ import annotations

import base64
import copy
from dataclasses import replace
from typing import Any

import pytest
from party_examples import (
    AGREED,
    BEGIN,
    OWNER,
    OWNER_KEY,
    PARTIES,
    PIDS,
    REPERTOIRES,
    SEEN,
    STUDIO,
    STUDIO_KEY,
    THIEF,
    THIEF_KEY,
    WORKS,
    Key,
    agreement,
    agreement_signed,
    ending_by,
    offer,
    party_signed,
    terms,
)

from tercet.consent.licences.agreement import agreement_document, agreement_of
from tercet.consent.licences.names import NameLookalikeError
from tercet.consent.licences.party import new_party, renewed
from tercet.consent.licences.party_history import PartyHistory, receive_party
from tercet.consent.licences.repertoire import (
    RepertoireSwappedError,
    read_repertoire,
    repertoire_bytes,
    repertoire_of,
)
from tercet.consent.licences.signing import (
    SignatureTwiceError,
    document_sha256,
    key_id_of,
    signed,
    signing_input,
)
from tercet.consent.licences.standing import (
    WORDS,
    Standing,
    StandingError,
    check_agreement,
    check_offer,
    require_valid,
)
from tercet.consent.licences.termination import (
    TerminationReason,
    check_termination,
)
from tercet.core.canonical import canonical_json
from tercet.core.errors import TercetError
from tercet.core.strict_json import DuplicateMemberError, read_canonical_object
from tercet.core.terms import PartyName

Fields = dict[str, Any]
OTHER_PIDS = tuple(pid[:-1] + "2" for pid in PIDS)
LATER = "2026-04-01T00:00:00Z"


def standing(document: Fields, **given_too: Any) -> Standing:
    asked: Fields = {"offer": offer(), "pids": PIDS} | given_too
    return check_agreement(document, PARTIES, REPERTOIRES, SEEN, **asked)


def at_path(document: Fields, path: str, value: object) -> Fields:
    """Return the document with one value replaced, its signatures as they were."""
    changed = copy.deepcopy(document)
    *parents, last = path.split(".")
    inner: Any = changed
    for name in parents:
        inner = inner[int(name) if name.isdigit() else name]
    inner[last] = value
    return changed


def signed_by(document: Fields, *signers: tuple[Key, PartyHistory]) -> Fields:
    document = document | {"signatures": []}
    for key, party in signers:
        document = signed(document, key.signer(party.id))
    return document


BOTH = ((OWNER_KEY, OWNER), (STUDIO_KEY, STUDIO))


def test_what_both_signed_is_valid() -> None:
    document = agreement_signed()
    assert standing(document) is Standing.VALID
    assert agreement_of(document) == agreement()
    assert read_canonical_object(canonical_json(document)) == document
    assert check_agreement(document, PARTIES, None, SEEN) is Standing.VALID
    require_valid(Standing.VALID, "agreement")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("terms.price.per_minute_micros", 2_000),
        ("terms.price.currency", "VND"),
        ("terms.grant.period.end", "2038-03-01"),
        ("terms.grant.exclusivity", "exclusive"),
        ("terms.repertoire.work_count", 2),
        ("offer_sha256", "0" * 64),
        ("supersedes", "urn:uuid:00000000-0000-4000-8000-0000000000e9"),
        ("made_at", "2026-02-02T00:00:01Z"),
        ("id", "urn:uuid:00000000-0000-4000-8000-0000000000e2"),
        ("negotiation.consumer_pid", OTHER_PIDS[0]),
    ],
)
def test_altered_after_signing(path: str, value: object) -> None:
    altered = at_path(agreement_signed(), path, value)
    assert standing(altered, offer=None, pids=None) is Standing.WRONGLY_SIGNED


def test_altered_price_that_one_side_signed_anew() -> None:
    """The owner alone changes the price and signs that; the studio's signature is carried over."""
    good = agreement_signed()
    altered = signed_by(at_path(good, "terms.price.per_minute_micros", 9_000_000), BOTH[0])
    altered["signatures"].append(good["signatures"][1])
    assert standing(altered, offer=None) is Standing.WRONGLY_SIGNED


def test_altered_price_in_what_is_offered_for_signing() -> None:
    """Before the studio signs: the owner's agreement does not say what its offer said."""
    altered = signed_by(at_path(agreement_signed(), "terms.price.per_minute_micros", 9), BOTH[0])
    assert standing(altered, signers=(OWNER.id,)) is Standing.OTHER_TEXT


def test_swapped_repertoire() -> None:
    other = repertoire_of([f"sha256:{'0' * 64}"])
    document = agreement_signed()
    swapped = {WORKS.sha256: other}
    assert check_agreement(document, PARTIES, swapped, SEEN) is Standing.OTHER_REPERTOIRE
    assert check_agreement(document, PARTIES, {}, SEEN) is Standing.REPERTOIRE_MISSING
    with pytest.raises(RepertoireSwappedError):
        read_repertoire(repertoire_bytes(other), WORKS.sha256)
    renamed = at_path(document, "terms.repertoire.sha256", other.sha256)
    assert standing(renamed, offer=None) is Standing.WRONGLY_SIGNED
    both_signed_another_count = agreement_signed(
        terms=replace(terms(), repertoire=replace(terms().repertoire, work_count=2))
    )
    assert standing(both_signed_another_count, offer=None) is Standing.OTHER_REPERTOIRE
    both_signed = agreement_signed(
        terms=replace(terms(), repertoire=replace(terms().repertoire, sha256=other.sha256))
    )
    assert standing(both_signed) is Standing.OTHER_TEXT


def test_replayed_agreement_of_another_negotiation() -> None:
    """What both signed once is brought again, as the outcome of another negotiation."""
    assert standing(agreement_signed(), pids=OTHER_PIDS) is Standing.OTHER_NEGOTIATION


def test_replayed_acceptance() -> None:
    """The studio's signature on an earlier agreement is carried to another negotiation's."""
    earlier = agreement_signed()
    pids = dict(zip(("consumer_pid", "provider_pid"), OTHER_PIDS, strict=True))
    new = signed_by(agreement_document(agreement(**pids)), BOTH[0])
    new["signatures"].append(earlier["signatures"][1])
    assert standing(new, pids=OTHER_PIDS) is Standing.WRONGLY_SIGNED


def test_accepted_another_offer() -> None:
    assert standing(agreement_signed(offer_sha256="0" * 64)) is Standing.OTHER_OFFER
    assert standing(agreement_signed(), offer=agreement_signed()) is Standing.OTHER_OFFER
    assert standing(agreement_signed(made_at="2026-01-31T00:00:00Z")) is Standing.OTHER_OFFER


def test_accepted_long_after_the_offer_was_over() -> None:
    late = agreement_signed(made_at="2026-03-31T00:00:00Z")
    assert standing(late) is Standing.OFFER_EXPIRED
    in_the_time_to_sign = agreement_signed(made_at="2026-03-30T23:59:59Z")
    assert standing(in_the_time_to_sign) is Standing.VALID


def test_key_of_another_party() -> None:
    """The thief signs with its own key and says that it is the studio's."""
    text = agreement_document(agreement())
    forged = signed_by(text, BOTH[0], (THIEF_KEY, STUDIO))
    assert standing(forged) is Standing.OTHER_KEY


def test_key_that_nobody_has() -> None:
    forged = signed_by(agreement_document(agreement()), BOTH[0], (Key("new"), STUDIO))
    assert standing(forged) is Standing.UNKNOWN_KEY


def test_key_named_but_not_used() -> None:
    """The thief's signature under the name of the studio's key."""
    text = agreement_document(agreement())
    forged = signed_by(text, BOTH[0], (THIEF_KEY, STUDIO))
    forged["signatures"][1]["key_id"] = key_id_of(STUDIO_KEY.public_raw)
    assert standing(forged) is Standing.WRONGLY_SIGNED


def test_signed_by_a_stranger() -> None:
    text = agreement_document(agreement())
    assert standing(signed_by(text, BOTH[0], (THIEF_KEY, THIEF))) is Standing.OTHER_SIGNER
    assert standing(signed_by(text, *BOTH, (THIEF_KEY, THIEF))) is Standing.OTHER_SIGNER
    both_of_one = signed_by(text, BOTH[0], (STUDIO_KEY, OWNER))
    assert standing(both_of_one) is not Standing.VALID


def test_not_signed_by_both() -> None:
    text = agreement_document(agreement())
    assert standing(text) is Standing.UNSIGNED
    assert standing(signed_by(text, BOTH[0])) is Standing.UNSIGNED
    assert standing(signed_by(text, BOTH[1])) is Standing.UNSIGNED
    assert standing(signed_by(text, BOTH[0]), signers=(OWNER.id,)) is Standing.VALID
    assert standing(signed_by(text, *reversed(BOTH))) is Standing.UNSIGNED
    without = {name: value for name, value in text.items() if name != "signatures"}
    assert standing(without) is Standing.MALFORMED


def test_one_signature_twice() -> None:
    document = signed_by(agreement_document(agreement()), BOTH[0])
    document["signatures"] *= 2
    assert standing(document) is Standing.MALFORMED
    assert SignatureTwiceError.code == "signature-twice"


def with_algorithm(algorithm: str, value: bytes) -> Fields:
    """Return an agreement whose second signature names another algorithm."""
    document = signed_by(agreement_document(agreement()), BOTH[0])
    key_id = key_id_of(STUDIO_KEY.public_raw)
    header = canonical_json({"alg": algorithm, "kid": key_id, "typ": "tercet+jws"})
    parts = [base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for raw in (header, value)]
    one = {"party": STUDIO.id, "key_id": key_id, "jws": "..".join(parts)}
    return document | {"signatures": [*document["signatures"], one]}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES256", "EdDSA", "ed25519", ""])
def test_downgraded_algorithm(algorithm: str) -> None:
    payload = canonical_json({k: v for k, v in agreement_signed().items() if k != "signatures"})
    right = STUDIO_KEY.private.sign(signing_input(payload, key_id_of(STUDIO_KEY.public_raw)))
    for value in (b"", right):
        assert standing(with_algorithm(algorithm, value)) is Standing.OTHER_ALGORITHM


def test_json_with_duplicate_members() -> None:
    raw = canonical_json(agreement_signed())
    price = b'"per_minute_micros":2000000'
    assert raw.count(price) == 1
    for forged in (b'"per_minute_micros":1,' + price, price + b',"per_minute_micros":1'):
        with pytest.raises(DuplicateMemberError):
            read_canonical_object(raw.replace(price, forged))


@pytest.mark.parametrize("name", ["\u041ewner", "0wner", "OWNER", "Own\u0435r"])
def test_look_alike_of_a_party(name: str) -> None:
    """A thief names itself like the owner; where scripts are mixed it is refused before that."""
    good = new_party("Thief", "", BEGIN, [THIEF_KEY.public_raw])
    document = party_signed(replace(good, name=name), THIEF_KEY)
    with pytest.raises(TercetError) as caught:
        receive_party(None, document, BEGIN, known_names={OWNER.id: "Owner"})
    mixed = any("\u0400" <= c <= "\u04ff" for c in name)
    assert caught.value.code == ("name-mixed-scripts" if mixed else NameLookalikeError.code)


def test_name_in_the_terms_that_its_party_never_had() -> None:
    """The thief's own agreement, under the owner's name: ids decide, and names must be theirs."""
    stolen = replace(terms(), licensor=PartyName(THIEF.id, "Owner"))
    forged = signed_by(
        agreement_document(agreement(terms=stolen)), (THIEF_KEY, THIEF), (STUDIO_KEY, STUDIO)
    )
    assert standing(forged, offer=None) is Standing.OTHER_NAME


def test_parties_beside_the_terms_that_are_others() -> None:
    swapped = at_path(agreement_signed(), "parties.assignee", THIEF.id)
    assert standing(swapped) is Standing.MALFORMED
    nobody = replace(terms(), licensee=None)
    with pytest.raises(TercetError):
        agreement_document(agreement(terms=nobody))
    itself = replace(terms(), licensee=PartyName(OWNER.id, "Owner"))
    assert standing(agreement_signed(terms=itself)) is Standing.MALFORMED


def test_party_that_is_not_known_here() -> None:
    few = {OWNER.id: OWNER}
    document = agreement_signed()
    assert check_agreement(document, few, REPERTOIRES, SEEN) is Standing.UNKNOWN_PARTY


def after_change(revokes: bool) -> dict[str, PartyHistory]:
    """Return what is known once the owner has another key, and the store heard of it, in March."""
    new, old = Key("owner, the second"), key_id_of(OWNER_KEY.public_raw)
    party = renewed(
        OWNER.latest,
        "2026-03-01T00:00:00Z",
        add=[new.public_raw],
        retire=() if revokes else (old,),
        revoke={old: "stolen"} if revokes else {},
    )
    later = receive_party(OWNER, party_signed(party, OWNER_KEY, new), "2026-03-01T00:00:10Z")
    return PARTIES | {OWNER.id: later}


def test_what_was_signed_before_a_key_changed_stays_valid() -> None:
    document = agreement_signed()
    for revokes in (False, True):
        parties = after_change(revokes)
        assert check_agreement(document, parties, REPERTOIRES, SEEN) is Standing.VALID


def test_signed_with_a_revoked_key_whatever_date_it_claims() -> None:
    parties = after_change(revokes=True)
    for made_at in (AGREED, LATER):
        document = agreement_signed(made_at=made_at)
        standing_now = check_agreement(document, parties, REPERTOIRES, LATER)
        assert standing_now is Standing.KEY_REVOKED


def test_signed_with_a_retired_key() -> None:
    parties = after_change(revokes=False)
    document = agreement_signed(made_at=LATER)
    assert check_agreement(document, parties, REPERTOIRES, LATER) is Standing.KEY_RETIRED
    earlier = agreement_signed()
    assert check_agreement(earlier, parties, REPERTOIRES, LATER) is Standing.VALID


def test_dated_before_its_key() -> None:
    early = agreement_signed(made_at="2025-12-31T23:59:59Z")
    assert standing(early, offer=None) is Standing.KEY_TOO_EARLY


# ---- offers ------------------------------------------------------------------------------------


def test_offers_of_either_side_are_valid() -> None:
    assert check_offer(offer(), PARTIES, SEEN) is Standing.VALID
    assert check_offer(offer(licensee=True), PARTIES, SEEN) is Standing.VALID
    counter = offer(licensee=True, key=STUDIO_KEY, party=STUDIO.id)
    assert check_offer(counter, PARTIES, SEEN) is Standing.VALID
    assert check_offer(offer(), {OWNER.id: OWNER}, SEEN) is Standing.VALID


@pytest.mark.parametrize(
    ("forged", "expected"),
    [
        (offer(key=THIEF_KEY, party=THIEF.id), Standing.OTHER_SIGNER),
        (offer(key=THIEF_KEY, party=OWNER.id), Standing.OTHER_KEY),
        (offer(key=STUDIO_KEY, party=STUDIO.id), Standing.OTHER_SIGNER),  # for everybody
        (offer() | {"valid_until": "2036-01-01T00:00:00Z"}, Standing.WRONGLY_SIGNED),
        (offer() | {"signatures": []}, Standing.UNSIGNED),
        (offer() | {"reserve_micros": 5}, Standing.MALFORMED),
        (at_path(offer(), "terms.price.per_minute_micros", 1), Standing.WRONGLY_SIGNED),
        (at_path(offer(), "terms.licensor.name", "Owner Ltd"), Standing.WRONGLY_SIGNED),
        (at_path(offer(), "terms.price.share_basis_points", 10_001), Standing.MALFORMED),
        (agreement_signed(), Standing.MALFORMED),
    ],
)
def test_forged_offers(forged: Fields, expected: Standing) -> None:
    assert check_offer(forged, PARTIES, SEEN) is expected


# ---- terminations ------------------------------------------------------------------------------


def test_a_termination_needs_both() -> None:
    at = "2026-05-01T00:00:01Z"
    assert check_termination(ending_by(*BOTH), agreement(), PARTIES, at)
    assert not check_termination(ending_by(BOTH[0]), agreement(), PARTIES, at)


@pytest.mark.parametrize(
    "forged",
    [
        ending_by((THIEF_KEY, THIEF)),
        ending_by(*BOTH, (THIEF_KEY, THIEF)),
        ending_by((THIEF_KEY, OWNER), BOTH[1]),
        ending_by(),
        ending_by(*BOTH, agreement="urn:uuid:00000000-0000-4000-8000-0000000000e9"),
        ending_by(*BOTH) | {"effective_on": "2026-05-02"},
        ending_by(*BOTH, effective_on="2026-04-30"),
        ending_by(BOTH[0], reason=TerminationReason.SURRENDER),
    ],
)
def test_forged_terminations(forged: Fields) -> None:
    with pytest.raises(TercetError):
        check_termination(forged, agreement(), PARTIES, "2026-05-01T00:00:01Z")


# ---- the words ---------------------------------------------------------------------------------


def test_each_standing_has_its_words_and_its_error() -> None:
    assert set(WORDS) == set(Standing)
    assert len(set(WORDS.values())) == len(Standing)
    codes = set()
    for each in set(Standing) - {Standing.VALID}:
        with pytest.raises(StandingError) as caught:
            require_valid(each, "agreement")
        assert caught.value.problem()["type"] == f"urn:tercet:error:{caught.value.code}"
        codes.add(caught.value.code)
    assert len(codes) == len(Standing) - 1
    assert "agreement-key-revoked" in codes


def test_a_document_is_named_by_what_was_signed() -> None:
    document = agreement_signed()
    assert document_sha256(document) == document_sha256(agreement_document(agreement()))
