"""Clearing against a registry: claims follow works; doubt holds; parts never grant."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from registered import GRANTED, drawing, register, registry_in, save, signing
from small_corpora import request, run, verdicts, write_evidence, write_table

from tercet.consent.registry.claim import Check, Evidence, EvidenceKind
from tercet.core.errors import InputError
from tercet.flows.clear import clear
from tercet.flows.explain import explain
from tercet.flows.fingerprinting import fingerprint_file
from tercet.flows.verify import verify

PLACED = "https://grants.example/4.jpg"  # the site grants, and the item itself was asked


def by_item(out: Path) -> dict[str, tuple[str, list[str]]]:
    return {row["item"]: (row["verdict"], row["reasons"]) for row in verdicts(out)}


def mirrored_crop(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    return cv2.flip(picture, 1)[height // 12 : -height // 12, width // 12 : -width // 12]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    save(folder / "copy.jpg", mirrored_crop(drawing(1)), 60)
    save(folder / "other.jpg", drawing(99))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"not a picture" * 40)
    return folder


def test_an_edited_copy_is_blocked_with_the_claim_as_evidence(tmp_path: Path, corpus: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(1)))
    run(tmp_path, corpus, registry=tmp_path / "registry")
    found = by_item(tmp_path / "out")
    assert found["copy.jpg"] == ("blocked", ["denied_by_registry"])
    assert found["other.jpg"] == ("blocked", ["no_grant"])
    told = explain(tmp_path / "out", "copy.jpg")
    assert [quote.signal for quote in told.quotes] == ["registry"]
    assert '"owner":"owner"' in told.quotes[0].lines[0][1]
    assert all(check.holds for check in verify(tmp_path / "out"))


def test_what_could_not_be_decoded_is_held(tmp_path: Path, corpus: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(1)))
    run(tmp_path, corpus, registry=tmp_path / "registry")
    assert by_item(tmp_path / "out")["broken.jpg"] == ("held", ["unchecked"])
    run(tmp_path / "without", corpus)
    assert by_item(tmp_path / "without" / "out")["broken.jpg"][0] != "cleared"


def test_the_owners_grant_clears_the_copy_and_not_the_collage(tmp_path: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(1)), GRANTED)
    corpus = tmp_path / "corpus"
    save(corpus / "copy.jpg", drawing(1), 70)
    side_by_side = np.hstack([drawing(1), drawing(50)])
    save(corpus / "collage.jpg", side_by_side)
    trusted = frozenset({signing(tmp_path).public_key})
    clearance = run(tmp_path, corpus, registry=tmp_path / "registry", trusted_keys=trusted)
    assert clearance.document["registry"]["trusted_keys"] == sorted(trusted)
    found = by_item(tmp_path / "out")
    assert found["copy.jpg"] == ("cleared", ["granted_by_registry"])
    assert found["collage.jpg"] == ("blocked", ["no_grant"])


def test_a_strangers_grant_for_anothers_work_clears_nothing(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    register(tmp_path, save(corpus / "photo.png", drawing(1)), GRANTED, owner="stranger")
    trusted = frozenset({signing(tmp_path, "owner").public_key})
    run(tmp_path, corpus, registry=tmp_path / "registry", trusted_keys=trusted)
    assert by_item(tmp_path / "out")["photo.png"] == ("blocked", ["no_grant"])


def test_while_disputed_it_is_held(tmp_path: Path, corpus: Path) -> None:
    work = save(tmp_path / "work.png", drawing(1))
    register(tmp_path, work)
    disputed = register(tmp_path, work, GRANTED, owner="somebody", may_dispute=True)
    assert disputed.disputes
    run(tmp_path, corpus, registry=tmp_path / "registry")
    assert by_item(tmp_path / "out")["copy.jpg"] == ("held", ["held_by_registry"])


def test_a_withdrawn_claim_binds_nobody(tmp_path: Path, corpus: Path) -> None:
    done = register(tmp_path, save(tmp_path / "work.png", drawing(1)))
    registry_in(tmp_path).withdraw(done.claim_ids[0], "sold", signing(tmp_path))
    run(tmp_path, corpus, registry=tmp_path / "registry")
    assert by_item(tmp_path / "out")["copy.jpg"] == ("blocked", ["no_grant"])


def test_a_row_with_the_works_hash_is_the_work_whatever_its_site_allows(tmp_path: Path) -> None:
    work = save(tmp_path / "work.png", drawing(1))
    register(tmp_path, work)
    digest = registry_in(tmp_path).work(1).sha256
    evidence = write_evidence(tmp_path / "evidence")
    hashes = pa.array([digest.upper(), None, "0" * 64])
    urls = [PLACED, PLACED.replace("4.jpg", "5.jpg"), PLACED]
    table = write_table(tmp_path / "urls.parquet", urls, sha256=hashes)
    run(tmp_path, table, declarations=evidence, registry=tmp_path / "registry")
    rows = verdicts(tmp_path / "out")
    assert rows[0]["reasons"] == ["denied_by_registry"]
    assert {row["verdict"] for row in rows[1:]} <= {"cleared", "held"}
    (quote,) = explain(tmp_path / "out", "0", declarations=evidence).quotes
    assert quote.signal == "registry"


def test_a_claimed_url_holds_until_control_of_its_domain_is_shown(tmp_path: Path) -> None:
    evidence = (Evidence(EvidenceKind.DOMAIN, "grants.example"),)
    work = save(tmp_path / "work.png", drawing(1))
    done = register(tmp_path, work, source_url=PLACED, evidence=evidence)
    survey = write_evidence(tmp_path / "evidence")
    table = write_table(tmp_path / "urls.parquet", [PLACED])
    registry = tmp_path / "registry"
    run(tmp_path / "claimed", table, declarations=survey, registry=registry)
    assert by_item(tmp_path / "claimed" / "out")[PLACED] == ("held", ["held_by_registry"])
    registry_in(tmp_path).record_check(
        done.claim_ids[0], evidence[0].value, Check.VERIFIED, "", signing(tmp_path, "keeper")
    )
    run(tmp_path / "shown", table, declarations=survey, registry=registry)
    assert by_item(tmp_path / "shown" / "out")[PLACED] == ("blocked", ["denied_by_registry"])


def test_the_registrys_state_is_signed_and_a_changed_one_refused(
    tmp_path: Path, corpus: Path
) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(1)))
    asked = request(tmp_path, corpus, registry=tmp_path / "registry")
    head = registry_in(tmp_path).head()
    state = {"entries": head.entries, "head": head.chain, "trusted_keys": []}
    assert clear(asked).document["registry"] == state
    register(tmp_path, save(tmp_path / "second.png", drawing(2)))
    with pytest.raises(InputError, match="other registry"):
        clear(asked)


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, corpus: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(1)))
    asked = request(tmp_path, corpus, registry=tmp_path / "registry")

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "looking for works" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clear(request(tmp_path, corpus, registry=tmp_path / "registry", progress=stop))
    clear(asked)
    assert by_item(tmp_path / "out")["copy.jpg"] == ("blocked", ["denied_by_registry"])
    survey = json.loads((tmp_path / "out" / "matches" / "survey.json").read_bytes())
    assert survey["counts"]["items"] == 3


def test_a_declaration_binds_every_copy_of_what_it_names_by_iscc(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    work = save(corpus / "a" / "work.png", drawing(7))
    save(corpus / "b" / "re-encoded.jpg", drawing(7), 85)
    save(corpus / "b" / "other.jpg", drawing(8))
    iscc = fingerprint_file(str(work), 0, work.stat().st_size, "work.png").iscc
    declared = {"iscc": iscc, "tdm-reservation": 1}
    (corpus / "a" / "work.png.json").write_text(json.dumps(declared), "utf-8")
    registry_in(tmp_path)
    run(tmp_path, corpus, policy="eu-tdm", registry=tmp_path / "registry")
    found = by_item(tmp_path / "out")
    assert found["a/work.png"] == ("blocked", ["denied_by_tdm_ai"])
    assert found["b/re-encoded.jpg"] == ("blocked", ["denied_by_tdm_ai"])
    assert found["b/other.jpg"][1] != ["denied_by_tdm_ai"]
    assert explain(tmp_path / "out", "b/re-encoded.jpg").quotes[0].uri == "work.png.json"


def test_a_third_text_quoted_in_works_of_two_owners_blocks_nobody(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    syllables = ["ba", "cor", "dal", "en", "fir", "gan", "hol", "in", "ket", "lum", "mar", "nor"]

    def words(count: int) -> str:
        return " ".join("".join(random.choice(syllables, 3)) for _ in range(count))

    third = words(60)
    for owner in ("first", "second"):
        path = tmp_path / f"{owner}.txt"
        path.write_text(f"{words(200)} {third} {words(200)}", "utf-8")
        register(tmp_path, path, owner=owner)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "quoting.txt").write_text(f"{words(100)} {third} {words(100)}", "utf-8")
    own = (tmp_path / "first.txt").read_text("utf-8").split()[:150]
    (corpus / "copying.txt").write_text(" ".join(own), "utf-8")
    run(tmp_path, corpus, registry=tmp_path / "registry")
    found = by_item(tmp_path / "out")
    assert found["quoting.txt"] == ("held", ["held_by_registry"])
    assert found["copying.txt"] == ("blocked", ["denied_by_registry"])


def test_a_grant_for_the_first_page_clears_no_other_page(tmp_path: Path) -> None:
    granted = save(tmp_path / "work.png", drawing(1))
    register(tmp_path, granted, GRANTED)
    media = tmp_path / "media"
    media.mkdir()
    assert cv2.imwritemulti(str(media / "pages.tiff"), [drawing(1), drawing(2)])
    assert cv2.imwrite(str(media / "page.tiff"), drawing(1))
    trusted = frozenset({signing(tmp_path).public_key})
    run(tmp_path, media, registry=tmp_path / "registry", trusted_keys=trusted)
    found = by_item(tmp_path / "out")
    assert found["page.tiff"][0] == "cleared"
    assert found["pages.tiff"][0] == "held"


def test_blanks_around_a_hash_hide_no_work(tmp_path: Path) -> None:
    work = save(tmp_path / "work.png", drawing(1))
    register(tmp_path, work)
    digest = registry_in(tmp_path).work(1).sha256
    evidence = write_evidence(tmp_path / "evidence")
    table = write_table(tmp_path / "urls.parquet", [PLACED], sha256=pa.array([f" {digest}\n"]))
    run(tmp_path, table, declarations=evidence, registry=tmp_path / "registry")
    assert verdicts(tmp_path / "out")[0]["reasons"] == ["denied_by_registry"]
