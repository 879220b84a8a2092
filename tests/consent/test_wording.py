"""Declarations in words: what is said at a path is what the clearing finds there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tercet.consent.evaluation import compile_declaration
from tercet.consent.facts import Standing
from tercet.consent.wording import holding_lines, say_declaration, say_reading
from tercet.core.condition import Condition, ConditionKind
from tercet.core.declaration import Carrier, Declaration, Matching, Place, Reading, Statement
from tercet.core.money import Money
from tercet.core.usage import Permission, Usage, permit

TRAIN = Usage.TRAIN_GENERATIVE
PRICE = Condition(
    ConditionKind.PAYMENT, "https://a.example/terms", "", Money("EUR", 20_000), "training"
)
PATHS = st.sampled_from([b"/", b"/a", b"/a/b", b"/a/b.jpg", b"/c?d=1", b"/%C3%A9"])
PATTERNS = st.sampled_from([None, "", "/", "/a", "/a/", "/a/*.jpg$", "*", "/c", "/$", "/é"])
SAID = st.sampled_from([Permission.ALLOW, Permission.DENY, Permission.UNKNOWN])
USAGES = st.sampled_from([frozenset({TRAIN}), frozenset({TRAIN, Usage.SEARCH}), {Usage.SEARCH}])


def statement(said: Permission, pattern: str | None = None, line: int = 0, *terms: Condition):
    return Statement(permit({TRAIN}, said), pattern, terms, line)


@given(st.lists(st.tuples(USAGES, SAID, PATTERNS), max_size=5), st.sampled_from(Matching), PATHS)
def test_words_and_verdict_never_differ(
    rules: list[tuple[frozenset[Usage], Permission, str | None]], matching: Matching, path: bytes
) -> None:
    """The letter to a rights owner must not tell another story than the verdict."""
    statements = tuple(Statement(permit(us, said), p) for us, said, p in rules)
    reading = Reading(statements, matching)
    declaration = Declaration(
        "robots", "s", "1", Carrier.FILE, Place("u"), "", "", (reading,)
    )  # fmt: skip
    compiled = compile_declaration(declaration, TRAIN)
    standing = Standing.NONE
    if compiled is not None:
        standing = compiled.at(path) if compiled.readings else compiled.everywhere
    said = say_reading(reading, TRAIN, path)
    assert ("forbids" in said) == bool(standing & Standing.DENIES)
    if not standing & Standing.DENIES:
        assert ("allows" in said) == bool(standing & Standing.ALLOWS)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (statement(Permission.DENY), "It forbids this use."),
        (statement(Permission.ALLOW), "It allows this use."),
        (statement(Permission.UNKNOWN), "It gives no certain answer for this use."),
        (
            statement(Permission.CONDITIONAL, None, 0, PRICE),
            "It allows this use on conditions: payment of EUR 0.02 for training "
            "(https://a.example/terms).",
        ),
        (Statement(permit({Usage.SEARCH}, Permission.DENY)), "It says nothing of this use."),
        (statement(Permission.DENY, "/other/"), "It says nothing of this use."),
    ],
)
def test_sentences(said: Statement, words: str) -> None:
    assert say_declaration((Reading((said,)),), TRAIN, b"/x.jpg") == words


def test_every_reading_of_an_ambiguous_text_is_told() -> None:
    readings = (Reading((statement(Permission.DENY),)), Reading(()))
    told = say_declaration(readings, TRAIN, b"/")
    assert told == (
        "It can be read in two ways: it forbids this use, or it says nothing of this use."
    )


def test_a_fault_is_told_with_what_can_be_read() -> None:
    told = say_declaration((Reading((statement(Permission.DENY),)),), TRAIN, b"/", fault="cut off")
    assert told == (
        "It cannot be read with certainty (cut off); what can be read forbids this use."
    )


def test_terms_of_several_conditions() -> None:
    terms = (
        Condition(ConditionKind.ATTRIBUTION, "https://l.example/by"),
        Condition(ConditionKind.NON_COMMERCIAL, "https://l.example/by", "x" * 999),
    )
    told = say_declaration(
        (Reading((statement(Permission.CONDITIONAL, None, 0, *terms),)),), TRAIN, b"/"
    )
    assert told.count("https://l.example/by") == 1
    assert len(told) < 400


def test_the_lines_are_those_that_hold_at_the_path() -> None:
    longest = Reading(
        (
            statement(Permission.DENY, "/", 2),
            statement(Permission.ALLOW, "/open/", 3),
            statement(Permission.DENY, "/open/not/", 4),
        ),
        Matching.LONGEST,
    )
    assert holding_lines((longest,), TRAIN, b"/x") == (2,)
    assert holding_lines((longest,), TRAIN, b"/open/x") == (3,)
    assert holding_lines((longest,), TRAIN, b"/open/not/x") == (4,)
    assert holding_lines((longest,), Usage.SEARCH, b"/x") == ()
