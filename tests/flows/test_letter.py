"""A letter from its text to its delivery: who signs, how it is verified, what is erased."""

from __future__ import annotations

import base64
import re
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from collectives import TRAIN, Clock, desk, know, registry_with

from tercet.consent.licences.letter import Proposal, Visibility
from tercet.consent.licences.letter_counts import ProofKind, ProofState
from tercet.consent.licences.letter_token import TokenError, TokenUsedError
from tercet.consent.licences.standing import StandingError
from tercet.core.canonical import canonical_json
from tercet.core.errors import FieldError, InputError, MissingError, RefusedError
from tercet.flows.desk import OpenDesk, rotate_key
from tercet.flows.letter import (
    MailOptions,
    Person,
    check_catalogues,
    check_export,
    check_hosts,
    confirm,
    letters_of,
    public,
    sign_by_email,
    sign_by_key,
    signature_by,
    signed_export,
    take_signing,
    take_vouch,
    vouch_for,
    withdraw_by_key,
    withdraw_by_token,
    write_letter,
)
from tercet.flows.letter_page import letter_page
from tercet.flows.letter_steps import mandate_from_letter
from tercet.flows.mandate import party_name
from tercet.store.letters import KeptLetter, LetterClosedError, SignedTwiceError

MAIL = MailOptions("office@keeper.example", "https://keeper.example")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(tmp_path: Path, clock: Clock) -> OpenDesk:
    return desk(tmp_path / "keeper", "Keeper", clock)


@pytest.fixture
def signer(tmp_path: Path, clock: Clock) -> OpenDesk:
    return desk(tmp_path / "signer", "Composer", clock)


@pytest.fixture
def letter(keeper: OpenDesk) -> KeptLetter:
    return write_letter(
        keeper, title="Our works", text="We make films.\r\n\r\nAsk us.\n", language="en",
        closes_on="2027-01-01",
        proposal=Proposal(party_name(keeper), (TRAIN,), 1000, 60),
    )  # fmt: skip


def person(name: str = "Ánh Nguyễn", visibility: Visibility = Visibility.NAMED) -> Person:
    return Person(name, "Composer", "VN", visibility)


def links(message: EmailMessage) -> list[str]:
    found = re.findall(r"https://\S+", message.get_content())
    return [parse_qs(urlsplit(url).query)["token"][0] for url in found]


def counts(keeper: OpenDesk, letter: KeptLetter) -> tuple[int, int, int]:
    found = public(keeper, letter).counts
    return found.verified, found.unverified, found.withdrawn


def test_a_link_sent_by_mail_verifies_once(
    keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    _, message = sign_by_email(keeper, letter, person(), "a@b.example", MAIL)
    assert counts(keeper, letter) == (0, 1, 0)
    token, _ = links(message)
    confirm(keeper, token)
    assert counts(keeper, letter) == (1, 0, 0)
    with pytest.raises(TokenUsedError):
        confirm(keeper, token)
    clock.now = "2026-06-01T12:00:00Z"
    with pytest.raises(SignedTwiceError):
        sign_by_email(keeper, letter, person("Another Name"), "A@B.example", MAIL)


def test_an_address_is_not_written_to_again_and_again(
    keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    sign_by_email(keeper, letter, person(), "a@b.example", MAIL)
    with pytest.raises(RefusedError, match="short while ago"):
        sign_by_email(keeper, letter, person(), "a@b.example", MAIL)
    clock.now = "2026-06-01T11:30:00Z"
    _, message = sign_by_email(keeper, letter, person(), "a@b.example", MAIL)  # the first was lost
    confirm(keeper, links(message)[0])
    assert counts(keeper, letter) == (1, 0, 0)


def test_one_mailbox_signs_once_whatever_follows_a_plus(
    keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    _, message = sign_by_email(keeper, letter, person(), "a+one@b.example", MAIL)
    assert message["To"] == "a+one@b.example"
    with pytest.raises(RefusedError, match="short while ago"):
        sign_by_email(keeper, letter, person(), "A+two@b.example", MAIL)
    confirm(keeper, links(message)[0])
    clock.now = "2026-06-01T12:00:00Z"
    with pytest.raises(SignedTwiceError):
        sign_by_email(keeper, letter, person("Another Name"), "a@B.example", MAIL)


def test_a_link_is_good_for_a_week_and_for_nothing_else(
    keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    _, message = sign_by_email(keeper, letter, person(), "a@b.example", MAIL)
    to_confirm, to_withdraw = links(message)
    with pytest.raises(TokenError):
        confirm(keeper, to_withdraw)
    clock.now = "2026-06-08T10:00:00Z"
    with pytest.raises(TokenError, match="good until"):
        confirm(keeper, to_confirm)


@pytest.mark.parametrize(
    "email",
    [
        "nobody", "a@b.example\nBcc: c@d.example", "a b@c.example", "", "a@b.example.",
        "a\0@b.example",
        "=?utf-8?q?c=40d.example=2Ca?=@b.example", "=?utf-8?q?a?=@b.example", "é@b.example",
        "a\u202eb@c.example", "a\ud800@b.example", ".a@b.example", "a@-b.example",
    ],
)  # fmt: skip
def test_what_is_no_address_gets_no_message(
    keeper: OpenDesk, letter: KeptLetter, email: str
) -> None:
    with pytest.raises(FieldError, match="mail address"):
        sign_by_email(keeper, letter, person(), email, MAIL)


def test_what_is_withdrawn_is_erased(keeper: OpenDesk, letter: KeptLetter) -> None:
    _, message = sign_by_email(keeper, letter, person(), "erased@b.example", MAIL)
    to_confirm, to_withdraw = links(message)
    confirm(keeper, to_confirm)
    withdraw_by_token(keeper, to_withdraw)
    assert counts(keeper, letter) == (0, 0, 1)
    keeper.store.database.close()
    raw = b"".join(path.read_bytes() for path in keeper.folder.rglob("desk.sqlite"))
    assert "Ánh Nguyễn".encode() not in raw
    assert b"erased@b.example" not in raw
    exported = canonical_json(signed_export(keeper, public(keeper, letter))).decode()
    assert "Ánh" not in exported
    assert "Ánh" not in letter_page(public(keeper, letter))
    with pytest.raises(MissingError):
        confirm(keeper, to_confirm)


def test_a_key_signs_and_a_catalogue_or_a_host_verifies_it(
    tmp_path: Path, keeper: OpenDesk, signer: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    parcel = sign_by_key(signer, letter.sha256, person(), "composer.example")
    signature_id = take_signing(keeper, parcel)
    assert take_signing(keeper, parcel) == signature_id
    assert counts(keeper, letter) == (0, 1, 0)  # a key alone is nobody
    with pytest.raises(SignedTwiceError):
        take_signing(keeper, sign_by_key(signer, letter.sha256, person("Twice")))
    assert check_hosts(keeper, letter, dict.fromkeys) == [
        (signature_id, "composer.example", ProofState.ASKED)
    ]
    raw = base64.b64encode(signer.signer().public_raw) + b"\n"
    check_hosts(keeper, letter, lambda hosts: dict.fromkeys(hosts, b"another key"))
    assert counts(keeper, letter) == (0, 1, 0)
    check_hosts(keeper, letter, lambda hosts: dict.fromkeys(hosts, raw))
    assert counts(keeper, letter) == (1, 0, 0)
    registry = registry_with(tmp_path / "registry", signer, ["one"], clock)
    assert check_catalogues(keeper, letter, registry) == 1
    (named,) = public(keeper, letter).signatories
    assert named.proofs == (ProofKind.DOMAIN, ProofKind.CATALOGUE)
    take_signing(keeper, withdraw_by_key(signer, signature_id, letter.sha256))
    assert counts(keeper, letter) == (0, 0, 1)


def test_two_people_of_one_name_both_sign(
    tmp_path: Path, keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    for place in ("one", "other"):
        namesake = desk(tmp_path / place, "Nguyễn Văn An", clock)
        take_signing(keeper, sign_by_key(namesake, letter.sha256, person("Nguyễn Văn An")))
    assert counts(keeper, letter) == (0, 2, 0)
    assert len(keeper.store.parties()) == 1  # nobody of them became a party of the desk


def test_a_signature_altered_or_of_somebody_else_is_refused(
    tmp_path: Path, keeper: OpenDesk, signer: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    parcel = sign_by_key(signer, letter.sha256, person())
    shown = parcel["document"] | {"name": "Somebody Else"}
    with pytest.raises(StandingError, match="altered"):
        take_signing(keeper, parcel | {"document": shown})
    signature_id = take_signing(keeper, parcel)
    thief = desk(tmp_path / "thief", "Thief", clock)
    with pytest.raises(RefusedError, match="was not made by"):
        take_signing(keeper, withdraw_by_key(thief, signature_id, letter.sha256))


def test_a_collective_vouches_for_many_and_not_for_who_withdrew(
    tmp_path: Path, keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    collective = desk(tmp_path / "collective", "Collective", clock)
    people = [
        signature_by(person(f"Member {at}"), letter.sha256, signature_id=collective.make_id(),
                     made_at=clock.now)
        for at in range(20)
    ]  # fmt: skip
    parcel = vouch_for(collective, letter.sha256, people)
    named = [collective.party.id]
    with pytest.raises(MissingError, match="not known here"):
        take_vouch(keeper, parcel, named)  # anybody can call themselves a collective
    know(keeper, collective)
    with pytest.raises(RefusedError, match="not named"):
        take_vouch(keeper, parcel, [])  # and be known by a message that a server took
    assert take_vouch(keeper, parcel, named) == 20
    letters_of(keeper).withdraw(people[0].id, clock.now)
    assert take_vouch(keeper, parcel, named) == 19
    assert counts(keeper, letter) == (19, 0, 1)
    padded = parcel["document"] | {"signatories": [parcel["document"]["signatories"][1]] * 1}
    with pytest.raises(StandingError):
        take_vouch(keeper, parcel | {"document": padded}, named)


def test_nobody_signs_a_letter_that_is_closed(
    keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    clock.now = "2027-01-01T00:00:00Z"
    with pytest.raises(LetterClosedError):
        sign_by_email(keeper, letter, person(), "a@b.example", MAIL)


def test_an_export_is_checked_by_itself_and_nothing_in_it_can_be_changed(
    keeper: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    _, message = sign_by_email(keeper, letter, person(), "a@b.example", MAIL)
    confirm(keeper, links(message)[0])
    clock.now = "2026-06-01T20:00:00Z"
    rotate_key(keeper)
    clock.now = "2026-06-02T00:00:00Z"
    document = signed_export(keeper, public(keeper, letter))
    found = check_export(document, clock.now)  # the letter was signed by the key before
    assert found.counts.verified == 1
    other = document["signatories"][0] | {"name": "Somebody Else"}
    with pytest.raises(StandingError):
        check_export(document | {"signatories": [other]}, clock.now)
    with pytest.raises((StandingError, InputError)):
        check_export(document | {"parties": []}, clock.now)


def test_one_step_makes_a_mandate_of_a_letter(
    keeper: OpenDesk, signer: OpenDesk, letter: KeptLetter, clock: Clock
) -> None:
    document = signed_export(keeper, public(keeper, letter))
    mandate = mandate_from_letter(signer, document)["document"]
    assert mandate["letter"] == letter.sha256
    assert (mandate["collective"]["id"], mandate["usages"]) == (keeper.party.id, [str(TRAIN)])
    assert (mandate["works"]["sha256"], mandate["notice_days"]) == ("", 60)
    unknown = letter.document | {"signatures": []}
    with pytest.raises(StandingError):
        mandate_from_letter(signer, unknown)
