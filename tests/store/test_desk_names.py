"""Names of parties that look alike are found by an index, however many parties a desk knows."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, insert
from sqlalchemy.pool import Pool

from tercet.consent.licences.mandate import Mandate, mandate_document
from tercet.consent.licences.names import NameLookalikeError, look_alikes
from tercet.consent.licences.party import new_party, party_document
from tercet.consent.licences.signing import Document, Signer, signed
from tercet.core.terms import PartyName
from tercet.core.usage import Usage
from tercet.store import desk_names
from tercet.store.desk import Desk
from tercet.store.desk_documents import names_of_others
from tercet.store.desk_mandates import Mandates
from tercet.store.desk_names import PARTY_SIGHTS, names_like
from tercet.store.desk_schema import PARTY_VERSIONS, SETTINGS

NOW = "2026-11-22T10:00:00Z"
ALIKE = ("Owner", "0wner", "OWNER", "Öwner", "Own er", "Оwner", "Other", "Nguyễn Văn An")


class Member:
    """A party that gives a mandate."""

    def __init__(self, name: str) -> None:
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        raw = key.public_key().public_bytes_raw()
        self.party = new_party(name, "", NOW, [raw])
        self.signer = Signer(self.party.id, raw, key.sign)
        self.document: Document = signed(party_document(self.party), self.signer)

    def mandate(self, collective: PartyName, number: int) -> Document:
        given = Mandate(
            f"urn:uuid:00000000-0000-4000-8000-{number:012d}", NOW,
            PartyName(self.party.id, self.party.name), collective, (Usage.TRAIN_GENERATIVE,),
            "2026-11-22",
        )  # fmt: skip
        return signed(mandate_document(given), self.signer)


def desk_in(folder: Path) -> Desk:
    return Desk.make(folder / "desk", Member("Collective of makers").document, NOW)


@contextmanager
def counted_work() -> Iterator[list[int]]:
    """Count what SQLite does, in tens of steps of its machine (each row it reads takes some), and
    how often Python calls a function.
    """
    work = [0]

    def step() -> int:
        work[0] += 1
        return 0

    def call(_: object, happening: str, __: object) -> None:
        work[0] += happening == "call"

    def watch(connection: Any, *_: object) -> None:
        connection.set_progress_handler(step, 10)

    def unwatch(connection: Any, *_: object) -> None:
        connection.set_progress_handler(None, 0)

    event.listen(Pool, "checkout", watch)
    event.listen(Pool, "checkin", unwatch)
    sys.setprofile(call)
    try:
        yield work
    finally:
        sys.setprofile(None)
        event.remove(Pool, "checkout", watch)
        event.remove(Pool, "checkin", unwatch)


def name_of(number: int) -> str:
    """Return a name that looks like no other one: Vietnamese, of digits as syllables."""
    syllables = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khoa", "Mai", "Nga", "Phúc")
    return " ".join(syllables[int(digit)] for digit in f"{number:05d}")


def take(desk: Desk, collective: PartyName, numbers: range) -> int:
    """Take in members with their mandates; return how much work that was."""
    members = [(number, Member(name_of(number))) for number in numbers]
    with counted_work() as work:
        for number, member in members:
            desk.take_parties([member.document], NOW)
            Mandates(desk).take(member.mandate(collective, number), NOW)
    return work[0]


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_taking_in_a_member_costs_the_same_however_many_there_are(
    tmp_path: Path, count: int
) -> None:
    desk = desk_in(tmp_path)
    collective = PartyName(desk.party, "Collective of makers")
    take(desk, collective, range(20))  # what is done once
    first = take(desk, collective, range(20, 40))
    take(desk, collective, range(40, count - 20))
    last = take(desk, collective, range(count - 20, count))
    assert len(Mandates(desk).all()) == count
    assert last < first * 1.2


def put(desk: Desk, *names: str, version: int = 1, first: int = 0) -> None:
    """Put parties into the table as another Tercet would, which knows no index."""
    with desk.database.writing() as connection:
        for number, name in enumerate(names, first):
            connection.execute(
                insert(PARTY_VERSIONS).values(
                    party=f"p{number}", version=version, name=name, document=b"", received_at=NOW,
                    sha256=f"{version} {number}",
                )
            )  # fmt: skip


def like(desk: Desk, *names: str, party: str = "new") -> set[str]:
    with desk.database.writing() as connection:
        return set(names_like(connection, names, party))


@given(known=st.lists(st.sampled_from(ALIKE), max_size=5), name=st.sampled_from(ALIKE))
@settings(max_examples=25, deadline=None)
def test_the_index_finds_what_comparing_with_all_finds(known: list[str], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = desk_in(Path(folder))
        put(desk, *known)
        with desk.database.reading() as connection:
            expected = set(look_alikes(name, names_of_others(connection, "p0")))
        assert like(desk, name, party="p0") == expected
        desk.close()


def test_who_has_another_name_now_is_not_taken_for_the_former(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    put(desk, "Owner")
    assert like(desk, "0wner") == {"p0"}
    put(desk, "Somebody", version=2)
    assert like(desk, "0wner") == set()
    assert like(desk, "S0mebody") == {"p0"}


def test_the_index_is_made_anew_where_it_is_gone_or_made_by_other_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_in(tmp_path)
    desk.take_parties([Member("Owner").document], NOW)
    with desk.database.writing() as connection:
        PARTY_SIGHTS.drop(connection)
        connection.execute(delete(SETTINGS).where(SETTINGS.c.name == "sights"))
    desk.close()
    desk = Desk.open(tmp_path / "desk")  # a desk of a Tercet before the index
    with pytest.raises(NameLookalikeError):
        desk.take_parties([Member("0wner").document], NOW)
    with desk.database.writing() as connection:
        connection.execute(delete(PARTY_SIGHTS))
    monkeypatch.setattr(desk_names, "sights_version", lambda: "later")
    with pytest.raises(NameLookalikeError):
        desk.take_parties([Member("0wner").document], NOW)
