"""`tercet terms`: what people type, and what they are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tercet.cli.main import main
from tercet.consent.licences.terms_schema import terms_fields, terms_of, terms_schema

OWNER, STUDIO = "urn:tercet:party:0123456789abcdef", "urn:tercet:party:fedcba9876543210"
WHO = ("--licensor", OWNER, "--licensor-name", "Owner")
WORKS = ("--repertoire", "5" * 64, "--works", "12")
TOML = """
[grant]
usages = ["train_generative", "train_nongenerative"]
[grant.models]
versions = "any"
[grant.territory]
include = ["VN", "SE"]
[grant.period]
start = 2027-01-01
end = 2029-01-01
[price]
currency = "EUR"
per_work = "0.50"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "terms.toml").write_text(TOML)
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["terms", *arguments])
    assert isinstance(stop.value.code, int)
    return stop.value.code


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert run(*arguments) == code
    read = capsys.readouterr()
    return read.out, read.err


def told_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    out, err = told(capsys, *arguments, "--json")
    assert not err
    return json.loads(out)


def test_shown_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    english, _ = told(capsys, "show", "terms.toml", *WHO, *WORKS)
    assert "The licence is about 12 works" in english
    assert "For each work: EUR\u00a00.50." in english
    vietnamese, _ = told(capsys, "show", "terms.toml", *WHO, *WORKS, "--language", "vi")
    assert "Giấy phép này áp dụng cho 12 tác phẩm" in vietnamese
    assert "Cho mỗi tác phẩm: 0,50\u00a0EUR." in vietnamese
    assert english.count("\n") == vietnamese.count("\n")


def test_shown_as_json_with_the_fields_of_each_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = told_json(capsys, "show", "terms.toml", *WHO, "--language", "vi")
    place = next(each for each in found["sections"] if each["name"] == "place")
    assert place["title"] == "Phạm vi lãnh thổ và thời hạn"
    assert place["sentences"][0]["paths"] == ["grant.territory.include"]


def test_compared(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "answer.toml").write_text(TOML.replace("0.50", "0.40"))
    files = ("compare", "terms.toml", "answer.toml", *WHO)
    out, _ = told(capsys, *files, "--language", "vi")
    lines = out.replace("\u00a0", " ").splitlines()
    assert lines == [
        "Tiền phải trả",
        "  - Cho mỗi tác phẩm: 0,50 EUR.",
        "  + Cho mỗi tác phẩm: 0,40 EUR.",
    ]
    (found,) = told_json(capsys, *files)["changes"]
    assert (found["name"], len(found["before"]), len(found["after"])) == ("price", 1, 1)
    assert told(capsys, "compare", "terms.toml", "terms.toml", *WHO) == ("", "")


def test_checked(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    found = told_json(capsys, "check", "terms.toml", *WHO, *WORKS)
    assert found["id"].startswith("urn:tercet:terms:")
    assert terms_fields(terms_of(found["terms"])) == found["terms"]
    (folder / "wrong.toml").write_text(TOML.replace("2029", "2026"))
    _, error = told(capsys, "check", "wrong.toml", *WHO, *WORKS, code=2)
    assert "wrong.toml:10: grant.period.end" in error
    _, error = told(capsys, "check", "terms.toml", *WORKS, code=2)
    assert "licensor" in error


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("a.json", b'{"type": "tercet/party@1"}', "tercet/agreement@1"),
        ("a.json", b'{"type": "tercet/terms@1", "type": "tercet/terms@1"}', "twice"),
        ("a.json", b"[]", "object"),
        ("a.json", b'{"type": "tercet/offer@1"}', "terms"),
        ("a.toml", b"\xff", "TOML"),
    ],
)
def test_other_files_are_refused(
    capsys: pytest.CaptureFixture[str], folder: Path, name: str, raw: bytes, words: str
) -> None:
    (folder / name).write_bytes(raw)
    _, error = told(capsys, "show", name, *WHO, code=2)
    assert words in error


def test_a_file_that_is_too_large_is_not_read(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "large.json").write_bytes(b" " * (4 * 1024 * 1024 + 1))
    _, error = told(capsys, "show", "large.json", code=2)
    assert "at most" in error


def test_rsl_there_and_back(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    url = "https://example.org/offer.json"
    to_rsl = ("--to", "rsl", "--content", "/films/", "--offer-url", url)
    out, err = told(capsys, "convert", "terms.toml", *WHO, *WORKS, *to_rsl)
    assert '<amount currency="EUR">0.50</amount>' in out
    assert "not said: grant.period: " in err
    (folder / "rsl.xml").write_text(out)
    from_rsl = ("--from", "rsl", "--to", "terms")
    back, err = told(capsys, "convert", "rsl.xml", *from_rsl, *WHO, *WORKS)
    assert f"not said: payment.custom: the licence itself is to be had at {url}" in err
    assert json.loads(back)["price"]["per_work_micros"] == 500_000
    _, error = told(capsys, "convert", "rsl.xml", *from_rsl, code=2)
    assert "who the licensor is" in error
    _, error = told(capsys, "convert", "rsl.xml", *from_rsl, "--licensor", "me", code=2)
    assert "licensor.id" in error


def test_what_is_unsaid_stands_in_json_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    found = told_json(
        capsys, "convert", "terms.toml", *WHO, *WORKS, "--to", "rsl", "--content", "/"
    )
    assert found["text"].startswith("<?xml")
    assert "guards" in {each["path"] for each in found["unsaid"]}


def agreement(terms: dict[str, Any]) -> dict[str, Any]:
    uuid = "urn:uuid:00000000-0000-4000-8000-00000000000"
    return {
        "type": "tercet/agreement@1",
        "id": f"{uuid}1",
        "negotiation": {"consumer_pid": f"{uuid}2", "provider_pid": f"{uuid}3"},
        "made_at": "2026-11-22T10:00:00Z",
        "terms": terms | {"licensee": {"id": STUDIO, "name": "Studio"}},
        "offer_sha256": "6" * 64,
        "supersedes": "",
        "parties": {"assigner": OWNER, "assignee": STUDIO},
        "signatures": [{"party": OWNER, "key_id": "k", "jws": "a..b"}],
    }


def test_a_whole_agreement_as_odrl_and_back(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    signed = agreement(told_json(capsys, "check", "terms.toml", *WHO, *WORKS)["terms"])
    (folder / "agreement.json").write_text(json.dumps(signed))
    out, err = told(capsys, "convert", "agreement.json", "--to", "odrl")
    assert not err
    policy = json.loads(out)
    assert (policy["@type"], policy["uid"]) == ("Agreement", signed["id"])
    (folder / "odrl.json").write_text(out)
    back, _ = told(capsys, "convert", "odrl.json", "--from", "odrl", "--to", "terms")
    assert json.loads(back) == signed
    bare, err = told(capsys, "convert", "agreement.json", "--to", "terms")
    assert json.loads(bare) == signed["terms"]
    assert "not said: document.signatures: " in err
    shown, _ = told(capsys, "show", "agreement.json")
    assert "“Studio”" in shown


def test_pil_there_and_back(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    out, err = told(capsys, "convert", "terms.toml", *WHO, *WORKS, "--to", "pil")
    assert "not said: price.per_work_micros: " in err
    (folder / "pil.json").write_text(out)
    back, err = told(capsys, "convert", "pil.json", *WHO, "--from", "pil", "--to", "terms")
    assert not err
    checked = told_json(capsys, "check", "terms.toml", *WHO, *WORKS)["terms"]
    assert json.loads(back) == checked
    _, error = told(
        capsys, "convert", "pil.json", *WHO, "--from", "pil", "--to", "terms",
        "--start", "tomorrow", code=2,
    )  # fmt: skip
    assert "a day such as" in error


def test_a_fee_needs_its_token(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "fee.toml").write_text(TOML.replace("per_work", "fixed"))
    _, error = told(capsys, "convert", "fee.toml", *WHO, *WORKS, "--to", "pil", code=2)
    assert "--token ADDRESS" in error
    token = ("--token", "0x" + "a" * 40, "--token-currency", "EUR", "--token-decimals", "6")
    out, _ = told(capsys, "convert", "fee.toml", *WHO, *WORKS, "--to", "pil", *token)
    assert json.loads(out)["pilTerms"]["defaultMintingFee"] == "500000"


def test_creative_commons(capsys: pytest.CaptureFixture[str]) -> None:
    found = told_json(capsys, "cc", "BY-SA-4.0", *WHO, "--start", "2026-01-01")
    assert terms_of(found["terms"]).grant.period.start == "2026-01-01"
    assert {"attribution", "grant.purposes"} <= {each["path"] for each in found["unsaid"]}
    out, err = told(capsys, "cc", "CC0-1.0", *WHO)
    assert terms_of(json.loads(out)).licensor.name == "Owner"
    assert "not said: grant.period: " in err
    assert "--licensor" in told(capsys, "cc", "BY-4.0", code=2)[1]
    assert "CC-BY-4.0" in told(capsys, "cc", "BY-2.0", *WHO, code=2)[1]


def test_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert told_json(capsys, "schema") == terms_schema()


def test_names_of_strangers_do_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    legal = "<legal type='x'>\u202eevil</legal>"
    raw = (
        '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
        f"<permits type='usage'>search</permits>{legal}</license></content></rsl>"
    )
    (folder / "odd.xml").write_text(raw)
    _, err = told(capsys, "convert", "odd.xml", *WHO, "--from", "rsl", "--to", "terms")
    assert "\u202e" not in err
    assert r"\u202eevil" in err


def test_a_licensor_that_is_missing_is_asked_for_with_the_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, err = told(capsys, "check", "terms.toml", code=2)
    assert "--licensor" in err


def test_bytes_that_are_no_text_are_told_in_our_words(capsys: pytest.CaptureFixture[str]) -> None:
    Path("noise.toml").write_bytes(b"x = 1\n\xff")
    _, err = told(capsys, "check", "noise.toml", *WHO, code=2)
    assert "noise.toml: expected TOML in UTF-8, got another byte at 6" in err
