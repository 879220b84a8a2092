"""Content-Signal: how values are read, and that nothing unclear grants."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tercet.consent.signals.content_signal import parse_signals, read_headers, read_robots
from tercet.core.declaration import Carrier, Source
from tercet.core.usage import TRAINING, Permission, Usage

HEADER = Source("https://example.org/", Carrier.HEADER)
FILE = Source("https://example.org/robots.txt", Carrier.FILE)


@pytest.mark.parametrize(
    ("value", "permission"),
    [
        ("ai-train=yes", Permission.ALLOW),
        ("ai-train=no", Permission.DENY),
        ("AI-TRAIN = No", Permission.DENY),
        ("ai-train:no", Permission.DENY),
        ("ai-train=true", Permission.ALLOW),
        ("ai-train=0", Permission.DENY),
        ("ai-train=y", Permission.UNKNOWN),
        ("ai-train=yes, ai-train=no", Permission.DENY),
        ("ai-train=", Permission.UNKNOWN),
        ("ai-train", None),
        ("search=yes", None),
        ("ai-train=yes, use=reference", Permission.UNKNOWN),
        ("ai-train=no, use=full", Permission.DENY),
        ("use=weekly, ai-train=yes", Permission.UNKNOWN),
    ],
)
def test_values(value: str, permission: Permission | None) -> None:
    said, _ = parse_signals(value)
    assert {said.get(usage) for usage in TRAINING} == {permission}


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_reading_never_raises(value: bytes) -> None:
    read_headers(b"Content-Signal: " + value, HEADER)
    for declaration in read_robots(b"Content-Signal: " + value, FILE):
        assert declaration.agents == ("*",)


@given(st.lists(st.sampled_from(["ai-train=yes", "ai-train=no", "search=yes", "use=full", "x"])))
def test_adding_a_denial_never_grants(parts: list[str]) -> None:
    said, _ = parse_signals(", ".join([*parts, "ai-train=no"]))
    assert said[Usage.TRAIN_GENERATIVE] is Permission.DENY


def test_site_scope_of_a_group_that_is_not_ours() -> None:
    raw = b"User-agent: SomeShopBot\nContent-Signal: ai-train=yes\nAllow: /\n"
    (declaration,) = read_robots(raw, FILE)
    assert declaration.agents == ("*",)
    assert not declaration.readings[0].statements  # by group nothing is said to us: no grant
    assert declaration.readings[1].statements


def test_long_values_are_read_in_time() -> None:
    raw = b"User-agent: *\n" + b"Content-Signal: " + b"a = " * 100_000 + b"\n"
    assert isinstance(read_robots(raw, FILE), tuple)
