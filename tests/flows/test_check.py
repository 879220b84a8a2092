"""A video read back: each way a file can stand, and each lie that somebody may try."""

from __future__ import annotations

import json
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest
from made_videos import PIXELS, Drawn, copied, made_video
from train_corpora import cleared_works, training

from tercet.core.canonical import canonical_json
from tercet.core.errors import InputError
from tercet.core.ids import sha256_hex
from tercet.credit.content_credentials import (
    Signatory,
    TrainingMining,
    manifest_definition,
    sign,
)
from tercet.credit.credentials_reading import State
from tercet.flows.check import CheckedVideo, Standing, check_video
from tercet.flows.credentials import attach_credentials, credits_path, manifest_path
from tercet.flows.train import train
from tercet.store import certificates
from tercet.store.certificates import credentials_identity, root_certificate, utc_now
from tercet.store.keys import default_key_path, load_or_make_key
from tercet.studio.engines.engine import Order, Rights, Shot
from tercet.studio.media.decode import pictures_of
from tercet.studio.media.encode import encode


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, so that no key of the machine is used."""
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    made_video(tmp_path / "a.mp4")
    return tmp_path / "a.mp4"


def failed(checked: CheckedVideo) -> set[str]:
    return {check.name for check in checked.checks if not check.holds}


def flipped(path: Path, at: int) -> None:
    """Change one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def test_intact(video: Path) -> None:
    checked = check_video(video)
    assert (checked.standing, checked.exit_status) == (Standing.INTACT, 0)
    assert checked.credentials.making["engine"] == "house"
    assert {check.name for check in checked.checks} == {"pictures", "credits signature", "credits"}
    assert not failed(checked)
    assert checked.credits is not None
    assert (checked.credits.works, checked.credits.owners) == (2, 2)
    assert json.loads(json.dumps(checked.document()))["standing"] == "intact"


def test_moved_and_renamed_it_is_still_intact(video: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "x.bin"
    target.parent.mkdir()
    shutil.move(video, target)
    checked = check_video(target)
    assert (checked.standing, checked.exit_status, checked.credits) == (Standing.INTACT, 0, None)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.98])
def test_one_bit_of_the_pictures(video: Path, share: float) -> None:
    raw = video.read_bytes()
    begin = raw.find(b"mdat") + 4
    flipped(video, begin + int(share * (len(raw) - begin)))
    checked = check_video(video)
    assert (checked.standing, checked.exit_status) == (Standing.ALTERED, 1)
    assert any("bmffHash.mismatch" in reason for reason in checked.reasons)


def test_one_bit_of_the_index(video: Path) -> None:
    flipped(video, video.read_bytes().find(b"mvhd") + 20)
    assert check_video(video).standing is Standing.ALTERED


@pytest.mark.parametrize(
    "word",
    [b"cleared works only", b"trainedAlgorithmicMedia", b"notAllowed", b"credits_sha256",
     b"Tercet operator", b"c2pa.created", b"tercet"],
)  # fmt: skip
def test_one_bit_of_the_manifest(video: Path, word: bytes) -> None:
    flipped(video, video.read_bytes().find(word) + 2)
    checked = check_video(video)
    assert (checked.standing, checked.exit_status) == (Standing.ALTERED, 1)


def test_every_byte_of_the_manifest_counts_or_the_credentials_are_gone(video: Path) -> None:
    """No single change makes a manifest say something else and still hold."""
    raw = video.read_bytes()
    at = raw.find(b"jumdc2pa")
    said = check_video(video).credentials
    for place in range(at, at + 4_000, 211):
        video.write_bytes(raw)
        flipped(video, place)
        checked = check_video(video)
        if checked.standing is Standing.INTACT:
            assert checked.credentials == said, f"byte {place} changed what is said"


def test_cut_off(video: Path) -> None:
    raw = video.read_bytes()
    video.write_bytes(raw[: len(raw) * 3 // 4])
    assert check_video(video).exit_status == 1


def test_bytes_behind_the_end(video: Path) -> None:
    with video.open("ab") as file:
        file.write(b"\0\0\0\x10mdat12345678")
    assert check_video(video).standing is Standing.ALTERED


@pytest.mark.parametrize(("container", "name"), [("mp4", "b.mp4"), ("matroska", "b.mkv")])
def test_a_copy_without_coding_anew_strips_it(
    video: Path, tmp_path: Path, container: str, name: str
) -> None:
    """`ffmpeg -c copy` by the library that ffmpeg is made of."""
    checked = check_video(copied(video, tmp_path / name, container))
    assert (checked.standing, checked.exit_status) == (Standing.UNSIGNED, 3)
    assert checked.credentials.state is State.NONE


def test_stripped_but_the_credits_still_lie_beside_it(video: Path, tmp_path: Path) -> None:
    copy = copied(video, tmp_path / "b.mp4", "mp4")
    credits_path(video).rename(credits_path(copy))
    checked = check_video(copy)
    assert (checked.standing, checked.exit_status) == (Standing.UNSIGNED, 3)
    assert any("credentials were stripped" in reason for reason in checked.reasons)


def test_coded_anew(video: Path, tmp_path: Path) -> None:
    again = encode(pictures_of(video), tmp_path / "b.mp4", frames_per_second=12).path
    assert check_video(again).standing is Standing.UNSIGNED


def test_credits_of_another_video_beside_an_unsigned_one(video: Path, tmp_path: Path) -> None:
    other = encode(Drawn().pictures(5), tmp_path / "b.mp4", frames_per_second=12).path
    credits_path(video).rename(credits_path(other))
    checked = check_video(other)
    assert failed(checked) == {"credits"}
    assert not any("stripped" in reason for reason in checked.reasons)


def test_the_manifest_of_another_video_put_in(video: Path, tmp_path: Path) -> None:
    made_video(tmp_path / "b.mp4", frame_count=15)
    store = box_of(tmp_path / "b.mp4")
    raw = video.read_bytes()
    video.write_bytes(raw.replace(box_of(video), store))
    assert check_video(video).standing is Standing.ALTERED


def box_of(path: Path) -> bytes:
    """Return the top-level `uuid` box that holds the manifest store."""
    raw, at = path.read_bytes(), 0
    while raw[at + 4 : at + 8] != b"uuid":
        at += int.from_bytes(raw[at : at + 4], "big")
    return raw[at : at + int.from_bytes(raw[at : at + 4], "big")]


def test_a_stranger_who_calls_himself_the_same(tmp_path: Path, home: Path) -> None:
    """Same names in the certificates, another key: nobody vouches for it."""
    made_video(tmp_path / "mine.mp4")
    made_video(tmp_path / "a.mp4", key_path=tmp_path / "stranger" / "operator.key")
    checked = check_video(tmp_path / "a.mp4")
    assert checked.credentials.signer == check_video(tmp_path / "mine.mp4").credentials.signer
    assert (checked.standing, checked.exit_status) == (Standing.UNKNOWN_SIGNER, 3)
    root = tmp_path / "stranger" / "credentials-root.pem"
    assert check_video(tmp_path / "a.mp4", trust=[root]).standing is Standing.INTACT


def test_a_claim_of_cleared_works_that_nothing_shows_is_told_as_one(video: Path) -> None:
    checked = check_video(video)
    assert checked.credentials.making["rights"] == "cleared works only"
    assert checked.standing is Standing.INTACT
    assert not checked.rights_shown, "its training record is not here"
    assert checked.document()["rights_shown"] is False


def test_on_another_machine_the_root_is_what_counts(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "given.pem"
    root.write_text(root_certificate(default_key_path()))
    monkeypatch.setenv("TERCET_HOME", str(tmp_path / "another"))
    assert check_video(video).standing is Standing.UNKNOWN_SIGNER
    assert check_video(video, trust=[root]).exit_status == 0
    assert not (tmp_path / "another").exists(), "a check makes no keys"


def test_trust_that_is_none(video: Path, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for path in (tmp_path / "no.pem", tmp_path / "missing.pem"):
        with pytest.raises(InputError):
            check_video(video, trust=[path])


@pytest.mark.slow
def test_a_certificate_that_expired_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was altered, so it does not say so; but the signer is not vouched for any more."""
    root_first = credentials_identity(default_key_path(), utc_now())
    (default_key_path().parent / "credentials.pem").unlink()
    lives_s = 5
    monkeypatch.setattr(certificates, "_YEARS_DAYS", lives_s / timedelta(days=1).total_seconds())
    path = tmp_path / "a.mp4"
    made_video(path)
    assert root_certificate(default_key_path()) == root_first.root_pem
    time.sleep(lives_s + 2)
    checked = check_video(path)
    assert checked.standing is Standing.UNKNOWN_SIGNER
    assert any("expired" in reason for reason in checked.reasons)
    flipped(path, path.stat().st_size - 9)
    assert check_video(path).standing is Standing.ALTERED


def test_a_signer_who_names_other_pictures(tmp_path: Path) -> None:
    """A trusted signature under a making that is not of this file."""
    making = made_video(tmp_path / "b.mp4").making
    plain = encode(Drawn().pictures(7), tmp_path / "plain.mp4", frames_per_second=12).path
    identity = credentials_identity(default_key_path(), utc_now())
    definition = manifest_definition(
        making, title="a.mp4", media_type="video/mp4", credits_sha256="0" * 64,
        training_mining=TrainingMining(),
    )  # fmt: skip
    signatory = Signatory(identity.chain_pem, identity.key_pem, identity.algorithm)
    with plain.open("rb") as source, (tmp_path / "a.mp4").open("w+b") as target:
        sign(source, target, definition, signatory)
    checked = check_video(tmp_path / "a.mp4")
    assert (failed(checked), checked.exit_status) == ({"pictures"}, 1)


def test_shares_edited_in_the_credits(video: Path) -> None:
    path = credits_path(video)
    text = path.read_text("utf-8").replace("750000", "1").replace("250000", "999999")
    path.write_text(text.replace(":1,", ":1,"), "utf-8")
    checked = check_video(video)
    assert failed(checked) == {"credits signature", "credits"}
    assert checked.exit_status == 1


def test_credits_signed_anew_by_somebody_else(video: Path, tmp_path: Path) -> None:
    path = credits_path(video)
    document = json.loads(path.read_bytes())
    document.pop("signature")
    document["credits"][0]["owner"] = "Somebody Else"
    key = load_or_make_key(tmp_path / "stranger.key")
    signed = document | {"signature": key.signature(canonical_json(document))}
    path.write_bytes(canonical_json(signed))
    assert failed(check_video(video)) == {"credits"}


@pytest.mark.parametrize("raw", [b"", b"{}", b"no json", b'{"type":"tercet/credits@1"}'])
def test_credits_that_cannot_be_read(video: Path, raw: bytes) -> None:
    credits_path(video).write_bytes(raw)
    checked = check_video(video)
    assert (checked.standing, checked.exit_status) == (Standing.INTACT, 1)
    assert failed(checked) == {"credits"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that was really trained, for a moment, on cleared drawings."""
    folder = tmp_path_factory.mktemp("trained")
    cleared_works(folder)
    model = train(training(folder, steps=1)).model
    assert model is not None
    return model


def digest_of(path: Path) -> str:
    return sha256_hex(path.read_bytes())


def of_model(folder: Path) -> Drawn:
    """An engine that says it is of the model in ``folder``."""
    return Drawn(
        record=digest_of(folder / "record.json"), checkpoint=digest_of(folder / "model.json")
    )


@pytest.mark.slow
def test_the_training_record_of_its_model(trained: Path, tmp_path: Path) -> None:
    made_video(tmp_path / "a.mp4", of_model(trained))
    checked = check_video(tmp_path / "a.mp4", model=trained)
    assert checked.exit_status == 0, checked.checks
    assert checked.model is not None
    assert checked.model.record["works"]["count"] == 3
    assert {"model folder", "training record", "checkpoint"} <= {c.name for c in checked.checks}
    assert checked.rights_shown
    assert not check_video(tmp_path / "a.mp4").rights_shown, "without the record it is only said"
    with pytest.raises(InputError, match="no folder"):
        check_video(tmp_path / "a.mp4", model=tmp_path / "none")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("record.json", {"training record", "model folder"}),
        ("model.json", {"checkpoint", "model folder"}),
        ("works.jsonl", {"model folder"}),
    ],
)
def test_a_model_with_one_changed_file(
    trained: Path, tmp_path: Path, name: str, expected: set[str]
) -> None:
    made_video(tmp_path / "a.mp4", of_model(trained))
    changed = tmp_path / "changed"
    shutil.copytree(trained, changed)
    raw = (changed / name).read_bytes()
    (changed / name).write_bytes(raw.replace(b"1", b"2", 1))
    assert failed(check_video(tmp_path / "a.mp4", model=changed)) == expected
    (changed / "record.json").unlink()
    assert check_video(tmp_path / "a.mp4", model=changed).exit_status == 1


@pytest.mark.slow
def test_a_video_of_no_model_is_not_of_the_one_that_is_given(trained: Path, tmp_path: Path) -> None:
    made_video(
        tmp_path / "a.mp4",
        Drawn("diffusers", rights=Rights.UNKNOWN, record="", checkpoint=""),
    )
    assert failed(check_video(tmp_path / "a.mp4", model=trained)) == {"training record"}


@pytest.mark.parametrize(
    "raw", [None, b"", b"no json", b'{"type":"tercet/training-record@1","signature":{}}']
)
def test_a_model_without_a_record_that_can_be_read(
    video: Path, tmp_path: Path, raw: bytes | None
) -> None:
    (tmp_path / "model").mkdir()
    if raw is not None:
        (tmp_path / "model" / "record.json").write_bytes(raw)
    checked = check_video(video, model=tmp_path / "model")
    assert (failed(checked), checked.exit_status) == ({"training record"}, 1)


@pytest.mark.parametrize("name", ["../model", "/etc", ".", "..\\model", "\0", "a" * 5_000])
def test_the_name_of_a_model_leads_nowhere(tmp_path: Path, name: str) -> None:
    """The name is written by whoever signed: it must not reach files."""
    made_video(tmp_path / "a.mp4", Drawn(model=name))
    checked = check_video(tmp_path / "a.mp4")
    assert (checked.standing, checked.model) == (Standing.INTACT, None)


def test_webm_and_its_manifest(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    made_video(path)
    assert check_video(path).exit_status == 0
    raw = path.read_bytes()
    flipped(path, len(raw) // 2)
    assert check_video(path).standing is Standing.ALTERED
    path.write_bytes(raw)
    manifest_path(path).unlink()
    assert check_video(path).standing is Standing.UNSIGNED


@pytest.mark.parametrize("raw", [b"", b"\0" * 64, b"\0\0\0\x18ftypisom" + bytes(400)])
def test_broken_files(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(raw)
    checked = check_video(tmp_path / "a.mp4")
    assert (checked.standing, checked.exit_status) == (Standing.UNREADABLE, 3)


def test_words_about_manifests_are_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a jumb box of the kind c2pa begins a manifest store")
    assert check_video(tmp_path / "a.txt").standing is Standing.UNSIGNED


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        check_video(tmp_path / "none.mp4")
    with pytest.raises(InputError, match="there is no file"):
        check_video(tmp_path)


def test_another_makers_file(shared_vectors: Path) -> None:
    """A picture signed by C2PA's own test certificate: a camera took it, says its signer."""
    checked = check_video(shared_vectors / "c2pa" / "C_with_CAWG_data.jpg")
    assert (checked.standing, checked.exit_status) == (Standing.UNKNOWN_SIGNER, 3)
    assert checked.credentials.issuer == "C2PA Test Signing Cert"
    assert any(kind.endswith("digitalCapture") for kind in checked.credentials.source_types)
    assert checked.credentials.making == {}
    assert checked.credentials.training_mining["cawg.ai_inference"] == "notAllowed"


CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
}


def test_credentials_that_lie_elsewhere_are_named_and_not_fetched(tmp_path: Path) -> None:
    import c2pa

    identity = credentials_identity(default_key_path(), utc_now())
    plain = encode(Drawn().pictures(), tmp_path / "plain.mp4", frames_per_second=12).path
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(
            alg=b"ed25519", sign_cert=identity.chain_pem.encode(),
            private_key=identity.key_pem.encode(), ta_url=None,
        )
    )  # fmt: skip
    definition = {"format": "video/mp4", "assertions": [
        {"label": "c2pa.actions.v2", "data": {"actions": [CREATED]}}]}  # fmt: skip
    builder = c2pa.Builder(json.dumps(definition))
    builder.set_no_embed()
    builder.set_remote_url("https://credentials.invalid/a.c2pa")
    with plain.open("rb") as source, (tmp_path / "a.mp4").open("w+b") as target:
        builder.sign(signer, "video/mp4", source, target)
    checked = check_video(tmp_path / "a.mp4")
    assert (checked.standing, checked.exit_status) == (Standing.ELSEWHERE, 3)
    assert any("credentials.invalid" in reason for reason in checked.reasons)


def test_a_making_that_somebody_else_wrote_is_data(tmp_path: Path) -> None:
    """Values of any kind under our label: nothing breaks, nothing is believed."""
    import c2pa

    identity = credentials_identity(default_key_path(), utc_now())
    plain = encode(Drawn().pictures(), tmp_path / "plain.mp4", frames_per_second=12).path
    hostile = {
        "type": "tercet/making@1", "engine": ["\x1b[31m"], "model": {"a": 1}, "video": [1],
        "credits_sha256": None, "training_record_sha256": 7, "seed": {"x": "y"},
    }  # fmt: skip
    definition = {
        "claim_generator_info": [{"name": "\x1b]0;owned\x07", "version": "1"}],
        "format": "video/mp4",
        "assertions": [
            {"label": "org.tercet.making", "data": hostile},
            {"label": "c2pa.actions.v2", "data": {"actions": [CREATED]}},
            {"label": "cawg.training-mining", "data": {"entries": {"cawg.data_mining": 3}}},
        ],
    }
    signer = c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(
            alg=b"ed25519", sign_cert=identity.chain_pem.encode(),
            private_key=identity.key_pem.encode(), ta_url=None,
        )
    )  # fmt: skip
    with plain.open("rb") as source, (tmp_path / "a.mp4").open("w+b") as target:
        c2pa.Builder(json.dumps(definition)).sign(signer, "video/mp4", source, target)
    checked = check_video(tmp_path / "a.mp4")
    assert (failed(checked), checked.exit_status) == ({"pictures"}, 1)


def test_many_codings_in_one_making(tmp_path: Path) -> None:
    engine = Drawn()
    order = Order((Shot("x", 1.0),), 96, 64, 12)
    encoded = encode(engine.pictures(), tmp_path / "a.mp4", frames_per_second=12)
    attach_credentials(
        [encoded], engine=engine, order=order, credited=engine.credits(PIXELS), prompt="x",
        title="Ein Ballon über Hügeln",
    )  # fmt: skip
    assert check_video(tmp_path / "a.mp4").credentials.title == "Ein Ballon über Hügeln"
