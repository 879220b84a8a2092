"""What may follow what in the documents of a party, and which key counts when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from party_examples import BEGIN, Key, party_signed

from tercet.consent.licences import party_history
from tercet.consent.licences.closed_fields import DocumentError
from tercet.consent.licences.names import NameLookalikeError, NameScriptError
from tercet.consent.licences.party import (
    Party,
    PartyIdError,
    new_party,
    party_document,
    party_id_of,
    party_of,
    renewed,
)
from tercet.consent.licences.party_history import (
    KeyStanding,
    PartyClosedKeyError,
    PartyForkError,
    PartyGapError,
    PartyHistory,
    PartyOldVersionError,
    PartyRewrittenError,
    PartySignatureError,
    key_standing,
    receive_parties,
    receive_party,
)
from tercet.consent.licences.signing import (
    SignatureWrongError,
    WeakKeyError,
    document_sha256,
    public_key_text,
    signed,
)
from tercet.core.errors import TercetError

FIRST, SECOND, THIRD = Key("first"), Key("second"), Key("third")
T1, T2, T3, T4 = (f"2026-0{month}-01T00:00:00Z" for month in (2, 3, 4, 5))
ONE = new_party("Owner", "https://owner.example/tercet", BEGIN, [FIRST.public_raw])


def key_id(key: Key) -> str:
    return key.signer("").key_id


def begun(*keys: Key) -> PartyHistory:
    party = new_party("Owner", "", BEGIN, [key.public_raw for key in keys])
    return receive_party(None, party_signed(party, *keys), BEGIN)


def rotated(history: PartyHistory, old: Key, new: Key, at: str) -> Party:
    return renewed(history.latest, at, add=[new.public_raw], retire=[key_id(old)])


def test_a_party_is_named_by_its_first_key_and_read_back() -> None:
    document = party_signed(ONE, FIRST)
    assert ONE.id == party_id_of(FIRST.public_raw) == f"urn:tercet:party:{key_id(FIRST)}"
    assert party_of(document) == party_of(party_document(ONE)) == ONE
    assert receive_party(None, document, BEGIN).latest == ONE


def test_a_rotation_needs_the_old_key_and_the_new_one() -> None:
    history = begun(FIRST)
    next_one = rotated(history, FIRST, SECOND, T1)
    for signers in ((), (FIRST,), (SECOND,), (SECOND, FIRST), (FIRST, SECOND, THIRD)):
        with pytest.raises(PartySignatureError):
            receive_party(history, party_signed(next_one, *signers), T1)
    after = receive_party(history, party_signed(next_one, FIRST, SECOND), T1)
    assert [key.key_id for key in after.latest.current_keys] == [key_id(SECOND)]
    assert after.id == ONE.id


def test_a_retired_key_makes_no_new_version() -> None:
    history = begun(FIRST)
    rotation = rotated(history, FIRST, SECOND, T1)
    history = receive_party(history, party_signed(rotation, FIRST, SECOND), T1)
    stolen = renewed(history.latest, T2, name="Owner Two")
    with pytest.raises(PartyClosedKeyError):
        receive_party(history, party_signed(stolen, FIRST), T2)
    with_own = renewed(history.latest, T2, add=[THIRD.public_raw])
    with pytest.raises(PartyClosedKeyError):
        receive_party(history, party_signed(with_own, FIRST, THIRD), T2)


def test_a_retired_key_that_writes_history_anew_makes_a_fork() -> None:
    """It was current once: what it signs for that version looks good, but another one is known."""
    history = begun(FIRST)
    good = party_signed(rotated(history, FIRST, SECOND, T1), FIRST, SECOND)
    forked = party_signed(rotated(history, FIRST, THIRD, T1), FIRST, THIRD)
    after = receive_party(history, good, T1)
    with pytest.raises(PartyForkError) as caught:
        receive_party(after, forked, T2)
    assert [document_sha256(each) for each in caught.value.documents] == [
        document_sha256(good), document_sha256(forked),
    ]  # fmt: skip
    with pytest.raises(PartyForkError):
        receive_parties(after, [party_signed(begun(FIRST).latest, FIRST), forked], T2)


def test_an_unsigned_text_of_a_known_version_is_no_evidence_of_a_fork() -> None:
    """Else anybody could bring a party into disrepute."""
    history = begun(FIRST)
    other = replace(history.latest, name="Somebody")
    with pytest.raises(PartySignatureError):
        receive_party(history, party_document(other), T1)
    with pytest.raises(PartySignatureError):
        receive_party(history, signed(party_document(other), THIRD.signer(other.id)), T1)


def test_a_second_first_version_is_a_fork() -> None:
    history = begun(FIRST)
    with pytest.raises(PartyForkError):
        receive_party(history, party_signed(ONE, FIRST), T1)


def test_versions_never_go_back_and_leave_no_gap() -> None:
    history = begun(FIRST)
    documents = [history.versions[0].document]
    for at in (T1, T2):
        party = renewed(history.latest, at, address=f"https://owner.example/{at[:7]}")
        documents.append(party_signed(party, FIRST))
        history = receive_party(history, documents[-1], at)
    with pytest.raises(PartyOldVersionError):
        receive_party(history, documents[1], T3)
    assert receive_party(history, documents[2], T3) == history
    assert receive_parties(history, documents, T3) == history
    with pytest.raises(PartyGapError):
        receive_party(receive_party(None, documents[0], T3), documents[2], T3)
    with pytest.raises(PartyGapError):
        receive_party(None, documents[1], T3)
    whole = receive_parties(None, documents, T3)
    assert [each.document for each in whole.versions] == documents


def test_a_second_key_kept_elsewhere_revokes_a_stolen_one() -> None:
    history = begun(FIRST, SECOND)
    revoked = renewed(history.latest, T1, revoke={key_id(FIRST): "stolen"}, add=[THIRD.public_raw])
    history = receive_party(history, party_signed(revoked, SECOND, THIRD), T1)
    assert [key.key_id for key in history.latest.current_keys] == [key_id(SECOND), key_id(THIRD)]
    stolen = renewed(history.latest, T2, revoke={key_id(SECOND): "mine now"})
    with pytest.raises(PartyClosedKeyError):
        receive_party(history, party_signed(stolen, FIRST), T2)


def test_a_party_without_keys_has_ended() -> None:
    history = begun(FIRST)
    last = renewed(history.latest, T1, revoke={key_id(FIRST): "lost"})
    history = receive_party(history, party_signed(last, FIRST), T1)
    with pytest.raises(PartyClosedKeyError):
        receive_party(history, party_signed(renewed(history.latest, T2, name="Back"), FIRST), T2)


def rewritten(history: PartyHistory) -> list[Party]:
    """Return versions that a current key signs but that change what must stay."""
    party = history.latest
    good = renewed(party, T3)
    first, second = good.keys
    return [
        replace(good, previous="0" * 64),
        replace(good, made_at=T1),
        replace(good, keys=(first,)),
        replace(good, keys=(replace(first, until=""), second)),
        replace(good, keys=(replace(first, until=T1), second)),
        replace(good, keys=(first, replace(second, since=T1))),
        replace(good, keys=(first, replace(second, until=T2))),
        replace(good, keys=(first, replace(second, revoked_at=T2, reason="before it was said"))),
        replace(good, keys=(replace(first, reason="", revoked_at="", until=T3), second)),
    ]


@pytest.mark.parametrize("at", range(9))
def test_what_was_said_of_keys_stays_said(at: int) -> None:
    history = begun(FIRST)
    rotation = party_signed(rotated(history, FIRST, SECOND, T2), FIRST, SECOND)
    history = receive_party(history, rotation, T2)
    with pytest.raises((PartyRewrittenError, PartySignatureError, DocumentError)):
        receive_party(history, party_signed(rewritten(history)[at], SECOND), T3)
    receive_party(history, party_signed(renewed(history.latest, T3), SECOND), T3)


def test_a_revocation_is_not_taken_back() -> None:
    history = begun(FIRST, SECOND)
    revocation = renewed(history.latest, T1, revoke={key_id(FIRST): "stolen"})
    history = receive_party(history, party_signed(revocation, SECOND), T1)
    first, second = history.latest.keys
    for changed in (
        replace(first, revoked_at="", reason=""),
        replace(first, revoked_at=T2),
        replace(first, reason="was not so bad"),
    ):
        party = replace(renewed(history.latest, T2), keys=(changed, second))
        with pytest.raises(PartyRewrittenError):
            receive_party(history, party_signed(party, SECOND), T2)


def test_the_document_of_another_party_does_not_follow() -> None:
    with pytest.raises(DocumentError):
        receive_party(begun(FIRST), party_signed(new_party("X", "", T1, [SECOND.public_raw]),
                                                 SECOND), T1)  # fmt: skip


def test_a_key_of_another_party_does_not_sign() -> None:
    other = begun(SECOND)
    history = begun(FIRST)
    party = renewed(history.latest, T1, name="Taken over")
    document = signed(party_document(party), SECOND.signer(other.id))
    with pytest.raises(PartySignatureError):
        receive_party(history, document, T1)


def test_the_name_of_a_party_is_compared_when_it_comes_and_when_it_changes() -> None:
    known = {"urn:tercet:party:0000000000000000": "Оwner".replace("О", "O")}
    with pytest.raises(NameLookalikeError):
        receive_party(None, party_signed(ONE, FIRST), BEGIN, known_names=known)
    confirmed = frozenset(known)
    history = receive_party(
        None, party_signed(ONE, FIRST), BEGIN, known_names=known, confirmed=confirmed
    )
    moved = renewed(ONE, T1, address="https://elsewhere.example/")
    history = receive_party(history, party_signed(moved, FIRST), T1, known_names=known)
    named = renewed(moved, T2, name="OWNER")
    with pytest.raises(NameLookalikeError):
        receive_party(history, party_signed(named, FIRST), T2, known_names=known)


def changed(**members: Any) -> dict[str, Any]:
    return party_document(ONE) | members


def with_key(**members: Any) -> dict[str, Any]:
    document = party_document(ONE)
    return document | {"keys": [document["keys"][0] | members]}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (changed(type="tercet/party@2"), DocumentError),
        (changed(version=0), DocumentError),
        (changed(version=True), DocumentError),
        (changed(version=2), DocumentError),
        (changed(previous="0" * 64), DocumentError),
        (changed(made_at="2026-01-01"), DocumentError),
        (changed(made_at="2026-02-30T00:00:00Z"), DocumentError),
        (changed(made_at="2026-01-01T00:00:00+00:00"), DocumentError),
        (changed(address="ftp://owner.example/"), DocumentError),
        (changed(address="https://owner.example/?a=b"), DocumentError),
        (changed(address="https://OWNER.example/"), DocumentError),
        (changed(address="https://user:word@owner.example/"), DocumentError),
        (changed(id="urn:tercet:party:0000000000000000"), PartyIdError),
        (changed(name="\u0420\u0430ypal"), NameScriptError),
        (changed(keys=[]), DocumentError),
        (changed(keys=party_document(ONE)["keys"] * 2), DocumentError),
        (changed(keys=party_document(ONE)["keys"] * 65), DocumentError),
        (changed(more=1), DocumentError),
        (with_key(public_key=public_key_text(SECOND.public_raw)), DocumentError),
        (with_key(public_key="AQ" + "A" * 41), WeakKeyError),
        (with_key(since="2027-01-01T00:00:00Z"), DocumentError),
        (with_key(until="2025-01-01T00:00:00Z"), DocumentError),
        (with_key(revoked_at=BEGIN), DocumentError),
        (with_key(reason="for none"), DocumentError),
        (with_key(until=None), DocumentError),
        ({name: v for name, v in party_document(ONE).items() if name != "name"}, DocumentError),
    ],
    ids=str,
)
def test_what_is_no_party_document_is_refused(
    document: dict[str, Any], kind: type[TercetError]
) -> None:
    with pytest.raises(TercetError) as caught:
        party_of(document)
    assert type(caught.value) is kind


def revoked_history() -> PartyHistory:
    """Two keys at T0; the second says at T2 that the first is stolen; the store hears it at T3."""
    history = begun(FIRST, SECOND)
    party = renewed(history.latest, T2, revoke={key_id(FIRST): "stolen"})
    return receive_party(history, party_signed(party, SECOND), T3)


@pytest.mark.parametrize(
    ("made_at", "seen_at", "standing"),
    [
        (T1, T1, KeyStanding.VALID),
        (T1, T2, KeyStanding.VALID),  # seen before the store learned of the revocation
        (T1, T3, KeyStanding.REVOKED),  # at the same moment: doubt denies
        (T1, T4, KeyStanding.REVOKED),  # whatever date it claims
        (BEGIN, T4, KeyStanding.REVOKED),
        (T4, T4, KeyStanding.REVOKED),
        ("2025-12-31T23:59:59Z", T1, KeyStanding.TOO_EARLY),
    ],
)
def test_what_was_seen_before_a_revocation_was_learned_stays_valid(
    made_at: str, seen_at: str, standing: KeyStanding
) -> None:
    history = revoked_history()
    assert key_standing(history, key_id(FIRST), made_at, seen_at) is standing
    if made_at >= BEGIN:
        assert key_standing(history, key_id(SECOND), made_at, seen_at) is KeyStanding.VALID


def test_after_a_rotation_only_earlier_dates_count() -> None:
    history = begun(FIRST)
    rotation = party_signed(rotated(history, FIRST, SECOND, T2), FIRST, SECOND)
    history = receive_party(history, rotation, T2)
    assert key_standing(history, key_id(FIRST), T1, T4) is KeyStanding.VALID
    assert key_standing(history, key_id(FIRST), T2, T4) is KeyStanding.RETIRED
    assert key_standing(history, key_id(FIRST), T3, T4) is KeyStanding.RETIRED
    assert key_standing(history, key_id(SECOND), T1, T4) is KeyStanding.TOO_EARLY
    assert key_standing(history, key_id(THIRD), T1, T4) is KeyStanding.UNKNOWN


def test_a_retired_key_can_be_revoked_later() -> None:
    history = begun(FIRST)
    rotation = party_signed(rotated(history, FIRST, SECOND, T1), FIRST, SECOND)
    history = receive_party(history, rotation, T1)
    party = renewed(history.latest, T3, revoke={key_id(FIRST): "found on a flea market"})
    history = receive_party(history, party_signed(party, SECOND), T3)
    assert key_standing(history, key_id(FIRST), BEGIN, T2) is KeyStanding.VALID
    assert key_standing(history, key_id(FIRST), T2, T2) is KeyStanding.REVOKED
    assert key_standing(history, key_id(FIRST), BEGIN, T3) is KeyStanding.REVOKED


def test_each_refusal_has_a_code_of_its_own() -> None:
    kinds = [
        kind for name, kind in vars(party_history).items()
        if name.startswith("Party") and name.endswith("Error")
    ]  # fmt: skip
    assert len(kinds) == len({kind.code for kind in kinds}) == 6


class HistoryMachine(RuleBasedStateMachine):
    """A party lives, a thief has its retired and revoked keys, and a store hears of it all.

    Whatever the thief sends is refused and changes nothing; what was seen while a key was current
    stays valid.
    """

    @initialize()
    def begin(self) -> None:
        self.hour = 0
        self.keys = {key_id(key): key for key in (Key("0"), Key("1"))}
        self.history = begun(*self.keys.values())
        self.current = list(self.keys)
        self.lost: list[str] = []
        self.seen: list[tuple[str, str]] = []  # (key, when) of what was seen while it was current

    def now(self) -> str:
        self.hour += 1
        return f"2026-06-{1 + self.hour // 24:02}T{self.hour % 24:02}:00:00Z"

    def take(self, party: Party, *signers: Key) -> None:
        self.history = receive_party(self.history, party_signed(party, *signers), party.made_at)

    @rule(data=st.data(), revokes=st.booleans())
    def a_key_goes_and_another_comes(self, data: st.DataObject, revokes: bool) -> None:
        if len(self.keys) > 12:
            return
        goes, signs = (data.draw(st.sampled_from(self.current)) for _ in range(2))
        new = Key(str(len(self.keys)))
        party = renewed(
            self.history.latest,
            self.now(),
            add=[new.public_raw],
            retire=() if revokes else (goes,),
            revoke={goes: "stolen"} if revokes else {},
        )
        self.take(party, self.keys[signs], new)
        self.keys[key_id(new)] = new
        self.current = [*(key for key in self.current if key != goes), key_id(new)]
        self.lost.append(goes)

    @rule(data=st.data())
    def something_is_seen_signed(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.current))
        at = self.now()
        assert key_standing(self.history, key, at, at) is KeyStanding.VALID
        self.seen.append((key, at))

    @rule(data=st.data(), backdated=st.booleans())
    def a_thief_makes_a_version(self, data: st.DataObject, backdated: bool) -> None:
        if not self.lost:
            return
        thief = self.keys[data.draw(st.sampled_from(self.lost))]
        versions = self.history.versions
        base = data.draw(st.sampled_from(versions)).party if backdated else versions[-1].party
        party = renewed(base, max(base.made_at, self.now()), add=[THIRD.public_raw])
        with pytest.raises((PartyClosedKeyError, PartyForkError, PartySignatureError)):
            receive_party(self.history, party_signed(party, thief, THIRD), self.now())

    @rule(data=st.data())
    def a_thief_signs_with_a_revoked_key(self, data: st.DataObject) -> None:
        keys = [key for key in self.history.latest.keys if key.revoked_at]
        if keys:
            key = data.draw(st.sampled_from(keys))
            standing = key_standing(self.history, key.key_id, key.since, self.now())
            assert standing is KeyStanding.REVOKED

    @invariant()
    def what_was_seen_stays_valid(self) -> None:
        for key, at in getattr(self, "seen", ()):
            assert key_standing(self.history, key, at, at) is KeyStanding.VALID

    @invariant()
    def the_history_can_be_built_again(self) -> None:
        if not hasattr(self, "history"):
            return
        history: PartyHistory | None = None
        for version in self.history.versions:
            history = receive_party(history, version.document, version.received_at)
        assert history == self.history


HistoryMachine.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
test_a_life_of_keys = HistoryMachine.TestCase


def test_a_signature_over_another_version_does_not_hold() -> None:
    history = begun(FIRST)
    document = party_signed(renewed(history.latest, T1, name="Owner of Films"), FIRST)
    with pytest.raises(SignatureWrongError):
        receive_party(history, document | {"name": "Owner of Songs"}, T1)
