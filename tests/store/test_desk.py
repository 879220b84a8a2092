"""A desk keeps what happened: negotiations on both sides, agreements with their signatures."""

from __future__ import annotations

import multiprocessing
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk_examples import Desks, card, deliver, drive, make_desks, put_under_way
from negotiation_examples import (
    AT,
    LATER,
    OWNER,
    PEOPLE,
    STRANGER,
    STUDIO,
    TOO_LATE,
    agreement,
    message,
    offer,
    person,
    uuid,
)

from tercet.consent.licences.exchange import Applied, Duplicate, Refused
from tercet.consent.licences.negotiation import Role, State, Step
from tercet.consent.licences.negotiation_side import Happening
from tercet.consent.licences.party import new_party, party_document, renewed
from tercet.consent.licences.signing import Document, signed
from tercet.consent.licences.termination import (
    Termination,
    TerminationReason,
    termination_document,
)
from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError, MissingError, TercetError
from tercet.core.ids import sha256_hex
from tercet.core.strict_json import read_canonical_object
from tercet.store.desk import Desk
from tercet.store.desk_schema import TRIGGERS

C, P = Role.CONSUMER, Role.PROVIDER
SHORT = ((C, Step.REQUEST), (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE))
TWO_ROUNDS = (
    (C, Step.REQUEST), (P, Step.OFFER), (C, Step.REQUEST), (P, Step.OFFER), (C, Step.ACCEPT),
    (P, Step.AGREE), (C, Step.VERIFY), (P, Step.FINALIZE),
)  # fmt: skip


def test_two_rounds_end_in_one_agreement_that_both_hold(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, *TWO_ROUNDS)
    sides = {role: desks[role].negotiation(pids[role]) for role in Role}
    assert sides[C].state is sides[P].state is State.FINALIZED
    assert sides[C].applied == sides[P].applied
    (mine,), (theirs,) = desks[C].agreements(), desks[P].agreements()
    assert mine.document == theirs.document
    signers = [each["party"] for each in mine.document["signatures"]]
    assert signers == [desks[P].party, desks[C].party]
    assert mine.document == read_canonical_object(sides[C].applied[-1].document)
    assert not desks[C].outbox()
    assert not desks[P].outbox()
    assert len(desks[C].offers(published=False)) == 4
    assert not desks[C].offers()


def test_what_is_not_finalized_grants_nothing(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT[:3], (P, Step.TERMINATE))
    for desk in desks.values():
        assert not desk.agreements()
        (kept,) = desk.agreements(final=False)
        assert (kept.final_at, len(kept.document["signatures"])) == ("", 2)


def test_a_desk_opened_again_has_forgotten_nothing(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, *TWO_ROUNDS[:3])
    sent = put_under_way(desks[P], pids[P], Step.OFFER, 900)
    before = desks[P].negotiation(pids[P])
    desks[P].close()
    again = Desk.open(desks[P].folder)
    assert again.negotiation(pids[P]) == before
    assert before.pending == sent
    assert [each.message for each in again.outbox()] == [sent]


def test_a_first_message_that_comes_twice_begins_one_negotiation(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, (C, Step.REQUEST))
    first = desks[C].negotiation(pids[C]).applied[0]
    outcome = desks[P].receive(first, LATER, new_pid=uuid(4, 0xB))
    assert isinstance(outcome, Duplicate)
    assert outcome.answer.provider_pid == pids[P]
    assert len(desks[P].negotiations()) == 1


def test_a_refused_beginning_leaves_nothing_behind(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    desks[C].begin(C, OWNER.id, pid=uuid(1, 0xB), peer_address="", at=AT)
    sent = put_under_way(desks[C], uuid(1, 0xB), Step.REQUEST, 1)
    outcome = desks[P].receive(sent, TOO_LATE, new_pid=uuid(2, 0xB))
    assert isinstance(outcome, Refused)
    assert not desks[P].negotiations()
    given_up = desks[C].acknowledge(uuid(1, 0xB), outcome.answer, TOO_LATE)
    assert (given_up.state, given_up.pending) == (None, None)


def test_a_message_about_an_unknown_negotiation_is_missing(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, (C, Step.REQUEST))
    stray = message(desks[C].negotiation(pids[C]), Step.TERMINATE, 5, provider_pid=uuid(9, 0xB))
    with pytest.raises(MissingError):
        desks[P].receive(stray, AT, new_pid=uuid(4, 0xB))


def test_a_party_that_is_not_known_begins_nothing(tmp_path: Path) -> None:
    desks = {role: Desk.make(tmp_path / role, card(PEOPLE[role]), AT) for role in Role}
    desks[C].begin(C, OWNER.id, pid=uuid(1, 0xB), peer_address="", at=AT)
    sent = message(desks[C].negotiation(uuid(1, 0xB)), Step.REQUEST, 1)
    outcome = desks[P].receive(sent, AT, new_pid=uuid(2, 0xB))
    assert isinstance(outcome, Refused)
    assert outcome.answer.code == "message-unknown-party"
    assert not desks[P].negotiations()


def test_a_delivery_that_failed_is_due_again_later(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    desks[C].begin(C, OWNER.id, pid=uuid(1, 0xB), peer_address="https://o.example", at=AT)
    put_under_way(desks[C], uuid(1, 0xB), Step.REQUEST, 1)
    assert [each.peer_address for each in desks[C].outbox(due_at=AT)] == ["https://o.example"]
    desks[C].put_off(uuid(1, 0xB), due_at=LATER, note="no route")
    assert not desks[C].outbox(due_at=AT)
    (later,) = desks[C].outbox(due_at=LATER)
    assert (later.attempts, later.note) == (1, "no route")
    deliver(desks, C, uuid(1, 0xB))
    assert not desks[C].outbox()


def prepare_in_process(folder: Path, number: int, results: Any) -> None:
    desk = Desk.open(folder)
    sent = message(desk.negotiation(uuid(1, 0xB)), Step.ACCEPT, number)
    try:
        desk.prepare(sent, AT)
        results.put("prepared")
    except TercetError as error:
        results.put(error.code)


def receive_in_process(folder: Path, raw: bytes, results: Any) -> None:
    from tercet.consent.licences.messages import message_from

    outcome = Desk.open(folder).receive(message_from(raw), AT, new_pid=uuid(5, 0xB))
    results.put((type(outcome).__name__, outcome.answer.provider_pid))


def in_processes(target: Any, *arguments: tuple[Any, ...]) -> list[Any]:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    all_of_them = [context.Process(target=target, args=(*each, results)) for each in arguments]
    for process in all_of_them:
        process.start()
    said = [results.get(timeout=60) for _ in all_of_them]
    for process in all_of_them:
        process.join()
    return said


def test_two_processes_put_one_message_under_way(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, (C, Step.REQUEST), (P, Step.OFFER))
    said = in_processes(prepare_in_process, *[(desks[C].folder, at) for at in (800, 801, 802)])
    assert sorted(said) == ["message-under-way", "message-under-way", "prepared"]


def test_a_message_taken_by_two_processes_at_once_has_one_effect(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    desks[C].begin(C, OWNER.id, pid=uuid(1, 0xB), peer_address="", at=AT)
    raw = put_under_way(desks[C], uuid(1, 0xB), Step.REQUEST, 1).raw
    said = in_processes(receive_in_process, *[(desks[P].folder, raw)] * 3)
    assert sorted(name for name, _ in said) == ["Applied", "Duplicate", "Duplicate"]
    assert len({pid for _, pid in said}) == 1
    assert len(desks[P].negotiations()) == 1


# ---- what is kept ---------------------------------------------------------------------------


APPEND_ONLY = {
    "agreement_signatures", "agreements", "agreements_final", "answers", "history", "messages",
    "offers", "party_versions",
}  # fmt: skip


def test_what_happened_cannot_be_altered(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    assert {name.rpartition("_no_")[0] for name in TRIGGERS} >= APPEND_ONLY
    database = sqlite3.connect(desks[P].database.path)
    for name in sorted(APPEND_ONLY):
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
        assert database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] > 0
        for statement in (
            f"UPDATE {name} SET {columns[-1]} = 'x'",
            f"DELETE FROM {name}",
            f"INSERT OR REPLACE INTO {name} SELECT * FROM {name}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)
    database.close()


def test_a_reserve_stands_in_nothing_that_the_other_side_sees(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    desks[P].set_reserve(uuid(2, 0xB), b'{"fixed_micros":424242424242}', AT)
    assert desks[P].reserve(uuid(2, 0xB)) == b'{"fixed_micros":424242424242}'
    pids = drive(desks, *TWO_ROUNDS)
    for side in (desks[P].negotiation(pids[P]), desks[C].negotiation(pids[C])):
        assert b"424242" not in b"".join(each.raw for each in side.applied)
        assert "424242" not in str(side.answered)
    desks[C].close()
    files = [file.read_bytes() for file in desks[C].folder.rglob("*") if file.is_file()]
    assert not any(b"424242" in raw for raw in files)


def test_repertoires_lie_under_their_digest(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[P]
    raw = b"tercet/repertoire@1\nsha256:" + b"ab" * 32 + b"\n"
    sha256 = desk.repertoires.add(raw, AT)
    assert sha256 == sha256_hex(raw) == desk.repertoires.add(raw, LATER)
    assert desk.repertoires.read(sha256) == raw
    assert desk.repertoires.all() == (sha256,)
    desk.repertoires.path(sha256).write_bytes(raw + b"x")
    with pytest.raises(TercetError, match="digest"):
        desk.repertoires.read(sha256)
    for name in ("00" * 32, "../desk.sqlite", ""):
        with pytest.raises(MissingError):
            desk.repertoires.path(name)


def test_published_offers_are_found_until_they_are_withdrawn(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[P]
    document = read_canonical_object(offer(OWNER, 1))
    desk.add_offer(document, AT)
    desk.add_offer(document, LATER)
    (kept,) = desk.offers(licensor=OWNER.id)
    assert (kept.document, kept.seen_at, kept.is_withdrawn) == (document, AT, False)
    with pytest.raises(TercetError, match="another offer"):
        desk.add_offer(read_canonical_object(offer(OWNER, 1, price=2)), AT)
    desk.withdraw_offer(kept.id, LATER)
    desk.withdraw_offer(kept.id, TOO_LATE)
    assert desk.offers(offer_id=kept.id)[0].is_withdrawn
    assert not desk.offers(licensor=STUDIO.id)


def test_a_desk_is_private_and_made_of_a_good_document_only(tmp_path: Path) -> None:
    with pytest.raises(TercetError):
        Desk.make(tmp_path / "new", {**card(OWNER), "name": "Other"}, AT)
    assert not (tmp_path / "new").exists()
    desk = Desk.make(tmp_path / "new", card(OWNER), AT)
    files = [file for file in desk.folder.iterdir() if file.name.startswith("desk.sqlite")]
    assert files
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_tables_of_a_later_version_are_added_to_an_old_desk(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[P]
    desk.close()
    with sqlite3.connect(desk.database.path) as database:
        database.execute("DROP TABLE terminations")
    assert Desk.open(desk.folder).terminations(uuid(1, 0xA)) == ()


def test_a_desk_is_of_one_party_and_of_a_known_version(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[P]
    assert Desk.make(desk.folder, card(OWNER), LATER).party == OWNER.id
    with pytest.raises(InputError, match="desk of"):
        Desk.make(desk.folder, card(STUDIO), AT)
    with pytest.raises(InputError, match="no desk"):
        Desk.open(tmp_path / "nowhere")
    desk.close()
    with sqlite3.connect(desk.database.path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="version 99"):
        Desk.open(desk.folder)


# ---- keys -----------------------------------------------------------------------------------


def revoked(of: Any, new: Any, at: str) -> Document:
    """Return the second version of a party: a new key, and the old one revoked by it."""
    first = new_party(of.name, "", "2026-01-01T00:00:00Z", [of.signer.public_raw])
    second = renewed(first, at, add=[new.public_raw], revoke={of.signer.key_id: "stolen"})
    return signed(signed(party_document(second), of.signer), new)


def test_what_was_signed_before_a_revocation_stays_and_nothing_after_it(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, *SHORT)
    (kept,) = desks[C].agreements()
    assert kept.signed_at == {OWNER.id: AT, STUDIO.id: AT}
    new = replace(person("Owner", 9).signer, party=OWNER.id)
    desks[C].take_parties([revoked(OWNER, new, LATER)], LATER)
    assert len(desks[C].party_history(OWNER.id).versions) == 2
    again = desks[C].take_agreement(kept.document, AT)  # seen before: still counts
    assert again.final_at == kept.final_at
    late = message(desks[P].negotiation(pids[P]), Step.TERMINATE, 50)
    outcome = desks[C].receive(late, LATER, new_pid=uuid(5, 0xB))
    assert outcome.answer.code == "message-key-revoked"
    assert outcome.answer.state is None


def test_names_that_look_alike_need_a_person(tmp_path: Path) -> None:
    desk = make_desks(tmp_path)[C]
    twin = person("0wner", 7)
    with pytest.raises(TercetError) as caught:
        desk.take_parties([card(twin)], AT)
    assert "alike" in caught.value.code
    desk.take_parties([card(twin)], AT, confirmed=frozenset({OWNER.id}))
    assert desk.party_history(twin.id).latest.name == "0wner"
    with pytest.raises(MissingError):
        desk.party_history(STRANGER.id)


# ---- amendments and ends --------------------------------------------------------------------


def amend(desks: Desks, first: int, supersedes: str, *steps: tuple[Role, Step]) -> dict[Role, str]:
    """Take a negotiation that would supersede an agreement through steps."""
    pids = {C: uuid(first, 0xB), P: uuid(first + 1000, 0xB)}
    desks[C].begin(C, OWNER.id, pid=pids[C], peer_address="", at=AT)
    fresh = message(desks[C].negotiation(pids[C]), Step.REQUEST, first * 100, supersedes=supersedes)
    desks[C].prepare(fresh, AT)
    deliver(desks, C, pids[C], new=first + 1000)
    for at, (sender, step) in enumerate(steps, 1):
        side = desks[sender].negotiation(pids[sender])
        desks[sender].prepare(message(side, step, first * 100 + at, **_named(side, first)), AT)
        deliver(desks, sender, pids[sender])
    return pids


def _named(side: Any, first: int) -> dict[str, Any]:
    """An agreement of its own id."""
    if side.state is State.REQUESTED and side.role is P:
        text = agreement(side, id=uuid(first, 0xA))
        return {"document": canonical_json(signed(text, OWNER.signer))}
    return {}


def test_an_amendment_takes_the_place_of_an_agreement_once(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    old = desks[C].agreements()[0].id
    first = amend(desks, 20, old, *SHORT[1:3])
    second = amend(desks, 21, old, *SHORT[1:3])
    put_under_way(desks[P], first[P], Step.FINALIZE, 2_050)
    with pytest.raises(TercetError) as caught:  # two cannot: the first is about to
        put_under_way(desks[P], second[P], Step.FINALIZE, 2_150)
    assert caught.value.code == "not-amendable"
    deliver(desks, P, first[P])
    for desk in desks.values():
        superseded, standing = desk.agreements()
        assert (superseded.id, superseded.superseded_by) == (old, uuid(20, 0xA))
        assert (standing.supersedes, standing.superseded_by) == (old, "")


def test_only_an_agreement_of_both_can_be_amended(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    with pytest.raises(TercetError) as caught:
        amend(desks, 30, uuid(1, 0xA))
    assert caught.value.code == "not-amendable"


def test_an_agreement_of_others_takes_the_place_of_none(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    desk, old = desks[C], desks[C].agreements()[0]
    desk.take_parties([card(STRANGER)], AT)
    text = {**old.document, "id": uuid(7, 0xA), "supersedes": old.id, "signatures": []}
    text["terms"] = {**text["terms"], "licensor": {"id": STRANGER.id, "name": STRANGER.name}}
    text["parties"] = {"assigner": STRANGER.id, "assignee": STUDIO.id}
    taken = desk.take_agreement(signed(signed(text, STRANGER.signer), STUDIO.signer), AT)
    assert taken.final_at
    assert desk.agreement(old.id).superseded_by == ""


def test_both_signatures_do_not_make_what_was_terminated_stand(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT[:3], (P, Step.TERMINATE))
    kept = desks[C].agreements(final=False)[0]
    with pytest.raises(TercetError) as caught:
        desks[C].take_agreement(kept.document, AT)
    assert caught.value.code == "agreement-not-final"
    assert not desks[C].agreements()


def ending(
    agreement_id: str, reason: TerminationReason, on: str, *signers: Any, at: str = AT
) -> Document:
    document: Document = termination_document(Termination(agreement_id, reason, on, at))
    for each in signers:
        document = signed(document, each.signer)
    return document


def test_both_end_an_agreement_on_a_day_they_choose(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    desk, agreement_id = desks[C], desks[C].agreements()[0].id
    proposal = ending(agreement_id, TerminationReason.MUTUAL, "2026-12-01", OWNER)
    assert not desk.take_termination(proposal, AT)
    assert desk.terminated_on(agreement_id) == ""
    amend(desks, 39, agreement_id)  # a proposal stands in no way
    assert desk.take_termination(signed(proposal, STUDIO.signer), LATER)
    assert desk.terminated_on(agreement_id) == "2026-12-01"
    assert [each.signers for each in desk.terminations(agreement_id)] == [
        (OWNER.id,), tuple(sorted((OWNER.id, STUDIO.id)))]  # fmt: skip
    with pytest.raises(TercetError) as caught:
        amend(desks, 40, agreement_id)
    assert caught.value.code == "not-amendable"


@pytest.mark.parametrize("reason", ["discontinuation", "surrender"])
def test_a_licensee_gives_up_alone_with_the_whole_notice(tmp_path: Path, reason: str) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    desk, agreement_id = desks[P], desks[P].agreements()[0].id
    why = TerminationReason(reason)  # 90 days of notice, from the day it was seen
    assert desk.take_termination(ending(agreement_id, why, "2027-02-20", STUDIO), AT)
    early = ending(agreement_id, why, "2027-02-19", STUDIO)
    backdated = ending(agreement_id, why, "2027-02-20", STUDIO, at="2026-11-01T00:00:00Z")
    for document, at in ((early, AT), (backdated, LATER)):
        with pytest.raises(TercetError) as caught:
            desk.take_termination(document, at)
        assert caught.value.code == "termination-not-agreed"
    assert desk.take_termination(signed(early, OWNER.signer), AT)  # both may shorten it
    assert desk.terminated_on(agreement_id) == "2027-02-19"


def test_what_no_rule_allows_ends_nothing(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    desk, agreement_id = desks[C], desks[C].agreements()[0].id
    mutual, given_up = TerminationReason.MUTUAL, TerminationReason.DISCONTINUATION
    for document in (
        ending(agreement_id, given_up, "2027-06-01", OWNER),  # a licensor alone
        ending(agreement_id, mutual, "2026-12-01"),
        ending(agreement_id, mutual, "2026-12-01", STRANGER),
        ending(agreement_id, mutual, "2026-11-21", OWNER, STUDIO),  # before it was made
        ending(uuid(9, 0xA), mutual, "2026-12-01", OWNER, STUDIO),
        {**ending(agreement_id, mutual, "2026-12-01", OWNER, STUDIO), "reason": "breach"},
        {**ending(agreement_id, mutual, "2026-12-01", OWNER, STUDIO), "effective_on": "2026-12-02"},
    ):
        with pytest.raises(TercetError):
            desk.take_termination(document, AT)
    assert not desk.terminations(agreement_id)
    assert desk.terminated_on(agreement_id) == ""


def test_a_termination_of_what_was_never_final_is_missing(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT[:2])
    agreement_id = desks[C].agreements(final=False)[0].id
    document = ending(agreement_id, TerminationReason.MUTUAL, "2026-12-01", OWNER, STUDIO)
    with pytest.raises(MissingError, match="never finalized"):
        desks[C].take_termination(document, AT)


def test_refusals_stand_in_the_history_of_both(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    pids = drive(desks, (P, Step.OFFER))
    sent = put_under_way(desks[C], pids[C], Step.ACCEPT, 700)
    outcome = desks[P].receive(sent, TOO_LATE, new_pid=uuid(5, 0xB))
    assert not isinstance(outcome, Applied)
    desks[C].acknowledge(pids[C], outcome.answer, TOO_LATE)
    for role in Role:
        last = desks[role].negotiation(pids[role]).entries[-1]
        assert (last.happening, last.message) == (Happening.REFUSED, sent)
        assert "offer-lapsed" in last.words


def test_an_id_of_an_agreement_is_used_once(tmp_path: Path) -> None:
    desks = make_desks(tmp_path)
    drive(desks, *SHORT)
    with pytest.raises(TercetError) as caught:
        drive(desks, *SHORT, first=50)  # the examples give every agreement one id
    assert caught.value.code == "agreement-id-taken"
