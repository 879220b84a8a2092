"""A collective's agreement from mandates to verdicts: whose claims it lifts, and until when."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from collectives import TRAIN, Clock, desk, know
from licensed import GRANT, TRAINS
from registered import register
from small_corpora import png, run, verdicts, xmp

from tercet.cli.main import main
from tercet.consent.licences.agreement import Agreement, agreement_document
from tercet.consent.licences.collective import Snapshot
from tercet.consent.licences.repertoire import repertoire_of
from tercet.consent.licences.signing import signed
from tercet.core.terms import PartyName, Terms
from tercet.flows.agreement_lines import agreement_lines
from tercet.flows.agreements import AgreementsAsked
from tercet.flows.desk import OpenDesk, key_path
from tercet.flows.explain import explain
from tercet.flows.mandate import (
    MandateDraft,
    give_mandate,
    make_snapshot,
    party_name,
    revoke_mandate,
    take_parcel,
)
from tercet.flows.mandate_handover import hand_over, take_hand_over
from tercet.flows.verify import read_clearance, verify

CLEARED = ("cleared", "granted_by_agreement")
DENIED = ("blocked", "denied_by_registry")


class World:
    """A collective, a licensee, and makers of whom each has registered one work of a corpus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.collective = desk(folder / "collective", "Collective of makers", self.clock)
        self.studio = desk(folder / "studio", "Studio", self.clock)
        know(self.collective, self.studio)
        self.makers: dict[str, OpenDesk] = {}
        self.works: dict[str, str] = {}
        self.out = folder

    def maker(self, name: str) -> None:
        """Let somebody register a work, which then lies in the corpus."""
        made = desk(self.folder / name, name, self.clock)
        shutil.copy(key_path(made.folder, made.signer().key_id), self.folder / f"{name}.key")
        raw = png(xmp(f"<dc:title xmlns:dc='http://purl.org/dc/elements/1.1/'>{name}</dc:title>"))
        work = self.folder / "corpus" / f"{name}.png"
        work.parent.mkdir(exist_ok=True)
        work.write_bytes(raw)
        register(self.folder, work, owner=name)
        self.makers[name], self.works[name] = made, f"sha256:{hashlib.sha256(raw).hexdigest()}"

    def mandate(self, name: str, *works: str) -> dict[str, Any]:
        """Let a maker mandate some works, by default its own; the collective takes it in."""
        draft = MandateDraft(
            party_name(self.collective), (TRAIN,), "2026-06-01", notice_days=90,
            works=repertoire_of([self.works[each] for each in works or (name,)]),
        )  # fmt: skip
        parcel = give_mandate(self.makers[name], draft)
        take_parcel(self.collective, parcel)
        return parcel

    def revoke(self, name: str, mandate: dict[str, Any]) -> dict[str, Any]:
        return revoke_mandate(self.makers[name], mandate["document"]["id"], "enough")

    def agree(self, snapshot: Snapshot, *, without: tuple[str, ...] = ()) -> None:
        """Hand a snapshot to the studio, without the mandates of some, and let both sign."""
        parcel = json.loads(json.dumps(hand_over(self.collective, snapshot.id)))
        members = {self.makers[name].party.id for name in without}
        parcel["mandates"] = [e for e in parcel["mandates"] if e["member"]["id"] not in members]
        take_hand_over(self.studio, parcel)
        licensee = PartyName(self.studio.party.id, self.studio.party.name)
        terms = Terms(party_name(self.collective), snapshot.repertoire, licensee,
                      mandate=snapshot.id, grant=GRANT)  # fmt: skip
        ids = (self.collective.make_id() for _ in range(3))
        document = agreement_document(Agreement(*ids, self.clock(), terms, "0" * 64))
        document = signed(signed(document, self.collective.signer()), self.studio.signer())
        for each in (self.collective, self.studio):
            each.store.take_agreement(document, self.clock())

    def command(self, *words: str) -> None:
        """Run `tercet clear` once more on what is cleared already, for the same use."""
        given = {
            "--out": self.out, "--registry": self.folder / "registry", "--workers": 1,
            "--desk": self.folder / "studio", "--key": self.folder / "operator.key",
            "--trust": self.trusted, "--on": "2026-06-02", "--model": "Reel",
            "--model-version": "1",
        }  # fmt: skip
        options = [str(part) for pair in given.items() for part in pair]
        options += ["--territory", "SE", "--territory", "VN", str(self.folder / "corpus")]
        said([*words, *options])

    @property
    def trusted(self) -> str:
        """The collective's key as `--trust` takes it."""
        return base64.b64encode(self.collective.party.keys[0].public_raw).decode()

    def cleared(self, on: str) -> dict[str, tuple[str, str]]:
        """Clear the corpus for a use on a day; return verdict and first reason by maker."""
        self.out = self.folder / f"out{len(list(self.folder.glob('out*')))}"
        run(
            self.folder, self.folder / "corpus", registry=self.folder / "registry", workers=1,
            out=self.out,
            agreements=AgreementsAsked(self.folder / "studio", replace(TRAINS, on=on)),
            trusted_keys=frozenset({self.trusted}),
        )  # fmt: skip
        rows = verdicts(self.out)
        return {Path(row["item"]).stem: (row["verdict"], row["reasons"][0]) for row in rows}


def said(arguments: list[str]) -> None:
    """Run a command line that ends well."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_agreement_with_a_collective_lifts_the_claims_of_its_members_and_of_nobody_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Composer", "Painter", "Stranger", "Unheard"):
        world.maker(name)
    world.mandate("Composer", "Composer", "Stranger")  # mandates a work that is not hers
    world.mandate("Painter")
    world.mandate("Unheard")
    taken = make_snapshot(world.collective, [TRAIN], registry=None)  # takes lists as they are
    assert taken.works.work_count == len(world.works)
    assert set(world.cleared("2026-06-02").values()) == {DENIED}  # nothing is agreed yet
    world.agree(taken.snapshot, without=("Unheard",))
    assert world.cleared("2026-06-02") == {
        "Composer": CLEARED,
        "Painter": CLEARED,
        "Stranger": DENIED,
        "Unheard": DENIED,  # the collective's word for a mandate is not enough
    }
    assert all(check.holds for check in verify(world.out))
    (line,) = agreement_lines(world.out, read_clearance(world.out).document)
    assert (line.with_whom, line.rows) == ("Collective of makers, for its members", 2)
    assert line.until == "2027-06-01"  # training ends before the licence does
    assert line.duties[0] == "report every month"
    page = (world.out / "report.html").read_text("utf-8")
    assert line.id in page
    assert "Collective of makers, for its members" in page
    (quote,) = (q for q in explain(world.out, "Painter.png").quotes if q.signal == "agreement")
    assert quote.duties == line.duties
    world.command("clear")
    shown = capsys.readouterr().out
    assert shown.count(line.id) == 1
    assert "2 items, until 2027-06-01, with Collective of makers, for its members" in shown
    said(["explain", str(world.out), "Painter.png"])
    assert "In return: report every month" in capsys.readouterr().out


def test_who_revoked_before_the_snapshot_is_not_spoken_for(world: World) -> None:
    for name in ("Composer", "Painter"):
        world.maker(name)
    world.mandate("Composer")
    given = world.mandate("Painter")
    take_parcel(world.collective, world.revoke("Painter", given))
    world.clock.now = "2026-06-03T10:00:00Z"
    world.agree(make_snapshot(world.collective, [TRAIN], registry=None).snapshot)
    assert world.cleared("2026-06-04") == {"Composer": CLEARED, "Painter": DENIED}


def test_a_collective_that_passes_over_a_revocation_lifts_nothing_by_it(world: World) -> None:
    for name in ("Composer", "Painter"):
        world.maker(name)
    world.mandate("Composer")
    given = world.mandate("Painter")
    for parcel in (given, world.revoke("Painter", given)):
        take_parcel(world.studio, parcel)  # the licensee has it from the member
    world.clock.now = "2026-06-03T10:00:00Z"
    world.agree(make_snapshot(world.collective, [TRAIN], registry=None).snapshot)
    assert world.cleared("2026-06-04") == {"Composer": CLEARED, "Painter": DENIED}


def test_who_revokes_later_is_spoken_for_until_the_notice_is_over(world: World) -> None:
    for name in ("Composer", "Painter"):
        world.maker(name)
    world.mandate("Composer")
    given = world.mandate("Painter")
    taken = make_snapshot(world.collective, [TRAIN], registry=None)
    world.agree(taken.snapshot)
    world.clock.now = "2026-07-01T10:00:00Z"
    take_parcel(world.collective, world.revoke("Painter", given))
    take_hand_over(world.studio, hand_over(world.collective, taken.snapshot.id))
    assert world.cleared("2026-09-28") == {"Composer": CLEARED, "Painter": CLEARED}
    assert world.cleared("2026-09-29") == {"Composer": CLEARED, "Painter": DENIED}
