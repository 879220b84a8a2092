"""Licences as declarations: grants with conditions, conflicts, and hostile carriers."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.signals.licence import (
    read_headers,
    read_metadata,
    read_opf,
    read_page,
    read_text,
    read_xmp,
)
from tercet.core.condition import ConditionKind
from tercet.core.declaration import Carrier, Declaration, Source
from tercet.core.usage import ALL_USAGES, Permission

SOURCE = Source("https://example.org/p", Carrier.META, media_type="text/html")
READERS = (read_text, read_headers, read_page, read_xmp, read_opf, read_metadata)
BY = "https://creativecommons.org/licenses/by/4.0/"


def grants(declaration: Declaration) -> bool:
    """A declaration grants when all its readings do and nothing is wrong with it."""
    return not declaration.fault and all(
        statement.permissions
        and all(p in (Permission.ALLOW, Permission.CONDITIONAL) for _, p in statement.permissions)
        for reading in declaration.readings
        for statement in reading.statements
    )


def denies(declaration: Declaration) -> bool:
    return any(
        permission is Permission.DENY
        for reading in declaration.readings
        for statement in reading.statements
        for _, permission in statement.permissions
    )


def test_a_licence_is_a_grant_of_all_usages_with_conditions() -> None:
    (declaration,) = read_text(b"CC BY-NC-SA 4.0", SOURCE)
    (statement,) = declaration.readings[0].statements
    assert {usage for usage, _ in statement.permissions} == ALL_USAGES
    assert [condition.kind for condition in statement.conditions] == [
        ConditionKind.ATTRIBUTION, ConditionKind.SHARE_ALIKE, ConditionKind.NON_COMMERCIAL,
    ]  # fmt: skip
    assert {c.url for c in statement.conditions} == {
        "https://creativecommons.org/licenses/by-nc-sa/4.0/"
    }


def test_same_licence_named_twice_is_one_declaration_per_text() -> None:
    raw = f'<a rel=license href="{BY}">a</a><a rel=license href="{BY}">b</a>'.encode()
    assert len(read_page(raw, SOURCE)) == 1


def test_rights_reserved_anywhere_in_the_file_unsettles_its_licence() -> None:
    raw = json.dumps({"Copyright": "All rights reserved", "License": "CC BY 4.0"}).encode()
    assert not any(map(grants, read_metadata(raw, SOURCE)))
    raw = json.dumps({"Copyright": "Jane Doe", "License": "CC BY 4.0"}).encode()
    assert any(map(grants, read_metadata(raw, SOURCE)))


def test_a_reservation_behind_too_many_fields_is_not_overlooked() -> None:
    junk = "".join(f"<meta name=dc.rights content=x{n}>" for n in range(1_500))
    page = (
        f'<a rel=license href="{BY}">x</a>{junk}<meta name=dc.rights content="All rights reserved">'
    )
    assert not any(map(grants, read_page(page.encode(), SOURCE)))


def test_entity_bomb_in_xmp_grants_nothing() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "CC0"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    assert not any(map(grants, read_xmp(bomb, SOURCE)))
    assert not any(map(grants, read_opf(bomb, SOURCE)))


@pytest.mark.parametrize("gap", [1_990, 8_000, 40_000, 70_000])
def test_an_exception_beyond_the_cut_is_not_overlooked(gap: int) -> None:
    text = "CC BY 4.0" + " " * gap + " except the photos"
    assert not any(map(grants, read_text(text.encode(), SOURCE)))
    item = '<body itemscope itemtype="https://schema.org/WebPage">'
    for page in (
        f'{item}<p itemprop="license">{text}</p>',
        f'{item}<p itemprop="license" content="{text}">x</p>',
        f'{item}<p itemprop="license">CC BY 4.0<b>{" " * gap}</b> except the photos</p>',
        f'<meta name="dc.rights" content="{text}">',
    ):
        found = read_page(page.encode(), SOURCE)
        assert found
        assert not any(map(grants, found)), page[:80]


def test_licence_of_a_part_of_the_page_is_advisory() -> None:
    page = f'<div about="/photo.jpg"><a rel="license" href="{BY}">x</a></div>'
    (declaration,) = read_page(page.encode(), SOURCE)
    assert declaration.advisory
    page = f'<div about="https://example.org/p"><a rel="license" href="{BY}">x</a></div>'
    assert not read_page(page.encode(), SOURCE)[0].advisory


def test_base_href_moves_relative_urls_and_grants_still() -> None:
    page = b'<base href="https://creativecommons.org/licenses/"><a rel=license href="by/4.0/">x</a>'
    assert grants(read_page(page, SOURCE)[0])


@given(st.binary(max_size=300))
def test_any_bytes_are_survived_and_nothing_denies(raw: bytes) -> None:
    for reader in READERS:
        assert not any(map(denies, reader(raw, SOURCE)))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["CC0", BY, "license", "Article"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["license", "@type", "@id", "@graph", "name", "Copyright", "url"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_any_json_is_survived(value: object) -> None:
    text = json.dumps(value)
    read_metadata(text.encode(), SOURCE)
    read_page(f"<script type='application/ld+json'>{text}</script>".encode(), SOURCE)


@pytest.mark.parametrize(
    "raw",
    [
        b"<a rel=license href=x>" * 30_000,
        b"<script type=application/ld+json>" + b"[" * 500_000,
        b'<script type=application/ld+json>{"a":' + b"[{}," * 100_000,
        b"<x>" * 100_000,
        b'{"Copyright":' * 50_000,
        b'{"license":"' + b"CC BY " * 300_000 + b'"}',
    ],
    ids=["many-links", "deep-json", "wide-json", "deep-xml", "deep-metadata", "long-text"],
)
def test_hostile_carriers_take_bounded_time(raw: bytes) -> None:
    started = time.process_time()
    for reader in READERS:
        reader(raw, SOURCE)
    assert time.process_time() - started < 4
