"""Which works stay: the noun by rule, reasons for the others, and what somebody has seen."""

from __future__ import annotations

import re

import pytest

from tercet.studio.scenes import subjects
from tercet.studio.scenes.sprite import Kind, Sprite
from tercet.studio.scenes.subjects import LeftOut, Reason, Seen, looked_at, sprite_of
from tercet.studio.scenes.vocabulary import noun_of, nouns

RED = '<circle cx="50" cy="50" r="45" fill="red"/>'


def work(
    inner: str = RED, *, title: str = "Apple", creator: str = "Ada Lee", keywords: str = ""
) -> bytes:
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in keywords.split())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><metadata>'
        '<rdf:RDF xmlns:cc="http://web.resource.org/cc/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cc:Work rdf:about="">'
        f"<dc:title>{title}</dc:title><dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>"
        f"<dc:creator><cc:Agent><dc:title>{creator}</dc:title></cc:Agent></dc:creator>"
        '<cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/></cc:Work></rdf:RDF>'
        f"</metadata>{inner}</svg>"
    ).encode()


def judged(raw: bytes, path: str = "food/thing.svg") -> Sprite | LeftOut:
    return sprite_of(raw, work="0" * 64, paths=(path,))


def test_a_work_that_stays_carries_its_own_rdf() -> None:
    found = judged(work())
    assert isinstance(found, Sprite)
    assert (found.noun, found.kind, found.colour) == ("apple", Kind.FOOD, "red")
    assert (found.title, found.owner) == ("Apple", "Ada Lee")
    assert found.licence == "http://web.resource.org/cc/PublicDomain"


@pytest.mark.parametrize(
    ("reason", "raw", "path"),
    [
        (Reason.NO_CREATOR, work(creator=""), "food/a.svg"),
        (Reason.NO_TITLE, work(title=""), "food/a.svg"),
        (Reason.NO_NOUN, work(title="Qwrt"), "food/a.svg"),
        (Reason.FLAG, work(), "signs_and_symbols/flags/europe/apple.svg"),
        (Reason.WEAPON, work(keywords="weapon"), "food/a.svg"),
        (Reason.LOGO, work(keywords="fruit logo"), "food/a.svg"),
        (Reason.INTERFACE, work(), "computer/icons/apple.svg"),
        (Reason.TEXT, work(f"{RED}<text>Ripe</text>"), "food/a.svg"),
        (Reason.FRAME, work('<rect width="100" height="100" fill="red"/>'), "food/a.svg"),
        (Reason.LINES, work('<circle cx="50" cy="50" r="45" fill="none" stroke="red"/>'),
         "food/a.svg"),
        (Reason.LINES, work('<circle cx="50" cy="50" r="45" fill="white" stroke="black"/>'),
         "food/a.svg"),
        (Reason.NOT_DRAWABLE, b"<svg", "food/apple.svg"),
    ],
)  # fmt: skip
def test_each_reason_is_found(reason: Reason, raw: bytes, path: str) -> None:
    found = judged(raw, path)
    assert isinstance(found, LeftOut)
    assert found.reason == reason
    assert found.detail


def test_one_folder_of_several_is_enough_to_leave_a_work_out() -> None:
    found = sprite_of(work(), work="0" * 64, paths=("food/apple.svg", "logos/apple.svg"))
    assert isinstance(found, LeftOut)
    assert found.reason == Reason.LOGO


def test_what_somebody_saw_counts_before_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"0" * 64: Seen("pear", 1, None, "it shows a pear")}
    monkeypatch.setattr(subjects, "looked_at", lambda: seen)
    found = judged(work(), "logos/apple.svg")
    assert isinstance(found, Sprite)
    assert (found.noun, found.faces) == ("pear", 1)
    seen["0" * 64] = Seen("", 0, Reason.SEVERAL, "two apples")
    assert judged(work()) == LeftOut(Reason.SEVERAL, "two apples")


def test_looking_does_not_make_a_creator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "looked_at", lambda: {"0" * 64: Seen("pear", 0, None, "")})
    found = judged(work(creator=" "))
    assert isinstance(found, LeftOut)
    assert found.reason == Reason.NO_CREATOR


@pytest.mark.parametrize(
    ("title", "keywords", "names", "noun"),
    [
        ("Cavallo 01", (), (), "horse"),
        ("gatto cat architetto", (), (), "cat"),
        ("Clipart by Nicu Buculei - pear", (), ("apple",), "apple"),
        ("a lemon in a glass", (), (), "drinking glass"),
        ("Paint Brush", (), (), "paintbrush"),
        ("untitled", ("animal", "mammal", "tiger"), (), "tiger"),
        ("untitled", ("bird",), (), ""),
        ("untitled", ("apple", "pear"), (), ""),
        ("", (), (), ""),
    ],
)
def test_nouns_by_rule(
    title: str, keywords: tuple[str, ...], names: tuple[str, ...], noun: str
) -> None:
    assert noun_of(title, keywords, names) == noun


def test_every_noun_is_found_by_its_name_and_its_plural() -> None:
    assert len(nouns()) >= 400
    for noun in nouns().values():
        assert noun_of(noun.noun) == noun.noun
        assert noun_of(noun.plural) == noun.noun
        assert re.fullmatch(r"[a-z]+([ -][a-z]+)*", noun.noun)


def test_what_was_looked_at_is_whole() -> None:
    assert len(looked_at()) > 1000
    for work_id, seen in looked_at().items():
        assert re.fullmatch(r"[0-9a-f]{64}", work_id)
        assert (seen.noun in nouns()) != (seen.reason is not None)
        assert seen.faces in (-1, 0, 1)
        assert seen.why or seen.reason is None
