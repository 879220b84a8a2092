"""The registry: claims bind as their owners said and no longer than that, and the log proves it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from registry_examples import DAY_40, by, digest, make, public, registration, with_text

from tercet.consent.registry.claim import Check, Evidence, EvidenceKind
from tercet.consent.registry.conflicts import Step
from tercet.consent.registry.declared_terms import licence_terms
from tercet.consent.registry.dispute import Act, DisputeKind, DisputeState
from tercet.core.errors import InputError, IntegrityError, RefusedError, StorageError
from tercet.store.registry import Registry
from tercet.store.registry_check import check_findable, differences


def works_found(registry: Registry) -> list[int]:
    return [int(number) for number in registry.fingerprints.reader().works()]


# ---- registering ----------------------------------------------------------------------------


def test_what_is_asked_twice_happens_once(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (first,) = registry.register([registration()], by("ann"))
    head = registry.digest()
    again = registry.register([registration(), registration()], by("ann", DAY_40))
    assert first.step is Step.NEW
    assert [each.step for each in again] == [Step.UNCHANGED] * 2
    assert {each.number for each in again} == {first.number}
    assert registry.digest() == head
    assert Registry.make(tmp_path, by("other")).digest() == head


def test_works_are_read_back_as_they_were_registered(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register(
        [with_text(registration("a", ("Ann", 6000), ("Bob", 4000), title="Tïtle"))], by("ann")
    )
    work = registry.work(one.number)
    assert (work.title, work.sha256) == ("Tïtle", digest("a"))
    claims, disputed = registry.standing(one.number)
    assert not disputed
    assert [(c.claim.owner.name, c.share_basis_points) for c in claims] == [
        ("Ann", 6000), ("Bob", 4000)
    ]  # fmt: skip
    assert registry.works_by_sha256([digest("a"), digest("b")]) == {digest("a"): [one.number]}
    assert registry.live([one.number, 99]) == {one.number}
    assert registry.hash_table().to_pydict() == {"work": [one.number], "sha256": [digest("a")]}
    assert works_found(registry) == [one.number]
    with pytest.raises(InputError, match="no work 99"):
        registry.work(99)
    with pytest.raises(InputError, match="no registry"):
        Registry.open(tmp_path / "elsewhere")


def test_other_terms_need_to_be_said_on_purpose(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (first,) = registry.register([registration()], by("ann"))
    granting = registration(terms=licence_terms("CC0-1.0"))
    (kept,) = registry.register([granting], by("ann"))
    assert kept.step is Step.DIFFERS
    (amended,) = registry.register([granting], by("ann"), amend=True)
    assert (amended.step, amended.number) == (Step.AMEND, first.number)
    claims, _ = registry.standing(first.number)
    assert [claim.claim_id for claim in claims] == list(amended.claim_ids)
    assert claims[0].claim.previous == first.claim_ids[0]
    states = [state for _, state in registry.claims(first.number)]
    assert states == ["amended", "live"]
    assert differences(registry) == []


def test_an_owner_left_out_of_an_amendment_no_longer_binds(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration("a", ("Ann", 5000), ("Bob", 5000))], by("ann"))
    registry.register([registration("a", ("Ann", 7000))], by("ann"), amend=True)
    claims, _ = registry.standing(one.number)
    assert [(c.claim.owner.name, c.share_basis_points) for c in claims] == [("Ann", 7000)]
    assert [state for _, state in registry.claims(one.number)] == ["amended", "withdrawn", "live"]
    assert differences(registry) == []


def test_fingerprints_come_to_a_work_known_by_its_hash(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (by_hash,) = registry.register([registration()], by("ann"))
    (found,) = registry.register([with_text(registration())], by("ann"))
    assert found.step is Step.AMEND
    assert registry.live([by_hash.number, found.number]) == {found.number}
    assert works_found(registry) == [found.number]
    assert differences(registry) == []


# ---- withdrawing ----------------------------------------------------------------------------


def test_a_withdrawn_claim_never_binds(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([with_text(registration(url="https://a.example/1"))], by("ann"))
    with pytest.raises(RefusedError, match="only the key"):
        registry.withdraw(one.claim_ids[0], "", by("eve"))
    assert registry.withdraw(one.claim_ids[0][:12], "sold", by("ann")) == one.claim_ids[0]
    assert registry.standing(one.number) == ((), False)
    assert registry.live([one.number]) == set()
    assert registry.works_by_sha256([digest("work")]) == {}
    assert registry.hash_table().num_rows == registry.url_table().num_rows == 0
    assert works_found(registry) == []
    with pytest.raises(RefusedError, match="withdrawn"):
        registry.withdraw(one.claim_ids[0], "", by("ann"))
    with pytest.raises(InputError):
        registry.withdraw("%", "", by("ann"))
    assert differences(registry) == []


def test_what_was_withdrawn_can_be_registered_again_under_a_new_number(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([with_text(registration())], by("ann"))
    registry.withdraw(one.claim_ids[0], "", by("ann"))
    registry.fingerprints.compact()
    (again,) = registry.register([with_text(registration())], by("ann", DAY_40))
    assert again.step is Step.NEW
    assert again.number > one.number
    assert works_found(registry) == [again.number]
    assert differences(registry) == []


# ---- conflicts ------------------------------------------------------------------------------


def test_shares_that_fit_stand_beside_each_other(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration("a", ("Ann", 5000))], by("ann"))
    (two,) = registry.register([registration("a", ("Bob", 5000))], by("bob"))
    assert (two.step, two.number) == (Step.ATTACH, one.number)
    assert len(registry.standing(one.number)[0]) == 2
    assert registry.disputes() == []
    (three,) = registry.register([registration("a", ("Eve", 1))], by("eve"))
    assert three.step is Step.CONFLICT
    assert three.number == 0


def test_a_copy_of_anothers_work_is_refused_or_disputed(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([with_text(registration())], by("ann"))
    head = registry.digest()
    (refused,) = registry.register([with_text(registration())], by("eve"))
    assert (refused.step, refused.number) == (Step.CONFLICT, 0)
    assert registry.digest() == head
    (eve,) = registry.register([with_text(registration())], by("eve"), may_dispute=True)
    assert eve.number == one.number
    (dispute,) = registry.disputes(unsettled=True)
    assert dispute.kind is DisputeKind.EXACT_COPY
    assert (dispute.earlier, dispute.later) == (one.claim_ids, eve.claim_ids)
    assert registry.standing(one.number)[1]
    assert registry.disputed([one.number]) == {one.number}
    assert differences(registry) == []


def test_a_dispute_nobody_settles_leaves_the_earlier_claim(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration()], by("ann"))
    registry.register([registration()], by("eve"), may_dispute=True)
    assert registry.expire_due(by("anybody")) == []
    (expired,) = registry.expire_due(by("anybody", DAY_40))
    assert expired.state is DisputeState.EXPIRED
    claims, disputed = registry.standing(one.number)
    assert [claim.public_key for claim in claims] == [public("ann")]
    assert not disputed
    (again,) = registry.register([registration()], by("eve", DAY_40), may_dispute=True)
    assert again.step is Step.SETTLED, "who lost cannot hold the work once more"
    assert differences(registry) == []


def test_the_keeper_decides_and_the_loser_falls(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration()], by("ann"))
    (eve,) = registry.register([registration()], by("eve"), may_dispute=True)
    (dispute_id,) = eve.disputes
    with pytest.raises(RefusedError, match="neither a party"):
        registry.act_in_dispute(dispute_id, Act.UPHOLD, "", by("mallory"))
    with pytest.raises(RefusedError, match="may not"):
        registry.act_in_dispute(dispute_id, Act.UPHOLD, "", by("eve"))
    answered = registry.act_in_dispute(dispute_id, Act.ANSWER, "mine", by("ann"))
    assert answered.state is DisputeState.ANSWERED
    assert registry.standing(one.number)[1]
    registry.act_in_dispute(dispute_id[:10], Act.UPHOLD, "proof", by("keeper"))
    assert [c.public_key for c in registry.standing(one.number)[0]] == [public("eve")]
    assert differences(registry) == []


def test_agreed_shares_replace_those_claimed(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration()], by("ann"))
    (eve,) = registry.register([registration()], by("eve"), may_dispute=True)
    shares = ((one.claim_ids[0], 7500), (eve.claim_ids[0], 2500))
    registry.act_in_dispute(eve.disputes[0], Act.SHARE, "", by("keeper"), shares)
    claims, disputed = registry.standing(one.number)
    assert [claim.share_basis_points for claim in claims] == [7500, 2500]
    assert not disputed
    assert differences(registry) == []


def test_who_withdraws_gives_a_dispute_up(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration()], by("ann"))
    (eve,) = registry.register([registration()], by("eve"), may_dispute=True)
    registry.withdraw(eve.claim_ids[0], "a mistake", by("eve"))
    assert registry.disputes()[0].state is DisputeState.REJECTED
    assert registry.standing(one.number)[1] is False
    assert differences(registry) == []


def test_a_near_copy_of_anothers_work_is_disputed_and_both_are_held(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration("a")], by("ann"))
    near = registration("a, re-encoded", near=(one.number,))
    (refused,) = registry.register([near], by("eve"))
    assert (refused.step, refused.number, refused.others) == (Step.CONFLICT, 0, (one.number,))
    (eve,) = registry.register([near], by("eve"), may_dispute=True)
    assert registry.disputed([one.number, eve.number]) == {one.number, eve.number}
    (own,) = registry.register([registration("again", near=(one.number,))], by("ann"))
    assert own.step is Step.NEW, "one's own earlier version is no conflict"
    registry.expire_due(by("ann", DAY_40))
    assert registry.live([one.number, eve.number]) == {one.number}
    assert differences(registry) == []


def test_a_dispute_by_hand(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration()], by("ann"))
    with pytest.raises(RefusedError, match="no other owner"):
        registry.open_dispute(one.number, "", by("ann"))
    dispute_id = registry.open_dispute(one.number, "a public-domain film", by("someone"))
    with pytest.raises(RefusedError, match="there is, or was"):
        registry.open_dispute(one.number, "and again", by("someone"))
    assert registry.standing(one.number)[1]
    registry.act_in_dispute(dispute_id, Act.UPHOLD, "", by("ann"))
    assert registry.live([one.number]) == set()
    assert differences(registry) == []


# ---- evidence and decisions -----------------------------------------------------------------


def test_only_a_verified_domain_claimed_as_a_whole_is_a_domain(tmp_path: Path) -> None:
    registry = make(tmp_path)
    batch = []
    for name, covers_all in (("a", True), ("b", True), ("c", False), ("d", True)):
        one = registration(name)
        evidence = (Evidence(EvidenceKind.DOMAIN, f"{name}.example", covers_all=covers_all),)
        batch.append(replace(one, claims=(replace(one.claims[0], evidence=evidence),)))
    results = registry.register(batch, by("ann"))
    assert registry.domain_table().num_rows == 0
    for result, domain, found in zip(results, "abcd", [Check.VERIFIED, Check.FAILED,
                                                       Check.VERIFIED, Check.UNCHECKED],
                                     strict=True):  # fmt: skip
        if found is not Check.UNCHECKED:
            claim_id = result.claim_ids[0]
            registry.record_check(claim_id, f"{domain}.example", found, "", by("ann"))
    assert registry.domain_table().to_pydict() == {
        "domain": ["a.example"], "work": [results[0].number]
    }  # fmt: skip
    assert [domain for _, domain, _ in registry.unchecked_domains()] == ["b.example", "d.example"]
    assert differences(registry) == []


def test_not_a_match_is_remembered(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([registration()], by("ann"))
    assert registry.reject_match(digest("item"), one.number, "Kim", by("keeper"))
    assert not registry.reject_match(digest("item"), one.number, "Lee", by("keeper"))
    assert registry.decisions() == {(digest("item"), one.number)}
    assert differences(registry) == []


# ---- the log --------------------------------------------------------------------------------


def test_the_log_cannot_be_changed(tmp_path: Path) -> None:
    make(tmp_path).register([registration()], by("ann"))
    database = sqlite3.connect(tmp_path / "registry.sqlite")
    for statement in ("UPDATE log SET type = 'x'", "DELETE FROM log",
                      "INSERT OR REPLACE INTO log SELECT * FROM log"):  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)


FORGERIES = {
    "a share": "UPDATE claims SET share_basis_points = 1",
    "a state": "UPDATE claims SET state = 'withdrawn'",
    "an owner": "UPDATE claims SET owner = 'Eve'",
    "a key": "UPDATE claims SET public_key = 'AAAA'",
    "a title": "UPDATE works SET title = 'other'",
    "a hash": "UPDATE works SET sha256 = '00'",
    "a work that nobody registered": "INSERT INTO works SELECT 77, medium, sha256, title, creators,"
    " identifiers, source_url, iscc, bytes, path, registered_at, methods, unfit, flags FROM works",
    "a dispute": "UPDATE disputes SET state = 'expired'",
    "a check": "UPDATE evidence SET checked = 'verified'",
    "a decision": "DELETE FROM rejections",
    "a chain": "UPDATE log SET chain = '00' WHERE position = 1",
    "a document": "UPDATE log SET document = replace(document, 'Ann', 'Eve') WHERE position = 2",
    "an end cut off": "DELETE FROM log WHERE position = (SELECT max(position) FROM log)",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=list(FORGERIES))
def test_every_forgery_is_named(tmp_path: Path, forgery: str) -> None:
    registry = make(tmp_path)
    one = registration()
    evidence = (Evidence(EvidenceKind.DOMAIN, "a.example"),)
    one = replace(one, claims=(replace(one.claims[0], evidence=evidence),))
    registry.register([one], by("ann"))
    registry.register([registration()], by("eve"), may_dispute=True)
    registry.reject_match(digest("item"), 1, "Kim", by("keeper"))
    assert differences(registry) == []
    registry.close()
    database = sqlite3.connect(tmp_path / "registry.sqlite")
    database.executescript("DROP TRIGGER log_no_update; DROP TRIGGER log_no_delete;")
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute(forgery)
    database.commit()
    database.close()
    assert differences(Registry.open(tmp_path))


def test_a_log_put_back_to_an_earlier_state_is_noticed_by_who_noted_a_head(tmp_path: Path) -> None:
    registry = make(tmp_path)
    registry.register([registration("a")], by("ann"))
    noted = registry.digest()
    registry.register([registration("b")], by("ann"))
    assert differences(registry, seen=noted) == []
    assert differences(registry, seen="ab" * 32) == [
        f"log: the head {'ab' * 32} that was noted before is not in it"
    ]


def test_a_claim_signed_by_another_key_is_named(tmp_path: Path) -> None:
    registry = make(tmp_path)
    registry.register([registration()], by("ann"))
    entry = registry.log()[2]
    document = json.loads(entry.document)
    document["owner"]["name"] = "Eve"
    from tercet.store import registry_log

    with registry.database.writing() as connection:
        registry_log.append(connection, document)
    assert any("signature" in problem for problem in differences(registry))


def test_lost_fingerprints_are_named(tmp_path: Path) -> None:
    registry = make(tmp_path)
    (one,) = registry.register([with_text(registration())], by("ann"))
    registry.fingerprints.remove([one.number])
    assert any(f"work {one.number}" in problem for problem in differences(registry))


def test_readers_see_one_state_while_others_write(tmp_path: Path) -> None:
    registry = make(tmp_path)
    registry.register([registration("a")], by("ann"))
    with registry.database.reading() as connection:
        from tercet.store import registry_log

        before = registry_log.head(connection)
        Registry.open(tmp_path).register([registration("b")], by("ann"))
        assert registry_log.head(connection) == before
    assert registry.head().entries > before.entries


def test_what_is_no_registry_is_said(tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite").write_bytes(b"not a database, but long enough to look" * 100)
    with pytest.raises(StorageError):
        Registry.open(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    sqlite3.connect(empty / "registry.sqlite").close()
    with pytest.raises(InputError, match="version 0"):
        Registry.open(empty)


def test_terms_altered_in_the_database_are_never_passed_on(tmp_path: Path) -> None:
    registry = make(tmp_path)
    registry.register([registration("a")], by("ann"))
    with sqlite3.connect(registry.database.path) as raw:
        raw.execute("DROP TRIGGER log_no_update")
        raw.execute(
            "UPDATE log SET document = CAST(replace(CAST(document AS TEXT), "
            '\'"permission":"deny"\', \'"permission":"allow"\') AS BLOB)'
        )
    with pytest.raises(IntegrityError, match="not what its owner signed"):
        registry.standing(1)


def test_a_registry_that_lost_its_fingerprints_is_noticed_at_once(tmp_path: Path) -> None:
    registry = make(tmp_path)
    registry.register([with_text(registration("a"))], by("ann"))
    check_findable(registry)
    shutil.rmtree(registry.folder / "fingerprints")
    with pytest.raises(IntegrityError, match="lost fingerprints"):
        check_findable(registry)


def test_only_the_keeper_says_what_is_no_match(tmp_path: Path) -> None:
    registry = make(tmp_path)
    registry.register([registration("a")], by("ann"))
    with pytest.raises(RefusedError, match="only the keeper"):
        registry.reject_match(digest("item"), 1, "I say so", by("eve"))
    assert registry.decisions() == frozenset()


def test_nobody_can_decide_that_a_works_own_bytes_are_no_match(tmp_path: Path) -> None:
    registry = make(tmp_path)
    registry.register([registration("a")], by("ann"))
    with pytest.raises(RefusedError, match="byte for byte"):
        registry.reject_match(registry.work(1).sha256, 1, "I say so", by("keeper"))


def test_a_folders_name_is_no_address(tmp_path: Path) -> None:
    registry = make(tmp_path / "a?b=c%20#d")
    registry.register([registration("a")], by("ann"))
    assert registry.database.path.is_file()
    assert Registry.open(registry.folder).head() == registry.head()
    assert [path.name for path in tmp_path.iterdir()] == ["a?b=c%20#d"]
