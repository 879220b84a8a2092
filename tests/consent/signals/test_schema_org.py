"""schema.org rights fields: evidence of payees, never a permission."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.signals.schema_org import read_page
from tercet.core.declaration import Carrier, Declaration, Source

SOURCE = Source("https://example.org/a/b", Carrier.META, media_type="text/html")
TERMS = ["license", "copyrightHolder", "creator", "@id", "@type", "@graph", "name", "creditText",
         "acquireLicensePage", "isAccessibleForFree", "url"]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("#x"),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(TERMS), inner, max_size=5)
    ),
    max_leaves=25,
)


def page_of(value: object) -> bytes:
    return f"<script type='application/ld+json'>{json.dumps(value)}</script>".encode()


def says_nothing(declaration: Declaration) -> bool:
    return declaration.advisory and all(
        statement.permissions == ()
        for reading in declaration.readings
        for statement in reading.statements
    )


@given(VALUES)
def test_whatever_it_says_it_is_evidence_only(value: object) -> None:
    for declaration in read_page(page_of(value), SOURCE):
        assert says_nothing(declaration)
        for name, text in declaration.evidence:
            assert name
            assert text
            text.encode()


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(raw: bytes) -> None:
    assert all(map(says_nothing, read_page(raw, SOURCE)))
    read_page(b"<script type=application/ld+json>" + raw, SOURCE)


def test_holder_named_elsewhere_on_the_page_is_followed() -> None:
    raw = page_of({"@type": "Photograph", "copyrightHolder": {"@id": "#o"}}) + page_of(
        {"@id": "#o", "@type": "Organization", "name": "Acme"}
    )
    (declaration,) = read_page(raw, SOURCE)
    assert dict(declaration.evidence)["copyrightHolder"] == "Acme"


def test_a_reference_to_itself_ends() -> None:
    (declaration,) = read_page(page_of({"@id": "#a", "copyrightHolder": {"@id": "#a"}}), SOURCE)
    assert dict(declaration.evidence)["copyrightHolder"] == "#a"


def test_lone_surrogate_is_replaced() -> None:
    raw = b'<script type=application/ld+json>{"creditText": "a\\ud800b"}</script>'
    (declaration,) = read_page(raw, SOURCE)
    assert dict(declaration.evidence)["creditText"] == "a?b"


def test_wide_graph_is_bounded() -> None:
    raw = page_of([{"creditText": str(n)} for n in range(20_000)])
    assert len(read_page(raw, SOURCE)) == 1_000
