"""PLUS Data Mining: real samples, laws that hold for any input, and hostile packets."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.media.packets import extract
from tercet.consent.signal import Resource
from tercet.consent.signals import plus
from tercet.core.declaration import Carrier, Declaration, Source
from tercet.core.usage import ALL_USAGES, TRAINING, Permission, Usage

SOURCE = Source("photo.jpg", Carrier.EMBEDDED)
GRANTS = (Permission.ALLOW, Permission.CONDITIONAL)
HEAD = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">'
)
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"
# The nine values and what each denies, as the IPTC Photo Metadata Standard words them.
DENIED: dict[str, frozenset[Usage]] = {
    "DMI-UNSPECIFIED": frozenset(),
    "DMI-ALLOWED": frozenset(),
    "DMI-PROHIBITED-AIMLTRAINING": TRAINING,
    "DMI-PROHIBITED-GENAIMLTRAINING": frozenset({Usage.TRAIN_GENERATIVE}),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": ALL_USAGES - {Usage.SEARCH},
    "DMI-PROHIBITED": ALL_USAGES,
    "DMI-PROHIBITED-SEECONSTRAINT": ALL_USAGES,
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": ALL_USAGES,
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": ALL_USAGES,
}


def said(declarations: tuple[Declaration, ...], *wanted: Permission) -> frozenset[Usage]:
    return frozenset(
        usage
        for declaration in declarations
        for reading in declaration.readings
        for statement in reading.statements
        for usage, permission in statement.permissions
        if permission in wanted
    )


@pytest.mark.parametrize("number", range(1, 6))
def test_samples_read_as_a_raw_scan_sees_them(shared_vectors: Path, number: int) -> None:
    raw = (shared_vectors / "xmp" / f"{number}.jpg").read_bytes()
    (value,) = re.findall(rb"vocab/(DMI-[A-Z-]+)<", raw)  # the independent means
    (packet,) = extract(raw).packets
    declarations = plus.read_xmp(packet.raw, SOURCE)
    assert said(declarations, Permission.DENY) == DENIED[value.decode()]
    assert bool(said(declarations, *GRANTS)) == (value == b"DMI-ALLOWED")
    assert dict(declarations[0].evidence)["value"] == value.decode()
    assert declarations[0].fault == ""


@pytest.mark.parametrize("value", DENIED)
@pytest.mark.parametrize("shape", ["element", "attribute", "resource"])
@pytest.mark.parametrize("prefix", ["", "http://ns.useplus.org/ldf/vocab/"])
def test_nine_values_in_every_shape(value: str, shape: str, prefix: str) -> None:
    full = prefix + value
    raw = {
        "element": f"{HEAD}<plus:DataMining>{full}</plus:DataMining>{TAIL}",
        "attribute": f'{HEAD[:-1]} plus:DataMining="{full}">{TAIL}',
        "resource": f'{HEAD}<plus:DataMining rdf:resource="{full}"/>{TAIL}',
    }[shape].encode()
    declarations = plus.read_xmp(raw, SOURCE)
    assert said(declarations, Permission.DENY) == DENIED[value]
    assert bool(said(declarations, *GRANTS)) == (value == "DMI-ALLOWED")
    assert declarations[0].fault == ""


def test_lines_point_into_the_packet() -> None:
    raw = f"{HEAD}\n\n<plus:DataMining>DMI-PROHIBITED</plus:DataMining>\n{TAIL}".encode()
    (declaration,) = plus.read_xmp(raw, SOURCE)
    assert (declaration.place.line_start, declaration.place.line_end) == (3, 3)


def test_a_denial_hidden_behind_a_hundred_grants_is_not_lost() -> None:
    grants = "".join(f"<rdf:li>DMI-ALLOWED{' ' * n}</rdf:li>" for n in range(300))
    raw = (
        f"{HEAD}<plus:DataMining><rdf:Bag>{grants}<rdf:li>DMI-PROHIBITED</rdf:li>"
        f"</rdf:Bag></plus:DataMining>{TAIL}"
    ).encode()
    (declaration,) = plus.read_xmp(raw, SOURCE)
    assert declaration.fault or said((declaration,), Permission.DENY) == ALL_USAGES


@pytest.mark.parametrize(
    "raw",
    [
        (HEAD + "<plus:rights>" * 240 + "<a/>" * 50_000 + "</plus:rights>" * 240 + TAIL).encode(),
        (HEAD + "<plus:DataMining>" * 240 + "<a/>" * 50_000).encode(),
        (HEAD + "<plus:DataMining>x</plus:DataMining>" * 50_000 + TAIL).encode(),
        b"DMI-" * 500_000 + b"<DataMining",
        b"<" * 1_000_000,
    ],
    ids=["nested-companions", "nested-properties", "many-properties", "tokens", "brackets"],
)
def test_hostile_packets_take_bounded_time(raw: bytes) -> None:
    start = time.perf_counter()
    declarations = plus.read_xmp(raw, SOURCE)
    assert time.perf_counter() - start < 3
    assert not said(declarations, *GRANTS)


@settings(max_examples=150, deadline=None)
@given(
    value=st.one_of(st.sampled_from(sorted(DENIED)), st.text(max_size=30)),
    cut=st.integers(0, 400),
    noise=st.binary(max_size=8),
)
def test_a_damaged_packet_never_grants(value: str, cut: int, noise: bytes) -> None:
    whole = f"{HEAD}<plus:DataMining>{value}</plus:DataMining>{TAIL}".encode("utf-8", "replace")
    raw = whole[: min(cut, len(whole) - 1)] + noise
    declarations = plus.read_xmp(raw, SOURCE)
    if not raw.startswith(whole):
        assert all(d.fault or not said((d,), *GRANTS) for d in declarations)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    plus.read_xmp(raw, SOURCE)
    plus.read_metadata(raw, SOURCE)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=5))
def test_fields_that_do_not_name_data_mining_never_grant(fields: dict[str, str]) -> None:
    kept = {k: v for k, v in fields.items() if "mining" not in k.casefold()}
    raw = json.dumps(kept | {"Comment": "DMI-ALLOWED"}).encode()
    assert not said(plus.read_metadata(raw, SOURCE), *GRANTS)


@given(st.text(max_size=80))
def test_only_the_exact_value_grants(value: str) -> None:
    granted = any(p in GRANTS for _, p in plus.understand(value)[0])
    exact = value.strip() in ("DMI-ALLOWED", "http://ns.useplus.org/ldf/vocab/DMI-ALLOWED")
    assert granted == exact or "ns.useplus.org" in value.casefold()


def test_signal_is_registered_for_both_resources() -> None:
    assert {kind for kind, _ in plus.SIGNAL.readers} == {Resource.XMP, Resource.METADATA}
