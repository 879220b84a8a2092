"""Letters: counts that point at nobody, exports without hidden names, tokens, identities."""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licences.closed_fields import DocumentError
from tercet.consent.licences.identity_token import Identity, IdentityError, identity_of
from tercet.consent.licences.letter import Letter, Visibility, letter_document, letter_of
from tercet.consent.licences.letter_counts import (
    CELL_MIN,
    Cell,
    Proof,
    ProofKind,
    ProofState,
    Signatory,
    Table,
    counted,
)
from tercet.consent.licences.letter_export import (
    export_document,
    public_letter,
    public_letter_of,
)
from tercet.consent.licences.letter_token import (
    LetterToken,
    TokenError,
    TokenExpiredError,
    TokenForgedError,
    TokenPurpose,
    token_of,
    token_text,
)
from tercet.consent.licences.person_text import person_text, tidy_person_text
from tercet.core.canonical import canonical_json
from tercet.core.terms import PartyName
from tercet.flows.letter_page import letter_page

KEEPER = PartyName("urn:tercet:party:0123456789abcdef", "Keeper")
LETTER = Letter(
    id="urn:uuid:00000000-0000-4000-8000-000000000001",
    made_at="2026-11-01T00:00:00Z",
    language="en",
    title="Our works",
    text="We make films.\n\nAsk us.",
    initiator=KEEPER,
)
AT = "2026-11-22T10:00:00Z"
VERIFIED = (Proof(ProofKind.EMAIL, ProofState.VERIFIED),)
NAMED, COUNTED, HIDDEN = Visibility.NAMED, Visibility.COUNTED, Visibility.HIDDEN


def signatory(
    number: int, profession: str = "", visibility: Visibility = NAMED, **changes: Any
) -> Signatory:
    fields = {
        "id": f"urn:uuid:00000000-0000-4000-8000-{number:012x}",
        "name": f"Person {number}",
        "profession": profession,
        "country": "",
        "visibility": visibility,
        "signed_at": AT,
        "proofs": VERIFIED,
    }
    return Signatory(**(fields | changes))


def crowd(*groups: tuple[int, str, Visibility]) -> list[Signatory]:
    people = [(word, seen) for count, word, seen in groups for _ in range(count)]
    return [signatory(at, word, seen) for at, (word, seen) in enumerate(people)]


def professions(*groups: tuple[int, str, Visibility]) -> Table:
    return counted(crowd(*groups)).professions


def test_small_cells_and_who_asked_to_be_hidden_are_in_the_total_alone() -> None:
    table = professions((9, "singer", NAMED), (4, "puppeteer", NAMED), (6, "singer", HIDDEN))
    assert table == Table((Cell("singer", 9),), 10)


def test_what_is_not_shown_cannot_be_had_by_subtraction() -> None:
    # One puppeteer alone in the rest would be as good as a cell of one: another cell joins it.
    table = professions((9, "singer", NAMED), (6, "writer", NAMED), (1, "puppeteer", NAMED))
    assert table == Table((Cell("singer", 9),), 7)


def test_names_taken_away_from_a_cell_leave_nobody_or_many() -> None:
    table = professions((9, "singer", NAMED), (2, "singer", COUNTED), (5, "writer", COUNTED))
    assert table == Table((Cell("singer", 9),), 7)  # of 11 singers two are nameless: 9 are shown


def test_unverified_and_withdrawn_ones_are_counted_apart() -> None:
    asked = (Proof(ProofKind.EMAIL, ProofState.ASKED), Proof(ProofKind.DOMAIN, ProofState.FAILED))
    people = [
        *crowd((6, "singer", NAMED)),
        signatory(90, "singer", proofs=asked),
        signatory(91, "singer", proofs=()),
        Signatory.withdrawn("urn:uuid:00000000-0000-4000-8000-0000000000ff"),
    ]
    counts = counted(people)
    assert (counts.verified, counts.unverified, counts.withdrawn, counts.named) == (6, 2, 1, 6)
    assert counts.professions == Table((Cell("singer", 6),), 0)


def test_one_profession_is_one_cell_however_it_was_typed() -> None:
    people = [signatory(at, word) for at, word in enumerate(
        ["Ca sĩ", "ca sĩ", "CA SĨ", "ca  sĩ", "ca si\u0303"])]  # fmt: skip
    assert counted(people).professions == Table((Cell("ca sĩ", 5),), 0)


people = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", ""]), st.sampled_from(Visibility)), max_size=60
)


@given(people)
def test_no_table_points_at_a_few(answers: list[tuple[str, Visibility]]) -> None:
    crowd = [signatory(at, word, seen) for at, (word, seen) in enumerate(answers)]
    table = counted(crowd).professions
    nameless = Counter(word for word, seen in answers if seen is COUNTED)
    named = Counter(word for word, seen in answers if seen is NAMED)
    assert sum(cell.count for cell in table.cells) + table.rest == len(answers)
    assert table.rest == 0 or table.rest >= CELL_MIN or not table.cells
    for cell in table.cells:
        assert cell.count >= CELL_MIN
        beyond_names = cell.count - named[cell.label]
        assert beyond_names in (0, nameless[cell.label])
        assert beyond_names == 0 or beyond_names >= CELL_MIN


@given(people)
def test_no_export_names_anybody_who_did_not_ask_for_it(
    answers: list[tuple[str, Visibility]],
) -> None:
    crowd = [
        signatory(at, word, seen, name=f"{seen} one, number {at}")
        for at, (word, seen) in enumerate(answers)
    ]
    public = public_letter(letter_document(LETTER), crowd, keeper=KEEPER, made_at=AT)
    raw = canonical_json(export_document(public, [])).decode()
    page = letter_page(public)
    for text in (raw, page):
        assert "hidden one" not in text
        assert "counted one" not in text
    assert raw.count("named one") == sum(seen is NAMED for _, seen in answers)


def test_an_export_reads_back_and_its_figures_must_agree() -> None:
    crowd_ = crowd((9, "singer", NAMED), (7, "writer", COUNTED), (2, "", HIDDEN))
    public = public_letter(letter_document(LETTER), crowd_, keeper=KEEPER, made_at=AT)
    document = json.loads(canonical_json(export_document(public, [])))
    assert public_letter_of(document) == public
    for flaw in (
        {"counts": document["counts"] | {"verified": 400}},
        {"counts": document["counts"] | {"named": 8}},
        {"signatories": document["signatories"][:-1]},
        {"letter_sha256": "0" * 64},
        {"letter": document["letter"] | {"title": "Other works"}},
        {"signatories": [document["signatories"][0] | {"proofs": []}] * 9},
    ):
        with pytest.raises(DocumentError):
            public_letter_of(document | flaw)


def test_names_are_sorted_as_people_look_them_up() -> None:
    names = ["Zoë", "Đặng Văn", "Dana", "Ångström", "anna", "Олена"]
    crowd_ = [signatory(at, name=name) for at, name in enumerate(names)]
    public = public_letter(letter_document(LETTER), crowd_, keeper=KEEPER, made_at=AT)
    shown = [each.name for each in public.signatories]
    assert shown == ["Ångström", "anna", "Dana", "Đặng Văn", "Zoë", "Олена"]


@pytest.mark.parametrize(
    "text",
    [
        "a\u202eb",
        "a\u200bb",
        "a\nb",
        " a",
        "a ",
        "a\x1b[31m",
        "e\u0301",
        "z" + "\u0300" * 8,
        "\ue000",
    ],
)
def test_text_that_steers_or_hides_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        person_text(text, "name")


@pytest.mark.parametrize("name", ["Nguyễn Thị Ánh Tuyết", "Олександра Шевченко", "محمد", "李小龙"])
def test_names_of_people_pass_in_every_script(name: str) -> None:
    assert person_text(tidy_person_text(f"  {name} "), "name") == name


def test_the_text_under_a_letters_hash_is_one_text() -> None:
    document = letter_document(LETTER)
    assert letter_of(document) == LETTER
    with pytest.raises(DocumentError, match="text_sha256"):
        letter_of(document | {"text": "We make films.\n\nTake them."})
    with pytest.raises(DocumentError, match="normalisation"):
        letter_of(document | {"text": "Xin cha\u0300o"})


# ---- tokens ----------------------------------------------------------------------------------

TOKEN = LetterToken(
    TokenPurpose.CONFIRM, "urn:uuid:00000000-0000-4000-8000-000000000009", "a" * 64,
    "2026-11-29T00:00:00Z", "nonce",
)  # fmt: skip
SECRET = b"s" * 32


def test_a_token_says_what_it_said() -> None:
    text = token_text(TOKEN, SECRET)
    assert token_of(text, SECRET, purpose=TokenPurpose.CONFIRM, at=AT) == TOKEN


def test_a_token_is_for_one_thing_one_secret_and_a_time() -> None:
    text = token_text(TOKEN, SECRET)
    with pytest.raises(TokenError, match="not to withdraw"):
        token_of(text, SECRET, purpose=TokenPurpose.WITHDRAW, at=AT)
    with pytest.raises(TokenExpiredError):
        token_of(text, SECRET, purpose=TokenPurpose.CONFIRM, at=TOKEN.expires_at)
    with pytest.raises(TokenForgedError):
        token_of(text, b"t" * 32, purpose=TokenPurpose.CONFIRM, at=AT)


@given(st.text(max_size=80) | st.integers(0, 400).map(lambda at: f"@{at}"))
def test_no_other_text_is_a_token(text: str) -> None:
    whole = token_text(TOKEN, SECRET)
    if text.startswith("@") and text[1:].isdecimal():  # one character of a good one is another
        at = int(text[1:]) % len(whole)
        text = whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :]
    with pytest.raises(TokenForgedError):
        token_of(text, SECRET, purpose=TokenPurpose.CONFIRM, at=AT)


def test_a_token_stretched_by_its_holder_is_forged() -> None:
    said, _, code = token_text(TOKEN, SECRET).partition(".")
    longer = canonical_json(
        json.loads(base64.urlsafe_b64decode(said + "===")) | {"expires_at": "2099-01-01T00:00:00Z"}
    )
    text = f"{base64.urlsafe_b64encode(longer).rstrip(b'=').decode()}.{code}"
    with pytest.raises(TokenForgedError):
        token_of(text, SECRET, purpose=TokenPurpose.CONFIRM, at=AT)


# ---- identities ------------------------------------------------------------------------------

ISSUER, AUDIENCE, NOW_S = "https://id.example", "tercet", 1_800_000_000
CLAIMS = {
    "iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "nonce": "a" * 64,
    "iat": NOW_S - 10, "exp": NOW_S + 300, "email": "a@b.example", "email_verified": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def keys() -> Any:
    jwk = pytest.importorskip("joserfc.jwk")
    return {name: jwk.ECKey.generate_key("P-256", {"kid": name}) for name in ("good", "other")}


def id_token(key: Any, claims: dict[str, Any], alg: str = "ES256") -> str:
    from joserfc import jws

    header = {"alg": alg, "kid": "good"}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=[alg])


def jwks(key: Any) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False)]}).encode()


def ask(token: str, key_set: bytes, **changes: Any) -> Identity:
    fields = {"issuer": ISSUER, "audience": AUDIENCE, "letter_sha256": "a" * 64, "now_s": NOW_S}
    return identity_of(token, key_set, **(fields | changes))


def test_an_identity_over_the_letters_hash_counts(keys: Any) -> None:
    found = ask(id_token(keys["good"], CLAIMS), jwks(keys["good"]))
    assert found == Identity(ISSUER, "user-1", "a@b.example")
    unproved = CLAIMS | {"email_verified": "true"}
    assert ask(id_token(keys["good"], unproved), jwks(keys["good"])).email == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iss": "https://evil.example"}, "expected an identity of"),
        ({"aud": "another"}, "another service"),
        ({"aud": [AUDIENCE, "another"]}, "given to another"),
        ({"azp": "another"}, "given to another"),
        ({"nonce": "b" * 64}, "something else"),
        ({"nonce": None}, "something else"),
        ({"exp": NOW_S - 3600}, "time is over"),
        ({"exp": "2099"}, "no time in exp"),
        ({"exp": True}, "no time in exp"),
        ({"exp": float("nan")}, "not signed"),
        ({"iat": NOW_S + 3600}, "not come"),
        ({"iat": NOW_S - 90_000}, "older than a day"),
        ({"nbf": NOW_S + 3600}, "not come"),
        ({"sub": ""}, "names nobody"),
    ],
)
def test_an_identity_for_something_else_is_refused(
    keys: Any, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(IdentityError, match=words):
        ask(id_token(keys["good"], CLAIMS | change), jwks(keys["good"]))


def test_an_identity_signed_by_nobody_or_somebody_else_is_refused(keys: Any) -> None:
    from joserfc import jwk

    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).rstrip(b"=").decode()
    with pytest.raises(IdentityError):
        ask(f"{head}.{body}.", jwks(keys["good"]))
    with pytest.raises(IdentityError):
        ask(id_token(keys["other"], CLAIMS), jwks(keys["good"]))
    # The old trick: the public key, which everybody knows, taken as the secret of an HMAC.
    shared = jwk.OctKey.import_key(b"k" * 64)
    hmac_set = json.dumps({"keys": [shared.as_dict() | {"kid": "good"}]}).encode()
    with pytest.raises(IdentityError):
        ask(id_token(shared, CLAIMS, "HS256"), hmac_set)
    for rubbish in ("", "a.b", "a.b.c", "é", "." * 5000, "[" * 20_000):
        with pytest.raises(IdentityError):
            ask(rubbish, jwks(keys["good"]))
    with pytest.raises(IdentityError):
        ask(id_token(keys["good"], CLAIMS), b"{}")


def test_a_withdrawn_signatory_leaves_no_trace_but_a_number() -> None:
    gone = Signatory.withdrawn("urn:uuid:00000000-0000-4000-8000-0000000000ff")
    public = public_letter(letter_document(LETTER), [gone], keeper=KEEPER, made_at=AT)
    assert (public.counts.withdrawn, public.signatories) == (1, ())
    assert replace(gone, name="").counts is False
