"""register: works in; nothing that cannot be a reference, nothing twice, nothing of another's."""

from __future__ import annotations

import os
import ssl
import wave
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from loopback import LoopbackServer
from test_survey import make_certificate

from tercet.consent.registry.claim import Check, Evidence, EvidenceKind, Owner
from tercet.consent.registry.declared_terms import licence_terms
from tercet.consent.registry.description import Description
from tercet.consent.survey import SurveyOptions
from tercet.core.usage import Permission
from tercet.core.work import Medium
from tercet.flows.check_domains import check_domains
from tercet.flows.register import Outcome, RegisterRequest, register
from tercet.flows.register_entries import entries_of
from tercet.store.keys import SigningKey
from tercet.store.registry import Registry, Signing
from tercet.store.registry_check import differences

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:cc="http://creativecommons.org/ns#"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><metadata><rdf:RDF>
<cc:Work rdf:about=""><cc:license rdf:resource="http://creativecommons.org/licenses/publicdomain/"/>
</cc:Work></rdf:RDF></metadata><rect width="9" height="9"/></svg>"""
NOW = "2026-01-01T00:00:00Z"


def by(name: str) -> Signing:
    private = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
    return Signing(SigningKey(private, private.public_key().public_bytes_raw()), NOW)


def request(registry: Path, *places: Path, name: str = "Ann") -> RegisterRequest:
    entries, total = entries_of(places)
    return RegisterRequest(
        entries, registry, keeper=by("keeper"), signing=by(name), owner=Owner(name), total=total
    )


def run(asked: RegisterRequest) -> dict[str, Outcome]:
    return {outcome.name: outcome for outcome in register(asked)}


def picture(path: Path, seed: int, *, quality: int | None = None) -> Path:
    """A picture with shapes of its own, at many sizes."""
    randomness = np.random.default_rng(seed)
    canvas = np.full((360, 480, 3), 127, np.uint8)
    for _ in range(120):
        centre = randomness.integers(0, 480, 2).tolist()
        colour = randomness.integers(0, 255, 3).tolist()
        size = randomness.integers(4, 60, 2).tolist()
        cv2.ellipse(canvas, centre, size, int(randomness.integers(0, 180)), 0, 360, colour, -1)
    options = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    assert cv2.imwrite(str(path), canvas, options)
    return path


def silence(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 6))


def prose(seed: int) -> str:
    randomness = np.random.default_rng(seed)
    letters = np.array(list("aeioubcdfghklmnprst"))
    return " ".join("".join(randomness.choice(letters, randomness.integers(3, 9)))
                    for _ in range(300))  # fmt: skip


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    picture(folder / "one.png", 1)
    picture(folder / "two.png", 2)
    (folder / "prose.txt").write_text(prose(3))
    return folder


def statuses(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {outcome.name: str(outcome.status) for outcome in outcomes}


def test_a_folder_is_registered_once(tmp_path: Path, media: Path) -> None:
    first = run(request(tmp_path / "r", media))
    assert set(statuses(first.values()).values()) == {"new"}
    again = run(request(tmp_path / "r", media))
    assert set(statuses(again.values()).values()) == {"unchanged"}
    assert {n: o.number for n, o in again.items()} == {n: o.number for n, o in first.items()}
    registry = Registry.open(tmp_path / "r")
    work = registry.work(first["prose.txt"].number)
    assert work.medium is Medium.TEXT
    assert work.methods
    assert work.iscc.startswith("ISCC:")
    (claim,), disputed = registry.standing(work.number)
    assert not disputed
    assert {each.permission for each in claim.claim.terms} == {Permission.DENY}
    assert registry.preview(first["one.png"].number).startswith(b"\xff\xd8")
    assert differences(registry) == []


def test_what_can_identify_nothing_is_refused_with_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    silence(folder / "silent.wav")
    cv2.imwrite(str(folder / "blank.png"), np.full((200, 200), 255, np.uint8))
    (folder / "word.txt").write_text("word")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    outcomes = run(request(tmp_path / "r", folder))
    assert set(statuses(outcomes.values()).values()) == {"refused"}
    assert "silent" in outcomes["silent.wav"].reason
    assert "claims nothing" in outcomes["silent.wav"].reason
    assert "nothing to see" in outcomes["blank.png"].reason
    assert "too short" in outcomes["word.txt"].reason
    assert "empty" in outcomes["empty.txt"].reason
    assert "could not be looked at" in outcomes["broken.png"].reason
    assert all(o.hint for name, o in outcomes.items() if name != "empty.txt")
    assert Registry.open(tmp_path / "r").works() == []
    by_hash = run(replace(request(tmp_path / "r", folder / "silent.wav"), hash_only=True))
    outcome = by_hash["silent.wav"]
    assert outcome.status == "new"
    assert "silence" in outcome.flags
    work = Registry.open(tmp_path / "r").work(outcome.number)
    assert (work.methods, work.unfit) == ((), ("silence",))


def test_anothers_work_is_not_taken(tmp_path: Path, media: Path) -> None:
    folder = tmp_path / "r"
    ann = run(request(folder, media / "one.png"))
    copy = picture(tmp_path / "copy.jpg", 1, quality=80)
    for place in (media / "one.png", copy):
        (outcome,) = run(request(folder, place, name="Eve")).values()
        assert outcome.status == "refused", place
        assert outcome.others == (ann["one.png"].number,)
        assert "--dispute" in outcome.hint
    (disputed,) = run(replace(request(folder, copy, name="Eve"), may_dispute=True)).values()
    assert len(disputed.disputes) == 1
    registry = Registry.open(folder)
    numbers = [ann["one.png"].number, disputed.number]
    assert registry.disputed(numbers) == set(numbers)
    (own,) = run(request(folder, copy)).values()
    assert own.status == "refused", "it is now Eve's file, and disputed"
    assert differences(registry) == []


def test_a_catalogue_takes_what_it_can_and_names_the_rest(tmp_path: Path, media: Path) -> None:
    digest = sha256(b"elsewhere").hexdigest()
    other = sha256(b"other").hexdigest()
    catalogue = media / "works.csv"
    catalogue.write_text(
        "title,owners,file,sha256,isbn,licence,medium\n"
        "One,Ann:60; Bob:40,one.png,,,CC-BY-4.0,\n"
        f"By hash,Ann,,{digest},0-306-40615-2,,\n"
        "Missing,Ann,nowhere.png,,,,\n"
        f"Other bytes,Ann,two.png,{other},,,\n"
        f"No medium,Ann,,{other},,,\n"
        f"Wrong,Ann,,{other},1,,text\n"
    )
    outcomes = run(replace(request(tmp_path / "r", catalogue), owner=None))
    assert statuses(outcomes.values()) == {
        "One": "new", "By hash": "new", "Missing": "refused", "Other bytes": "refused",
        "No medium": "refused", "Wrong": "refused",
    }  # fmt: skip
    assert {name: outcome.line for name, outcome in outcomes.items()} == {
        "One": 2, "By hash": 3, "Missing": 4, "Other bytes": 5, "No medium": 6, "Wrong": 7
    }  # fmt: skip
    registry = Registry.open(tmp_path / "r")
    claims, _ = registry.standing(outcomes["One"].number)
    assert [(c.claim.owner.name, c.share_basis_points) for c in claims] == [
        ("Ann", 6000), ("Bob", 4000)
    ]  # fmt: skip
    assert claims[0].claim.terms == licence_terms("CC-BY-4.0")
    assert registry.work(outcomes["By hash"].number).medium is Medium.TEXT
    again = run(replace(request(tmp_path / "r", catalogue), owner=None))
    assert [again[name].status for name in ("One", "By hash")] == ["unchanged"] * 2


def test_the_command_goes_before_the_catalogue_and_that_before_the_file(
    tmp_path: Path, media: Path
) -> None:
    (media / "works.csv").write_text("file,title,owner\nprose.txt,Of the catalogue,Bob\n")
    stated = Description(title="Of the command")
    run(replace(request(tmp_path / "a", media / "works.csv"), stated=stated))
    run(request(tmp_path / "b", media / "works.csv"))
    for folder, title in (("a", "Of the command"), ("b", "Of the catalogue")):
        registry = Registry.open(tmp_path / folder)
        assert registry.work(1).title == title
        assert registry.standing(1)[0][0].claim.owner.name == "Bob"


def test_a_grant_in_a_file_is_shown_and_used_only_when_asked(tmp_path: Path) -> None:
    drawing = tmp_path / "drawing.svg"
    drawing.write_bytes(SVG)
    asked = replace(request(tmp_path / "r", drawing), hash_only=True)
    (outcome,) = run(asked).values()
    assert outcome.rights.endswith("/publicdomain/")
    registry = Registry.open(tmp_path / "r")
    assert {t.permission for t in registry.standing(1)[0][0].claim.terms} == {Permission.DENY}
    entries, _ = entries_of([drawing])
    taken = replace(asked, entries=entries, licence_from_file=True, amend=True)
    (outcome,) = run(taken).values()
    assert outcome.status == "amend"
    assert {t.permission for t in registry.standing(1)[0][0].claim.terms} == {Permission.ALLOW}


def test_what_stands_in_many_works_of_others_is_flagged(tmp_path: Path) -> None:
    notice = prose(9)
    for number, name in enumerate(("A", "B", "C")):
        (tmp_path / f"{name}.txt").write_text(prose(20 + number) + " " + notice)
        run(request(tmp_path / "r", tmp_path / f"{name}.txt", name=name))
    (tmp_path / "D.txt").write_text(notice + " " + prose(30)[:300])
    (outcome,) = run(replace(request(tmp_path / "r", tmp_path / "D.txt", name="D"),
                             may_dispute=True)).values()  # fmt: skip
    assert any("several works of others" in flag for flag in outcome.flags)


def test_control_of_a_domain_is_what_the_host_says(
    tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = make_certificate(tmp_path, "good.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    pages = {"/.well-known/tercet-owner.txt": f"# ours\n{by('Ann').public_key}\n".encode()}
    with LoopbackServer(lambda host, path: pages.get(path), tls=tls) as server:
        hosts = [f"{name}.example:{server.port}" for name in ("good", "bad")]
        evidence = tuple(Evidence(EvidenceKind.DOMAIN, h, covers_all=True) for h in hosts)
        run(replace(request(tmp_path / "r", media / "one.png"), evidence=evidence))
        run(replace(request(tmp_path / "r", media / "two.png", name="Eve"), evidence=evidence))
        registry = Registry.open(tmp_path / "r")
        assert registry.domain_table().num_rows == 0
        options = SurveyOptions(
            contact="https://a.example/", allow_private=True, overrides=(("*", "127.0.0.1"),),
            host_interval_s=0, retries_max=0,
        )  # fmt: skip
        checks = check_domains(registry, options, by("operator"))
    found = {(check.domain, registry_owner(registry, check.claim_id)): check.found
             for check in checks}  # fmt: skip
    assert found == {
        (hosts[0], "Ann"): Check.VERIFIED,
        (hosts[0], "Eve"): Check.FAILED,
        (hosts[1], "Ann"): Check.UNCHECKED,  # its certificate is another host's
        (hosts[1], "Eve"): Check.UNCHECKED,
    }
    assert registry.domain_table().to_pydict() == {"domain": [hosts[0]], "work": [1]}
    assert differences(registry) == []


def registry_owner(registry: Registry, claim_id: str) -> str:
    claims = [claim for number in (1, 2) for claim in registry.standing(number)[0]]
    return next(c.claim.owner.name for c in claims if c.claim_id == claim_id)


def test_an_owner_who_now_says_no_is_not_told_that_all_is_registered(tmp_path: Path) -> None:
    image = picture(tmp_path / "a.png", 31)
    folder = tmp_path / "registry"
    asked = request(folder, image)
    run(replace(asked, stated=Description(terms=licence_terms("CC0-1.0"))))
    refused = run(request(folder, image))["a.png"]
    assert refused.status == "refused"
    assert "with other terms" in refused.reason
    other_owner = replace(request(folder, image), owner=Owner("Anton"))
    assert run(other_owner)["a.png"].is_refused
    again = replace(request(folder, image), stated=Description(terms=licence_terms("CC0-1.0")))
    assert run(again)["a.png"].status == "unchanged"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    run(request(folder, picture(tmp_path / "a.png", 32)))
    os.mkfifo(tmp_path / "pipe.png")
    assert run(request(folder, tmp_path / "pipe.png"))["pipe.png"].is_refused
