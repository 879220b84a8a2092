"""Agreements in clearing: they clear what they grant, to whom, when and where, nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from licensed import (
    GRANT,
    OTHER,
    OWNER,
    STUDIO,
    TODAY,
    TRAINS,
    Somebody,
    agree,
    agreed,
    desk_in,
    period,
    terms_for,
)
from registered import drawing, register, save
from small_corpora import NOW, URLS, png, run, verdicts, write_evidence, write_table

from tercet.consent.licences.repertoire import repertoire_of
from tercet.consent.licences.signing import signed
from tercet.consent.licences.termination import (
    Termination,
    TerminationReason,
    termination_document,
)
from tercet.core.terms import Exclusivity, ModelScope, Period, Territory, Use, Versions
from tercet.core.usage import Usage
from tercet.flows.agreements import AgreementsAsked
from tercet.flows.explain import explain
from tercet.flows.verify import verify
from tercet.store.agreement_evidence import read_lines
from tercet.store.desk import Desk
from tercet.store.keys import load_or_make_key

TRUSTED = frozenset({OWNER.public_key})
DIGEST = hashlib.sha256(b"a work").hexdigest()
OTHER_DIGEST = hashlib.sha256(b"another work").hexdigest()
ROWS = [DIGEST, OTHER_DIGEST, None, None]
ADDRESSES = [
    "https://forbids.example/private/1.jpg",
    "https://forbids.example/private/2.jpg",
    "https://shop.example/3.jpg",
    "https://shop.example/sold/4.jpg",
]


def cleared(
    folder: Path, *, use: Use = TRAINS, trusted: frozenset[str] = TRUSTED, **more: Any
) -> list[tuple[str, list[str]]]:
    """Clear four rows with the desk in ``folder``; return verdicts and reasons."""
    evidence = folder / "evidence"
    if not evidence.exists():
        write_evidence(evidence)
    table = write_table(folder / "t.parquet", ADDRESSES, sha256=pa.array(ROWS, pa.string()))
    asked = AgreementsAsked(folder / "desk", use)
    run(folder, table, declarations=evidence, agreements=asked, trusted_keys=trusted, **more)
    return [(row["verdict"], row["reasons"]) for row in verdicts(folder / "out")]


def reasons_of_first(folder: Path, **more: Any) -> list[str]:
    verdict, reasons = cleared(folder, **more)[0]
    assert verdict == "blocked", reasons
    return [reason for reason in reasons if reason.startswith("agreement_")]


def test_what_an_agreement_grants_is_cleared_by_digest_site_and_url(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    agree(desk, [f"sha256:{DIGEST}", "site:https://shop.example"])
    found = cleared(tmp_path)
    assert found[0] == ("cleared", ["granted_by_agreement", "duty_reporting"])
    assert found[1][0] == "blocked"
    assert [verdict for verdict, _ in found[2:]] == ["cleared", "cleared"]
    (quote,) = explain(tmp_path / "out", "0", declarations=tmp_path / "evidence").quotes
    assert quote.signal == "agreement"
    facts = dict(quote.facts)
    assert facts["licensor"].startswith("Owner (urn:tercet:party:")
    assert facts["scope period"] == "2026-01-01 until 2028-01-01"


def test_without_the_desk_nothing_changes(tmp_path: Path) -> None:
    agree(desk_in(tmp_path), [f"sha256:{DIGEST}"])
    evidence = write_evidence(tmp_path / "evidence")
    clearance = run(tmp_path, write_table(tmp_path / "t.parquet", URLS), declarations=evidence)
    assert "agreements" not in clearance.document


def test_an_excluded_address_of_a_licensed_site_is_not_cleared(tmp_path: Path) -> None:
    out = ("url:https://shop.example/sold/4.jpg",)
    agree(desk_in(tmp_path), ["site:https://shop.example"], exclusions=out)
    found = cleared(tmp_path)
    assert found[2][0] == "cleared"
    assert found[3] == ("held", ["not_surveyed"])


CASES: dict[str, tuple[Any, Use]] = {
    "agreement_not_begun": (period("2027-01-01", "2028-01-01"), TRAINS),
    "agreement_expired": (period("2025-01-01", "2026-01-01"), TRAINS),
    "agreement_training_over": (period("2025-01-01", "2028-01-01", "2026-02-01"), TRAINS),
    "agreement_other_usage": (replace(GRANT, usages=(Usage.SEARCH,)), TRAINS),
    "agreement_other_purpose": (replace(GRANT, purposes=()), TRAINS),
    "agreement_other_model": (GRANT, replace(TRAINS, model="Other")),
    "agreement_other_territory": (replace(GRANT, territory=Territory(("SE",))), TRAINS),
    "agreement_other_licensee": (GRANT, replace(TRAINS, licensee=OTHER.party.id)),
}


@pytest.mark.parametrize("code", CASES)
def test_each_way_of_not_fitting_the_use_has_its_own_reason(tmp_path: Path, code: str) -> None:
    grant, use = CASES[code]
    agree(desk_in(tmp_path), [f"sha256:{DIGEST}"], grant)
    assert reasons_of_first(tmp_path, use=use) == [code]


@pytest.mark.parametrize(
    ("use", "code"),
    [
        (replace(TRAINS, model=""), "agreement_other_model"),
        (replace(TRAINS, territories=()), "agreement_other_territory"),
    ],
)
def test_what_the_operator_does_not_say_is_not_granted(tmp_path: Path, use: Use, code: str) -> None:
    grant = replace(GRANT, territory=Territory(("SE", "VN")))
    agree(desk_in(tmp_path), [f"sha256:{DIGEST}"], grant)
    assert reasons_of_first(tmp_path, use=use) == [code]


def test_an_untrusted_licensor_lifts_nothing(tmp_path: Path) -> None:
    agree(desk_in(tmp_path), [f"sha256:{DIGEST}"])
    found = reasons_of_first(tmp_path, trusted=frozenset({STUDIO.public_key}))
    assert found == ["agreement_party_untrusted"]


def put(desk: Desk, document: dict[str, Any], *, is_final: bool = True) -> None:
    """Put a document into the desk's tables past all checks, as a damaged desk has it."""
    from tercet.store.desk_documents import add_agreement, add_final

    with desk.database.writing() as connection:
        add_agreement(connection, document, NOW)
        if is_final:
            add_final(connection, document["id"], NOW)


def test_unsigned_wrongly_signed_and_unfinished_agreements_grant_nothing(tmp_path: Path) -> None:
    for name in ("unsigned", "altered", "unfinished"):
        desk = desk_in(tmp_path / name)
        document = agreed(terms_for(desk, [f"sha256:{DIGEST}"]))
        if name == "unsigned":
            document |= {"signatures": document["signatures"][:1]}
        if name == "altered":
            document["terms"] |= {"notes": ["and all other works too"]}
        put(desk, document, is_final=name != "unfinished")
    assert reasons_of_first(tmp_path / "unsigned") == ["agreement_unsigned"]
    assert reasons_of_first(tmp_path / "altered") == ["agreement_wrongly_signed"]
    assert reasons_of_first(tmp_path / "unfinished") == ["agreement_unfinished"]


def test_a_swapped_or_lost_list_of_works_grants_nothing(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    agree(desk, [f"sha256:{DIGEST}"])
    (name,) = desk.repertoires.all()
    path = desk.repertoires.path(name)
    path.write_bytes(path.read_bytes().replace(DIGEST.encode(), OTHER_DIGEST.encode()))
    found = cleared(tmp_path)
    assert {verdict for verdict, _ in found} <= {"blocked", "held"}
    assert not (tmp_path / "out" / "agreements" / "agreements.jsonl").read_bytes()


def test_a_superseded_agreement_grants_nothing_and_the_later_one_does(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    first = agree(desk, [f"sha256:{DIGEST}"])
    agree(desk, [f"sha256:{OTHER_DIGEST}"], name="a2", supersedes=first)
    found = cleared(tmp_path)
    assert "agreement_superseded" in found[0][1]
    assert found[1][0] == "cleared"


def test_what_was_superseded_does_not_come_back_when_the_later_list_is_lost(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    first = agree(desk, [f"sha256:{DIGEST}"])
    agree(desk, [f"sha256:{OTHER_DIGEST}"], name="a2", supersedes=first)
    later = repertoire_of([f"sha256:{OTHER_DIGEST}"]).sha256
    desk.repertoires.path(later).unlink()
    assert reasons_of_first(tmp_path) == ["agreement_superseded"]


def test_an_agreement_of_others_supersedes_nothing(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    first = agree(desk, [f"sha256:{DIGEST}"])
    agree(desk, [f"sha256:{OTHER_DIGEST}"], licensee=OTHER, name="a2", supersedes=first)
    assert cleared(tmp_path)[0][0] == "cleared"


@pytest.mark.parametrize(("day", "verdict"), [("2026-11-23", "cleared"), (TODAY, "blocked")])
def test_a_terminated_agreement_ends_on_its_day(tmp_path: Path, day: str, verdict: str) -> None:
    desk = desk_in(tmp_path)
    first = agree(desk, [f"sha256:{DIGEST}"])
    ended = Termination(first, TerminationReason.MUTUAL, day, NOW)
    document = signed(signed(termination_document(ended), OWNER.signer), STUDIO.signer)
    assert desk.take_termination(document, NOW)
    found, reasons = cleared(tmp_path)[0]
    assert found == verdict
    assert ("agreement_terminated" in reasons) == (verdict == "blocked")


def test_what_another_holds_exclusively_is_blocked_under_every_policy(tmp_path: Path) -> None:
    exclusive = replace(
        GRANT, exclusivity=Exclusivity.EXCLUSIVE, models=ModelScope(Versions.ONE, "Other", "3")
    )
    for policy in ("strict", "research"):
        desk = desk_in(tmp_path / policy)
        agree(desk, [f"sha256:{DIGEST}"])
        agree(desk, [f"sha256:{DIGEST}"], exclusive, licensee=OTHER, name="a2")
        found = cleared(tmp_path / policy, policy=policy)
        assert found[0] == ("blocked", ["agreement_exclusive_to_another"])


def test_an_exclusive_licence_elsewhere_or_over_excludes_nobody_here(tmp_path: Path) -> None:
    places = replace(GRANT, exclusivity=Exclusivity.EXCLUSIVE, territory=Territory(("JP",)))
    ended = replace(
        GRANT, exclusivity=Exclusivity.EXCLUSIVE, period=Period("2025-01-01", "2026-01-01")
    )
    desk = desk_in(tmp_path)
    agree(desk, [f"sha256:{DIGEST}"])
    agree(desk, [f"sha256:{DIGEST}"], places, licensee=OTHER, name="a2")
    agree(desk, [f"sha256:{DIGEST}"], ended, licensee=OTHER, name="a3")
    assert cleared(tmp_path)[0][0] == "cleared"


def test_a_local_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.png").write_bytes(png())
    (folder / "b.png").write_bytes(png("<x/>"))
    agree(desk_in(tmp_path), [f"sha256:{hashlib.sha256(png()).hexdigest()}"])
    asked = AgreementsAsked(tmp_path / "desk", TRAINS)
    run(tmp_path, folder, agreements=asked, trusted_keys=TRUSTED)
    found = {row["item"]: row["verdict"] for row in verdicts(tmp_path / "out")}
    assert found == {"a.png": "cleared", "b.png": "blocked"}


def test_the_clearance_lists_what_it_rests_on(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    first = agree(desk, [f"sha256:{DIGEST}", "site:https://shop.example"])
    agree(desk, [f"sha256:{OTHER_DIGEST}"], period("2025-01-01", "2026-01-01"), name="a2")
    evidence = write_evidence(tmp_path / "evidence")
    table = write_table(tmp_path / "t.parquet", ADDRESSES, sha256=pa.array(ROWS, pa.string()))
    asked = AgreementsAsked(tmp_path / "desk", TRAINS)
    fields: dict[str, Any] = {"agreements": asked, "trusted_keys": TRUSTED}
    clearance = run(tmp_path, table, declarations=evidence, **fields)
    account = clearance.document["agreements"]
    assert (account["checked"], account["count"]) == (2, 1)
    assert account["use"]["licensee"] == STUDIO.party.id
    (entry,) = read_lines(tmp_path / "out", "listed.jsonl")
    assert (entry["id"], entry["rows"]) == (first, 3)
    assert entry["period"]["training_end"] == "2027-06-01"
    assert entry["duties"]["retention"]["deletion_days"] == 30
    assert all(check.holds for check in verify(tmp_path / "out")), verify(tmp_path / "out")
    again = run(tmp_path, table, declarations=evidence, **fields)
    assert again.document == clearance.document


# ---- with a registry ----------------------------------------------------------------------------


def licensor_of(folder: Path, name: str = "owner") -> Somebody:
    """Return the party whose key is that of a claimant."""
    return Somebody(f"Maker {name}", load_or_make_key(folder / f"{name}.key").private)


def clear_with_registry(folder: Path, corpus: Path, *trusted: Somebody) -> dict[str, Any]:
    keys = frozenset(each.public_key for each in trusted)
    asked = AgreementsAsked(folder / "desk", TRAINS)
    run(folder, corpus, registry=folder / "registry", agreements=asked, trusted_keys=keys)
    return {row["item"]: (row["verdict"], row["reasons"]) for row in verdicts(folder / "out")}


def test_an_agreement_lifts_its_licensors_claims_in_edited_copies(tmp_path: Path) -> None:
    work = save(tmp_path / "work.png", drawing(1))
    register(tmp_path, work)
    owner = licensor_of(tmp_path)
    desk = desk_in(tmp_path, STUDIO, owner)
    digest = hashlib.sha256(work.read_bytes()).hexdigest()
    agree(desk, [f"sha256:{digest}"], licensor=owner)
    corpus = tmp_path / "corpus"
    save(corpus / "copy.jpg", drawing(1), 60)
    save(corpus / "collage.jpg", np.hstack([drawing(1), drawing(50)]))
    save(corpus / "other.jpg", drawing(99))
    found = clear_with_registry(tmp_path, corpus, owner)
    assert found["copy.jpg"] == ("cleared", ["granted_by_agreement", "duty_reporting"])
    assert found["collage.jpg"] == ("blocked", ["no_grant"])  # the claim is lifted, the rest silent
    assert found["other.jpg"] == ("blocked", ["no_grant"])


def test_claims_of_others_are_not_lifted_by_an_agreement(tmp_path: Path) -> None:
    work = save(tmp_path / "work.png", drawing(1))
    register(tmp_path, work, share=5_000)
    register(tmp_path, work, owner="sister", share=5_000)
    owner = licensor_of(tmp_path)
    digest = hashlib.sha256(work.read_bytes()).hexdigest()
    agree(desk_in(tmp_path, STUDIO, owner), [f"sha256:{digest}"], licensor=owner)
    corpus = tmp_path / "corpus"
    save(corpus / "copy.jpg", drawing(1), 60)
    (corpus / "same.png").write_bytes(work.read_bytes())
    found = clear_with_registry(tmp_path, corpus, owner)
    assert found["copy.jpg"] == ("blocked", ["denied_by_registry"])
    assert found["same.png"] == ("blocked", ["denied_by_registry"])


def test_an_item_that_could_not_be_compared_is_held_whatever_was_agreed(tmp_path: Path) -> None:
    register(tmp_path, save(tmp_path / "work.png", drawing(1)))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"not a picture" * 40)
    digest = hashlib.sha256((corpus / "broken.jpg").read_bytes()).hexdigest()
    agree(desk_in(tmp_path), [f"sha256:{digest}"])
    assert clear_with_registry(tmp_path, corpus, OWNER)["broken.jpg"] == ("held", ["uncompared"])


# ---- what is kept of checking -------------------------------------------------------------------


def test_what_was_checked_is_used_again_only_with_the_operators_seal(tmp_path: Path) -> None:
    agree(desk_in(tmp_path), [f"sha256:{DIGEST}"], period("2025-01-01", "2026-01-01"))
    assert reasons_of_first(tmp_path) == ["agreement_expired"]
    checked = tmp_path / "desk" / "checked"
    before = (checked / "manifest.json").read_bytes()
    shutil.rmtree(tmp_path / "out")
    assert reasons_of_first(tmp_path) == ["agreement_expired"]
    assert (checked / "manifest.json").read_bytes() == before
    entries = checked / "entries.json"
    forged = entries.read_bytes().replace(b'["nothing", ["agreement_expired"]', b'["grants", []')
    assert forged != entries.read_bytes()
    entries.write_bytes(forged)
    manifest = json.loads(before)
    manifest["files"]["entries.json"] = hashlib.sha256(forged).hexdigest()
    (checked / "manifest.json").write_text(json.dumps(manifest))
    shutil.rmtree(tmp_path / "out")
    assert reasons_of_first(tmp_path) == ["agreement_expired"]


def test_what_was_checked_is_checked_again_when_the_desk_has_changed(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    first = agree(desk, [f"sha256:{DIGEST}"])
    assert cleared(tmp_path)[0][0] == "cleared"
    ended = Termination(first, TerminationReason.MUTUAL, TODAY, NOW)
    document = signed(signed(termination_document(ended), OWNER.signer), STUDIO.signer)
    assert desk.take_termination(document, NOW)
    shutil.rmtree(tmp_path / "out")
    assert reasons_of_first(tmp_path) == ["agreement_terminated"]


def test_two_clearings_from_one_desk_at_once(tmp_path: Path) -> None:
    """The desk learns of one more agreement, and another clearing of it begins, before the rows."""
    desk = desk_in(tmp_path)
    first = agree(desk, [f"sha256:{DIGEST}"])
    other = tmp_path / "other"
    other.mkdir()
    began: list[str] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "reading sites" and not began:
            began.append(stage)
            agree(desk, [f"sha256:{OTHER_DIGEST}"], name="a0")
            write_evidence(other / "evidence")
            (other / "desk").symlink_to(tmp_path / "desk")
            assert [verdict for verdict, _ in cleared(other)[:2]] == ["cleared", "cleared"]

    assert [verdict for verdict, _ in cleared(tmp_path, progress=progress)[:2]] == [
        "cleared", "blocked",
    ]  # fmt: skip
    assert [each["id"] for each in read_lines(tmp_path / "out", "listed.jsonl")] == [first]
    for folder in (tmp_path, other):
        assert all(check.holds for check in verify(folder / "out")), verify(folder / "out")
