"""Licence names in texts: what is certain, what only resembles a licence, and laws."""

from __future__ import annotations

import json
import time
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.licence_names import licence_of_id, licence_of_url, naming
from tercet.core.condition import ConditionKind

# Identifiers of the SPDX License List 3.x for Creative Commons licences (a selection of each kind).
SPDX_CC = [
    "CC-BY-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-2.5-AU", "CC-BY-3.0", "CC-BY-3.0-AT",
    "CC-BY-3.0-AU", "CC-BY-3.0-DE", "CC-BY-3.0-IGO", "CC-BY-3.0-NL", "CC-BY-3.0-US", "CC-BY-4.0",
    "CC-BY-NC-1.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0-DE", "CC-BY-NC-4.0", "CC-BY-NC-ND-1.0",
    "CC-BY-NC-ND-3.0-DE", "CC-BY-NC-ND-3.0-IGO", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0-DE",
    "CC-BY-NC-SA-2.0-FR", "CC-BY-NC-SA-2.0-UK", "CC-BY-NC-SA-3.0-IGO", "CC-BY-NC-SA-4.0",
    "CC-BY-ND-1.0", "CC-BY-ND-3.0-DE", "CC-BY-ND-4.0", "CC-BY-SA-1.0", "CC-BY-SA-2.0-UK",
    "CC-BY-SA-2.1-JP", "CC-BY-SA-3.0-AT", "CC-BY-SA-3.0-IGO", "CC-BY-SA-4.0", "CC-SA-1.0",
    "CC0-1.0", "CC-PDDC", "CC-PDM-1.0",
]  # fmt: skip
LETTERS = {
    "SA": ConditionKind.SHARE_ALIKE,
    "NC": ConditionKind.NON_COMMERCIAL,
    "ND": ConditionKind.NO_DERIVATIVES,
    "BY": ConditionKind.ATTRIBUTION,
}


@pytest.mark.parametrize("name", SPDX_CC)
def test_spdx_identifiers_of_creative_commons(name: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        licence = licence_of_id(spelling)
        assert licence is not None
        assert licence.licence_id == name
        wanted = {kind for letters, kind in LETTERS.items() if letters in name.split("-")}
        assert set(licence.conditions) == wanted
        assert licence.url == "" or licence_of_url(licence.url) == licence


@pytest.mark.parametrize(
    "url",
    [
        "https://creativecommons.org.evil.example/licenses/by/4.0/",
        "https://evil.example/https://creativecommons.org/licenses/by/4.0/",
        "https://evil.example/?u=https://creativecommons.org/licenses/by/4.0/",
        "https://evil.example#creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org@evil.example/licenses/by/4.0/",
        "https://evil.example\\.creativecommons.org/licenses/by/4.0/",
        "ftp://creativecommons.org/licenses/by/4.0/",
        "javascript://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org:8443/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by/4.0/../../by-nc/4.0/",
        "https://creativecommons.org/licenses/by%2Fnc/4.0/",
        "https://creativecommons.org/licenses/by-by/4.0/",
        "https://creativecommons.org/licenses/by-nd-sa/4.0/",
        "https://creativecommons.org/licenses/by/9.9/",
        "https://creativecommons.org/licenses/nc/4.0/",
        "https://creativecommons.org/licenses/",
        "https://creativecommons.org/",
        "https://creativecommons.org/licenses/by/4.0/evil",
        "https://[::1/licenses/by/4.0/",
        "",
    ],
)
def test_urls_that_are_no_licence(url: str) -> None:
    assert licence_of_url(url) is None
    assert not naming(url).certain


@pytest.mark.parametrize(
    "text",
    [
        "not CC BY", "Not CC-BY-4.0", "non CC0", "no CC BY 4.0 here", "CC BY except the figures",
        "CC BY 4.0 (images excluded)", "CC BY 4.0, not for commercial use", "looks like CC BY 4.0",
        "CC BY 4.0 applies to the text only", "formerly CC BY 4.0", "CC BY 4.0 until 2020",
        "almost public domain", "public domain in the US", "Public domain in the USA.",
        "unlike MIT", "CC-BY-like", "CC BYE", "image CC BY 4.0",
        "CC BY 4.0?", "!CC BY 4.0", "≠ CC0", "~CC BY 4.0", "¬CC0", "CC", "Creative Commons",
        "Attribution", "Attribution required", "ShareAlike", "BY-SA", "CC-BY-ND-SA-4.0",
        "CC BY 4.0-modified", "CC BY 4.01", "CC BY 44.0", "CC BY 4.0 NO COMMERCIAL", "0", "CC00",
        "© Everything But Photos, CC BY 4.0", "© Jane Doe CC BY 4.0 Text Only", "free",
        "MITRE", "permit", "Apache", "GPL-2.0 WITH Classpath-exception-2.0", "NONE", "NOASSERTION",
        "LicenseRef-MIT", "CC BY 4.0 unless otherwise noted", "not in the public domain",
        "https://example.org/not-cc/CC0", "Text: CC BY 4.0", "rights: see CC BY 4.0 site",
    ],
)  # fmt: skip
def test_texts_that_only_resemble_a_licence_never_grant(text: str) -> None:
    said = naming(text)
    assert not (said.certain and said.licences)


@pytest.mark.parametrize("word", ["not", "except", "no", "without", "maybe", "was", "photos", "¿"])
@pytest.mark.parametrize("name", ["CC BY 4.0", "CC0 1.0", "public domain", "MIT License"])
def test_one_foreign_word_takes_the_certainty_away(word: str, name: str) -> None:
    assert naming(name).certain
    assert not naming(f"{word} {name}").certain
    assert not naming(f"{name} {word}").certain


def test_the_table_is_dated_and_every_entry_is_found_by_each_of_its_names() -> None:
    text = resources.files("tercet.consent").joinpath("licence_table.json").read_text("utf-8")
    table = json.loads(text)
    assert table["date"]
    assert table["sources"]
    for entry in table["licences"]:
        kinds = tuple(ConditionKind(kind) for kind in entry["conditions"])
        for name in (entry["id"], *entry["names"]):
            said = naming(name)
            assert said.certain, name
            assert [(one.licence_id, one.conditions) for one in said.licences] == [
                (entry["id"], kinds)
            ], name
        for url in entry["urls"]:
            licence = licence_of_url(f"https://www.{url}/")
            assert licence is not None, url
            assert licence.licence_id == entry["id"]


@pytest.mark.parametrize(
    ("url", "licence_id"),
    [
        ("http://web.resource.org/cc/PublicDomain", "CC-PDDC"),
        ("https://web.resource.org/cc/PublicDomain/", "CC-PDDC"),
        ("http://web.resource.org/cc/Reproduction", ""),
        ("http://web.resource.org/cc/", ""),
        ("http://web.resource.org.example/cc/PublicDomain", ""),
        ("http://example.org/web.resource.org/cc/PublicDomain", ""),
    ],
)
def test_the_dedication_by_its_address_before_2008(url: str, licence_id: str) -> None:
    found = licence_of_url(url)
    assert (found.licence_id if found else "") == licence_id


@given(st.text(max_size=120))
def test_any_text_is_survived(text: str) -> None:
    naming(text)
    licence_of_url(text)
    licence_of_id(text)


PIECES = st.sampled_from(
    ["CC BY 4.0", "CC0", "not", " ", ", ", "public domain", "licensed under", "©", "2020 ", "Jane ",
     "https://creativecommons.org/licenses/by-nc/4.0/", "All rights reserved", "MIT", "or", "the"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=8))
def test_a_text_with_not_is_never_certain(pieces: list[str]) -> None:
    said = naming(" ".join(pieces))
    assert not (said.certain and "not" in pieces)
    assert said.reserved == ("All rights reserved" in pieces)


@pytest.mark.parametrize(
    "piece",
    ["CC BY ", "cc-by-nc-sa-", "attribution ", "attribution - noncommercial", "https://", "© A ",
     "© ", "public domain ", "creative commons ", " ", "-", "A'", "ai train ", "MIT", "1.0."],
)  # fmt: skip
def test_hostile_repetition_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    naming(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 1
