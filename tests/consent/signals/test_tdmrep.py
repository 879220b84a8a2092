"""TDMRep: laws that hold for any bytes, the policy documents of the spec, and hostile files.

The cases themselves are in vectors/tdmrep.json.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tercet.consent.facts import SELF_OVERRIDING, Facts, Standing, channel, permission_standing
from tercet.consent.paths import matches, normalise_path
from tercet.consent.signals import tdmrep
from tercet.core.declaration import Carrier, Declaration, Source
from tercet.core.limits import TEXT_FILE_BYTES_MAX
from tercet.core.usage import Permission, Usage

FILE = Source("https://provider.com/.well-known/tdmrep.json", Carrier.FILE)
HEADER = Source("https://provider.com/a.jpg", Carrier.HEADER)
META = Source("https://provider.com/a", Carrier.META, media_type="text/html")
BOOK = Source("book.epub", Carrier.EMBEDDED)
READERS: tuple[Callable[[bytes, Source], tuple[Declaration, ...]], ...] = (
    tdmrep.read_file, tdmrep.read_headers, tdmrep.read_html, tdmrep.read_package, tdmrep.read_xmp,
    tdmrep.read_metadata,
)  # fmt: skip


def first(raw: bytes, path: str, usage: Usage = Usage.TRAIN_GENERATIVE) -> Permission | None:
    """What the first matching rule says, None where no rule matches or nothing certain is said."""
    for found in tdmrep.read_file(raw, FILE):
        for statement in found.readings[0].statements:
            if matches((statement.pattern or "").encode(), normalise_path(path.encode())):
                said = dict(statement.permissions).get(usage)
                return None if found.fault and said is not Permission.DENY else said
    return None


def rule(location: object, reservation: object) -> dict[str, object]:
    return {"location": location, "tdm-reservation": reservation}


def test_the_first_rule_holds_not_the_longest() -> None:
    """Section 4.1: the most specific match is the first in sequence."""
    raw = json.dumps([rule("/", 1), rule("/free/", 0)]).encode()
    assert first(raw, "/free/a") is Permission.DENY
    raw = json.dumps([rule("/free/", 0), rule("/", 1)]).encode()
    assert first(raw, "/free/a") is Permission.ALLOW
    assert first(raw, "/other") is Permission.DENY


def test_no_match_is_unset() -> None:
    assert first(json.dumps([rule("/a/", 0)]).encode(), "/b") is None


def test_a_zero_allows_mining_and_training_but_neither_input_nor_index_nor_search() -> None:
    raw = json.dumps([rule("/", 0)]).encode()
    allowed = {usage for usage in Usage if first(raw, "/", usage) is Permission.ALLOW}
    assert allowed == {Usage.MINE, Usage.TRAIN_GENERATIVE, Usage.TRAIN_NONGENERATIVE}


def test_carriers_override_inside_the_signal_only_in_the_spec_s_order() -> None:
    """Section 6: file, then header, then HTML, then the document itself."""
    (file,) = tdmrep.read_file(json.dumps([rule("/", 1)]).encode(), FILE)
    (header,) = tdmrep.read_headers(b"tdm-reservation: 0\n", HEADER)
    (meta,) = tdmrep.read_html(b'<meta name="tdm-reservation" content="1">', META)
    (book,) = tdmrep.read_package(
        b'<package><metadata><meta name="tdm:reservation" content="0"/></metadata></package>', BOOK
    )
    assert set(SELF_OVERRIDING) == {"tdmrep"}

    def joined(*declarations: Declaration) -> Standing:
        facts = Facts()
        for one in declarations:
            said = dict(one.readings[0].statements[0].permissions)[Usage.MINE]
            facts |= Facts(standings=((channel(one), permission_standing(said, ())),))
        return facts.by_signal()["tdmrep"]

    assert joined(file) == Standing.DENIES
    assert joined(header, file) == Standing.ALLOWS
    assert joined(file, meta, header) == Standing.DENIES
    assert joined(book, meta, file) == Standing.ALLOWS


CONTEXT = ["http://www.w3.org/ns/odrl.jsonld", {"tdm": "http://www.w3.org/ns/tdmrep#"}]
POLICY = {
    "@context": CONTEXT,
    "@type": "Offer",
    "profile": "http://www.w3.org/ns/tdmrep",
    "uid": "https://provider.com/policies/1",
    "assigner": {
        "uid": "https://provider.com",
        "vcard:fn": "Provider",
        "vcard:hasEmail": "mailto:contact@provider.com",
        "vcard:hasAddress": {"vcard:locality": "Espérance", "vcard:country-name": "France"},
        "vcard:hasURL": "https://provider.com/tdm/licensing.html",
    },
    "permission": [
        {
            "target": "https://provider.com/research-papers",
            "action": "tdm:mine",
            "duty": [{"action": "compensate"}, {"action": "obtainConsent"}],
            "constraint": [
                {"leftOperand": "purpose", "operator": "eq", "rightOperand": "tdm:non-research"}
            ],
        }
    ],
}


def test_policy_of_the_spec() -> None:
    """Section 7: the examples put together."""
    policy = tdmrep.read_policy(json.dumps(POLICY).encode())
    assert policy.fault == ""
    assert policy.uid == "https://provider.com/policies/1"
    assert dict(policy.assigner)["hasEmail"] == "mailto:contact@provider.com"
    assert dict(policy.assigner)["hasAddress"] == "Espérance, France"
    (offer,) = policy.permissions
    assert offer.mines
    assert offer.duties == ("compensate", "obtainConsent")
    assert offer.purposes == ("eq:non-research",)
    assert policy.evidence()["policy_duties"] == "compensate obtainConsent"


def test_policy_with_full_names_and_single_members() -> None:
    raw = json.dumps(
        {
            "type": "odrl:Offer",
            "profile": {"@id": "http://www.w3.org/ns/tdmrep"},
            "permission": {
                "action": {"@id": "http://www.w3.org/ns/tdmrep#mine"},
                "duty": {"action": "http://www.w3.org/ns/odrl/2/compensate"},
            },
        }
    )
    policy = tdmrep.read_policy(raw.encode())
    assert policy.fault == ""
    assert policy.permissions[0].mines
    assert policy.permissions[0].duties == ("compensate",)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"@type": "Set"}, "not an Offer"),
        ({"permission": []}, "no permission"),
        ({"profile": "https://example.org/"}, "not of the TDMRep profile"),
    ],
)
def test_policy_faults(change: dict[str, object], fault: str) -> None:
    assert tdmrep.read_policy(json.dumps(POLICY | change).encode()).fault == fault


# ---- laws

VALUES = (0, 1, "0", "1", 2, None, True, False, 1.0, "yes", [], {})
LOCATIONS = ("/", "/a", "/a/", "/*.jpg", "/a$", "*", "a", "", "https://provider.com/a", 7, None)
rules = st.lists(st.builds(rule, st.sampled_from(LOCATIONS), st.sampled_from(VALUES)), max_size=5)
paths = st.sampled_from(["/", "/a", "/a/b.jpg", "/c"])


@given(rules, paths)
def test_law_a_reservation_put_first_always_denies(found: list[object], path: str) -> None:
    raw = json.dumps([rule("/", 1), *found]).encode()
    assert first(raw, path) is Permission.DENY


@given(rules, paths)
def test_law_a_file_grants_only_when_every_rule_is_exact(found: list[object], path: str) -> None:
    if first(json.dumps(found).encode(), path) is Permission.ALLOW:
        for one in found:
            assert isinstance(one, dict)
            assert one["tdm-reservation"] in (0, 1)
            assert str(one["location"]).startswith(("/", "*"))


@given(rules, st.integers(1, 80), paths)
def test_law_a_file_cut_short_never_grants(found: list[object], cut: int, path: str) -> None:
    raw = json.dumps(found).encode()
    assert first(raw[:-cut], path) is not Permission.ALLOW


@given(st.text(max_size=12).filter(lambda text: text.strip() != "0"))
def test_law_only_a_zero_grants(value: str) -> None:
    from html import escape

    raw = f'<meta name="tdm-reservation" content="{escape(value)}">'.encode("utf-8", "replace")
    for found in tdmrep.read_html(raw, META):
        granted = {p for s in found.readings[0].statements for _, p in s.permissions}
        assert Permission.ALLOW not in granted


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["location", "tdm-reservation", "tdm-policy", "rules"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(json_values)
@example([{"location": "\ud800", "tdm-reservation": 1, "tdm-policy": "\udfff"}])
def test_law_any_json_is_survived(value: object) -> None:
    for found in tdmrep.read_file(json.dumps(value).encode(), FILE):
        assert len(found.declaration_id) == 16
        for statement in found.readings[0].statements:
            assert (statement.pattern or "").isascii()
            assert all(c.url.encode() for c in statement.conditions)
    assert isinstance(tdmrep.read_policy(json.dumps(value).encode()).evidence(), dict)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
@example(b"\xff\xfe[\x00")
@example(b'[{"location":"//[","tdm-reservation":1,"tdm-policy":"//["}]')
def test_law_no_bytes_raise(raw: bytes) -> None:
    for reader in READERS:
        for prefix in (
            b"",
            b'[{"location":"/","tdm-reservation":1',
            b"tdm-reservation: ",
            b"<tdm ",
        ):
            for found in reader(prefix + raw, FILE):
                assert found.readings
    assert isinstance(tdmrep.read_policy(raw).fault, str)


HOSTILE = {
    "nested-arrays": b"[" * 200_000,
    "nested-objects": b'{"a":' * 100_000,
    "nested-reservations": b'{"tdm-reservation":1,"a":[' * 30_000,
    "many-rules": b"[" + b'{"location":"/*a","tdm-reservation":1},' * 25_000 + b"]",
    "many-broken-objects": b"{" + b"{'location':" * 80_000,
    "huge-number": b'[{"location":"/","tdm-reservation":' + b"1" * 500_000 + b"}]",
    "huge-location": b'[{"location":"/' + b"*a" * 400_000 + b'","tdm-reservation":1}]',
    "oversize": b"[" + b" " * TEXT_FILE_BYTES_MAX + b"]",
    "keys": b"[{" + b",".join(b'"k%d":1' % n for n in range(80_000)) + b"}]",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_stay_fast_and_bounded(name: str) -> None:
    started = time.process_time()
    found = tdmrep.read_file(HOSTILE[name], FILE)
    assert time.process_time() - started < 2.0
    assert len(found) == 1
    assert len(found[0].readings[0].statements) <= 10_000


HOSTILE_XML = {
    "bomb": b'<!DOCTYPE r [<!ENTITY a "1"><!ENTITY b "&a;&a;">]><r><meta name="tdm">&b;</meta></r>',
    "deep": b'<r xmlns:t="http://www.w3.org/ns/tdmrep/">' + b"<t:reservation>" * 240
    + b"1" * 3_000_000,
    "wide": b'<r xmlns:t="http://www.w3.org/ns/tdmrep/">' + b"<t:reservation>0</t:reservation>"
    * 100_000 + b"</r>",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_XML)
def test_hostile_xml_stays_fast_and_never_grants(name: str) -> None:
    started = time.process_time()
    for reader in (tdmrep.read_xmp, tdmrep.read_package):
        for found in reader(HOSTILE_XML[name], BOOK):
            assert name == "wide" or found.fault
    assert time.process_time() - started < 2.0
